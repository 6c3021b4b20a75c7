"""Challenges: tasks whose answer is a design, judged by computing what the design gives and costs.

As with exercises, `draw` None has the paper's own numbers and a generator draws others. A design is right when every
condition holds, whichever way it was built; a condition that does not hold says by how much it is missed.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, Layer, PoolConfig
from googlenet.errors import LabError
from googlenet.language import mark, tr, trn
from googlenet.lessons.arithmetic import misfit
from googlenet.lessons.design import Design, ModuleDesign, read_design
from googlenet.lessons.module import drawn_module
from googlenet.lessons.repairs import STAGES, gap, layer_of, mistaken, module_of, sides, sides_differ
from googlenet.models.presets import preset
from googlenet.models.profile import profile_module

MODULES = ("inception3b", "inception4a", "inception4c", "inception4d", "inception5a")
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

    `of` says what the answer is: a module or a network. As in an exercise, the `title` is a key of the catalogue.
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
            return tr("Right: every condition holds.")
        return trn(
            "Not yet: {n} of {all} conditions does not hold.", "Not yet: {n} of {all} conditions do not hold.",
            missing, all=len(self.conditions),
        )  # fmt: skip


def judge(challenge: Challenge, text: str) -> Verdict:
    """Judge the design in `text`, an address or what `design_text` wrote; raises `LabError` for one that is none."""
    design = read_design(text)
    if isinstance(design, ModuleDesign) != (challenge.of == "module"):
        if challenge.of == "module":
            raise LabError(tr("This challenge is answered with a module, and that is another thing."), "design")
        raise LabError(tr("This challenge is answered with a network, and that is another thing."), "design")
    return Verdict(challenge.judge_design(design))


def _millions(number: float) -> str:
    return f"{number / 1e6:,.1f} M"


def _at_least(name: str, channels: int, least: int) -> Condition:
    if channels >= least:
        return Condition(name, True, tr("{channels:,} channels: enough.", channels=channels))
    said = tr("{channels:,} channels: {missing:,} too few.", channels=channels, missing=least - channels)
    return Condition(name, False, said)


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
    most = _millions(limit)
    given = (
        (tr("input"), f"{config.in_channels:,} × {side} × {side}"),
        (tr("channels out"), tr("at least {n:,}", n=least)),
        (tr("of these"), tr("at least {n:,} from the 3×3 and the 5×5 branch together", n=wide)),
        (tr("cost"), tr("fewer than {most} multiply-adds for an image", most=most)),
    )

    def judge_design(design: Design) -> tuple[Condition, ...]:
        assert isinstance(design, ModuleDesign)  # judge() has seen to it
        profile, problem = design.profile, misfit(design.profile)
        shape = (config.in_channels, side, side)
        same = profile.in_shape == shape
        widths = {branch: sums.out_shape[0] for branch, sums in profile.by_branch().items()}
        over, macs = profile.macs - limit, _millions(profile.macs)
        if over < 0:
            cost = tr("{macs} multiply-adds: {spare} to spare.", macs=macs, spare=_millions(-over))
        else:
            excess = f"{over + 1:,}" if over < 1e5 else _millions(over)
            cost = tr("{macs} multiply-adds: {excess} too many.", macs=macs, excess=excess)
        sizes = " × ".join(map(str, profile.in_shape))
        taken = tr("It takes {sizes}.", sizes=sizes)
        if not same:
            taken = tr("It takes {sizes}: set {wanted}.", sizes=sizes, wanted=given[0][1])
        return (
            Condition(tr("input"), same, taken),
            Condition(tr("fits"), not problem, problem or tr("The four branches fit together.")),
            _at_least(tr("channels out"), sum(widths.values()), least),
            _at_least(tr("3×3 and 5×5"), widths["3×3"] + widths["5×5"], wide),
            Condition(tr("cost"), over < 0, cost),
        )

    return Challenge(
        "budget", mark("A module within its means"),
        tr("Build an Inception module that gives at least {least:,} channels for fewer than {most} multiply-adds.",
           least=least, most=most),
        "module", ModuleDesign(config, side, side), given,
        tr("The builder's table says which step costs most. What does that step's cost grow with?"),
        ModuleDesign(lean, side, side),
        tr("A 3×3 pays 9 multiply-adds for every pair of a channel in and a channel out: whatever narrows what reaches "
           "it is saved nine times, at a 5×5 twenty-five times."),
        judge_design,
    )  # fmt: skip


# --- networks to repair -------------------------------------------------------------------------


def repair(draw: Random | None) -> Challenge:
    """A network in which one module gives other channels than the next one takes."""
    whole = preset("cifar10")
    name = draw.choice(MODULES) if draw else "inception4a"
    good = module_of(whole, name)
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
        (tr("fits"), tr("every layer takes what it is given")),
        (tr("change"), tr("{layer} alone: all other layers keep the weights that they were trained with", layer=name)),
        (tr("cost"), tr("{layer} has at most {most:,} parameters", layer=name, most=most)),
    )

    def judge_design(design: Design) -> tuple[Condition, ...]:
        assert isinstance(design, GoogLeNetConfig)
        found = layer_of(design, name)
        problems = design.problems()
        fits = gap(problems[0]) if problems else tr("Every layer takes what it is given.")
        conditions = [Condition(tr("fits"), not problems, fits), _only(design, whole, (name,))]
        if isinstance(found, InceptionConfig):
            params = profile_module(found, 1, 1, batch_norm=True).params
            numbers = {"layer": name, "params": params, "n": abs(most - params)}
            if params > most:
                said = tr("{layer} has {params:,} parameters: {n:,} too many.", **numbers)
            else:
                said = tr("{layer} has {params:,} parameters: {n:,} to spare.", **numbers)
            conditions.append(Condition(tr("cost"), params <= most, said))
        return tuple(conditions)

    return Challenge(
        "repair", mark("Repair this network"),
        tr("Somebody has changed {layer}, and now the network does not fit together. Repair it without touching any "
           "other layer.", layer=name),
        "network", start, given,
        tr("{layer} still takes {n:,} channels. Who gives them?", layer=following, n=good.out_channels),
        whole,
        tr("The channels out of a module are the sum of its four branches: many splits give the same sum, at very "
           "different costs. The button that fixes channels adapts the layers that follow, which would throw away "
           "their weights."),
        judge_design,
    )  # fmt: skip


def padding_mistake(draw: Random | None) -> Challenge:
    """A network whose maps are smaller than they were meant to be."""
    whole = preset("imagenet")
    meant, starts = sides(whole), mistaken()
    start = draw.choice(starts) if draw else starts[0]
    given = (
        *((name.removeprefix("inception"), tr("gives {side} × {side} pixels", side=meant[name])) for name in STAGES),
        (tr("sizes"), tr("every map as large as the paper's")),
        (tr("change"), tr("paddings only")),
    )

    def judge_design(design: Design) -> tuple[Condition, ...]:
        assert isinstance(design, GoogLeNetConfig)
        found = sides(design)
        # The stages first: the first layer of the wrong size is what is to be found.
        order = [*STAGES, *meant]
        wrong = next((name for name in order if found.get(name) != meant[name]), "")
        said = tr("Every map has the size that was meant.")
        if wrong and wrong in found:
            said = sides_differ(wrong, found[wrong], meant[wrong])
        elif wrong:
            said = tr("The network does not come as far as {layer}.", layer=wrong)
        return Condition(tr("sizes"), not wrong, said), _only(design, whole, (), paddings=True)

    return Challenge(
        "padding_mistake", mark("Find the padding mistake"),
        tr("One padding in this network is not what it was meant to be, so its maps have other sizes from there on. "
           "Find it."),
        "network", start, given,
        tr("Follow the side of the map layer by layer. A window keeps the size at stride 1 with padding (kernel − 1) / "
           "2."),
        whole,
        tr("Nothing fails: the network trains and answers, on smaller maps and with more of each window beside the "
           "map. Only the sizes tell."),
        judge_design,
    )  # fmt: skip


def _only(
    design: GoogLeNetConfig, whole: GoogLeNetConfig, free: tuple[str, ...], *, paddings: bool = False
) -> Condition:
    """That a design is `whole` but for the layers in `free`, or for its paddings."""

    def kept(layer: Layer) -> Layer:
        padded = paddings and isinstance(layer, ConvConfig | PoolConfig)
        return dataclasses.replace(layer, padding=0) if padded else layer

    ours, theirs = ({layer.name: kept(layer) for layer in network.layers} for network in (design, whole))
    if list(ours) != list(theirs):
        said = tr("It has not the same layers: begin with the network of this challenge.")
        return Condition(tr("change"), False, said)
    changed = [name for name in ours if name not in free and ours[name] != theirs[name]]
    settings = [
        field.name for field in dataclasses.fields(GoogLeNetConfig)
        if field.name not in ("layers", "name") and getattr(design, field.name) != getattr(whole, field.name)
    ]  # fmt: skip
    if not changed and not settings:
        said = tr("Nothing but paddings was changed.")
        if not paddings:
            said = tr("Nothing but {layer} was changed.", layer=free[0])
        return Condition(tr("change"), True, said)
    what = changed[0] if changed else tr(_SETTINGS.get(settings[0], settings[0]))
    others = len(changed) + len(settings) - 1
    if others:
        said = trn(
            "{what} and {n} other changed as well: put them back.",
            "{what} and {n} others changed as well: put them back.", others, what=what,
        )  # fmt: skip
    else:
        said = tr("{what} changed as well: put it back.", what=what)
    return Condition(tr("change"), False, said)


# What people read for a network's settings.
_SETTINGS = {
    "num_classes": mark("num classes"),
    "input_size": mark("input size"),
    "batch_norm": mark("batch norm"),
    "average_pool": mark("average pool"),
    "dropout": mark("dropout"),
    "aux": mark("aux"),
    "aux_weight": mark("aux weight"),
    "in_channels": mark("in channels"),
}


CHALLENGES: dict[str, Callable[[Random | None], Challenge]] = {
    maker.__name__: maker for maker in (budget, repair, padding_mistake)
}


def challenge_of(key: str, draw: Random | None = None) -> Challenge:
    """The challenge of that key; `LabError` for one that is not there."""
    if key not in CHALLENGES:
        known = ", ".join(CHALLENGES)
        raise LabError(tr("There is no challenge {key!r}: choose one of {known}.", key=str(key)[:40], known=known),
                       "challenge")  # fmt: skip
    return CHALLENGES[key](draw)
