"""An exercise: a question with numbers in it, its answer, and what a wrong number would have been right for."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from googlenet.config import InceptionConfig
from googlenet.errors import LabError
from googlenet.lessons.arithmetic import Calculation


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
    `module` is what the question is about, as (module, side of its map), `network` the text of a network's link.
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


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and what to say of it."""

    right: bool
    sentence: str


def check(exercise: Exercise, text: str) -> Verdict:
    """Judge what was typed; raises `LabError` for what is no number, or not the number of a choice."""
    given = read_number(text)
    if exercise.choices and given not in range(1, len(exercise.choices) + 1):
        raise LabError(f"Answer with a number from 1 to {len(exercise.choices)}, not {text.strip()[:20]}.", "answer")
    if _near(exercise, given, exercise.answer):
        return Verdict(True, f"Right: {spell(exercise, exercise.answer)}.")
    why = next((slip.why for slip in exercise.mistakes if _near(exercise, given, slip.number)), "")
    if not why and not exercise.choices:
        why = "That is too few." if given < exercise.answer else "That is too many."
    return Verdict(False, f"Not {spell(exercise, given)}. {why}".strip())


def read_number(text: str) -> float:
    """The number in what somebody typed: 163,696, 163 696, 9.7 and 9,7 are numbers; `LabError` for others."""
    plain = "".join(str(text).split()).rstrip("×x")[:40]
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    try:
        number = float(plain.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        wrote = f", not {str(text).strip()[:20]!r}" if str(text).strip() else ""
        raise LabError(f"The answer is a number: type digits, such as 256{wrote}.", "answer")
    return number


def spell(exercise: Exercise, number: float) -> str:
    """A number as an answer to this exercise: 256 channels, line 5, 9.7×, "more"."""
    if exercise.choices:
        return f"line {number:.0f}" if exercise.code else f"“{exercise.choices[int(number) - 1]}”"
    digits = f"{number:,.0f}" if number == int(number) else f"{number:,.1f}"
    return f"{digits}{'' if exercise.unit in ('', '×') else ' '}{exercise.unit}"


def _near(exercise: Exercise, given: float, number: float) -> bool:
    return abs(given - number) <= exercise.slack + 1e-9
