"""Max pooling whose gradient is added up in a fixed order: what a GPU takes to give the same bits every time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class MaxPool(nn.MaxPool2d):
    """torch's max pool, with a backward pass that gives the same bits every time where that is asked for.

    torch adds up a GPU's gradients in the order in which they arrive, so its own refuses to run deterministically.
    """

    def forward(self, input: Tensor) -> Any:
        if torch.are_deterministic_algorithms_enabled() and input.is_cuda and input.requires_grad:
            return _OrderedMaxPool.apply(input, self.kernel_size, self.stride, self.padding, self.ceil_mode)
        return super().forward(input)


class _OrderedMaxPool(torch.autograd.Function):
    """Backward adds the gradient window position by window position: always in the same order."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: int, stride: int, padding: int, ceil_mode: bool) -> Tensor:
        y, index = F.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil_mode, return_indices=True)
        ctx.save_for_backward(index)
        ctx.size, ctx.window = x.shape, (kernel, stride, padding)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (index,), (grad,) = ctx.saved_tensors, grads
        kernel, stride, padding = ctx.window
        _, _, height, width = ctx.size
        down, across = grad.shape[-2:]
        rows = torch.arange(down, device=grad.device)[:, None] * stride - padding
        columns = torch.arange(across, device=grad.device) * stride - padding
        # With room on all sides for windows that reach over the edge: nothing is chosen there.
        reach = [
            padding + max(size, (out - 1) * stride + kernel)
            for size, out in zip(ctx.size[2:], grad.shape[2:], strict=True)
        ]
        total = torch.zeros((*ctx.size[:2], *reach), dtype=grad.dtype, device=grad.device)
        total = total.contiguous(memory_format=torch.channels_last)
        for i in range(kernel):
            for j in range(kernel):
                chosen = index == (rows + i) * width + columns + j
                chosen &= (rows + i >= 0) & (rows + i < height) & (columns + j >= 0) & (columns + j < width)
                ends = i + (down - 1) * stride + 1, j + (across - 1) * stride + 1
                total[:, :, i : ends[0] : stride, j : ends[1] : stride] += grad * chosen
        return total[:, :, padding : padding + height, padding : padding + width], None, None, None, None
