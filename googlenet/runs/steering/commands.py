"""What a person asks of a training: more epochs, another learning rate, early stopping, a checkpoint now.

This is the one exception to the rule that only the trainer writes a run: whoever asks adds a line to the run's
commands.jsonl, and writes nothing else. The trainer takes it before its next step, and says in steering.jsonl
(taken.py) at which step that was, or why it refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from googlenet.errors import LabError, check_choice, check_number, check_whole, is_number
from googlenet.files import parse_json, read_bytes
from googlenet.language import tr, trn
from googlenet.recipes import MAX_EPOCHS
from googlenet.runs.run import Run

COMMANDS = "commands.jsonl"
KINDS = ("epochs", "rate", "patience", "keep")
LONGEST_LINE = 1_000  # bytes
WHOLE = 1_000_000  # bytes of commands.jsonl: nobody asks more of one run
HIGHEST_RATE = 100.0


@dataclass(frozen=True)
class Command:
    """`kind` is one of `KINDS`; raises `LabError` for a `value` that it cannot have.

    epochs: how many in all. rate: the learning rate from now on. patience: the epochs without a better validation
    accuracy after which the training ends, 0 for no early stopping. keep: None, and a checkpoint is kept.
    """

    kind: str
    value: float | None = None
    asked: float = 0.0  # seconds since 1970

    def __post_init__(self) -> None:
        check_choice(self.kind, "command", KINDS)
        value = self.value
        if self.kind == "rate":
            value = check_number(value, "lr", 0, HIGHEST_RATE, above=True)
        elif self.kind != "keep":
            value = check_whole(value, self.kind, 1 if self.kind == "epochs" else 0, MAX_EPOCHS)
        elif value is not None:
            raise LabError(tr("keep takes no value: it keeps the weights as they are at the next step."), "keep")
        object.__setattr__(self, "value", value)
        if not is_number(self.asked, 0, 1e12):
            object.__setattr__(self, "asked", 0.0)

    @property
    def words(self) -> str:
        """For people, without a full stop."""
        if self.kind == "rate":
            return tr("learning rate {value:g}", value=self.value)
        if self.kind == "epochs":
            return tr("{n:,} epochs in all", n=self.value)
        if self.kind == "keep":
            return tr("keep a checkpoint")
        if not self.value:
            return tr("no early stopping")
        return trn(
            "early stopping after an epoch without a better validation accuracy",
            "early stopping after {n:,} epochs without a better validation accuracy",
            self.value,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, as a line has them."""
        return {"command": self.kind, "value": self.value, "asked": self.asked}

    @classmethod
    def from_dict(cls, plain: Any) -> Command:
        """Read what `to_dict` wrote; raises `LabError` for anything else."""
        if not isinstance(plain, dict):
            sentence = tr('A command is an object in braces, such as {"command": "rate", "value": 0.01}.')
            raise LabError(sentence, "command")
        return cls(plain.get("command", ""), plain.get("value"), plain.get("asked", 0.0))


@dataclass(frozen=True)
class Line:
    """A line of commands.jsonl, known by its `id`: what it asks, or in a sentence why it cannot be read."""

    id: str
    number: int  # from 1
    command: Command | None
    problem: str = ""


def read_commands(run: Run) -> list[Line]:
    """All that was ever asked of `run`, in order. A last line that is being written is left for the next look."""
    lines = read_bytes(run.path / COMMANDS, limit=WHOLE).split(b"\n")
    torn = not _reads(lines[-1])
    numbered = [(number, line.strip()) for number, line in enumerate(lines[:-1] if torn else lines, start=1)]
    return [_read(number, line) for number, line in numbered if line]


def _reads(line: bytes) -> bool:
    return len(line) <= LONGEST_LINE and parse_json(line) is not None


def _read(number: int, line: bytes) -> Line:
    known = hashlib.sha256(line).hexdigest()[:16]
    try:
        if not _reads(line):
            raise LabError(tr("it is no JSON."))
        return Line(known, number, Command.from_dict(parse_json(line)))
    except LabError as error:
        problem = tr("Line {n:,} of {file} was passed over: {error}", n=number, file=COMMANDS, error=error)
        return Line(known, number, None, problem)


def version(run: Run) -> tuple[int, int, int] | None:
    """Another one whenever commands.jsonl is; a look at each step costs 2 µs."""
    try:
        facts = (run.path / COMMANDS).stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


def add_command(run: Run, kind: str, value: Any = None) -> Command:
    """Ask `run` for it: one line more in its commands.jsonl, whole or, after a kill, not read.

    Checks the value alone: what the run's state allows is `steering`'s. Raises `LabError`.
    """
    command = Command(kind, value, time.time())
    path: Path = run.path / COMMANDS
    try:
        if path.exists() and not path.is_file():
            sentence = tr("{file} of {run} is no plain file: remove it, then ask again.", file=COMMANDS, run=run.name)
            raise LabError(sentence, "run")
        with path.open("ab+") as file:
            size = file.seek(0, os.SEEK_END)
            if size > WHOLE - 2 * LONGEST_LINE:
                sentence = tr("{file} of {run} is full: remove it, then ask again.", file=COMMANDS, run=run.name)
                raise LabError(sentence, "run")
            file.seek(max(0, size - 1))
            begun = file.read(1) not in (b"", b"\n")  # a line that a kill has cut
            file.write(b"\n" * begun + json.dumps(command.to_dict()).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        sentence = tr(
            "{run} cannot be steered: its folder cannot be written ({error}).", run=run.name, error=error.strerror
        )
        raise LabError(sentence, "run") from error
    return command
