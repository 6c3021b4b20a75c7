"""Shapes, parameters and multiply-adds of a module or a network, by arithmetic alone.

A slider drag asks sixty times a second, so nothing here builds a torch module or imports torch; the tests hold every
figure against torch's own. What is counted:

* parameters: weights, plus biases, plus the scale and shift of batch norm (its running statistics are not trained);
* multiply-adds of ONE image: kernel² · channels in · channels out · height · width of each convolution, and of linear
  layers with all those sizes 1. The paper's "ops" are these. Pools, norms, biases and activations count 0;
* activation memory: float32 bytes of every row's output for the whole batch, as if all were kept.

Activations and dropout change no shape and carry no parameters, so they have no row; batch norm is part of its
convolution's row.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from googlenet.config import (
    MAX_BATCH,
    MAX_SIZE,
    AuxConfig,
    ConvConfig,
    GoogLeNetConfig,
    InceptionConfig,
    LabError,
    Layer,
    LRNConfig,
    PoolConfig,
    check_whole,
)

Shape = tuple[int, int, int]  # channels, height, width of one image

BRANCHES = ("1×1", "3×3", "5×5", "pool")
COUNTING = (
    "Multiply-adds are for one image: kernel² × channels in × channels out × height × width; pools, norms, biases and "
    "activations count 0. Parameters include biases and batch norm's scale and shift."
)
FLOAT32_BYTES = 4


@dataclass(frozen=True)
class Row:
    """One layer. Shapes are (C, H, W) of one image, linear layers (C, 1, 1); a layer without a window has kernel 0."""

    name: (
        str  # torch's dotted name: inception3a.branch2.1; a concatenation, which is no torch module: inception3a.concat
    )
    label: str  # for people: 3×3 convolution
    branch: str  # 1×1, 3×3, 5×5, pool; "" outside branches
    kernel: int
    stride: int
    padding: int
    in_shape: Shape
    out_shape: Shape
    params: int
    macs: int  # of one image
    activation_bytes: int  # of the whole batch
    aux: bool = False  # in an auxiliary head, which only training runs

    @property
    def in_channels(self) -> int:
        """Channels (or features) that arrive."""
        return self.in_shape[0]

    @property
    def out_channels(self) -> int:
        """Channels (or features) that leave."""
        return self.out_shape[0]

    @property
    def layer(self) -> str:
        """The part of the network that the row belongs to: inception3a for inception3a.branch2.1."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Sums:
    """Totals over some rows, and the shape (C, H, W) that leaves the last of them."""

    params: int
    macs: int
    activation_bytes: int
    out_shape: Shape


