"""What a teacher does: choose tasks and get two links, read the codes that come back, and print a handout."""

from __future__ import annotations

import json
from typing import Any

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.lessons.assignment import (
    MAX_KEY,
    Assignment,
    clean_name,
    lock_of,
    question_item,
    read_assignment,
)
from googlenet.lessons.challenges import CHALLENGES
from googlenet.lessons.course import KEYS, TITLES
from googlenet.lessons.handin import Table, mark_codes
from googlenet.ui.build.lessons.classroom.handout import handout_html
from googlenet.ui.common import figures
from googlenet.ui.common.templates import render

# Minutes for a group that has not seen the lab before: estimates, not measured. Texts are shown with `tr`.
NOTES = (
    (mark("Lesson 0: why Inception"), 10,
     mark("Let the class guess first: which window sees where the square ends?")),
    *((title, minutes, slip) for title, (minutes, slip) in zip(TITLES, (
        (3, mark("Some add the channels of the reductions, which stay inside their branches.")),
        (5, mark("Biases: one for each channel out, not for each channel in.")),
        (4, mark("The padding is on both sides: half of what is missing.")),
        (5, mark("Torch's default stride is the kernel size. Let them see the concatenation fail in the builder.")),
        (8, mark("The pool branch passes on all that arrives, in every module again.")),
        (8, mark("Count the 1×1 itself: the saving is less than channels in over channels between.")),
        (4, mark("Read what is called, not what it gave: a shape can be right by chance.")),
        (8, mark("The second 3×3 takes as many channels as the branch gives.")),
        (8, mark("Five windows, one after another. Let them write down the side after each.")),
    ), strict=True)),
    (mark("A module within its means"), 15,
     mark("Many answers. Ask for two that differ, and which of them they would train.")),
    (mark("Repair this network"), 15,
     mark("The button that fixes channels changes layers that were to stay: let them find out.")),
    (mark("Find the padding mistake"), 10,
     mark("Sizes alone tell. Ask what else would be different if nobody noticed.")),
    (mark("Auxiliary heads, with and without batch norm"), 15,
     mark("Let them predict both before Measure. One run tells the size of an effect, not its digits.")),
)  # fmt: skip


def lesson_choices() -> list[tuple[str, str]]:
    """The lessons by number and title, with their keys."""
    return [(f"{number} {tr(title)}", key) for number, (key, title) in enumerate(zip(KEYS, TITLES, strict=True), 1)]


def challenge_choices() -> list[tuple[str, str]]:
    """The challenges by title, with their keys."""
    return [(tr(make(None).title), key) for key, make in CHALLENGES.items()]


def make_assignment(
    lessons: Any, challenges: Any, questions: Any, seed: Any, switches: Any, key: Any
) -> Assignment:  # fmt: skip
    """What the teacher's form describes; raises `LabError` for what it cannot."""
    chosen = [str(item) for part in (lessons, challenges) for item in (part if isinstance(part, list) else [])]
    unknown = [item for item in chosen if item not in (*KEYS, *CHALLENGES)]
    if unknown:
        raise LabError(tr("There is no task {task!r}: choose from the list.", task=unknown[0][:40]), "items")
    asked = []
    for line in str(questions or "").splitlines():
        if line.strip():
            kind, colon, design = line.strip().partition(":")
            if not colon:
                said = tr("A question is written as kind:design, not {line!r}.", line=line.strip()[:40])
                raise LabError(said, "questions")
            asked.append(question_item(kind, design))
    on = switches if isinstance(switches, list) else []
    hidden = "hidden" in on
    lock = lock_of(str(key or "")[:MAX_KEY]) if hidden else ""
    ordered = [item for item in (*KEYS, *CHALLENGES) if item in chosen]
    return Assignment((*ordered, *asked), seed, hidden, "own" in on, lock)


def link_text(*form: Any) -> tuple[str, str]:
    """What both links carry, as JSON for the page's script, and the refusal; one of them is empty."""
    try:
        assignment = make_assignment(*form)
    except LabError as error:
        return "", figures.message(str(error), field=error.field)
    key = str(form[-1] or "") if assignment.hidden else ""
    return json.dumps({"class": assignment.text, "key": key}), ""


def read_codes(link: str, pasted: str) -> tuple[str, str]:
    """HTML of the teacher's table, and the CSV file as JSON for the page's script; raises `LabError`."""
    assignment = read_assignment(link)
    table = mark_codes(assignment, pasted)
    return table_html(table), json.dumps({"name": "class.csv", "text": table.to_csv()})


def table_html(table: Table) -> str:
    """HTML: a row for each student, a column for each task."""
    return render("lessons/classroom/table.html", table=table)


def make_handout(link: str, key: str, name: str, answers: bool) -> str:
    """HTML of the handout, with answers only where the teacher's key opens them; raises `LabError`."""
    assignment = read_assignment(link)
    if answers and not assignment.opens_with(str(key or "")):
        raise LabError(tr("The answers of this class open with the key that its link was made with: type it."), "key")
    if assignment.own and not clean_name(name):
        raise LabError(tr("Each name has numbers of its own in this class: type whose handout it is."), "name")
    tasks = [assignment.task(number, name) for number in range(len(assignment.items))]
    return handout_html(tasks, clean_name(name) if assignment.own else "", answers)


def notes_html() -> str:
    """HTML: what each lesson takes, and what to look out for."""
    rows = [(tr(title), minutes, tr(slip)) for title, minutes, slip in NOTES]
    return render("lessons/classroom/notes.html", rows=rows, total=sum(minutes for _, minutes, _ in NOTES))


def form_of(said: str) -> list[Any]:
    """The form's values for a teacher's own link, which `said` describes as `link_text` did; raises `LabError`."""
    try:
        plain = json.loads(said)
        text, key = str(plain["class"]), str(plain["key"])
    except (ValueError, TypeError, KeyError) as error:
        raise LabError(tr("This is no teacher's link."), "class") from error
    assignment = read_assignment(text)
    items = assignment.items
    switches = ["hidden"] * assignment.hidden + ["own"] * assignment.own
    return [[item for item in items if item in KEYS], [item for item in items if item in CHALLENGES],
            "\n".join(item for item in items if ":" in item), assignment.seed, switches, key]  # fmt: skip
