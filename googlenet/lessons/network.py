"""Lessons with more than one module's sum in them: a listing to read, and two about the whole network.

Each function makes one exercise, with the paper's or the note's own numbers where `draw` is None, else with drawn ones.
"""

from __future__ import annotations

import dataclasses
import itertools
from fractions import Fraction
from random import Random

from googlenet.language import mark, tr
from googlenet.lessons.arithmetic import CHANNELS, Calculation, size_after
from googlenet.lessons.exercise import Exercise, Mistake
from googlenet.lessons.module import drawn_module, named, one_after_another, sum_of
from googlenet.models.presets import INCEPTIONS, NOTE_EXAMPLE_SIZE, preset
from googlenet.models.profile import BRANCHES, Row, profile_module, profile_network

COMPARED = (mark("fewer parameters"), mark("exactly as many"), mark("more parameters"))


def wrong_line(draw: Random | None) -> Exercise:
    """Which line runs another branch than it says? Seed 0 is the class note's own slip."""
    config, side = drawn_module(draw)
    side = side if draw else NOTE_EXAMPLE_SIZE
    profile = profile_module(config, side, side)
    meant = list(BRANCHES)
    place = draw.randrange(len(meant)) if draw else meant.index("pool")
    ran = list(meant)
    ran[place] = draw.choice([branch for branch in meant if branch != meant[place]]) if draw else "5×5"
    shapes = {branch: f"({', '.join(map(str, sums.out_shape))})" for branch, sums in profile.by_branch().items()}
    calls = {branch: f"branch{number}" for number, branch in enumerate(BRANCHES, start=1)}
    lines = [f"x = torch.rand({config.in_channels}, {side}, {side})"]
    lines += [f"{calls[run]}(x).shape  # {branch}: {shapes[run]}" for branch, run in zip(meant, ran, strict=True)]
    lines.append(f"module(x).shape   # all: ({', '.join(map(str, profile.out_shape))})")
    at = next(index for index, pair in enumerate(zip(meant, ran, strict=True)) if pair[0] != pair[1])
    wanted, run = meant[at], ran[at]
    if shapes[wanted] == shapes[run]:
        moral = tr(
            "Both branches give {shape} here, so what it gave is right by chance: a shape is no proof of what was run.",
            shape=shapes[run],
        )
    else:
        moral = tr(
            "The {branch} branch gives {shape}; the four lines do not add up to the module's channels.",
            branch=tr(wanted), shape=shapes[wanted],
        )  # fmt: skip
    called = tr(
        "Line {n} calls {call}, the {ran} branch; the {meant} branch is {right}.",
        n=at + 2, call=calls[run], ran=tr(run), meant=tr(wanted), right=calls[wanted],
    )  # fmt: skip
    origin = [] if draw else [tr("This slip stands in the class note that the lab follows.")]
    channels = {branch: sums.out_shape[0] for branch, sums in profile.by_branch().items()}
    printed = [channels[branch] for branch in ran]
    others = [Mistake(1, tr("The input is what this module takes."))]
    others += [
        Mistake(index + 2, tr("{call} is the {branch} branch, and that is its shape.",
                              call=calls[branch], branch=tr(branch)))
        for index, branch in enumerate(meant) if index != at
    ]  # fmt: skip
    others.append(Mistake(len(lines), tr("The module gives that shape: its four branches, concatenated.")))
    return Exercise(
        "wrong_line", mark("Which line is wrong?"),
        tr("branch1 to branch4 are the module's 1×1, 3×3, 5×5 and pool branch. Each line says which one it means, and "
           "what it gave. Which line does not run what it says?"),
        at + 2,
        tr("Read what is called, not what it gave."),
        (
            Calculation(tr("The lines give"), tr("sum of the four"), " + ".join(map(str, printed)), sum(printed),
                        CHANNELS),
            named(tr("The module gives"), sum_of(profile, "concat", "Channels", "")),
        ),
        " ".join([called, moral, *origin]),
        tuple(others),
        choices=tuple(lines), code=True, module=(config, side),
    )  # fmt: skip


def _reductions() -> tuple[tuple[str, str], ...]:
    """GoogLeNet's reductions before a 5×5, and its channels, by stage."""
    stages: dict[str, list[str]] = {name[0]: [] for name in INCEPTIONS}
    for name, module in INCEPTIONS.items():
        stages[name[0]].append(f"{module.ch5x5red} → {module.ch5x5}")
    head = ("", tr("1×1 reduction → 5×5, module by module"))
    return head, *((tr("stage {n}", n=stage), ", ".join(widths)) for stage, widths in stages.items())


