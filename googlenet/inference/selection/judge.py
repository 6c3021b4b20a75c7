"""Which checkpoint of a run is the best, judged on images held out of training."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.nn import functional as F

from googlenet.data.datasets import Progress
from googlenet.errors import LabError
from googlenet.inference.calibration import difference_interval
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import check_classes, evaluate_split
from googlenet.inference.selection.judges import Judges, are_other_images, load_judges
from googlenet.inference.selection.overfitting import see_overfitting
from googlenet.inference.selection.store import JudgementStore, weights_digest
from googlenet.language import language, retell, speaking, tr
from googlenet.models.device import pick_device
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

    @property
    def short(self) -> str:
        """The names of its files without the run's: "epoch-0299, best"."""
        return ", ".join(name.rpartition("/")[2] for name in self.names)


@dataclass(frozen=True)
class RunJudgement:
    """All checkpoints of a run, by epoch. `refused` says of files that could not be judged why not.

    `proposed` names the most accurate one, of equals that with the lowest loss; `lead` says how far it is before the
    last one, "" when there is nothing to say. `overfits_from` and `overfitting` are the answers of `see_overfitting`.
    `warning` is a sentence when these seem not to be the images that the training held out.
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
    lead: str
    overfits_from: int | None
    overfitting: str
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
    is not there, has no checkpoint or none that can be judged, or whose images are no longer there.
    """
    known = _Known(Run(checkpoints, run), data)
    if missing := known.missing:
        judges = load_judges(known.config, data, progress)
        pick_device(device)  # what is refused below is the file's fault
        known.store.about = {
            "data": judges.images.name,
            "n": len(judges.choose.labels),
            "held_out": judges.held_out,
            "judged_on": judges.judged_on,
            "reported_on": judges.reported_on,
        }
        for number, digest in enumerate(missing):
            first = known.files[digest][0]
            outcome = _ask(first, judges, device, _part(progress, number, len(missing), first.name))
            if _is_still(first.path, digest):  # a trainer may have replaced best or last meanwhile
                known.store.keep(digest, outcome)  # an end in the middle loses one checkpoint at most
    return known.conclude()


def stored_judgement(checkpoints: Path | str, run: str, *, data: str | None = None) -> RunJudgement | None:
    """What `judge_run` would answer at once, or None when it would have to ask a checkpoint; errors as there."""
    known = _Known(Run(checkpoints, run), data)
    return None if known.missing else known.conclude()


class _Known:
    """The run's checkpoints by the digest of their weights, what is known of them, and files that are none."""

    def __init__(self, run: Run, data: str | None) -> None:
        self.run, self.config = run, run.config()
        found, self.wrong = run.checkpoints()
        self.store = JudgementStore(run.path, self.config, data)
        self.files: dict[str, list[Checkpoint]] = {}
        for checkpoint in found:
            self.files.setdefault(weights_digest(checkpoint.path), []).append(checkpoint)

    @property
    def missing(self) -> list[str]:
        """Digests not judged yet."""
        judged = {**self.store.figures, **self.store.refused}
        return [digest for digest in self.files if digest not in judged]

    def conclude(self) -> RunJudgement:
        figures, about = self.store.figures, self.store.about
        rows = [_row(digest, same, figures[digest]) for digest, same in self.files.items() if digest in figures]
        refused = dict(self.wrong)
        for digest, same in self.files.items():
            if digest in self.store.refused:
                refused |= {checkpoint.name: retell(self.store.refused[digest]) for checkpoint in same}
        if not rows:
            meanwhile = tr(
                "The checkpoints of {run} were replaced while they were judged: judge it again.", run=self.run.name
            )
            raise LabError(next(iter(refused.values()), meanwhile), "run")
        rows.sort(key=lambda row: (row.epoch is None, row.epoch or 0, row.name))
        best = max(rows, key=lambda row: (row.validation_accuracy, -row.validation_loss))
        diverged = self.run.status().state == "diverged"
        overfits_from, overfitting = see_overfitting(rows, self.config.network.num_classes, diverged=diverged)
        return RunJudgement(
            run=self.run.name,
            **{**about, "judged_on": retell(about["judged_on"]), "reported_on": retell(about["reported_on"])},
            rows=tuple(rows),
            refused=refused,
            proposed=best.name,
            lead=_lead(best, rows[-1], about["n"]),
            overfits_from=overfits_from,
            overfitting=overfitting,
            warning=self._warning(rows),
        )

    def _warning(self, rows: list[Judged]) -> str:
        about = self.store.about
        for row in rows if about["held_out"] else ():
            before, loss = row.recorded_accuracy, self.files[row.digest][0].number("validation_loss")
            now = row.validation_accuracy
            if before is not None and are_other_images((before, loss), (now, row.validation_loss), about["n"]):
                return tr(
                    "{name} has {now:.1%} here but had {before:.1%} while it was trained: these may be other images "
                    "than those held out, and some may have been used for training.",
                    name=row.name,
                    now=now,
                    before=before,
                )
        return ""


def _lead(best: Judged, last: Judged, n: int) -> str:
    gain = best.validation_accuracy - last.validation_accuracy
    if gain <= 0:
        return ""
    low, high = difference_interval(best.validation_accuracy, best.interval, last.validation_accuracy, last.interval)
    ends = (f"{100 * end:+.1f}".replace("-", "−") for end in (low, high))
    said = {"gain": 100 * gain, "name": last.short, **dict(zip(("low", "high"), ends, strict=True))}
    if low > 0:
        return tr("{gain:.2f} points more than {name} (95% interval {low} to {high})", **said)
    return tr(
        "{gain:.2f} points more than {name} (95% interval {low} to {high}, within chance on {n:,} images)", **said, n=n
    )


def _ask(checkpoint: Checkpoint, judges: Judges, device: str, progress: Progress | None) -> dict[str, Any] | str:
    """Its figures, or the sentence for what is wrong with it: in English, since the run keeps it for everybody."""
    reader = language()

    def report(share: float, text: str) -> None:
        if progress is not None:
            with speaking(reader):
                progress(share, retell(text))

    with speaking("en"):
        try:
            classifier = Classifier(checkpoint.path, device)
            check_classes(classifier, judges.images.classes, judges.images.name)
            result = evaluate_split(classifier, judges.choose, progress=report)
        except LabError as error:
            return str(error)
    each = F.cross_entropy(result.logits, result.labels, reduction="none")
    return {
        "validation_accuracy": result.accuracy,
        "interval": result.interval,
        "validation_loss": result.loss,
        "loss_error": (each.std(correction=0) / math.sqrt(len(each))).item(),
        "calibration_error": result.calibration_error,
    }


def _is_still(path: Path, digest: str) -> bool:
    try:
        return weights_digest(path) == digest
    except LabError:
        return False


def _row(digest: str, same: list[Checkpoint], figures: dict[str, Any]) -> Judged:
    return Judged(
        names=tuple(checkpoint.name for checkpoint in same),
        digest=digest,
        epoch=same[0].epoch,
        train_accuracy=same[0].number("train_accuracy"),
        recorded_accuracy=same[0].number("validation_accuracy"),
        **figures,
    )


def _part(progress: Progress | None, number: int, count: int, name: str) -> Progress | None:
    if progress is None:
        return None
    part = {"name": name, "number": number + 1, "count": count}
    return lambda share, text: progress(
        (number + share) / count, tr("{name}, {number} of {count}: {work}", **part, work=text)
    )
