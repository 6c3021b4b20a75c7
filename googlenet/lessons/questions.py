"""Questions about what somebody has built: any module, forgotten stride included, and any network of the builder.

The sums are read off the design's own profile, so a question is answered as the builder would answer it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from googlenet.config import GoogLeNetConfig
from googlenet.errors import check_choice
from googlenet.lessons.arithmetic import Calculation, misfit
from googlenet.lessons.design import Design, ModuleDesign, design_text
from googlenet.lessons.exercise import Exercise, Mistake
from googlenet.lessons.module import sum_of
from googlenet.models.profile import Profile, Row, profile_partly

FIT = ("yes, all four", "no: the 1×1 branch differs", "no: the 3×3 branch differs", "no: the 5×5 branch differs",
       "no: the pool branch differs")  # fmt: skip


def kinds(design: Design) -> dict[str, str]:
    """What can be asked about a design: each kind, and how the page offers it."""
    asked = _OF_MODULE if isinstance(design, ModuleDesign) else _OF_NETWORK
    found = {kind: label for kind, (label, _) in asked.items()}
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
    steps: dict[str, list[str]] = {}
    for row in design.profile.rows:
        if row.branch:
            steps.setdefault(row.branch, []).append(_step(row, forgotten=design.forgotten))
    sizes = " × ".join(f"{side:,}" for side in (design.config.in_channels, design.height, design.width))
    batch = (("batch", f"{design.batch:,} images"),) if design.batch > 1 else ()
    return ("input", sizes), *batch, *((branch, ", then ".join(words)) for branch, words in steps.items())


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
        Mistake(answer - pool, f"The pool branch is forgotten: it passes on {pool:,} channels too."),
        Mistake(answer + config.in_channels, "That adds the input, which is not stacked on top."),
        Mistake(config.in_channels, "That is what arrives."),
    ]
    if config.naive:
        slips.append(Mistake(answer - pool + 1, "The pool passes on every channel that arrives."))
    else:
        slips.append(Mistake(answer + config.ch3x3red + config.ch5x5red, "The reductions stay inside their branches."))
    return Exercise(
        "channels", "Channels of a module", "How many channels does this module give?", answer,
        "The four branches' outputs are stacked, channel on channel.",
        (sum_of(profile, "concat", "Channels"),),
        f"The module gives {' × '.join(f'{side:,}' for side in profile.out_shape)}.",
        tuple(slips), "channels",
    )  # fmt: skip


def _params(design: ModuleDesign) -> Exercise:
    row = _costliest(design.profile)
    weights = row.params - row.out_channels
    return Exercise(
        "params", "Parameters of its costliest step",
        f"How many parameters does the {row.label} of the {row.branch} branch have, biases included?", row.params,
        "Every channel out has one window of weights for each channel in, and a bias.",
        (sum_of(design.profile, row.name, "Parameters"),),
        f"The size of the map plays no part: the same numbers serve all {row.out_shape[1]}·{row.out_shape[2]} places.",
        (
            Mistake(weights, f"Those are the weights; each of the {row.out_channels:,} channels out has a bias too."),
            Mistake(row.macs, "Those are the multiply-adds of an image."),
            Mistake(weights + row.in_channels, "A bias belongs to a channel out."),
        ),
        "parameters",
    )  # fmt: skip


def _macs(design: ModuleDesign) -> Exercise:
    row = _costliest(design.profile)
    places = row.out_shape[1] * row.out_shape[2]
    return Exercise(
        "macs", "Cost of its costliest step",
        f"How many multiply-adds does the {row.label} of the {row.branch} branch take for one image?", row.macs,
        "The weights, without biases, once for every place of the window.",
        (sum_of(design.profile, row.name, "Multiply-adds of an image"),),
        f"That is {row.macs / design.profile.macs:.0%} of the whole module's {design.profile.macs:,}.",
        (
            Mistake(row.params, "Those are the parameters: the window stands at more than one place."),
            Mistake(row.params * places, "Biases are added, not multiplied: leave them out."),
            Mistake(row.macs // row.kernel**2, f"The window has {row.kernel}·{row.kernel} taps."),
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
        Calculation(f"{branch} branch", "height · width", f"{shape[1]:,}·{shape[2]:,}", shape[1] * shape[2])
        for branch, shape in ends.items()
    )
    return Exercise(
        "fits", "Do the branches fit?", "Can the four branches of this module be concatenated as they are written?",
        answer,
        "Maps are concatenated when height and width agree. What is the stride of a pool for which none was written?",
        sums, problem or "Every window keeps the size of its map, so only channels add up.",
        tuple(Mistake(number, "Work out height and width at the end of each branch.") for number in range(1, 6)
              if number != answer),
        choices=FIT,
    )  # fmt: skip


def _pool_side(design: ModuleDesign) -> Exercise:
    row = next(row for row in design.profile.rows if row.branch == "pool" and not row.params)
    side, meant = row.out_shape[1], row.in_shape[1]
    return Exercise(
        "pool_side", "The map after the pool", "How many pixels high is the map that leaves the pool?", side,
        "nn.MaxPool2d takes its kernel size as stride unless told otherwise.",
        (
            Calculation(
                "Height", "⌊(height + 2·padding − kernel) / stride⌋ + 1",
                f"⌊({meant:,} + 2·{row.padding} − {row.kernel}) / {row.stride}⌋ + 1", side,
            ),
        ),
        misfit(design.profile) or "With stride 1 and this padding the pool keeps the size of its map.",
        tuple(Mistake(number, why) for number, why in (
            (meant, "That is with stride=1: the default is the kernel size."),
            ((meant + 2 * row.padding - row.kernel) // row.kernel + 1, "That is with the default stride, 3."),
            (meant // 2, "That is with stride 2, as between two stages."),
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
        "features", "What reaches the classifier", "How many numbers does the linear layer at the end take?",
        linear.in_channels,
        "An average pool leaves one number a channel; without one, every place of every map counts.",
        (Calculation("Features", "channels" if pooled else "channels · height · width", worked, linear.in_channels),),
        f"{last} gives {channels:,} × {height} × {width}.",
        (
            Mistake(channels * height * width, "The average pool leaves one number of each map."),
            Mistake(network.num_classes, "That is what leaves it: the classes."),
        ) if pooled else (Mistake(channels, "Without an average pool every place of the map counts."),),
        "numbers", (("image", f"{network.input_size} × {network.input_size}"), ("last layer", last)),
    )  # fmt: skip


def _last_side(network: GoogLeNetConfig) -> Exercise:
    profile, _ = profile_partly(network)
    rows = [row for row in profile.rows if row.stride > 1 and not row.aux and row.layer != "avgpool"]
    layers = profile.by_layer()
    last = network.layers[-1].name
    side = layers[last].out_shape[1]
    sums = tuple(
        Calculation(
            row.layer, "⌊(side + 2·padding − kernel) / stride⌋ + 1",
            f"⌊({row.in_shape[1]} + 2·{row.padding} − {row.kernel}) / {row.stride}⌋ + 1", row.out_shape[1],
            "" if (row.in_shape[1] + 2 * row.padding - row.kernel) // row.stride + 1 == row.out_shape[1]
            else "This pool rounds up.",
        )
        for row in rows
    )  # fmt: skip
    return Exercise(
        "last_side", "The last map", f"How many pixels a side has the map that leaves {last}?", side,
        "Only the layers with a stride above 1 are listed. Follow the side through all of them.",
        sums, f"Of {network.input_size} × {network.input_size} pixels {side} × {side} places are left.",
        tuple(Mistake(row.out_shape[1], f"That is what leaves {row.layer}.") for row in rows
              if row.out_shape[1] != side),
        "pixels",
        (
            ("image", f"{network.input_size} × {network.input_size}"),
            *((row.layer, f"{row.label}, stride {row.stride}, padding {row.padding}") for row in rows),
        ),
    )  # fmt: skip


def _misfit(network: GoogLeNetConfig) -> Exercise:
    problem = network.problems()[0]
    names = [layer.name for layer in network.layers]
    at = names.index(problem.layer)
    shown = network.layers[max(0, at - 3) : at + 3]
    lines = tuple(
        f"{layer.name}: {getattr(layer, 'in_channels', 'any')} → {getattr(layer, 'out_channels', 'as many')}"
        for layer in shown
    )
    answer = 1 + [layer.name for layer in shown].index(names[at])
    return Exercise(
        "misfit", "Which layer does not fit?",
        "Each line says how many channels a layer takes and how many it gives. Which one does not take what it is "
        "given?",
        answer, "What a layer takes is what the line before it gives; a pool passes on what arrives.",
        (Calculation("It takes", "channels", f"{problem.wanted:,}", problem.wanted),
         Calculation("It is given", "channels", f"{problem.given or 0:,}", problem.given or 0)),
        problem.sentence,
        tuple(Mistake(number, "That layer takes what the one before it gives.") for number in range(1, len(lines) + 1)
              if number != answer),
        choices=lines, code=True,
    )  # fmt: skip


_OF_MODULE: dict[str, tuple[str, Callable[[ModuleDesign], Exercise]]] = {
    "channels": ("How many channels leave it?", _channels),
    "params": ("How many parameters has its costliest step?", _params),
    "macs": ("How many multiply-adds takes its costliest step?", _macs),
    "fits": ("Do its branches fit together?", _fits),
    "pool_side": ("How large is the map after the pool?", _pool_side),
}
_OF_NETWORK: dict[str, tuple[str, Callable[[GoogLeNetConfig], Exercise]]] = {
    "features": ("How many numbers reach the classifier?", _features),
    "last_side": ("How large is its last map?", _last_side),
    "misfit": ("Which layer does not fit?", _misfit),
}
