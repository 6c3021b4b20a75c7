"""Lessons about one module: what leaves it, what it holds and what it costs.

Each function makes one exercise, with the paper's or the note's own numbers where `draw` is None, else with drawn ones.
"""

from __future__ import annotations

import dataclasses
from random import Random

from googlenet.config import InceptionConfig
from googlenet.language import mark, tr
from googlenet.lessons import arithmetic
from googlenet.lessons.arithmetic import Calculation, calculations, size_after
from googlenet.lessons.exercise import Exercise, Mistake
from googlenet.models.presets import INCEPTIONS, NOTE_EXAMPLE_SIZE, NOTE_NAIVE
from googlenet.models.profile import Profile, profile_module

SIDES = (7, 14, 20, 28, 40, 56)


def drawn_module(draw: Random | None) -> tuple[InceptionConfig, int]:
    """A module and the side of its map: 3a on 28×28, or one of about the paper's proportions."""
    if draw is None:
        return INCEPTIONS["3a"], 28
    arriving = draw.randrange(128, 833, 32)
    spans = (48, 257), (48, 161), (128, 321), (16, 49), (32, 129), (32, 129)
    ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, pool_proj = (draw.randrange(*span, 16) for span in spans)
    module = InceptionConfig("module", arriving, ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, pool_proj)
    return module, draw.choice(SIDES)


def _described(config: InceptionConfig, side: int) -> tuple[tuple[str, str], ...]:
    """Input and branches in words."""
    return (
        (tr("input"), f"{config.in_channels:,} × {side} × {side}"),
        ("1×1", f"1×1 → {config.ch1x1}"),
        ("3×3", one_after_another(f"1×1 → {config.ch3x3red}", f"3×3 → {config.ch3x3}")),
        ("5×5", one_after_another(f"1×1 → {config.ch5x5red}", f"5×5 → {config.ch5x5}")),
        ("pool", tr("3×3 max pool, then 1×1 → {n}", n=config.pool_proj)),
    )


def one_after_another(first: str, second: str) -> str:
    """A branch's two steps in words."""
    return tr("{first}, then {second}", first=first, second=second)


def sum_of(profile: Profile, row: str, name: str, remark: str | None = None) -> Calculation:
    """One of the sums behind a row, by its English `name`; `remark` replaces its own."""
    found = next(s for s in calculations(profile, arithmetic.find_row(profile, row)) if s.name == tr(name))
    return found if remark is None else dataclasses.replace(found, remark=remark)


def named(label: str, found: Calculation) -> Calculation:
    """The sum under another name."""
    return dataclasses.replace(found, name=label)


def concatenation(draw: Random | None) -> Exercise:
    """Channels after the concatenation."""
    config, side = drawn_module(draw)
    profile = profile_module(config, side, side)
    answer, pool, arriving = profile.out_shape[0], config.pool_proj, config.in_channels
    reductions = config.ch3x3red + config.ch5x5red
    return Exercise(
        "concatenation", mark("Stacking the branches"),
        tr("How many channels does this module give?"),
        answer,
        tr("Each branch passes on what its last step gives. The four outputs are stacked, channel on channel."),
        (sum_of(profile, "concat", "Channels"),),
        tr("Height and width stay {side} × {side} in every branch; only channels add up. The module gives "
           "{channels:,} × {side} × {side}.", side=side, channels=answer),
        (
            Mistake(answer - pool, tr("The pool branch is forgotten: it passes on {pool:,} channels too.", pool=pool)),
            Mistake(answer - pool + arriving, tr(
                "That passes on all {arriving} channels that reach the pool, as in a naive module; here a 1×1 brings "
                "them down to {pool}.", arriving=arriving, pool=pool)),
            Mistake(answer + reductions, tr(
                "That counts the reductions ({red3} and {red5}) too: they stay inside their branches.",
                red3=config.ch3x3red, red5=config.ch5x5red)),
            Mistake(answer + arriving, tr("That adds the input, which is not stacked on top.")),
            Mistake(arriving, tr("That is what arrives.")),
            Mistake(max(config.branch_channels),
                    tr("That is the widest branch alone, as if the maps were added up: they are stacked.")),
        ),
        "channels", _described(config, side), module=(config, side),
    )  # fmt: skip


