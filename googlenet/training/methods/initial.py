"""First weights other than torch's, drawn from the training images or like the identity, after the seed alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from googlenet.data.augment import normalize
from googlenet.models.googlenet import GoogLeNet
from googlenet.recipes import TrainConfig
from googlenet.training.batches import Batches

LOOKED_AT = 2000  # images whose patches are whitened: 200,000 of 3×3 pixels
FLOOR = 5e-4  # added to the variances: the least of them are noise


def set_first_weights(model: GoogLeNet, config: TrainConfig, batches: Batches) -> None:
    """Change `model`, just made, as `config` says; by default not at all."""
    if config.dirac:
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                _like_identity(module)
    if config.whitening:
        first = next(module for module in model.modules() if isinstance(module, nn.Conv2d))
        _whiten(first, normalize(batches.images[:LOOKED_AT], batches.mean, batches.std))


@torch.no_grad()
def _like_identity(conv: nn.Conv2d) -> None:
    """Let a convolution that keeps or adds channels pass its input on in its first filters (Zagoruyko 2017)."""
    if conv.kernel_size != (1, 1) and conv.out_channels >= conv.in_channels and conv.stride == (1, 1):
        nn.init.dirac_(conv.weight[: conv.in_channels])


@torch.no_grad()
def _whiten(conv: nn.Conv2d, images: Tensor) -> None:
    """Fix `conv`'s filters as the principal directions of `images`' patches, each divided by its deviation.

    As many as fit with both signs, since ReLU lets one through; further filters are random mixtures of directions.
    """
    size = conv.kernel_size[0], conv.kernel_size[1]
    patches = F.unfold(images.float(), size, stride=size)  # (n, in·k·k, places), side by side: few need little memory
    patches = patches.transpose(0, 1).flatten(1)
    patches = patches - patches.mean(1, keepdim=True)
    variances, directions = torch.linalg.eigh((patches @ patches.T / patches.shape[1]).cpu().double())
    whitening = (directions / (variances + FLOOR).sqrt()).T.flip(0)  # the largest first
    kept = whitening[: max(1, conv.out_channels // 2)]
    signed = torch.cat([kept, -kept])
    more = max(0, conv.out_channels - len(signed))
    mixtures = F.normalize(torch.randn(more, len(whitening), dtype=torch.double), dim=1) @ whitening
    filters = torch.cat([signed, mixtures])[: conv.out_channels]
    conv.weight.copy_(filters.to(conv.weight).view_as(conv.weight))
    conv.weight.requires_grad_(False)
