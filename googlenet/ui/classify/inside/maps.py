"""Feature maps as pictures: the strongest of a step side by side in one PNG, and all of a branch in a grid.

One picture a step, whatever the number of maps: a browser lays out hundreds of images far slower than one.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from googlenet.ui.common.figures import BRANCH_COLOURS
from googlenet.ui.common.pictures import data_uri

if TYPE_CHECKING:  # torch takes over a second to import: the page comes first
    from torch import Tensor

LARGEST = 32  # pixels of a map in a sheet: larger ones are averaged down
LARGE = 128  # of one that is shown over the picture
GRID_MAP = 8  # of a map in the grid of all channels
GREY = "#94a3b8"  # outside of branches


class Tile(NamedTuple):
    """One map of a sheet: its channel, its mean over all places, and its largest value."""

    channel: int
    mean: float
    largest: float


class Sheet(NamedTuple):
    """The strongest maps of a step: `image` is a data address of all of them side by side."""

    image: str
    tiles: list[Tile]


class Grid(NamedTuple):
    """All maps of a step, in rows of `columns`; the channels count from left to right and down."""

    image: str
    columns: int
    rows: int
    channels: int


def strongest(maps: Tensor, count: int, branch: str = "") -> Sheet:
    """The `count` maps (of (C, H, W)) with the highest mean, strongest first, in one scale from 0 to their largest."""
    means = maps.mean((1, 2))
    chosen = means.argsort(descending=True)[:count]
    kept = _small(maps[chosen], LARGEST)
    tiles = [Tile(int(channel), means[channel].item(), maps[channel].max().item()) for channel in chosen.tolist()]
    return Sheet(data_uri(_painted(np.concatenate(list(kept), 1), branch)), tiles)


def grid(maps: Tensor, branch: str = "") -> Grid:
    """Every map of (C, H, W), each `GRID_MAP` pixels a side or less."""
    small = _small(maps, GRID_MAP)
    count, height, width = small.shape
    columns = min(count, max(8, math.ceil(math.sqrt(2 * count))))
    rows = math.ceil(count / columns)
    page = np.full((rows * (height + 1), columns * (width + 1)), np.nan, np.float32)
    for number, values in enumerate(small):
        row, column = divmod(number, columns)
        top, left = row * (height + 1), column * (width + 1)
        page[top : top + height, left : left + width] = values
    return Grid(data_uri(_painted(page, branch)), columns, rows, count)


def one(values: Tensor, branch: str = "") -> str:
    """One map (H, W) in a scale of its own, `LARGE` pixels a side or less."""
    return data_uri(_painted(_small(values[None], LARGE)[0], branch))


def _small(maps: Tensor, side: int) -> np.ndarray:
    if max(maps.shape[1:]) > side:
        from torch.nn import functional as F

        maps = F.adaptive_avg_pool2d(maps, (min(side, maps.shape[1]), min(side, maps.shape[2])))
    return maps.numpy()


def _painted(values: np.ndarray, branch: str) -> Image.Image:
    """From dark at 0 over the branch's colour to white at the largest; the gaps of a grid (NaN) are clear."""
    gaps = np.isnan(values)
    known = np.where(gaps, 0, values)
    top = float(np.quantile(known[~gaps], 0.998)) or float(known.max()) or 1.0
    share = np.clip(known / max(top, 1e-12), 0, 1) ** 0.7  # weak ones are seen, too
    image = Image.fromarray(np.where(gaps, 255, np.rint(254 * share)).astype(np.uint8), "P")
    image.putpalette(_palette(branch))
    image.info["transparency"] = 255
    return image


@functools.cache
def _palette(branch: str) -> bytes:
    colour = BRANCH_COLOURS.get(branch, GREY)
    stops = [[15, 17, 26], [int(colour[at : at + 2], 16) for at in (1, 3, 5)], [255, 255, 255]]
    shades = np.linspace(0, 2, 255)
    channels = [np.interp(shades, range(3), column) for column in zip(*stops, strict=True)]
    return np.rint(np.stack(channels, -1)).astype(np.uint8).tobytes() + bytes(3)
