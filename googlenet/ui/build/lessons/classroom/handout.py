"""The handout: tasks on paper, each with its module's drawing, with the sums worked out or with room for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from googlenet.lessons.assignment import Task
from googlenet.lessons.challenges import Challenge
from googlenet.lessons.design import ModuleDesign, design_text, read_design
from googlenet.lessons.exercise import Exercise, spell
from googlenet.ui.build.lessons.view import state_of
from googlenet.ui.build.module.drawing import WIDE, Sheet, draw_module
from googlenet.ui.build.module.form import KINDS
from googlenet.ui.common import figures
from googlenet.ui.common.templates import render


class Printed(NamedTuple):
    """A task as it is printed: `sheet` is its module's drawing, None where it is about none, or would tell."""

    task: Task
    sheet: Sheet | None
    classes: dict[str, str | None]
    answer: str
    design: str


def handout_html(tasks: Sequence[Task], name: str, answers: bool) -> str:
    """HTML for paper; `name` is whose numbers they are, "" for everybody's."""
    printed = [_printed(task, answers) for task in tasks]
    return render("lessons/classroom/handout.html", printed=printed, name=name, answers=answers)


def _printed(task: Task, answers: bool) -> Printed:
    if isinstance(task, Challenge):
        module = task.start if isinstance(task.start, ModuleDesign) else None
        sheet = draw_module(module.profile, WIDE) if module else None  # its figures are given: one may read them
        example = design_text(task.example) if answers else ""
        return Printed(task, sheet, {}, "", example)
    classes = {name: figures.BRANCH_CLASSES.get(name) for name, _ in task.given}
    return Printed(task, _drawing(task, answers), classes, spell(task, task.answer) if answers else "", "")


def _drawing(task: Exercise, answers: bool) -> Sheet | None:
    """The module that the task is about. Without answers only what its steps are called is written on it."""
    state = state_of(task)
    design: Any = read_design(state) if state.startswith(KINDS) else None
    if not isinstance(design, ModuleDesign) or (design.forgotten and not answers):
        return None  # a torn branch would be the answer
    sheet = draw_module(design.profile, WIDE)
    if answers:
        return sheet
    first = next(word for word in sheet.words if word.strong)  # the shape that arrives, before that which leaves
    sheet.words = [word for word in sheet.words if word is first or (word.style == "gl-strong" and not word.anchor)]
    chips = len(figures.BRANCH_CLASSES)  # the last marks are the colours behind the sum's terms
    sheet.marks = sheet.marks[:-chips]
    return sheet
