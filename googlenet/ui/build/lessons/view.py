"""The lessons as HTML: the path through them, the exercise, and what is said to an answer."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlencode

from googlenet.lessons.course import KEYS, LESSONS, TITLES
from googlenet.lessons.exercise import Exercise, Feedback
from googlenet.ui.build.module.form import KINDS, form_of
from googlenet.ui.common import figures
from googlenet.ui.common.templates import render


def heading(title: str, note: str = "") -> str:
    """HTML: what a part of the room is called, and a line about it."""
    return render("lessons/heading.html", title=title, note=note)


def path(number: int, solved: Collection[str]) -> str:
    """HTML: all lessons in order, which are solved, and the one that is open."""
    lessons = list(zip(KEYS, TITLES, strict=True))
    return render("lessons/path.html", lessons=lessons, number=number, solved=solved)


def card(exercise: Exercise, number: int) -> str:
    """HTML: the question with what is given, its choices as buttons, and a hint to open."""
    names = {name: figures.BRANCH_CLASSES.get(name) for name, _ in exercise.given}
    return render("lessons/card.html", exercise=exercise, number=number, lessons=LESSONS, branch_classes=names)


def feedback_html(exercise: Exercise, feedback: Feedback | None = None, *, finished: bool = False) -> str:
    """HTML: right or not and why, and the worked solution unless it was wrong. Without `feedback` the solution alone.

    `finished`: it was the last lesson to solve.
    """
    link = builder_link(state_of(exercise))
    return render("lessons/feedback.html", exercise=exercise, feedback=feedback, link=link, finished=finished)


def state_of(exercise: Exercise) -> str:
    """What the question is about, as the builder's address keeps it; "" where it is about nothing one can build."""
    if exercise.module and not exercise.state:
        config, side = exercise.module
        return form_of(config, side, side).link()
    return exercise.state or exercise.network


def builder_link(state: str) -> str:
    """The query that opens the builder with a state of its address; "" for none."""
    view = "module" if state.startswith(KINDS) else "network"
    return urlencode({"tab": "build", "view": view, view: state}) if state else ""
