"""What a trainer says: its status, lines in train.log, and in a terminal the same lines above a progress bar."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
import time
from typing import Any

from tqdm import tqdm

from googlenet.language import mark
from googlenet.runs import Run, Status, process_born, process_started
from googlenet.training.reporting.usage import Usage

STOPPING = mark("Stopping after this step")


class Reporter:
    """Speaks for the trainer of `run`; with `console` lines are printed too, with a tqdm bar for the epoch under way.

    Without a run it is silent, as all ranks but the first are. The status may be written from any thread.
    """

    def __init__(self, run: Run | None, *, console: bool = False) -> None:
        self.run, self.console = run, console
        self.bar: tqdm | None = None
        self.status = Status("queued")  # the newest
        self.usage = Usage()
        self._lock, self._stopping = threading.Lock(), False
        self._process = {
            "pid": os.getpid(),
            "pid_started": process_started(os.getpid()),
            "pid_born": process_born(os.getpid()),
        }
        if run is not None:
            known = run.last_status()
            self.status = known if known.epochs else Status("queued", epochs=run.config().epochs)

    def state(self, state: str, message: str = "", **changes: Any) -> None:
        """Replace status.json; a part that is not named stays as it was, except for the time left.

        Once `stopping` was called, a run at work is stopping.
        """
        with self._lock:
            if self._stopping and state in ("queued", "running"):
                state, message = "stopping", STOPPING
            self._replace(state=state, message=message, **{"seconds_left": None, **changes})

    def stopping(self) -> None:
        """Say at once that a stop was asked for; a run that has ended meanwhile stays as it is."""
        with self._lock:
            self._stopping = True
            if self.status.state in ("queued", "running"):
                with contextlib.suppress(OSError):  # the disk is full: the trainer will say so itself
                    self._replace(state="stopping", message=STOPPING, seconds_left=None)

    def _replace(self, **changes: Any) -> None:
        if self.run is not None:
            changes |= {"heartbeat": time.time(), "beat": time.monotonic(), **self.usage.now(), **self._process}
            self.status = dataclasses.replace(self.status, **changes)
            self.run.write_status(self.status)

    def line(self, text: str) -> None:
        """One line, with the time of day in front of it in the log."""
        if self.run is None:
            return
        with (self.run.path / "train.log").open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%H:%M:%S')} {text}\n")
        if self.console:
            tqdm.write(text)

    def step(self, epoch: int, step: int, steps: int) -> None:
        """Move the bar to `step` of `steps`."""
        if not self.console:
            return
        if self.bar is None:
            self.bar = tqdm(total=steps, desc=f"epoch {epoch}", unit="step", leave=False)
        self.bar.update(step - self.bar.n)

    def epoch(self, row: dict[str, float | None], epochs: int) -> None:
        """The line of a finished epoch."""
        self.close()
        parts = [
            f"epoch {row['Epoch']} of 0–{epochs - 1}",
            f"loss {row['Loss']:.4f}",
            f"accuracy {row['Accuracy']:.4f}",
        ]
        if row.get("Validation accuracy") is not None:
            parts += [f"validation loss {row['Validation loss']:.4f}, accuracy {row['Validation accuracy']:.4f}"]
        self.line(" · ".join([*parts, f"{row['Seconds']:.1f} s", f"{row['Images/s']:,.0f} images/s"]))

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None
