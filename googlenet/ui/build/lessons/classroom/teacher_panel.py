"""The teacher's half of the page: the form that makes a class's links, the table of codes, the handout, the notes."""

from __future__ import annotations

import secrets
from typing import Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.ui.build.lessons.classroom import teacher
from googlenet.ui.build.lessons.view import heading
from googlenet.ui.common.layout import LIVE, html, unseen
from googlenet.ui.events.long_work import PRIVATE, refusable

INTRO = mark(
    "Choose tasks and numbers: the link carries them, and each student hands in a code. There are no accounts, and "
    "nothing is kept on the server."
)
HONEST = mark(
    "Hidden means: this page shows no solution of this class without your key, and a changed link has other numbers. "
    "It is no examination: whoever installs the lab can compute every answer."
)
SWITCHES = [(mark("Hide solutions"), "hidden"), (mark("Other numbers for each name"), "own")]


def teacher_panel(demo: gr.Blocks) -> tuple[gr.Column, gr.Textbox]:
    """Lay out the panel and wire it; returns its box, and the field that takes questions of one's own."""
    with gr.Column(elem_classes="gl-teacher") as box:
        html(heading(tr("A link for your class"), tr(INTRO)))
        with gr.Row():
            with gr.Column(scale=3, min_width=300):
                lessons = gr.CheckboxGroup(teacher.lesson_choices(), value=["concatenation", "reduced_cost"],
                                           label=tr("Lessons"), elem_id="class-lessons")  # fmt: skip
                challenges = gr.CheckboxGroup(teacher.challenge_choices(), value=["budget"],
                                              label=tr("Challenges"))  # fmt: skip
                questions = gr.Textbox(
                    label=tr("Questions of your own, one a line"),
                    info=tr("build something, press Make a question of it, then Add to the class"),
                    lines=2,
                    elem_id="class-questions",
                )
            with gr.Column(scale=2, min_width=300):
                seed = gr.Number(1, label=tr("Seed"), precision=0, minimum=0, elem_id="class-seed",
                                 info=tr("other seeds, other numbers; 0: the paper's own"))  # fmt: skip
                choices = [(tr(label), name) for label, name in SWITCHES]
                switches = gr.CheckboxGroup(choices, value=["hidden"], label=tr("In this class"))
                key = gr.Textbox("", label=tr("Your key"), max_lines=1,
                                 info=tr("opens the answers; it is part of your own link only"),
                                 max_length=80, elem_id="class-key")  # fmt: skip
                refusal = html("", "gl-slot")
                link = gr.Textbox(label=tr("Link for the class"), info=tr("or paste an earlier one, to read its codes"),
                                  buttons=["copy"], max_lines=1, elem_id="class-link")  # fmt: skip
                own = gr.Textbox(
                    label=tr("Your own link"),
                    info=tr("brings you back here with the key"),
                    buttons=["copy"],
                    interactive=False,
                    max_lines=1,
                    elem_id="class-own-link",
                )
                html(f"<p class='gl-note'>{tr(HONEST)}</p>")
        _codes(link)
        _handout(link, key)
        with gr.Accordion(tr("Notes for the instructor"), open=False):
            html(teacher.notes_html())
    made = unseen()
    form: list[Any] = [lessons, challenges, questions, seed, switches, key]
    came = unseen()
    opened = demo.load(None, None, came, js="googlenet.classInAddress").then(_opened, came, form, **PRIVATE)
    # The fields may not be mounted yet when they are filled, and then nothing tells that they have changed.
    for linked in (
        opened.then(teacher.link_text, form, [made, refusal], **PRIVATE),
        gr.on([field.change for field in form], teacher.link_text, form, [made, refusal], **LIVE),
    ):
        linked.then(None, made, [link, own], js="googlenet.classLinks")
    return box, questions


def _opened(said: str) -> list[Any]:
    """The form as a teacher's own link has it, with a new key where there is none."""
    fresh = [*[gr.skip()] * 5, secrets.token_hex(4)]
    try:
        return teacher.form_of(said) if said else fresh
    except LabError:
        return fresh


def _codes(link: gr.Textbox) -> None:
    html(heading(tr("What was handed in")))
    with gr.Row():
        codes = gr.Textbox(label=tr("Codes of your class"), lines=4, max_lines=10, elem_id="class-codes", scale=3,
                           placeholder=tr("Paste them here, whatever stands between them."), min_width=300)  # fmt: skip
        with gr.Column(scale=1, min_width=160):
            read = gr.Button(tr("Read the codes"), variant="primary")
            save = gr.Button(tr("Download CSV"), interactive=False)
    table, file = html("", elem_id="class-table"), unseen()

    @refusable(3, place=0)
    def show(address: str, pasted: str) -> list[Any]:
        shown, text = teacher.read_codes(address, pasted)
        return [shown, text, gr.Button(interactive=True)]

    read.click(show, [link, codes], [table, file, save], **PRIVATE)
    save.click(None, file, None, js="googlenet.saveFile")


def _handout(link: gr.Textbox, key: gr.Textbox) -> None:
    html(heading(tr("A handout"), tr("Drawings, sums and exercises of the link above, on paper.")))
    with gr.Row(elem_id="handout-form"):
        with gr.Column(scale=3, min_width=260):
            name = gr.Textbox(label=tr("Whose numbers, where each name has its own"), max_lines=1)
            answers = gr.Checkbox(False, label=tr("with answers"))
        make = gr.Button(tr("Make the handout"), min_width=150, scale=1)
        out = gr.Button(tr("Print"), interactive=False, min_width=90, scale=1)
    sheet = html("")

    @refusable(2, place=0)
    def show(address: str, opens: str, who: str, with_answers: bool) -> list[Any]:
        return [teacher.make_handout(address, opens, who, bool(with_answers)), gr.Button(interactive=True)]

    made = make.click(show, [link, key, name, answers], [sheet, out], **PRIVATE)
    made.then(None, None, None, js="() => setTimeout(googlenet.markHandout, 200)")
    out.click(None, None, None, js="() => print()")