def two_3x3(draw: Random | None) -> Exercise:
    """Are two 3×3 cheaper than a 5×5, after a narrow reduction?"""
    config, side = drawn_module(draw)
    if draw:  # as often from wide reductions as from narrow ones: the answer turns where they are 9/16 as wide
        config = dataclasses.replace(config, ch5x5red=max(16, round(config.ch5x5 * draw.choice((0.25, 0.375, 1, 1.5)))))
    single, double = (profile_module(config.with_ch5x5(kind), side, side) for kind in ("5x5", "two 3x3"))
    before, after = (profile.by_branch()["5×5"].params for profile in (single, double))
    red, out = config.ch5x5red, config.ch5x5
    steps = one_after_another(f"1×1 → {red}", f"5×5 → {out}")
    given, width, name = (("5×5", steps),), f"{red} / {out}", "5×5"
    question = tr("Two 3×3 in a row see the same 5×5 pixels. With them in place of the 5×5, this branch has …")
    if not draw:
        given, name = _reductions(), "3a: 5×5"
        widths = [Fraction(layer.ch5x5red, layer.ch5x5) for layer in INCEPTIONS.values()]
        width = tr("from {low} to {high}", low=min(widths), high=max(widths))
        question = tr(
            "Two 3×3 in a row see the same 5×5 pixels. With them in place of every 5×5, the whole network has …"
        )
    networks = [profile_network(preset("imagenet", ch5x5=kind)).params for kind in ("5x5", "two 3x3")]
    one, two = (before, after) if draw else networks
    answer = 1 + (two >= one) + (two > one)
    change = tr("{one:,} with 5×5, {two:,} with two 3×3.", one=one, two=two)
    rows = (
        sum_of(single, "branch3.1", "Parameters", ""),
        *(sum_of(double, f"branch3.{step}", "Parameters", "") for step in (1, 2)),
    )
    return Exercise(
        "two_3x3", mark("Two 3×3 for one 5×5"),
        question,
        answer,
        tr("The first 3×3 takes what the reduction gives. The second takes what the first gives."),
        tuple(map(named, (name, tr("first 3×3"), tr("second 3×3")), rows)),
        tr("{change} The second 3×3 takes as many channels as the branch gives, however few the reduction left. So two "
           "3×3 are cheaper only after a reduction more than 9/16 as wide as what follows: here it is {width}.",
           change=change, width=width),
        tuple(Mistake(n, change) for n in range(1, len(COMPARED) + 1) if n != answer),
        given=given, choices=tuple(map(tr, COMPARED)),
        module=(config, side) if draw else None, network="" if draw else "imagenet.two3x3",
    )  # fmt: skip


def window_of(row: Row) -> str:
    """A layer's window in words: 7×7 convolution, stride 2, padding 3."""
    numbers = {"kernel": row.kernel, "stride": row.stride, "padding": row.padding}
    if row.params:
        return tr("{kernel}×{kernel} convolution, stride {stride}, padding {padding}", **numbers)
    return tr("{kernel}×{kernel} max pool, stride {stride}, padding {padding}", **numbers)


def small_images(draw: Random | None) -> Exercise:
    """What the original stem, made for 224×224, leaves of a small image."""
    side = draw.choice((28, 36, 40, 48, 64, 72, 96, 128, 160)) if draw else 32
    network = preset("imagenet")
    rows = {row.name: row for row in profile_network(network, side, side).rows}
    stem = list(itertools.takewhile(lambda row: not row.branch, rows.values()))
    answer, full = stem[-1].out_shape[1], network.input_size
    meant = {row.name: row for row in profile_network(network).rows}
    bare = side
    for row in stem:
        bare = size_after(bare, row.kernel, 0, row.stride).result
    five = "inception3a.branch3.1"
    last = rows["inception5a.branch1"].out_shape[1]
    shares = [100 * found[five].padding_share for found in (rows, meant)]
    return Exercise(
        "small_images", mark("A stem for larger images"),
        tr("The original stem was made for {full}×{full} images. How many pixels a side reach 3a of a {side}×{side} "
           "image?", full=full, side=side),
        answer,
        tr("Three of its five windows have stride 2. Follow the side through them one by one."),
        tuple(named(row.name, size_after(row.in_shape[1], row.kernel, row.padding, row.stride)) for row in stem),
        tr("On {side}×{side} the 5×5 of 3a sees padding at {small:.0f}% of its taps, on {full}×{full} images at "
           "{large:.0f}%, and stage 5 is left with {last}×{last}. Hence the presets' own stems for 32×32.",
           side=answer, small=shares[0], full=full, large=shares[1], last=last),
        (
            Mistake(meant[five].in_shape[1], tr("That is what a {full}×{full} image leaves.", full=full)),
            Mistake(stem[0].out_shape[1], tr("That is after conv1: two pools halve it again.")),
            Mistake(stem[1].out_shape[1], tr("That is after the first pool: there is another one.")),
            Mistake(bare, tr("That is without padding.")),
            Mistake(rows["maxpool3"].out_shape[1], tr("That is what reaches 4a, after one more pool.")),
        ),
        "pixels",
        tuple((row.name, window_of(row)) for row in stem),
        network="cifar10-truncated",
    )  # fmt: skip
