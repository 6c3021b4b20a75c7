"""Tasks being answered, one after another: a class's, the open challenges, or a question that somebody made.

What a desk keeps comes from the browser, so nothing in it can be relied on; what a link hides is refused here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from markupsafe import Markup

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.lessons.assignment import Assignment, Task, clean_name, read_assignment, solves
from googlenet.lessons.challenges import Challenge, Verdict, judge
from googlenet.lessons.design import MAX_DESIGN, design_text, read_design
from googlenet.lessons.exercise import Exercise, Feedback, check
from googlenet.lessons.handin import MAX_TRIES, Given, code_of
from googlenet.ui.build.lessons.answers import RIGHT, WRONG, answer_label
from googlenet.ui.build.lessons.view import builder_link, feedback_html
from googlenet.ui.common import figures
from googlenet.ui.common.templates import render
from googlenet.ui.events.refusals import sent

HIDDEN = mark("Solutions are hidden by this class's link: ask your teacher.")
NAMELESS = mark("Type your name on the left first: your numbers follow from it.")
SEEN = mark("The solution was shown, so this counts as not solved.")


@dataclass(frozen=True)
class Desk:
    """`at` is the task in front, `given` what was answered to each task so far, by a student of that `name`."""

    assignment: Assignment
    at: int = 0
    name: str = ""
    given: tuple[Given, ...] = ()

    @classmethod
    def read(cls, stored: Any) -> Desk:
        """What `plain` wrote; raises `LabError` where its link is none. What is amiss beside the link is left out."""
        stored = stored if isinstance(stored, dict) else {}
        assignment = read_assignment(stored.get("class", ""))
        most, rows = len(assignment.items), stored.get("given")
        given = [_given(row) for row in rows[:most]] if isinstance(rows, list) else []
        given += [Given()] * (most - len(given))
        at = stored.get("at")
        at = min(max(at, 0), most - 1) if isinstance(at, int) else 0
        return cls(assignment, at, clean_name(stored.get("name", "")), tuple(given))

    def plain(self) -> dict[str, Any]:
        """As JSON types."""
        given = [[one.text, one.tries, one.shown] for one in self.given]
        return {"class": self.assignment.text, "at": self.at, "name": self.name, "given": given}

    @property
    def task(self) -> Task:
        """The task in front."""
        return self.assignment.task(self.at, self.name)

    @property
    def nameless(self) -> bool:
        """Whether there are no numbers yet, since they follow from a name that nobody has typed."""
        return self.assignment.own and not self.name

    @property
    def mine(self) -> Given:
        """What was given to it so far."""
        return self.given[self.at]

    def solved(self, number: int) -> bool:
        """Whether that task is."""
        given = self.given[number]
        return bool(given.text) and not given.shown and solves(self.assignment.task(number, self.name), given.text)

    def answered(self, **changes: Any) -> Desk:
        """The desk with the given of the task in front changed."""
        rows = list(self.given)
        rows[self.at] = replace(self.mine, **changes)
        return replace(self, given=tuple(rows))


def _given(row: Any) -> Given:
    try:
        text, tries, shown = row
        return Given(str(text)[:MAX_DESIGN], min(max(int(tries), 0), MAX_TRIES), bool(shown))
    except (TypeError, ValueError, OverflowError):
        return Given()


# --- answers: desk, path, card, answer, outcome, feedback, buttons for the solution and for taking a design

SLOTS = 8


def show(stored: Any) -> list[Any]:
    """The task in front, unanswered, with what was said to it where it was solved or its solution shown."""
    try:
        desk = Desk.read(stored)
    except LabError as error:
        return [gr.skip(), "", figures.message(str(error)), *[gr.skip()] * (SLOTS - 3)]
    return _shown(desk, "" if not desk.mine.shown else _solution(desk))


def _shown(desk: Desk, feedback: str) -> list[Any]:
    if desk.nameless:
        return [desk.plain(), "", figures.message(tr(NAMELESS), "done"), *[gr.skip()] * (SLOTS - 3)]
    answer = gr.update(value=desk.mine.text, label=_label(desk.task))
    hidden = gr.update(visible=not desk.assignment.hidden)
    design = gr.update(visible=isinstance(desk.task, Challenge))
    return [desk.plain(), _path(desk), _card(desk), answer, "", feedback, hidden, design]


def check_answer(stored: Any, text: str) -> list[Any]:
    """Judge an answer or a design; a right one is kept, whatever is tried after it."""
    desk = Desk.read(stored)
    kept: list[Any] = [gr.skip()] * SLOTS
    text = str(text).strip()[:MAX_DESIGN]
    try:
        if desk.nameless:
            raise LabError(tr(NAMELESS))
        task = desk.task
        said: Feedback | Verdict = judge(task, text) if isinstance(task, Challenge) else check(task, text)
    except LabError as error:
        kept[4:6] = [WRONG, figures.message(str(error))]
        return kept
    if not desk.solved(desk.at):
        kept_text = design_text(read_design(text)) if isinstance(task, Challenge) else text
        desk = desk.answered(text=kept_text, tries=min(desk.mine.tries + 1, MAX_TRIES))
    kept[:2] = [desk.plain(), _path(desk)]
    kept[4:6] = [RIGHT if said.right else WRONG, _reply(desk, task, said)]
    return kept


def _reply(desk: Desk, task: Task, said: Feedback | Verdict) -> str:
    hidden = desk.assignment.hidden
    seen = tr(SEEN) if desk.mine.shown and said.right else ""
    if isinstance(said, Verdict):
        moral = task.moral if isinstance(task, Challenge) and said.right and not hidden else ""
        return render("lessons/classroom/verdict.html", verdict=said, moral=moral, seen=seen)
    assert isinstance(task, Exercise)
    if hidden:
        # What is said to a wrong choice may tell the right one.
        sentence = said.verdict if task.choices else said.sentence
        return render("lessons/classroom/reply.html", right=said.right, sentence=sentence)
    if seen:
        said = Feedback(True, f"{said.sentence} {seen}")
    return feedback_html(task, said)


def choose_task(stored: Any, event: gr.EventData) -> list[Any]:
    """The task that was chosen from the list."""
    desk, asked = Desk.read(stored), sent(event, "lesson")
    return show(replace(desk, at=asked if isinstance(asked, int) else 0).plain())


def choose_answer(stored: Any, event: gr.EventData) -> list[Any]:
    """A choice that was clicked is an answer."""
    chosen = str(sent(event, "answer"))
    slots = check_answer(stored, chosen)
    return [*slots[:3], chosen, *slots[4:]]


def onward(stored: Any) -> list[Any]:
    """The next task; after the last the first again."""
    desk = Desk.read(stored)
    return show(replace(desk, at=(desk.at + 1) % len(desk.given)).plain())


def another(stored: Any) -> list[Any]:
    """All tasks with other numbers, unanswered; the one in front stays in front. For open challenges."""
    desk = Desk.read(stored)
    other = replace(desk.assignment, seed=desk.assignment.seed + 1)
    return show({**desk.plain(), "class": other.text, "given": []})


def show_solution(stored: Any) -> list[Any]:
    """The worked solution, unless the link hides it; the desk remembers that it was shown."""
    desk = Desk.read(stored)
    if desk.assignment.hidden:
        raise LabError(tr(HIDDEN))
    if not desk.solved(desk.at):
        desk = desk.answered(shown=True)
    return [desk.plain(), _path(desk), *[gr.skip()] * 3, _solution(desk), gr.skip(), gr.skip()]


def _solution(desk: Desk) -> str:
    """HTML of the solution of the task in front; "" where the link hides it."""
    task = desk.task
    if desk.assignment.hidden:
        return ""
    if isinstance(task, Challenge):
        link = builder_link_of(task.example)
        return render("lessons/classroom/solution.html", task=task, link=link)
    return feedback_html(task)


def hand_in(stored: Any, name: str) -> str:
    """The student's code; `LabError` where there is no name, or where the numbers are those of another one."""
    desk = Desk.read(stored)
    if desk.assignment.own and clean_name(name).casefold() != desk.name.casefold():
        raise LabError(
            tr("The numbers belong to another name: press Enter in the field of the name, and answer again.")
        )
    return code_of(desk.assignment, name, desk.given)


