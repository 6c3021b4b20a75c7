"""Challenges: tasks whose answer is a design, judged by computing what the design gives and costs.

As with exercises, `draw` None has the paper's own numbers and a generator draws others. A design is right when every
condition holds, whichever way it was built; a condition that does not hold says by how much it is missed.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, Layer, PoolConfig, Problem
from googlenet.errors import LabError
from googlenet.lessons.arithmetic import misfit
from googlenet.lessons.design import Design, ModuleDesign, read_design
from googlenet.lessons.module import drawn_module
from googlenet.models.presets import preset
from googlenet.models.profile import profile_module, profile_partly

MODULES = ("inception3b", "inception4a", "inception4c", "inception4d", "inception5a")
STAGES = ("inception3a", "inception4a", "inception5a")
WIDTHS = ("ch1x1", "ch3x3", "ch5x5", "pool_proj")


@dataclass(frozen=True)
class Condition:
    """One thing that a design was asked for: whether it holds, and a sentence with the figure and what is missing."""

    name: str
    holds: bool
    sentence: str


@dataclass(frozen=True)
class Challenge:
    """`start` is the design to begin with, `given` what is asked for in words, `example` one design that is right.

    `of` says what the answer is: a module or a network.
    """

    key: str
    title: str
    question: str
    of: str
    start: Design
    given: tuple[tuple[str, str], ...]
    hint: str
    example: Design
    moral: str
    judge_design: Callable[[Design], tuple[Condition, ...]]


@dataclass(frozen=True)
class Verdict:
    """What came of judging a design."""

    conditions: tuple[Condition, ...]

    @property
    def right(self) -> bool:
        """Whether all of it holds."""
        return all(condition.holds for condition in self.conditions)

    @property
    def sentence(self) -> str:
        """The whole in a sentence."""
        missing = sum(not condition.holds for condition in self.conditions)
        if not missing:
            return "Right: every condition holds."
        return f"Not yet: {missing} of {len(self.conditions)} conditions {'does' if missing == 1 else 'do'} not hold."


def judge(challenge: Challenge, text: str) -> Verdict:
    """Judge the design in `text`, an address or what `design_text` wrote; raises `LabError` for one that is none."""
    design = read_design(text)
    if isinstance(design, ModuleDesign) != (challenge.of == "module"):
        raise LabError(f"This challenge is answered with a {challenge.of}, and that is another thing.", "design")
    return Verdict(challenge.judge_design(design))


def _millions(number: float) -> str:
    return f"{number / 1e6:,.1f} M"


def _at_least(name: str, value: int, least: int, unit: str) -> Condition:
    missing = f"{least - value:,} too few" if value < least else "enough"
    return Condition(name, value >= least, f"{value:,} {unit}: {missing}.")


# --- a module within its means ------------------------------------------------------------------


def budget(draw: Random | None) -> Challenge:
    """So many channels for so few multiply-adds."""
    config, side = drawn_module(draw)
    lean = dataclasses.replace(config, ch3x3red=max(16, config.ch3x3red // 2) if draw else 64)
    least, wide = config.out_channels, config.ch3x3 + config.ch5x5
    limit = 100_000_000
    if draw:
        macs = profile_module(lean, side, side).macs
        grain = 10 ** (len(str(macs)) - 3)
        limit = math.ceil(1.02 * macs / grain) * grain
    given = (
        ("input", f"{config.in_channels:,} × {side} × {side}"),
        ("channels out", f"at least {least:,}"),
        ("of these", f"at least {wide:,} from the 3×3 and the 5×5 branch together"),
        ("cost", f"fewer than {_millions(limit)} multiply-adds for an image"),
    )

    def judge_design(design: Design) -> tuple[Condition, ...]:
        assert isinstance(design, ModuleDesign)  # judge() has seen to it
        profile, problem = design.profile, misfit(design.profile)
        shape = (config.in_channels, side, side)
        same = profile.in_shape == shape
        widths = {branch: sums.out_shape[0] for branch, sums in profile.by_branch().items()}
        over = profile.macs - limit
        cost = f"{_millions(over)} too many" if over >= 0 else f"{_millions(-over)} to spare"
        if 0 <= over < 1e5:
            cost = f"{over + 1:,} too many"
        sizes = " × ".join(map(str, profile.in_shape))
        return (
            Condition("input", same, f"It takes {sizes}." if same else f"It takes {sizes}: set {given[0][1]}."),
            Condition("fits", not problem, problem or "The four branches fit together."),
            _at_least("channels out", sum(widths.values()), least, "channels"),
            _at_least("3×3 and 5×5", widths["3×3"] + widths["5×5"], wide, "channels"),
            Condition("cost", over < 0, f"{_millions(profile.macs)} multiply-adds: {cost}."),
        )

    return Challenge(
        "budget", "A module within its means",
        f"Build an Inception module that gives at least {least:,} channels for fewer than {_millions(limit)} "
        "multiply-adds.",
        "module", ModuleDesign(config, side, side), given,
        "The builder's table says which step costs most. What does that step's cost grow with?",
        ModuleDesign(lean, side, side),
        "A 3×3 pays 9 multiply-adds for every pair of a channel in and a channel out: whatever narrows what reaches it "
        "is saved nine times, at a 5×5 twenty-five times.",
        judge_design,
    )  # fmt: skip


# --- networks to repair -------------------------------------------------------------------------


def repair(draw: Random | None) -> Challenge:
    """A network in which one module gives other channels than the next one takes."""
    whole = preset("cifar10")
    name = draw.choice(MODULES) if draw else "inception4a"
    good = _module_of(whole, name)
    field, change = ("pool_proj", -32)
    if draw:
        field = draw.choice(WIDTHS)
        change = draw.choice((-1, 1, 2)) * max(8, getattr(good, field) // 4)
    bad = dataclasses.replace(good, **{field: getattr(good, field) + change})
    layers = tuple(bad if layer.name == name else layer for layer in whole.layers)
    start = dataclasses.replace(whole, layers=layers)
    following = whole.layers[[layer.name for layer in whole.layers].index(name) + 1].name
    most = profile_module(good, 1, 1, batch_norm=True).params
    given = (
        ("fits", "every layer takes what it is given"),
        ("change", f"{name} alone: all other layers keep the weights that they were trained with"),
        ("cost", f"{name} has at most {most:,} parameters"),
    )

    def judge_design(design: Design) -> tuple[Condition, ...]:
        assert isinstance(design, GoogLeNetConfig)
        found = _layer_of(design, name)
        problems = design.problems()
        fits = _gap(problems[0]) if problems else "Every layer takes what it is given."
        conditions = [Condition("fits", not problems, fits), _only(design, whole, (name,))]
        if isinstance(found, InceptionConfig):
            params = profile_module(found, 1, 1, batch_norm=True).params
            over = f"{params - most:,} too many" if params > most else f"{most - params:,} to spare"
            conditions.append(Condition("cost", params <= most, f"{name} has {params:,} parameters: {over}."))
        return tuple(conditions)

    return Challenge(
        "repair", "Repair this network",
        f"Somebody has changed {name}, and now the network does not fit together. Repair it without touching any other "
        "layer.",
        "network", start, given,
        f"{following} still takes {good.out_channels:,} channels. Who gives them?",
        whole,
        "The channels out of a module are the sum of its four branches: many splits give the same sum, at very "
        "different costs. The button that fixes channels adapts the layers that follow, which would throw away their "
        "weights.",
        judge_design,
    )  # fmt: skip


def _gap(problem: Problem) -> str:
    """By how many channels a layer and what reaches it differ."""
    given = problem.given or 0
    gap = f"{abs(given - problem.wanted):,} too {'many' if given > problem.wanted else 'few'}"
    return f"{problem.layer} takes {problem.wanted:,} channels and {given:,} reach it: {gap}."


def padding_mistake(draw: Random | None) -> Challenge:
    """A network whose maps are smaller than they were meant to be."""
    whole = preset("imagenet")
    meant, starts = _sides(whole), _mistaken()
    start = draw.choice(starts) if draw else starts[0]
    given = (
        *((name.removeprefix("inception"), f"gives {meant[name]} × {meant[name]} pixels") for name in STAGES),
        ("sizes", "every map as large as the paper's"),
        ("change", "paddings only"),
    )

    def judge_design(design: Design) -> tuple[Condition, ...]:
        assert isinstance(design, GoogLeNetConfig)
        found = _sides(design)
        # The stages first: the first layer of the wrong size is what is to be found.
        order = [*STAGES, *meant]
        wrong = next((name for name in order if found.get(name) != meant[name]), "")
        said = "Every map has the size that was meant."
        if wrong and wrong in found:
            gap = meant[wrong] - found[wrong]
            said = (
                f"{wrong} gives {found[wrong]} × {found[wrong]} pixels, {abs(gap)} too {'few' if gap > 0 else 'many'} "
                f"a side: {meant[wrong]} × {meant[wrong]} were meant."
            )
        elif wrong:
            said = f"The network does not come as far as {wrong}."
        return Condition("sizes", not wrong, said), _only(design, whole, (), paddings=True)

    return Challenge(
        "padding_mistake", "Find the padding mistake",
        "One padding in this network is not what it was meant to be, so its maps have other sizes from there on. Find "
        "it.",
        "network", start, given,
        "Follow the side of the map layer by layer. A window keeps the size at stride 1 with padding (kernel − 1) / 2.",
        whole,
        "Nothing fails: the network trains and answers, on smaller maps and with more of each window beside the map. "
        "Only the sizes tell.",
        judge_design,
    )  # fmt: skip


@functools.cache
def _mistaken() -> tuple[GoogLeNetConfig, ...]:
    """The paper's network with one padding too small, for every one that a stage's map shows."""
    whole = preset("imagenet")
    meant = _sides(whole)
    padded = [layer for layer in whole.layers if isinstance(layer, ConvConfig | PoolConfig) and layer.padding]
    mistaken = [dataclasses.replace(layer, padding=less) for layer in padded for less in range(layer.padding)]
    starts = [dataclasses.replace(whole, layers=_with(whole, layer)) for layer in mistaken]
    return tuple(start for start in starts if any(_sides(start)[stage] != meant[stage] for stage in STAGES))


def _with(network: GoogLeNetConfig, changed: Layer) -> tuple[Layer, ...]:
    return tuple(changed if layer.name == changed.name else layer for layer in network.layers)


def _layer_of(network: GoogLeNetConfig, name: str) -> Layer | None:
    return next((layer for layer in network.layers if layer.name == name), None)


def _module_of(network: GoogLeNetConfig, name: str) -> InceptionConfig:
    layer = _layer_of(network, name)
    assert isinstance(layer, InceptionConfig), name
    return layer


def _sides(network: GoogLeNetConfig) -> dict[str, int]:
    """The height of every layer's map, up to the first layer that does not fit."""
    profile, _ = profile_partly(network)
    names = {layer.name for layer in network.layers}
    return {name: sums.out_shape[1] for name, sums in profile.by_layer().items() if name in names}


