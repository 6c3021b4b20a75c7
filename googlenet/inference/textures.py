"""What textures pictures of the classes usually have, as the network sees them: kept beside its classes' directions.

The means over places of an early module's maps say how much of which edge, grain and colour a picture has, and nothing
of what it shows. Drawings, text and many photographs of other things differ there while the last layer, which keeps
only what tells the classes apart, takes them for one of its own (Lee et al. 2018 measure distances at several depths).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from googlenet.config import GoogLeNetConfig, InceptionConfig
from googlenet.errors import is_number
from googlenet.inference.packed import pack, unpack

if TYPE_CHECKING:
    from torch import Tensor

DIRECTIONS = 40  # at most, and one for every so many images that they are fitted on:
IMAGES_A_DIRECTION = 20
LIMIT = 60_000  # bytes of all that in a weights file, before base64 makes four thirds of them
VARIANCES = 1e-6, 6e4  # which float16 holds
LEAST = 1e-3  # of the deviations' mean: a channel that never answers must not divide by nothing
PARTS = ("mean", "deviation", "directions", "variances")


@dataclass(frozen=True, eq=False)
class Textures:
    """Where and how far the means (E,) of pictures of the classes lie.

    In units of each channel's `deviation` (E,) around `mean` (E,), they differ most along `directions` (K, E), of
    length 1, by `variances` (K,), and by `rest` across all others together. `share` is what one unit of distance adds
    to a score.
    """

    mean: np.ndarray
    deviation: np.ndarray
    directions: np.ndarray
    variances: np.ndarray
    rest: float
    share: float

    def distance(self, means: Tensor) -> Tensor:
        """Means (..., E) → (...): the square root of the mean square along the directions plus that across them."""
        import torch

        mean, deviation, directions, variances = (
            torch.from_numpy(getattr(self, part)).to(means.device) for part in PARTS
        )
        units = (means.float() - mean) / deviation
        along = units @ directions.T
        across = (units.square().sum(-1) - along.square().sum(-1)).clamp_min(0)
        return ((along.square() / variances).mean(-1) + across / self.rest).sqrt()

    def to_facts(self) -> dict[str, Any]:
        """Plain JSON types; the arrays as float16 in base64."""
        packed = {part: pack(getattr(self, part)) for part in PARTS}
        return {**packed, "rest": self.rest, "share": self.share}


def early_module(network: GoogLeNetConfig) -> str | None:
    """The module a third of the way through the network, which is 4a in the paper's; None where there are under four.

    Of 3a to 5b it tells CIFAR-100 from CIFAR-10 best, by this distance alone: see benchmarks/RECIPES.md.
    """
    modules = [layer.name for layer in network.layers if isinstance(layer, InceptionConfig)]
    return modules[(len(modules) - 1) // 3] if len(modules) > 3 else None


def fit_textures(means: Tensor, room: int = LIMIT) -> Textures | None:
    """Textures from means (N, E), with `share` 0, of `room` bytes at most; None where they could say nothing."""
    import torch

    count, wide = means.shape
    kept = min(DIRECTIONS, count // IMAGES_A_DIRECTION, wide - 1, min(room, LIMIT) // (2 * max(1, wide)) - 3)
    if kept < 1 or not means.isfinite().all():
        return None
    mean, deviation = means.mean(0), means.std(0)
    deviation = deviation.clamp_min(LEAST * deviation.mean().item())
    if not deviation.min() > 0:
        return None
    mean, deviation = _rounded(mean), _rounded(deviation).clamp_min(1e-7)
    units = (means - mean) / deviation
    _, values, directions = torch.linalg.svd(units, full_matrices=False)
    directions, variances = _rounded(directions[:kept]), _rounded((values[:kept].square() / count).clamp(*VARIANCES))
    rest = (units.square().sum(1) - (units @ directions.T).square().sum(1)).mean().item()
    if not rest > 1e-6:
        return None
    return Textures(mean.numpy(), deviation.numpy(), directions.numpy(), variances.numpy(), rest, 0.0)


def read_textures(said: Any) -> Textures | None:
    """What `to_facts` made; None for what is not sound. Raises what `unpack` does, for text that is none of its own."""
    mean, deviation, directions, variances = (unpack(said[part], LIMIT) for part in PARTS)
    rest, share = said["rest"], said["share"]
    if not (is_number(rest, 1e-6, 1e12) and is_number(share, 0, 1e6) and len(mean) and deviation.shape == mean.shape):
        return None
    # Numbers that no fit gives would make a distance that is none: infinite, or NaN.
    if not (deviation.min() > 0 and variances.min() > VARIANCES[0] / 2 and np.abs(directions).max() < 1.01):
        return None
    return Textures(
        mean, deviation, directions.reshape(len(variances), len(mean)), variances, float(rest), float(share)
    )


def _rounded(numbers: Tensor) -> Tensor:
    """As they will be when read from a file."""
    return numbers.half().float().contiguous()