def one_by_one(draw: Random | None) -> Exercise:
    """Parameters of a 1×1 convolution."""
    config, side = drawn_module(draw)
    profile = profile_module(config, side, side)
    row = arithmetic.find_row(profile, "branch2.0")
    arriving, leaving, weights = row.in_channels, row.out_channels, row.params - row.out_channels
    return Exercise(
        "one_by_one", mark("A 1×1 convolution"),
        tr("How many parameters does this 1×1 convolution have, biases included?"),
        row.params,
        tr("At each pixel it is a fully connected layer across channels: every channel out weighs every channel in."),
        (sum_of(profile, row.name, "Parameters", tr("The last term is the biases.")),),
        tr("The size of the map plays no part: the same {params:,} numbers serve all {side}·{side} places, which is "
           "why the multiply-adds, {macs:,}, are {places:,} times the weights.",
           params=row.params, side=side, macs=row.macs, places=side * side),
        (
            Mistake(weights, tr("Those are the weights; each of the {n:,} channels out has a bias too.", n=leaving)),
            Mistake(weights + arriving, tr("A bias belongs to a channel out: there are {leaving}, not {arriving}.",
                                           leaving=leaving, arriving=arriving)),
            Mistake(row.macs, tr("Those are the multiply-adds of an image: the same weights, used at {side}·{side} "
                                 "places.", side=side)),
            Mistake(row.macs + leaving,
                    tr("The weights are the same at all {side}·{side} places: they count once.", side=side)),
            Mistake(9 * weights + leaving, tr("That is a 3×3 convolution: nine weights a pair of channels.")),
            Mistake(arriving + leaving,
                    tr("That is one weight a channel: each channel out weighs each channel in.")),
        ),
        "parameters",
        ((tr("input"), f"{arriving:,} × {side} × {side}"),
         (tr("layer"), f"Conv2d({arriving}, {leaving}, kernel_size=1)")),
        module=(config, side),
    )  # fmt: skip


def padding(draw: Random | None) -> Exercise:
    """Which padding keeps a window's map at size."""
    kernel = draw.choice((3, 5, 9, 11, 13)) if draw else 7
    side = draw.choice(SIDES[2:]) if draw else 28
    after = {pad: size_after(side, kernel, pad, 1) for pad in range(8)}
    answer = next(pad for pad, found in after.items() if found.result == side)
    slips = [
        Mistake(pad, _padded(pad, side, found.result, twice=pad == 2 * answer))
        for pad, found in after.items() if pad != answer
    ]  # fmt: skip
    lost = side - after[0].result
    if lost > 7:
        slips.append(Mistake(lost, tr("{n} are missing in all, but zeros are added on both sides.", n=lost)))
    return Exercise(
        "padding", mark("Which padding keeps the size?"),
        tr("Which padding lets a {kernel}×{kernel} convolution with stride 1 keep the size of its map?", kernel=kernel),
        answer,
        tr("Without padding the window has {n} fewer places than the map has pixels. Padding is added on both sides.",
           n=lost),
        (after[answer],),
        tr("For an odd kernel it is (kernel − 1) / 2, whatever the side: branches of any window fit side by side."),
        tuple(slips),
        "pixels",
        ((tr("map"), f"{side} × {side}"), (tr("window"), tr("{kernel} × {kernel}, stride 1", kernel=kernel))),
    )  # fmt: skip


def _padded(pad: int, side: int, after: int, *, twice: bool) -> str:
    """What is said to a wrong padding; `twice`: to one that is on both sides together what one side needs."""
    numbers = {"pad": pad, "side": side, "after": after, "n": abs(after - side)}
    if after < side:
        said = tr("With padding {pad} a side of {side} becomes {after}: it loses {n}.", **numbers)
    else:
        said = tr("With padding {pad} a side of {side} becomes {after}: it gains {n}.", **numbers)
    why = tr("That many are missing in all, but zeros are added on both sides.")
    return f"{said} {why}" if twice else said


def forgotten_stride(draw: Random | None) -> Exercise:
    """What a pool gives whose stride was not written."""
    config, side = drawn_module(draw)
    forgotten = arithmetic.forget_stride(profile_module(config, side, side))
    row = next(row for row in forgotten.rows if row.branch == "pool")
    answer = row.out_shape[1]
    window = (row.kernel, row.padding, row.stride)
    halved, bare = size_after(side, row.kernel, row.padding, 2).result, size_after(side, row.kernel, 0, row.stride)
    return Exercise(
        "forgotten_stride", mark("The stride nobody wrote"),
        tr("The pool branch was written without a stride. How many pixels a side does its map have?"),
        answer,
        tr("nn.MaxPool2d does what its documentation says: the stride defaults to the kernel size."),
        (size_after(side, *window),),
        " ".join([tr("The concatenation fails."), arithmetic.misfit(forgotten)]),
        (
            Mistake(side, tr("That is with stride=1, as it was meant: the default is the kernel size.")),
            Mistake(halved, tr("That is with stride 2, as between two stages: the default is the kernel size.")),
            Mistake(bare.result, tr("That is without the padding of {n}.", n=row.padding)),
            Mistake(answer - 1, tr("The first place of the window counts as well: + 1 at the end.")),
            Mistake(answer + 1, tr("That rounds up: torch rounds down.")),
        ),
        "pixels",
        ((tr("map"), f"{side} × {side}"), ("pool", f"nn.MaxPool2d(kernel_size={row.kernel}, padding={row.padding})")),
        module=(config, side),
    )  # fmt: skip


