"""Who may write: one trainer at a time under a folder of runs, and nobody else into a run that is being trained."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from googlenet.errors import LabError
from googlenet.files import read_json
from googlenet.runs.listing import active_run
from googlenet.runs.status import ACTIVE


@contextlib.contextmanager
def trainer_lock(checkpoints: Path) -> Iterator[None]:
    """Hold `checkpoints` for one trainer. The system lets go of the lock when its holder dies, however it dies."""
    try:
        checkpoints.mkdir(parents=True, exist_ok=True)
        lock = FileLock(checkpoints / ".trainer.lock")
        lock.acquire(blocking=False)
    except Timeout as error:
        busy = active_run(checkpoints)
        name = f" ({busy[0].name})" if busy else ""
        raise LabError(
            f"A training is running already{name}: stop it, or wait until it has finished.", "run"
        ) from error
    except OSError as error:
        raise LabError(
            f"{checkpoints} cannot be written ({error.strerror}): choose another folder.", "checkpoints"
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def while_not_trained(checkpoints: Path | str, run: str) -> Iterator[None]:
    """Keep trainers out of `checkpoints` meanwhile; `LabError` when one is at work on `run`.

    A trainer holds `.trainer.lock` for all runs, so one that trains another run is let be.
    """
    checkpoints = Path(checkpoints)
    lock = FileLock(checkpoints / ".trainer.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        if read_json(checkpoints / run / "status.json", dict).get("state") in ACTIVE:
            raise LabError(f"{run} is being trained: stop it, or wait until it has finished.", "run") from error
    except OSError as error:
        raise LabError(f"{checkpoints} cannot be written ({error.strerror}): choose another folder.") from error
    try:
        yield
    finally:
        lock.release()