def _only(
    design: GoogLeNetConfig, whole: GoogLeNetConfig, free: tuple[str, ...], *, paddings: bool = False
) -> Condition:
    """That a design is `whole` but for the layers in `free`, or for its paddings."""

    def kept(layer: Layer) -> Layer:
        padded = paddings and isinstance(layer, ConvConfig | PoolConfig)
        return dataclasses.replace(layer, padding=0) if padded else layer

    ours, theirs = ({layer.name: kept(layer) for layer in network.layers} for network in (design, whole))
    if list(ours) != list(theirs):
        return Condition("change", False, "It has not the same layers: begin with the network of this challenge.")
    changed = [name for name in ours if name not in free and ours[name] != theirs[name]]
    settings = [
        field.name for field in dataclasses.fields(GoogLeNetConfig)
        if field.name not in ("layers", "name") and getattr(design, field.name) != getattr(whole, field.name)
    ]  # fmt: skip
    if not changed and not settings:
        return Condition("change", True, f"Nothing but {'paddings' if paddings else free[0]} was changed.")
    what = changed[0] if changed else settings[0].replace("_", " ")
    others = len(changed) + len(settings) - 1
    more = f" and {others} other{'s' if others > 1 else ''}" if others else ""
    return Condition("change", False, f"{what}{more} changed as well: put {'them' if others else 'it'} back.")


CHALLENGES: dict[str, Callable[[Random | None], Challenge]] = {
    maker.__name__: maker for maker in (budget, repair, padding_mistake)
}


def challenge_of(key: str, draw: Random | None = None) -> Challenge:
    """The challenge of that key; `LabError` for one that is not there."""
    if key not in CHALLENGES:
        raise LabError(f"There is no challenge {str(key)[:40]!r}: choose one of {', '.join(CHALLENGES)}.", "challenge")
    return CHALLENGES[key](draw)
