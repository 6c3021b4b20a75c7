"""Why auxiliary heads: each layer's gradient with them and without, drawn anew after every step of a small training."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from googlenet.errors import LabError, check_choice, check_whole
from googlenet.models.presets import preset
from googlenet.ui.common import figures
from googlenet.ui.common.cores import share_cores
from googlenet.ui.common.layout import LIVE, html

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from googlenet.training.gradients import GradientComparison

STEPS, MAX_STEPS = 10, 50
NORMS = [("without batch norm", "plain"), ("with batch norm", "normed")]
WITHOUT, WITH = "without heads", "with heads"
WHY = (
    "A deep network's gradient fades on its way back from the last layer, so the first layers learn slowly. GoogLeNet "
    "hangs two more classifiers on 4a and 4d, whose loss starts closer to the front (the note's first idea; section 5 "
    "of the paper). Here the nine modules for 32×32 take their first steps on drawn shapes twice, from the same "
    "weights on the same images: once with the heads' loss, once without."
)
WIDTH, LEFT, RIGHT, TOP, ROW, BOTTOM = 560, 104, 18, 10, 24, 46


def heads_chart(steps: list[GradientComparison]) -> str:
    """HTML: the last of `steps` as a row for every layer, gradient to the right in powers of ten, and its sentence.

    The scale holds all of `steps`, so that it stays in place while they come in.
    """
    now = steps[-1]
    low, high = _decades(steps)
    layers = list(now.without.norms)
    height = TOP + ROW * len(layers) + BOTTOM

    def x(norm: float) -> float:
        """Where a norm lies; 0, which has no logarithm, at the left edge."""
        power = math.log10(norm) if norm > 0 else low
        return LEFT + (min(max(power, low), high) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    parts = [_grid(low, high, height)]
    for number, layer in enumerate(layers):
        norms = (now.without.norms[layer], now.with_heads.norms[layer])
        parts.append(_row(layer, TOP + ROW * (number + 0.5), norms, (x(norms[0]), x(norms[1])), now.gains[layer]))
    title = f"Gradient of each layer, {_when(now.step)}. {now.sentence}"
    return (
        f"<figure class='gl-chart gl-heads'><figcaption><h4>Gradient by layer, {_when(now.step)}</h4><ul>"
        f"<li class='gl-plain'><i></i>{WITHOUT}</li><li class='gl-headed'><i></i>{WITH}</li></ul></figcaption>"
        f"<svg role='img' viewBox='0 0 {WIDTH} {height}'><title>{escape(title)}</title>{''.join(parts)}</svg>"
        f"<p class='gl-said' role='status'>{escape(now.sentence)}</p>{_losses(now)}{_table(now)}</figure>"
    )


def _when(step: int) -> str:
    return "at initialisation" if step == 0 else f"after {step} step{'s' if step > 1 else ''}"


def _decades(steps: list[GradientComparison]) -> tuple[int, int]:
    norms = [norm for step in steps for side in (step.without, step.with_heads) for norm in side.norms.values()]
    powers = [math.log10(norm) for norm in norms if 0 < norm < math.inf] or [0.0]
    low, high = math.floor(min(powers)), math.ceil(max(powers))
    return low, max(high, low + 2)


def _grid(low: int, high: int, height: int) -> str:
    parts, bottom = [], height - BOTTOM
    for power in range(low, high + 1):
        x = LEFT + (power - low) / (high - low) * (WIDTH - LEFT - RIGHT)
        parts.append(f"<path class='gl-grid' d='M{x:.1f} {TOP}V{bottom}'/>")
        parts.append(
            f"<text x='{x:.1f}' y='{bottom + 18}' text-anchor='middle'>10<tspan dy='-5' font-size='10'>"
            f"{str(power).replace('-', '−')}</tspan></text>"
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f"<text x='{middle}' y='{height - 6}' text-anchor='middle'>gradient norm, all weights of a layer</text>"
    )
    return "".join(parts)


def _row(layer: str, y: float, norms: tuple[float, float], places: tuple[float, float], gain: float) -> str:
    """Two marks and the way between them: a ring without heads, a dot with."""
    name = layer.removeprefix("inception")
    tooltip = f"{name}: {norms[0]:.2g} {WITHOUT}, {norms[1]:.2g} {WITH}, {gain:,.3g}×"
    return (
        f"<g><title>{escape(tooltip)}</title><rect x='0' y='{y - ROW / 2}' width='{WIDTH}' height='{ROW}' "
        f"fill='transparent'/><text x='{LEFT - 14}' y='{y + 5}' text-anchor='end'>{escape(name)}</text>"
        f"<path class='gl-way' d='M{places[0]:.1f} {y}H{places[1]:.1f}'/>"
        f"<circle class='gl-headed' cx='{places[1]:.1f}' cy='{y}' r='5'/>"
        f"<circle class='gl-plain' cx='{places[0]:.1f}' cy='{y}' r='6'/></g>"
    )


def _losses(now: GradientComparison) -> str:
    return (
        f"<p class='gl-note'>Loss of the last classifier: {now.without.loss:.3f} {WITHOUT}, {now.with_heads.loss:.3f} "
        f"{WITH}.</p>"
    )


def _table(now: GradientComparison) -> str:
    rows = "".join(
        f"<tr><th>{escape(layer)}</th><td class='gl-n'>{norm:.3g}</td>"
        f"<td class='gl-n'>{now.with_heads.norms[layer]:.3g}</td><td class='gl-n'>{now.gains[layer]:,.3g}×</td></tr>"
        for layer, norm in now.without.norms.items()
    )
    table = (
        f"<table class='gl-table'><thead><tr><th>Layer</th><th class='gl-n'>{WITHOUT}</th><th class='gl-n'>{WITH}</th>"
        f"<th class='gl-n'>gain</th></tr></thead><tbody>{rows}</tbody></table>"
    )
    return f"<details><summary>As a table</summary>{figures.scroll_box(table, 'Gradient of each layer')}</details>"


# --- the panel --------------------------------------------------------------------------------


def compare(checkpoints: Path, norm: Any, steps: Any) -> Iterator[str]:
    """HTML of the chart after each step; a refusal is one sentence."""
    try:
        batch_norm = check_choice(norm, "norm", tuple(name for _, name in NORMS)) == "normed"
        steps = check_whole(steps, "steps", 1, MAX_STEPS)
        share_cores(checkpoints)
        from googlenet.training.gradients import compare_heads

        seen: list[GradientComparison] = []
        for comparison in compare_heads(preset("cifar10", batch_norm=batch_norm), steps):
            seen.append(comparison)
            yield heads_chart(seen)
            share_cores(checkpoints)  # a training may have started; the next step runs in this thread
    except LabError as error:
        yield figures.message(str(error))


def heads_panel(checkpoints: Path) -> None:
    """Lay out the experiment and wire it; it shares the cores with a trainer under `checkpoints`."""

    def run(norm: Any, steps: Any) -> Iterator[str]:
        yield from compare(checkpoints, norm, steps)

    with gr.Row(elem_id="heads"):
        with gr.Column(scale=1, min_width=260):
            html(f"<h3>Experiment: why auxiliary heads</h3><p class='gl-note'>{escape(WHY)}</p>")
            norm = gr.Radio(NORMS, value="plain", label="The network for 32×32")
            steps = gr.Slider(1, MAX_STEPS, STEPS, step=1, label="Steps", elem_id="heads-steps")
            with gr.Row():
                start = gr.Button("Measure", variant="primary", min_width=100)
                stop = gr.Button("Stop", min_width=80, interactive=False)
        with gr.Column(scale=3, min_width=320):
            chart = html(NOT_MEASURED)

    def buttons(running: bool) -> list[Any]:
        return [gr.Button(interactive=not running), gr.Button(interactive=running)]

    both = [start, stop]
    begun = start.click(lambda: [*buttons(True), WAITING], None, [*both, chart], **LIVE)
    measured = begun.then(
        run, [norm, steps], chart, concurrency_limit=1, concurrency_id="heads", show_progress="hidden",
        api_visibility="private",
    )  # fmt: skip
    measured.then(lambda: buttons(False), None, both, **LIVE)
    stop.click(lambda: buttons(False), None, both, cancels=[measured], **LIVE)


NOT_MEASURED = (
    "<div class='gl-unmeasured'><p><b>How much gradient reaches the first layer?</b></p><p>Press Measure: two networks "
    "are trained side by side on this machine's processor, and each step is drawn as soon as it is computed.</p></div>"
)
WAITING = (
    "<div class='gl-unmeasured' role='status'><p><b>Building both networks …</b></p><p>The first step comes after some "
    "seconds; while another page measures, this one waits for it.</p></div>"
)
