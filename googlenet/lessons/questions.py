"""Questions about what somebody has built: any module, forgotten stride included, and any network of the builder.

The sums are read off the design's own profile, so a question is answered as the builder would answer it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, Layer
from googlenet.errors import check_choice
from googlenet.language import mark, tr
from googlenet.lessons.arithmetic import SIZE_RULE, Calculation, misfit
from googlenet.lessons.design import Design, ModuleDesign, design_text
from googlenet.lessons.exercise import Exercise, Mistake
from googlenet.lessons.module import one_after_another, sum_of
from googlenet.lessons.network import window_of
from googlenet.models.profile import Profile, Row, profile_partly

FIT = (mark("yes, all four"), mark("no: the 1×1 branch differs"), mark("no: the 3×3 branch differs"),
       mark("no: the 5×5 branch differs"), mark("no: the pool branch differs"))  # fmt: skip


def kinds(design: Design) -> dict[str, str]:
    """What can be asked about a design: each kind, and how the page offers it."""
    asked = _OF_MODULE if isinstance(design, ModuleDesign) else _OF_NETWORK
    found = {kind: tr(label) for kind, (label, _) in asked.items()}
    if isinstance(design, ModuleDesign) and design.forgotten and misfit(design.profile):
        found.pop("channels")  # nothing leaves a module whose branches do not fit
    if isinstance(design, GoogLeNetConfig) and (problems := design.problems()):
        in_layer = any(layer.name == problems[0].layer for layer in design.layers)  # and not in an auxiliary head
        found = {"misfit": found["misfit"]} if in_layer else {}
    elif isinstance(design, GoogLeNetConfig):
        found.pop("misfit")
        if profile_partly(design)[1]:
            found = {}
    return found


def ask(design: Design, kind: str) -> Exercise:
    """The question of that kind about `design`; `LabError` for a kind that does not apply to it."""
    check_choice(kind, "question", tuple(kinds(design)))
    if isinstance(design, ModuleDesign):
        exercise = _OF_MODULE[kind][1](design)
        exercise = dataclasses.replace(exercise, given=_given(design), state=design.text)
    else:
        exercise = dataclasses.replace(_OF_NETWORK[kind][1](design), network=design_text(design))
    # In a small design a slip may lead to the right number.
    return dataclasses.replace(exercise, mistakes=tuple(m for m in exercise.mistakes if m.number != exercise.answer))


def _given(design: ModuleDesign) -> tuple[tuple[str, str], ...]:
    """The module in words: what each branch does, and how the pool was written."""
    steps: dict[str, str] = {}
    for row in design.profile.rows:
        if row.branch:
            step = _step(row, forgotten=design.forgotten)
            before = steps.get(row.branch)
            steps[row.branch] = one_after_another(before, step) if before else step
    sizes = " × ".join(f"{side:,}" for side in (design.config.in_channels, design.height, design.width))
    batch = ((tr("batch"), tr("{n:,} images", n=design.batch)),) if design.batch > 1 else ()
    return (tr("input"), sizes), *batch, *steps.items()


def _step(row: Row, *, forgotten: bool) -> str:
    if row.params:
        return f"{row.kernel}×{row.kernel} → {row.out_channels:,}"
    stride = "" if forgotten else f", stride={row.stride}"
    return f"nn.MaxPool2d(kernel_size={row.kernel}{stride}, padding={row.padding})"


# --- about a module ------------------------------------------------------------------------------


def _channels(design: ModuleDesign) -> Exercise:
    config, profile = design.config, design.profile
    answer, pool = profile.out_shape[0], config.branch_channels[-1]
    slips = [
        Mistake(answer - pool, tr("The pool branch is forgotten: it passes on {pool:,} channels too.", pool=pool)),
        Mistake(answer + config.in_channels, tr("That adds the input, which is not stacked on top.")),
        Mistake(config.in_channels, tr("That is what arrives.")),
    ]
    if config.naive:
        slips.append(Mistake(answer - pool + 1, tr("The pool passes on every channel that arrives.")))
    else:
        kept = tr("The reductions stay inside their branches.")
        slips.append(Mistake(answer + config.ch3x3red + config.ch5x5red, kept))
    return Exercise(
        "channels", mark("Channels of a module"), tr("How many channels does this module give?"), answer,
        tr("The four branches' outputs are stacked, channel on channel."),
        (sum_of(profile, "concat", "Channels"),),
        tr("The module gives {shape}.", shape=" × ".join(f"{side:,}" for side in profile.out_shape)),
        tuple(slips), "channels",
    )  # fmt: skip


def _params(design: ModuleDesign) -> Exercise:
    row = _costliest(design.profile)
    weights = row.params - row.out_channels
    return Exercise(
        "params", mark("Parameters of its costliest step"),
        tr("How many parameters does the {kernel}×{kernel} convolution of the {branch} branch have, biases included?",
           kernel=row.kernel, branch=tr(row.branch)),
        row.params,
        tr("Every channel out has one window of weights for each channel in, and a bias."),
        (sum_of(design.profile, row.name, "Parameters"),),
        tr("The size of the map plays no part: the same numbers serve all {height}·{width} places.",
           height=row.out_shape[1], width=row.out_shape[2]),
        (
            Mistake(weights, tr("Those are the weights; each of the {n:,} channels out has a bias too.",
                                n=row.out_channels)),
            Mistake(row.macs, tr("Those are the multiply-adds of an image.")),
            Mistake(weights + row.in_channels, tr("A bias belongs to a channel out.")),
        ),
        "parameters",
    )  # fmt: skip


def _macs(design: ModuleDesign) -> Exercise:
    row = _costliest(design.profile)
    places = row.out_shape[1] * row.out_shape[2]
    return Exercise(
        "macs", mark("Cost of its costliest step"),
        tr("How many multiply-adds does the {kernel}×{kernel} convolution of the {branch} branch take for one image?",
           kernel=row.kernel, branch=tr(row.branch)),
        row.macs,
        tr("The weights, without biases, once for every place of the window."),
        (sum_of(design.profile, row.name, "Multiply-adds of an image"),),
        tr("That is {share:.0%} of the whole module's {all:,}.",
           share=row.macs / design.profile.macs, all=design.profile.macs),
        (
            Mistake(row.params, tr("Those are the parameters: the window stands at more than one place.")),
            Mistake(row.params * places, tr("Biases are added, not multiplied: leave them out.")),
            Mistake(row.macs // row.kernel**2, tr("The window has {kernel}·{kernel} taps.", kernel=row.kernel)),
        ),
        "multiply-adds",
    )  # fmt: skip


def _fits(design: ModuleDesign) -> Exercise:
    """Whether the branches can be concatenated: the question that a forgotten stride is about."""
    profile = design.profile
    ends = {branch: sums.out_shape for branch, sums in profile.by_branch().items()}
    problem = misfit(profile)
    odd = next((number for number, shape in enumerate(ends.values()) if shape[1:] != ends["1×1"][1:]), None)
    answer = 1 if odd is None else odd + 2
    sums = tuple(
        Calculation(tr("{branch} branch", branch=tr(branch)), tr("height · width"), f"{shape[1]:,}·{shape[2]:,}",
                    shape[1] * shape[2])
        for branch, shape in ends.items()
    )  # fmt: skip
    return Exercise(
        "fits", mark("Do the branches fit?"),
        tr("Can the four branches of this module be concatenated as they are written?"),
        answer,
        tr("Maps are concatenated when height and width agree. What is the stride of a pool for which none was "
           "written?"),
        sums, problem or tr("Every window keeps the size of its map, so only channels add up."),
        tuple(Mistake(number, tr("Work out height and width at the end of each branch.")) for number in range(1, 6)
              if number != answer),
        choices=tuple(map(tr, FIT)),
    )  # fmt: skip


def _pool_side(design: ModuleDesign) -> Exercise:
    row = next(row for row in design.profile.rows if row.branch == "pool" and not row.params)
    side, meant = row.out_shape[1], row.in_shape[1]
    return Exercise(
        "pool_side", mark("The map after the pool"), tr("How many pixels high is the map that leaves the pool?"), side,
        tr("nn.MaxPool2d takes its kernel size as stride unless told otherwise."),
        (
            Calculation(
                tr("Height"), tr("⌊(height + 2·padding − kernel) / stride⌋ + 1"),
                f"⌊({meant:,} + 2·{row.padding} − {row.kernel}) / {row.stride}⌋ + 1", side,
            ),
        ),
        misfit(design.profile) or tr("With stride 1 and this padding the pool keeps the size of its map."),
        tuple(Mistake(number, why) for number, why in (
            (meant, tr("That is with stride=1: the default is the kernel size.")),
            ((meant + 2 * row.padding - row.kernel) // row.kernel + 1, tr("That is with the default stride, 3.")),
            (meant // 2, tr("That is with stride 2, as between two stages.")),
        ) if number != side),
        "pixels",
    )  # fmt: skip


def _costliest(profile: Profile) -> Row:
    return max(profile.rows, key=lambda row: row.macs)


# --- about a network -----------------------------------------------------------------------------


def _features(network: GoogLeNetConfig) -> Exercise:
    profile, _ = profile_partly(network)
    layers = profile.by_layer()
    last = network.layers[-1].name
    channels, height, width = layers[last].out_shape
    linear = next(row for row in profile.rows if row.layer == "fc")
    pooled = network.average_pool
    worked = f"{channels:,}" if pooled else f"{channels:,}·{height}·{width}"
    return Exercise(
        "features", mark("What reaches the classifier"),
        tr("How many numbers does the linear layer at the end take?"),
        linear.in_channels,
        tr("An average pool leaves one number a channel; without one, every place of every map counts."),
        (Calculation(tr("Features"), tr("channels") if pooled else tr("channels · height · width"), worked,
                     linear.in_channels),),
        tr("{layer} gives {channels:,} × {height} × {width}.", layer=last, channels=channels, height=height,
           width=width),
        (
            Mistake(channels * height * width, tr("The average pool leaves one number of each map.")),
            Mistake(network.num_classes, tr("That is what leaves it: the classes.")),
        ) if pooled else (Mistake(channels, tr("Without an average pool every place of the map counts.")),),
        "numbers", ((tr("image"), f"{network.input_size} × {network.input_size}"), (tr("last layer"), last)),
    )  # fmt: skip


def _last_side(network: GoogLeNetConfig) -> Exercise:
    profile, _ = profile_partly(network)
    rows = [row for row in profile.rows if row.stride > 1 and not row.aux and row.layer != "avgpool"]
    layers = profile.by_layer()
    last = network.layers[-1].name
    side = layers[last].out_shape[1]
    sums = tuple(
        Calculation(
            row.layer, tr(SIZE_RULE),
            f"⌊({row.in_shape[1]} + 2·{row.padding} − {row.kernel}) / {row.stride}⌋ + 1", row.out_shape[1],
            "" if (row.in_shape[1] + 2 * row.padding - row.kernel) // row.stride + 1 == row.out_shape[1]
            else tr("This pool rounds up."),
        )
        for row in rows
    )  # fmt: skip
    return Exercise(
        "last_side", mark("The last map"),
        tr("How many pixels a side has the map that leaves {layer}?", layer=last), side,
        tr("Only the layers with a stride above 1 are listed. Follow the side through all of them."),
        sums, tr("Of {image} × {image} pixels {side} × {side} places are left.", image=network.input_size, side=side),
        tuple(Mistake(row.out_shape[1], tr("That is what leaves {layer}.", layer=row.layer)) for row in rows
              if row.out_shape[1] != side),
        "pixels",
        (
            (tr("image"), f"{network.input_size} × {network.input_size}"),
            *((row.layer, window_of(row)) for row in rows),
        ),
    )  # fmt: skip


def _misfit(network: GoogLeNetConfig) -> Exercise:
    problem = network.problems()[0]
    names = [layer.name for layer in network.layers]
    at = names.index(problem.layer)
    shown = network.layers[max(0, at - 3) : at + 3]
    lines = tuple(map(_taken_and_given, shown))
    answer = 1 + [layer.name for layer in shown].index(names[at])
    return Exercise(
        "misfit", mark("Which layer does not fit?"),
        tr("Each line says how many channels a layer takes and how many it gives. Which one does not take what it is "
           "given?"),
        answer, tr("What a layer takes is what the line before it gives; a pool passes on what arrives."),
        (Calculation(tr("It takes"), tr("channels"), f"{problem.wanted:,}", problem.wanted),
         Calculation(tr("It is given"), tr("channels"), f"{problem.given or 0:,}", problem.given or 0)),
        problem.sentence,
        tuple(Mistake(number, tr("That layer takes what the one before it gives."))
              for number in range(1, len(lines) + 1) if number != answer),
        choices=lines, code=True,
    )  # fmt: skip


def _taken_and_given(layer: Layer) -> str:
    if isinstance(layer, ConvConfig | InceptionConfig):
        return f"{layer.name}: {layer.in_channels} → {layer.out_channels}"
    return tr("{layer}: any → as many", layer=layer.name)


_OF_MODULE: dict[str, tuple[str, Callable[[ModuleDesign], Exercise]]] = {
    "channels": (mark("How many channels leave it?"), _channels),
    "params": (mark("How many parameters has its costliest step?"), _params),
    "macs": (mark("How many multiply-adds takes its costliest step?"), _macs),
    "fits": (mark("Do its branches fit together?"), _fits),
    "pool_side": (mark("How large is the map after the pool?"), _pool_side),
}
_OF_NETWORK: dict[str, tuple[str, Callable[[GoogLeNetConfig], Exercise]]] = {
    "features": (mark("How many numbers reach the classifier?"), _features),
    "last_side": (mark("How large is its last map?"), _last_side),
    "misfit": (mark("Which layer does not fit?"), _misfit),
}
