"""Build's endpoints: what a module or a network is made of, and what it costs."""

from __future__ import annotations

from typing import Annotated, cast

from googlenet.models.profile import inspect
from googlenet.ui.api.endpoint import Endpoints
from googlenet.ui.api.types.build import ModuleProfile, NetworkProfile
from googlenet.ui.api.types.common import says

Channels = Annotated[int, says("channels of that convolution, from 1 to 4,096", ge=1)]
Reduced = Annotated[int, says("channels of that 1×1 convolution, from 1; ignored by a naive module", ge=1)]
Side = Annotated[int, says("in pixels, from 1 to 1,024", ge=1, le=1024)]
Batch = Annotated[int, says("images, from 1 to 4,096; changes activation_bytes alone", ge=1, le=4096)]


def inspect_module(
    naive: Annotated[bool, says("without 1×1 reductions and pool projection, as in the paper's figure 2a")] = False,
    in_channels: Annotated[int, says("channels that arrive", ge=1)] = 192,
    height: Side = 28,
    width: Side = 28,
    batch: Batch = 1,
    ch1x1: Channels = 64,
    ch3x3red: Reduced = 96,
    ch3x3: Channels = 128,
    ch5x5red: Reduced = 16,
    ch5x5: Channels = 32,
    pool_proj: Reduced = 32,
) -> ModuleProfile:
    """Shapes, parameters and multiply-adds of one Inception module, step by step.

    Computed, not measured: answers in milliseconds. The defaults are module 3a of GoogLeNet.
    """
    found = inspect.inspect_module(
        naive, in_channels, height, width, batch, ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, pool_proj
    )
    return cast(ModuleProfile, found)


def inspect_network(
    preset: Annotated[
        str,
        says(
            "imagenet, cifar10-truncated, cifar10 or cifar10-fine, or the text of a link from Build, such as "
            "cifar10.two3x3.aux"
        ),
    ] = "imagenet",
    size: Annotated[int | None, says("side of a square image in pixels; the network's own if left out")] = None,
    batch: Batch = 1,
) -> NetworkProfile:
    """Shapes, parameters and multiply-adds of a whole network, layer by layer, beside what the paper quotes.

    Computed, not measured: answers in milliseconds.
    """
    return cast(NetworkProfile, inspect.inspect_network(preset, size, batch))


def publish(endpoints: Endpoints) -> None:
    """Register them."""
    endpoints.add(inspect_module)
    endpoints.add(inspect_network)
