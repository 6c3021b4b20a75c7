"""What is done to the queue. Each of these happened or did not, whenever its process is killed; one at a time."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import secrets
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from googlenet.errors import LabError, check_choice
from googlenet.files import clear_unfinished, write_atomically
from googlenet.language import mark, tr
from googlenet.recipes import TrainConfig
from googlenet.runs.lock import queue_lock
from googlenet.runs.owner import OWNER
from googlenet.runs.queue.entry import ADDING, FACTS, GONE, ORDER, PAUSED, QUEUE, Entry, Facts
from googlenet.runs.queue.reading import find, read_queue
from googlenet.runs.run import Run
from googlenet.runs.status import Status

MOST = 500  # entries
MOVES = ("up", "down", "first")
PATIENCE = 15.0  # seconds that one operation waits for others
NOT_BEGUN = mark("Its trainer ended before it began; resume starts it.")


@contextmanager
def _changing(checkpoints: Path | str) -> Iterator[Path]:
    """The queue's folder for one operation at a time, rid of what killed ones have left; `LabError` when refused."""
    folder = Path(checkpoints) / QUEUE
    with queue_lock(folder, PATIENCE) as held:
        if not held:
            raise LabError(tr("The queue is being changed by somebody else: try again in a moment."), "run")
        try:
            clear_unfinished(folder)
            _finish(folder)
            yield folder
        except OSError as error:
            sentence = tr("The queue cannot be changed ({why}): it is as it was.", why=error.strerror)
            raise LabError(sentence, "run") from error


def _finish(folder: Path) -> None:
    for left in folder.glob(f"{GONE}*"):
        _erase(left)
    for marker in folder.glob(f"{ADDING}*"):
        for entry in folder.glob(f"*-{marker.name.removeprefix(ADDING)}-*"):
            if not entry.name.startswith("."):
                _erase(entry)
        marker.unlink(missing_ok=True)


def _erase(path: Path) -> None:
    """As far as the disk lets it; of a link not what it leads to."""
    if path.is_symlink() or not path.is_dir():
        with contextlib.suppress(OSError):
            path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def add(
    checkpoints: Path | str,
    configs: Sequence[TrainConfig],
    *,
    by: str = "",
    group: str = "",
    owner: str = "",
    seconds: Sequence[float | None] = (),
) -> list[Entry]:
    """Put trainings at the queue's end, all of them or none; returns their entries.

    Raises `LabError` when one's name is taken, by a run or in the queue, or the queue is full.
    """
    with _changing(checkpoints) as folder:
        before = read_queue(checkpoints)
        if len(before.entries) + len(configs) > MOST:
            sentence = tr(
                "{n} trainings wait, and {most} are the most: cancel some first.", n=len(before.entries), most=MOST
            )
            raise LabError(sentence, "run")
        taken = {entry.name for entry in before.entries}
        for config in configs:
            if config.run in taken:
                sentence = tr("A training called {name} waits in the queue: choose another name.", name=config.run)
                raise LabError(sentence, "run")
            if os.path.lexists(Run(checkpoints, config.run).path):
                sentence = tr("There is already a run called {name}: choose another name.", name=config.run)
                raise LabError(sentence, "run")
            taken.add(config.run)
        batch, now = secrets.token_hex(4), time.time()
        # Later than every other, whatever the clock was set to since.
        last = max((int(entry.id[:13]) for entry in before.entries), default=0)
        moment = min(max(int(now * 1000), last + 1), 10**13 - 1)
        marker = folder / f"{ADDING}{batch}"
        marker.touch()
        added = []
        try:
            for number, config in enumerate(configs):
                entry = Entry(f"{moment:013d}-{batch}-{number:03d}", config, Facts(now, by, group), owner)
                if seconds and seconds[number] is not None:
                    entry = dataclasses.replace(entry, facts=Facts(now, by, group, seconds[number]))
                _write(folder / entry.id, entry)
                added.append(entry)
        except OSError:
            with contextlib.suppress(OSError):
                _finish(folder)
            raise
        marker.unlink()
        return added


def _write(directory: Path, entry: Entry) -> None:
    assert entry.config
    directory.mkdir()
    write_atomically(directory / "config.json", entry.config.to_json())
    write_atomically(directory / FACTS, json.dumps(dataclasses.asdict(entry.facts)) + "\n")
    waits = Status("interrupted", epochs=entry.config.epochs, message=NOT_BEGUN)
    write_atomically(directory / "status.json", waits.to_json())
    if entry.owner:
        write_atomically(directory / OWNER, entry.owner + "\n")


def cancel(checkpoints: Path | str, name: str) -> Entry:
    """Take the entry of that run name or id out of the queue; `LabError` when it does not wait (any more)."""
    with _changing(checkpoints) as folder:
        entry = find(read_queue(checkpoints), name)
        gone = folder / f"{GONE}{entry.id}"
        (folder / entry.id).rename(gone)
        _erase(gone)
        return entry


def move(checkpoints: Path | str, name: str, where: str, among: Collection[str] | None = None) -> Entry:
    """Move an entry "up", "down" or "first", past those with ids `among` alone (all by default): no other moves."""
    check_choice(where, "move", MOVES)
    with _changing(checkpoints) as folder:
        queue = read_queue(checkpoints)
        entry = find(queue, name)
        ids = [other.id for other in queue.entries]
        places = [number for number, known in enumerate(ids) if among is None or known in among or known == entry.id]
        some = [ids[number] for number in places]
        at = some.index(entry.id)
        to = {"up": max(0, at - 1), "down": min(len(some) - 1, at + 1), "first": 0}[where]
        some.insert(to, some.pop(at))
        for number, known in zip(places, some, strict=True):
            ids[number] = known
        write_atomically(folder / ORDER, json.dumps(ids) + "\n")
        return entry


def pause(checkpoints: Path | str, paused: bool) -> None:
    """Let nothing begin any more, or go on; what trains goes on training."""
    if not paused and not (Path(checkpoints) / QUEUE).exists():
        return
    with _changing(checkpoints) as folder:
        if paused:
            (folder / PAUSED).touch()
        else:
            (folder / PAUSED).unlink(missing_ok=True)


def take(checkpoints: Path | str, known: str) -> Run:
    """Make the entry with the id `known` a run, for a trainer that holds its device and its name.

    Raises `LabError` when it does not wait any more, the queue is paused, or the name is taken.
    """
    with _changing(checkpoints) as folder:
        queue = read_queue(checkpoints)
        entry = find(queue, known)
        if queue.paused:
            raise LabError(tr("The queue is paused: let it go on first."), "run")
        if entry.problem or not entry.config:
            raise LabError(entry.problem, "run")
        run = Run(checkpoints, entry.name)
        os.utime(folder / entry.id / "config.json")  # runs are listed by when they began
        (folder / entry.id).rename(run.path)
        return run
