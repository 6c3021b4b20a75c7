"""A checkpoint made ready to ship: half the size, its temperature and its test figures written in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from googlenet.data.datasets import ImageSet, Progress
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import Evaluation, check_classes, evaluate_split
from googlenet.inference.selection.judges import judges_of
from googlenet.inference.selection.promotion import Calibration, fit_facts
from googlenet.language import tr
from googlenet.models.weights import add_facts, save_weights
from googlenet.recipes import TrainConfig


@dataclass(frozen=True)
class Published:
    """What was measured on the published file, one view and `flip` averaged; `note` says why `calibration` is None."""

    test: Evaluation
    flip: Evaluation
    calibration: Calibration | None
    note: str


def publish_weights(
    weights: Path, target: Path, images: ImageSet, *, device: str = "auto", progress: Progress | None = None
) -> Published:
    """Write the checkpoint `weights` to `target` as float16, with figures measured on what was written.

    The temperature is fitted on the images that its training held out, where config.json lies beside `weights` and
    `images` are those it learned from; else one that it has stays. `target` is written when all is measured, or not
    at all. Raises `LabError` for a file that is no checkpoint, or of other classes, and `OSError` where `target`
    cannot be written.
    """
    source = Classifier(weights, device)
    check_classes(source, images.classes, images.name)
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.stem}-") as folder:
        draft = Path(folder) / target.name  # called as the file will be, for sentences that name it
        save_weights(draft, source.model, source.info, half=True)
        calibration, note = None, ""
        try:
            config = _training(weights.with_name("config.json"))
            calibration, facts = fit_facts(draft, judges_of(config, images), device=device)
            add_facts(draft, **facts)
        except LabError as error:
            note = tr("No temperature was fitted: {why}", why=error)
        shipped = Classifier(draft, device)
        test = evaluate_split(shipped, images.test, progress=progress)
        flip = evaluate_split(shipped, images.test, flip=True, progress=progress)
        add_facts(
            draft,
            target,
            test_accuracy=test.accuracy,
            test_loss=test.loss,
            test_calibration_error=test.calibration_error,
            test_scaled_loss=test.scaled_loss,
            test_scaled_calibration_error=test.scaled_calibration_error,
            test_accuracy_flip=flip.accuracy,
        )
    return Published(test, flip, calibration, note)


def _training(file: Path) -> TrainConfig:
    try:
        config = TrainConfig.from_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(tr("There is no config.json beside the weights.")) from error
    if not config.validation_fraction:
        raise LabError(tr("The training held no images out."))
    return config
