"""What the events of One module are answered with."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import gradio as gr

from googlenet.config import InceptionConfig
from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.lessons import arithmetic
from googlenet.models.profile import Profile, profile_module
from googlenet.ui.build.module import view
from googlenet.ui.build.module.form import Form, name_of
from googlenet.ui.common import figures
from googlenet.ui.events.refusals import sent

NOT_MEASURED = mark(
    "Torch builds exactly this module, passes a batch of random images through it for two seconds, and its figures are "
    "compared with those above."
)


class Answer(NamedTuple):
    """All that one state of the form is answered with, in the order of the page's slots."""

    refusal: Any
    headline: Any = gr.skip()
    picture: Any = gr.skip()
    misfit: Any = gr.skip()
    calculations: Any = gr.skip()
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
        profile = _profile(form, forgotten)
        naive, reduced = (profile_module(config, form.height, form.width, form.batch) for config in _pair(form))
    except LabError as error:
        return Answer(figures.message(str(error), field=error.field))
    row = arithmetic.find_row(profile, step)
    return Answer(
        refusal="",
        headline=view.headline(profile),
        picture=view.picture(form, profile, forgotten, row.name),
        misfit=view.misfit_html(arithmetic.misfit(profile)),
        calculations=view.step_calculations(profile, row),
        steps=view.steps(profile, row.name),
        twins=view.twins(naive, reduced),
        measured=view.note(tr(NOT_MEASURED)),
        raced="",
        start=name_of(form),
    )


def _profile(form: Form, forgotten: bool = False) -> Profile:
    """The module's; `LabError` for what is out of range."""
    profile = profile_module(form.config(), form.height, form.width, form.batch)
    return arithmetic.forget_stride(profile) if forgotten else profile


def _pair(form: Form) -> tuple[InceptionConfig, InceptionConfig]:
    """The naive and the reduced module with the same channels; a naive form has its reductions behind the scenes."""
    reduced = dataclasses.replace(form, kind="reduced").config()
    return arithmetic.naive_twin(reduced), reduced


def choose_step(forgotten: bool, event: gr.EventData, *values: Any) -> tuple[Any, Any]:
    """The step that was clicked, and how it is worked out."""
    try:
        profile = _profile(Form(*values), forgotten)
    except LabError:
        return gr.skip(), gr.skip()  # the refusal stands there already
    row = arithmetic.find_row(profile, str(sent(event, "step")))
    return row.name, view.step_calculations(profile, row)


def torch_says(forgotten: bool, *values: Any) -> str:
    """HTML of torch's own error for a forgotten stride; nothing where it has none."""
    try:
        return view.torch_says(_torch_error(Form(*values)) if forgotten else "", tr("torch says"))
    except LabError:
        return ""


def _torch_error(form: Form) -> str:
    from googlenet.models.profile.measure import concat_error  # torch: seconds that drawing does not need

    profile = _profile(form)
    return concat_error(form.config(), *profile.in_shape[1:])


def check_padding(side: Any, kernel: Any, padding: Any, stride: Any) -> str:
    """HTML: the side of a map after a window, and whether it is the same."""
    try:
        found = arithmetic.size_after(side, kernel, padding, stride)
    except LabError as error:
        return figures.message(str(error))
    return view.padding(found, int(side), int(kernel), int(padding), int(stride))


def show_reductions(kind: str) -> list[Any]:
    """A naive module has no reductions and no pool projection to set."""
    return [gr.update(visible=kind != "naive")] * 3


def run_module(forgotten: bool, *values: Any) -> str:
    """HTML of what torch makes of the module; of its error where the stride is forgotten, or of the refusal."""
    form = Form(*values)
    try:
        profile = _profile(form)
        if forgotten and (error := _torch_error(form)):
            return view.torch_says(error, tr("torch says in place of a time"))
        from googlenet.models.profile.measure import measure_module

        measured = measure_module(form.config(), form.height, form.width, form.batch)
    except LabError as error:
        return figures.message(str(error))
    return view.measured_answer(measured, profile)


def race_modules(*values: Any) -> str:
    """HTML of both kinds of module timed in turns, or of the refusal."""
    form = Form(*values)
    try:
        naive, reduced = _pair(form)
        from googlenet.models.profile.measure import race

        return view.race_answer(race(naive, reduced, form.height, form.width, form.batch))
    except LabError as error:
        return figures.message(str(error))
