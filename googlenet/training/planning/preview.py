"""Training images as a network will see them: the first of some epochs, augmented as the trainer does it."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from googlenet.data.augment import EpochPlan
from googlenet.data.datasets import is_at_hand, load_images
from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.models.presets import preset
from googlenet.recipes import TrainConfig, make_train_config
from googlenet.training.batches import Batches, draw_plan
from googlenet.training.methods.objective import likeliest

IMAGES, DRAWS = 16, 12  # images of an epoch; epochs that can be looked at


@dataclass(frozen=True)
class _Firsts:
    """The first images of the first epochs, as they are on disk: (DRAWS, n, 3, 32, 32) and (DRAWS, n).

    One more than is shown, of which a patch may be in the last.
    """

    images: Tensor
    labels: Tensor
    count: int  # of all training images
    classes: tuple[str, ...]
    blank: Tensor  # of images that are normalized


@dataclass(frozen=True)
class Preview:
    """`images` uint8 (n, 3, 32, 32) of `epoch`, before normalization, and the names of their classes."""

    epoch: int
    images: Tensor
    classes: tuple[str, ...]


def preview(config: TrainConfig, draw: int = 0) -> Preview:
    """The first `IMAGES` images of an epoch of `config`, exactly as its trainer will give them to the network.

    The next `draw` is the next epoch, `DRAWS` of them in a circle. Raises `LabError` where the data would have to be
    downloaded first.
    """
    if not is_at_hand(config.data):
        raise LabError(tr("CIFAR-10 comes with the first training: its images can be shown after that."), "data")
    firsts = _firsts(config.data, config.seed, config.validation_fraction, config.split_by)
    epoch = draw % min(DRAWS, config.epochs)
    plan = draw_plan(config, firsts.count, len(firsts.classes), epoch, torch.device("cpu"))
    here = dataclasses.replace(plan, order=torch.arange(len(firsts.images[epoch])))
    blank = firsts.blank if config.normalize else torch.zeros_like(firsts.blank)
    images, labels = here.batch(firsts.images[epoch], firsts.labels[epoch], 0, IMAGES, blank)
    return Preview(epoch, images, tuple(firsts.classes[label] for label in likeliest(labels).tolist()))


@functools.lru_cache(maxsize=4)
def _firsts(data: str, seed: int, validation_fraction: float, split_by: str) -> _Firsts:
    """Reads the whole data set, and keeps half a megabyte of it."""
    options = {"data": data, "seed": seed, "validation_fraction": validation_fraction, "split_by": split_by}
    images = load_images(data)
    batches = Batches(images, make_train_config("preview", preset("cifar10"), **options), torch.device("cpu"))
    orders = [
        EpochPlan.draw(batches.count, seed, epoch, flip=False, padding=0, device=batches.device).order[: IMAGES + 1]
        for epoch in range(DRAWS)
    ]
    order = torch.stack(orders)
    return _Firsts(batches.images[order], batches.labels[order], batches.count, images.classes, batches.blank)
