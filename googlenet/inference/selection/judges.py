"""The images that may judge the checkpoints of a run: those that it did not learn from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from googlenet.data.datasets import NAMES, Progress, Split, load_images, split_validation
from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.recipes import TrainConfig

if TYPE_CHECKING:
    from googlenet.data.datasets import ImageSet

SAME_LOSS = 0.002  # of the loss: what rounding makes of it
# Files keep these, so they are said in English; `retell` says them to others.
HELD_OUT = mark("the {n} images of {name} that the training held out")
TEST = mark("the {n} test images of {name}")
HALF = mark("{n} of the {all} test images of {name}, as the training held none out")
OTHER_HALF = mark("the other {n} test images of {name}, not used for any choice")


@dataclass(frozen=True)
class Judges:
    """Two sets of images held out of training: one to choose a checkpoint by, one to report the chosen one on.

    `judged_on` and `reported_on` say for people what they are, in English. `held_out` is False for a run that
    held no validation images out: its test images are then halved.
    """

    images: ImageSet
    choose: Split
    report: Split
    judged_on: str
    reported_on: str
    held_out: bool


def load_judges(config: TrainConfig, data: str | None = None, progress: Progress | None = None) -> Judges:
    """The images that may judge the run of `config`, from its own data set or from `data`, where that is now.

    Held-out images are those of `split_validation` by the run's fraction, seed and rule, as in its training.
    Raises `LabError` when its data set has gone and no other is named.
    """
    if not data and config.data not in NAMES and not Path(config.data).expanduser().is_dir():
        raise LabError(
            tr(
                "The images that {run} learned from, {data!r}, are missing: say where they are now.",
                run=config.run,
                data=config.data,
            ),
            "data",
        )
    return judges_of(config, load_images(data or config.data, progress=progress))


def judges_of(config: TrainConfig, images: ImageSet) -> Judges:
    """`load_judges` on images in memory."""
    fraction, rule = config.validation_fraction, (config.seed, config.split_by)
    if fraction:
        choose = _take(images.train, split_validation(images.train, fraction, *rule)[1])
        judged_on = HELD_OUT.format(n=f"{len(choose.labels):,}", name=images.name)
        reported_on = TEST.format(n=f"{len(images.test.labels):,}", name=images.name)
        return Judges(images, choose, images.test, judged_on, reported_on, True)
    first, second = split_validation(images.test, 0.5, *rule)
    choose, report = _take(images.test, first), _take(images.test, second)
    judged_on = HALF.format(n=f"{len(first):,}", all=f"{len(images.test.labels):,}", name=images.name)
    reported_on = OTHER_HALF.format(n=f"{len(second):,}", name=images.name)
    return Judges(images, choose, report, judged_on, reported_on, False)


def _take(split: Split, rows: Tensor) -> Split:
    return Split(split.images[rows], split.labels[rows])


def are_other_images(recorded: tuple[float, float | None], measured: tuple[float, float], n: int) -> bool:
    """Whether `n` images, with this `measured` accuracy and loss, cannot be those that a checkpoint was `recorded` on.

    In other precision or on another device one answer in a hundred may differ, and more of a network that has hardly
    learned: its answers are near ties. The loss tells: on the same images it is the same to a thousandth or so.
    """
    (before, loss), (now, loss_now) = recorded, measured
    if loss is not None and abs(loss - loss_now) <= SAME_LOSS * abs(loss):
        return False
    return abs(before - now) > max(0.01, 1.5 / n)
