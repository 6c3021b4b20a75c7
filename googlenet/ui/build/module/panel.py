"""One module: what an Inception module does to shapes, and what each of its branches costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from googlenet.language import mark, tr
from googlenet.ui.build.module.answers import (
    Answer,
    check_padding,
    choose_step,
    draw,
    race_modules,
    run_module,
    show_reductions,
    torch_says,
)
from googlenet.ui.build.module.form import DEFAULT, LABELS, LIMITS, OWN, STARTS, load_start, shown_name
from googlenet.ui.build.module.view import note
from googlenet.ui.common import figures
from googlenet.ui.common.channels import channels
from googlenet.ui.common.templates import render
from googlenet.ui.events.cores import share_cores

RANGES = mark(
    "Channels go from 1 to {channels:,}: type them, or use the slider. Sides go to {side:,} pixels, batches to "
    "{batch:,} images; no memory is allocated for them."
)
COSTLIEST = "branch2.1"  # of 3a: the step that is explained at first
LIVE: dict[str, Any] = {
    "queue": False,
    "trigger_mode": "always_last",
    "show_progress": "hidden",
    "api_visibility": "private",
}
# Nothing is timed beside another timing.
TIMED: dict[str, Any] = {"concurrency_id": "timed", "concurrency_limit": 1, "api_visibility": "private"}


class ModulePanel(NamedTuple):
    """What others need of the panel: the buttons that lead to a picture and to a question, the dropdown that says
    which module it is, and its state."""

    see: gr.Button
    ask: gr.Button
    start: gr.Dropdown
    form: list[Any]
    forgotten: gr.Checkbox


class Controls(NamedTuple):
    """The left column: a control for each field of `Form`, in its order, and what stands beside them."""

    start: gr.Dropdown
    undo: gr.Button
    form: list[Any]
    reductions: list[gr.Group]  # what a naive module lacks
    forgotten: gr.Checkbox


def module_panel(demo: gr.Blocks, checkpoints: Path) -> ModulePanel:
    """Lay out the panel and wire it; `checkpoints` is where a trainer may be at work, who keeps most of the cores."""

    def run_real(*values: Any) -> str:
        share_cores(checkpoints)
        return run_module(*values)

    def time_both(*values: Any) -> str:
        share_cores(checkpoints)
        return race_modules(*values)

    first = draw(False, COSTLIEST, *STARTS[DEFAULT].values)
    step = gr.State(COSTLIEST)
    with gr.Row(elem_classes="gl-build"):
        with gr.Column(scale=1, min_width=300, elem_classes="gl-controls"):
            start, undo, form, reductions, forgotten = _controls()
            with gr.Column(elem_classes="gl-later"):
                _padding_check()
        with gr.Column(scale=2, min_width=320, elem_classes="gl-answers"):
            refusal = _html("", "gl-slot", "gl-refusal", js_on_load="googlenet.markRefused(element, watch)")
            picture = _html(first.picture, "gl-hero", js_on_load="googlenet.moduleDrawing(element, trigger, watch)")
            with gr.Row():
                see = gr.Button(tr("See this module on a picture"), size="sm", min_width=160)
                ask = gr.Button(tr("Make a question of it"), size="sm", min_width=140)
            misfit, torch_said = _html("", "gl-slot"), _html("", "gl-slot")
            headline, calculations = _html(first.headline), _html(first.calculations)
            steps = _html(first.steps, js_on_load="googlenet.chooseStep(element, trigger)")
    with gr.Row(elem_classes="gl-more"):
        with gr.Column(scale=3, min_width=320):
            _heading(tr("Naive against reduced"))
            twins = _html(first.twins)
            race = gr.Button(tr("Time both on this device"), size="sm")
            raced = _html("")
        with gr.Column(scale=2, min_width=320):
            _heading(tr("Torch's own figures"))
            run = gr.Button(tr("Run it for real"), size="sm")
            measured = _html(first.measured)

    # .change and not .input: a number set by a slider, a start or a link counts as well.
    changed, shown, state = [control.change for control in form], [forgotten, step, *form], [*form, forgotten]
    slots = Answer(refusal, headline, picture, misfit, calculations, steps, twins, measured, raced, start)
    gr.on([*changed, forgotten.change], draw, shown, list(slots), **LIVE)
    kind, _, _, height, width, *_ = form
    sized = [control.change for control in (forgotten, kind, height, width)]  # channels play no part in torch's error
    gr.on(sized, torch_says, [forgotten, *form], torch_said, **LIVE)
    gr.on([picture.click, steps.click], choose_step, [forgotten, *form], [step, calculations], **LIVE)
    start.input(load_start, [start, *form], form, **LIVE)
    undo.click(None, state, state, js="googlenet.undoModule")
    demo.load(None, state, state, js="googlenet.openModule")
    kind.change(show_reductions, kind, reductions, **LIVE)
    run.click(run_real, [forgotten, *form], measured, **TIMED)
    race.click(time_both, form, raced, **TIMED)
    return ModulePanel(see, ask, start, form, forgotten)


def _padding_check() -> None:
    """Try a window on a map: which padding keeps its size?"""
    _heading(tr("Which padding keeps the size?"))
    with gr.Group(), gr.Row(elem_classes="gl-check-row"):
        fields = [
            gr.Number(28, label=tr("Side"), min_width=70, elem_id="check-side"),
            gr.Dropdown([1, 3, 5, 7], value=5, label=tr("Kernel"), min_width=70),
            gr.Dropdown([0, 1, 2, 3], value=1, label=tr("Padding"), min_width=70),
            gr.Dropdown([1, 2, 3], value=1, label=tr("Stride"), min_width=70),
        ]
    answer = _html(check_padding(28, 5, 1, 1))
    gr.on([field.change for field in fields], check_padding, fields, answer, **LIVE)


def _controls() -> Controls:
    default = STARTS[DEFAULT]
    kinds = [(tr("with 1×1 reductions"), "reduced"), (tr("naive"), "naive")]
    kind = gr.Radio(kinds, value=default.kind, label=tr("Inception module"))
    with gr.Row(elem_classes="gl-start"):
        starts = [(shown_name(name), name) for name in (*STARTS, OWN)]
        start = gr.Dropdown(starts, value=DEFAULT, label=tr("Start from"), scale=4, min_width=180)
        undo = gr.Button(tr("Undo"), size="sm", scale=1, min_width=70)
    with gr.Group():
        in_channels = _channels("in_channels")
        with gr.Row():
            sizes = [
                gr.Number(getattr(default, field), label=tr(LABELS[field]), min_width=100, elem_id=f"build-{field}")
                for field in ("batch", "height", "width")
            ]
    with _group("1×1"):
        ch1x1 = _channels("ch1x1")
    with _group("3×3"):
        with gr.Group() as before_3x3:
            ch3x3red = _channels("ch3x3red")
        ch3x3 = _channels("ch3x3")
    with _group("5×5"):
        with gr.Group() as before_5x5:
            ch5x5red = _channels("ch5x5red")
        ch5x5 = _channels("ch5x5")
    with _group("pool"):
        with gr.Group() as after_pool:
            pool_proj = _channels("pool_proj")
        forgotten = gr.Checkbox(False, label=tr("forget stride=1 on the pool"), elem_id="build-forgotten")
    _html(note(tr(RANGES, channels=LIMITS["ch1x1"], side=LIMITS["height"], batch=LIMITS["batch"])))
    form = [kind, in_channels, *sizes, ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, pool_proj]
    return Controls(start, undo, form, [before_3x3, before_5x5, after_pool], forgotten)


def _group(branch: str) -> gr.Group:
    """A box for a branch's sliders, behind its colour."""
    return gr.Group(elem_classes=["gl-channels", figures.BRANCH_CLASSES[branch]])


def _channels(field: str) -> gr.Number:
    return channels(getattr(STARTS[DEFAULT], field), tr(LABELS[field]), f"build-{field}")


def _heading(text: str) -> gr.HTML:
    return _html(render("module/heading.html", text=text))


def _html(value: str, *classes: str, **more: Any) -> gr.HTML:
    return gr.HTML(value, apply_default_css=False, elem_classes=["gl-html", *classes], **more)
