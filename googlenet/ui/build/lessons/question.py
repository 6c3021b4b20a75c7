"""Make a question of this: whatever the builder shows, asked, answered, and put into a link or a class."""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.lessons.assignment import Assignment, question_item
from googlenet.lessons.design import read_design
from googlenet.lessons.questions import kinds
from googlenet.ui.build.lessons.classroom import desk
from googlenet.ui.build.lessons.classroom.panel import Builder, desk_panel, module_text, network_text
from googlenet.ui.build.lessons.view import heading
from googlenet.ui.common import figures
from googlenet.ui.common.layout import LIVE, html, unseen
from googlenet.ui.events.long_work import PRIVATE, refusable

NOTHING = mark("Build something first: in One module and in Network, Make a question of it leads here.")
UNASKED = mark(
    "Nothing can be asked about this network: its maps become too small for a window. Change its paddings first."
)


class QuestionPanel(NamedTuple):
    """The section, whose `outputs` an event outside may fill: the values of `about`."""

    box: gr.Column
    outputs: list[Any]
    add: gr.Button
    item: gr.Textbox
    address: gr.Textbox

    def link_after(self, event: Any) -> None:
        """Show the question's link once `event` has made the question."""
        event.then(None, self.item, self.address, js="googlenet.questionLink")


def question_panel(demo: gr.Blocks, builder: Builder) -> QuestionPanel:
    """Lay out the section and wire it."""
    with gr.Column(visible=False) as box:
        html(heading(tr("A question of your own")))
        refusal = html(figures.message(tr(NOTHING), "done"), "gl-slot")
        with gr.Column(visible=False) as asked:
            kind = gr.Radio([], label=tr("Ask"), elem_id="question-kind")
            with gr.Row():
                address = gr.Textbox(label=tr("Link to this question"), interactive=False, buttons=["copy"],
                                     max_lines=1, elem_id="question-link", scale=4, min_width=260)  # fmt: skip
                add = gr.Button(tr("Add to the class"), min_width=150, scale=1)
            state = gr.JSON(visible=False)
            panel = desk_panel(state, "question", builder)
    design, item = unseen(), unseen()
    outputs = [refusal, asked, kind, design, item, *panel.slots]
    shown = QuestionPanel(box, outputs, add, item, address)
    shown.link_after(kind.input(refusable(1 + desk.SLOTS)(ask), [kind, design], [item, *panel.slots], **LIVE))
    came = unseen()
    opened = demo.load(None, None, came, js="googlenet.questionInAddress")
    shown.link_after(opened.then(of_address, came, outputs, **PRIVATE))
    return shown


def of_module(forgotten: bool, *values: Any) -> list[Any]:
    """What the section shows of the builder's module."""
    try:
        return about(module_text(forgotten, *values))
    except LabError as error:
        return refused(str(error))


def of_network(draft: Any) -> list[Any]:
    """What the section shows of the builder's network."""
    try:
        return about(network_text(draft))
    except LabError as error:
        return refused(str(error))


def of_address(said: str) -> list[Any]:
    """What the section shows of "kind:design" in the page's address; nothing new without one."""
    if not said:
        return [gr.skip()] * (5 + desk.SLOTS)
    kind, _, design = str(said).partition(":")
    try:
        return about(design, kind)
    except LabError as error:
        return refused(" ".join([tr("The question in the link cannot be asked."), str(error)]))


def about(text: str, kind: str = "") -> list[Any]:
    """The questions that can be asked about a design, the one of that `kind` or the most telling one asked."""
    offered = kinds(read_design(text))
    if not offered:
        raise LabError(tr(UNASKED))
    first = "fits" if text.endswith("forgotten") else next(iter(offered))
    chosen = kind if kind in offered else first
    radio = gr.Radio([(label, name) for name, label in offered.items()], value=chosen)
    return ["", gr.Column(visible=True), radio, text, *ask(chosen, text)]


def ask(kind: str, text: str) -> list[Any]:
    """The question as an item for a class, and the desk that asks it."""
    item = question_item(kind, text)
    return [item, *desk.show({"class": Assignment((item,)).text})]


def refused(sentence: str) -> list[Any]:
    """One sentence, and no question."""
    return [figures.message(sentence), gr.Column(visible=False), *[gr.skip()] * (3 + desk.SLOTS)]


def added(item: str, questions: str) -> str:
    """The teacher's questions with this one more."""
    lines = [line for line in str(questions or "").splitlines() if line.strip()]
    return "\n".join([*lines, *([item] if item and item not in lines else [])])
