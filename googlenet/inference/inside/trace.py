"""Every map that a network makes of one picture, under the names that the profile's rows have.

The walk calls the network's own modules one after another, as `GoogLeNet.forward` does in evaluation, so the values are
those that the network computes. Hooks would give the same values, but a network is shared: a hook would also hear what
another visitor's picture does at the same moment.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from googlenet.config import GoogLeNetConfig, InceptionConfig
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.language import tr
from googlenet.models.blocks import Inception, InceptionNaive
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.profile import BRANCHES, Profile, Row, profile_network

INPUT = "input"


@dataclass(frozen=True, eq=False)
class Trace:
    """All that a network computes for one picture.

    `maps` are float32 (C, H, W) on the CPU, in the order in which they arise: "input" (normalised), every layer by its
    name ("conv1", "inception3a", …, and "avgpool" (C, 1, 1) where the network has one), and every step inside a module
    by the name of its row in the profile ("inception3a.branch2.0", "inception3a.branch4.0" for the pool,
    "inception3a.concat", which is the map of "inception3a"). A convolution's map is what leaves its batch norm and its
    ReLU. `logits` are float32 (classes,), `probabilities` those of all classes, the likeliest first. `pixels` is the
    uint8 (3, H, W) picture, `config` the network's and `profile` its rows for pictures of this size.
    """

    pixels: Tensor
    maps: dict[str, Tensor]
    logits: Tensor
    probabilities: dict[str, float]
    config: GoogLeNetConfig
    profile: Profile

    @functools.cached_property
    def rows(self) -> dict[str, Row]:
        """The profile's row of each step, by its name: kernel, stride, padding, branch, label, shapes."""
        return {row.name: row for row in self.profile.rows}


@torch.inference_mode()
def trace(classifier: Classifier, pixels: Tensor) -> Trace:
    """All maps that `classifier` makes of `pixels`, uint8 (3, H, W), anywhere.

    Raises `LabError` for pixels of a size that the network cannot take, and for a network whose training diverged.
    """
    config = classifier.info.network
    if pixels.dim() != 3 or pixels.shape[0] != config.in_channels:
        sentence = tr(
            "A picture is {n} × height × width numbers, not {shape}.", n=config.in_channels, shape=tuple(pixels.shape)
        )
        raise LabError(sentence, "image")
    profile = profile_network(config, *pixels.shape[1:])
    x = classifier.prepared(pixels[None])
    maps = {INPUT: x, **dict(walk(classifier.model, x))}
    logits = maps.pop("fc")[0].cpu()
    probabilities = classifier.shares(logits)  # says so where they are none
    images = {id(y): y[0].cpu() for y in maps.values()}  # a module's map stands under two names
    return Trace(pixels, {name: images[id(y)] for name, y in maps.items()}, logits, probabilities, config, profile)


def walk(model: GoogLeNet, x: Tensor, after: str = "") -> Iterator[tuple[str, Tensor]]:
    """Each step's name and what it gives, from (N, C, H, W) images, or from the map `x` that leaves the layer `after`.

    The last one is "fc": logits (N, classes).
    """
    names = [layer.name for layer in model.config.layers]
    for name in names[names.index(after) + 1 :] if after else names:
        module = getattr(model, name)
        if isinstance(module, Inception | InceptionNaive):
            ends = []
            for branch in range(1, 5):
                y = x
                for step, part in _steps(getattr(module, f"branch{branch}")):
                    y = part(y)
                    yield f"{name}.branch{branch}{step}", y
                ends.append(y)
            x = torch.cat(ends, dim=1)
            yield f"{name}.concat", x
        else:
            x = module(x)
        yield name, x
    if model.config.average_pool:
        x = model.avgpool(x)
        yield "avgpool", x
    yield "fc", model.fc(model.dropout(x.flatten(1)))


def bands(module: InceptionConfig) -> dict[str, slice]:
    """Which channels of the module's concatenation each branch (1×1, 3×3, 5×5, pool) gives."""
    ends = itertools.accumulate(module.branch_channels)
    widths = zip(BRANCHES, ends, module.branch_channels, strict=True)
    return {branch: slice(end - width, end) for branch, end, width in widths}


def inception(config: GoogLeNetConfig, name: str) -> InceptionConfig | None:
    """The module of that name, or None where no layer is one."""
    return next((layer for layer in config.layers if layer.name == name and isinstance(layer, InceptionConfig)), None)


def _steps(branch: nn.Module) -> list[tuple[str, nn.Module]]:
    """A branch's steps and what their names end in: a single one has its branch's name alone."""
    if isinstance(branch, nn.Sequential):
        return [(f".{number}", step) for number, step in enumerate(branch)]
    return [("", branch)]
