"""What each branch of each module did for the answer: the logit's change when its output is replaced by its mean.

A branch whose map is the mean of what it gives over the data says nothing of this picture: what the logit then loses,
the branch had carried. All in one pass: the picture goes through the network once, and from each module on four more
go with it, one for each branch replaced, so that the modules before are computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from googlenet.config import InceptionConfig
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.inside.fields import branch_steps, geometry
from googlenet.inference.inside.ledger import class_number
from googlenet.inference.inside.trace import bands
from googlenet.language import mark, tr
from googlenet.models.profile import BRANCHES, profile_network

LEAST = 0.05  # of a logit: less is nothing to name a branch for
# Which branch carried the answer, by whether that is a lead, and by whether the branch sees all of the picture.
_CARRIED = {
    (False, False): mark(
        "The {branch} branch of {module}, which sees {sees} × {sees} pixels, carried {target} most: without it the "
        "logit falls by {fall:.1f}."
    ),
    (False, True): mark(
        "The {branch} branch of {module}, which sees windows of {sees} × {sees} pixels, up to the whole picture, "
        "carried {target} most: without it the logit falls by {fall:.1f}."
    ),
    (True, False): mark(
        "The {branch} branch of {module}, which sees {sees} × {sees} pixels, carried {target} against {against} most: "
        "without it {target}'s lead over {against} falls by {fall:.1f}."
    ),
    (True, True): mark(
        "The {branch} branch of {module}, which sees windows of {sees} × {sees} pixels, up to the whole picture, "
        "carried {target} against {against} most: without it {target}'s lead over {against} falls by {fall:.1f}."
    ),
}
_NOBODY = {
    False: mark(
        "No single branch carried {target}: the logit of {target} falls by less than {least:g} without any of them."
    ),
    True: mark(
        "No single branch carried {target}: {target}'s lead over {against} falls by less than {least:g} without any "
        "of them."
    ),
}


@dataclass(frozen=True)
class Effect:
    """What the logit becomes without what `branch` of `module` says of this picture: `change` is below 0 where the
    branch spoke for the class. One position of it sees a square of `sees` pixels a side of the picture."""

    module: str
    branch: str
    change: float
    sees: int


@dataclass(frozen=True)
class Effects:
    """The effects of all branches of all modules, in the order in which they run, on `logit`, of a class or, with
    `against`, on the difference of two. `side` is the picture's, in pixels."""

    target: str
    against: str | None
    logit: float
    side: int
    effects: tuple[Effect, ...]

    @property
    def strongest(self) -> Effect | None:
        """The branch that carried most; None where the logit falls by less than 0.05 without any of them."""
        least = min(self.effects, key=lambda effect: effect.change, default=None)
        return least if least and least.change < -LEAST else None

    @property
    def sentence(self) -> str:
        """Which branch at which scale carried the answer."""
        best, named = self.strongest, {"target": self.target, "against": self.against}
        if best is None:
            if not self.effects:
                return tr("This network has no Inception module, so no branch carried anything.")
            return tr(_NOBODY[bool(self.against)], **named, least=LEAST)
        text = _CARRIED[bool(self.against), best.sees >= self.side]
        return tr(text, branch=tr(best.branch), module=best.module, sees=best.sees, **named, fall=-best.change)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        effects = [asdict(effect) for effect in self.effects]
        return {"class": self.target, "against": self.against, "logit": self.logit, "effects": effects,
                "sentence": self.sentence}  # fmt: skip


@torch.inference_mode()
def branch_effects(
    classifier: Classifier,
    pixels: Tensor,
    target: str | int,
    means: Mapping[str, Tensor],
    against: str | int | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Effects:
    """Replace the output of every branch of every module by its mean over the data, one after another.

    `pixels` is the picture, uint8 (3, H, W); `means` has for every module float32 (channels,), as an index of
    `googlenet.inference.index` has them. `progress` hears the share done and the layer's name. Raises `LabError` for
    a class that the network does not know, for means that are not this network's, and where training diverged.
    """
    config, model = classifier.info.network, classifier.model
    one, other = class_number(classifier, target), None if against is None else class_number(classifier, against)
    if one == other:
        raise LabError(
            tr("{name} cannot be compared with itself: choose another class.", name=classifier.info.classes[one]),
            "against",
        )
    profile = profile_network(config, *pixels.shape[1:])
    asked: list[tuple[str, str]] = []
    x = classifier.prepared(pixels[None])
    for number, layer in enumerate(config.layers):
        if progress:
            progress(number / len(config.layers), layer.name)
        x = getattr(model, layer.name)(x)
        if isinstance(layer, InceptionConfig):
            x = _with_replaced(x, layer, _means_of(layer, means))
            asked += [(layer.name, branch) for branch in BRANCHES]
    logits = model.fc(model.dropout(model.avgpool(x).flatten(1))).double().cpu()
    classifier.shares(logits[0])  # says so where they are none
    answers = logits[:, one] - (0 if other is None else logits[:, other])
    changes = (answers[1:] - answers[0]).tolist()
    effects = []
    for (module, branch), change in zip(asked, changes, strict=True):
        end = branch_steps(profile, module)[branch][-1]
        effects.append(Effect(module, branch, change, geometry(profile, end.name).size))
    names = classifier.info.classes
    against_name = None if other is None else names[other]
    return Effects(names[one], against_name, answers[0].item(), min(pixels.shape[1:]), tuple(effects))


def _with_replaced(x: Tensor, module: InceptionConfig, means: Tensor) -> Tensor:
    """`x` (N, C, H, W), what the module gives, and four more: its first, with one branch after another replaced."""
    count = len(x)
    # Laid out by hand: a concatenation of copies would lose the order in memory that convolutions are fastest in.
    grown = torch.empty((count + 4, *x.shape[1:]), dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
    grown[:count], grown[count:] = x, x[0]
    for row, band in enumerate(bands(module).values(), count):
        grown[row, band] = means[band, None, None].to(x)
    return grown


def _means_of(layer: InceptionConfig, means: Mapping[str, Tensor]) -> Tensor:
    given = means.get(layer.name)
    if given is None or given.shape != (layer.out_channels,):
        raise LabError(
            tr(
                "The index has no means for the {n:,} channels of {layer}: make the index anew.",
                n=layer.out_channels,
                layer=layer.name,
            ),
            "checkpoint",
        )
    return given
