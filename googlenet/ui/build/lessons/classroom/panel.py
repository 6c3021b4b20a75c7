"""A desk on the page: the tasks, the one in front, and where it is answered; for a class, the code to hand in."""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr

from googlenet.config import GoogLeNetConfig
from googlenet.language import tr
from googlenet.lessons.design import ModuleDesign, design_text
from googlenet.models.draft import Draft
from googlenet.ui.build.lessons.classroom import desk
from googlenet.ui.build.module.form import Form
from googlenet.ui.common.layout import LIVE, html, unseen
from googlenet.ui.events.long_work import PRIVATE, refusable


class Builder(NamedTuple):
    """What the two builders hold: the view that was open last, the module's form with its forgotten stride, and the
    network's draft."""

    form: list[Any]
    forgotten: gr.Checkbox
    draft: gr.State

    @property
    def inputs(self) -> list[Any]:
        """For `module_text` and `network_text`."""
        return [self.draft, self.forgotten, *self.form]


def module_text(forgotten: bool, *values: Any) -> str:
    """The module of the builder's form as a design's text; `LabError` for what is out of range."""
    form = Form(*values)
    return design_text(ModuleDesign(form.config(), form.height, form.width, form.batch, bool(forgotten)))


def network_text(draft: Draft) -> str:
    """The network of the builder as a design's text."""
    config: GoogLeNetConfig = draft.config
    return design_text(config)


class DeskPanel(NamedTuple):
    """The components that `desk`'s answers fill; for a class, the field of the student's name."""

    slots: list[Any]
    who: Any


def desk_panel(state: Any, name: str, builder: Builder, *, class_: bool = False, more: bool = False) -> DeskPanel:
    """Lay out a desk called `name` for the tasks in `state` and wire it.

    One for a `class_` takes a student's name, gives a code, and is kept by the browser; `more` offers the same tasks
    with other numbers.
    """
    who: gr.Textbox | None = None
    with gr.Row(elem_classes="gl-desk"):
        with gr.Column(scale=1, min_width=260):
            path = html("", js_on_load="googlenet.chooseLesson(element, trigger)")
            if class_:
                who = _handing_in(state, name)
        with gr.Column(scale=3, min_width=320):
            card = html("", js_on_load="googlenet.chooseAnswer(element, trigger)")
            with gr.Row(elem_classes="gl-desk-form"):
                answer = gr.Textbox(label=tr("Your answer"), max_lines=1, max_length=4000, elem_id=f"{name}-answer",
                                    scale=2, min_width=150)  # fmt: skip
                submit = gr.Button(tr("Check"), variant="primary", min_width=90, scale=1, elem_id=f"{name}-check")
            feedback = html("", "gl-slot")
            with gr.Row(elem_classes="gl-desk-buttons"):
                take = gr.Button(tr("Take it from the builder"), size="sm", min_width=190, scale=0)
                solution = gr.Button(tr("Show the solution"), size="sm", min_width=140, scale=0)
                again = gr.Button(tr("Other numbers"), size="sm", min_width=130, scale=0, visible=more)
                go_on = gr.Button(tr("Next task"), size="sm", min_width=110, scale=0)
    outcome = unseen()
    slots = [state, path, card, answer, outcome, feedback, solution, take]
    guarded = refusable(desk.SLOTS)
    done = [
        gr.on([answer.submit, submit.click], guarded(desk.check_answer), [state, answer], slots, **LIVE),
        card.select(guarded(desk.choose_answer), state, slots, **LIVE),
        path.select(guarded(desk.choose_task), state, slots, **LIVE),
        go_on.click(guarded(desk.onward), state, slots, **LIVE),
        again.click(guarded(desk.another), state, slots, **LIVE),
        solution.click(refusable(desk.SLOTS, place=5)(desk.show_solution), state, slots, **LIVE),
    ]
    taken = take.click(refusable(2, place=1)(_take), [state, *builder.inputs], [answer, feedback], **PRIVATE)
    taken.then(None, None, None, js=f"() => googlenet.pressSoon('{name}-check', '{name}-answer')")
    if who:
        done.append(gr.on([who.blur, who.submit], guarded(desk.rename), [state, who], slots, **LIVE))
        for event in done:
            event.then(None, state, None, js="googlenet.keepDesk")
    return DeskPanel(slots, who)


def _take(stored: Any, draft: Draft, forgotten: bool, *values: Any) -> list[Any]:
    """The design that the task asks for, as the builder has it, into the answer; a question takes none."""
    task = desk.Desk.read(stored).task
    of = getattr(task, "of", "")
    if not of:
        return [gr.skip(), desk.figures.message(tr("This question is answered with a number, not with a design."))]
    return [network_text(draft) if of == "network" else module_text(forgotten, *values), ""]


def _handing_in(state: Any, name: str) -> gr.Textbox:
    """The student's name, which is returned, and the code to copy once it is made."""
    who = gr.Textbox(label=tr("Your name"), max_lines=1, max_length=60, elem_id=f"{name}-name",
                     info=tr("stands in your code; nothing is kept on the server"))  # fmt: skip
    make = gr.Button(tr("Make my code"), variant="primary", size="sm")
    refusal = html("", "gl-slot")
    code = gr.Textbox(label=tr("Your code: hand it in"), lines=3, max_lines=6, interactive=False, buttons=["copy"],
                      elem_id=f"{name}-code", visible=False)  # fmt: skip

    @refusable(2, place=1)
    def hand_in(stored: Any, typed: str) -> list[Any]:
        return [gr.update(value=desk.hand_in(stored, typed), visible=True), ""]

    make.click(hand_in, [state, who], [code, refusal], **PRIVATE)
    return who
