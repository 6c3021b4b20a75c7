"""The few held-out images whose answers a run keeps: chosen once, answered from the validation's own logits."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor

from googlenet.runs import Run
from googlenet.runs.samples import MOST, Samples, read_samples, write_samples

if TYPE_CHECKING:
    from googlenet.data.datasets import ImageSet
    from googlenet.training.engine import Trainer

AMONG = 500  # the first images held out, which one batch of the validation has
SIDE = 64  # pixels: larger images are shown smaller


def sample_answers(trainer: Trainer, run: Run, images: ImageSet) -> SampleAnswers | None:
    """Those of the first rank's share of the images that `trainer` holds out; None for other ranks, and without any."""
    held_out, team = trainer.batches.validation, trainer.team
    if held_out is None or not team.leads or not team.weight(0, len(held_out[1])):
        return None
    _, end = team.share(0, len(held_out[1]))
    return SampleAnswers(run, held_out[0][:end], held_out[1][:end], images.classes)


class SampleAnswers:
    """Of `images` (N, C, H, W) uint8 and their `labels`, held out of the training of `run`."""

    def __init__(self, run: Run, images: Tensor, labels: Tensor, classes: tuple[str, ...]) -> None:
        self.run = run
        self.chosen = choose(labels[:AMONG].tolist())
        self._places = torch.tensor(self.chosen, dtype=torch.long, device=labels.device)
        self._begun = False
        self._answers: tuple[Tensor, Tensor] | None = None  # shares and classes, on the device
        self._samples = Samples(
            classes,
            tuple(labels[self._places].tolist()),
            tuple(_png(image) for image in images[self._places].cpu()),
        )

    def hear(self, logits: Tensor) -> None:
        """Take the answers from the logits (n, classes) of the first images held out; waits for no device."""
        shares, classes = logits[self._places].softmax(1).max(1)
        self._answers = shares, classes

    def write(self, epoch: int) -> None:
        """Add what was heard after `epoch`, the images before the first."""
        if self._answers is not None:
            self._begin()
            shares, classes = (part.tolist() for part in self._answers)
            self.run.answers_history().append(epoch, list(zip(classes, shares, strict=True)))
            self._answers = None

    def _begin(self) -> None:
        """Write the images down, unless they are; answers to others, of a resume on other data, are dropped."""
        if not self._begun and read_samples(self.run.path) != self._samples:
            self.run.answers_history().rewind(lambda row: False)
            write_samples(self.run.path, self._samples)
        self._begun = True


def choose(labels: Sequence[int], count: int = MOST) -> list[int]:
    """Places of `count` labels: the first of each class, then the second of each, and so on, in their order."""
    seen: dict[int, int] = {}
    turns = []
    for place, label in enumerate(labels):
        seen[label] = seen.get(label, 0) + 1
        turns.append((seen[label], place))
    return sorted(place for _, place in sorted(turns)[:count])


def _png(image: Tensor) -> bytes:
    """(C, H, W) uint8 → a PNG file, of one colour or three."""
    picture = (
        Image.fromarray(image[:3].permute(1, 2, 0).numpy()) if len(image) >= 3 else Image.fromarray(image[0].numpy())
    )
    picture.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
