"""What a trainer says of its run, and whether that trainer still lives."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil

from googlenet.errors import LabError

ACTIVE = ("queued", "running", "stopping")
RESUMABLE = ("stopped", "interrupted", "failed", "out_of_memory")
STATES = (*ACTIVE, *RESUMABLE, "finished", "diverged")


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


def now() -> float:
    """Seconds since 1970, for heartbeats."""
    return time.time()
