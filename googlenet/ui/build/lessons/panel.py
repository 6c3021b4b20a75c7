"""The lessons of the Build tab: predict, check, see why, and go on; all by keyboard if one likes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.lessons.course import KEYS, LESSONS, MAX_SEED, next_seed, pose
from googlenet.lessons.exercise import Verdict, check
from googlenet.ui.build.lessons import view as lesson_view
from googlenet.ui.build.network.takeaway import LIVE
from googlenet.ui.common import figures

RIGHT, WRONG, SHOWN = "right", "wrong", "shown"
CHOOSE_LESSON = """
element.addEventListener('click', (event) => {
  const lesson = event.target.closest('[data-lesson]')?.dataset.lesson;
  if (lesson) trigger('select', {lesson: Number(lesson)});
});
"""
CHOOSE_ANSWER = """
element.addEventListener('click', (event) => {
  const answer = event.target.closest('[data-answer]')?.dataset.answer;
  if (answer) trigger('select', {answer});
});
"""
# A right answer leads on to the next lesson, a wrong one back into the field, ready to be typed over.
FOCUS = """(outcome) => setTimeout(() => {
  const field = document.querySelector('#lesson-answer input, #lesson-answer textarea');
  if (outcome === 'right') document.getElementById('lesson-next')?.focus();
  else { field?.focus(); field?.select(); }
}, 60)"""


@dataclass(frozen=True)
class Place:
    """Where a visitor is on the path; the browser keeps it, so that nothing in it can be relied on."""

    lesson: int = 0
    seed: int = 0
    solved: tuple[str, ...] = ()

    @classmethod
    def read(cls, kept: Any) -> Place:
        """What `plain` wrote; the start for anything else."""
        try:
            lesson, seed, solved = int(kept["lesson"]), int(kept["seed"]), list(kept["solved"])
        except (KeyError, TypeError, ValueError, OverflowError):
            return cls()
        known = tuple(key for key in KEYS if key in solved)
        return cls(min(max(lesson, 0), LESSONS - 1), min(max(seed, 0), MAX_SEED), known)

    def plain(self) -> dict[str, Any]:
        """As JSON types."""
        return {**asdict(self), "solved": list(self.solved)}

    def at(self, lesson: int) -> Place:
        """The lesson with the paper's own numbers."""
        return replace(self, lesson=lesson % LESSONS, seed=0)


# --- answers: place, path, card, answer, outcome, verdict ------------------------------------


def show(kept: Any) -> list[Any]:
    """The exercise of a place, unanswered."""
    place = Place.read(kept)
    exercise = pose(place.lesson, place.seed)
    answer = gr.update(value="", label=_label(place))
    return [place.plain(), lesson_view.path(place.lesson, place.solved), lesson_view.card(exercise, place.lesson),
            answer, "", ""]  # fmt: skip


def come_back(kept: Any) -> list[Any]:
    """The exercise where the visitor left; a quick hand may have typed an answer while the page came up."""
    return [*show(kept)[:3], gr.update(label=_label(Place.read(kept))), gr.skip(), gr.skip()]


def _label(place: Place) -> str:
    exercise = pose(place.lesson, place.seed)
    if exercise.choices:
        return f"Number of the {'line' if exercise.code else 'answer'}"
    unit = "how many times" if exercise.unit == "×" else exercise.unit
    return f"Your answer{f', {unit}' if unit else ''}"


def check_answer(kept: Any, outcome: str, text: str) -> list[Any]:
    """Judge an answer: path, outcome and verdict change. One whose solution was shown solves nothing."""
    place = Place.read(kept)
    exercise = pose(place.lesson, place.seed)
    try:
        verdict = check(exercise, text)
    except LabError as error:
        return [gr.skip(), gr.skip(), gr.skip(), gr.skip(), outcome, figures.message(str(error))]
    if verdict.right and outcome == SHOWN:
        verdict = Verdict(True, f"{verdict.sentence} It was shown before, so take another one to solve the lesson.")
    elif verdict.right:
        place = replace(place, solved=tuple(key for key in KEYS if key in (*place.solved, exercise.key)))
    now = SHOWN if outcome == SHOWN else RIGHT if verdict.right else WRONG
    said = lesson_view.verdict_html(verdict, exercise)
    if verdict.right and len(place.solved) == LESSONS:
        said += figures.message("All lessons are solved. One experiment is left: it is below.", "done")
    return [place.plain(), lesson_view.path(place.lesson, place.solved), gr.skip(), gr.skip(), now, said]


