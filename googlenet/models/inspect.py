"""What the profile of a module or a network says, as plain JSON types: the programmatic face of the Build tab."""

from __future__ import annotations

import dataclasses
from typing import Any

from googlenet.config import InceptionConfig
from googlenet.models.presets import preset as find_preset
from googlenet.models.profile import profile_module, profile_network


def inspect_module(
    naive: bool = False,
    in_channels: int = 192,
    height: int = 28,
    width: int = 28,
    batch: int = 1,
    ch1x1: int = 64,
    ch3x3red: int = 96,
    ch3x3: int = 128,
    ch5x5red: int = 16,
    ch5x5: int = 32,
    pool_proj: int = 32,
) -> dict[str, Any]:
    """Shapes, parameters and multiply-adds of one Inception module, step by step.

    A naive module has no reductions and no pool projection: ch3x3red, ch5x5red and pool_proj are then ignored.
    The defaults are module 3a of GoogLeNet.
    """
    if naive:
        config = InceptionConfig.make_naive("module", in_channels, ch1x1, ch3x3, ch5x5)
    else:
        config = InceptionConfig("module", in_channels, ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, pool_proj)
    profile = profile_module(config, height, width, batch)
    branches = {branch: dataclasses.asdict(sums) for branch, sums in profile.by_branch().items()}
    return {**profile.to_dict(), "branches": branches}


def inspect_network(preset: str = "imagenet", size: int | None = None, batch: int = 1) -> dict[str, Any]:
    """Shapes, parameters and multiply-adds of a whole network, layer by layer.

    preset is imagenet, cifar10-truncated or cifar10; size is the side of a square image, the preset's own if left out.
    """
    profile = profile_network(find_preset(preset), size, size, batch)
    layers = {layer: dataclasses.asdict(sums) for layer, sums in profile.by_layer().items()}
    return {**profile.to_dict(), "layers": layers}
