"""A class on the page: what a student's desk shows and keeps to itself, the teacher's form, the handout, lesson 0."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import gradio as gr
import pytest
from markup import Page

from googlenet.errors import LabError
from googlenet.lessons.assignment import Assignment, lock_of, read_assignment
from googlenet.lessons.challenges import CHALLENGES, Challenge
from googlenet.lessons.course import KEYS
from googlenet.lessons.design import design_text
from googlenet.lessons.exercise import Exercise
from googlenet.lessons.handin import read_code
from googlenet.models.draft import Draft
from googlenet.models.presets import preset
from googlenet.ui.build.lessons import question, why
from googlenet.ui.build.lessons.classroom import desk, teacher
from googlenet.ui.build.lessons.classroom.panel import module_text, network_text
from googlenet.ui.build.module.form import STARTS

EVERYTHING = (*KEYS, *CHALLENGES, "fits:reduced-192-1-28-28-64-96-128-16-32-32-forgotten")
HIDDEN = Assignment(EVERYTHING, 7, True, False, lock_of("blue door"))
OPEN = Assignment(EVERYTHING, 7)
FORGOTTEN = "reduced-192-1-28-28-64-96-128-16-32-32-forgotten"


def event(**data: Any) -> gr.EventData:
    return cast(gr.EventData, SimpleNamespace(**data))


def answer_of(task: Any) -> str:
    return design_text(task.example) if isinstance(task, Challenge) else str(task.answer)


def secrets_of(task: Any) -> list[str]:
    """What would tell the solution if the page held it."""
    if isinstance(task, Challenge):
        return [design_text(task.example), task.moral]
    return [task.moral, *(found.worked for found in task.solution)]


@pytest.mark.parametrize("number", range(len(EVERYTHING)))
def test_nothing_that_a_class_may_not_see_is_sent(number):
    """Neither unanswered, nor wrong, nor right, nor by the hidden event that shows solutions, nor by a forged desk."""
    stored = {"class": HIDDEN.text, "at": number, "given": [["", 0, True]] * len(EVERYTHING)}
    task = HIDDEN.task(number)
    sent = [desk.show(stored), desk.check_answer(stored, "1"), desk.check_answer(stored, answer_of(task))]
    sent += [desk.choose_answer(stored, event(answer=answer_of(task))), desk.onward({**stored, "at": number - 1})]
    with pytest.raises(LabError, match="Solutions are hidden"):
        desk.show_solution(stored)
    said = Page("".join(str(slot) for slots in sent for slot in (*slots[1:3], slots[5]))).text
    assert not [secret for secret in secrets_of(task) if secret in said and len(secret) > 3]
    shown = Page(desk.show_solution({"class": OPEN.text, "at": number})[5])
    moral, *others = secrets_of(OPEN.task(number))[::-1]
    open_ones = [secret in shown.text or secret in str(shown.links) for secret in (moral, *others)]
    assert any(open_ones)  # so that they would have been found above


def test_a_wrong_choice_says_no_more_than_that_it_is_wrong():
    number = KEYS.index("two_3x3")
    task = HIDDEN.task(number)
    assert isinstance(task, Exercise)
    wrong = next(n for n in (1, 2, 3) if n != task.answer)
    said = Page(desk.check_answer({"class": HIDDEN.text, "at": number}, str(wrong))[5]).text
    assert said == f"✗ Not “{task.choices[wrong - 1]}”."


def test_answers_are_counted_kept_and_handed_in():
    task = HIDDEN.task(0)
    place = desk.show({"class": HIDDEN.text})[0]
    for typed in ("1", str(task.answer), "2"):
        slots = desk.check_answer(place, typed)
        place = slots[0]
    assert "✗" in slots[5]
    assert place["given"][0] == [str(task.answer), 2, False]
    assert "1 of 13" in Page(slots[1]).text
    again = desk.show(json.loads(json.dumps(place)))
    assert again[3]["value"] == str(task.answer)
    assert again[6]["visible"] is False
    work = read_code(desk.hand_in(place, "Ada"))
    assert (work.name, work.given[0].tries) == ("Ada", 2)
    with pytest.raises(LabError, match="Type your name first"):
        desk.hand_in(place, " ")


def test_what_cannot_be_read_is_one_sentence_and_costs_no_try():
    slots = desk.check_answer({"class": HIDDEN.text}, "many")
    assert "The answer is a number" in slots[5]
    assert isinstance(slots[0], dict) is False or "given" not in slots[0]
    for stored in (None, {}, {"class": "x"}, {"class": 3}, {"class": HIDDEN.text + "!<b>"}):
        assert "This is no class" in str(desk.show(stored)[2])
        assert "<b>" not in str(desk.show(stored)[2])


@pytest.mark.parametrize(
    "amiss", [{"at": 99}, {"at": "x"}, {"given": 3}, {"given": [[1], None, ["x", "y", 0]]}, {"name": 7},
              {"given": [["1", float("inf"), 0]]}],
)  # fmt: skip
def test_a_desk_from_elsewhere_is_brought_into_range(amiss):
    read = desk.Desk.read({"class": HIDDEN.text, **amiss})
    assert len(read.given) == len(EVERYTHING)
    assert 0 <= read.at < len(EVERYTHING)
    assert desk.Desk.read(read.plain()) == read


def test_numbers_of_ones_own_wait_for_a_name():
    own = Assignment(("concatenation",), 3, own=True)
    assert "Type your name" in desk.show({"class": own.text})[2]
    assert "Type your name" in desk.check_answer({"class": own.text}, "5")[5]
    ada = desk.rename({"class": own.text}, "Ada")
    assert "How many channels" in ada[2]
    assert ada[2] != desk.rename({"class": own.text}, "Grace")[2]
    answered = desk.check_answer(ada[0], str(own.task(0, "Ada").answer))[0]
    assert read_code(desk.hand_in(answered, "Ada")).given[0].tries == 1
    with pytest.raises(LabError, match="another name"):
        desk.hand_in(answered, "Grace")
    assert desk.rename(answered, "Grace")[0]["given"] == [["", 0, False]]


def test_open_challenges_have_other_numbers_and_are_solved_anew():
    place = desk.show({"class": Assignment(tuple(CHALLENGES), 0).text})[0]
    solved = desk.check_answer(place, answer_of(Assignment(tuple(CHALLENGES), 0).task(0)))
    assert "1 of 3" in Page(solved[1]).text
    other = desk.another(solved[0])
    assert "0 of 3" in Page(other[1]).text
    assert "256 channels" not in other[2]
    shown = desk.show_solution(place)
    late = desk.check_answer(shown[0], answer_of(Assignment(tuple(CHALLENGES), 0).task(0)))
    assert "The solution was shown" in late[5]
    assert "0 of 3" in Page(late[1]).text


# --- the teacher ---------------------------------------------------------------------------------


def test_the_form_makes_both_links_and_reads_its_own_again():
    form = [["padding", "concatenation"], ["repair"], f"fits:{FORGOTTEN}\n\n", 5, ["hidden", "own"], "blue door"]
    made, refusal = teacher.link_text(*form)
    assert refusal == ""
    assignment = read_assignment(json.loads(made)["class"])
    assert assignment.items == ("concatenation", "padding", "repair", f"fits:{FORGOTTEN}")
    assert (assignment.seed, assignment.hidden, assignment.own) == (5, True, True)
    lessons, challenges, questions, *rest = teacher.form_of(made)
    assert (sorted(lessons), challenges, questions) == (["concatenation", "padding"], ["repair"], f"fits:{FORGOTTEN}")
    assert rest == [5, ["hidden", "own"], "blue door"]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ([[], [], "", 1, [], ""], "Choose from 1 to 20 tasks, not 0"),
        ([["padding"], [], "", 1, ["hidden"], ""], "they open with a key"),
        ([["padding"], [], "", 0, ["hidden"], "k"], "With seed 0"),
        ([["padding"], [], "", 1.5, [], ""], "must be a whole number"),
        ([["padding"], [], "", None, [], ""], "must be a whole number"),
        ([["<b>"], [], "", 1, [], ""], "There is no task"),
        ([["padding"], [], "fits reduced", 1, [], ""], "A question is written as kind:design"),
        ([["padding"], [], "fits:reduced-1", 1, [], ""], "cut off or changed"),
        ([None, 3, None, 1, None, None], "Choose from 1 to 20 tasks, not 0"),
    ],
)
def test_a_form_that_makes_no_link_says_why(form, says):
    made, refusal = teacher.link_text(*form)
    assert made == ""
    assert says in refusal
    assert "<b>" not in refusal


def test_the_table_shows_names_as_text():
    place = desk.check_answer({"class": HIDDEN.text}, answer_of(HIDDEN.task(0)))[0]
    codes = f"{desk.hand_in(place, '<img src=x onerror=alert(1)>')} {desk.hand_in(place, 'Ada')[:-1]}0x"
    html, file = teacher.read_codes(HIDDEN.text, codes)
    assert "<img" not in html
    assert "1 of 13" in Page(html).text
    assert "Code 2:" in Page(html).text
    assert json.loads(file)["name"] == "class.csv"
    assert json.loads(file)["text"].startswith("name,solved,of,")


def test_a_handouts_answers_open_with_the_key_alone():
    blank = teacher.make_handout(HIDDEN.text, "", "", False)
    for number in range(len(EVERYTHING)):
        task = HIDDEN.task(number)
        assert task.title in Page(blank).text
        assert not [secret for secret in secrets_of(task) if len(secret) > 3 and secret in Page(blank).text]
    for key in ("", "guess", HIDDEN.lock):
        with pytest.raises(LabError, match="open with the key"):
            teacher.make_handout(HIDDEN.text, key, "", True)
    full = Page(teacher.make_handout(HIDDEN.text, "blue door", "", True))
    for number in range(len(EVERYTHING)):
        assert " ".join(secrets_of(HIDDEN.task(number))[0].split()) in full.text
    assert "= " not in Page(teacher.make_handout(Assignment(("concatenation",), 3).text, "", "", False)).text


def test_a_handout_of_numbers_of_ones_own_asks_whose():
    own = Assignment(("concatenation",), 3, own=True)
    with pytest.raises(LabError, match="whose handout"):
        teacher.make_handout(own.text, "", "", False)
    ada, grace = (teacher.make_handout(own.text, "", name, False) for name in ("Ada", "Grace"))
    assert ada.replace("Ada", "Grace") != grace


def test_the_notes_name_every_lesson():
    said = Page(teacher.notes_html()).text
    for title, key in (*teacher.lesson_choices(), *teacher.challenge_choices()):
        assert title.lstrip("0123456789 ") in said, key


# --- questions, and lesson 0 ----------------------------------------------------------------------


def test_a_builder_state_becomes_a_question():
    form = next(iter(STARTS.values())).values
    assert module_text(True, *form) == FORGOTTEN
    slots = question.of_module(True, *form)
    assert slots[4] == f"fits:{FORGOTTEN}"
    assert "Can the four branches" in slots[7]
    assert question.added(slots[4], "padding\n") == f"padding\nfits:{FORGOTTEN}"
    assert question.added(slots[4], slots[4]) == slots[4]
    network = question.of_network(Draft(preset("cifar10")))
    assert network_text(Draft(preset("cifar10"))) == "cifar10"
    assert "How many numbers does the linear layer" in network[7]
    assert "must be a whole number" in question.of_module(False, "reduced", *[0] * 10)[0]
    assert "cannot be asked" in question.of_address("fits:<b>")[0]
    assert "<b>" not in question.of_address("fits:<b>")[0]


def test_lesson_0_is_measured_on_the_network_that_ships(tmp_path, shipped_network: Path, monkeypatch):
    from googlenet.runs import checkpoints

    assert "There is no trained network yet" in why.look(tmp_path, "square", "inception3a")
    if not shipped_network.exists():
        pytest.skip("no shipped network")
    monkeypatch.setattr(checkpoints, "SHIPPED", shipped_network)
    said = Page(why.look(tmp_path, "ship", "inception3a"))
    assert said.text.startswith("At 1 pixel all branches of 3a see where the object ends, at 5 pixels only the 5×5")
    assert said.classes["gl-none"] == 1 + 3 + 4
    assert "Object must be one of" in why.look(tmp_path, "<b>", "inception3a")
    assert "Module must be one of" in why.look(tmp_path, "square", None)
