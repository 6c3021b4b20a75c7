"""The parts of GoogLeNet, in torchvision's words and with torchvision's parameter names.

Szegedy et al., "Going deeper with convolutions" (2015): figure 2a is `InceptionNaive`, figure 2b `Inception`,
section 5 `AuxiliaryClassifier`. All of them take (N, C, H, W) or one image (C, H, W).
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from googlenet.models.fast.merged import merged_pointwise, merging_pays
from googlenet.models.fast.ordered import MaxPool
from googlenet.models.fast.products import convolve

BN_EPS = 1e-3  # torchvision's, from the original training; torch's default is 1e-5


class ConvBlock(nn.Module):
    """Convolution, optional batch norm, optional ReLU: (N, in, H, W) → (N, out, H', W').

    The convolution has a bias exactly when there is no batch norm. Further keywords go to `nn.Conv2d`.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, batch_norm: bool = False, relu: bool = True, **conv: Any
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=not batch_norm, **conv)
        self.bn = nn.BatchNorm2d(out_channels, eps=BN_EPS) if batch_norm else None
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        x = convolve(self.conv, x)
        if self.bn is not None:  # unlike a convolution, it refuses an image without a batch axis
            x = self.bn(x) if x.dim() == 4 else self.bn(x[None])[0]
        return F.relu(x, inplace=True) if self.relu else x


def _keeping(batch_norm: bool, inside: int, outside: int, kernel: int) -> ConvBlock:
    """A convolution that keeps the size of its map."""
    return ConvBlock(inside, outside, batch_norm=batch_norm, kernel_size=kernel, padding=kernel // 2)


class InceptionNaive(nn.Module):
    """1×1, 3×3 and 5×5 convolutions and a 3×3 max pool side by side, concatenated (figure 2a).

    (N, in, H, W) → (N, ch1x1 + ch3x3 + ch5x5 + in, H, W).
    """

    def __init__(
        self,
        in_channels: int,
        ch1x1: int,
        ch3x3: int,
        ch5x5: int,
        *,
        batch_norm: bool = False,
        ch5x5_kernel: int = 5,
        ch5x5_convs: int = 1,
    ) -> None:
        super().__init__()
        conv = partial(_keeping, batch_norm)
        self.branch1 = conv(in_channels, ch1x1, 1)
        self.branch2 = conv(in_channels, ch3x3, 3)
        fives = [conv(inside, ch5x5, ch5x5_kernel) for inside in (in_channels, ch5x5)[:ch5x5_convs]]
        self.branch3 = fives[0] if ch5x5_convs == 1 else nn.Sequential(*fives)
        # nn.MaxPool2d's stride defaults to its kernel size, which would shrink this branch alone.
        self.branch4 = MaxPool(kernel_size=3, stride=1, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=-3)


class Inception(nn.Module):
    """The module with 1×1 reductions before the large kernels and after the pool (figure 2b).

    (N, in, H, W) → (N, ch1x1 + ch3x3 + ch5x5 + pool_proj, H, W). `ch5x5_kernel=3` gives torchvision's variant, with
    `ch5x5_convs=2` Inception v2's: two 3×3 in a row, which see what one 5×5 sees.
    """

    def __init__(
        self,
        in_channels: int,
        ch1x1: int,
        ch3x3red: int,
        ch3x3: int,
        ch5x5red: int,
        ch5x5: int,
        pool_proj: int,
        *,
        batch_norm: bool = False,
        ch5x5_kernel: int = 5,
        ch5x5_convs: int = 1,
    ) -> None:
        super().__init__()
        conv = partial(_keeping, batch_norm)
        self.branch1 = conv(in_channels, ch1x1, 1)
        self.branch2 = nn.Sequential(conv(in_channels, ch3x3red, 1), conv(ch3x3red, ch3x3, 3))
        fives = [conv(inside, ch5x5, ch5x5_kernel) for inside in (ch5x5red, ch5x5)[:ch5x5_convs]]
        self.branch3 = nn.Sequential(conv(in_channels, ch5x5red, 1), *fives)
        pool = MaxPool(kernel_size=3, stride=1, padding=1)  # stride 1: see InceptionNaive
        self.branch4 = nn.Sequential(pool, conv(in_channels, pool_proj, 1))

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and merging_pays(x)):
            return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=-3)
        firsts = [self.branch1, self.branch2[0], self.branch3[0]]
        one, three, five = merged_pointwise(x, cast("list[ConvBlock]", firsts))
        for block in range(1, len(self.branch2)):
            three = self.branch2[block](three)
        for block in range(1, len(self.branch3)):
            five = self.branch3[block](five)
        return torch.cat([one, three, five, self.branch4(x)], dim=-3)


class AuxiliaryClassifier(nn.Module):
    """A classifier in the middle of the network, which feeds gradient to the layers before it (section 5).

    (N, in, H, W) → (N, num_classes): average pool, 1×1 convolution, two linear layers with ReLU and dropout between.
    `adaptive=0` is the paper's 5×5 pool at stride 3 (14×14 → 4×4), n averages any map to n×n. `size` is the (H, W)
    of the map it sits on.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        *,
        size: tuple[int, int] = (14, 14),
        channels: int = 128,
        hidden: int = 1024,
        dropout: float = 0.7,
        adaptive: int = 0,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.adaptive = adaptive
        height, width = (adaptive, adaptive) if adaptive else ((side - 5) // 3 + 1 for side in size)
        self.conv = ConvBlock(in_channels, channels, batch_norm=batch_norm, kernel_size=1)
        self.fc1 = nn.Linear(channels * height * width, hidden)
        self.fc2 = nn.Linear(hidden, num_classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(self._pool(x)).flatten(start_dim=-3)
        return self.fc2(self.dropout(F.relu(self.fc1(x), inplace=True)))

    def _pool(self, x: Tensor) -> Tensor:
        if not self.adaptive:
            return F.avg_pool2d(x, 5, stride=3)
        height, width = x.shape[-2:]
        if height % self.adaptive or width % self.adaptive:
            return F.adaptive_avg_pool2d(x, self.adaptive)
        # The same means; torch has no deterministic backward pass of the adaptive pool for GPUs.
        return F.avg_pool2d(x, (height // self.adaptive, width // self.adaptive))
