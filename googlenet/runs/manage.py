"""What a person does to a run that nobody trains: rename it, note something, delete it with a way back, prune it.

A rename, a deletion and its undoing are one rename of a directory each, a note is one replaced file, a prune is one
new file with the names of those that are gone from then on: whatever kills them, each has happened or has not. No
trainer can start meanwhile (lock.py).
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from googlenet.errors import RUN_NAME, LabError
from googlenet.files import read_bytes, write_atomically
from googlenet.language import tr
from googlenet.runs.checkpoints import PRUNED, SUFFIX, pruned, scan
from googlenet.runs.lock import while_not_moved
from googlenet.runs.run import Run
from googlenet.runs.status import state_words
from googlenet.runs.steering.taken import RESUME_FILES

TRASH = ".trash"  # no run's name, so that neither runs nor checkpoints are looked for in it
EMPTIED = ".emptied-"  # what is being erased: no way back, but a kill may leave some of it
NOTE = "note.txt"
LONGEST_NOTE = 500  # characters


@dataclass(frozen=True)
class Deleted:
    """A run in the trash: its `name`, the directory it is in now, when it was put there, in seconds since 1970."""

    name: str
    path: Path
    when: float


def read_note(run: Run) -> str:
    """What a person wrote about `run`; empty when nothing was."""
    text = read_bytes(run.path / NOTE, limit=4 * LONGEST_NOTE).decode(errors="replace")
    return " ".join(text.split())[:LONGEST_NOTE]


def write_note(checkpoints: Path | str, name: str, text: str) -> None:
    """Replace the note on the run; an empty `text` removes it. Raises `LabError` for one that is too long."""
    text = " ".join(str(text or "").split())
    if len(text) > LONGEST_NOTE:
        sentence = tr("A note has up to {most} characters, not {n:,}: shorten it.", most=LONGEST_NOTE, n=len(text))
        raise LabError(sentence, "note")
    with _steering(checkpoints, name) as run:
        if text:
            write_atomically(run.path / NOTE, text + "\n")
        else:
            (run.path / NOTE).unlink(missing_ok=True)


def rename(checkpoints: Path | str, name: str, to: str) -> Run:
    """Give the run another name; `LabError` when that is taken or none. Returns the run under its new name."""
    other = Run(checkpoints, to)
    with _steering(checkpoints, name) as run:
        _move(run.path, other.path, to)
    return other


def delete(checkpoints: Path | str, name: str) -> Deleted:
    """Move the run into the trash; `undelete` brings it back."""
    with _steering(checkpoints, name) as run:
        now = time.time_ns()
        gone = Deleted(name, Path(checkpoints) / TRASH / f"{now}-{name}", now / 1e9)
        gone.path.parent.mkdir(exist_ok=True)
        _move(run.path, gone.path, name)
    return gone


def undelete(checkpoints: Path | str, name: str = "") -> Run:
    """Bring back the run deleted last, or the last one called `name`; `LabError` when there is none or it is taken."""
    found = next((gone for gone in list_deleted(checkpoints) if name in ("", gone.name)), None)
    if found is None:
        sentence = tr("There is no run in the trash: nothing can be brought back.")
        if name:
            sentence = tr(
                "There is no run called {run!r} in the trash: nothing can be brought back.", run=str(name)[:80]
            )
        raise LabError(sentence, "run")
    run = Run(checkpoints, found.name)
    with while_not_moved(checkpoints, run.name):
        _move(found.path, run.path, run.name)
    return run


def list_deleted(checkpoints: Path | str) -> list[Deleted]:
    """What is in the trash, the run deleted last first."""
    found = []
    for entry in scan(Path(checkpoints) / TRASH):
        when, _, name = entry.name.partition("-")
        if when.isascii() and when.isdigit() and len(when) < 25 and RUN_NAME.fullmatch(name):
            found.append(Deleted(name, Path(entry.path), int(when) / 1e9))
    return sorted(found, key=lambda gone: gone.when, reverse=True)


def trash_size(checkpoints: Path | str) -> int:
    """Bytes that emptying the trash frees."""
    return disk_size(Path(checkpoints) / TRASH)


def empty_trash(checkpoints: Path | str) -> int:
    """Erase what is in the trash, for good; returns the bytes freed.

    A run is first renamed to what `undelete` does not find: one that a kill left half erased does not come back, and
    the next emptying erases the rest.
    """
    trash, before = Path(checkpoints) / TRASH, trash_size(checkpoints)
    try:
        for gone in list_deleted(checkpoints):
            gone.path.rename(trash / f"{EMPTIED}{gone.path.name}")
        for entry in scan(trash):
            if entry.name.startswith(EMPTIED):
                if entry.is_symlink():
                    Path(entry.path).unlink()
                else:
                    shutil.rmtree(entry.path)
    except OSError as error:
        sentence = tr("The trash could not be emptied ({error}): try again.", error=error.strerror)
        raise LabError(sentence, "run") from error
    return before - trash_size(checkpoints)


def prunable(run: Run, *, resume: bool = False) -> list[Path]:
    """The files that `prune` would erase; with `resume`, those that only a resume needs too.

    Raises `LabError` when the run has neither best nor last weights, or could still be resumed.
    """
    if not any((run.path / f"{kept}.safetensors").is_file() for kept in ("best", "last")):
        sentence = tr("{run} has neither best nor last weights, so all its checkpoints are kept.", run=run.name)
        raise LabError(sentence, "run")
    files = [path for path in run.weights() if path.stem not in ("best", "last")]
    if resume:
        if (state := run.status().state) != "finished":
            sentence = tr(
                "{run} is {state}: what a resume needs goes from finished runs only.",
                run=run.name,
                state=state_words(state),
            )
            raise LabError(sentence, "resume")
        files += [path for name in RESUME_FILES if (path := run.path / name).is_file() and name not in pruned(run.path)]
    return files


def prune(checkpoints: Path | str, name: str, *, resume: bool = False) -> int:
    """Erase the run's checkpoints but best and last; returns the bytes freed.

    With `resume` also what a finished run keeps for a resume. What a kill leaves of them is read by nobody, and erased
    by the next prune or training of the run.
    """
    with _steering(checkpoints, name) as run:
        before = disk_size(run.path)
        files = prunable(run, resume=resume)
        finish_prune(run.path)
        if files:
            write_atomically(run.path / PRUNED, json.dumps([path.name for path in files]))
            finish_prune(run.path)
        return before - disk_size(run.path)


def finish_prune(run: Path) -> None:
    """Erase what a prune has given up in the directory of a run that nobody trains; raises `OSError`.

    The list of names may be anybody's: nothing but kept weights and what a resume needs is erased.
    """
    gone = pruned(run)
    for path in run.iterdir() if gone else ():
        kept = path.suffix == SUFFIX and path.stem not in ("best", "last")
        if path.name in gone and (kept or path.name in RESUME_FILES) and not path.is_dir():
            path.unlink(missing_ok=True)
    if (run / PRUNED).is_file():
        (run / PRUNED).unlink()


def disk_size(folder: Path) -> int:
    """Bytes of all files under `folder`; links are not followed."""
    total = 0
    for entry in scan(folder):
        try:
            inside = entry.is_dir(follow_symlinks=False)
            total += disk_size(Path(entry.path)) if inside else entry.stat(follow_symlinks=False).st_size
        except OSError:  # it has just gone
            continue
    return total


@contextmanager
def _steering(checkpoints: Path | str, name: str) -> Iterator[Run]:
    """The run while no trainer can be at work on it; `LabError` when there is none, or the disk refuses."""
    run = Run(checkpoints, name)
    with while_not_moved(checkpoints, name):
        if not run.exists():
            raise LabError(tr("There is no run called {run}: choose one from the table.", run=name), "run")
        try:
            yield run
        except OSError as error:
            sentence = tr("{run} cannot be changed ({error}): it is as it was.", run=name, error=error.strerror)
            raise LabError(sentence, "run") from error


def _move(source: Path, target: Path, name: str) -> None:
    if os.path.lexists(target):  # rename would replace an empty directory
        sentence = tr("There is already something called {name}: choose another name, or rename that first.", name=name)
        raise LabError(sentence, "run")
    try:
        source.rename(target)
    except OSError as error:
        sentence = tr("{name} cannot be moved ({error}): it is as it was.", name=source.name, error=error.strerror)
        raise LabError(sentence, "run") from error
