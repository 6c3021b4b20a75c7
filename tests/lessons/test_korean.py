"""The lessons in Korean: judged as in English, and nothing that is kept or handed in depends on the language."""

from __future__ import annotations

import re

import pytest

from googlenet.errors import LabError
from googlenet.language import LANGUAGES, speaking
from googlenet.lessons.assignment import Assignment, lock_of
from googlenet.lessons.challenges import CHALLENGES, Challenge, challenge_of, judge
from googlenet.lessons.course import KEYS, LESSONS, pose
from googlenet.lessons.design import design_text, read_design
from googlenet.lessons.exercise import Exercise, check, read_number
from googlenet.lessons.handin import Given, code_of, mark_codes
from googlenet.lessons.questions import ask, kinds
from googlenet.ui.build.lessons.classroom import desk, teacher

FORGOTTEN = "reduced-192-1-28-28-64-96-128-16-32-32-forgotten"
DESIGNS = (FORGOTTEN, "naive-64-8-12-7-32-96-32-16-32-32", "cifar10", "cifar10~unchained~inception4a.pool_proj.32")
CLASS = Assignment((*KEYS, *CHALLENGES, f"fits:{FORGOTTEN}"), 7, True, False, lock_of("blue door"))
# Code, and the names of layers and calls.
NAMES = re.compile(
    r"nn\.MaxPool2d(\([^)]*\))?|Conv2d\([^)]*\)|kernel_size=\d|stride=\d|inception\d\w|conv\d|maxpool\d|branch\d|torch"
)


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("256개", "channels", 256),
        ("채널 256개", "channels", 256),
        ("256 채널", "channels", 256),
        ("매개변수 163,696개", "parameters", 163696),
        ("곱셈-덧셈 1,000회", "multiply-adds", 1000),
        ("1000번", "multiply-adds", 1000),
        ("값 1,024개", "numbers", 1024),
        ("10픽셀", "pixels", 10),
        ("9.7배", "×", 9.7),
        ("5번째 줄", "line", 5),
        ("5번", "line", 5),
        ("2번", "choice", 2),
        ("보기 2", "choice", 2),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_as_koreans_write_them(text, unit, number, language):
    with speaking(language):
        assert read_number(text, unit) == number


def test_another_unit_is_refused_in_korean():
    for typed in ("256픽셀", "256 parameters"):
        with speaking("ko"), pytest.raises(LabError, match="채널 수를 묻는 문제"):
            read_number(typed, "channels")


def exercises() -> list[Exercise]:
    """Lessons and questions, in the language that is spoken."""
    asked = [ask(read_design(text), kind) for text in DESIGNS for kind in kinds(read_design(text))]
    return [*(pose(number, seed) for number in range(LESSONS) for seed in (0, 3)), *asked]


def test_exercises_are_the_same_in_korean_and_judged_alike():
    english = exercises()
    with speaking("ko"):
        korean = exercises()
        for exercise in korean:
            said = [check(exercise, str(exercise.answer)).sentence]
            said += [check(exercise, str(slip.number)).sentence for slip in exercise.mistakes]
            texts = [exercise.question, exercise.hint, *said, *(what for _, what in exercise.given)]
            texts += [part for found in exercise.solution for part in (found.name, found.rule, found.remark)]
            left = [text for text in texts if re.search(r"[A-Za-z]{3,}", NAMES.sub("", text))]
            assert not left
    for one, other in zip(english, korean, strict=True):
        assert (one.key, one.title, one.answer, one.unit) == (other.key, other.title, other.answer, other.unit)
        assert [slip.number for slip in one.mistakes] == [slip.number for slip in other.mistakes]
        assert [found.worked for found in one.solution] == [found.worked for found in other.solution]
        assert one.question != other.question


@pytest.mark.parametrize("key", CHALLENGES)
def test_challenges_are_judged_alike_in_korean(key):
    english = challenge_of(key)
    with speaking("ko"):
        korean = challenge_of(key)
        for design in (english.start, english.example):
            verdict = judge(korean, design_text(design))
            assert [one.holds for one in verdict.conditions] == [
                one.holds for one in judge(english, design_text(design)).conditions
            ]
            for text in (verdict.sentence, *(part for one in verdict.conditions for part in (one.name, one.sentence))):
                assert not re.search(r"[A-Za-z]{3,}", NAMES.sub("", text))


def solved() -> list[Given]:
    """Right answers to the class's tasks."""
    tasks = [CLASS.task(number) for number in range(len(CLASS.items))]
    return [Given(design_text(one.example) if isinstance(one, Challenge) else str(one.answer), 1) for one in tasks]


def test_what_is_handed_in_and_saved_does_not_depend_on_the_language():
    with speaking("ko"):
        text, code = CLASS.text, code_of(CLASS, "Ada", [Given("채널 256개", 1), *solved()[1:]])
        korean = mark_codes(CLASS, f"{code} {code_of(CLASS, 'Ada', solved())}")
        saved, page = korean.to_csv(), teacher.table_html(korean)
    english = mark_codes(CLASS, f"{code} {code_of(CLASS, 'Ada', solved())}")
    assert text == CLASS.text
    assert korean.lines == english.lines
    assert english.lines[0].score == len(CLASS.items)
    assert saved == english.to_csv()
    assert "2 codes: the last one counts" in saved
    assert "코드 2개" in page
    assert "Stacking" not in page


def test_a_wrong_choice_of_a_hidden_class_tells_no_more_in_korean():
    number = KEYS.index("two_3x3")
    with speaking("ko"):
        task = CLASS.task(number)
        assert isinstance(task, Exercise)
        wrong = next(n for n in (1, 2, 3) if n != task.answer)
        said = str(desk.check_answer({"class": CLASS.text, "at": number}, str(wrong))[5])
        assert f"오답입니다: “{task.choices[wrong - 1]}”.</p>" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_blank_handout_has_the_steps_and_no_figures_in_either_language(language):
    one = Assignment(("concatenation",), 3)
    with speaking(language):
        sheets = [teacher.make_handout(one.text, "", "", answers) for answers in (False, True)]
    blank, full = ([word for word in re.findall(r"<text[^>]*>([^<]*)", sheet) if word] for sheet in sheets)
    assert len(blank) == 8  # the input and seven steps
    assert len(full) > 30
