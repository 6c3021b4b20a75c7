"""An exercise: a question with numbers in it, its answer, and what a wrong number would have been right for."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from googlenet.config import InceptionConfig
from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.lessons.arithmetic import Calculation

# What each kind of answer counts, and how its unit may be written behind the number, or before it ("line 5"): in every
# language, whichever the page speaks, since a teacher's page judges what a student typed on another.
_UNITS = {
    "channels": (mark("The question asks for a number of channels, not {typed!r}."), "(channels?|ch|채널)?개?"),
    "parameters": (
        mark("The question asks for a number of parameters, not {typed!r}."), "(param(eter)?s?|매개변수|파라미터)?개?",
    ),
    "multiply-adds": (
        mark("The question asks for a number of multiply-adds, not {typed!r}."),
        "(mult(iply|iplication)?s?-?adds?|macs?|곱셈-?덧셈|연산)?[회번개]?",
    ),
    "numbers": (mark("The question asks how many numbers, not {typed!r}."), "(numbers?|features?|값|숫자|특징)?개?"),
    "pixels": (mark("The question asks for a number of pixels, not {typed!r}."), "(pixels?|px|픽셀|화소)?개?"),
    "×": (mark("The question asks how many times, not {typed!r}."), "(×|x|times|배)?"),
    "line": (mark("The question asks for the number of a line, not {typed!r}."), "(line|(번째?)?[줄행]?)?"),
    "choice": (
        mark("The question asks for the number of a choice, not {typed!r}."), "(choice|answer|(보기|답)?(번째?)?)",
    ),
}  # fmt: skip
# A number of each in a sentence; of ratios see `spell`.
_SPELT = {
    "channels": mark("{n} channels"),
    "parameters": mark("{n} parameters"),
    "multiply-adds": mark("{n} multiply-adds"),
    "numbers": mark("{n} numbers"),
    "pixels": mark("{n} pixels"),
}


@dataclass(frozen=True)
class Mistake:
    """A number that a typical slip leads to, and a sentence on that slip."""

    number: float
    why: str


@dataclass(frozen=True)
class Exercise:
    """One question.

    `title` is English, a key of the catalogue, as is `unit`; all other texts are in the language that was spoken when
    it was made. `given` are (name, what it is), a branch by its own name; `choices` what the answer numbers from 1, if
    it is one of several; they are lines of `code` or words. `slack` is how far from `answer` is near enough. `solution`
    is worked, `moral` what to keep. `module` is what the question is about, as (module, side of its map), `network` the
    text of a network's link; `state` is the text of a module's, forgotten stride and all, where the question was made
    from what somebody built.
    """

    key: str
    title: str
    question: str
    answer: float
    hint: str
    solution: tuple[Calculation, ...]
    moral: str
    mistakes: tuple[Mistake, ...] = ()
    unit: str = ""
    given: tuple[tuple[str, str], ...] = ()
    choices: tuple[str, ...] = ()
    code: bool = False
    slack: float = 0.0
    module: tuple[InceptionConfig, int] | None = None
    network: str = ""
    state: str = ""


@dataclass(frozen=True)
class Feedback:
    """Whether an answer is right, and what to say of it; `verdict` is that without the reason."""

    right: bool
    sentence: str
    verdict: str = ""


def check(exercise: Exercise, text: str) -> Feedback:
    """Judge what was typed; raises `LabError` for what is not a number, or not the number of a choice."""
    given = read_number(text, exercise.unit or ("line" if exercise.code else "choice"))
    if exercise.choices and given not in range(1, len(exercise.choices) + 1):
        last, typed = len(exercise.choices), text.strip()[:20]
        raise LabError(tr("Answer with a number from 1 to {last}, not {typed}.", last=last, typed=typed), "answer")
    if _near(exercise, given, exercise.answer):
        right = tr("Right: {answer}.", answer=spell(exercise, exercise.answer))
        return Feedback(True, right, right)
    slips = [slip for slip in exercise.mistakes if _near(exercise, given, slip.number)]
    why = min(slips, key=lambda slip: abs(given - slip.number)).why if slips else ""
    if not why and not exercise.choices:
        why = tr("That is too few.") if given < exercise.answer else tr("That is too many.")
    wrong = tr("Not {answer}.", answer=spell(exercise, given))
    return Feedback(False, f"{wrong} {why}".strip(), wrong)


def read_number(text: str, unit: str) -> float:
    """The number in what somebody typed, with or without `unit`: 163,696, 163 696, 256 channels, 256개, 9.7× and 9,7.

    Raises `LabError` for what is not a number, or has another unit.
    """
    typed = str(text).strip()
    plain = "".join(typed.split()).casefold().replace("−", "-").rstrip(".")
    found = re.fullmatch(r"([^\W\d_]*(?:-[^\W\d_]+)*)([-+]?[\d.,'’]+(?:e[-+]?\d+)?)(\D*)", plain)
    number = _float(found[2], whole=unit != "×") if found else math.nan
    if not found or not math.isfinite(number):
        if not typed:
            raise LabError(tr("The answer is a number: type digits, such as 256."), "answer")
        refused = tr("The answer is a number: type digits, such as 256, not {typed!r}.", typed=typed[:20])
        raise LabError(refused, "answer")
    asked, pattern = _UNITS[unit]
    if not re.fullmatch(pattern, found[1] + found[3]):
        raise LabError(tr(asked, typed=typed[:20]), "answer")
    return number


def _float(text: str, *, whole: bool) -> float:
    """163,696, 163'696 and 9,7 as numbers; 163.696 is a thousandfold too where `whole` numbers are asked for."""
    marks = ",'’." if whole else ",'’"
    if grouped := re.fullmatch(rf"([-+]?[1-9]\d{{0,2}}([{marks}])\d{{3}}(?:\2\d{{3}})*)(\.\d+)?", text):
        text = grouped[1].replace(grouped[2], "") + (grouped[3] or "")
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan


def spell(exercise: Exercise, number: float) -> str:
    """A number as an answer to this exercise: 256 channels, line 5, 9.7×, "more"."""
    if exercise.choices:
        return tr("line {n:.0f}", n=number) if exercise.code else f"“{exercise.choices[int(number) - 1]}”"
    digits = f"{number:,.0f}" if number == int(number) else f"{number:,.1f}"
    return tr(_SPELT[exercise.unit], n=digits) if exercise.unit in _SPELT else f"{digits}{exercise.unit}"


def _near(exercise: Exercise, given: float, number: float) -> bool:
    return abs(given - number) <= exercise.slack + 1e-9