def naive_growth(draw: Random | None) -> Exercise:
    """How many channels come out of naive modules in a row."""
    first, length = NOTE_NAIVE, 3
    if draw:
        widths = [draw.randrange(*span, 16) for span in ((128, 513), (32, 129), (64, 257), (16, 97))]
        first, length = InceptionConfig.make_naive("naive", *widths), draw.choice((2, 3, 4))
    side = NOTE_EXAMPLE_SIZE
    modules = [first]
    while len(modules) < length:
        modules.append(dataclasses.replace(first, in_channels=modules[-1].out_channels))
    profiles = [profile_module(module, side, side) for module in modules]
    answer, own = profiles[-1].out_shape[0], first.out_channels - first.in_channels
    cost = profiles[-1].params / profiles[0].params
    sums = [sum_of(profile, "concat", "Channels", "") for profile in profiles]
    return Exercise(
        "naive_growth", mark("Naive modules grow"),
        tr("{n} naive modules follow one another. How many channels leave the last?", n=length),
        answer,
        tr("A naive module's pool branch passes on every channel that arrives."),
        tuple(named(tr("Module {n}", n=n), found) for n, found in enumerate(sums, start=1)),
        tr("Module {n} has {params:,} parameters, {times:.1f}× as many as the first, for the same three convolutions. "
           "A 1×1 after the pool ends this.", n=length, params=profiles[-1].params, times=cost),
        (
            Mistake(profiles[0].out_shape[0], tr("That is after the first module.")),
            Mistake(own, tr("That leaves out the pool branch, which passes on all that arrives.")),
            Mistake(own * length, tr("That forgets the {n} channels that came in: every pool branch passes them on.",
                                     n=first.in_channels)),
            Mistake(profiles[0].out_shape[0] * length,
                    tr("That passes on the input once per module: it is counted once.")),
            Mistake(answer + own, tr("That is one module too many.")),
            Mistake(answer - own, tr("That is one module too few.")),
        ),
        "channels",
        (
            (tr("input"), f"{first.in_channels} × {side} × {side}"),
            ("1×1", f"1×1 → {first.ch1x1}"), ("3×3", f"3×3 → {first.ch3x3}"), ("5×5", f"5×5 → {first.ch5x5}"),
            ("pool", tr("3×3 max pool, stride 1")),
        ),
        module=(first, side),
    )  # fmt: skip


def reduced_cost(draw: Random | None) -> Exercise:
    """How much the 1×1 before the 5×5 saves."""
    config, side = drawn_module(draw)
    reduced = profile_module(config, side, side)
    naive = profile_module(arithmetic.naive_twin(config), side, side)
    before, after = naive.by_branch()["5×5"].macs, reduced.by_branch()["5×5"].macs
    alone, params = arithmetic.find_row(reduced, "branch3.1").macs, naive.by_branch()["5×5"].params
    answer, macs = round(before / after, 1), "Multiply-adds of an image"
    return Exercise(
        "reduced_cost", mark("What the reduction saves"),
        tr("The 5×5 branch can apply its 5×5 to all {arriving} channels, or reduce them to {reduced} by a 1×1 first. "
           "How many times fewer multiply-adds is that? One decimal; a tenth off is near enough.",
           arriving=config.in_channels, reduced=config.ch5x5red),
        answer,
        tr("The reduction costs something too: count both of its steps."),
        (
            named(tr("Naive: 5×5"), sum_of(naive, "branch3", macs)),
            named(tr("Reduced: 1×1"), sum_of(reduced, "branch3.0", macs)),
            named(tr("Reduced: 5×5"), sum_of(reduced, "branch3.1", macs)),
        ),
        tr("{before:,} / ({wide:,} + {alone:,}) = {answer:,.1f}. The whole module costs {times:.1f}× less.",
           before=before, wide=after - alone, alone=alone, answer=answer, times=naive.macs / reduced.macs),
        (
            Mistake(round(before / alone, 1), tr("That leaves out what the 1×1 itself costs.")),
            Mistake(after / before, tr("That is the other way round.")),
            Mistake(0, tr("0 would mean that the 5×5 without a reduction costs nothing.")),
            Mistake(1, tr("1 would mean that both cost the same.")),
            Mistake(round(naive.macs / reduced.macs, 1), tr("That is the whole module, not the 5×5 branch alone.")),
            Mistake(25, tr("25 is what a 5×5 costs over a 1×1 of the same channels.")),
            Mistake(round(params / reduced.by_branch()["5×5"].params, 1), tr("Those are the parameters.")),
        ),
        "×",
        (
            (tr("map"), f"{side} × {side}"),
            (tr("naive"), f"5×5, {config.in_channels} → {config.ch5x5}"),
            (tr("reduced"), one_after_another(f"1×1, {config.in_channels} → {config.ch5x5red}",
                                              f"5×5, {config.ch5x5red} → {config.ch5x5}")),
        ),
        slack=0.1, module=(config, side),
    )  # fmt: skip
