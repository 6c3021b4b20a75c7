"""A run's history, read once: what grew is read from where the last look ended, however many pages look."""

from __future__ import annotations

import itertools
from pathlib import Path

from googlenet.files import read_bytes
from googlenet.runs import Run
from googlenet.ui.common.charts import Envelope

MAX_BYTES = 500_000  # of steps in one look: some 7,000, or 25 ms
_FILES = ("metrics.csv", "steps.jsonl")
_versions = itertools.count(1)


class History:
    """What a run has told so far: `rows` of its finished epochs; `loss` by step, those of epoch e from e−½ to e+½.

    `version` is another number whenever there is more, or something else, to draw.
    """

    def __init__(self, run: Run, written: list[object]) -> None:
        self.rows: list[dict[str, float | None]] = []
        self.loss = Envelope()
        self.version = next(_versions)
        self._written = written
        self._metrics, self._steps = run.metrics_history(), run.steps_history()

    def read_on(self) -> None:
        """Take in what was appended since; of many steps at most `MAX_BYTES`, the rest at the next looks."""
        before = self._metrics.end, self._steps.end
        self.rows += self._metrics.read_on()
        steps = self._steps.read_on(MAX_BYTES)
        self.loss.add((row["epoch"] - 0.5, row["loss"]) for row in steps)
        if before != (self._metrics.end, self._steps.end):
            self.version = next(_versions)

    def is_of(self, written: list[object]) -> bool:
        """Whether the files are still those that were read, and no shorter."""
        return self._written == written and all(
            file_size(history.path) >= history.end for history in (self._metrics, self._steps)
        )

    @property
    def problem(self) -> str:
        """What of the files cannot be read, in a sentence; empty when they are in order."""
        return self._metrics.problem or self._steps.problem


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
