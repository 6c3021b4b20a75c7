"""The Build tab: what an Inception module does to shapes, and what each of its branches costs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from googlenet.config import MAX_BATCH, MAX_CHANNELS, MAX_SIZE, InceptionConfig
from googlenet.errors import LabError
from googlenet.lessons import arithmetic
from googlenet.models.profile import Profile, profile_module
from googlenet.ui.build.lessons.heads import heads_panel
from googlenet.ui.build.lessons.panel import browser_place, lessons_panel
from googlenet.ui.build.module import arithmetic as arithmetic_view
from googlenet.ui.build.module import view as build_view
from googlenet.ui.build.module.form import DEFAULT, OWN, READ_URL, STARTS, UNDO, WRITE_URL, Form, load_start, name_of
from googlenet.ui.build.module.picture import CHOOSE_OR_SAVE, picture_html
from googlenet.ui.build.network.panel import NetworkPanel, keep_view_in_url, network_panel
from googlenet.ui.common import figures
from googlenet.ui.common.channels import channels
from googlenet.ui.common.cores import share_cores
from googlenet.ui.common.refusals import sent

COSTLIEST = "branch2.1"  # of 3a: the step that is explained at first
LIMITS = (
    f"Channels go from 1 to {MAX_CHANNELS:,}: type them, or slide over octaves. Sides go to {MAX_SIZE:,} pixels, "
    f"batches to {MAX_BATCH:,} images; nothing is allocated to answer."
)
VIEWS = [("One module", "module"), ("Network", "network"), ("Lessons", "lessons")]
LIVE = {
    "queue": False,
    "trigger_mode": "always_last",
    "show_progress": "hidden",
    "api_visibility": "private",
}


class Answer(NamedTuple):
    """All that one state of the form is answered with, in the order of the page's slots."""

    refusal: Any
    headline: Any = gr.skip()
    picture: Any = gr.skip()
    misfit: Any = gr.skip()
    sums: Any = gr.skip()
    steps: Any = gr.skip()
    twins: Any = gr.skip()
    measured: Any = gr.skip()
    raced: Any = gr.skip()
    start: Any = gr.skip()


def draw(forgotten: bool, step: str, *values: Any) -> Answer:
    """The answer to a form, and no result of torch yet; a refused form keeps what was there.

    `forgotten` leaves out the pool's stride, `step` is the row of the profile that is explained.
    """
    form = Form(*values)
    try:
        config, profile = _described(form, forgotten)
        twins = build_twins(form)
    except LabError as error:
        return Answer(figures.message(str(error)))
    row = arithmetic.find_row(profile, step)
    return Answer(
        refusal="",
        headline=build_view.headline(profile),
        picture=picture_html(config, profile, row.name),
        misfit=arithmetic_view.misfit_html(arithmetic.misfit(profile)),
        sums=arithmetic_view.step_html(profile, row),
        steps=build_view.steps_answer(profile, row.name),
        twins=twins,
        measured=build_view.NOT_MEASURED,
        raced=arithmetic_view.NOT_TIMED,
        start=name_of(form),
    )


def _described(form: Form, forgotten: bool = False) -> tuple[InceptionConfig, Profile]:
    """The module and its profile; `LabError` for what is out of range."""
    config = form.config()
    profile = profile_module(config, form.height, form.width, form.batch)
    return config, arithmetic.forget_stride(profile) if forgotten else profile


def _pair(form: Form) -> tuple[InceptionConfig, InceptionConfig]:
    """The naive and the reduced module with the same channels; a naive form has its reductions behind the scenes."""
    reduced = dataclasses.replace(form, kind="reduced").config()
    return arithmetic.naive_twin(reduced), reduced


def build_twins(form: Form) -> str:
    """HTML of naive against reduced."""
    naive, reduced = (profile_module(config, form.height, form.width, form.batch) for config in _pair(form))
    return arithmetic_view.twins_html(naive, reduced)


def choose_step(forgotten: bool, event: gr.EventData, *values: Any) -> tuple[Any, Any]:
    """The step that was clicked, and its sums."""
    try:
        _, profile = _described(Form(*values), forgotten)
    except LabError:
        return gr.skip(), gr.skip()  # the refusal stands already beside the form
    row = arithmetic.find_row(profile, str(sent(event, "step")))
    return row.name, arithmetic_view.step_html(profile, row)


