"""Which checkpoint of a run is the best, judged on images that trained nothing."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.nn import functional as F

from googlenet.data.datasets import Progress
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import check_classes, evaluate_split
from googlenet.inference.selection.judges import Judges, are_other_images, load_judges
from googlenet.inference.selection.store import JudgementStore
from googlenet.models.device import pick_device
from googlenet.recipes import TrainConfig
from googlenet.runs import Checkpoint, Run


@dataclass(frozen=True)
class Judged:
    """One checkpoint on the images that choose. `names` are all its files, such as ("run/epoch-0009", "run/best")."""

    names: tuple[str, ...]
    digest: str
    epoch: int | None
    train_accuracy: float | None  # as the trainer measured it, on augmented images, while it learned
    validation_accuracy: float
    interval: tuple[float, float]  # of the accuracy: Wilson, 95%
    validation_loss: float
    loss_error: float  # standard error of that mean
    calibration_error: float  # before any temperature
    recorded_accuracy: float | None  # what the trainer wrote down for validation

    @property
    def name(self) -> str:
        """The file to call it by."""
        return self.names[0]


@dataclass(frozen=True)
class RunJudgement:
    """All checkpoints of a run, by epoch. `refused` says of files that could not be judged why not.

    `proposed` names the most accurate one, of equals that with the lowest loss. `overfits_from` is the epoch of the
    lowest loss when the last checkpoint's is higher by more than two standard errors although its training accuracy
    has grown; else None. `warning` is a sentence when these seem not to be the images that the training held out.
    """

    run: str
    data: str
    n: int
    held_out: bool
    judged_on: str
    reported_on: str
    rows: tuple[Judged, ...]
    refused: dict[str, str]
    proposed: str
    overfits_from: int | None
    warning: str

    @property
    def best(self) -> Judged:
        """The row of `proposed`."""
        return next(row for row in self.rows if row.name == self.proposed)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return dataclasses.asdict(self)


def judge_run(
    checkpoints: Path | str,
    run: str,
    *,
    data: str | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> RunJudgement:
    """Every checkpoint of `run` on the images that its training held out, the same weights once.

    A run that held none out is judged on one half of its test images. `data` says where its images are now, when
    not where they were. What was judged before is read from the run's validation.json. Raises `LabError` for a run that
    is not there, has no checkpoint or none that can be judged, or whose images have gone.
    """
    config = Run(checkpoints, run).config()
    known = _collect(checkpoints, run, config, data)
    if missing := known.missing:
        judges = load_judges(config, data, progress)
        pick_device(device)  # what is refused below is the file's fault
        known.store.about = _about(judges)
        for number, digest in enumerate(missing):
            first = known.files[digest][0]
            part = _part(progress, number, len(missing), first.name)
            figures, refusal = _try(first, judges, device, part)
            if not known.store.is_still(first.path, digest):
                continue  # a trainer has replaced best or last meanwhile
            if figures:
                known.store.figures[digest] = figures
            else:
                known.store.refused[digest] = refusal
            known.store.write()  # an end in the middle loses one checkpoint at most
    return _conclude(run, known)


def stored_judgement(checkpoints: Path | str, run: str, *, data: str | None = None) -> RunJudgement | None:
    """What `judge_run` would answer at once, or None when it would have to ask a checkpoint; errors as there."""
    known = _collect(checkpoints, run, Run(checkpoints, run).config(), data)
    return None if known.missing else _conclude(run, known)


@dataclass(frozen=True)
class _Known:
    """The run's checkpoints by the digest of their weights, what is known of them, and files that are none."""

    store: JudgementStore
    files: dict[str, list[Checkpoint]]
    wrong: dict[str, str]

    @property
    def missing(self) -> list[str]:
        """Digests not judged yet."""
        judged = {**self.store.figures, **self.store.refused}
        return [digest for digest in self.files if digest not in judged]


def _collect(checkpoints: Path | str, run: str, config: TrainConfig, data: str | None) -> _Known:
    found, wrong = Run(checkpoints, run).checkpoints()
    store = JudgementStore(Path(checkpoints) / run, config, data)
    files: dict[str, list[Checkpoint]] = {}
    for checkpoint in found:
        files.setdefault(store.digest(checkpoint.path), []).append(checkpoint)
    return _Known(store, files, wrong)


