"""A run's history, read once: what grew is read from where the last look ended, however many pages look."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

from googlenet.runs import Run
from googlenet.ui.common.charts import Point, is_drawable

MAX_SLICES = 400
MAX_BYTES = 500_000  # of steps in one look: some 7,000, or 25 ms
_FILES = ("metrics.csv", "steps.jsonl")
_versions = itertools.count(1)


class Envelope:
    """The lowest and the highest point of equal slices of x, so that no best point disappears.

    Slices get twice as wide when there are more than `MAX_SLICES`: early and late points are kept equally well.
    """

    def __init__(self) -> None:
        self._width = 2.0**-12
        self._slices: dict[int, tuple[Point, Point]] = {}

    def add(self, points: Iterable[Point]) -> None:
        """Points in any order."""
        for point in points:
            x, y = point
            number = int(x / self._width)
            known = self._slices.get(number)
            if known is None:
                self._slices[number] = point, point
                if len(self._slices) > MAX_SLICES:
                    self._widen()
            elif y < known[0][1]:
                self._slices[number] = point, known[1]
            elif y > known[1][1]:
                self._slices[number] = known[0], point

    def points(self) -> list[Point]:
        """At most `2 * MAX_SLICES` points in the order of x."""
        return [point for number in sorted(self._slices) for point in sorted(set(self._slices[number]))]

    def _widen(self) -> None:
        narrow, self._slices, self._width = self._slices, {}, 2 * self._width
        for pair in narrow.values():
            self.add(pair)


class History:
    """What a run has told so far: `rows` of its finished epochs; `loss` by step, those of epoch e from e−½ to e+½.

    `version` is another number whenever there is more, or something else, to draw.
    """

    def __init__(self, written: list[tuple[int, int]]) -> None:
        self.rows: list[dict[str, float | None]] = []
        self.loss = Envelope()
        self.version = next(_versions)
        self._written = written
        self._metrics_end = self._steps_end = 0

    def read_on(self, run: Run) -> None:
        """Take in what was appended since; of many steps at most `MAX_BYTES`, the rest at the next looks."""
        before = self._metrics_end, self._steps_end
        rows, self._metrics_end = run.new_metrics(self._metrics_end)
        steps, self._steps_end = run.steps(self._steps_end, MAX_BYTES)
        self.rows += rows
        self.loss.add(
            (row["epoch"] - 0.5, row["loss"]) for row in steps if is_drawable(row.get("epoch"), row.get("loss"))
        )
        if before != (self._metrics_end, self._steps_end):
            self.version = next(_versions)

    def is_of(self, run: Run, written: list[tuple[int, int]]) -> bool:
        """Whether the files are still those that were read, and no shorter."""
        sizes = (file_size(run.path / name) for name in _FILES)
        return self._written == written and all(
            size >= end for size, end in zip(sizes, (self._metrics_end, self._steps_end), strict=True)
        )


class Feed:
    """Histories by run, for one thread at a time."""

    def __init__(self) -> None:
        self._known: dict[Path, History] = {}

    def read(self, run: Run) -> History:
        """The history of `run` up to now. One that was rewound, or deleted and begun anew, is read from the start."""
        written = [_identity(run.path / name) for name in ("config.json", *_FILES)]
        history = self._known.get(run.path)
        if history is None or not history.is_of(run, written):
            history = self._known[run.path] = History(written)
        history.read_on(run)
        return history


def _identity(path: Path) -> tuple[int, int]:
    """Changes when another file takes the place of `path`, which a rewind does, and not when `path` grows."""
    try:
        facts = path.stat()
    except OSError:
        return 0, 0
    # Numbers are reused, but a run begun anew has a config.json of its own time.
    return facts.st_ino, 0 if path.name in _FILES else facts.st_mtime_ns


def file_size(path: Path) -> int:
    """Bytes; 0 when it cannot be read."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
