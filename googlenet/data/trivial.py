"""TrivialAugment (Müller and Hutter 2021) on whole batches, on the device: one of fourteen changes to each image.

The changes, their strengths and the nearest-pixel sampling are those of `torchvision.transforms.TrivialAugmentWide`,
which takes one image at a time; a test holds each of them to torchvision's.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from googlenet.config import DATA_SIZE

STRENGTHS = 31  # steps from nothing to the most
CORNER = DATA_SIZE / 2  # from the centre, which shearing leaves to the first corner
TURN, SHEAR, MOVE, BLEND = math.radians(135), 0.99, 32.0, 0.99  # the most of each
GREY = 0.2989, 0.587, 0.114


def draw_changes(count: int, generator: torch.Generator) -> Tensor:
    """For each of `count` images (count, 3) int64: which of `CHANGES`, how strong (under `STRENGTHS`), sign 0 or 1."""
    limits = (len(CHANGES), STRENGTHS, 2)
    return torch.stack([torch.randint(0, limit, (count,), generator=generator) for limit in limits], dim=1)


def change(images: Tensor, changes: Tensor) -> Tensor:
    """uint8 (n, 3, H, W), each changed as its row of `changes` says."""
    images = images.clone()
    share = changes[:, 1].float() / (STRENGTHS - 1)
    signed = share * (1 - 2 * changes[:, 2])
    for number, apply in enumerate(CHANGES.values()):
        chosen = (changes[:, 0] == number).nonzero().flatten()
        if apply and len(chosen):
            images[chosen] = apply(images[chosen], share[chosen], signed[chosen])
    return images


Change = Callable[[Tensor, Tensor, Tensor], Tensor]  # uint8 images, shares in [0, 1] and the same with a sign → uint8


def _moved(where: Callable[[Tensor], tuple[Tensor | float, ...]]) -> Change:
    """An affine change: `where` gives, for signed shares, the rows (a, b, c), (d, e, f) of output → input in pixels."""

    def apply(images: Tensor, share: Tensor, signed: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        a, b, c, d, e, f = (torch.as_tensor(v, device=signed.device).expand_as(signed) for v in where(signed))
        # A grid's units are half an image, the centre 0.
        rows = torch.stack([a, b * height / width, 2 * c / width, d * width / height, e, 2 * f / height], dim=1)
        grid = F.affine_grid(rows.view(-1, 2, 3), list(images.shape), align_corners=False)
        return F.grid_sample(images.float(), grid, mode="nearest", align_corners=False).to(torch.uint8)

    return apply


def _turned(signed: Tensor) -> tuple[Tensor | float, ...]:
    angle = signed * TURN
    return torch.cos(angle), -torch.sin(angle), 0.0, torch.sin(angle), torch.cos(angle), 0.0


def _blended(other: Callable[[Tensor], Tensor]) -> Change:
    """Away from, or towards, what `other` makes of float images."""

    def apply(images: Tensor, share: Tensor, signed: Tensor) -> Tensor:
        pixels = images.float()
        base = other(pixels)
        mixed = base + (1 + BLEND * signed)[:, None, None, None] * (pixels - base)
        return mixed.clamp(0, 255).to(torch.uint8)

    return apply


def _grey(pixels: Tensor) -> Tensor:
    weights = pixels.new_tensor(GREY)[:, None, None]
    return (pixels * weights).sum(1, keepdim=True).floor()


def _blurred(pixels: Tensor) -> Tensor:
    kernel = pixels.new_ones(3, 3)
    kernel[1, 1] = 5
    inside = F.conv2d(pixels, (kernel / 13).expand(3, 1, 3, 3), groups=3).round()
    blurred = pixels.clone()  # the edge stays
    blurred[..., 1:-1, 1:-1] = inside
    return blurred


def _posterized(images: Tensor, share: Tensor, signed: Tensor) -> Tensor:
    dropped = (6 * share).round().to(torch.uint8)[:, None, None, None]  # bits of the eight
    return (images >> dropped) << dropped


def _solarized(images: Tensor, share: Tensor, signed: Tensor) -> Tensor:
    bound = (255 * (1 - share))[:, None, None, None]
    return torch.where(images >= bound, 255 - images, images)


def _stretched(images: Tensor, share: Tensor, signed: Tensor) -> Tensor:
    pixels = images.float()
    low, high = pixels.amin((2, 3), keepdim=True), pixels.amax((2, 3), keepdim=True)
    span = high - low
    stretched = (pixels - low) * (255 / span.clamp(min=1))
    return torch.where(span > 0, stretched, pixels).clamp(0, 255).to(torch.uint8)


def _equalized(images: Tensor, share: Tensor, signed: Tensor) -> Tensor:
    """As PIL does it: a table for each channel, from the counts of its 256 values."""
    values = images.flatten(2).flatten(0, 1).long()  # (n·3, places)
    counts = torch.zeros(len(values), 256, dtype=torch.long, device=images.device)
    counts.scatter_add_(1, values, torch.ones_like(values))
    highest = counts.gather(1, values.amax(1, keepdim=True))
    step = (values.shape[1] - highest) // 255
    table = (counts.cumsum(1) - counts + step // 2) // step.clamp(min=1)
    equal = table.clamp(0, 255).gather(1, values)
    return torch.where(step > 0, equal, values).to(torch.uint8).view(images.shape)


CHANGES: dict[str, Change | None] = {
    "Identity": None,
    "ShearX": _moved(lambda s: (1.0, SHEAR * s, SHEAR * s * CORNER, 0.0, 1.0, 0.0)),
    "ShearY": _moved(lambda s: (1.0, 0.0, 0.0, SHEAR * s, 1.0, SHEAR * s * CORNER)),
    "TranslateX": _moved(lambda s: (1.0, 0.0, -(MOVE * s).trunc(), 0.0, 1.0, 0.0)),
    "TranslateY": _moved(lambda s: (1.0, 0.0, 0.0, 0.0, 1.0, -(MOVE * s).trunc())),
    "Rotate": _moved(_turned),
    "Brightness": _blended(torch.zeros_like),
    "Color": _blended(_grey),
    "Contrast": _blended(lambda pixels: _grey(pixels).mean((1, 2, 3), keepdim=True).floor()),
    "Sharpness": _blended(_blurred),
    "Posterize": _posterized,
    "Solarize": _solarized,
    "AutoContrast": _stretched,
    "Equalize": _equalized,
}
