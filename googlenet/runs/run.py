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
from collections.abc import Iterable
from pathlib import Path

from googlenet.errors import LabError, check_run_name
from googlenet.files import write_atomically
from googlenet.recipes import TrainConfig
from googlenet.runs.checkpoints import Checkpoint, checkpoints_of
from googlenet.runs.metrics import METRICS, read_metrics, read_step
from googlenet.runs.status import Status, is_alive


class Run:
    """The directory of the run `name` under `checkpoints`; raises `LabError` when that is no run name."""

    def __init__(self, checkpoints: Path | str, name: str) -> None:
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
            raise LabError(
                f"There is no run called {self.name} in {self.path.parent}: choose one of its runs.", "run"
            ) from error

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
        return [row for row in map(read_metrics, lines) if row is not None], offset

    def steps(self, offset: int = 0, limit: int = -1) -> tuple[list[dict[str, float]], int]:
        """Rows of steps.jsonl from byte `offset`, in at most `limit` bytes, and the offset to go on from."""
        lines, offset = self._whole_lines("steps.jsonl", offset, limit)
        try:
            rows = json.loads(b"[" + b",".join(lines) + b"]")  # five times as fast as line by line
        except ValueError:
            rows = map(read_step, lines)
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

    def checkpoints(self) -> tuple[list[Checkpoint], dict[str, str]]:
        """Its checkpoints, epochs before last and best, and for other weights files by name what is wrong with them.

        Raises `LabError` when there is no checkpoint.
        """
        found, wrong = checkpoints_of(self.path)
        if not found:
            what = next(iter(wrong.values()), f"{self.name} has no checkpoint yet: let it train for an epoch.")
            raise LabError(what, "run")
        return sorted(found, key=lambda item: (item.path.stem in ("best", "last"), item.name)), wrong

    def find(self, name: str) -> Checkpoint:
        """Its checkpoint `name`, with the run before it or not; `LabError` when it has none of that name."""
        found = {item.name: item for item in self.checkpoints()[0]}
        full = name if "/" in name else f"{self.name}/{name}"
        if full not in found:
            raise LabError(
                f"{self.name} has no checkpoint {name[:80]!r}: choose one of {', '.join(found)}.", "checkpoint"
            )
        return found[full]

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
        kept = lines[:1] + [line for line in lines[1:] if (row := read_metrics(line)) and row["Epoch"] < epoch]
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
