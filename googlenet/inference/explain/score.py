"""What is explained: how much a network holds a picture to be of one class, or of one class rather than another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.inside.ledger import class_number
from googlenet.language import tr

BATCH = 32  # a second or two on a CPU: between two of them a cancel is heard
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Target:
    """The class number `label`, or its difference to the class number `against`, among `classes`."""

    label: int
    against: int | None
    classes: tuple[str, ...]

    @classmethod
    def of(cls, classifier: Classifier, label: str | int, against: str | int | None = None) -> Target:
        """The classes by their names; `LabError` for one that the network does not know, or twice the same."""
        one, other = class_number(classifier, label), None if against is None else class_number(classifier, against)
        if one == other:
            name = classifier.info.classes[one]
            raise LabError(tr("{name} cannot be compared with itself: choose another class.", name=name), "against")
        return cls(one, other, classifier.info.classes)

    @property
    def name(self) -> str:
        """The class's."""
        return self.classes[self.label]

    @property
    def against_name(self) -> str | None:
        """The other class's, None without one."""
        return None if self.against is None else self.classes[self.against]

    def score(self, logits: Tensor) -> Tensor:
        """(N, classes) logits, already divided by the temperature, → (N,): the logarithm of the class's probability, or
        of its ratio to the other's."""
        if self.against is None:
            return F.log_softmax(logits.float(), -1)[:, self.label]
        return (logits[:, self.label] - logits[:, self.against]).float()

    def share(self, logits: Tensor) -> Tensor:
        """(N, classes) → (N,) from 0 to 1: the class's probability, among the two where there is another."""
        if self.against is None:
            return logits.float().softmax(-1)[:, self.label]
        return torch.sigmoid(self.score(logits))


def judged(
    classifier: Classifier,
    pictures: Tensor,
    progress: Progress | None = None,
    doing: str = "",
    span: tuple[float, float] = (0, 1),
) -> Tensor:
    """Logits over the temperature, float32 (N, classes) on the CPU, of `pictures` uint8 (N, 3, H, W), quickly.

    `progress` hears how far `doing` is, from `span[0]` to `span[1]` of the whole; what it raises ends the work.
    """
    found = []
    for number, batch in enumerate(pictures.split(BATCH)):
        if progress:
            progress(span[0] + (span[1] - span[0]) * number * BATCH / len(pictures), doing)
        found.append(classifier.fast_logits(batch).float().cpu() / classifier.temperature)
    logits = torch.cat(found)
    if logits.isnan().any():
        classifier.shares(logits[0])  # says so
    return logits
