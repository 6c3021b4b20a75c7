"""Why auxiliary heads: each layer's gradient with them and without, drawn anew after every step of a small training."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from googlenet.errors import LabError, check_choice, check_whole
from googlenet.language import mark, tr, trn
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
NORMS = {
    "plain": mark("without batch norm"),
    "normed": mark("with batch norm"),
    BOTH: mark("both, side by side"),
}
CAPTIONS = {
    "": mark("Gradient by layer, {when}"),
    "plain": mark("Without batch norm: gradient by layer, {when}"),
    "normed": mark("With batch norm: gradient by layer, {when}"),
}
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


def heads_chart(steps: list[GradientComparison], at: int = -1, norm: str = "") -> str:
    """HTML: the step number `at` as a row for every layer, gradient to the right in powers of ten, and its sentence.

    The caption names the `norm` where one is given.
    """
    now, (low, high) = steps[at], decades(steps)
    when = tr("at initialisation") if now.step == 0 else trn("after {n} step", "after {n} steps", now.step)
    bottom = TOP + ROW * len(now.gains)
    return render(
        "lessons/heads.html",
        now=now,
        caption=tr(CAPTIONS[norm], when=when),
        when=when,
        marks=marks(steps, at),
        decades=[(_x(10.0**power, low, high), str(power).replace("-", "−")) for power in range(low, high + 1)],
        bottom=bottom,
        height=bottom + BOTTOM,
        box={"width": WIDTH, "left": LEFT, "right": WIDTH - RIGHT, "top": TOP, "row": ROW},
    )


def heads_charts(runs: Runs, at: int = -1) -> str:
    """HTML of each run's chart at that step; of both side by side, with what they say together."""
    if len(runs) == 1:
        return heads_chart(next(iter(runs.values())), at)
    charts = [heads_chart(steps, at, norm) for norm, steps in runs.items()]
    return render("lessons/heads_both.html", charts=charts, sentence=together(runs))


def together(runs: Runs) -> str:
    """What one run of each supports: between which sizes the fading lay, over all steps measured."""
    from googlenet.training.gradients import about

    first = next(iter(next(iter(runs.values()))[0].gains))
    said = []
    for norm, steps in runs.items():
        fading = [step.without.fading for step in steps]
        low, high = (about(end) if end < math.inf else tr("any number of") for end in (min(fading), max(fading)))
        if max(fading) < FADED:
            faded = tr("no less than the last layer, or hardly")
        elif low == high:
            faded = tr("about {n}× less than the last layer", n=low)
        else:
            faded = tr("about {low}× to about {high}× less than the last layer", low=low, high=high)
        plain = norm == "plain"
        said.append(
            tr("without batch norm {faded}", faded=faded) if plain else tr("with batch norm {faded}", faded=faded)
        )
    steps = len(next(iter(runs.values()))) - 1
    when = tr("at initialisation") if not steps else trn("over {n} step", "over {n} steps", steps)
    return tr(
        "Gradient of {layer} {when}, without the heads: {said}. One run of each, from one seed: that tells the size of "
        "the effect, not its digits.",
        layer=first, when=when, said="; ".join(said),
    )  # fmt: skip


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
    chosen = check_choice(norm, "norm", tuple(NORMS))
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
            norm = gr.Radio([(tr(label), name) for name, label in NORMS.items()], value=BOTH,
                            label=tr("The network for 32×32"))  # fmt: skip
            steps = gr.Slider(1, MAX_STEPS, STEPS, step=1, label=tr("Steps"), elem_id="heads-steps")
            with gr.Row():
                start = gr.Button(tr("Measure"), variant="primary", min_width=100)
                stop = gr.Button(tr("Stop"), min_width=80, interactive=False)
        with gr.Column(scale=3, min_width=320):
            scrubber = gr.Slider(0, 1, 0, step=1, label=tr("Step shown"), visible=False, elem_id="heads-step")
            chart = html(render("lessons/heads_empty.html", waiting=False))

    def buttons(running: bool) -> list[Any]:
        return [gr.Button(interactive=not running), gr.Button(interactive=running)]

    def wait() -> list[Any]:
        return [*buttons(True), render("lessons/heads_empty.html", waiting=True), gr.Slider(visible=False)]

    both = [start, stop]
    begun = start.click(wait, None, [*both, chart, scrubber], **LIVE)
    one_at_a_time = {"concurrency_limit": 1, "concurrency_id": "heads"}
    shown = [chart, measured_runs, scrubber]
    measured = begun.then(run, [norm, steps], shown, **{**PRIVATE, "queue": True}, **one_at_a_time)
    finally_(measured, lambda: buttons(False), None, both, **LIVE)
    stop.click(lambda: buttons(False), None, both, cancels=[measured], **LIVE)
    scrubber.input(scrub, [measured_runs, scrubber], chart, **LIVE)
    return box