def _conclude(run: str, known: _Known) -> RunJudgement:
    figures, about = known.store.figures, known.store.about
    rows = [_row(digest, same, figures[digest]) for digest, same in known.files.items() if digest in figures]
    refused = dict(known.wrong)
    for digest, same in known.files.items():
        if digest in known.store.refused:
            refused |= {checkpoint.name: known.store.refused[digest] for checkpoint in same}
    if not rows:
        meanwhile = f"The checkpoints of {run} were replaced while they were judged: judge it again."
        raise LabError(next(iter(refused.values()), meanwhile), "run")
    rows.sort(key=lambda row: (row.epoch is None, row.epoch or 0, row.name))
    best = max(rows, key=lambda row: (row.validation_accuracy, -row.validation_loss))
    return RunJudgement(
        run=run,
        **about,
        rows=tuple(rows),
        refused=refused,
        proposed=best.name,
        overfits_from=overfits_from(rows),
        warning=_warning(rows, about),
    )


def overfits_from(rows: list[Judged]) -> int | None:
    """See `RunJudgement`; `rows` in the order of their epochs."""
    rows = [row for row in rows if row.epoch is not None]
    if not rows:
        return None
    lowest, last = min(rows, key=lambda row: row.validation_loss), rows[-1]
    rise = last.validation_loss - lowest.validation_loss
    grew = None in (last.train_accuracy, lowest.train_accuracy) or last.train_accuracy > lowest.train_accuracy
    return lowest.epoch if grew and rise > 2 * math.hypot(last.loss_error, lowest.loss_error) else None


def _about(judges: Judges) -> dict[str, Any]:
    return {
        "data": judges.images.name,
        "n": len(judges.choose.labels),
        "held_out": judges.held_out,
        "judged_on": judges.judged_on,
        "reported_on": judges.reported_on,
    }


def _try(
    checkpoint: Checkpoint, judges: Judges, device: str, progress: Progress | None
) -> tuple[dict[str, Any] | None, str]:
    """Its figures, or None and the sentence for what is wrong with it."""
    try:
        return _figures(checkpoint, judges, device, progress), ""
    except LabError as error:
        return None, str(error)


def _figures(checkpoint: Checkpoint, judges: Judges, device: str, progress: Progress | None) -> dict[str, Any]:
    classifier = Classifier(checkpoint.path, device)
    check_classes(classifier, judges.images.classes, judges.images.name)
    result = evaluate_split(classifier, judges.choose, progress=progress)
    each = F.cross_entropy(result.logits, result.labels, reduction="none")
    return {
        "validation_accuracy": result.accuracy,
        "interval": result.interval,
        "validation_loss": result.loss,
        "loss_error": (each.std(correction=0) / math.sqrt(len(each))).item(),
        "calibration_error": result.calibration_error,
    }


def _row(digest: str, same: list[Checkpoint], figures: dict[str, Any]) -> Judged:
    facts = {
        "epoch": same[0].epoch,
        "train_accuracy": same[0].number("train_accuracy"),
        "recorded_accuracy": same[0].number("validation_accuracy"),
    }
    figures = {**figures, "interval": tuple(figures["interval"])}
    return Judged(names=tuple(checkpoint.name for checkpoint in same), digest=digest, **facts, **figures)


def _warning(rows: list[Judged], about: dict[str, Any]) -> str:
    far = [row for row in rows if are_other_images(row.recorded_accuracy, row.validation_accuracy, about["n"])]
    if not (about["held_out"] and far):
        return ""
    return (
        f"{far[0].name} has {far[0].validation_accuracy:.1%} here but had {far[0].recorded_accuracy:.1%} while it was "
        "trained: these may be other images than those held out, and some may have trained it."
    )


def _part(progress: Progress | None, number: int, count: int, name: str) -> Progress | None:
    if progress is None:
        return None
    return lambda share, text: progress((number + share) / count, f"{name}, {number + 1} of {count}: {text}")
