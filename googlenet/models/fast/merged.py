"""Convolutions that read the same map, as one: for training on a GPU, which waits for memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from googlenet.models.blocks import ConvBlock


def merged_pointwise(x: Tensor, blocks: list[ConvBlock]) -> tuple[Tensor, ...]:
    """What each of `blocks`, 1×1 convolutions that all read `x` (N, C, H, W), gives: one convolution reads it once.

    The weights stay where they are, under their own names; results and gradients are those of the blocks themselves.
    """
    widths = [block.conv.out_channels for block in blocks]
    biases = [block.conv.bias for block in blocks if block.conv.bias is not None]
    y = F.conv2d(x, torch.cat([block.conv.weight for block in blocks]), torch.cat(biases) if biases else None)
    norms = [block.bn for block in blocks if block.bn is not None]
    if norms:
        y = _merged_batch_norm(y, norms, widths)
    return F.relu(y, inplace=True).split(widths, dim=1)


def _merged_batch_norm(y: Tensor, norms: list[nn.BatchNorm2d], widths: list[int]) -> Tensor:
    weight, bias = torch.cat([norm.weight for norm in norms]), torch.cat([norm.bias for norm in norms])
    mean, var = (torch.cat([norm.get_buffer(name) for norm in norms]) for name in ("running_mean", "running_var"))
    training, momentum = norms[0].training, norms[0].momentum or 0.0
    y = F.batch_norm(y, mean, var, weight, bias, training, momentum, norms[0].eps)
    if training:
        for norm, new_mean, new_var in zip(norms, mean.split(widths), var.split(widths), strict=True):
            norm.get_buffer("running_mean").copy_(new_mean)
            norm.get_buffer("running_var").copy_(new_var)
            norm.get_buffer("num_batches_tracked").add_(1)
    return y
