"""What a student hands in, as a code to copy, and what a teacher reads from many of them.

A code holds the answers themselves, and the table judges them anew, so no code can claim a score. Its checksum tells a
code that was cut off or changed by hand. It is no proof: whoever has the lab's source can make a code of answers that
somebody else found.
"""

from __future__ import annotations

import base64
import binascii
import csv
import functools
import hashlib
import io
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from googlenet.errors import LabError
from googlenet.files import spreadsheet_text
from googlenet.language import mark, speaking, tr
from googlenet.lessons.assignment import MAX_ITEMS, Assignment, Task, clean_name, solves
from googlenet.lessons.design import MAX_DESIGN

MAX_CODES, MAX_PASTED, MAX_TRIES = 150, 1_000_000, 9_999
_UNPACKED = 400_000
_CODE = re.compile(r"GL1\.[\w-]+\.[0-9a-f]{8}(?![\w.-])", re.ASCII)


@dataclass(frozen=True)
class Given:
    """The last answer to a task, or the one that solved it; how many were tried; whether the solution was looked at
    before it was solved."""

    text: str = ""
    tries: int = 0
    shown: bool = False


@dataclass(frozen=True)
class Work:
    """A student's answers to the assignment with that fingerprint, a `Given` for each task."""

    name: str
    fingerprint: str
    given: tuple[Given, ...]


def code_of(assignment: Assignment, name: str, given: Sequence[Given]) -> str:
    """The code to hand in; `LabError` without a name."""
    name = clean_name(name)
    if not name:
        raise LabError(tr("Type your name first: the code carries it."), "name")
    plain = [assignment.fingerprint, name, [[one.text[:MAX_DESIGN], one.tries, int(one.shown)] for one in given]]
    packed = zlib.compress(json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode(), 9)
    text = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    return f"GL1.{text}.{_sum(text)}"


def read_code(code: str) -> Work:
    """What a code says; raises `LabError` for one that is damaged or none."""
    if not _CODE.fullmatch(code):
        said = tr("This is no code, or it was cut off or changed on its way: ask for it again.")
        raise LabError(said, "codes")
    _, text, checksum = code.split(".")
    if _sum(text) != checksum:
        said = tr("This code does not add up: it was cut off or changed on its way: ask for it again.")
        raise LabError(said, "codes")
    try:
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), _UNPACKED)
        if not unpacker.eof:
            raise ValueError("too long")
        fingerprint, name, rows = json.loads(plain)
        given = tuple(_given(*row) for row in rows)
        if not isinstance(fingerprint, str) or not isinstance(name, str) or len(given) > MAX_ITEMS:
            raise ValueError("other types")
    except (ValueError, TypeError, RecursionError, binascii.Error, zlib.error) as error:
        said = tr("This code cannot be read: it was cut off or changed on its way: ask for it again.")
        raise LabError(said, "codes") from error
    return Work(clean_name(name), fingerprint, given)


def _given(text: object, tries: object, shown: object) -> Given:
    if not isinstance(text, str) or not isinstance(tries, int) or not 0 <= tries <= MAX_TRIES or len(text) > MAX_DESIGN:
        raise ValueError("other types")
    return Given(text, tries, bool(shown))


def _sum(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=4, key=b"googlenet lab code").hexdigest()


# --- the teacher's table -------------------------------------------------------------------------

# Shown with `tr`; a table that is saved has them as they are.
RIGHT, WRONG, SHOWN, OPEN = mark("right"), mark("wrong"), mark("solution shown"), mark("not answered")


@dataclass(frozen=True)
class Mark:
    """One task of one student, judged anew."""

    state: str
    text: str
    tries: int


@dataclass(frozen=True)
class Line:
    """One student: a mark for each task, and how many codes came under that name."""

    name: str
    marks: tuple[Mark, ...]
    codes: int = 1

    @property
    def score(self) -> int:
        """How many tasks are solved."""
        return sum(one.state == RIGHT for one in self.marks)

    @property
    def remark(self) -> str:
        """What is odd about the code, if anything."""
        return tr("{n} codes: the last one counts", n=self.codes) if self.codes > 1 else ""


@dataclass(frozen=True)
class Table:
    """A line for each code that belongs to the assignment, by name; `problems` are sentences about the others.

    The `titles` are English, keys of the catalogue.
    """

    titles: tuple[str, ...]
    lines: tuple[Line, ...]
    problems: tuple[str, ...]

    def to_csv(self) -> str:
        """The table for a spreadsheet, in English: name, score, and state, tries and answer for each task."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        head = [f"{number} {title}" for number, title in enumerate(self.titles, start=1)]
        writer.writerow(["name", "solved", "of", *(f"{t}{what}" for t in head for what in ("", ", tries", ", answer")),
                         "remark"])  # fmt: skip
        for line in self.lines:
            cells = [cell for one in line.marks for cell in (one.state, one.tries, spreadsheet_text(one.text))]
            with speaking("en"):
                remark = line.remark
            writer.writerow([spreadsheet_text(line.name), line.score, len(self.titles), *cells, remark])
        return file.getvalue()


def mark_codes(assignment: Assignment, pasted: str) -> Table:
    """The table of all codes in what was pasted, whatever stands between them; raises `LabError` for too many."""
    pasted = str(pasted)
    if len(pasted) > MAX_PASTED:
        said = tr("That is more than {n:,} characters: paste the codes in two parts.", n=MAX_PASTED)
        raise LabError(said, "codes")
    words = [word for word in re.split(r"[\s,;\"'<>()]+", pasted) if "GL1." in word]
    if not words:
        raise LabError(tr("There is no code in this: a code begins with GL1."), "codes")
    if len(words) > MAX_CODES:
        said = tr("These are {n:,} codes, and {most} are read at a time: paste fewer.", n=len(words), most=MAX_CODES)
        raise LabError(said, "codes")
    works, problems = [], []
    for number, word in enumerate(words, start=1):
        try:
            work = read_code(word[word.index("GL1.") :].rstrip("."))
            if work.fingerprint != assignment.fingerprint:
                said = tr("Code {number}, of {name}, belongs to another link.", number=number, name=work.name)
                problems.append(said)
            else:
                works.append(work)
        except LabError as error:
            problems.append(tr("Code {number}: {error}", number=number, error=error))
    titles = tuple(assignment.task(number).title for number in range(len(assignment.items)))

    @functools.cache
    def task(number: int, name: str) -> Task:
        return assignment.task(number, name)

    lines = [_line(work, [task(n, work.name if assignment.own else "") for n in range(len(titles))]) for work in works]
    return Table(titles, tuple(_remarked(lines)), tuple(problems))


def _line(work: Work, tasks: Sequence[Task]) -> Line:
    marks = []
    for number, task in enumerate(tasks):
        given = work.given[number] if number < len(work.given) else Given()
        right = bool(given.text) and solves(task, given.text)
        state = SHOWN if given.shown else RIGHT if right else WRONG if given.text else OPEN
        marks.append(Mark(state, given.text, given.tries))
    return Line(work.name, tuple(marks))


def _remarked(lines: Sequence[Line]) -> list[Line]:
    """By name; of a name that handed in more than once the last code counts, and its line says so."""
    last: dict[str, Line] = {}
    count: dict[str, int] = {}
    for line in lines:
        key = line.name.casefold()
        count[key] = count.get(key, 0) + 1
        last[key] = line
    return [Line(line.name, line.marks, count[key]) for key, line in sorted(last.items())]