def torch_says(forgotten: bool, *values: Any) -> str:
    """HTML of torch's own error for a forgotten stride; nothing where it has none."""
    if not forgotten:
        return ""
    try:
        config, profile = _described(Form(*values))
        from googlenet.models.profile.measure import concat_error  # torch: seconds that drawing does not need

        return arithmetic_view.torch_says_html(concat_error(config, *profile.in_shape[1:]))
    except LabError:
        return ""


def check_padding(side: Any, kernel: Any, padding: Any, stride: Any) -> str:
    """HTML: the side of a map after a window, and whether it is the same."""
    try:
        found = arithmetic.size_after(side, kernel, padding, stride)
    except LabError as error:
        return figures.message(str(error))
    return arithmetic_view.padding_html(found, int(side), int(kernel), int(padding), int(stride))


def show_reductions(kind: str) -> list[Any]:
    """A naive module has no reductions and no pool projection to set."""
    return [gr.update(visible=kind != "naive")] * 3


def run_module(*values: Any) -> tuple[Any, Any]:
    """The refusal and the HTML of one forward pass through torch."""
    form = Form(*values)
    try:
        config, profile = _described(form)
        from googlenet.models.profile.measure import (
            measure_module,  # torch: seconds and 600 MB that drawing does not need
        )

        measured = measure_module(config, form.height, form.width, form.batch)
    except LabError as error:
        return figures.message(str(error)), gr.skip()
    return "", build_view.measured_answer(measured, profile)


def race_modules(*values: Any) -> tuple[Any, Any]:
    """The refusal and the HTML of both kinds of module timed in turns."""
    form = Form(*values)
    try:
        naive, reduced = _pair(form)
        from googlenet.models.profile.measure import race

        raced = race(naive, reduced, form.height, form.width, form.batch)
    except LabError as error:
        return figures.message(str(error)), gr.skip()
    return "", arithmetic_view.race_html(raced)


def build_tab(demo: gr.Blocks, checkpoints: Path) -> NetworkPanel:
    """Lay out the tab and wire it; call inside `with gr.Blocks(): with gr.Tab("Build"):`.

    `checkpoints` is where a trainer may be at work, to which a measured pass leaves the cores. Returns the whole
    network's half, whose button leads to the Train tab.
    """

    def run_real(*values: Any) -> tuple[Any, Any]:
        share_cores(checkpoints)
        return run_module(*values)

    def time_both(*values: Any) -> tuple[Any, Any]:
        share_cores(checkpoints)
        return race_modules(*values)

    first = draw(False, COSTLIEST, *STARTS[DEFAULT].values)
    place = browser_place()
    # Not gr.Tabs: on a phone those of a second row vanish into a menu.
    view = gr.Radio(VIEWS, value="module", show_label=False, container=False, elem_id="build-views")
    with gr.Column() as one:
        with gr.Row(elem_classes="gl-build"):
            with gr.Column(scale=1, min_width=300, elem_classes="gl-controls"):
                start, undo, controls, reductions, forgotten = _controls()
                with gr.Column(elem_classes="gl-later"):
                    _padding_check()
            with gr.Column(scale=2, min_width=320, elem_classes="gl-answers"):
                step = gr.Textbox(COSTLIEST, visible="hidden")
                refusal = _html("", "gl-slot", "gl-refusal")
                picture = _html(first.picture, "gl-hero", js_on_load=CHOOSE_OR_SAVE)
                misfit, torch_said = _html("", "gl-slot"), _html("", "gl-slot")
                headline, sums = _html(first.headline), _html(first.sums)
                steps = _html(first.steps, js_on_load=CHOOSE_OR_SAVE)
        with gr.Row(elem_classes="gl-more"):
            with gr.Column(scale=3, min_width=320):
                _html("<h3>Naive against reduced</h3>")
                twins = _html(first.twins)
                race = gr.Button("Time both on this device", size="sm")
                raced = _html(arithmetic_view.NOT_TIMED)
            with gr.Column(scale=2, min_width=320):
                _html("<h3>Torch's own figures</h3>")
                run = gr.Button("Run it for real", size="sm")
                measured = _html(build_view.NOT_MEASURED)
    with gr.Column(visible=False) as whole:
        panel = network_panel(demo)
    with gr.Column(visible=False) as lessons:
        lessons_panel(demo, place)
        heads_panel(checkpoints)
    view.change(
        lambda chosen: [gr.Column(visible=chosen == name) for _, name in VIEWS], view, [one, whole, lessons], **LIVE
    )
    keep_view_in_url(demo, view)

    # .change and not .input: a number set by a slider, a start or a link counts as well.
    changed, shown = [control.change for control in controls], [forgotten, step, *controls]
    slots = Answer(refusal, headline, picture, misfit, sums, steps, twins, measured, raced, start)
    gr.on([*changed, forgotten.change], draw, shown, list(slots), **LIVE)
    kind, _, _, height, width, *_ = controls
    sized = [control.change for control in (forgotten, kind, height, width)]  # channels play no part in torch's error
    gr.on(sized, torch_says, [forgotten, *controls], torch_said, **LIVE)
    gr.on([picture.click, steps.click], choose_step, [forgotten, *controls], [step, sums], **LIVE)
    start.input(load_start, [start, *controls], controls, **LIVE)
    undo.click(None, controls, controls, js=UNDO)
    gr.on(changed, None, controls, js=WRITE_URL)
    demo.load(None, controls, controls, js=READ_URL)
    kind.change(show_reductions, kind, reductions, **LIVE)
    run.click(run_real, controls, [refusal, measured], show_progress_on=measured, api_visibility="private")
    race.click(time_both, controls, [refusal, raced], show_progress_on=raced, api_visibility="private")
    return panel


