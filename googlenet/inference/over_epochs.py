"""One picture through every checkpoint of a run: how its answer came about while the network learned."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from googlenet.data.images import Source, read_image
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.language import tr
from googlenet.runs import Checkpoint, Run

MOST = 120  # checkpoints that are asked, each of which is read from disk: some half a minute


@dataclass(frozen=True)
class AtEpoch:
    """What one checkpoint says. `names` are all its files in the run, such as ("epoch-0009", "best").

    `epoch` is the one after which it was kept, from 0, None where its file does not say. `probabilities` of every
    class come likeliest first; they are empty where the checkpoint gives no answer, and `error` says why.
    """

    names: tuple[str, ...]
    epoch: int | None
    probabilities: dict[str, float]
    error: str = ""

    @property
    def top(self) -> tuple[str, float] | None:
        """The likeliest class and its probability."""
        return next(iter(self.probabilities.items()), None)


@dataclass(frozen=True)
class OverEpochs:
    """The answers of the checkpoints of `run`, by epoch; those whose file does not say one come last.

    `left_out` is how many were not asked, since there are too many.
    """

    run: str
    answers: tuple[AtEpoch, ...]
    left_out: int = 0

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that these checkpoints know."""
        return tuple(dict.fromkeys(sorted(name for answer in self.answers for name in answer.probabilities)))

    @property
    def last(self) -> AtEpoch | None:
        """The last one that gives an answer."""
        return next((answer for answer in reversed(self.answers) if answer.probabilities), None)

    def curve(self, label: str) -> list[tuple[int, float]]:
        """The probability of the class `label` after each epoch that was kept."""
        return [
            (a.epoch, a.probabilities[label]) for a in self.answers if a.epoch is not None and label in a.probabilities
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return dataclasses.asdict(self)


def over_epochs(
    checkpoints: Path | str, run: str, image: Source, progress: Callable[[float, str], None] | None = None
) -> OverEpochs:
    """Classify `image`, which is what `read_image` takes, with each checkpoint of the run under `checkpoints`.

    A file with the weights of another, such as best, shares its row. Of more than 120 checkpoints the answers of 120
    are told, evenly apart, the last included. `progress` hears the share done. Raises `LabError` for a picture that
    cannot be read and for a run without checkpoints; a checkpoint that cannot answer has its row and its sentence.
    """
    picture = read_image(image)
    found, wrong = Run(checkpoints, run).checkpoints()
    found.sort(key=lambda item: (item.epoch is None, item.epoch or 0))  # stable: best and last stay behind
    asked = found if len(found) <= MOST else [found[round(k * (len(found) - 1) / (MOST - 1))] for k in range(MOST)]
    rows: list[AtEpoch] = []
    given: list[Tensor | None] = []
    for number, checkpoint in enumerate(asked):
        if progress:
            at = {"name": checkpoint.path.stem, "n": number + 1, "total": len(asked)}
            progress(number / len(asked), tr("Asking {name}, {n:,} of {total:,}", **at))
        row, logits = _ask(checkpoint, picture)
        same = next((k for k, known in enumerate(given) if _alike(rows[k], known, row, logits)), None)
        if same is None:
            rows.append(row)
            given.append(logits)
        else:
            rows[same] = dataclasses.replace(rows[same], names=rows[same].names + row.names)
    rows += [AtEpoch((name.rpartition("/")[2],), None, {}, sentence) for name, sentence in wrong.items()]
    return OverEpochs(run, tuple(rows), len(found) - len(asked))


def _ask(checkpoint: Checkpoint, picture: Any) -> tuple[AtEpoch, Tensor | None]:
    name = checkpoint.path.stem
    try:
        answer = Classifier(checkpoint.path).answer(picture)
    except LabError as error:
        return AtEpoch((name,), checkpoint.epoch, {}, str(error)), None
    return AtEpoch((name,), checkpoint.epoch, answer.probabilities), answer.logits


def _alike(known: AtEpoch, known_logits: Tensor | None, row: AtEpoch, logits: Tensor | None) -> bool:
    """Whether two files hold the same weights: of one epoch, and with the same answer to the last bit."""
    if known_logits is None or logits is None or known.epoch != row.epoch:
        return False
    return known_logits.shape == logits.shape and torch.equal(known_logits, logits)
