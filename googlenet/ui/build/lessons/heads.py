"""Why auxiliary heads: each layer's gradient with them and without, drawn anew after every step of a small training."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from googlenet.errors import LabError, check_choice, check_whole
from googlenet.models.presets import preset
from googlenet.ui.common import figures
from googlenet.ui.common.layout import LIVE, html
from googlenet.ui.common.templates import render
from googlenet.ui.events.cores import share_cores
from googlenet.ui.events.long_work import PRIVATE, finally_

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from googlenet.training.gradients import GradientComparison

STEPS, MAX_STEPS = 10, 50
NORMS = [("without batch norm", "plain"), ("with batch norm", "normed")]
WIDTH, LEFT, RIGHT, TOP, ROW, BOTTOM = 560, 104, 18, 10, 24, 46


@dataclass(frozen=True)
class Mark:
    """A layer's row of the chart: its gradient norm without the heads and with them, and where the two are drawn."""

    layer: str
    without: float
    headed: float
    gain: str
    y: float
    x_without: float
    x_headed: float


def heads_chart(steps: list[GradientComparison]) -> str:
    """HTML: the last of `steps` as a row for every layer, gradient to the right in powers of ten, and its sentence."""
    now, (low, high) = steps[-1], decades(steps)
    bottom = TOP + ROW * len(now.gains)
    return render(
        "lessons/heads.html",
        now=now,
        when="at initialisation" if now.step == 0 else f"after {now.step} step{'s' if now.step > 1 else ''}",
        marks=marks(steps),
        decades=[(_x(10.0**power, low, high), str(power).replace("-", "−")) for power in range(low, high + 1)],
        bottom=bottom,
        height=bottom + BOTTOM,
        box={"width": WIDTH, "left": LEFT, "right": WIDTH - RIGHT, "top": TOP, "row": ROW},
    )


def marks(steps: list[GradientComparison]) -> list[Mark]:
    """The rows for the last of `steps`, in a scale that holds all of them: it stays in place while they come in."""
    from googlenet.training.gradients import about

    now, scale = steps[-1], decades(steps)
    rows = []
    for number, (layer, norm) in enumerate(now.without.norms.items()):
        headed, y = now.with_heads.norms[layer], TOP + ROW * (number + 0.5)
        rows.append(Mark(layer, norm, headed, about(now.gains[layer]), y, _x(norm, *scale), _x(headed, *scale)))
    return rows


def decades(steps: list[GradientComparison]) -> tuple[int, int]:
    """The powers of ten at both ends of the scale."""
    norms = [norm for step in steps for side in (step.without, step.with_heads) for norm in side.norms.values()]
    powers = [math.log10(norm) for norm in norms if 0 < norm < math.inf] or [0.0]
    low, high = math.floor(min(powers)), math.ceil(max(powers))
    return low, max(high, low + 2)


def _x(norm: float, low: int, high: int) -> float:
    """Where a norm lies; 0, which has no logarithm, at the left edge."""
    power = math.log10(norm) if norm > 0 else low
    return round(LEFT + (min(max(power, low), high) - low) / (high - low) * (WIDTH - LEFT - RIGHT), 1)


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
            html(render("lessons/heads_intro.html"))
            norm = gr.Radio(NORMS, value="plain", label="The network for 32×32")
            steps = gr.Slider(1, MAX_STEPS, STEPS, step=1, label="Steps", elem_id="heads-steps")
            with gr.Row():
                start = gr.Button("Measure", variant="primary", min_width=100)
                stop = gr.Button("Stop", min_width=80, interactive=False)
        with gr.Column(scale=3, min_width=320):
            chart = html(render("lessons/heads_empty.html", waiting=False))

    def buttons(running: bool) -> list[Any]:
        return [gr.Button(interactive=not running), gr.Button(interactive=running)]

    both, waiting = [start, stop], render("lessons/heads_empty.html", waiting=True)
    begun = start.click(lambda: [*buttons(True), waiting], None, [*both, chart], **LIVE)
    one_at_a_time = {"concurrency_limit": 1, "concurrency_id": "heads"}
    measured = begun.then(run, [norm, steps], chart, **{**PRIVATE, "queue": True}, **one_at_a_time)
    finally_(measured, lambda: buttons(False), None, both, **LIVE)
    stop.click(lambda: buttons(False), None, both, cancels=[measured], **LIVE)
