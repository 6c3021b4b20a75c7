"""The exact ledger of an answer: which branch, which channel and which place gave how much of a logit.

After the last module come only a mean and a linear layer, so a logit is bias + Σ over channels of mean · weight, and a
mean is a sum over places: every number of the last map has its share, and the shares add up to the logit. Without an
average pool each place has weights of its own, and the sum is as exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.inside.fields import module_behind, reads
from googlenet.inference.inside.trace import Trace, bands, inception
from googlenet.language import tr

TOP = 12


class Entry(NamedTuple):
    """What one channel of the last map adds to the logit; `branch` gave it, "" where no module did."""

    channel: int
    branch: str
    value: float


@dataclass(frozen=True, eq=False)
class Ledger:
    """A logit, or the difference of two, taken apart: `bias` + all of `values` is `logit`, within rounding.

    `values` are float64 (C, H, W): what each number of the map `layer` adds. The channels come from the branches of
    `module`, "" where the last layer that mixes channels is no Inception module: then no branch can be named, and
    `note` says so. Logits are those before the temperature. `against` is None for a single class.
    """

    target: str
    against: str | None
    layer: str
    module: str
    logit: float
    bias: float
    values: Tensor
    bands: dict[str, slice]
    note: str

    @property
    def channels(self) -> Tensor:
        """float64 (C,): what each channel adds."""
        return self.values.sum((1, 2))

    @property
    def places(self) -> Tensor:
        """float64 (H, W): what each place adds."""
        return self.values.sum(0)

    @property
    def branches(self) -> dict[str, float]:
        """What each branch (1×1, 3×3, 5×5, pool) of the last module adds; empty without one."""
        return {branch: self.values[band].sum().item() for branch, band in self.bands.items()}

    @property
    def branch_places(self) -> dict[str, Tensor]:
        """float64 (H, W) for each branch: what it adds at each place."""
        return {branch: self.values[band].sum(0) for branch, band in self.bands.items()}

    def strongest(self, top: int = TOP) -> list[Entry]:
        """The `top` channels that add or take most, by size."""
        channels = self.channels
        order = channels.abs().argsort(descending=True)[:top].tolist()
        return [Entry(channel, self.branch_of(channel), channels[channel].item()) for channel in order]

    def branch_of(self, channel: int) -> str:
        """The branch that gave a channel of the last map, "" where none did."""
        return next((branch for branch, band in self.bands.items() if band.start <= channel < band.stop), "")

    def to_dict(self, top: int = TOP) -> dict[str, Any]:
        """Plain JSON types; the `top` channels one by one, and what the others come to."""
        strongest = self.strongest(top)
        return {
            "class": self.target,
            "against": self.against,
            "layer": self.layer,
            "module": self.module or None,
            "logit": self.logit,
            "bias": self.bias,
            "branches": self.branches,
            "channels": [entry._asdict() for entry in strongest],
            "other_channels": self.values.sum().item() - sum(entry.value for entry in strongest),
            "places": self.places.tolist(),
            "branch_places": {branch: places.tolist() for branch, places in self.branch_places.items()},
            "note": self.note,
        }


@torch.inference_mode()
def ledger(classifier: Classifier, traced: Trace, target: str | int, against: str | int | None = None) -> Ledger:
    """`traced`'s logit of the class `target`, less that of `against` where one is given, taken apart.

    A class is its name or its number. Raises `LabError` for one that the network does not know.
    """
    rows, of_pool = traced.profile, traced.config.average_pool
    layer = reads(rows, "avgpool" if of_pool else "fc").removesuffix(".concat")
    behind = module_behind(rows, "avgpool" if of_pool else "fc")
    module = inception(traced.config, behind)
    given = traced.maps[layer].double()
    weights, bias, logit = read_out(classifier, traced.logits, target, against)
    shares = weights.view(-1, 1, 1) / given[0].numel() if of_pool else weights.view_as(given)
    note = ""
    if module is None:
        note = tr(
            "{layer} is no Inception module: its channels belong to no branch, so the split is by channel and place.",
            layer=layer,
        )
    elif layer != behind:
        note = tr("The places are those of {layer}, which keeps {module}'s channels apart.", layer=layer, module=behind)
    names = classifier.info.classes
    numbers = class_number(classifier, target), None if against is None else class_number(classifier, against)
    return Ledger(
        target=names[numbers[0]],
        against=None if numbers[1] is None else names[numbers[1]],
        layer=layer,
        module=behind,
        logit=logit,
        bias=bias,
        values=given * shares,
        bands=bands(module) if module else {},
        note=note,
    )


def read_out(
    classifier: Classifier, logits: Tensor, target: str | int, against: str | int | None
) -> tuple[Tensor, float, float]:
    """The last linear layer's weights (features,), float64 on the CPU, and bias for this class or difference; and its
    logit among `logits` (classes,)."""
    weight, bias = (part.double().cpu() for part in (classifier.model.fc.weight, classifier.model.fc.bias))
    one = class_number(classifier, target)
    if against is None:
        return weight[one], bias[one].item(), logits[one].item()
    other = class_number(classifier, against)
    if other == one:
        name = classifier.info.classes[one]
        raise LabError(tr("{name} cannot be compared with itself: choose another class.", name=name), "against")
    return weight[one] - weight[other], (bias[one] - bias[other]).item(), (logits[one] - logits[other]).item()


def class_number(classifier: Classifier, name: str | int) -> int:
    """The place of the class `name`, or number, among the logits; `LabError` where the network does not know it."""
    names = classifier.info.classes
    if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < len(names):
        return name
    if name in names:
        return names.index(str(name))
    known = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    sentence = tr("This network knows no class {name!r}: choose one of {known}.", name=str(name)[:40], known=known)
    raise LabError(sentence, "class")
