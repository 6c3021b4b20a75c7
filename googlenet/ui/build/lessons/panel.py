"""The lessons of the Build tab: predict, check, see why, and go on; all by keyboard if one likes."""

from __future__ import annotations

import gradio as gr

from googlenet.language import tr
from googlenet.lessons.course import pose
from googlenet.ui.build.lessons import answers
from googlenet.ui.build.lessons.answers import Place
from googlenet.ui.common.layout import LIVE, html, unseen


def browser_place() -> gr.BrowserState:
    """The browser's memory of the path; call outside the lessons' own tab, which is mounted only when it is opened."""
    # It is no secret: the key is fixed so that a restart of the app does not lose it.
    return gr.BrowserState(Place().plain(), storage_key="googlenet-lessons", secret="googlenet-lessons")


def lessons_panel(demo: gr.Blocks, place: gr.BrowserState) -> None:
    """Lay out the lessons and wire them; call inside the Build tab of `demo`."""
    first = answers.show(None)
    with gr.Row():
        with gr.Column(scale=1, min_width=260):
            path = html(first[1], js_on_load="googlenet.chooseLesson(element, trigger)")
        with gr.Column(scale=3, min_width=320):
            card = html(first[2], js_on_load="googlenet.chooseAnswer(element, trigger)")
            with gr.Row(elem_id="lesson-form"):
                answer = gr.Textbox(
                    label=answers.answer_label(pose(0)),
                    max_lines=1,
                    max_length=40,
                    elem_id="lesson-answer",
                    scale=2,
                    min_width=150,
                    html_attributes=gr.InputHTMLAttributes(autocomplete="off", enterkeyhint="send"),
                )
                submit = gr.Button(tr("Check"), variant="primary", min_width=90, scale=1)
            feedback = html("", "gl-slot")
            with gr.Row(elem_id="lesson-buttons"):
                again = gr.Button(tr("Another one"), size="sm", min_width=110, scale=0)
                solve = gr.Button(tr("Show the solution"), size="sm", min_width=140, scale=0)
                go_on = gr.Button(tr("Next lesson"), size="sm", min_width=110, scale=0, elem_id="lesson-next")
    outcome = unseen()
    slots = [place, path, card, answer, outcome, feedback]
    demo.load(answers.come_back, place, slots, **LIVE)
    done = [
        gr.on([answer.submit, submit.click], answers.check_answer, [place, answer], slots, **LIVE),
        card.select(answers.choose_answer, place, slots, **LIVE),
        again.click(answers.another, place, slots, **LIVE),
        go_on.click(answers.onward, place, slots, **LIVE),
        path.select(answers.open_lesson, place, slots, **LIVE),
    ]
    solve.click(answers.show_solution, place, slots, **LIVE)
    for event in done:
        event.then(None, outcome, None, js="googlenet.focusAnswer")