@dataclass(frozen=True)
class Profile:
    """All rows in the order they run, for a batch of `batch` images of `in_shape` (C, H, W).

    `params` counts the auxiliary heads, as they are in the model; `macs` and `activation_bytes` are those of
    classifying, which does not run them.
    """

    rows: tuple[Row, ...]
    batch: int
    in_shape: Shape
    out_shape: Shape

    @property
    def params(self) -> int:
        """Trained numbers, auxiliary heads included: torch's sum(p.numel() for p in model.parameters())."""
        return sum(row.params for row in self.rows)

    @property
    def macs(self) -> int:
        """Multiply-adds to classify one image."""
        return sum(row.macs for row in self.rows if not row.aux)

    @property
    def activation_bytes(self) -> int:
        """Bytes of every output of a batch, auxiliary heads left out."""
        return sum(row.activation_bytes for row in self.rows if not row.aux)

    @property
    def aux_params(self) -> int:
        """The auxiliary heads' part of `params`."""
        return sum(row.params for row in self.rows if row.aux)

    @property
    def aux_macs(self) -> int:
        """Multiply-adds that the auxiliary heads add to one image in training."""
        return sum(row.macs for row in self.rows if row.aux)

    def by_branch(self) -> dict[str, Sums]:
        """Sums per branch (1×1, 3×3, 5×5, pool), without stem, concatenations and head."""
        return _sums((row.branch, row) for row in self.rows if row.branch)

    def by_layer(self) -> dict[str, Sums]:
        """Sums per layer of the network (conv1, inception3a, fc, aux1), in order."""
        return _sums((row.layer, row) for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: totals, the rows, and what is counted."""
        return {
            "in_shape": self.in_shape,
            "out_shape": self.out_shape,
            "batch": self.batch,
            "params": self.params,
            "macs": self.macs,
            "activation_bytes": self.activation_bytes,
            "aux_params": self.aux_params,
            "aux_macs": self.aux_macs,
            "counting": COUNTING,
            "rows": [dataclasses.asdict(row) for row in self.rows],
        }


def profile_module(
    config: InceptionConfig, height: int, width: int, batch: int = 1, *, batch_norm: bool = False
) -> Profile:
    """One Inception module on a (batch, config.in_channels, height, width) input.

    Raises `LabError` for a height or width outside 1–1024 or a batch outside 1–4096.
    """
    height, width, batch = _check_input(height, width, batch)
    in_shape = (config.in_channels, height, width)
    table = _Table(batch, batch_norm)
    out_shape = table.inception(config, in_shape)
    return Profile(tuple(table.rows), batch, in_shape, out_shape)


def profile_network(
    config: GoogLeNetConfig, height: int | None = None, width: int | None = None, batch: int = 1
) -> Profile:
    """A whole network on a (batch, config.in_channels, height, width) input; `config.input_size` where a side is None.

    Raises `LabError` for an input out of range, too small for one of the layers, or of other size than a network
    without average pool was built for.
    """
    height, width, batch = _check_input(
        config.input_size if height is None else height, config.input_size if width is None else width, batch
    )
    config.channels_after()
    shape = in_shape = (config.in_channels, height, width)
    table = _Table(batch, config.batch_norm)
    for layer in config.layers:
        shape = table.layer(layer, shape)
        for head in config.aux:
            if head.after == layer.name:
                table.aux_head(head, shape, config.num_classes)
    out_shape = table.head(config, shape)
    profile = Profile(tuple(table.rows), batch, in_shape, out_shape)
    if (height, width) != (config.input_size, config.input_size) and (config.aux or not config.average_pool):
        _check_linear(profile, profile_network(config))
    return profile


class _Table:
    """Walks an image through layers and writes a row for each; every method returns the shape that leaves."""

    def __init__(self, batch: int, batch_norm: bool) -> None:
        self.rows: list[Row] = []
        self.batch, self.batch_norm = batch, batch_norm

    def add(
        self, name: str, label: str, in_shape: Shape, out_shape: Shape, *, window: tuple[int, int, int] = (0, 0, 0),
        branch: str = "", params: int = 0, macs: int = 0, aux: bool = False,
    ) -> Shape:  # fmt: skip
        activation_bytes = FLOAT32_BYTES * self.batch * math.prod(out_shape)
        self.rows.append(Row(name, label, branch, *window, in_shape, out_shape, params, macs, activation_bytes, aux))
        return out_shape

    def conv(
        self, name: str, shape: Shape, out_channels: int, kernel: int, stride: int = 1, padding: int = 0,
        *, branch: str = "", aux: bool = False,
    ) -> Shape:  # fmt: skip
        window = (kernel, stride, padding)
        out_shape = (out_channels, *_slide(name, shape[1:], *window))
        weights = kernel * kernel * shape[0] * out_channels
        macs = weights * out_shape[1] * out_shape[2]
        params = weights + out_channels * (2 if self.batch_norm else 1)
        label = f"{kernel}×{kernel} convolution"
        return self.add(name, label, shape, out_shape, window=window, branch=branch, params=params, macs=macs, aux=aux)

    def pool(
        self, name: str, shape: Shape, kernel: int, stride: int, padding: int = 0,
        *, kind: str = "max", ceil_mode: bool = False, branch: str = "", aux: bool = False,
    ) -> Shape:  # fmt: skip
        window = (kernel, stride, padding)
        out_shape = (shape[0], *_slide(name, shape[1:], *window, ceil_mode))
        return self.add(name, f"{kernel}×{kernel} {kind} pool", shape, out_shape, window=window, branch=branch, aux=aux)

    def linear(self, name: str, features: int, out_features: int, *, aux: bool = False) -> Shape:
        macs = features * out_features
        shape, out_shape = (features, 1, 1), (out_features, 1, 1)
        return self.add(name, "linear", shape, out_shape, params=macs + out_features, macs=macs, aux=aux)

    def inception(self, config: InceptionConfig, shape: Shape, prefix: str = "") -> Shape:
        def branch_conv(branch: str, step: str, arriving: Shape, channels: int, kernel: int) -> Shape:
            name = f"{prefix}branch{BRANCHES.index(branch) + 1}{step}"
            return self.conv(name, arriving, channels, kernel, padding=kernel // 2, branch=branch)

        branch_conv("1×1", "", shape, config.ch1x1, 1)
        if config.naive:
            branch_conv("3×3", "", shape, config.ch3x3, 3)
            single = config.ch5x5_convs == 1
            arriving = branch_conv("5×5", "" if single else ".0", shape, config.ch5x5, config.ch5x5_kernel)
            if not single:
                branch_conv("5×5", ".1", arriving, config.ch5x5, config.ch5x5_kernel)
            self.pool(f"{prefix}branch4", shape, 3, 1, 1, branch="pool")
        else:
            branch_conv("3×3", ".1", branch_conv("3×3", ".0", shape, config.ch3x3red, 1), config.ch3x3, 3)
            arriving = branch_conv("5×5", ".0", shape, config.ch5x5red, 1)
            for step in range(1, config.ch5x5_convs + 1):
                arriving = branch_conv("5×5", f".{step}", arriving, config.ch5x5, config.ch5x5_kernel)
            pooled = self.pool(f"{prefix}branch4.0", shape, 3, 1, 1, branch="pool")
            branch_conv("pool", ".1", pooled, config.pool_proj, 1)
        joined = (config.out_channels, *shape[1:])
        return self.add(f"{prefix}concat", "concatenation", joined, joined)

    def layer(self, layer: Layer, shape: Shape) -> Shape:
        match layer:
            case ConvConfig():
                return self.conv(layer.name, shape, layer.out_channels, layer.kernel, layer.stride, layer.padding)
            case PoolConfig():
                window = (layer.kernel, layer.stride, layer.padding)
                return self.pool(layer.name, shape, *window, ceil_mode=layer.ceil_mode)
            case LRNConfig():
                return self.add(layer.name, "local response norm", shape, shape)
            case InceptionConfig():
                return self.inception(layer, shape, f"{layer.name}.")

    def aux_head(self, head: AuxConfig, shape: Shape, num_classes: int) -> Shape:
        pool = f"{head.name}.avgpool"
        if head.adaptive:
            label = f"average pool to {head.adaptive}×{head.adaptive}"
            shape = self.add(pool, label, shape, (shape[0], head.adaptive, head.adaptive), aux=True)
        else:
            shape = self.pool(pool, shape, 5, 3, kind="average", aux=True)
        shape = self.conv(f"{head.name}.conv", shape, head.channels, 1, aux=True)
        self.linear(f"{head.name}.fc1", math.prod(shape), head.hidden, aux=True)
        return self.linear(f"{head.name}.fc2", head.hidden, num_classes, aux=True)

    def head(self, config: GoogLeNetConfig, shape: Shape) -> Shape:
        if config.average_pool:
            shape = self.add("avgpool", "average pool", shape, (shape[0], 1, 1))
        return self.linear("fc", math.prod(shape), config.num_classes)


def _slide(
    name: str, size: tuple[int, int], kernel: int, stride: int, padding: int, ceil_mode: bool = False
) -> tuple[int, int]:
    """(height, width) after a window slides over a (height, width) map; raises `LabError` where it does not fit."""
    out = tuple(_positions(side, kernel, stride, padding, ceil_mode) for side in size)
    if min(out) < 1:
        raise LabError(
            f"A {size[0]}×{size[1]} map reaches {name}, too small for its {kernel}×{kernel} window: use larger images."
        )
    return out


def _positions(side: int, kernel: int, stride: int, padding: int, ceil_mode: bool) -> int:
    room = side + 2 * padding - kernel
    if not ceil_mode:
        return room // stride + 1
    count = -(-room // stride) + 1
    # torch drops a last window that would start in the right padding, where it would see no pixel at all.
    return count - 1 if (count - 1) * stride >= side + padding else count


def _check_input(height: Any, width: Any, batch: Any) -> tuple[int, int, int]:
    return (
        check_whole(height, "height", 1, MAX_SIZE),
        check_whole(width, "width", 1, MAX_SIZE),
        check_whole(batch, "batch", 1, MAX_BATCH),
    )


def _check_linear(profile: Profile, built: Profile) -> None:
    """Raise `LabError` where more or fewer features reach a linear layer than the network was `built` with."""
    for row, expected in zip(profile.rows, built.rows, strict=True):
        if row.label == "linear" and row.in_channels != expected.in_channels:
            raise LabError(
                f"{row.name} takes {expected.in_channels:,} features, what {_size(built)} images give, but "
                f"{_size(profile)} images give {row.in_channels:,}: use {_size(built)} images."
            )


def _size(profile: Profile) -> str:
    return f"{profile.in_shape[1]}×{profile.in_shape[2]}"


def _sums(keyed: Iterable[tuple[str, Row]]) -> dict[str, Sums]:
    groups: dict[str, list[Row]] = {}
    for key, row in keyed:
        groups.setdefault(key, []).append(row)
    return {
        key: Sums(
            sum(row.params for row in rows),
            sum(row.macs for row in rows),
            sum(row.activation_bytes for row in rows),
            rows[-1].out_shape,
        )
        for key, rows in groups.items()
    }
