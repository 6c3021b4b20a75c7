"""The two histories of a run: metrics.csv, a row an epoch, and steps.jsonl, a row every few steps.

Both grow at the end while others read them, may be torn there, and may have been edited by hand. A value is found by
its name; what cannot be read is passed over, told of, and never erased.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from googlenet.files import parse_json, read_bytes, write_atomically
from googlenet.language import tr

USAGE = ("CPU", "Memory", "GPU", "GPU memory")  # shares of all cores and of the GPU busy; bytes of the trainer
AUXILIARY = ("Auxiliary loss 1", "Auxiliary loss 2")  # of the heads in the order of their layers; of more, the first
METRICS = (
    "Epoch",
    "Accuracy",
    "Loss",
    "Validation accuracy",
    "Validation loss",
    "Learning rate",
    "Images/s",
    "Seconds",
    *USAGE,
    *AUXILIARY,
)
EPOCHS = 100_000  # the longest training
LARGEST = 3.4e38  # of float32: nothing larger was measured
_HIGHEST = {**dict.fromkeys(METRICS, LARGEST), "Epoch": EPOCHS}
_HIGHEST |= dict.fromkeys(("Accuracy", "Validation accuracy", "CPU", "GPU"), 1.0)
WHOLE = 256_000_000  # bytes: no history is longer

Row = dict[str, Any]  # numbers by name; in metrics.csv, None where nothing was measured


class History:
    """A file of rows, read on from where the last look ended."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header = b""  # the line that names the columns
        self.end = 0  # bytes read
        self._lines = 0
        self._doubtful: list[int] = []  # line numbers, from 1

    @property
    def problem(self) -> str:
        """What cannot be read, in a sentence; empty for a file in order."""
        if not self._doubtful:
            return ""
        first, *more = self._doubtful
        if not more:
            return tr("Cannot read all of {file}: see line {line:,}.", file=self.path.name, line=first)
        return tr(
            "Cannot read all of {file}: see line {line:,} and {n:,} more.",
            file=self.path.name,
            line=first,
            n=len(more),
        )

    def read_on(self, limit: int = WHOLE) -> list[Row]:
        """The rows appended since the last look, in at most `limit` bytes; a torn last line waits for its end."""
        data = read_bytes(self.path, self.end, limit)
        whole = data[: data.rfind(b"\n") + 1] or (data if len(data) == limit else b"")
        self.end += len(whole)
        return [row for row in self._take(whole.splitlines()) if row is not None]

    def rewind(self, keeps: Callable[[Row], bool]) -> str:
        """Drop the rows that `keeps` refuses; the lines of the others stay as they are.

        Lines that cannot be read are moved to NAME-unreadable; returns a sentence when there are any.
        """
        data = read_bytes(self.path)
        lines, end = data.splitlines(), b"\r\n" if b"\r\n" in data else b"\n"
        kept, aside = [], []
        for line, row in zip(lines, self._take(lines), strict=True):
            if row is None and line != self.header:
                aside += [line + end] if line.strip() else []
            elif row is None or keeps(row):
                kept.append(line + end)
        if kept == [self.header + end] and not data.endswith(b"\n"):
            kept = []  # half a header, which a full disk leaves
        other = self.path.with_stem(f"{self.path.stem}-unreadable")
        if aside:  # first: a kill between the two may repeat lines, not lose them
            write_atomically(other, read_bytes(other), *aside)
        if data:
            write_atomically(self.path, *kept)
        return f"The unreadable part of {self.path.name} was moved to {other.name}." if aside else ""

    def _take(self, lines: Sequence[bytes]) -> list[Row | None]:
        """The row of each line, None for one that holds none."""
        rows, doubtful = self._parse(lines)
        self._doubtful += [self._lines + index + 1 for index in doubtful if lines[index].strip()]
        self._lines += len(lines)
        return rows

    def _parse(self, lines: Sequence[bytes]) -> tuple[list[Row | None], Iterable[int]]:
        """The row of each line, and the indices of lines that are not in order."""
        raise NotImplementedError

    def _add(self, text: str) -> None:
        """Write `text` at the end, beginning a line."""
        with self.path.open("ab+") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            file.write(b"\n" * (file.read(1) not in b"\n") + text.encode())


class MetricsHistory(History):
    """metrics.csv by its header: columns may be added, dropped or in another order."""

    names: Sequence[str] = ()

    def append(self, row: Mapping[str, float | None]) -> None:
        """Add an epoch, under the columns that the file has; with a header first where there is none."""
        begun = read_bytes(self.path, limit=65_536).splitlines()
        self._parse(begun[:1])
        if begun and not self.header:
            self.rewind(lambda row: True)
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer)
        if not self.header:
            self.names = METRICS
            writer.writerow(METRICS)
        writer.writerow(["" if row.get(name) is None else row[name] for name in self.names])
        self._add(buffer.getvalue())

    def _parse(self, lines: Sequence[bytes]) -> tuple[list[Row | None], Iterable[int]]:
        rows: list[Row | None] = [None] * len(lines)
        cells = {index: _cells(line) for index, line in enumerate(lines) if line.strip() and line != self.header}
        if cells and not self.names:
            first = min(cells)
            self.names = cells[first]
            if "Epoch" in self.names:
                self.header = lines[first]
                del cells[first]
        whole = {index: row for index, row in cells.items() if len(row) == len(self.names)}
        if not whole:
            return rows, cells
        import pandas  # a form, or a list without a single epoch, does not wait for it

        table = pandas.DataFrame(list(whole.values()), list(whole), list(self.names), dtype=str)
        table = table.loc[:, ~table.columns.duplicated()].reindex(columns=METRICS, fill_value="")
        numbers = table.apply(pandas.to_numeric, errors="coerce").astype(float)
        good = (numbers >= 0) & (numbers <= pandas.Series(_HIGHEST))
        good["Epoch"] &= numbers["Epoch"] % 1 == 0
        in_order = good["Epoch"] & (good | (table == "")).all(axis=1)
        found = numbers.astype(object).where(good, None)[good["Epoch"]]
        for index, row in found.to_dict("index").items():
            rows[index] = row
        return rows, sorted(cells.keys() - set(table.index[in_order]))


class StepsHistory(History):
    """steps.jsonl, where a row has at least its step, the epochs done by then and the mean loss since the last row."""

    def append(self, rows: Iterable[Mapping[str, float]]) -> None:
        """Add `rows` at the end."""
        self._add("".join(json.dumps(row) + "\n" for row in rows))

    def _parse(self, lines: Sequence[bytes]) -> tuple[list[Row | None], Iterable[int]]:
        rows = parse_json(b"[" + b",".join(lines) + b"]")  # five times as fast as line by line
        if rows is None or len(rows) != len(lines):
            rows = [parse_json(line) for line in lines]
        doubtful = [index for index, row in enumerate(rows) if not _is_step(row)]
        for index in doubtful:
            rows[index] = None
        return rows, doubtful


def _cells(line: bytes) -> list[str]:
    """Of one line by itself, so that an open quotation mark cannot swallow the lines that follow."""
    try:
        return [cell.strip() for cell in next(csv.reader([line.decode("utf-8-sig", "replace")]), [])]
    except csv.Error:
        return []


def _is_step(row: Any) -> bool:
    try:
        return 0 <= row["step"] <= LARGEST and 0 <= row["epoch"] <= EPOCHS and abs(row["loss"]) <= LARGEST
    except (TypeError, LookupError):
        return False
