"""The images of a training on its device, cut into the steps of an epoch."""

from __future__ import annotations

import torch
from torch import Tensor

from googlenet.data.augment import EpochPlan
from googlenet.data.datasets import ImageSet, split_validation
from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.recipes import TrainConfig
from googlenet.training.distributed import Team
from googlenet.training.planning.costs import steps_per_epoch


def draw_plan(config: TrainConfig, count: int, classes: int, epoch: int, device: torch.device) -> EpochPlan:
    """What `config` makes of its `count` training images in `epoch`."""
    return EpochPlan.draw(
        count,
        config.seed,
        epoch,
        flip=config.flip,
        padding=config.crop_padding,
        device=device,
        cutout=config.cutout,
        trivial_augment=config.trivial_augment,
        cutmix=config.cutmix,
        classes=classes,
    )


class Batches:
    """All images as uint8, all labels: a CIFAR data set fits on any device, so nothing waits for a loader.

    `count` training images make `steps` steps an epoch; `held_out` are the indices of the others and `validation` is
    (images, labels) of those, or None when nothing is held out. `mean` and `std` (C,) are on the device, `mean_std` the
    same as plain numbers for a weights file.
    """

    def __init__(self, images: ImageSet, config: TrainConfig, device: torch.device) -> None:
        self.config, self.device, self.classes = config, device, len(images.classes)
        train, held_out = split_validation(images.train, config.validation_fraction, config.seed, config.split_by)
        self.count = len(train)
        if self.count < 2:
            raise LabError(tr("Training needs at least 2 images: add some to train/, or lower the validation share."))
        everything = images.train
        self.images, self.labels = everything.images[train].to(device), everything.labels[train].to(device)
        self.held_out, self.validation = held_out, None
        if len(held_out):
            self.validation = everything.images[held_out].to(device), everything.labels[held_out].to(device)
        std = tuple(value if value > 1e-3 else 1.0 for value in images.std)  # a channel that is always the same
        self.mean_std = (images.mean, std) if config.normalize else ((0.0,) * 3, (1.0,) * 3)
        self.mean, self.std = (torch.tensor(values, device=device) for values in self.mean_std)
        self.blank = (255 * self.mean).round().to(torch.uint8)  # a hole has the mean colour: nothing, once normalised
        self.steps = steps_per_epoch(self.count, config.batch_size)
        self._plans: dict[int, EpochPlan] = {}

    def plan(self, epoch: int) -> EpochPlan:
        """The order and the augmentation of `epoch`; that of the epoch before is kept beside it."""
        if epoch not in self._plans:
            drawn = draw_plan(self.config, self.count, self.classes, epoch, self.device)
            self._plans = {known: plan for known, plan in self._plans.items() if known == epoch - 1} | {epoch: drawn}
        return self._plans[epoch]

    def take(self, epoch: int, step: int, team: Team = Team()) -> tuple[Tensor, Tensor, float]:  # noqa: B008  frozen
        """A rank's augmented images (uint8), labels, and what their mean counts in that of the whole batch."""
        start = step * self.config.batch_size
        end = self.count if step == self.steps - 1 else start + self.config.batch_size
        batch = self.plan(epoch).batch(self.images, self.labels, *team.share(start, end), self.blank)
        return *batch, team.weight(start, end)
