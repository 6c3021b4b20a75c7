"""What every channel of a network looks for, kept in a file beside the weights."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig
from googlenet.errors import LabError, check_whole
from googlenet.inference.index.packing import About, intact, narrowest, pack, read_packed, stamps, unpack, write_packed
from googlenet.inference.index.strongest import KEPT, Walked
from googlenet.language import tr
from googlenet.models.profile import profile_network
from googlenet.models.weights import read_info

SUFFIX = ".index"  # no weights file's: what lists networks passes it over
KIND = "googlenet-lab-index-1"


class Top(NamedTuple):
    """A training image (its number in `content_order`), the place in the channel's map, and the value there."""

    image: int
    y: int
    x: int
    value: float


@dataclass(frozen=True, eq=False)
class Index:
    """What the layers of one network answer to its training images, over all of them.

    `means` has float32 (channels,) for every layer but the average pool and the linear one: means over images and
    places. `top` tells the strongest images of the layers that compute: convolutions and Inception modules.
    """

    about: About
    means: dict[str, Tensor]
    _columns: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]  # images, places, values, all (kept, channels)
    _sides: dict[str, tuple[int, int]]

    @property
    def layers(self) -> tuple[str, ...]:
        """Those with strongest images."""
        return tuple(self._columns)

    def top(self, layer: str, channel: int) -> tuple[Top, ...]:
        """The nine images with the highest value in `channel` of `layer`, one place each, the strongest first.

        Fewer where the data has fewer. Raises `LabError` for a layer or a channel that the index does not have.
        """
        if layer not in self._columns:
            sentence = tr(
                "The index has convolutions and Inception modules, but no {layer!r}: choose another.",
                layer=str(layer)[:40],
            )
            raise LabError(sentence, "layer")
        images, places, values = self._columns[layer]
        channel = check_whole(channel, "channel", 0, images.shape[1] - 1)
        width = self._sides[layer][1]
        return tuple(
            Top(int(image), *divmod(int(place), width), float(value))
            for image, place, value in zip(images[:, channel], places[:, channel], values[:, channel], strict=True)
        )


def index_path(weights: Path) -> Path:
    """Where the index of the weights file `weights` stands."""
    return weights.with_suffix(SUFFIX)


def load_index(weights: Path | str) -> Index | None:
    """The index beside the weights file `weights`; None where there is none.

    Kept in memory until either file changes. Raises `LabError` for one that is damaged or of other weights.
    """
    weights = Path(weights)
    found = stamps(index_path(weights), weights)
    return None if found is None else _load(weights, *found)


@functools.lru_cache(maxsize=4)
def _load(weights: Path, *stamp: int) -> Index:
    path = index_path(weights)
    shapes = layer_shapes(read_info(weights).network)
    tops = top_layers(read_info(weights).network)
    channels = sum(shapes[name][0] for name in tops)
    limit = 14 * KEPT * channels + 8 * sum(shape[0] for shape in shapes.values())
    about, tensors = read_packed(path, weights, KIND, limit)
    with intact(path, weights):
        kept = min(KEPT, about.count)
        largest = max(shapes[name][1] * shapes[name][2] for name in tops)
        table = kept, channels
        images = unpack(tensors["images"], narrowest(about.count), table)
        places = unpack(tensors["places"], narrowest(largest), table)
        values = _floats(np.cumsum(unpack(tensors["values"], np.uint16, table), 0, np.uint16))
        means = tensors["means"]
        sizes = np.concatenate([np.full(shapes[name][0], shapes[name][1] * shapes[name][2]) for name in tops])
        alike = np.diff(np.sort(images, axis=0), axis=0) == 0
        if (images >= about.count).any() or (places >= sizes).any() or alike.any():
            raise ValueError
        if not np.isfinite(values).all() or (np.diff(values, axis=0) > 0).any():
            raise ValueError
        if means.shape != (sum(shape[0] for shape in shapes.values()),) or means.dtype != np.float32:
            raise ValueError
        if not np.isfinite(means).all():
            raise ValueError
        by_layer = _parts(means[None], {name: shape[0] for name, shape in shapes.items()})
        widths = {name: shapes[name][0] for name in tops}
        split = [_parts(column, widths) for column in (images, places, values)]
    columns = {name: (split[0][name], split[1][name], split[2][name]) for name in tops}
    sides = {name: shapes[name][1:] for name in tops}
    return Index(about, {name: torch.from_numpy(part[0].copy()) for name, part in by_layer.items()}, columns, sides)


def write_index(weights: Path, about: About, walked: Walked) -> None:
    """Put what `walk_images` has found beside the weights file `weights`, whole or not at all."""
    shapes = layer_shapes(read_info(weights).network)
    tops = top_layers(read_info(weights).network)
    largest = max(shapes[name][1] * shapes[name][2] for name in tops)
    found = [walked.strongest[name] for name in tops]
    images = torch.cat([seen.images for seen in found], 1).cpu().numpy().astype(narrowest(about.count))
    places = torch.cat([seen.places for seen in found], 1).cpu().numpy().astype(narrowest(largest))
    bits = torch.cat([seen.values for seen in found], 1).cpu().bfloat16().view(torch.int16).numpy().view(np.uint16)
    tensors = {
        "images": pack(images),
        "places": pack(places),
        "values": pack(np.diff(bits, axis=0, prepend=np.uint16(0)).astype(np.uint16)),  # small steps down
        "means": torch.cat([walked.means[name] for name in shapes]).numpy(),
    }
    write_packed(index_path(weights), KIND, about, tensors)


def layer_shapes(network: GoogLeNetConfig) -> dict[str, tuple[int, int, int]]:
    """(C, H, W) of every layer before the average pool, for pictures of the network's own size."""
    totals = profile_network(network, network.input_size, network.input_size).by_layer()
    return {layer.name: totals[layer.name].out_shape for layer in network.layers}


def top_layers(network: GoogLeNetConfig) -> list[str]:
    """The layers whose channels look for something of their own: a pool's and a normalisation's do not."""
    return [layer.name for layer in network.layers if isinstance(layer, ConvConfig | InceptionConfig)]


def _floats(bits: np.ndarray) -> np.ndarray:
    """uint16 that are the upper halves of float32 (bfloat16) → float32: its range, three digits."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _parts(table: np.ndarray, widths: dict[str, int]) -> dict[str, np.ndarray]:
    """The columns of each name."""
    ends = np.cumsum(list(widths.values()))
    return dict(zip(widths, np.split(table, ends[:-1], axis=1), strict=True))
