"""Who may write: one trainer at a time on each device, and nobody else into a run that is being trained."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.runs.run import Run, active_runs

PATIENCE = 0.3  # seconds that one step on a run waits for another
CPU = "cpu"


class Busy(LabError):
    """Another training holds the device."""


@contextlib.contextmanager
def trainer_lock(
    checkpoints: Path | str, run: str = "", places: Sequence[str] = (CPU,), *, every: bool = False
) -> Iterator[str]:
    """Hold `run`, and the first of the `places` (devices) that is free or `every` one of them, for one trainer.

    Yields the place. Raises `Busy` while other trainers hold them, `LabError` while somebody changes the run or when
    nothing can be written there.
    """
    folder = Path(checkpoints)
    with contextlib.ExitStack() as stack:
        held = []
        for place in places:
            if (every or not held) and stack.enter_context(_lock(folder, PATIENCE, _name_of(place))):
                held.append(place)
        if not held or (every and len(held) < len(places)):
            raise Busy(busy_sentence(folder, places), "run")
        if run and not stack.enter_context(_lock(folder, PATIENCE, _run_lock(run))):
            sentence = tr("{run} is just being changed, or trained on another device: try again in a moment.", run=run)
            raise LabError(sentence, "run")
        yield held[0]


def is_free(checkpoints: Path | str, place: str) -> bool:
    """Whether no trainer holds the device `place` at this moment."""
    with _lock(Path(checkpoints), name=_name_of(place)) as held:
        return held


def busy_sentence(checkpoints: Path | str, places: Sequence[str] = (CPU,)) -> str:
    """Why a training cannot start on any of `places` now."""
    names = [run.name for run, status in active_runs(checkpoints) if status.place in ("", *places)]
    runs = ", ".join(names)
    if not places or CPU in places:
        if runs:
            return tr("A training is already running ({runs}): stop it, or wait until it has finished.", runs=runs)
        return tr("A training is already running: stop it, or wait until it has finished.")
    where = functools.reduce(lambda one, other: tr("{one} and {other}", one=one, other=other), places)
    if runs:
        return tr(
            "A training is already running on {places} ({runs}): stop it, or wait until it has finished.",
            places=where,
            runs=runs,
        )
    return tr("A training is already running on {places}: stop it, or wait until it has finished.", places=where)


def _being_trained(run: str) -> LabError:
    return LabError(tr("{run} is being trained: stop it, or wait until it has finished.", run=run), "run")


@contextlib.contextmanager
def while_not_trained(checkpoints: Path | str, run: str) -> Iterator[None]:
    """Keep trainers out of `run` meanwhile; `LabError` when one is at work on it."""
    with _lock(Path(checkpoints), name=_run_lock(run)) as held:
        if not held or Run(checkpoints, run).status().active:
            raise _being_trained(run)
        yield


@contextlib.contextmanager
def while_not_moved(checkpoints: Path | str, run: str) -> Iterator[None]:
    """As `while_not_trained`, for who takes the directory itself away.

    Where a trainer holds the run that does not say that it is trained, it is just starting or ending: refused.
    """
    name = Run(checkpoints, run).name  # no path
    with _lock(Path(checkpoints), PATIENCE, _run_lock(name)) as held:
        if Run(checkpoints, name).status().active:
            raise _being_trained(run)
        if not held:
            raise LabError(tr("A training is just starting or ending here: try again in a moment."), "run")
        yield


@contextlib.contextmanager
def while_promoting(run: Run) -> Iterator[None]:
    """Hold the run for one promotion at a time; `LabError` while another is at work on it, in whatever process."""
    run.config()  # says that there is none
    with _lock(run.path.parent, name=f".promotion-{run.name}.lock") as held:
        if not held:
            raise LabError(tr("Another promotion of {run} is at work: wait until it has ended.", run=run.name), "run")
        yield


@contextlib.contextmanager
def queue_lock(folder: Path, patience: float, name: str = ".lock") -> Iterator[bool]:
    """Hold the `folder` of a queue, or with another `name` its runner's place; whether it was free."""
    with _lock(folder, patience, name) as held:
        yield held


def _name_of(place: str) -> str:
    return ".trainer.lock" if place == CPU else f".trainer-{place.replace(':', '-')}.lock"


def _run_lock(run: str) -> str:
    return f".run-{run}.lock"


@contextlib.contextmanager
def _lock(folder: Path, patience: float = 0.0, name: str = ".trainer.lock") -> Iterator[bool]:
    """Whether the lock was free. The system lets go of it when its holder dies, however it dies."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / name)
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=patience, poll_interval=0.02)
    except OSError as error:
        sentence = tr(
            "{folder} cannot be written ({error}): choose another folder.", folder=folder, error=error.strerror
        )
        raise LabError(sentence, "checkpoints") from error
    try:
        yield lock.is_locked
    finally:
        lock.release()
