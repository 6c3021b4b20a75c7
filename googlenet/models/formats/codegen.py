"""A network or a module as PyTorch source that runs on its own, with torch alone.

Its parameters carry the lab's names, so that the tensors of a weights file load into it. Every value that is written
into the source has been checked by its configuration: names are identifiers, numbers are numbers.
"""

from __future__ import annotations

import functools
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, Layer, LRNConfig, PoolConfig
from googlenet.models.profile import Shape, profile_network

_SUFFIXES = {"5x5": "", "3x3": "3x3", "two 3x3": "Two3x3"}


def to_source(config: GoogLeNetConfig | InceptionConfig, *, batch_norm: bool = False) -> str:
    """Python source that needs torch alone: class `GoogLeNet` for a network, function `make_module` for a module.

    `batch_norm` is a module's; a network knows its own. The generated classes take batches (N, C, H, W); in training a
    network with heads gives its logits and then each head's. Raises `LabError` for a network that does not fit
    together.
    """
    if isinstance(config, InceptionConfig):
        return _template().render(network=None, modules=[config], batch_norm=batch_norm, optional_relu=False)
    profile = profile_network(config)
    order = {layer.name: place for place, layer in enumerate(config.layers)}
    return _template().render(
        network=config,
        modules=list(
            {_class_name(layer): layer for layer in config.layers if isinstance(layer, InceptionConfig)}.values()
        ),
        batch_norm=config.batch_norm,
        optional_relu=any(isinstance(layer, ConvConfig) and not layer.relu for layer in config.layers),
        profile=profile,
        features={row.name: row.in_channels for row in profile.rows},
        after=profile.by_layer(),
        answers=[f"{head.name}_logits" for head in sorted(config.aux, key=lambda head: order[head.after])],
    )


@functools.cache
def _template() -> Template:
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.globals |= {"class_name": _class_name, "call": _call, "batch": _batch}
    return environment.from_string(Path(__file__).with_suffix(".jinja").read_text(encoding="utf-8"))


def _class_name(module: InceptionConfig) -> str:
    return f"Inception{'Naive' if module.naive else ''}{_SUFFIXES[module.ch5x5_variant]}"


def _call(layer: Layer) -> str:
    """What makes `layer`: its class and its arguments."""
    match layer:
        case InceptionConfig():
            return f"{_class_name(layer)}({', '.join(map(str, (layer.in_channels, *layer.widths)))})"
        case ConvConfig():
            stride = f", stride={layer.stride}" if layer.stride != 1 else ""
            padding = f", padding={layer.padding}" if layer.padding else ""
            relu = "" if layer.relu else ", relu=False"
            return f"ConvBlock({layer.in_channels}, {layer.out_channels}, {layer.kernel}{stride}{padding}{relu})"
        case PoolConfig():
            ceil_mode = ", ceil_mode=True" if layer.ceil_mode else ""
            return f"nn.MaxPool2d({layer.kernel}, stride={layer.stride}, padding={layer.padding}{ceil_mode})"
        case LRNConfig():
            return f"nn.LocalResponseNorm({layer.size}, alpha=1e-4, beta=0.75, k=1.0)"


def _batch(shape: Shape) -> str:
    return " × ".join(["N", *map(str, shape)])
