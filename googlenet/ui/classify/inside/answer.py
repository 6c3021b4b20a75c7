"""The end of the way: a class's logit taken apart exactly, and what every branch of every module did for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from markupsafe import Markup
from PIL import Image

from googlenet.config import DATA_SIZE
from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.runs import Checkpoint
from googlenet.ui.classify.inside.shown import adding_up, decimals, file_in_command
from googlenet.ui.common.figures import BRANCH_CLASSES
from googlenet.ui.common.pictures import data_uri
from googlenet.ui.common.templates import render
from googlenet.ui.events.access import hide_paths

if TYPE_CHECKING:
    from googlenet.inference.classifier import Classifier
    from googlenet.inference.inside.effects import Effects
    from googlenet.inference.inside.ledger import Ledger
    from googlenet.inference.inside.trace import Trace

CHANNELS = 8  # told one by one
NO_IMAGES = mark(
    "What a branch of an earlier module carried needs its mean over the training images, and the lab has none of "
    "{side} × {side} pixels."
)
NO_INDEX = mark(
    "What a branch of an earlier module carried needs its mean over the training images: compute the index below, or "
    "with python -m googlenet index {file}."
)


class Bar(NamedTuple):
    """A part of a sum: its name, its branch's CSS class, its value, and from where to where it is drawn, in percent.

    `see` and `channel` are what an address of See inside asks for to show where it arises, "" for nothing to show.
    """

    name: str
    colour: str
    value: float
    left: float
    width: float
    see: str = ""
    channel: str = ""


class Places(NamedTuple):
    """What one branch, or all together, adds at every place, as a picture in the scale of all; and in sum.

    `alt` says in words what the picture shows.
    """

    name: str
    alt: str
    colour: str
    value: float
    image: str


def ledger_html(
    checkpoint: Checkpoint, classifier: Classifier, traced: Trace, target: str, against: str | None
) -> Markup:
    """The ledger of `target`'s logit, or of its lead over `against`, and the effects of the branches.

    Raises `LabError` for a class that the network does not know.
    """
    from googlenet.inference.inside.ledger import ledger

    found = ledger(classifier, traced, target, against)
    parts = [("bias", "", found.bias), *((name, BRANCH_CLASSES[name], v) for name, v in found.branches.items())]
    if not found.branches:
        parts.append((found.layer, "", found.values.sum().item()))
    digits = decimals([value for *_, value in parts])
    exact = adding_up([value for *_, value in parts], found.logit, digits)
    effects, problem = _effects(checkpoint, classifier, traced, target, against)
    return render(
        "classify/inside/ledger.html",
        ledger=found,
        mean=traced.config.average_pool,
        digits=digits,
        bars=bars([(_part_name(name), colour, value) for (name, colour, _), value in zip(parts, exact, strict=True)]),
        logit=round(found.logit, digits),
        channels=_channels(found, traced, digits),
        picture=data_uri(Image.fromarray(traced.pixels.permute(1, 2, 0).numpy())),
        places=_places(found, {name: value for (name, *_), value in zip(parts, exact, strict=True)}),
        sizes=tuple(found.places.shape),
        effects=effects,
        modules=_by_module(effects) if effects else [],
        strongest=effects.strongest if effects else None,
        strongest_branch=tr(effects.strongest.branch) if effects and effects.strongest else "",
        problem=problem,
    )


def _channels(found: Ledger, traced: Trace, digits: int) -> list[Bar]:
    """The channels that count most, each with the way to its map, and what the others come to."""
    from googlenet.inference.inside.sums import origin

    strongest = found.strongest(CHANNELS)
    values = [entry.value for entry in strongest]
    total = found.values.sum().item()
    names = [tr("channel {channel}", channel=entry.channel) for entry in strongest]
    parts = [(name, BRANCH_CLASSES.get(entry.branch, "")) for name, entry in zip(names, strongest, strict=True)]
    parts.append((tr("the other {n:,}", n=len(found.channels) - len(strongest)), ""))
    shown = adding_up([*values, total - sum(values)], total, digits)
    drawn = bars([(*part, value) for part, value in zip(parts, shown, strict=True)])
    ways = [("-".join(map(str, origin(traced, found.module or found.layer, entry.channel)))) for entry in strongest]
    see = found.module or found.layer
    return [*(bar._replace(see=see, channel=way) for bar, way in zip(drawn, ways, strict=False)), drawn[-1]]


def _places(found: Ledger, shown: dict[str, float]) -> list[Places]:
    """Of all branches together, then of each: a place's part in one scale, so that they can be compared.

    `shown` has the values of the branches, and of the bias, as they stand in the sum.
    """
    shown = {**shown, "all": sum(shown.values()) - shown["bias"]}
    every = {"all": found.places, **found.branch_places}
    top = max(float(places.abs().max()) for places in every.values()) or 1.0
    return [
        Places(_part_name(name), _in_words(name), BRANCH_CLASSES.get(name, ""), shown[name],
               data_uri(_tinted(places.numpy(), top)))
        for name, places in every.items()
    ]  # fmt: skip


def _in_words(name: str) -> str:
    if name == "all":
        return tr("What each place adds by all branches: orange for it, blue against it")
    branch = tr(name)
    return tr("What each place adds by the {branch} branch: orange for it, blue against it", branch=branch)


def _part_name(name: str) -> str:
    """What the page calls a part of the sum: a branch, the bias, all together, or the layer itself."""
    return {"bias": tr("bias"), "all": tr("all")}.get(name) or tr(name)


def bars(parts: list[tuple[str, str, float]]) -> list[Bar]:
    """Parts of a sum in one scale, around a common zero."""
    values = [0.0, *(value for *_, value in parts)]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return [
        Bar(name, colour, value, 100 * (min(0.0, value) - low) / span, 100 * abs(value) / span)
        for name, colour, value in parts
    ]


def _effects(
    checkpoint: Checkpoint, classifier: Classifier, traced: Trace, target: str, against: str | None
) -> tuple[Effects | None, str]:
    """What each branch did, or in a sentence why that cannot be said."""
    from googlenet.inference.index import load_index
    from googlenet.inference.inside.effects import branch_effects

    try:
        index = load_index(checkpoint.path)
        if index is None:
            side = checkpoint.info.network.input_size
            if side != DATA_SIZE:
                return None, tr(NO_IMAGES, side=side)
            return None, tr(NO_INDEX, file=file_in_command(checkpoint))
        return branch_effects(classifier, traced.pixels, target, index.means, against), ""
    except LabError as error:
        return None, hide_paths(str(error))


def _by_module(effects: Effects) -> list[tuple[str, list[Bar]]]:
    """For each module a bar a branch, all in one scale; what a branch carried counts upwards."""
    named = [(tr(effect.branch), BRANCH_CLASSES[effect.branch], -effect.change) for effect in effects.effects]
    every = bars(named)
    names = list(dict.fromkeys(effect.module for effect in effects.effects))
    return [(name, every[4 * number : 4 * number + 4]) for number, name in enumerate(names)]


def _tinted(places: np.ndarray, top: float) -> Image.Image:
    """Each place's part: orange for the class, blue against it, the clearer the less it counts beside `top`."""
    from googlenet.inference.explain.draw import AGAINST, FOR  # imports torch

    share = (np.abs(places) / top) ** 0.7  # weak ones are seen, too
    colour = np.where((places > 0)[..., None], FOR, AGAINST)
    return Image.fromarray(np.concatenate([colour, np.rint(215 * share)[..., None]], -1).astype(np.uint8), "RGBA")
