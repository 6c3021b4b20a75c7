"""Augmentation on whole batches, on the device, from random numbers fixed by (seed, epoch).

An epoch's plan is drawn at once, so any batch of it can be made again: a resumed training needs only its position.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from googlenet.config import DATA_SIZE


def epoch_generator(seed: int, epoch: int, stream: int = 0) -> torch.Generator:
    """Random numbers for one purpose (`stream`) in one epoch of one training, the same on every machine."""
    mixed = (seed * 1_000_003 + epoch) * 8 + stream
    return torch.Generator().manual_seed(mixed % (2**63 - 1))


@dataclass(frozen=True)
class EpochPlan:
    """The order of an epoch and what happens to each image in it, all on the device.

    `order` (N,) indexes the images. What follows goes by position in that order and is None when off: `flips` (N,)
    bool, `shifts` (N, 2) int64 in [0, 2·padding], `holes` (N, 2) int64, the centres of the blanked squares.
    """

    order: Tensor
    flips: Tensor | None
    shifts: Tensor | None
    holes: Tensor | None
    padding: int
    cutout: int

    @classmethod
    def draw(
        cls, count: int, seed: int, epoch: int, *, flip: bool, padding: int, device: torch.device, cutout: int = 0
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
        flips, shifts, holes = (None if part is None else part.to(device) for part in (flips, shifts, holes))
        return cls(order.to(device), flips, shifts, holes, padding, cutout)

    def batch(
        self, images: Tensor, labels: Tensor, start: int, stop: int, blank: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Positions [start, stop) of the epoch: augmented uint8 (n, C, H, W) and labels (n,).

        `blank` uint8 (C,) is the colour of holes, black when None.
        """
        rows = self.order[start:stop]
        batch = images[rows]
        if self.shifts is not None:
            batch = shift(batch, self.shifts[start:stop], self.padding)
        if self.flips is not None:
            batch = torch.where(self.flips[start:stop, None, None, None], batch.flip(-1), batch)
        if self.holes is not None:
            colour = torch.zeros((), dtype=batch.dtype, device=batch.device) if blank is None else blank[:, None, None]
            batch = torch.where(_holes(batch, self.holes[start:stop], self.cutout), colour, batch)
        return batch, labels[rows]


def _holes(images: Tensor, centres: Tensor, side: int) -> Tensor:
    """Bool (n, 1, H, W): a square of `side` pixels around each (row, column) of `centres`, cut off at the edges."""
    height, width = (torch.arange(size, device=images.device) for size in images.shape[-2:])
    starts = centres - side // 2
    down, across = ((axis - start) for axis, start in ((height, starts[:, :1]), (width, starts[:, 1:])))
    inside = ((down >= 0) & (down < side))[:, :, None] & ((across >= 0) & (across < side))[:, None, :]
    return inside[:, None]


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
