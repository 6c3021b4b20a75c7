"""The one reader of the queue: it needs no lock, and what it cannot read costs a sentence, never another entry."""

from __future__ import annotations

import dataclasses
import functools
import os
from pathlib import Path

from googlenet.errors import LabError
from googlenet.files import parse_json, read_bytes
from googlenet.runs.checkpoints import scan
from googlenet.runs.owner import read_owner
from googlenet.runs.queue.entry import (
    ADDING,
    FACTS,
    ID,
    ORDER,
    PAUSED,
    QUEUE,
    Entry,
    Facts,
    Queue,
    read_config,
    read_facts,
)

LARGEST_ORDER = 1_000_000  # bytes


def is_waiting(checkpoints: Path | str) -> bool:
    """Whether there may be an entry; a look that costs next to nothing."""
    return any(not item.name.startswith(".") and ID.fullmatch(item.name) for item in scan(Path(checkpoints) / QUEUE))


def read_queue(checkpoints: Path | str) -> Queue:
    """The queue as it is now, in order."""
    folder = Path(checkpoints) / QUEUE
    items = [item.name for item in scan(folder)]
    adding = {name.removeprefix(ADDING) for name in items if name.startswith(ADDING)}
    ids = sorted(name for name in items if (known := ID.fullmatch(name)) and known[1] not in adding)
    order, problem = _order(folder)
    place = {known: number for number, known in enumerate(order)}
    ids.sort(key=lambda known: (place.get(known, len(place)), known))
    foreign = [name for name in items if not (name.startswith(".") or name in (ORDER, PAUSED) or ID.fullmatch(name))]
    if foreign:
        problem += f" {sorted(foreign)[0][:60]!r} in {QUEUE} is no entry of the queue: remove it."
    entries: list[Entry] = []
    names: set[str] = set()
    for known in ids:
        entry = _entry(Path(checkpoints), folder / known)
        if entry.name in names:
            entry = dataclasses.replace(entry, problem=f"Another entry is called {entry.name} too: cancel one.")
        names.add(entry.name)
        entries.append(entry)
    return Queue(tuple(entries), PAUSED in items, problem.strip())


def find(queue: Queue, name: str) -> Entry:
    """The entry of that run name or id; `LabError` when none waits, as one that has just begun does not."""
    for entry in queue.entries:
        if name in (entry.id, entry.name):
            return entry
    waiting = ", ".join(entry.name for entry in queue.entries[:5]) or "nothing"
    raise LabError(f"No {str(name)[:64]!r} waits in the queue, where now is: {waiting}.", "run")


def _order(folder: Path) -> tuple[list[str], str]:
    data = read_bytes(folder / ORDER, limit=LARGEST_ORDER)
    plain = parse_json(data)
    if not data and not (folder / ORDER).exists():
        return [], ""
    if not isinstance(plain, list):
        return [], f"{ORDER} of the queue cannot be read, so entries stand as they came: move one to write it anew."
    return [known for known in plain if isinstance(known, str) and ID.fullmatch(known)], ""


def _entry(checkpoints: Path, directory: Path) -> Entry:
    entry = _read(directory, *(_version(path) for path in (directory, directory / "config.json", directory / FACTS)))
    if entry.config and not entry.problem and os.path.lexists(checkpoints / entry.name):
        taken = f"There is already a run called {entry.name}: cancel this entry, or rename that run."
        return dataclasses.replace(entry, problem=taken)
    return entry


def _version(path: Path) -> tuple[int, int, int]:
    """Another one whenever the file is."""
    try:
        facts = path.lstat()
    except OSError:
        return 0, 0, 0
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


@functools.lru_cache(maxsize=2048)
def _read(directory: Path, *versions: tuple[int, int, int]) -> Entry:
    """Read again only when a file has changed: pages ask every second."""
    try:
        config = read_config(directory)
    except LabError as error:
        said = f"This entry cannot be read, and can only be cancelled: {error}"[:500]
        owner = "" if directory.is_symlink() else read_owner(directory)
        return Entry(directory.name, None, Facts(), owner, said)
    return Entry(directory.name, config, read_facts(directory), read_owner(directory))
