"""How a training was steered: each command with the exact step at which it took effect, and what then is planned.

steering.jsonl is the trainer's. It holds a line before the command has any effect, so that a resume, or the same run
once more from its start, takes each command at the same step again: same commands, same steps, same weights.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from googlenet.errors import LabError, check_number, check_whole
from googlenet.files import parse_json, read_bytes, write_atomically
from googlenet.language import retell, tr
from googlenet.recipes import MAX_EPOCHS, TrainConfig
from googlenet.runs.checkpoints import pruned
from googlenet.runs.run import Run
from googlenet.runs.status import RESUMABLE, Status, state_words
from googlenet.runs.steering.commands import WHOLE, Command, Line, add_command, read_commands

STEERING = "steering.jsonl"
RESUME_FILES = ("resume.pt", "resume-previous.pt")
MANY = 1e12  # steps


@dataclass(frozen=True)
class Taken:
    """What became of the line `id` of commands.jsonl: in effect from `step` (of all) on, or `refused` in a sentence.

    `epoch` is how many epochs were done by then, with a fraction.
    """

    id: str
    command: Command | None
    step: int
    epoch: float
    refused: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, as a line has them."""
        asked = self.command.to_dict() if self.command else {}
        return {"id": self.id, **asked, "step": self.step, "epoch": self.epoch, "refused": self.refused}

    @classmethod
    def from_dict(cls, plain: Any) -> Taken:
        """Read what `to_dict` wrote; raises `LabError` for anything else."""
        if not isinstance(plain, dict):
            raise LabError(tr("This is no line of steering.jsonl."))
        known, refused = plain.get("id"), plain.get("refused", "")
        if not isinstance(known, str) or not isinstance(refused, str) or len(known) > 64:
            raise LabError(tr("This is no line of steering.jsonl."))
        step = check_whole(plain.get("step"), "step", 0, int(MANY))
        epoch = check_number(plain.get("epoch"), "epoch", 0, MAX_EPOCHS)
        return cls(known, None if refused else Command.from_dict(plain), step, epoch, refused[:500])


@dataclass(frozen=True)
class Plan:
    """What a training aims at: `epochs` in all, and a `rate` commanded when `since` epochs were done (None: never).

    With a `patience`, it ends after that many epochs without a better validation accuracy, counted from epoch
    `waits_from` at the earliest.
    """

    epochs: int
    rate: float | None = None
    since: float = 0.0
    patience: int = 0
    waits_from: int = 0

    def after(self, taken: Taken) -> Plan:
        """The plan once `taken` is in effect."""
        command = taken.command
        if taken.refused or command is None or command.value is None:
            return self
        if command.kind == "rate":
            return dataclasses.replace(self, rate=command.value, since=taken.epoch)
        # Early stopping waits anew: whoever extends a run that it has ended wants to see it go on.
        return dataclasses.replace(self, **{command.kind: int(command.value)}, waits_from=int(taken.epoch))

    def is_spent(self, epoch: int, best_epoch: int) -> bool:
        """Whether early stopping ends a training with `epoch` epochs done, the best of them `best_epoch` (-1: none)."""
        return self.patience > 0 and epoch - max(best_epoch + 1, self.waits_from) >= self.patience


def read_steering(run: Run) -> list[Taken]:
    """What the trainer has taken or refused, in the order in which it took effect; unreadable lines are passed over."""
    found: dict[str, Taken] = {}
    for line in read_bytes(run.path / STEERING, limit=2 * WHOLE).splitlines():
        try:
            taken = Taken.from_dict(parse_json(line))
        except LabError:
            continue
        found.setdefault(taken.id, taken)
    return in_order(found.values())


def in_order(taken: Iterable[Taken]) -> list[Taken]:
    """By step; at the same step as they came."""
    return sorted(taken, key=lambda one: one.step)


