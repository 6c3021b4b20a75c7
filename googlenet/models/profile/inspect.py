"""What the profile of a module or a network says, as plain JSON types: the programmatic face of the Build tab."""

from __future__ import annotations

import dataclasses
from typing import Any

from googlenet.config import InceptionConfig
from googlenet.models.formats.share import from_link_text
from googlenet.models.paper import quoted
from googlenet.models.profile import Profile, profile_module, profile_network


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
    """Shapes, parameters and multiply-adds of a whole network, layer by layer, beside what the paper quotes.

    preset is imagenet, cifar10-truncated or cifar10, or the text of a link to a network, such as cifar10.two3x3.aux;
    size is the side of a square image, the network's own if left out.
    """
    return describe(profile_network(from_link_text(preset), size, size, batch))


def describe(profile: Profile) -> dict[str, Any]:
    """A network's profile as plain JSON types.

    `layers` holds the sums of every layer. `quoted` is the paper's claim for it, for 224×224 images and the paper's
    own channels, with the reason where it differs from what those give; null where the paper quotes nothing.
    """
    layers = {}
    for layer, sums in profile.by_layer().items():
        claim = quoted(layer)
        layers[layer] = {**dataclasses.asdict(sums), "quoted": claim and claim.to_dict()}
    return {**profile.to_dict(), "layers": layers}