def rename(stored: Any, name: str) -> list[Any]:
    """The desk of a student of that name; where that gives other numbers, unanswered."""
    desk = Desk.read(stored)
    after = replace(desk, name=clean_name(name))
    if not desk.assignment.own or after.name.casefold() == desk.name.casefold():
        return [after.plain(), *[gr.skip()] * (SLOTS - 1)]
    return show({**after.plain(), "given": []})


# --- as HTML ------------------------------------------------------------------------------------


def _path(desk: Desk) -> Markup:
    tasks = [desk.assignment.task(number, desk.name) for number in range(len(desk.given))]
    keys = [str(number) for number in range(len(tasks))]
    solved = {key for key, number in zip(keys, range(len(tasks)), strict=True) if desk.solved(number)}
    lessons = list(zip(keys, (task.title for task in tasks), strict=True))
    return render("lessons/path.html", lessons=lessons, number=desk.at, solved=solved)


def _card(desk: Desk) -> Markup:
    task = desk.task
    if isinstance(task, Challenge):
        link = builder_link_of(task.start)
        return render("lessons/classroom/challenge.html", task=task, number=desk.at, tasks=len(desk.given), link=link)
    classes = {name: figures.BRANCH_CLASSES.get(name) for name, _ in task.given}
    return render("lessons/card.html", exercise=task, number=desk.at, lessons=len(desk.given), branch_classes=classes)


def _label(task: Task) -> str:
    if isinstance(task, Challenge) and task.of == "module":
        return tr("Your module: its address, or take it from the builder")
    if isinstance(task, Challenge):
        return tr("Your network: its address, or take it from the builder")
    return answer_label(task)


def builder_link_of(design: Any) -> str:
    """The query that opens the builder with a design."""
    return builder_link(design_text(design))
