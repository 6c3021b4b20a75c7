"""Training images for the cards of See inside: which data set a network's are in, and how they are sent to the page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet.data.datasets import NAMES, classes_of, is_at_hand
from googlenet.data.shapes import TRAIN
from googlenet.errors import LabError
from googlenet.runs import Checkpoint, Run
from googlenet.ui.classify.shared import classifier
from googlenet.ui.common.figures import time_left
from googlenet.ui.common.pictures import data_uri
from googlenet.ui.events.access import Access

if TYPE_CHECKING:
    from PIL import Image

CIFAR_TRAIN = 50_000


def sources(checkpoints: Path, access: Access, checkpoint: Checkpoint) -> list[str]:
    """Where a network's training images may be: its run's own data first, then what the lab was started with."""
    found = [access.data, *NAMES]
    run = checkpoint.name.rpartition("/")[0]
    try:
        return [Run(checkpoints, run).config().data, *found] if run else found
    except LabError:  # a run without a readable config.json
        return found


def fitting_source(checkpoints: Path, access: Access, checkpoint: Checkpoint) -> str | None:
    """The first of `sources` that is on this machine and has the network's classes."""
    for source in sources(checkpoints, access, checkpoint):
        if is_at_hand(source) and classes_of(source) == checkpoint.info.classes:
            return source
    return None


def computing_time(checkpoints: Path, checkpoint: Checkpoint, source: str) -> str:
    """ "12 min": how long an index over the training images of `source` takes here, about."""
    from googlenet.inference.index import seconds_an_image

    return time_left(seconds_an_image(classifier(checkpoints, checkpoint.path)) * _count(source))


def sheet(images: list[Image.Image]) -> str:
    """The images side by side in one PNG, as an address for CSS: one decoding for the browser, and no path."""
    from PIL import Image

    width, height = images[0].size
    page = Image.new("RGB", (width * len(images), height))
    for number, image in enumerate(images):
        page.paste(image, (number * width, 0))
    return data_uri(page)


def _count(source: str) -> int:
    if source in NAMES:
        return {"cifar10": CIFAR_TRAIN, "shapes": TRAIN}[source]
    try:
        return sum(len(files) for _, _, files in os.walk(Path(source).expanduser() / "train"))
    except (OSError, RuntimeError):
        return 0
