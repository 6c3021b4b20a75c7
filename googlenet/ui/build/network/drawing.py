"""The whole network as one picture: maps shrink, channels grow, and what each layer costs hangs below it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, Layer
from googlenet.models.profile import BRANCHES, Profile
from googlenet.ui.build.network.view import LayerTotals, layer_totals
from googlenet.ui.common import figures
from googlenet.ui.common.templates import render

ROOM = 800  # px for all blocks and the gaps between stages: the width of the page's answer
STAGE_GAP, BLOCK_GAP = 26, 4
THINNEST, NARROW, WIDEST = 7, 30, 80  # px: a pool; a convolution or head; the layer with the most channels
DEEPEST = 48  # px: the costliest layer's bar


@dataclass(frozen=True)
class Block:
    """A layer of the picture; sizes in px, `bands` as (CSS class, channels). A head cannot be chosen."""

    layer: LayerTotals
    width: float
    height: int
    cost: float
    bands: list[tuple[str, int]]


def drawing(config: GoogLeNetConfig, profile: Profile, selected: str) -> str:
    """HTML: every layer a block, as tall as its map (on a log scale), as wide and coloured as its channels.

    Blocks with a `data-layer` can be chosen; `selected` is.
    """
    blocks = draw_blocks(config, profile)
    stages = stages_of(blocks)
    tallest = max((block.height for block in blocks), default=0)
    classes = figures.BRANCH_CLASSES
    return render("network/drawing.html", stages=stages, tallest=tallest, selected=selected, branch_classes=classes)


def draw_blocks(config: GoogLeNetConfig, profile: Profile) -> list[Block]:
    """The layers and heads; their widths are in one scale that fits the page."""
    layers = {layer.name: layer for layer in config.layers}
    shown = [found for found in layer_totals(profile) if found.name in layers or found.aux]
    channels = max((found.totals.out_shape[0] for found in shown if not found.aux), default=1)
    macs = max((found.totals.macs for found in shown), default=0) or 1
    wide = [_width(layers.get(found.name), found.totals.out_shape[0] / channels) for found in shown]
    stages = len({found.totals.out_shape[1:] for found in shown if not found.aux})
    room = ROOM - STAGE_GAP * stages - BLOCK_GAP * len(shown)
    scale = min(1.0, max(0.1, room / (sum(wide) or 1)))
    return [
        Block(
            layer=found,
            width=scale * width,
            height=16 + 12 * (max(found.totals.out_shape[1:]) - 1).bit_length(),
            cost=DEEPEST * found.totals.macs / macs,
            bands=_bands(layers.get(found.name)),
        )
        for found, width in zip(shown, wide, strict=True)
    ]


def stages_of(blocks: list[Block]) -> list[list[Block]]:
    """Runs of layers with maps of the same size; a head stays with the layer it sits on."""
    sizes = itertools.accumulate(
        blocks, lambda size, block: size if block.layer.aux else block.layer.totals.out_shape[1:], initial=()
    )
    pairs = zip(itertools.islice(sizes, 1, None), blocks, strict=True)
    return [[block for _, block in run] for _, run in itertools.groupby(pairs, key=lambda pair: pair[0])]


def _width(layer: Layer | None, share: float) -> float:
    """Before scaling; `share` is the layer's channels by the most channels."""
    if layer is None:  # a head
        return NARROW
    return NARROW + (WIDEST - NARROW) * share if isinstance(layer, InceptionConfig | ConvConfig) else THINNEST


def _bands(layer: Layer | None) -> list[tuple[str, int]]:
    if not isinstance(layer, InceptionConfig):
        return [("gl-b0", 1)]
    return [(figures.BRANCH_CLASSES[name], wide) for name, wide in zip(BRANCHES, layer.branch_channels, strict=True)]
