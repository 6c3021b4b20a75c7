"""The whole network as one picture: maps shrink, channels grow, and what each layer costs hangs below it."""

from __future__ import annotations

from dataclasses import dataclass

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, Layer
from googlenet.models.profile import BRANCHES, Profile, Shape
from googlenet.ui.build.network.view import LayerTotals, layer_totals
from googlenet.ui.common import figures
from googlenet.ui.common.templates import render

ROOM = 800  # px for all blocks and the gaps between stages: the width of the page's answer
STAGE_GAP, BLOCK_GAP = 26, 4
THINNEST, NARROW, WIDEST = 7, 30, 80  # px: a pool; a convolution or head; the layer with the most channels
DEEPEST = 48  # px: the costliest layer's bar


@dataclass(frozen=True)
class Block:
    """A layer of the picture; sizes in px, `bands` as (CSS class, channels). `chosen` says that it can be."""

    name: str
    label: str
    about: str
    width: float
    height: int
    drop: int  # from the top of the tallest
    cost: float
    bands: tuple[tuple[str, int], ...]
    chosen: bool
    selected: bool
    aux: bool


@dataclass(frozen=True)
class Stage:
    """Layers with maps of the same size; a head stays with the layer it sits on."""

    size: tuple[int, ...]
    blocks: list[Block]


def drawing(config: GoogLeNetConfig, profile: Profile, selected: str) -> str:
    """HTML: every layer a block, as tall as its map (on a log scale), as wide and coloured as its channels.

    Blocks with a `data-layer` can be chosen; `selected` is.
    """
    stages = draw_stages(config, profile, selected)
    return render("network/drawing.html", stages=stages, branch_classes=figures.BRANCH_CLASSES)


def draw_stages(config: GoogLeNetConfig, profile: Profile, selected: str) -> list[Stage]:
    """What `drawing` draws."""
    layers = {layer.name: layer for layer in config.layers}
    shown = [found for found in layer_totals(profile) if found.name in layers or found.aux]
    sizes: list[tuple[tuple[int, ...], list[LayerTotals]]] = []
    for found in shown:
        size = found.totals.out_shape[1:]
        if not sizes or (sizes[-1][0] != size and not found.aux):
            sizes.append((size, []))
        sizes[-1][1].append(found)
    widths = _widths(shown, layers, len(sizes))
    tallest = max((_height(found.totals.out_shape) for found in shown), default=0)
    most = max((found.totals.macs for found in shown), default=0) or 1

    def block(found: LayerTotals) -> Block:
        layer, totals, height = layers.get(found.name), found.totals, _height(found.totals.out_shape)
        return Block(
            name=found.name,
            label=found.name.removeprefix("inception").replace("conv", "c") if totals.macs else "",
            about=f"{found.name}: {figures.shape(totals.out_shape)}, {figures.multiply_adds(totals.macs)}",
            width=widths[found.name],
            height=height,
            drop=max(0, tallest - height),
            cost=DEEPEST * totals.macs / most,
            bands=_bands(layer),
            chosen=layer is not None,
            selected=found.name == selected,
            aux=found.aux,
        )

    return [Stage(size, [block(found) for found in inside]) for size, inside in sizes]


def _widths(shown: list[LayerTotals], layers: dict[str, Layer], stages: int) -> dict[str, float]:
    """Each block's px, all in one scale that fits the page."""
    most = max((found.totals.out_shape[0] for found in shown if not found.aux), default=1)

    def wanted(found: LayerTotals) -> float:
        if found.aux:
            return NARROW
        if not isinstance(layers[found.name], (InceptionConfig, ConvConfig)):
            return THINNEST
        return NARROW + (WIDEST - NARROW) * found.totals.out_shape[0] / most

    room = ROOM - STAGE_GAP * stages - BLOCK_GAP * len(shown)
    widths = {found.name: wanted(found) for found in shown}
    scale = min(1.0, max(0.1, room / (sum(widths.values()) or 1)))
    return {name: scale * width for name, width in widths.items()}


def _height(shape: Shape) -> int:
    return 16 + 12 * (max(shape[1:]) - 1).bit_length()


def _bands(layer: Layer | None) -> tuple[tuple[str, int], ...]:
    if not isinstance(layer, InceptionConfig):
        return (("gl-b0", 1),)
    return tuple(zip((figures.BRANCH_CLASSES[branch] for branch in BRANCHES), layer.branch_channels, strict=True))
