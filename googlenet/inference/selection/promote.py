"""What is fitted on images that trained nothing and kept in a weights file's description: its temperature, and the
threshold of its warning (`novelty`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch.nn import functional as F

from googlenet.data.datasets import Progress
from googlenet.errors import LabError
from googlenet.files import write_atomically
from googlenet.inference.calibration import expected_calibration_error, fit_temperature
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import check_classes, evaluate_split
from googlenet.inference.novelty import FACT, Novelty, fit
from googlenet.inference.selection.judges import (
    Judges,
    are_other_images,
    load_judges,
)
from googlenet.inference.selection.store import weights_digest
from googlenet.models.weights import add_facts
from googlenet.runs import Run, list_checkpoints, while_not_trained


@dataclass(frozen=True)
class Calibration:
    """A temperature, and what it does to the `n` images that it was fitted on: before and `scaled`, after.

    On other images it will do a little less.
    """

    temperature: float
    n: int
    loss: float  # nats
    scaled_loss: float
    calibration_error: float
    scaled_calibration_error: float


def fit_and_store(path: Path, judges: Judges, *, device: str = "auto", progress: Progress | None = None) -> Calibration:
    """Fit the temperature of the weights file `path` on the choosing images of `judges`, and write it into the file.

    So is the threshold above which a picture looks like no class, unless the file has one, whose errors may have been
    measured. The weights stay as they are, and so do the logits: `Classifier` divides them by the temperature.
    Raises `LabError` for a file that is no checkpoint or of other classes than the images, and when these cannot be
    the images that its training held out.
    """
    classifier = Classifier(path, device)
    check_classes(classifier, judges.images.classes, judges.images.name)
    before = evaluate_split(classifier, judges.choose, progress=progress)
    recorded = classifier.info.facts.get("validation_accuracy")
    recorded = recorded if judges.held_out and isinstance(recorded, float) else None
    if are_other_images(recorded, before.accuracy, before.n):
        raise LabError(
            f"{path.name} had {recorded:.1%} on the images that its training held out and has {before.accuracy:.1%} on "
            f"these of {judges.images.name}, so they are others: give the data that it learned from.",
            "data",
        )
    temperature = fit_temperature(before.logits, before.labels)
    scaled = before.logits / temperature
    told = {"temperature": temperature, "temperature_fitted_on": judges.judged_on}
    if Novelty.from_facts(classifier.info.facts) is None:
        told[FACT] = fit(before.logits, fitted_on=judges.judged_on).to_facts()
    add_facts(path, **told)
    return Calibration(
        temperature=temperature,
        n=before.n,
        loss=before.loss,
        scaled_loss=F.cross_entropy(scaled, before.labels).item(),
        calibration_error=before.calibration_error,
        scaled_calibration_error=expected_calibration_error(scaled.softmax(1), before.labels),
    )


def calibrate(
    checkpoints: Path | str,
    name: str,
    *,
    data: str | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> Calibration:
    """`fit_and_store` for the checkpoint `name` ("run/best"), on the images that judge its run.

    Raises `LabError` as `judge_run`, and while the run is being trained.
    """
    run = name.partition("/")[0]
    judges = load_judges(Run(checkpoints, run).config(), data, progress)
    checkpoint = Run(checkpoints, run).find(name)
    with while_not_trained(checkpoints, run):
        return fit_and_store(checkpoint.path, judges, device=device, progress=progress)


def promote(checkpoints: Path | str, run: str, checkpoint: str) -> Path:
    """Make `checkpoint` ("run/epoch-0299" or "epoch-0299") the run's best.safetensors; returns its path.

    The best until now stays as an epoch's file when no other file has its weights. Raises `LabError` for a checkpoint
    that is not the run's, and while the run is being trained.
    """
    Run(checkpoints, run).config()
    chosen = Run(checkpoints, run).find(checkpoint)
    best = chosen.path.with_name("best.safetensors")
    with while_not_trained(checkpoints, run):
        if best.is_file():
            kept = weights_digest(best)
            if kept == weights_digest(chosen.path):
                return best
            others = [other for other in Run(checkpoints, run).checkpoints()[0] if other.path != best]
            if kept not in {weights_digest(other.path) for other in others}:
                write_atomically(_free_name(best, kept), best.read_bytes())
        write_atomically(best, chosen.path.read_bytes())
    return best


def _free_name(best: Path, digest: str) -> Path:
    epoch = next((c.epoch for c in list_checkpoints(best.parent) if c.path == best), None)
    name = f"epoch-{epoch:04d}" if epoch is not None else "epoch-unknown"
    path = best.with_name(f"{name}.safetensors")
    return path if not path.exists() else best.with_name(f"{name}-{digest[:8]}.safetensors")
