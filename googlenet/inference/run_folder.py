"""A run as inference meets it: its training, the images that may judge it, and when its weights may be written.

The trainer is the run's writer. What is written here is written while no trainer is at work on the run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from googlenet.config import LabError, check_run_name
from googlenet.data.datasets import NAMES, Progress, Split, load_images, split_validation
from googlenet.recipes import TrainConfig

if TYPE_CHECKING:
    from googlenet.data.datasets import ImageSet

AT_WORK = ("queued", "running", "stopping")


@dataclass(frozen=True)
class Judges:
    """Two sets of images that trained nothing: one to choose a checkpoint by, one to report the chosen one on.

    `judged_on` and `reported_on` say for people what they are. `held_out` is False for a run that held no validation
    images out: its test images are then halved.
    """

    images: ImageSet
    choose: Split
    report: Split
    judged_on: str
    reported_on: str
    held_out: bool


def run_config(checkpoints: Path | str, run: str) -> TrainConfig:
    """The training of `run`; `LabError` when there is no such run or its description is damaged."""
    folder = Path(checkpoints) / check_run_name(run)
    try:
        return TrainConfig.from_json((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"There is no run called {run} in {checkpoints}: choose one of its runs.", "run") from error


def run_data(config: TrainConfig, data: str | None = None) -> str:
    """`data`, or else the data set that the run learned from; `LabError` when that has gone."""
    if data:
        return data
    if config.data not in NAMES and not Path(config.data).expanduser().is_dir():
        raise LabError(
            f"The images that {config.run} learned from, {config.data!r}, have gone: say where they are now.", "data"
        )
    return config.data


def load_judges(config: TrainConfig, data: str | None = None, progress: Progress | None = None) -> Judges:
    """The images that may judge the run of `config`, from its own data set or from `data`, where that is now.

    Held-out images are those of `split_validation` by the run's seed and fraction, as in its training.
    """
    images = load_images(run_data(config, data), progress=progress)
    return judges_of(config, images)


def judges_of(config: TrainConfig, images: ImageSet) -> Judges:
    """`load_judges` on images in memory."""
    fraction, seed = config.validation_fraction, config.seed
    if fraction:
        choose = _take(images.train, split_validation(images.train.labels, fraction, seed)[1])
        judged_on = f"the {len(choose.labels):,} images of {images.name} that the training held out"
        reported_on = f"the {len(images.test.labels):,} test images of {images.name}"
        return Judges(images, choose, images.test, judged_on, reported_on, True)
    first, second = split_validation(images.test.labels, 0.5, seed)
    choose, report = _take(images.test, first), _take(images.test, second)
    judged_on = (
        f"{len(first):,} of the {len(images.test.labels):,} test images of {images.name}, as the training held none out"
    )
    reported_on = f"the other {len(second):,} test images of {images.name}, by which nothing was chosen"
    return Judges(images, choose, report, judged_on, reported_on, False)


def _take(split: Split, rows: object) -> Split:
    return Split(split.images[rows], split.labels[rows])


def weights_digest(path: Path) -> str:
    """SHA-256 of the numbers in a weights file, without its description: writing a fact changes nothing."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def while_not_trained(checkpoints: Path | str, run: str) -> Iterator[None]:
    """Keep trainers out of `checkpoints` meanwhile; `LabError` when one is at work on `run`.

    A trainer holds `.trainer.lock` for all runs, so one that trains another run is let be.
    """
    checkpoints = Path(checkpoints)
    lock = FileLock(checkpoints / ".trainer.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        if _says_at_work(checkpoints / run):
            raise LabError(f"{run} is being trained: stop it, or wait until it has finished.", "run") from error
    except OSError as error:
        raise LabError(f"{checkpoints} cannot be written ({error.strerror}): choose another folder.") from error
    try:
        yield
    finally:
        lock.release()


def _says_at_work(folder: Path) -> bool:
    try:
        return json.loads((folder / "status.json").read_text(encoding="utf-8")).get("state") in AT_WORK
    except (OSError, ValueError, AttributeError):
        return False
