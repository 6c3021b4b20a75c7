"""The whole network as one picture: maps shrink, channels grow, and what each layer costs hangs below it."""

from __future__ import annotations

from html import escape

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, Layer
from googlenet.models.profile import BRANCHES, Profile, Shape
from googlenet.ui.build.network.view import Line, lines
from googlenet.ui.common import figures

ROOM = 800  # px for all blocks and the gaps between stages: the width of the page's answer
STAGE_GAP, BLOCK_GAP = 26, 4
THINNEST, NARROW, WIDEST = 7, 30, 80  # px: a pool; a convolution or head; the layer with the most channels
DEEPEST = 48  # px: the costliest layer's bar
READING = "height: side of the map · width: channels · hanging below: multiply-adds"


def drawing(config: GoogLeNetConfig, profile: Profile, selected: str) -> str:
    """HTML: every layer a block, as tall as its map (on a log scale), as wide and coloured as its channels.

    Blocks with a `data-layer` can be chosen; `selected` is.
    """
    layers = {layer.name: layer for layer in config.layers}
    shown = [line for line in lines(profile) if line.name in layers or line.aux]
    stages = _stages(shown)
    widths = _widths(shown, layers, len(stages))
    tallest = max((_height(line.sums.out_shape) for line in shown), default=0)
    most = max((line.sums.macs for line in shown), default=0) or 1
    body = ""
    for size, stage in stages:
        blocks = "".join(
            _block(
                line, layers.get(line.name), widths[line.name], tallest, line.sums.macs / most, line.name == selected
            )
            for line in stage
        )
        body += f"<div class='gl-stage'><h5>{figures.shape(size)}</h5><div class='gl-blocks'>{blocks}</div></div>"
    legend = "".join(f"<li class='{figures.BRANCH_CLASSES[branch]}'><i></i>{branch}</li>" for branch in BRANCHES)
    return (
        f"<div class='gl-answer'><div class='gl-stages'>{body}</div>"
        f"<ul class='gl-legend'>{legend}<li class='gl-note'>{READING}</li></ul></div>"
    )


def _stages(shown: list[Line]) -> list[tuple[tuple[int, int], list[Line]]]:
    """Runs of layers with maps of the same size; a head stays with the layer it sits on."""
    stages: list[tuple[tuple[int, int], list[Line]]] = []
    for line in shown:
        size = line.sums.out_shape[1:]
        if not stages or (stages[-1][0] != size and not line.aux):
            stages.append((size, []))
        stages[-1][1].append(line)
    return stages


def _widths(shown: list[Line], layers: dict[str, Layer], stages: int) -> dict[str, float]:
    """Each block's px, all in one scale that fits the page."""
    most = max((line.sums.out_shape[0] for line in shown if not line.aux), default=1)

    def wanted(line: Line) -> float:
        if line.aux:
            return NARROW
        if not isinstance(layers[line.name], (InceptionConfig, ConvConfig)):
            return THINNEST
        return NARROW + (WIDEST - NARROW) * line.sums.out_shape[0] / most

    room = ROOM - STAGE_GAP * stages - BLOCK_GAP * len(shown)
    widths = {line.name: wanted(line) for line in shown}
    scale = min(1.0, max(0.1, room / (sum(widths.values()) or 1)))
    return {name: scale * width for name, width in widths.items()}


def _height(shape: Shape) -> int:
    return 16 + 12 * (max(shape[1:]) - 1).bit_length()


def _block(line: Line, layer: Layer | None, width: float, tallest: int, cost: float, selected: bool) -> str:
    height = _height(line.sums.out_shape)
    bands = "<i class='gl-b0'></i>"
    if isinstance(layer, InceptionConfig):
        bands = "".join(
            f"<i class='{figures.BRANCH_CLASSES[branch]}' style='flex:{channels}'></i>"
            for branch, channels in zip(BRANCHES, layer.branch_channels, strict=True)
        )
    about = escape(f"{line.name}: {figures.shape(line.sums.out_shape)}, {figures.multiply_adds(line.sums.macs)}")
    classes = "gl-block" + (" gl-on" if selected else "") + (" gl-aux" if line.aux else "")
    chosen = f" data-layer='{escape(line.name)}'" if layer else ""
    name = escape(line.name.removeprefix("inception")) if line.sums.macs else ""
    return (
        f"<div class='{classes}'{chosen} title='{about}' style='width:{width:.0f}px'>"
        f"<u style='height:{height}px;margin-top:{max(0, tallest - height)}px'>{bands}</u><b>{name}</b>"
        f"<s style='height:{DEEPEST * cost:.1f}px'></s></div>"
    )
