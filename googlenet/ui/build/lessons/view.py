"""The lessons as HTML: the path through them, the exercise, and its worked solution."""

from __future__ import annotations

from collections.abc import Collection
from html import escape
from urllib.parse import urlencode

from googlenet.lessons.course import KEYS, TITLES
from googlenet.lessons.exercise import Exercise, Feedback
from googlenet.ui.build.module.arithmetic import calculation_html
from googlenet.ui.build.module.form import form_of
from googlenet.ui.common import figures


def path(number: int, solved: Collection[str]) -> str:
    """HTML: all lessons in order, which are solved, and the one that is open."""
    done = sum(key in solved for key in KEYS)
    lessons = "".join(
        f"<li><button type='button' data-lesson='{index}' class='{'gl-solved' if key in solved else ''}'"
        f"{_current(index == number)} title='{escape(title)}'><i aria-hidden='true'>"
        f"{'✓' if key in solved else index + 1}</i><span>{escape(title)}</span>"
        f"{'<em class=gl-unseen>solved</em>' if key in solved else ''}</button></li>"
        for index, (key, title) in enumerate(zip(KEYS, TITLES, strict=True))
    )
    bar = figures.stacked_bar([("solved", done, "var(--color-accent)")], f"{done} of {len(KEYS)}", full=len(KEYS))
    return (
        f"<nav class='gl-path' aria-label='Lessons'><p><b>{done} of {len(KEYS)}</b> solved</p>{bar}"
        f"<ol>{lessons}</ol></nav>"
    )


def _current(here: bool) -> str:
    return " aria-current='step'" if here else ""


def card(exercise: Exercise, number: int) -> str:
    """HTML: the question with what is given, its choices as buttons, and a hint to open."""
    return (
        f"<section class='gl-exercise'><p class='gl-note'>Lesson {number + 1} of {len(KEYS)}: predict, then check</p>"
        f"<h3>{escape(exercise.title)}</h3>{_given(exercise)}<p class='gl-question'>{escape(exercise.question)}</p>"
        f"{_choices(exercise)}<details><summary>Hint</summary><p>{escape(exercise.hint)}</p></details></section>"
    )


def _given(exercise: Exercise) -> str:
    rows = "".join(
        f"<div class='{figures.BRANCH_CLASSES.get(name, 'gl-no-branch')}'><dt>{escape(name)}</dt>"
        f"<dd>{escape(what)}</dd></div>"
        for name, what in exercise.given
    )
    return f"<dl class='gl-given'>{rows}</dl>" if rows else ""


def _choices(exercise: Exercise) -> str:
    tag = "code" if exercise.code else "span"
    rows = "".join(
        f"<li><button type='button' data-answer='{number}'><i>{number}</i><{tag}>{escape(choice)}</{tag}></button></li>"
        for number, choice in enumerate(exercise.choices, start=1)
    )
    return f"<ol class='gl-choices{' gl-code' if exercise.code else ''}'>{rows}</ol>" if rows else ""


def feedback_html(feedback: Feedback, exercise: Exercise) -> str:
    """HTML: right or not and why; the worked solution under a right answer."""
    kind, sign = ("gl-right", "✓") if feedback.right else ("gl-wrong-answer", "✗")
    said = f"<p class='gl-reply {kind}' role='status'><b>{sign}</b> {escape(feedback.sentence)}</p>"
    return said + (solution(exercise) if feedback.right else "")


def solution(exercise: Exercise) -> str:
    """HTML: the sums with the numbers in them, what to keep of it, and the way into the builder."""
    sums = "".join(calculation_html(found) for found in exercise.solution)
    return (
        f"<section class='gl-sums gl-solution'><h4>Worked out</h4><dl>{sums}</dl><p>{escape(exercise.moral)}</p>"
        f"{_link(exercise)}</section>"
    )


def _link(exercise: Exercise) -> str:
    """Into the builder, with what the question is about."""
    if exercise.module:
        config, side = exercise.module
        view, state = "module", "-".join(map(str, form_of(config, side, side).values))
    elif exercise.network:
        view, state = "network", exercise.network
    else:
        return ""
    asked = urlencode({"tab": "build", "view": view, view: state})
    return f"<p><a href='?{escape(asked)}'>Open this {view} in the builder</a></p>"
