"""The end of the way: a class's logit taken apart exactly, and what every branch of every module did for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from markupsafe import Markup
from PIL import Image

from googlenet.config import DATA_SIZE
from googlenet.errors import LabError
from googlenet.runs import Checkpoint
from googlenet.ui.common.figures import BRANCH_CLASSES
from googlenet.ui.common.pictures import data_uri
from googlenet.ui.common.templates import render
from googlenet.ui.events.access import hide_paths

if TYPE_CHECKING:
    from googlenet.inference.classifier import Classifier
    from googlenet.inference.inside.effects import Effects
    from googlenet.inference.inside.trace import Trace

CHANNELS = 8  # told one by one


class Bar(NamedTuple):
    """A part of a sum: its name, its branch's CSS class, its value, and from where to where it is drawn, in percent."""

    name: str
    colour: str
    value: float
    left: float
    width: float


def ledger_html(
    checkpoint: Checkpoint, classifier: Classifier, traced: Trace, target: str, against: str | None
) -> Markup:
    """The ledger of `target`'s logit, or of its lead over `against`, and the effects of the branches.

    Raises `LabError` for a class that the network does not know.
    """
    from googlenet.inference.inside.ledger import ledger

    found = ledger(classifier, traced, target, against)
    strongest = found.strongest(CHANNELS)
    parts = [("bias", "", found.bias), *((name, BRANCH_CLASSES[name], v) for name, v in found.branches.items())]
    if not found.branches:
        parts.append((found.layer, "", found.values.sum().item()))
    rest = found.values.sum().item() - sum(entry.value for entry in strongest)
    channels = [(f"channel {entry.channel}", BRANCH_CLASSES.get(entry.branch, ""), entry.value) for entry in strongest]
    effects, problem = _effects(checkpoint, classifier, traced, target, against)
    return render(
        "classify/inside/ledger.html",
        ledger=found,
        bars=bars(parts),
        channels=bars([*channels, (f"the other {len(found.channels) - len(strongest):,}", "", rest)]),
        picture=data_uri(Image.fromarray(traced.pixels.permute(1, 2, 0).numpy())),
        places=data_uri(_tinted(found.places.numpy())),
        sizes=tuple(found.places.shape),
        effects=effects,
        modules=_by_module(effects) if effects else [],
        problem=problem,
    )


def bars(parts: list[tuple[str, str, float]]) -> list[Bar]:
    """Parts of a sum in one scale, around a common zero."""
    low, high = min(0.0, *(value for *_, value in parts)), max(0.0, *(value for *_, value in parts))
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
            needs = "What a branch of an earlier module carried needs its mean over the training images"
            side = checkpoint.info.network.input_size
            if side != DATA_SIZE:
                return None, f"{needs}, and the lab has none of {side} × {side} pixels."
            return None, (
                f"{needs}: compute the index below, or with python -m googlenet index {checkpoint.path.name}."
            )
        return branch_effects(classifier, traced.pixels, target, index.means, against), ""
    except LabError as error:
        return None, hide_paths(str(error))


def _by_module(effects: Effects) -> list[tuple[str, list[Bar]]]:
    """For each module a bar a branch, all in one scale; what a branch carried counts upwards."""
    every = bars([(effect.branch, BRANCH_CLASSES[effect.branch], -effect.change) for effect in effects.effects])
    names = list(dict.fromkeys(effect.module for effect in effects.effects))
    return [(name, every[4 * number : 4 * number + 4]) for number, name in enumerate(names)]


def _tinted(places: np.ndarray) -> Image.Image:
    """Each place's part: orange for the class, blue against it, the clearer the less it counts."""
    from googlenet.inference.explain.draw import AGAINST, FOR  # imports torch

    share = np.abs(places) / (np.abs(places).max() or 1)
    colour = np.where((places > 0)[..., None], FOR, AGAINST)
    return Image.fromarray(np.concatenate([colour, np.rint(215 * share)[..., None]], -1).astype(np.uint8), "RGBA")
