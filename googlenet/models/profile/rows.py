"""The rows of a profile: what each layer does to the shape of one image, what it holds and what it computes.

`googlenet.models.profile` says what is counted, and adds the rows up.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from googlenet.config import AuxConfig, ConvConfig, GoogLeNetConfig, InceptionConfig, Layer, LRNConfig, PoolConfig
from googlenet.language import mark, tr
from googlenet.models.profile.windows import padding_share, slide

Shape = tuple[int, int, int]  # channels, height, width of one image

BRANCHES = ("1×1", "3×3", "5×5", mark("pool"))
# Every `Row.label` there is; {size} is such as 3×3.
LABELS = (
    mark("{size} convolution"),
    mark("{size} max pool"),
    mark("{size} average pool"),
    mark("average pool to {size}"),
    mark("average pool"),
    mark("linear"),
    mark("concatenation"),
    mark("local response norm"),
)
FLOAT32_BYTES = 4
AUX_WINDOW = 5  # of the paper's average pool in an auxiliary head


@dataclass(frozen=True)
class Row:
    """One layer. Shapes are (C, H, W) of one image, linear layers (C, 1, 1); a layer without a window has kernel 0."""

    name: str  # torch's dotted name: inception3a.branch2.1; for a concatenation, no torch module: inception3a.concat
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
    def words(self) -> str:
        """`label` in the reader's language; `tr(row.branch)` is the branch."""
        size = re.search(r"\d+×\d+", self.label)
        return tr(self.label.replace(size[0], "{size}"), size=size[0]) if size else tr(self.label)

    @property
    def in_channels(self) -> int:
        """Channels (or features) that arrive."""
        return self.in_shape[0]

    @property
    def out_channels(self) -> int:
        """Channels (or features) that leave."""
        return self.out_shape[0]

    @property
    def padding_share(self) -> float:
        """How many of the window's taps, over all its positions, see padding instead of the map, from 0 to 1."""
        if not self.kernel:
            return 0.0
        return padding_share(self.in_shape[1:], self.out_shape[1:], self.kernel, self.stride, self.padding)

    @property
    def layer(self) -> str:
        """The part of the network that the row belongs to: inception3a for inception3a.branch2.1."""
        return self.name.partition(".")[0]


class Table:
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
        out_shape = (out_channels, *slide(name, shape[1:], *window))
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
        out_shape = (shape[0], *slide(name, shape[1:], *window, ceil_mode))
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
            shape = self.pool(pool, shape, AUX_WINDOW, 3, kind="average", aux=True)
        shape = self.conv(f"{head.name}.conv", shape, head.channels, 1, aux=True)
        self.linear(f"{head.name}.fc1", math.prod(shape), head.hidden, aux=True)
        return self.linear(f"{head.name}.fc2", head.hidden, num_classes, aux=True)

    def head(self, config: GoogLeNetConfig, shape: Shape) -> Shape:
        if config.average_pool:
            shape = self.add("avgpool", "average pool", shape, (shape[0], 1, 1))
        return self.linear("fc", math.prod(shape), config.num_classes)