def _padding_check() -> None:
    """Try a window on a map: which padding keeps its size?"""
    _html("<h3>Which padding keeps the size?</h3>")
    with gr.Group(), gr.Row(elem_classes="gl-check-row"):
        fields = [
            gr.Number(28, label="Side", min_width=70, elem_id="check-side"),
            gr.Dropdown([1, 3, 5, 7], value=5, label="Kernel", min_width=70),
            gr.Dropdown([0, 1, 2, 3], value=1, label="Padding", min_width=70),
            gr.Dropdown([1, 2, 3], value=1, label="Stride", min_width=70),
        ]
    answer = _html(check_padding(28, 5, 1, 1))
    gr.on([field.change for field in fields], check_padding, fields, answer, **LIVE)


def _controls() -> tuple[gr.Dropdown, gr.Button, list[gr.components.Component], list[gr.Group], gr.Checkbox]:
    """The left column: where to start from, a control for each field of `Form`, what a naive module lacks."""
    form = STARTS[DEFAULT]
    kind = gr.Radio([("with 1×1 reductions", "reduced"), ("naive", "naive")], value=form.kind, label="Inception module")
    with gr.Row(elem_classes="gl-start"):
        start = gr.Dropdown([*STARTS, OWN], value=DEFAULT, label="Start from", scale=4, min_width=180)
        undo = gr.Button("Undo", size="sm", scale=1, min_width=70)
    with gr.Group():
        in_channels = _channels("in_channels", "Channels in")
        sizes = [in_channels, *_numbers({"batch": "Batch", "height": "Height", "width": "Width"})]
    with _group("1×1"):
        ch1x1 = _channels("ch1x1", "1×1")
    with _group("3×3"):
        with gr.Group() as before_3x3:
            ch3x3red = _channels("ch3x3red", "1×1 reduction before it")
        ch3x3 = _channels("ch3x3", "3×3")
    with _group("5×5"):
        with gr.Group() as before_5x5:
            ch5x5red = _channels("ch5x5red", "1×1 reduction before it")
        ch5x5 = _channels("ch5x5", "5×5")
    with _group("pool"):
        with gr.Group() as after_pool:
            pool_proj = _channels("pool_proj", "1×1 after the pool")
        forgotten = gr.Checkbox(False, label="forget stride=1 on the pool", elem_id="build-forgotten")
    _html(f"<p class='gl-note'>{LIMITS}</p>")
    controls = [kind, *sizes, ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, pool_proj]
    return start, undo, controls, [before_3x3, before_5x5, after_pool], forgotten


def _numbers(labels: dict[str, str]) -> list[gr.Number]:
    """A row of number boxes, one for each field."""
    form = STARTS[DEFAULT]
    with gr.Row():
        return [
            gr.Number(getattr(form, field), label=label, min_width=100, elem_id=f"build-{field}")
            for field, label in labels.items()
        ]


def _group(branch: str) -> gr.Group:
    """A box for a branch's sliders, behind its colour."""
    return gr.Group(elem_classes=["gl-channels", figures.BRANCH_CLASSES[branch]])


def _html(value: str, *classes: str, **more: Any) -> gr.HTML:
    return gr.HTML(value, apply_default_css=False, elem_classes=["gl-html", *classes], **more)


def _channels(field: str, label: str) -> gr.Number:
    return channels(getattr(STARTS[DEFAULT], field), f"{label} ({field})", f"build-{field}")
