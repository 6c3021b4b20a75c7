"""A run is a directory. The trainer writes it; everyone else reads it, at any time, whatever happened to the trainer.

    checkpoints/<run>/
      config.json           the TrainConfig, written once
      status.json           what the trainer is doing, replaced atomically
      metrics.csv           a row an epoch; `Epoch,Accuracy,Loss` as in the class note, then validation, rate, speed
      steps.jsonl           a row every few steps
      train.log             what the trainer printed
      curves.png            loss above accuracy, redrawn at the end
      epoch-0299.safetensors, best.safetensors, last.safetensors
      resume.pt, resume-previous.pt

Nothing here needs torch.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from googlenet.errors import LabError, check_run_name
from googlenet.files import write_atomically
from googlenet.recipes import TrainConfig

ACTIVE = ("queued", "running", "stopping")
RESUMABLE = ("stopped", "interrupted", "failed", "out_of_memory")
STATES = (*ACTIVE, *RESUMABLE, "finished", "diverged")

METRICS = (
    "Epoch",
    "Accuracy",
    "Loss",
    "Validation accuracy",
    "Validation loss",
    "Learning rate",
    "Images/s",
    "Seconds",
)


class Diverged(LabError):
    """The loss or the weights are no longer numbers."""


@dataclass(frozen=True)
class Status:
    """What the trainer last said. `epoch` counts finished epochs, `step` the steps done in the current one."""

    state: str
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps_per_epoch: int = 0
    pid: int = 0
    pid_started: float = 0.0
    heartbeat: float = 0.0  # seconds since 1970
    message: str = ""
    device: str = ""
    data: str = ""
    images_per_second: float = 0.0
    seconds_left: float | None = None

    @property
    def active(self) -> bool:
        """Whether a trainer is at work on the run."""
        return self.state in ACTIVE

    @property
    def progress(self) -> float:
        """Share of all steps done, 0 to 1."""
        done = self.epoch + self.step / max(1, self.steps_per_epoch)
        return min(1.0, done / max(1, self.epochs))


def process_started(pid: int) -> float:
    """When process `pid` began, in seconds since 1970; 0 when there is none or it is a zombie."""
    try:
        process = psutil.Process(pid)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except (psutil.Error, ValueError):
        return 0.0


def is_alive(pid: int, started: float) -> bool:
    """Whether process `pid` is the one that began at `started`: numbers are reused, moments are not."""
    begun = process_started(pid) if pid > 0 else 0.0
    return begun > 0 and abs(begun - started) < 1.5


class Run:
    """The directory of the run `name` under `checkpoints`; raises `LabError` when that is no run name."""

    def __init__(self, checkpoints: Path, name: str) -> None:
        self.name = check_run_name(name)
        self.path = Path(checkpoints) / name

    # --- reading: missing files and torn last lines are normal ---

    def exists(self) -> bool:
        """Whether a training of this name was ever started here."""
        return (self.path / "config.json").is_file()

    def config(self) -> TrainConfig:
        """The training as it was started; `LabError` when the run is missing or damaged."""
        try:
            return TrainConfig.from_json((self.path / "config.json").read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise LabError(f"There is no run called {self.name} in {self.path.parent}.", "run") from error

    def status(self) -> Status:
        """The trainer's last word, or `interrupted` when it says it is at work and its process is gone."""
        status = self.last_status()
        if status.active and not is_alive(status.pid, status.pid_started):
            status = dataclasses.replace(
                status, state="interrupted", message="The trainer is gone; resume goes on from its last save."
            )
        return status

    def last_status(self) -> Status:
        """What status.json says, whether or not its writer still lives."""
        try:
            plain = json.loads((self.path / "status.json").read_text(encoding="utf-8"))
            known = {f.name for f in dataclasses.fields(Status)}
            return Status(**{key: value for key, value in plain.items() if key in known})
        except (OSError, ValueError, TypeError, AttributeError):
            return Status("interrupted", message="This run has no readable status.")

    def metrics(self) -> list[dict[str, float | None]]:
        """The epochs so far, in order; a cell that was not measured is None."""
        return self.new_metrics(0)[0]

    def new_metrics(self, offset: int) -> tuple[list[dict[str, float | None]], int]:
        """Rows of metrics.csv from byte `offset`, and the offset to go on from."""
        lines, offset = self._whole_lines("metrics.csv", offset)
        return [row for row in map(_read_metrics, lines) if row is not None], offset

    def steps(self, offset: int = 0, limit: int = -1) -> tuple[list[dict[str, float]], int]:
        """Rows of steps.jsonl from byte `offset`, in at most `limit` bytes, and the offset to go on from."""
        lines, offset = self._whole_lines("steps.jsonl", offset, limit)
        try:
            rows = json.loads(b"[" + b",".join(lines) + b"]")  # five times as fast as line by line
        except ValueError:
            rows = map(_read_json, lines)
        return [row for row in rows if isinstance(row, dict) and "step" in row], offset

    def log_tail(self, lines: int = 12) -> str:
        """The last lines of train.log."""
        try:
            with (self.path / "train.log").open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 16_384))
                text = file.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def weights(self) -> list[Path]:
        """Its weights files: best, last, then epochs."""
        first = [self.path / "best.safetensors", self.path / "last.safetensors"]
        return [path for path in first if path.is_file()] + sorted(self.path.glob("epoch-*.safetensors"))

    # --- writing: by the trainer alone ---

    def create(self, config: TrainConfig) -> None:
        """Make the directory and write config.json; `LabError` when the name is taken or nothing can be written."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir()
            write_atomically(self.path / "config.json", config.to_json())
        except FileExistsError as error:
            message = f"There is a run called {self.name} already: resume it or choose another name."
            if not self.exists():
                message = f"{self.path} is there already and is no run: choose another name."
            raise LabError(message, "run") from error
        except OSError as error:
            with contextlib.suppress(OSError):
                self.path.rmdir()
            raise LabError(
                f"The run cannot be written to {self.path.parent} ({error.strerror}): choose another folder.",
                "checkpoints",
            ) from error

    def write_status(self, status: Status) -> None:
        """Replace status.json."""
        write_atomically(self.path / "status.json", json.dumps(dataclasses.asdict(status)) + "\n")

    def append_metrics(self, row: dict[str, float | None]) -> None:
        """Add an epoch to metrics.csv, with its header first."""
        path = self.path / "metrics.csv"
        fresh = not path.is_file() or path.stat().st_size == 0
        with path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(METRICS)
            writer.writerow(["" if row.get(name) is None else row[name] for name in METRICS])

    def append_steps(self, rows: Iterable[dict[str, float]]) -> None:
        """Add rows to steps.jsonl."""
        with (self.path / "steps.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)

    def rewind(self, epoch: int, step: int) -> None:
        """Drop what came after `epoch` finished epochs and `step` steps in all: a resumed run writes it again."""
        kept_steps = [row for row in self.steps()[0] if row["step"] <= step]
        write_atomically(self.path / "steps.jsonl", "".join(json.dumps(row) + "\n" for row in kept_steps))
        # The lines themselves are kept, not numbers read back and printed again.
        lines = self._whole_lines("metrics.csv")[0]
        kept = lines[:1] + [line for line in lines[1:] if (row := _read_metrics(line)) and row["Epoch"] < epoch]
        write_atomically(self.path / "metrics.csv", b"".join(line + b"\r\n" for line in kept))

    def _whole_lines(self, file: str, offset: int = 0, limit: int = -1) -> tuple[list[bytes], int]:
        """Lines of a file from `offset`, at most `limit` bytes, and where they end; a torn last one is left out."""
        try:
            with (self.path / file).open("rb") as opened:
                opened.seek(offset)
                data = opened.read(limit)
        except OSError:
            return [], offset
        whole = data[: data.rfind(b"\n") + 1]
        return whole.splitlines(), offset + len(whole)


def _read_metrics(line: bytes) -> dict[str, float | None] | None:
    """None for the header, and for what is no row."""
    try:
        cells = line.decode().split(",")
        row = {name: float(cell) if cell else None for name, cell in zip(METRICS, cells, strict=True)}
        return row if row["Epoch"] is not None else None
    except ValueError:
        return None


def _read_json(line: bytes) -> Any:
    """None where a line is damaged."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def list_runs(checkpoints: Path) -> list[Run]:
    """The runs under `checkpoints`, newest first. Foreign files and half-deleted directories are passed over."""
    found = []
    try:
        entries = list(os.scandir(checkpoints))
    except OSError:
        return []
    for entry in entries:
        try:
            run = Run(Path(checkpoints), entry.name)
            found.append(((run.path / "config.json").stat().st_mtime, run))
        except (LabError, OSError):
            continue
    return [run for _, run in sorted(found, key=lambda pair: (-pair[0], pair[1].name))]


def active_run(checkpoints: Path) -> tuple[Run, Status] | None:
    """The run that is being trained now, if any."""
    for run in list_runs(checkpoints):
        status = run.status()
        if status.active:
            return run, status
    return None


def now() -> float:
    """Seconds since 1970, for heartbeats."""
    return time.time()
