"""The room of the lessons: lesson 0, exercises, challenges, the experiment, a question of one's own, a class."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from googlenet.language import mark, tr
from googlenet.lessons.assignment import Assignment, clean_name
from googlenet.lessons.challenges import CHALLENGES
from googlenet.ui.build.lessons.classroom import desk
from googlenet.ui.build.lessons.classroom.panel import Builder, desk_panel
from googlenet.ui.build.lessons.classroom.teacher_panel import teacher_panel
from googlenet.ui.build.lessons.heads import heads_panel
from googlenet.ui.build.lessons.panel import lessons_panel
from googlenet.ui.build.lessons.question import added, of_module, of_network, question_panel
from googlenet.ui.build.lessons.why import why_panel
from googlenet.ui.common.layout import LIVE
from googlenet.ui.events.long_work import PRIVATE

SECTIONS = [
    (mark("0 Why Inception"), "why"),
    (mark("Exercises"), "exercises"),
    (mark("Challenges"), "challenges"),
    (mark("Auxiliary heads"), "heads"),
    (mark("Your question"), "question"),
    (mark("Class "), "class"),  # the space tells the key from a class of pictures
]


class Places(NamedTuple):
    """What the browser remembers; made outside the lessons' own column, which is mounted only when it is opened."""

    exercises: gr.BrowserState
    challenges: gr.BrowserState


def challenges_place() -> gr.BrowserState:
    """The browser's memory of the open challenges."""
    first = {"class": Assignment(tuple(CHALLENGES), 0).text}
    return gr.BrowserState(first, storage_key="googlenet-challenges", secret="googlenet-challenges")


def lessons_room(
    demo: gr.Blocks, places: Places, checkpoints: Path, builder: Builder, asks: tuple[gr.Button, gr.Button],
    view: gr.Radio,
) -> None:  # fmt: skip
    """Lay out the room and wire it; the buttons in `asks` make a question of the module and of the network, and lead
    here through the Build tab's `view`."""
    with gr.Row(elem_id="lesson-sections"):
        sections = [(tr(label).strip(), name) for label, name in SECTIONS]
        section = gr.Radio(sections, value="exercises", label=tr("Part"), show_label=False, container=False, scale=5,
                           min_width=260)  # fmt: skip
        projector = gr.Checkbox(False, label=tr("Projector view"), container=False, min_width=140, scale=0,
                                elem_id="projector")  # fmt: skip
    why = why_panel(checkpoints)
    with gr.Column() as exercises:
        lessons_panel(demo, places.exercises)
    with gr.Column(visible=False) as open_challenges:
        challenges = desk_panel(places.challenges, "challenge", builder, more=True)
    heads = heads_panel(checkpoints)
    question = question_panel(demo, builder)
    with gr.Column(visible=False) as class_:
        state = gr.JSON(visible=False)
        with gr.Column(visible=False) as student:
            mine = desk_panel(state, "class", builder, class_=True)
        teacher, questions = teacher_panel(demo)
    boxes = [why, exercises, open_challenges, heads, question.box, class_]

    def show(chosen: str) -> list[Any]:
        return [gr.Column(visible=chosen == name) for _, name in SECTIONS]

    section.input(show, section, boxes, **LIVE)
    section.input(None, section, None, js="googlenet.keepSection")
    projector.input(None, projector, None, js="googlenet.projector")
    came = demo.load(None, None, [section, projector], js="googlenet.openSection")
    came.then(show, section, boxes, **PRIVATE)
    demo.load(desk.show, places.challenges, challenges.slots, **LIVE)
    # A class's answers are kept by the browser alone, under the class's own link.
    opened = demo.load(None, None, state, js="googlenet.openDesk")
    opened.then(_open_class, state, [student, teacher, mine.who, *mine.slots], **PRIVATE)
    for button, make, inputs in (
        (asks[0], of_module, [builder.forgotten, *builder.form]), (asks[1], of_network, [builder.draft]),
    ):  # fmt: skip
        made = button.click(make, inputs, question.outputs, **PRIVATE)
        question.link_after(made)
        made.then(lambda: ("lessons", "question", *show("question")), None, [view, section, *boxes], **PRIVATE)
    put = question.add.click(added, [question.item, questions], questions, **PRIVATE)
    put.then(lambda: ("class", *show("class")), None, [section, *boxes], **PRIVATE)


def _open_class(stored: Any) -> list[Any]:
    """The student's desk where the address names a class, else the teacher's form."""
    if not isinstance(stored, dict) or not stored.get("class"):
        return [gr.skip()] * (3 + desk.SLOTS)
    name = clean_name(stored.get("name", ""))
    return [gr.Column(visible=True), gr.Column(visible=False), name, *desk.show(stored)]
