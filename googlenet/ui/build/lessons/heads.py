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
BOTH = "both"
FADED = 10  # times: below it one run does not tell a fading gradient from chance
NORMS = [("without batch norm", "plain"), ("with batch norm", "normed"), ("both, side by side", BOTH)]
Runs = dict[str, list["GradientComparison"]]
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


def heads_chart(steps: list[GradientComparison], at: int = -1, name: str = "") -> str:
    """HTML: the step number `at` as a row for every layer, gradient to the right in powers of ten, and its sentence."""
    now, (low, high) = steps[at], decades(steps)
    bottom = TOP + ROW * len(now.gains)
    return render(
        "lessons/heads.html",
        now=now,
        name=name,
        when="at initialisation" if now.step == 0 else f"after {now.step} step{'s' if now.step > 1 else ''}",
        marks=marks(steps, at),
        decades=[(_x(10.0**power, low, high), str(power).replace("-", "−")) for power in range(low, high + 1)],
        bottom=bottom,
        height=bottom + BOTTOM,
        box={"width": WIDTH, "left": LEFT, "right": WIDTH - RIGHT, "top": TOP, "row": ROW},
    )


def heads_charts(runs: Runs, at: int = -1) -> str:
    """HTML of each run's chart at that step; of both side by side, with what they say together."""
    names = {norm: label for label, norm in NORMS if norm in runs}
    if len(runs) == 1:
        return heads_chart(next(iter(runs.values())), at)
    charts = [heads_chart(steps, at, f"{names[norm][:1].upper()}{names[norm][1:]}: ") for norm, steps in runs.items()]
    return render("lessons/heads_both.html", charts=charts, sentence=together(runs))


def together(runs: Runs) -> str:
    """What one run of each supports: between which sizes the fading lay, over all steps measured."""
    from googlenet.training.gradients import about

    first = next(iter(next(iter(runs.values()))[0].gains))
    said = []
    for norm, steps in runs.items():
        fading = [step.without.fading for step in steps]
        low, high = (about(end) if end < math.inf else "any number of" for end in (min(fading), max(fading)))
        span = f"about {low}×" if low == high else f"about {low}× to about {high}×"
        faded = f"{span} less than the last layer" if max(fading) >= FADED else "no less than the last layer, or hardly"
        said.append(f"{'without' if norm == 'plain' else 'with'} batch norm {faded}")
    steps = len(next(iter(runs.values()))) - 1
    when = "at initialisation" if not steps else f"over {steps} step{'s' if steps > 1 else ''}"
    return (
        f"Gradient of {first} {when}, without the heads: {'; '.join(said)}. One run of each, from one seed: that tells "
        "the size of the effect, not its digits."
    )


def marks(steps: list[GradientComparison], at: int = -1) -> list[Mark]:
    """The rows for the step number `at`, in a scale that holds all of them: it stays in place from step to step."""
    from googlenet.training.gradients import about

    now, scale = steps[at], decades(steps)
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
    """HTML of the chart after each step, or of both; a refusal is one sentence."""
    try:
        for runs in measure(checkpoints, norm, steps):
            yield heads_charts(runs)
    except LabError as error:
        yield figures.message(str(error))


def measure(checkpoints: Path, norm: Any, steps: Any) -> Iterator[Runs]:
    """All steps measured so far, after each one, of the network with that `norm`, or of both in turns."""
    chosen = check_choice(norm, "norm", tuple(name for _, name in NORMS))
    steps = check_whole(steps, "steps", 1, MAX_STEPS)
    share_cores(checkpoints)
    from googlenet.training.gradients import compare_heads

    kinds = ("plain", "normed") if chosen == BOTH else (chosen,)
    networks = [preset("cifar10", batch_norm=kind == "normed") for kind in kinds]
    runs: Runs = {kind: [] for kind in kinds}
    for compared in zip(*(compare_heads(network, steps) for network in networks), strict=True):
        for kind, comparison in zip(kinds, compared, strict=True):
            runs[kind].append(comparison)
        yield runs
        share_cores(checkpoints)  # a training may have started; the next step runs in this thread


def scrub(runs: Any, step: Any) -> Any:
    """HTML of the charts at another step; they stay as they are where nothing was measured."""
    if not runs:
        return gr.skip()
    most = min(map(len, runs.values())) - 1
    return heads_charts(runs, min(max(int(step or 0), 0), most))


def heads_panel(checkpoints: Path) -> gr.Column:
    """Lay out the lesson and wire it; it shares the cores with a trainer under `checkpoints`. Returns its box."""

    def run(norm: Any, steps: Any) -> Iterator[Any]:
        try:
            for runs in measure(checkpoints, norm, steps):
                last = len(next(iter(runs.values()))) - 1
                yield heads_charts(runs), runs, gr.Slider(maximum=max(1, last), value=last, visible=last > 0)
        except LabError as error:
            yield figures.message(str(error)), gr.skip(), gr.skip()

    measured_runs = gr.State(None)
    with gr.Column(visible=False) as box, gr.Row(elem_id="heads"):
        with gr.Column(scale=1, min_width=260):
            html(render("lessons/heads_intro.html"))
            norm = gr.Radio(NORMS, value=BOTH, label="The network for 32×32")
            steps = gr.Slider(1, MAX_STEPS, STEPS, step=1, label="Steps", elem_id="heads-steps")
            with gr.Row():
                start = gr.Button("Measure", variant="primary", min_width=100)
                stop = gr.Button("Stop", min_width=80, interactive=False)
        with gr.Column(scale=3, min_width=320):
            scrubber = gr.Slider(0, 1, 0, step=1, label="Step shown", visible=False, elem_id="heads-step")
            chart = html(render("lessons/heads_empty.html", waiting=False))

    def buttons(running: bool) -> list[Any]:
        return [gr.Button(interactive=not running), gr.Button(interactive=running)]

    both, waiting = [start, stop], render("lessons/heads_empty.html", waiting=True)
    begun = start.click(
        lambda: [*buttons(True), waiting, gr.Slider(visible=False)], None, [*both, chart, scrubber], **LIVE
    )
    one_at_a_time = {"concurrency_limit": 1, "concurrency_id": "heads"}
    shown = [chart, measured_runs, scrubber]
    measured = begun.then(run, [norm, steps], shown, **{**PRIVATE, "queue": True}, **one_at_a_time)
    finally_(measured, lambda: buttons(False), None, both, **LIVE)
    stop.click(lambda: buttons(False), None, both, cancels=[measured], **LIVE)
    scrubber.input(scrub, [measured_runs, scrubber], chart, **LIVE)
    return box
