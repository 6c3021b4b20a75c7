"""What a teacher sets: which tasks, with which numbers, and whether their solutions are hidden. All of it is in a link.

The numbers are drawn from the whole text of the link, the switch that hides solutions included. Whoever changes the
text, to have the solutions shown say, gets other numbers; and the open lessons draw apart from every class, so that
their solutions tell a class's only by chance, where a lesson has few numbers to draw. What stays is what the formulas
give: the lab's source is open.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from random import Random
from urllib.parse import parse_qs, urlsplit

from googlenet.errors import LabError, check_whole
from googlenet.language import mark, tr
from googlenet.lessons.challenges import CHALLENGES, Challenge, challenge_of, judge
from googlenet.lessons.course import KEYS, MAX_SEED, pose_drawn
from googlenet.lessons.design import design_text, read_design
from googlenet.lessons.exercise import Exercise, check
from googlenet.lessons.questions import ask

MAX_ITEMS, MAX_TEXT, MAX_NAME, MAX_KEY = 20, 6_000, 60, 80
_BAD = mark("This is no class's link: ask your teacher for it again.")

Task = Exercise | Challenge


@dataclass(frozen=True)
class Assignment:
    """`items` are keys of lessons and challenges, and questions as "kind:design". Seed 0 has the paper's own numbers.

    `own` gives each name numbers of its own. `lock` is what `lock_of` makes of the teacher's key, "" without one.
    """

    items: tuple[str, ...]
    seed: int = 1
    hidden: bool = False
    own: bool = False
    lock: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(self.items) <= MAX_ITEMS:
            said = tr("Choose from 1 to {most} tasks, not {n}.", most=MAX_ITEMS, n=len(self.items))
            raise LabError(said, "items")
        check_whole(self.seed, "seed", 0, MAX_SEED)
        if not self.seed and self.hidden:
            raise LabError(
                tr(
                    "With seed 0 the tasks have the paper's numbers, whose solutions the open lessons show: choose "
                    "another seed, or show the solutions."
                ),
                "seed",
            )
        if self.hidden and not self.lock:
            raise LabError(tr("Where solutions are hidden, they open with a key of yours: type one."), "key")
        if len(self.text) > MAX_TEXT:
            raise LabError(tr("These tasks are too long for a link: leave out a question about a network."), "items")
        for number in range(len(self.items)):
            self.task(number)

    @property
    def text(self) -> str:
        """What the link carries; `read_assignment` is the inverse."""
        switches = ("h" if self.hidden else "") + ("o" if self.own else "")
        return "!".join(["1", str(self.seed), switches, self.lock, *self.items])

    @property
    def fingerprint(self) -> str:
        """What a code that is handed in says about which link it belongs to."""
        return _hash(self.text, 4)

    def task(self, number: int, name: str = "") -> Task:
        """Task `number`, from 0, as the student `name` gets it."""
        key = self.items[check_whole(number, "task", 0, len(self.items) - 1)]
        kind, colon, design = key.partition(":")
        if colon:
            return ask(read_design(design), kind)
        student = clean_name(name).casefold() if self.own else ""
        draw = Random(f"class {self.text} {number} {student}") if self.seed or self.own else None
        if key in CHALLENGES:
            return challenge_of(key, draw)
        return pose_drawn(key, draw)

    def opens_with(self, key: str) -> bool:
        """Whether the teacher's `key` fits, or none is needed."""
        return not self.hidden or lock_of(key) == self.lock


def read_assignment(text: str) -> Assignment:
    """The assignment of a link's text, or of a whole address; raises `LabError` for anything else."""
    text = str(text).strip()
    if "class=" in text:
        text = parse_qs(urlsplit(text).query or text.lstrip("?")).get("class", [""])[-1]
    version, *parts = text.split("!")
    if version != "1" or len(parts) < 4 or len(text) > MAX_TEXT or not re.fullmatch(r"\d{1,10}", parts[0], re.ASCII):
        raise LabError(tr(_BAD), "class")
    seed, switches, lock, *items = parts
    if not re.fullmatch(r"h?o?", switches) or not re.fullmatch(r"([0-9a-f]{12})?", lock):
        raise LabError(tr(_BAD), "class")
    for item in items:
        if ":" not in item and item not in (*KEYS, *CHALLENGES):
            said = mark(
                "This is no class's link: ask your teacher for it again: it has a task {task!r}, which this lab does "
                "not know."
            )
            raise LabError(tr(said, task=item[:40]), "class")
    return Assignment(tuple(items), int(seed), "h" in switches, "o" in switches, lock)


def question_item(kind: str, design: str) -> str:
    """The item for a question about a design; raises `LabError` where it cannot be asked."""
    read = read_design(design)
    ask(read, kind)
    return f"{kind}:{design_text(read)}"


def lock_of(key: str) -> str:
    """What a link carries of the teacher's key: enough to know it again; "" for none."""
    key = " ".join(str(key).split())[:MAX_KEY]
    return _hash(f"key {key}", 6) if key else ""


def clean_name(name: str) -> str:
    """A student's name, as everything that uses it writes it."""
    printable = "".join(letter if letter.isprintable() else " " for letter in str(name))
    return " ".join(printable.split())[:MAX_NAME]


def solves(task: Task, text: str) -> bool:
    """Whether an answer, a design included, is right; one that cannot be read is not."""
    try:
        return judge(task, text).right if isinstance(task, Challenge) else check(task, text).right
    except LabError:
        return False


def _hash(text: str, size: int) -> str:
    return hashlib.blake2b(text.encode(), digest_size=size, key=b"googlenet lab class").hexdigest()
