"""A class: the teacher's link, codes that are handed in, and the table that judges them anew."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest

from googlenet.errors import LabError
from googlenet.lessons.assignment import Assignment, lock_of, question_item, read_assignment, solves
from googlenet.lessons.challenges import CHALLENGES, Challenge
from googlenet.lessons.course import KEYS, pose
from googlenet.lessons.design import design_text
from googlenet.lessons.exercise import Exercise
from googlenet.lessons.handin import OPEN, RIGHT, SHOWN, WRONG, Given, code_of, mark_codes, read_code

QUESTION = question_item("fits", "reduced-192-1-28-28-64-96-128-16-32-32-forgotten")
HIDDEN = Assignment(("concatenation", "padding", "budget", QUESTION), 7, True, False, lock_of("blue door"))


def answer(task) -> str:
    return design_text(task.example) if isinstance(task, Challenge) else str(task.answer)


def shown(task) -> tuple:
    return (task.given, task.question, design_text(task.start) if isinstance(task, Challenge) else task.answer)


def solved(assignment: Assignment, name: str = "") -> list[Given]:
    return [Given(answer(assignment.task(n, name)), 1) for n in range(len(assignment.items))]


def test_a_link_says_all_and_is_read_again():
    for made in (HIDDEN, Assignment((*KEYS, *CHALLENGES)), Assignment(("padding", "padding"), 0, own=True)):
        assert read_assignment(made.text) == made
        assert read_assignment(f"http://lab/?tab=build&view=lessons&class={made.text.replace('!', '%21')}&x=1") == made
    assert Assignment(("padding",), 0).task(0) == pose(KEYS.index("padding"), 0)
    one, two = (Assignment(("concatenation", "concatenation"), 3).task(number) for number in (0, 1))
    assert one != two


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "This is no class's link"),
        ("1!7!h!!padding", "they open with a key"),
        (f"1!0!h!{'a' * 12}!padding", "With seed 0 the tasks have the paper's numbers"),
        ("1!7!!!", "a task '', which this lab does not know"),
        ("1!7!x!!padding", "This is no class's link"),
        ("1!7!!!<b>", "a task '<b>', which this lab does not know"),
        ("1!9999999999!!!padding", "seed must be a whole number"),
        ("1!7!!!fits:nonsense", "This is no design"),
        ("1!7!!!misfit:cifar10", "question must be one of features, last_side"),
        ("1!7!!" + "!padding" * 21, "Choose from 1 to 20 tasks, not 21"),
    ],
)
def test_a_link_that_is_none_is_refused_in_a_sentence(text, says):
    with pytest.raises(LabError, match=says):
        read_assignment(text)


def test_whoever_changes_the_link_to_see_solutions_gets_other_numbers():
    """So no event that shows solutions can be made to show those of a class that hides them."""
    for number in (0, 1, 2):
        task = HIDDEN.task(number)
        open_one = dataclasses.replace(HIDDEN, hidden=False, lock="")
        own_lock = dataclasses.replace(HIDDEN, lock=lock_of("mine"))
        if number != 1:  # a padding is one of five
            assert shown(open_one.task(number)) != shown(task) != shown(own_lock.task(number))
    assert HIDDEN.opens_with(" blue  door")
    assert not HIDDEN.opens_with("")
    assert not HIDDEN.opens_with("Blue door")
    assert Assignment(("padding",)).opens_with("")


def test_the_open_lessons_draw_apart_from_a_class():
    task = HIDDEN.task(0)
    assert isinstance(task, Exercise)
    assert all(pose(0, seed).given != task.given for seed in range(2000))


def test_numbers_of_ones_own_follow_the_name():
    own = dataclasses.replace(HIDDEN, own=True)
    assert shown(own.task(0, "Ada")) == shown(own.task(0, "  ada ")) != shown(own.task(0, "Grace"))
    assert shown(HIDDEN.task(0, "Ada")) == shown(HIDDEN.task(0, "Grace"))


def test_a_code_is_judged_anew():
    ada = [*solved(HIDDEN)[:2], Given("reduced-192-1-28-28-64-96-128-16-32-32", 4), Given()]
    codes = code_of(HIDDEN, " Ada  Lovelace ", ada), code_of(HIDDEN, "=Grace()", solved(HIDDEN))
    table = mark_codes(HIDDEN, "From: a mail\n> " + "\n> ".join(codes) + ".")
    assert [(line.name, line.score) for line in table.lines] == [("=Grace()", 4), ("Ada Lovelace", 2)]
    assert [mark.state for mark in table.lines[1].marks] == [RIGHT, RIGHT, WRONG, OPEN]
    assert table.lines[1].marks[2].tries == 4
    rows = list(csv.reader(io.StringIO(table.to_csv())))
    assert rows[0][:4] == ["name", "solved", "of", "1 Stacking the branches"]
    assert rows[1][:3] == ["'=Grace()", "4", "4"]  # a formula is none


def test_a_code_that_was_touched_is_told():
    good = code_of(HIDDEN, "Ada", solved(HIDDEN))
    assert read_code(good).name == "Ada"
    other = dataclasses.replace(HIDDEN, seed=8)
    body, checksum = good.split(".")[1:]
    damaged = (good[:-1] + ("0" if good[-1] != "0" else "1"), f"GL1.{body[:-3]}.{checksum}", good[: len(good) // 2])
    table = mark_codes(HIDDEN, " ".join([*damaged, code_of(other, "Eve", solved(other)), good]))
    assert [line.name for line in table.lines] == ["Ada"]
    assert len(table.problems) == 4
    assert table.problems[3] == "Code 4, of Eve, belongs to another link."
    assert all("cut off or changed" in problem for problem in table.problems[:3])


def test_anothers_code_under_ones_own_name_does_not_solve_ones_own_numbers():
    own = dataclasses.replace(HIDDEN, own=True, items=("concatenation", "one_by_one", "budget"))
    table = mark_codes(own, code_of(own, "Eve", solved(own, "Ada")))
    assert table.lines[0].score == 0
    assert mark_codes(own, code_of(own, "Ada", solved(own, "Ada"))).lines[0].score == 3


def test_a_solution_that_was_shown_solves_nothing_and_the_last_code_of_a_name_counts():
    two = Assignment(("padding", "concatenation"))
    first = code_of(two, "Ada", [Given(), Given()])
    last = code_of(two, "ada", [dataclasses.replace(given, shown=n == 0) for n, given in enumerate(solved(two))])
    (line,) = mark_codes(two, f"{first} {last}").lines
    assert [mark.state for mark in line.marks] == [SHOWN, RIGHT]
    assert line.remark == "2 codes: the last one counts"


@pytest.mark.parametrize("pasted", ["", "no codes here", "GL1.x.00000000 " * 151, "x" * 1_000_001])
def test_what_cannot_be_read_is_one_sentence(pasted):
    with pytest.raises(LabError, match=r"^[^.]+(GL1)?\.?[^.]*\.$"):
        mark_codes(HIDDEN, pasted)


def test_a_code_needs_a_name_and_a_bomb_does_not_go_off():
    with pytest.raises(LabError, match="Type your name first"):
        code_of(HIDDEN, "  \n ", [])
    import base64
    import zlib

    from googlenet.lessons import handin

    text = base64.urlsafe_b64encode(zlib.compress(b"[" * 50_000_000, 9)).decode().rstrip("=")
    with pytest.raises(LabError, match="cannot be read"):
        read_code(f"GL1.{text}.{handin._sum(text)}")


def test_an_answer_that_cannot_be_read_solves_nothing():
    assert not solves(HIDDEN.task(0), "many")
    assert not solves(HIDDEN.task(2), "<b>")
