"""A run in one row: what a table of all runs shows."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from googlenet.errors import LabError
from googlenet.files import read_bytes
from googlenet.recipes import TrainConfig
from googlenet.runs.manage import disk_size, read_note
from googlenet.runs.metrics import EPOCHS, LARGEST, METRICS, WHOLE, MetricsHistory
from googlenet.runs.run import Run, list_runs

PLAIN = tuple(",".join(METRICS[:count]).encode() for count in (8, len(METRICS)))  # headers, of earlier versions too


@dataclass(frozen=True)
class Overview:
    """`epochs` are finished ones, `planned` those asked for; `seconds` of training; `size` in bytes.

    `best` is the highest validation accuracy, None where none was measured.
    """

    run: str
    state: str
    network: str
    recipe: str
    best: float | None
    epochs: int
    planned: int
    seconds: float
    size: int
    note: str


def list_overviews(checkpoints: Path | str) -> list[Overview]:
    """A row for each run under `checkpoints`, newest first; of one that is damaged, what can be read."""
    return [_overview(run) for run in list_runs(checkpoints)]


def _overview(run: Run) -> Overview:
    status = run.status()
    network, recipe, planned = _settings(run.path / "config.json", *file_version(run.path / "config.json"))
    best, rows, seconds = _measured(run.path / "metrics.csv", *file_version(run.path / "metrics.csv"))
    return Overview(
        run.name,
        status.state,
        network,
        recipe,
        best,
        max(status.epoch, rows),
        status.epochs or planned,
        seconds,
        disk_size(run.path),
        read_note(run),
    )


def file_version(path: Path) -> tuple[int, int, int]:
    """Another one whenever the file is."""
    try:
        facts = path.stat()
    except OSError:
        return 0, 0, 0
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


@functools.lru_cache(maxsize=4096)
def _settings(path: Path, *version: int) -> tuple[str, str, int]:
    """Network, recipe and epochs; read again only when the file has changed."""
    try:
        config = TrainConfig.from_json(read_bytes(path, limit=1_000_000).decode())
    except (LabError, UnicodeDecodeError):
        return "", "", 0
    return config.network.name, config.recipe, config.epochs


@functools.lru_cache(maxsize=4096)
def _measured(path: Path, *version: int) -> tuple[float | None, int, float]:
    """Best validation accuracy, finished epochs and seconds; read again only when the file has changed."""
    plain = _measured_plainly(read_bytes(path, limit=WHOLE))
    if plain is not None:
        return plain
    rows = MetricsHistory(path).read_on()
    best = max((row["Validation accuracy"] for row in rows if row["Validation accuracy"] is not None), default=None)
    return best, len(rows), sum(row["Seconds"] or 0.0 for row in rows)


def _measured_plainly(data: bytes) -> tuple[float | None, int, float] | None:
    """The same of a file just as trainers write it; None where a careful reading, eight times as slow, is needed."""
    header, *lines = data[: data.rfind(b"\n") + 1].splitlines() or [b""]
    # Python reads numbers that the careful reading does not, such as 1_000: what trainers write has neither.
    if header not in PLAIN or data[len(header) :].translate(None, b"0123456789.,-+e\r\n") or len(lines) > EPOCHS:
        return None
    best, seconds = None, 0.0
    try:
        for number, line in enumerate(lines):
            epoch, _, _, held_out, _, _, _, spent, *more = line.split(b",")
            accuracy, spent = float(held_out or 0), float(spent or 0)
            if len(more) + 8 != header.count(b",") + 1 or int(epoch) != number:
                return None
            if not 0 <= accuracy <= 1 or not 0 <= spent <= LARGEST:
                return None
            seconds += spent
            if held_out and (best is None or accuracy > best):
                best = accuracy
    except ValueError:
        return None
    return best, len(lines), seconds
