"""Convolutions as matrix products, and memory that is kept: faster training on a CPU, the same results."""

from __future__ import annotations

import copy
import itertools
import platform
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from googlenet.models.blocks import ConvBlock, Inception
from googlenet.models.fast.merged import merged_pointwise
from googlenet.models.fast.products import SMALLEST_BATCH, convolve
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.presets import preset

MAPS = [(1, 1), (2, 2), (2, 3), (3, 2), (4, 4), (8, 8)]
DENSE = {(1, 1): {3, 5, 7}, (2, 2): {3, 5, 7}, (2, 3): {5, 7}, (3, 2): {5, 7}, (4, 4): {7}, (8, 8): set()}  # in float32


def with_gradients(function: Callable[[Tensor], Tensor], conv: nn.Conv2d, x: Tensor, grad: Tensor) -> list[Tensor]:
    y = function(x)
    return [y, *torch.autograd.grad(y, [x, *conv.parameters()], grad)]


@pytest.mark.parametrize(("size", "kernel", "bias"), list(itertools.product(MAPS, (1, 3, 5, 7), (True, False))))
def test_a_product_is_the_convolution_and_so_are_its_gradients(size, kernel, bias):
    torch.manual_seed(0)
    conv = nn.Conv2d(5, 7, kernel, padding=kernel // 2, bias=bias).double().train()
    x = torch.randn(SMALLEST_BATCH, 5, *size, dtype=torch.double, requires_grad=True)
    grad = torch.randn(SMALLEST_BATCH, 7, *size, dtype=torch.double)
    ours = with_gradients(lambda x: convolve(conv, x), conv, x, grad)
    for mine, torchs in zip(ours, with_gradients(conv, conv, x, grad), strict=True):
        torch.testing.assert_close(mine, torchs)
    assert ("Convolution" not in type(ours[0].grad_fn).__name__) == (kernel in DENSE[size])


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_in_bfloat16_it_is_as_exact_as_the_convolution(kernel):
    torch.manual_seed(0)
    conv = nn.Conv2d(48, 32, kernel, padding=kernel // 2).train()
    x, grad = torch.randn(SMALLEST_BATCH, 48, 2, 2, requires_grad=True), torch.randn(SMALLEST_BATCH, 32, 2, 2)
    exact = with_gradients(conv, conv, x, grad)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours = with_gradients(lambda x: convolve(conv, x), conv, x, grad.bfloat16())
        torchs = with_gradients(conv, conv, x, grad.bfloat16())
    assert "Convolution" not in type(ours[0].grad_fn).__name__
    assert [tensor.dtype for tensor in ours] == [tensor.dtype for tensor in torchs]
    for mine, theirs, truth in zip(ours, torchs, exact, strict=True):
        error, allowed = ((tensor.float() - truth).norm() / truth.norm() for tensor in (mine, theirs))
        assert error < 1.5 * allowed + 1e-6


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(4, 4, 3, stride=2, padding=1),
        nn.Conv2d(4, 4, 3),
        nn.Conv2d(4, 4, 3, padding=1, groups=2),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2),
        nn.Conv2d(4, 4, (1, 3), padding=(0, 1)),
        nn.Conv2d(4, 4, 3, padding=1).eval(),
    ],
)
def test_every_other_convolution_is_torchs_own(conv):
    x = torch.randn(SMALLEST_BATCH, 4, 3, 3)
    torch.testing.assert_close(convolve(conv, x), conv(x), rtol=0, atol=0)
    small = nn.Conv2d(4, 4, 5, padding=2)
    assert "Convolution" in type(convolve(small, x[:-1]).grad_fn).__name__  # a small batch
    assert convolve(small, x[0]).shape == (4, 3, 3)  # one image


def test_a_whole_network_trains_alike_with_and_without(monkeypatch):
    """The note's network, whose modules from 4a on see 2×2 maps: products in most of its layers."""
    torch.manual_seed(0)
    model, images = GoogLeNet(preset("cifar10-truncated")).train(), torch.rand(SMALLEST_BATCH, 3, 32, 32)

    def gradients() -> list[Tensor]:
        return torch.autograd.grad(model(images).logsumexp(1).sum(), list(model.parameters()))

    ours = gradients()
    monkeypatch.setattr("googlenet.models.blocks.convolve", lambda conv, x: conv(x))
    for mine, torchs in zip(ours, gradients(), strict=True):
        torch.testing.assert_close(mine, torchs, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_one_merged_convolution_gives_what_three_give(batch_norm: bool):
    torch.manual_seed(0)
    merged = nn.ModuleList(ConvBlock(8, out, batch_norm=batch_norm, kernel_size=1) for out in (6, 4, 2)).train()
    apart = copy.deepcopy(merged)
    x = torch.randn(SMALLEST_BATCH, 8, 5, 4).to(memory_format=torch.channels_last)
    pairs = []
    for blocks, parts in ((merged, merged_pointwise(x, list(merged))), (apart, [block(x) for block in apart])):
        sum(part.square().mean() for part in parts).backward()
        pairs.append([*parts, *(parameter.grad for parameter in blocks.parameters()), *blocks.buffers()])
    for mine, theirs in zip(*pairs, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def test_a_module_is_merged_where_a_cpu_trains_it_in_bfloat16_alone(monkeypatch):
    called = []
    monkeypatch.setattr(
        "googlenet.models.blocks.merged_pointwise", lambda x, blocks: called.append(x) or [block(x) for block in blocks]
    )
    module, x = Inception(8, 4, 4, 4, 4, 4, 4, batch_norm=True), torch.randn(SMALLEST_BATCH, 8, 5, 5)
    with torch.autocast("cpu", torch.bfloat16):
        for images, times in ((x, 1), (x[:-1], 1)):
            module(images)
            assert len(called) == times
        module.eval()(x)
    module.train()(x)
    assert len(called) == 1


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives large blocks back at once")
def test_memory_that_is_kept_is_not_zeroed_again():
    """Counts the page faults of 20 tensors of 64 MiB, each freed before the next: 16,384 pages of 4 KiB a tensor."""
    program = (
        "import resource, torch\n"
        "from googlenet.models.memory import reuse_memory\n"
        "def faults():\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    for _ in range(20): torch.empty(2**24).fill_(1)\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before\n"
        "before = faults(); reuse_memory(); faults(); print(before, faults())"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    before, after = map(int, result.stdout.split())
    assert after < 100 < before
