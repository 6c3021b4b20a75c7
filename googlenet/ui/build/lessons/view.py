"""The lessons as HTML: the path through them, the exercise, and what is said to an answer."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlencode

from googlenet.lessons.course import KEYS, LESSONS, TITLES
from googlenet.lessons.exercise import Exercise, Feedback
from googlenet.ui.build.module.form import form_of
from googlenet.ui.common import figures
from googlenet.ui.common.templates import render


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
    link = builder_link(exercise)
    return render("lessons/feedback.html", exercise=exercise, feedback=feedback, link=link, finished=finished)


def builder_link(exercise: Exercise) -> str:
    """The query that opens the builder with what the question is about; "" where it is about neither."""
    if exercise.module:
        config, side = exercise.module
        view, state = "module", "-".join(map(str, form_of(config, side, side).values))
    elif exercise.network:
        view, state = "network", exercise.network
    else:
        return ""
    return urlencode({"tab": "build", "view": view, view: state})
