"""A run is a directory. The trainer writes it; everyone else reads it, at any time, whatever happened to the trainer.

    checkpoints/<run>/
      config.json           the TrainConfig, written once
      status.json           what the trainer is doing, replaced atomically
      metrics.csv           a row an epoch; `Epoch,Accuracy,Loss` as in the class note, then validation, rate, speed
      steps.jsonl           a row every few steps
      metrics-unreadable.csv, steps-unreadable.jsonl        what a resume could not read of them
      samples.json          a few images held out, always the same; answers.jsonl has a row of answers an epoch
      train.log             what the trainer printed
      curves.png            loss above accuracy, redrawn at the end
      epoch-0299.safetensors, best.safetensors, last.safetensors; step-001200.safetensors, kept on request
      commands.jsonl        what was asked of a training, written by whoever asks (steering/commands.py)
      steering.jsonl        at which step each of these took effect, or why it was refused (steering/taken.py)
      resume.pt, resume-previous.pt
      note.txt              what a person wrote about it (manage.py)
      owner.txt             whose it is, where a page tells its visitors apart (owner.py)
      origin.json           in place of config.json: its metrics came as a file from elsewhere (exchange/metrics.py)
      queued.json           when and for which group it was put into the queue, if it was (queue/entry.py)

A deleted run is checkpoints/.trash/<time>-<run>, until the trash is emptied.

Nothing here needs torch.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

from googlenet.errors import LabError, check_run_name
from googlenet.files import read_bytes, write_atomically
from googlenet.language import tr
from googlenet.recipes import TrainConfig
from googlenet.runs.checkpoints import Checkpoint, checkpoints_of, pruned, scan
from googlenet.runs.metrics import MetricsHistory, Row, StepsHistory
from googlenet.runs.samples import ANSWERS, AnswersHistory
from googlenet.runs.status import Status, is_alive, read_status

ORIGIN = "origin.json"


class Run:
    """The directory of the run `name` under `checkpoints`; raises `LabError` when that is no run name."""

    def __init__(self, checkpoints: Path | str, name: str) -> None:
        self.name = check_run_name(name)
        self.path = Path(checkpoints) / name

    # --- reading: missing files and torn last lines are normal ---

    def exists(self) -> bool:
        """Whether a training of this name was ever started here."""
        return (self.path / "config.json").is_file() or self.was_brought()

    def was_brought(self) -> bool:
        """Whether it is a table of metrics from elsewhere: nothing here was trained, nothing can go on."""
        return (self.path / ORIGIN).is_file() and not (self.path / "config.json").is_file()

    def config(self) -> TrainConfig:
        """The training as it was started; `LabError` when the run is missing or damaged."""
        if not self.exists():
            sentence = tr(
                "There is no run called {run} in {folder}: choose one of its runs.",
                run=self.name,
                folder=self.path.parent,
            )
            raise LabError(sentence, "run")
        if self.was_brought():
            sentence = tr("{run} came as a table of metrics: how it was trained is not known here.", run=self.name)
            raise LabError(sentence, "run")
        try:
            config = TrainConfig.from_json(read_bytes(self.path / "config.json", limit=1_000_000).decode())
            return dataclasses.replace(config, run=self.name)  # the directory may have been renamed
        except ValueError as error:  # a LabError or a UnicodeDecodeError
            sentence = tr("The config.json of {run} is damaged: {error}", run=self.name, error=error)
            raise LabError(sentence[:500], "run") from error

    def status(self) -> Status:
        """The trainer's last word, or `interrupted` when it says it is at work and its process is gone."""
        status = self.last_status()
        if status.active and not is_alive(status.pid, status.pid_started, status.pid_born):
            gone = tr("The trainer ended unexpectedly; resume continues from its last save.")
            return dataclasses.replace(status, state="interrupted", message=gone)
        return status

    def last_status(self) -> Status:
        """What status.json says, whether or not its writer still lives."""
        return read_status(self.path / "status.json")

    def metrics(self) -> list[Row]:
        """The epochs so far, in order; a cell that was not measured is None."""
        return self.metrics_history().read_on()

    def steps(self) -> list[Row]:
        """The rows of steps.jsonl so far."""
        return self.steps_history().read_on()

    def metrics_history(self) -> MetricsHistory:
        """To read metrics.csv on as it grows."""
        return MetricsHistory(self.path / "metrics.csv")

    def steps_history(self) -> StepsHistory:
        """To read steps.jsonl on as it grows."""
        return StepsHistory(self.path / "steps.jsonl")

    def answers_history(self) -> AnswersHistory:
        """To read on, as it grows, what was answered to its samples."""
        return AnswersHistory(self.path / ANSWERS)

    def problem(self) -> str:
        """What of its files cannot be read, in a sentence; empty for a run in order."""
        try:
            if not self.was_brought():
                self.config()
        except LabError as error:
            return str(error)
        histories = self.metrics_history(), self.steps_history()
        for history in histories:
            history.read_on()
        return self.last_status().problem or histories[0].problem or histories[1].problem

    def log_tail(self, lines: int = 12) -> str:
        """The last lines of train.log."""
        text = read_bytes(self.path / "train.log", -16_384)
        return "\n".join(text.decode(errors="replace").splitlines()[-lines:])

    def checkpoints(self) -> tuple[list[Checkpoint], dict[str, str]]:
        """Its checkpoints, epochs before last and best, and for other weights files by name what is wrong with them.

        Raises `LabError` when there is no checkpoint.
        """
        found, wrong = checkpoints_of(self.path)
        if not found:
            none = tr("{run} has no checkpoint yet: let it train for an epoch.", run=self.name)
            raise LabError(next(iter(wrong.values()), none), "run")
        return sorted(found, key=lambda item: (item.path.stem in ("best", "last"), item.name)), wrong

    def find(self, name: str) -> Checkpoint:
        """Its checkpoint `name`, with the run before it or not; `LabError` when it has none of that name."""
        found = {item.name: item for item in self.checkpoints()[0]}
        full = name if "/" in name else f"{self.name}/{name}"
        if full not in found:
            sentence = tr(
                "{run} has no checkpoint {name!r}: choose one of {names}.",
                run=self.name,
                name=name[:80],
                names=", ".join(found),
            )
            raise LabError(sentence, "checkpoint")
        return found[full]

    def weights(self) -> list[Path]:
        """Its weights files: best, last, then epochs, then those kept on request."""
        first = [self.path / "best.safetensors", self.path / "last.safetensors"]
        kept = [path for kind in ("epoch", "step") for path in sorted(self.path.glob(f"{kind}-*.safetensors"))]
        gone = pruned(self.path)
        return [path for path in first if path.is_file()] + [path for path in kept if path.name not in gone]

    # --- writing: by the trainer alone ---

    def create(self, config: TrainConfig) -> None:
        """Make the directory and write config.json; `LabError` when the name is taken or nothing can be written."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir()
            write_atomically(self.path / "config.json", config.to_json())
        except FileExistsError as error:
            message = tr("There is already a run called {run}: resume it or choose another name.", run=self.name)
            if not self.exists():
                message = tr("{path} already exists and is not a run: choose another name.", path=self.path)
            raise LabError(message, "run") from error
        except OSError as error:
            with contextlib.suppress(OSError):
                self.path.rmdir()
            sentence = tr(
                "The run cannot be written to {folder} ({error}): choose another folder.",
                folder=self.path.parent,
                error=error.strerror,
            )
            raise LabError(sentence, "checkpoints") from error

    def write_status(self, status: Status) -> None:
        """Replace status.json."""
        write_atomically(self.path / "status.json", status.to_json())

    def append_metrics(self, row: Mapping[str, float | None]) -> None:
        """Add an epoch to metrics.csv."""
        self.metrics_history().append(row)

    def append_steps(self, rows: Iterable[Mapping[str, float]]) -> None:
        """Add rows to steps.jsonl."""
        self.steps_history().append(rows)

    def rewind(self, epoch: int, step: int) -> str:
        """Drop what came after `epoch` finished epochs and `step` steps in all: a resumed run writes it again.

        Returns what was moved aside because it cannot be read, in a sentence or two; empty when nothing was.
        """
        moved = self.metrics_history().rewind(lambda row: row["Epoch"] < epoch)
        moved += f" {self.steps_history().rewind(lambda row: row['step'] <= step)}"
        return f"{moved} {self.answers_history().rewind(lambda row: row['epoch'] < epoch)}".strip()


def list_runs(checkpoints: Path | str) -> list[Run]:
    """The runs under `checkpoints`, newest first. Foreign files and half-deleted directories are passed over."""
    found = []
    for entry in scan(Path(checkpoints)):
        with contextlib.suppress(LabError, OSError):
            run = Run(checkpoints, entry.name)
            made = run.path / (ORIGIN if run.was_brought() else "config.json")
            found.append((-made.stat().st_mtime, run.name, run))
    return [run for _, _, run in sorted(found)]


def active_run(checkpoints: Path | str) -> tuple[Run, Status] | None:
    """The run that is being trained now, the newest where each device has one; None where there is none."""
    return next(iter(active_runs(checkpoints)), None)


def active_runs(checkpoints: Path | str) -> list[tuple[Run, Status]]:
    """All that are being trained now, newest first: at most one on each device."""
    looked_at = ((run, run.status()) for run in list_runs(checkpoints))
    return [pair for pair in looked_at if pair[1].active]
