"""A run's history, read once: what grew is read from where the last look ended, however many pages look."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from googlenet.files import read_bytes
from googlenet.runs import METRICS, Run
from googlenet.ui.common.charts import Envelope, is_drawable

SLICES = 1500  # of a line, with two points each: of more epochs, or rows of steps, the lowest and highest are kept
STEPS = {"loss": "step loss", "lr": "step rate"}  # names of steps.jsonl, and of the lines
CLOCK = "clock"
MAX_BYTES = 500_000  # of steps in one look: some 7,000, or 25 ms
MOST_ANSWERS = 120  # rows of answers that are shown, evenly apart
_FILES = ("metrics.csv", "steps.jsonl", "answers.jsonl")
_versions = itertools.count(1)


class History:
    """What a run has told so far: `rows` of its finished epochs, and `lines` by name.

    The lines are the columns of metrics.csv, epoch e at x = e; those of `STEPS`, whose x of epoch e go from e−½ to
    e+½; and `CLOCK`, the seconds that the training had taken at x. They are put on the chart as they are, so `version`
    is another number whenever there is more to draw.
    """

    def __init__(self, run: Run, written: list[object]) -> None:
        self.rows: list[dict[str, float | None]] = []
        self.lines = {name: Envelope(width=1.0, slices=SLICES) for name in (*METRICS[1:], CLOCK)}
        self.lines |= {name: Envelope(slices=SLICES) for name in STEPS.values()}
        self.version = next(_versions)
        self._seconds = 0.0
        self._written = written
        self._metrics, self._steps, self._answers = run.metrics_history(), run.steps_history(), run.answers_history()
        self._answered: list[dict[str, Any]] = []
        self._every = 1  # of how many rows of answers one is kept

    def read_on(self) -> None:
        """Take in what was appended since; of many steps at most `MAX_BYTES`, the rest at the next looks."""
        before = self._metrics.end, self._steps.end
        self._add_epochs(self._metrics.read_on())
        steps = self._steps.read_on(MAX_BYTES)
        for name, line in STEPS.items():
            points = ((row["epoch"] - 0.5, row.get(name)) for row in steps)
            self.lines[line].add(point for point in points if is_drawable(point))
        if before != (self._metrics.end, self._steps.end):
            self.version = next(_versions)
        for row in self._answers.read_on():
            if self._answered and self._answered[-1]["epoch"] % self._every:
                self._answered.pop()  # it was there only as the newest
            self._answered.append(row)
            while len(self._answered) > MOST_ANSWERS:
                self._every *= 2
                *older, newest = self._answered
                self._answered = [*(row for row in older if row["epoch"] % self._every == 0), newest]

    def answers(self) -> list[dict[str, Any]]:
        """What was answered to the run's samples after epochs that lie evenly apart, and after the last."""
        return list(self._answered)

    def _add_epochs(self, rows: list[dict[str, float | None]]) -> None:
        self.rows += rows
        for name in METRICS[1:]:
            points = ((row["Epoch"], row[name]) for row in rows)
            self.lines[name].add(point for point in points if is_drawable(point))
        for row in rows:
            self._seconds += row["Seconds"] or 0.0
            ends = (row["Epoch"] or 0.0) + 0.5
            self.lines[CLOCK].add([(ends, self._seconds)] if self._seconds else [])

    def has(self, name: str) -> bool:
        """Whether there is a point of that line."""
        return bool(self.lines[name])

    def is_of(self, written: list[object]) -> bool:
        """Whether the files are still those that were read, and no shorter."""
        return self._written == written and all(
            file_size(history.path) >= history.end for history in (self._metrics, self._steps, self._answers)
        )

    @property
    def problem(self) -> str:
        """What of the files cannot be read, in a sentence; empty when they are in order."""
        return self._metrics.problem or self._steps.problem or self._answers.problem


class Feed:
    """Histories by run, for one thread at a time."""

    def __init__(self) -> None:
        self._known: dict[Path, History] = {}

    def read(self, run: Run) -> History:
        """The history of `run` up to now. One that was rewound, or deleted and begun anew, is read from the start."""
        written = [_identity(run.path / name) for name in ("config.json", *_FILES)]
        history = self._known.get(run.path)
        if history is None or not history.is_of(written):
            history = self._known[run.path] = History(run, written)
        history.read_on()
        return history


def _identity(path: Path) -> object:
    """Changes when another file takes the place of `path`, which a rewind does, and not when `path` grows."""
    try:
        facts = path.stat()
    except OSError:
        return None
    # Numbers are reused, but a run begun anew has a config.json of its own time; columns may be edited in place.
    return facts.st_ino, read_bytes(path, limit=200) if path.name in _FILES else facts.st_mtime_ns


def file_size(path: Path) -> int:
    """Bytes; 0 when it cannot be read."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