def show_solution(kept: Any) -> list[Any]:
    """The worked solution, without an answer."""
    place = Place.read(kept)
    return [gr.skip()] * 4 + [SHOWN, lesson_view.solution(pose(place.lesson, place.seed))]


def another(kept: Any) -> list[Any]:
    """The same exercise with other numbers."""
    place = Place.read(kept)
    return show(replace(place, seed=next_seed(place.lesson, place.seed)).plain())


def onward(kept: Any) -> list[Any]:
    """The next lesson; after the last the first again."""
    place = Place.read(kept)
    return show(place.at(place.lesson + 1).plain())


def open_lesson(kept: Any, event: gr.EventData) -> list[Any]:
    """The lesson that was chosen from the path."""
    place = Place.read(kept)
    asked = (event._data or {}).get("lesson")
    return show(place.at(asked if isinstance(asked, int) else 0).plain())


def choose_answer(kept: Any, outcome: str, event: gr.EventData) -> list[Any]:
    """A choice that was clicked is an answer."""
    chosen = str((event._data or {}).get("answer"))
    path_and_all = check_answer(kept, outcome, chosen)
    return [*path_and_all[:3], chosen, *path_and_all[4:]]


# --- the panel --------------------------------------------------------------------------------


def kept_place() -> gr.BrowserState:
    """The browser's memory of the path; call outside the lessons' own tab, which is mounted only when it is opened."""
    # It is no secret: the key is fixed so that a restart of the app does not lose it.
    return gr.BrowserState(Place().plain(), storage_key="googlenet-lessons", secret="googlenet-lessons")


def lessons_panel(demo: gr.Blocks, place: gr.BrowserState) -> None:
    """Lay out the lessons and wire them; call inside the Build tab of `demo`."""
    first = show(None)
    with gr.Row():
        with gr.Column(scale=1, min_width=260):
            path = _html(first[1], js_on_load=CHOOSE_LESSON)
        with gr.Column(scale=3, min_width=320):
            card = _html(first[2], js_on_load=CHOOSE_ANSWER)
            with gr.Row(elem_id="lesson-form"):
                answer = gr.Textbox(
                    "", label=_label(Place()), max_lines=1, max_length=40, elem_id="lesson-answer", scale=2,
                    min_width=150, html_attributes=gr.InputHTMLAttributes(autocomplete="off", enterkeyhint="send"),
                )  # fmt: skip
                tell = gr.Button("Check", variant="primary", min_width=90, scale=1)
            verdict = _html("", "gl-slot")
            with gr.Row(elem_id="lesson-ways"):
                again = gr.Button("Another one", size="sm", min_width=110, scale=0)
                solve = gr.Button("Show the solution", size="sm", min_width=140, scale=0)
                go_on = gr.Button("Next lesson", size="sm", min_width=110, scale=0, elem_id="lesson-next")
    outcome = gr.Textbox("", visible="hidden")
    slots = [place, path, card, answer, outcome, verdict]
    asked = [place, outcome]
    demo.load(come_back, place, slots, **LIVE)
    done = [
        gr.on([answer.submit, tell.click], check_answer, [*asked, answer], slots, **LIVE),
        card.select(choose_answer, asked, slots, **LIVE),
        again.click(another, place, slots, **LIVE),
        go_on.click(onward, place, slots, **LIVE),
        path.select(open_lesson, place, slots, **LIVE),
    ]
    solve.click(show_solution, place, slots, **LIVE)
    for event in done:
        event.then(None, outcome, None, js=FOCUS)


def _html(value: str, *classes: str, **more: Any) -> gr.HTML:
    return gr.HTML(value, apply_default_css=False, elem_classes=["gl-html", *classes], **more)
