"""How far a map can be trusted: take the picture away in the map's order, or let it appear, against random orders.

Deletion and insertion (Petsiuk et al. 2018). The picture is cut into squares, an eighth of the side each, which go or
come as the map ranks them; what is not there is the blurred picture. Areas are the mean share along the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from googlenet.inference.classifier import Classifier
from googlenet.inference.explain.methods import baseline
from googlenet.inference.explain.score import Progress, Target, judged
from googlenet.language import tr

SQUARES = 8  # a side
POINTS = 9  # of a curve, both ends among them
RANDOM = 3  # orders


@dataclass(frozen=True)
class Trust:
    """Shares from 0 to 1 of the class (among the two, for a difference) along the way: `points` of the picture gone.

    `deletion` takes the squares that count most first, `insertion` lets them appear first; the random ones are means
    over `RANDOM` orders.
    """

    points: tuple[float, ...]
    deletion: tuple[float, ...]
    insertion: tuple[float, ...]
    random_deletion: tuple[float, ...]
    random_insertion: tuple[float, ...]

    @property
    def areas(self) -> dict[str, float]:
        """The mean of each curve: deletion is good when it is below random, insertion when it is above."""
        return {name: area(getattr(self, name)) for name in CURVES}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "points": list(self.points),
            "areas": self.areas,
            **{name: list(getattr(self, name)) for name in CURVES},
        }


CURVES = ("deletion", "insertion", "random_deletion", "random_insertion")


def check_trust(
    classifier: Classifier,
    pixels: Tensor,
    values: Tensor,
    target: Target,
    progress: Progress | None = None,
    seed: int = 0,
) -> Trust:
    """The curves of the map `values` (H, W) for the picture `pixels`, uint8 (3, H, W)."""
    orders = [order_of(values), *random_orders(RANDOM, seed)]
    pictures = torch.cat([way(pixels, order, back) for order in orders for back in (False, True)])
    shares = target.share(judged(classifier, pictures, progress, tr("taking the picture apart"), (0.5, 1)))
    curves = shares.view(len(orders), 2, POINTS)
    random = curves[1:].mean(0)
    points = tuple(step / (POINTS - 1) for step in range(POINTS))
    rows = (curves[0, 0], curves[0, 1], random[0], random[1])
    return Trust(points, *(tuple(row.tolist()) for row in rows))


def area(curve: tuple[float, ...]) -> float:
    """The mean height under a curve of evenly spaced points."""
    return (sum(curve) - (curve[0] + curve[-1]) / 2) / (len(curve) - 1)


def order_of(values: Tensor) -> Tensor:
    """The squares, numbered row by row, from the one that counts most on."""
    return F.adaptive_avg_pool2d(values[None], (SQUARES, SQUARES)).flatten().argsort(descending=True, stable=True)


def random_orders(count: int, seed: int) -> list[Tensor]:
    """The same ones for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randperm(SQUARES**2, generator=generator) for _ in range(count)]


def way(pixels: Tensor, order: Tensor, back: bool) -> Tensor:
    """uint8 (`POINTS`, 3, H, W): the picture with more and more of its squares gone, or (`back`) come."""
    rank = torch.empty(SQUARES**2)
    rank[order] = torch.arange(SQUARES**2, dtype=torch.float32)
    ranks = F.interpolate(rank.view(1, 1, SQUARES, SQUARES), size=tuple(pixels.shape[1:]), mode="nearest")[0]
    steps = torch.linspace(0, SQUARES**2, POINTS).view(-1, 1, 1, 1)
    changed = ranks < steps  # (points, 1, H, W)
    gone = baseline(pixels)
    return torch.where(changed, pixels, gone) if back else torch.where(changed, gone, pixels)
