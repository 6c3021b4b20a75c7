"""Ten kinds of shapes drawn by the program: a data set that needs no download, for first steps and tests."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from googlenet.config import DATA_SIZE
from googlenet.data.splits import Split
from googlenet.errors import check_choice

if TYPE_CHECKING:
    from torch import Generator, Tensor

TRAIN, TEST = 5000, 1000
SAMPLES = 2  # points a side inside each pixel, for smooth edges
NOISE = 0.04  # standard deviation, on the scale [0, 1]


def draw_shapes(train: int = TRAIN, test: int = TEST, seed: int = 0) -> tuple[Split, Split, tuple[str, ...]]:
    """`train` and `test` drawn images and the ten class names; the same seed draws the same pixels.

    Each shape has its own place, size, angle and two colours, one dark and one light. Classes take turns, so every
    split is balanced.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    return _draw(train, generator), _draw(test, generator), CLASSES


def shape_cover(name: str, side: int) -> Tensor:
    """How much of each pixel of a box of `side`×`side` the shape covers, from 0 to 1; the square fills its box."""
    import torch
    from torch.nn.functional import avg_pool2d

    samples = 8
    axis = ((torch.arange(side * samples) + 0.5) * (2 / (side * samples)) - 1) * (0.7 if name == "square" else 1)
    inside = _INSIDE[check_choice(name, "shape", CLASSES)](axis[None, :], axis[:, None])
    return avg_pool2d(inside.float()[None, None], samples)[0, 0]


def _draw(count: int, generator: Generator) -> Split:
    import torch

    labels = torch.arange(count) % len(CLASSES)
    images = torch.empty(count, 3, DATA_SIZE, DATA_SIZE, dtype=torch.uint8)
    for label, inside in enumerate(_INSIDE.values()):
        chosen = (labels == label).nonzero().flatten()
        images[chosen] = _paint(inside, len(chosen), generator)
    return Split(images, labels)


def _paint(inside: Callable[[Tensor, Tensor], Tensor], count: int, generator: Generator) -> Tensor:
    """`count` images, uint8 (count, 3, DATA_SIZE, DATA_SIZE), of the shape whose points are those `inside` [-1, 1]²."""
    import torch
    from torch.nn.functional import avg_pool2d

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=generator) * (high - low) + low

    radius = uniform(0.45, 0.85, 1, 1)  # of half the image
    angle = uniform(0, 2 * math.pi, 1, 1)
    place_x, place_y = ((1 - radius) * uniform(-1, 1, 1, 1) for _ in "xy")
    points = DATA_SIZE * SAMPLES
    axis = (torch.arange(points) + 0.5) * (2 / points) - 1
    x, y = (axis[None, None, :] - place_x) / radius, (axis[None, :, None] - place_y) / radius
    sin, cos = angle.sin(), angle.cos()
    cover = avg_pool2d(inside(cos * x + sin * y, cos * y - sin * x).float()[:, None], SAMPLES)

    dark, light = uniform(0.0, 0.45, 3, 1, 1), uniform(0.55, 1.0, 3, 1, 1)
    swap = uniform(0, 1, 1, 1, 1) < 0.5
    ground, paint = torch.where(swap, dark, light), torch.where(swap, light, dark)
    noise = torch.randn(count, 3, DATA_SIZE, DATA_SIZE, generator=generator) * NOISE
    return (torch.lerp(ground, paint, cover) + noise).clamp(0, 1).mul(255).round().byte()


def _disc(x: Tensor, y: Tensor, radius: float = 1.0) -> Tensor:
    return x * x + y * y < radius * radius


def _box(x: Tensor, y: Tensor, half_width: float, half_height: float) -> Tensor:
    return (x.abs() < half_width) & (y.abs() < half_height)


def _triangle(x: Tensor, y: Tensor) -> Tensor:
    """Equilateral, its corners on the unit circle."""
    return (y < 0.5) & (math.sqrt(3) * x.abs() - y < 1)


def _star(x: Tensor, y: Tensor) -> Tensor:
    """The pentagram: points on the inner side of at least four of its five lines."""
    lines = [2 * math.pi * k / 5 for k in range(5)]
    within = [(math.sin(a) * x + math.cos(a) * y < math.cos(2 * math.pi / 5)).byte() for a in lines]
    return sum(within[1:], within[0]) >= 4


def _heart(x: Tensor, y: Tensor) -> Tensor:
    x, y = 1.25 * x, -1.25 * y + 0.1
    return (x * x + y * y - 1) ** 3 < x * x * y * y * y


def _arrow(x: Tensor, y: Tensor) -> Tensor:
    head = (x > 0) & (x + 1.2 * y.abs() < 1)
    return head | _box(x + 0.45, y, 0.5, 0.25)


_INSIDE: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "arrow": _arrow,
    "bar": lambda x, y: _box(x, y, 0.95, 0.25),
    "circle": _disc,
    "crescent": lambda x, y: _disc(x, y) & ~_disc(x - 0.5, y, 0.85),
    "cross": lambda x, y: _box(x, y, 0.95, 0.28) | _box(x, y, 0.28, 0.95),
    "heart": _heart,
    "ring": lambda x, y: _disc(x, y) & ~_disc(x, y, 0.6),
    "square": lambda x, y: _box(x, y, 0.7, 0.7),
    "star": _star,
    "triangle": _triangle,
}
CLASSES = tuple(_INSIDE)
