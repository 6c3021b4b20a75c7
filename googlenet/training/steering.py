"""The trainer's side of steering: takes what was asked between two steps, and replays what was taken before.

A command is written down with its step before it has any effect (runs/steering/taken.py). So whatever kills the
training, a resume takes it at that step again, and what is not written down yet at the next.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from googlenet.errors import LabError
from googlenet.language import tr, trn
from googlenet.runs import Run
from googlenet.runs.steering.commands import Line, read_commands, version
from googlenet.runs.steering.taken import (
    Plan,
    Taken,
    add_steering,
    check_fits,
    in_order,
    read_steering,
    replace_steering,
)
from googlenet.training.optim import falling_rate, learning_rate

if TYPE_CHECKING:
    from googlenet.training.engine import Trainer

MANY = 20  # refusals written down one by one: a file of other people's bytes may have any number of lines


class Steering:
    """The commands of `trainer`'s run. Every rank has one and calls it alike; only the first reads and writes."""

    def __init__(self, trainer: Trainer, run: Run) -> None:
        self.trainer, self.run = trainer, run
        self.plan = Plan(trainer.config.epochs)
        self.taken: list[Taken] = []  # in effect or refused, up to the position
        self._due: collections.deque[Taken] = collections.deque()  # written down at steps that are still to come
        self._seen: set[str] = set()
        self._version: object = None  # of commands.jsonl at the last look

    def restore(self, saved: Iterable[dict[str, Any]] = ()) -> None:
        """At the trainer's position: take up what was `saved` with it, and what steering.jsonl has besides."""
        trainer, taken = self.trainer, []
        if trainer.team.leads:
            known = {one.id: one for one in map(Taken.from_dict, saved)}
            written = read_steering(self.run)
            taken = in_order([*known.values(), *(one for one in written if one.id not in known)])
            if known.keys() - {one.id for one in written}:
                replace_steering(self.run, taken)
                trainer.reporter.line("steering.jsonl was damaged: it was written again from the last save.")
        taken = trainer.team.broadcast(taken)
        self._seen = {one.id for one in taken}
        self.taken = [one for one in taken if one.step < trainer.position.total]
        self._due = collections.deque(taken[len(self.taken) :])
        for one in self.taken:
            self.plan = self.plan.after(one)

    def to_save(self) -> list[dict[str, Any]]:
        """For `restore`."""
        return [one.to_dict() for one in self.taken]

    def is_asked(self) -> bool:
        """Whether this rank knows of something to take before the next step; called at each of them."""
        if self._due and self._due[0].step <= self.trainer.position.total:
            return True
        return self.trainer.team.leads and version(self.run) != self._version

    def take(self) -> None:
        """Take what is due at the position, then what is asked; all ranks together, before the same step."""
        trainer = self.trainer
        while self._due and self._due[0].step <= trainer.position.total:
            self._apply(self._due.popleft(), "again, as written in steering.jsonl: ")
        new = self._look() if trainer.team.leads else []
        for one in trainer.team.broadcast(new):
            self._apply(one)
        trainer.report()

    def rate(self, step: int) -> float:
        """The learning rate of step `step` of the training, by what is planned now."""
        config, plan, per_epoch = self.trainer.config, self.plan, self.trainer.steps
        if plan.rate is None:
            return learning_rate(config, step, per_epoch * plan.epochs)
        return falling_rate(config, plan.rate, step - plan.since * per_epoch, (plan.epochs - plan.since) * per_epoch)

    @property
    def ending(self) -> str:
        """Why the training ends before its last epoch, in a sentence; empty while it goes on."""
        trainer, plan = self.trainer, self.plan
        done, best = trainer.position.epoch, trainer.record.best_epoch
        if done >= plan.epochs or not plan.is_spent(done, best):
            return ""
        found = tr("the best is epoch {epoch}", epoch=best) if best >= 0 else tr("there is none yet")
        return trn(
            "Stopped early after epoch {epoch}: an epoch without a better validation accuracy; {best}.",
            "Stopped early after epoch {epoch}: {n:,} epochs without a better validation accuracy; {best}.",
            plan.patience,
            epoch=done - 1,
            best=found,
        )

    def _look(self) -> list[Taken]:
        """What was asked since the last look, judged and written down."""
        self._version = version(self.run)
        lines = [line for line in read_commands(self.run) if line.id not in self._seen]
        lines = list({line.id: line for line in lines}.values())
        self._seen |= {line.id for line in lines}
        foreign = [line for line in lines if line.command is None]
        if len(foreign) > MANY:
            passed = {line.id for line in foreign[MANY:]}
            lines = [line for line in lines if line.id not in passed]
            self.trainer.reporter.line(f"{len(passed):,} more lines of commands.jsonl cannot be read.")
        judged = [self._judge(line) for line in lines]
        try:
            add_steering(self.run, judged)
        except OSError as error:  # what is not written down has no effect: a resume could not replay it
            self.trainer.reporter.line(
                f"steering.jsonl cannot be written ({error.strerror}): what was asked is passed over."
            )
            return []
        return judged

    def _judge(self, line: Line) -> Taken:
        trainer = self.trainer
        at, refused = trainer.position, line.problem
        try:
            if line.command:
                check_fits(line.command, self.run.name, at.epoch, trainer.batches.validation is not None)
        except LabError as error:
            refused = str(error)
        return Taken(line.id, line.command, at.total, trainer.done / trainer.steps, refused)

    def _apply(self, taken: Taken, how: str = "") -> None:
        trainer, at, command = self.trainer, self.trainer.position, taken.command
        self.taken.append(taken)
        self.plan = self.plan.after(taken)
        if taken.refused or command is None:
            if not how:
                trainer.reporter.line(f"Refused: {taken.refused}")
            return
        trainer.reporter.line(f"Steered in epoch {at.epoch}, step {at.step} of {trainer.steps}: {how}{command.words}.")
        if command.kind == "keep":
            try:
                trainer.record.keep()
            except OSError as error:
                trainer.reporter.line(f"No checkpoint could be kept ({error.strerror}): the training goes on.")


def rate_to_try(rate: float, usual: float | None) -> str:
    """What to do, in numbers, after a training at `rate` diverged whose recipe has `usual`; without a full stop.

    `usual` is None where the recipe's rate says nothing, as it is another optimizer's.
    """
    lower = float(f"{rate / 10:.1g}")
    if usual is None:
        return tr("the learning rate was {rate:g}, so start again with {lower:g}", rate=rate, lower=lower)
    if rate > usual:
        return tr(
            "the learning rate was {rate:g}; {usual:g} is this recipe's, so start again with {usual:g}",
            rate=rate,
            usual=usual,
        )
    if math.isclose(rate, usual):
        return tr(
            "the learning rate was {rate:g}, this recipe's, so start again with {lower:g}", rate=rate, lower=lower
        )
    return tr(
        "the learning rate was {rate:g}, below this recipe's {usual:g} already, so start again with {lower:g}",
        rate=rate,
        usual=usual,
        lower=lower,
    )
