"""Augmentation on whole batches, on the device, from random numbers fixed by (seed, epoch).

An epoch's plan is drawn at once, so any batch of it can be made again: a resumed training needs only its position.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from googlenet.config import DATA_SIZE
from googlenet.data.trivial import change, draw_changes


def epoch_generator(seed: int, epoch: int, stream: int = 0) -> torch.Generator:
    """Random numbers for one purpose (`stream`) in one epoch of one training, the same on every machine."""
    mixed = (seed * 1_000_003 + epoch) * 8 + stream
    return torch.Generator().manual_seed(mixed % (2**63 - 1))


@dataclass(frozen=True)
class EpochPlan:
    """The order of an epoch and what happens to each image in it, all on the device.

    `order` (N,) indexes the images. What follows goes by position in that order and is None when off: `flips` (N,)
    bool, `shifts` (N, 2) int64 in [0, 2·padding], `holes` (N, 2) int64, the centres of the blanked squares, `changes`
    (N, 3) int64 as in trivial.py, `patches` (N, 4) int64: first row and column, last row and column (excluded) of what
    comes from the next image in the order (CutMix, Yun et al. 2019; the same place where nothing does).
    """

    order: Tensor
    flips: Tensor | None
    shifts: Tensor | None
    holes: Tensor | None
    padding: int
    cutout: int
    changes: Tensor | None = None
    patches: Tensor | None = None
    classes: int = 0  # in all, for the labels of mixed images

    @classmethod
    def draw(
        cls,
        count: int,
        seed: int,
        epoch: int,
        *,
        flip: bool,
        padding: int,
        device: torch.device,
        cutout: int = 0,
        trivial_augment: bool = False,
        cutmix: float = 0.0,
        classes: int = 0,
    ) -> EpochPlan:
        """The plan for `count` images in `epoch` (from 0)."""
        order = torch.randperm(count, generator=epoch_generator(seed, epoch))
        chance = epoch_generator(seed, epoch, stream=1)
        flips = None
        if flip:  # a coin for each image, turned over every epoch: no image comes twice the same way round in a row
            first = torch.rand(count, generator=epoch_generator(seed, 0, stream=2)) < 0.5
            flips = (first ^ bool(epoch % 2))[order]
        shifts = torch.randint(0, 2 * padding + 1, (count, 2), generator=chance) if padding else None
        holes = torch.randint(0, DATA_SIZE, (count, 2), generator=chance) if cutout else None
        changes = draw_changes(count, chance) if trivial_augment else None
        patches = _draw_patches(count, cutmix, chance) if cutmix else None
        parts = (flips, shifts, holes, changes, patches)
        flips, shifts, holes, changes, patches = (None if part is None else part.to(device) for part in parts)
        return cls(order.to(device), flips, shifts, holes, padding, cutout, changes, patches, classes)

    def batch(
        self, images: Tensor, labels: Tensor, start: int, stop: int, blank: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Positions [start, stop) of the epoch: augmented uint8 (n, C, H, W) and labels (n,).

        `blank` uint8 (C,) is the colour of holes, black when None. Where images are mixed, labels are the shares
        (n, classes) of the pixels.
        """
        batch = self._augmented(images, slice(start, stop), blank)
        truth = labels[self.order[start:stop]]
        if self.patches is None:
            return batch, truth
        following = torch.arange(start + 1, stop + 1, device=self.order.device) % len(self.order)
        first, last = self.patches[start:stop].split(2, dim=1)
        others = self._augmented(images, following, blank)
        batch = torch.where(_inside(batch, first, last), others, batch)
        share = (last - first).prod(1)[:, None] / (batch.shape[-2] * batch.shape[-1])
        own, theirs = (F.one_hot(of, self.classes).float() for of in (truth, labels[self.order[following]]))
        return batch, own.lerp(theirs, share)

    def _augmented(self, images: Tensor, where: slice | Tensor, blank: Tensor | None) -> Tensor:
        """The images at the positions `where`, each for itself."""
        batch = images[self.order[where]]
        if self.shifts is not None:
            batch = shift(batch, self.shifts[where], self.padding)
        if self.flips is not None:
            batch = torch.where(self.flips[where][:, None, None, None], batch.flip(-1), batch)
        if self.changes is not None:
            batch = change(batch, self.changes[where])
        if self.holes is not None:
            colour = torch.zeros((), dtype=batch.dtype, device=batch.device) if blank is None else blank[:, None, None]
            starts = self.holes[where] - self.cutout // 2
            batch = torch.where(_inside(batch, starts, starts + self.cutout), colour, batch)
        return batch


def _draw_patches(count: int, chance: float, generator: torch.Generator) -> Tensor:
    """For each image a rectangle of the whole's proportions, its area's share drawn evenly, cut off at the edges."""
    mixed = torch.rand(count, 1, generator=generator) < chance
    sides = DATA_SIZE * torch.rand(count, 1, generator=generator).sqrt() * mixed
    centres = DATA_SIZE * torch.rand(count, 2, generator=generator)
    corners = torch.cat([centres - sides / 2, centres + sides / 2], dim=1)
    return corners.round().clamp(0, DATA_SIZE).long()


def _inside(images: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """Bool (n, 1, H, W): each one's rectangle from (row, column) of `first` up to, but without, that of `last`."""
    height, width = (torch.arange(size, device=images.device) for size in images.shape[-2:])
    down = (height >= first[:, :1]) & (height < last[:, :1])
    across = (width >= first[:, 1:]) & (width < last[:, 1:])
    return (down[:, :, None] & across[:, None, :])[:, None]


def shift(images: Tensor, offsets: Tensor, padding: int) -> Tensor:
    """Crop each of (n, C, H, W) at its own (row, column) of `offsets` from a copy padded by reflection."""
    count, _, height, width = images.shape
    padding = min(padding, height - 1, width - 1)  # reflection has no more to give
    offsets = offsets.clamp(max=2 * padding)
    # Reflection as an index: one gather instead of a padded float copy (torch cannot reflect uint8).
    rows = _reflected(height, padding, images.device)[offsets[:, :1] + torch.arange(height, device=images.device)]
    columns = _reflected(width, padding, images.device)[offsets[:, 1:] + torch.arange(width, device=images.device)]
    which = torch.arange(count, device=images.device)[:, None, None]
    return images.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _reflected(size: int, padding: int, device: torch.device) -> Tensor:
    """The source index of each position of an axis padded by reflection: 2 1 | 0 1 2 3 | 2 1."""
    index = torch.arange(-padding, size + padding, device=device).abs()
    return torch.where(index >= size, 2 * (size - 1) - index, index)


def normalize(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """uint8 (n, C, H, W) → float32 (x/255 − mean)/std, channels last in memory; `mean` and `std` are (C,)."""
    scaled = images.to(torch.float32, memory_format=torch.channels_last)
    return scaled.mul_((1 / (255 * std))[:, None, None]).sub_((mean / std)[:, None, None])
