"""An exercise: a question with numbers in it, its answer, and what a wrong number would have been right for."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from googlenet.config import InceptionConfig
from googlenet.errors import LabError
from googlenet.lessons.arithmetic import Calculation

# What each kind of answer counts, and how its unit may be written behind the number, or before it ("line 5").
_UNITS = {
    "channels": ("asks for a number of channels", "(channels?|ch)?"),
    "parameters": ("asks for a number of parameters", "(param(eter)?s?)?"),
    "multiply-adds": ("asks for a number of multiply-adds", "(mult(iply|iplication)?s?-?adds?|macs?)?"),
    "numbers": ("asks how many numbers", "(numbers?|features?)?"),
    "pixels": ("asks for a number of pixels", "(pixels?|px)?"),
    "×": ("asks how many times", "(×|x|times)?"),
    "line": ("asks for the number of a line", "(line)?"),
    "choice": ("asks for the number of a choice", "(choice|answer)?"),
}


@dataclass(frozen=True)
class Mistake:
    """A number that a typical slip leads to, and a sentence on that slip."""

    number: float
    why: str


@dataclass(frozen=True)
class Exercise:
    """One question.

    `given` are (name, what it is), `choices` what the answer numbers from 1, if it is one of several; they are lines
    of `code` or words. `slack` is how far from `answer` is near enough. `solution` is worked, `moral` what to keep.
    `module` is what the question is about, as (module, side of its map), `network` the text of a network's link;
    `state` is the text of a module's, forgotten stride and all, where the question was made from what somebody built.
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
    """Whether an answer is right, and what to say of it."""

    right: bool
    sentence: str


def check(exercise: Exercise, text: str) -> Feedback:
    """Judge what was typed; raises `LabError` for what is not a number, or not the number of a choice."""
    given = read_number(text, exercise.unit or ("line" if exercise.code else "choice"))
    if exercise.choices and given not in range(1, len(exercise.choices) + 1):
        raise LabError(f"Answer with a number from 1 to {len(exercise.choices)}, not {text.strip()[:20]}.", "answer")
    if _near(exercise, given, exercise.answer):
        return Feedback(True, f"Right: {spell(exercise, exercise.answer)}.")
    slips = [slip for slip in exercise.mistakes if _near(exercise, given, slip.number)]
    why = min(slips, key=lambda slip: abs(given - slip.number)).why if slips else ""
    if not why and not exercise.choices:
        why = "That is too few." if given < exercise.answer else "That is too many."
    return Feedback(False, f"Not {spell(exercise, given)}. {why}".strip())


def read_number(text: str, unit: str) -> float:
    """The number in what somebody typed, with or without `unit`: 163,696, 163 696, 256 channels, 9.7× and 9,7.

    Raises `LabError` for what is not a number, or has another unit.
    """
    typed = str(text).strip()
    plain = "".join(typed.split()).casefold().replace("−", "-").rstrip(".")
    found = re.fullmatch(r"([^\W\d_]*)([-+]?[\d.,'’]+(?:e[-+]?\d+)?)(\D*)", plain)
    number = _float(found[2], whole=unit != "×") if found else math.nan
    if not found or not math.isfinite(number):
        wrote = f", not {typed[:20]!r}" if typed else ""
        raise LabError(f"The answer is a number: type digits, such as 256{wrote}.", "answer")
    asked, pattern = _UNITS[unit]
    if not re.fullmatch(pattern, found[1] + found[3]):
        raise LabError(f"The question {asked}, not {typed[:20]!r}.", "answer")
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
        return f"line {number:.0f}" if exercise.code else f"“{exercise.choices[int(number) - 1]}”"
    digits = f"{number:,.0f}" if number == int(number) else f"{number:,.1f}"
    return f"{digits}{'' if exercise.unit in ('', '×') else ' '}{exercise.unit}"


def _near(exercise: Exercise, given: float, number: float) -> bool:
    return abs(given - number) <= exercise.slack + 1e-9