def add_steering(run: Run, taken: Iterable[Taken]) -> None:
    """Write lines at the end, before what they say has any effect; the trainer's alone."""
    if not (text := "".join(json.dumps(one.to_dict()) + "\n" for one in taken)):
        return
    with (run.path / STEERING).open("ab+") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        file.write(b"\n" * (file.read(1) not in (b"", b"\n")) + text.encode())
        file.flush()
        os.fsync(file.fileno())


def replace_steering(run: Run, taken: Iterable[Taken]) -> None:
    """Write the file anew; the trainer's alone."""
    write_atomically(run.path / STEERING, *(json.dumps(one.to_dict()) + "\n" for one in taken))


def waiting(run: Run) -> list[Line]:
    """What was asked and not yet taken or refused; lines that cannot be read are not among it."""
    known = {taken.id for taken in read_steering(run)}
    return [line for line in read_commands(run) if line.command and line.id not in known]


def planned(run: Run, config: TrainConfig) -> int:
    """Epochs in all, with what was asked and not yet taken."""
    plan = Plan(config.epochs)
    for taken in read_steering(run):
        plan = plan.after(taken)
    asked = [line.command.value for line in waiting(run) if line.command and line.command.kind == "epochs"]
    return int(asked[-1]) if asked and asked[-1] else plan.epochs


def can_resume(run: Run, status: Status) -> bool:
    """Whether a resume would go on: the run has not come to its end, or was extended since."""
    if status.state in RESUMABLE:
        return True
    if status.state != "finished" or not _has_state(run.path):
        return False
    extended = (line.command.value for line in waiting(run) if line.command and line.command.kind == "epochs")
    return any(value is not None and value > status.epoch for value in extended)


def _has_state(path: Path) -> bool:
    return any((path / name).is_file() for name in RESUME_FILES if name not in pruned(path))


def check_fits(command: Command, name: str, done: int, validated: bool) -> None:
    """Raise `LabError` when a training of `name` with `done` finished epochs cannot take `command`.

    `validated` says whether it holds validation images out.
    """
    if command.kind == "epochs" and command.value is not None and command.value <= done:
        sentence = tr(
            "{run} has {done:,} epochs done, so {n:,} in all is too few: give more than {done:,}.",
            run=name,
            done=done,
            n=command.value,
        )
        raise LabError(sentence, "epochs")
    if command.kind == "patience" and command.value and not validated:
        sentence = tr("{run} holds no validation images out, so there is nothing to stop it by.", run=name)
        raise LabError(sentence, "patience")


def ask(checkpoints: Path | str, name: str, kind: str, value: Any = None) -> Command:
    """Ask the run for a command (see `Command`), which its trainer takes at its next step, or after a resume.

    Of a finished run only more epochs can be asked, or what is to hold once it was extended; of one that is not being
    trained no checkpoint. Raises `LabError`, also for a run that is not there.
    """
    run = Run(checkpoints, name)
    config, status = run.config(), run.status()
    command = Command(kind, value)  # a bad value first: it is what the person has just typed
    if status.state == "diverged":
        sentence = tr(
            "{run} is diverged and cannot go on, so there is nothing to steer: {message}",
            run=name,
            message=retell(status.message),
        )
        raise LabError(sentence, "run")
    if kind == "keep" and not status.active:
        sentence = tr(
            "{run} is {state}: last.safetensors holds its weights as they are.",
            run=name,
            state=state_words(status.state),
        )
        raise LabError(sentence, "run")
    if status.state == "finished":
        if not _has_state(run.path):
            sentence = tr("{run} cannot go on: what a resume needs was pruned. Start a new run.", run=name)
            raise LabError(sentence, "run")
        if kind != "epochs" and not can_resume(run, status):
            raise LabError(tr("{run} is finished: extend it first.", run=name), "run")
    check_fits(command, name, status.epoch, config.validation_fraction > 0)
    ended_early = status.state == "finished" and status.epoch < (status.epochs or config.epochs)
    if kind == "epochs" and command.value == planned(run, config) and not ended_early:
        sentence = tr(
            "{run} is to train for {n:,} epochs in all already: give another number.", run=name, n=command.value
        )
        raise LabError(sentence, "epochs")
    return add_command(run, kind, command.value)
