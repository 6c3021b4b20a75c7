"""The network as it answers many images fastest: the same function, rearranged."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from googlenet.models.blocks import ConvBlock
from googlenet.models.googlenet import GoogLeNet


def fold(model: GoogLeNet, dtype: torch.dtype = torch.float32) -> GoogLeNet:
    """A copy of `model` for evaluation alone, whose batch norms are part of the convolutions before them.

    With fixed statistics a batch norm multiplies and shifts each channel, which weights and a bias can do as well. The
    layers compute in `dtype`, the last one in float32, so that logits stay apart; answers are those of `model` within
    rounding. Takes float32 (N, C, H, W).
    """
    folded = copy.deepcopy(model).eval().requires_grad_(False)
    for module in list(folded.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, ConvBlock):
                setattr(module, name, FoldedConv(child))
            elif isinstance(child, nn.LocalResponseNorm):  # torch's has no bfloat16 on a CPU
                setattr(module, name, nn.Sequential(_To(torch.float32), child, _To(dtype)))
    folded.to(dtype).to(memory_format=torch.channels_last)
    first = next(layer.name for layer in model.config.layers)
    setattr(folded, first, nn.Sequential(_To(dtype), getattr(folded, first)))
    folded.dropout, folded.fc = _To(torch.float32), folded.fc.float()  # dropout does nothing in evaluation
    return folded


class FoldedConv(nn.Module):
    """What a `ConvBlock` in evaluation does, as one convolution with a bias: (N, in, H, W) → (N, out, H', W')."""

    def __init__(self, block: ConvBlock) -> None:
        super().__init__()
        conv, norm = block.conv, block.bn
        weight = conv.weight.detach()
        bias = weight.new_zeros(conv.out_channels) if conv.bias is None else conv.bias
        if norm is not None:
            scale = norm.weight * (norm.get_buffer("running_var") + norm.eps).rsqrt()
            weight, bias = weight * scale[:, None, None, None], norm.bias - norm.get_buffer("running_mean") * scale
        self.weight = nn.Parameter(weight.clone(), requires_grad=False)
        self.bias = nn.Parameter(bias.detach().clone(), requires_grad=False)
        self.stride, self.padding, self.relu = conv.stride, [int(side) for side in conv.padding], block.relu

    def forward(self, x: Tensor) -> Tensor:
        if self.relu and x.is_cuda and torch.version.cuda:  # bias and ReLU in the same pass over the memory
            return torch.cudnn_convolution_relu(x, self.weight, self.bias, self.stride, self.padding, (1, 1), 1)
        y = F.conv2d(x, self.weight, self.bias, self.stride, self.padding)
        return F.relu(y, inplace=True) if self.relu else y


class _To(nn.Module):
    """Passes its input on as another type."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        return x.to(self.dtype)
