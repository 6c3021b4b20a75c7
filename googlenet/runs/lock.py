"""Who may write: one trainer at a time under a folder of runs, and nobody else into a run that is being trained."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from googlenet.errors import LabError
from googlenet.runs.run import Run, active_run

PATIENCE = 0.3  # seconds that one step on a run waits for another


@contextlib.contextmanager
def trainer_lock(checkpoints: Path) -> Iterator[None]:
    """Hold `checkpoints` for one trainer; `LabError` while another holds it, or when nothing can be written there."""
    with _lock(checkpoints) as held:
        if not held:
            busy = active_run(checkpoints)
            name = f" ({busy[0].name})" if busy else ""
            raise LabError(f"A training is already running{name}: stop it, or wait until it has finished.", "run")
        yield


@contextlib.contextmanager
def while_not_trained(checkpoints: Path | str, run: str) -> Iterator[None]:
    """Keep trainers out of `checkpoints` meanwhile; `LabError` when one is at work on `run`.

    A trainer holds the lock for all runs, so one that trains another run is let be.
    """
    with _lock(Path(checkpoints)) as held:
        if not held and Run(checkpoints, run).status().active:
            raise LabError(f"{run} is being trained: stop it, or wait until it has finished.", "run")
        yield


@contextlib.contextmanager
def while_not_moved(checkpoints: Path | str, run: str) -> Iterator[None]:
    """As `while_not_trained`, for who takes the directory itself away; one of these at a time.

    Where a trainer holds the lock and no run says that it is trained, one is just starting, maybe on `run`: refused.
    """
    with _lock(Path(checkpoints), PATIENCE) as held:
        busy = None if held else active_run(checkpoints)
        if busy and busy[0].name == run:
            raise LabError(f"{run} is being trained: stop it, or wait until it has finished.", "run")
        if not held and not busy:
            raise LabError("A training is just starting or ending here: try again in a moment.", "run")
        yield


@contextlib.contextmanager
def while_promoting(run: Run) -> Iterator[None]:
    """Hold the run for one promotion at a time; `LabError` while another is at work on it, in whatever process."""
    run.config()  # says that there is none
    with _lock(run.path.parent, name=f".promotion-{run.name}.lock") as held:
        if not held:
            raise LabError(f"Another promotion of {run.name} is at work: wait until it has ended.", "run")
        yield


@contextlib.contextmanager
def _lock(folder: Path, patience: float = 0.0, name: str = ".trainer.lock") -> Iterator[bool]:
    """Whether the lock was free. The system lets go of it when its holder dies, however it dies."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / name)
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=patience, poll_interval=0.02)
    except OSError as error:
        raise LabError(
            f"{folder} cannot be written ({error.strerror}): choose another folder.", "checkpoints"
        ) from error
    try:
        yield lock.is_locked
    finally:
        lock.release()
