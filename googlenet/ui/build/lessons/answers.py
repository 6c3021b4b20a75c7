"""Where a visitor is in the lessons, and what each step there is answered with."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.lessons.course import KEYS, LESSONS, MAX_SEED, next_seed, pose
from googlenet.lessons.exercise import Exercise, Feedback, check
from googlenet.ui.build.lessons import view
from googlenet.ui.common import figures
from googlenet.ui.events.refusals import sent

RIGHT, WRONG = "right", "wrong"
REMEMBERED = 200  # shown solutions


@dataclass(frozen=True)
class Place:
    """Where a visitor is on the path; the browser keeps it, so that nothing in it can be relied on."""

    lesson: int = 0
    seed: int = 0
    solved: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()  # exercises whose solution was looked at, as "padding 3": copying it solves nothing

    @classmethod
    def read(cls, stored: Any) -> Place:
        """What `plain` wrote, today or before there was `shown`; the start for anything else."""
        try:
            lesson, seed, solved = int(stored["lesson"]), int(stored["seed"]), list(stored["solved"])
            shown = dict.fromkeys(one for one in stored.get("shown", ()) if isinstance(one, str))
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            return cls()
        known = tuple(key for key in KEYS if key in solved)
        looked_at = [one for one in shown if re.fullmatch(rf"({'|'.join(KEYS)}) \d{{1,10}}", one)]
        lesson, seed = min(max(lesson, 0), LESSONS - 1), min(max(seed, 0), MAX_SEED)
        return cls(lesson, seed, known, tuple(looked_at[-REMEMBERED:]))

    def plain(self) -> dict[str, Any]:
        """As JSON types."""
        return {**asdict(self), "solved": list(self.solved), "shown": list(self.shown)}

    @property
    def exercise(self) -> str:
        """Which exercise this is, numbers and all, as in `shown`."""
        return f"{KEYS[self.lesson]} {self.seed}"

    def at(self, lesson: int) -> Place:
        """The lesson with the paper's own numbers."""
        return replace(self, lesson=lesson % LESSONS, seed=0)


# --- answers: place, path, card, answer, outcome, feedback -----------------------------------


def show(stored: Any) -> list[Any]:
    """The exercise of a place, unanswered; with its solution where that was shown before."""
    place = Place.read(stored)
    exercise = pose(place.lesson, place.seed)
    answer = gr.update(value="", label=answer_label(exercise))
    feedback = view.feedback_html(exercise) if place.exercise in place.shown else ""
    return [place.plain(), view.path(place.lesson, place.solved), view.card(exercise, place.lesson),
            answer, "", feedback]  # fmt: skip


def come_back(stored: Any) -> list[Any]:
    """The exercise where the visitor left; a quick hand may have typed an answer while the page came up."""
    place, path, card, _, _, feedback = show(stored)
    read = Place.read(stored)
    label = answer_label(pose(read.lesson, read.seed))
    return [place, path, card, gr.update(label=label), gr.skip(), feedback or gr.skip()]


_LABELS = {
    "channels": mark("Your answer, channels"),
    "parameters": mark("Your answer, parameters"),
    "multiply-adds": mark("Your answer, multiply-adds"),
    "numbers": mark("Your answer, numbers"),
    "pixels": mark("Your answer, pixels"),
    "×": mark("Your answer, how many times"),
}


def answer_label(exercise: Exercise) -> str:
    """The answer field's label, with what is to be counted."""
    if exercise.choices:
        return tr("Number of the line") if exercise.code else tr("Number of the answer")
    return tr(_LABELS[exercise.unit])


def check_answer(stored: Any, text: str) -> list[Any]:
    """Judge an answer: path, outcome and feedback change. One whose solution was shown solves nothing."""
    place = Place.read(stored)
    exercise = pose(place.lesson, place.seed)
    try:
        feedback = check(exercise, text)
    except LabError as error:
        return [gr.skip(), gr.skip(), gr.skip(), gr.skip(), WRONG, figures.message(str(error))]
    if feedback.right and place.exercise in place.shown and exercise.key not in place.solved:
        seen = tr("The solution was shown: take another one to solve the lesson.")
        feedback = Feedback(True, f"{feedback.sentence} {seen}")
    elif feedback.right:
        place = replace(place, solved=tuple(key for key in KEYS if key in (*place.solved, exercise.key)))
    finished = feedback.right and len(place.solved) == LESSONS
    shown = view.feedback_html(exercise, feedback, finished=finished)
    path = view.path(place.lesson, place.solved)
    return [place.plain(), path, gr.skip(), gr.skip(), RIGHT if feedback.right else WRONG, shown]


def show_solution(stored: Any) -> list[Any]:
    """The worked solution, without an answer; the place remembers it."""
    place = Place.read(stored)
    if place.exercise not in place.shown:
        place = replace(place, shown=(*place.shown, place.exercise)[-REMEMBERED:])
    return [place.plain(), *[gr.skip()] * 4, view.feedback_html(pose(place.lesson, place.seed))]


def another(stored: Any) -> list[Any]:
    """The same exercise with other numbers."""
    place = Place.read(stored)
    return show(replace(place, seed=next_seed(place.lesson, place.seed)).plain())


def onward(stored: Any) -> list[Any]:
    """The next lesson; after the last the first again."""
    place = Place.read(stored)
    return show(place.at(place.lesson + 1).plain())


def open_lesson(stored: Any, event: gr.EventData) -> list[Any]:
    """The lesson that was chosen from the path."""
    asked = sent(event, "lesson")
    return show(Place.read(stored).at(asked if isinstance(asked, int) else 0).plain())


def choose_answer(stored: Any, event: gr.EventData) -> list[Any]:
    """A choice that was clicked is an answer."""
    chosen = str(sent(event, "answer"))
    place, path, card, _, outcome, feedback = check_answer(stored, chosen)
    return [place, path, card, chosen, outcome, feedback]
