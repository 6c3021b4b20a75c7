"""Convolutions as matrix products, for training on a CPU: the same results, without the padding's share of the work.

On a map of H×W a size-keeping k×k convolution spends H·W·k·k products on each pair of channels, most of them on
padding where the map is small (84% of a 5×5's at 2×2). The linear layer from all input positions to all output
positions that it equals needs (H·W)², and a matrix product comes closer to the processor's peak besides.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SMALLEST_BATCH = 64  # below it, laying out the matrix costs more than it saves


def convolve(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """`conv(x)`, in training on a CPU by whichever way is faster; results and gradients are equal up to rounding.

    Measured: in bfloat16 the product wins from the 1×1 on, in float32 only where it has half the arithmetic.
    """
    if not (conv.training and x.device.type == "cpu" and x.dim() == 4 and len(x) >= SMALLEST_BATCH):
        return conv(x)
    kernel, area = conv.kernel_size[0], x.shape[2] * x.shape[3]
    pays = linear_pays(x) if kernel == 1 else area * (1 if _in_half(x) else 2) < kernel**2
    if not (pays and _keeps_size(conv)):
        return conv(x)
    return pointwise(x, conv.weight, conv.bias) if kernel == 1 else _dense(conv, x)


def linear_pays(x: Tensor) -> bool:
    """Whether a 1×1 convolution of `x` (N, C, H, W) is faster as a linear layer, in training on a CPU."""
    return x.device.type == "cpu" and len(x) >= SMALLEST_BATCH and _in_half(x)


def _in_half(x: Tensor) -> bool:
    return torch.is_autocast_enabled("cpu") or x.dtype == torch.bfloat16


def _keeps_size(conv: nn.Conv2d) -> bool:
    kernel = conv.kernel_size[0]
    plain = conv.stride == conv.dilation == (1, 1) and conv.groups == 1
    return plain and conv.kernel_size == (kernel, kernel) and conv.padding == (kernel // 2,) * 2 and kernel % 2 == 1


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A 1×1 convolution is one linear layer for every position."""
    return F.linear(x.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)


def _dense(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """The linear layer from (H, W, in) to (H, W, out): output (i, j) sees input (y, x) through tap (y − i, x − j)."""
    count, channels, height, width = x.shape
    out, pad = conv.out_channels, conv.kernel_size[0] // 2
    across, down = width - 1 - pad, height - 1 - pad
    taps = F.pad(conv.weight.permute(0, 2, 3, 1), (0, 0, across, across, down, down))  # cut where negative
    seen = [
        taps[:, height - 1 - i : 2 * height - 1 - i, width - 1 - j : 2 * width - 1 - j]
        for i in range(height)
        for j in range(width)
    ]
    matrix = torch.stack(seen).view(height * width * out, height * width * channels)
    bias = None if conv.bias is None else conv.bias.repeat(height * width)
    y = F.linear(x.permute(0, 2, 3, 1).reshape(count, -1), matrix, bias)
    return y.view(count, height, width, out).permute(0, 3, 1, 2)
