"""The one reader of the queue: it needs no lock, and what it cannot read costs a sentence, never another entry."""

from __future__ import annotations

import dataclasses
import functools
import os
from pathlib import Path

from googlenet.errors import LabError
from googlenet.files import parse_json, read_bytes
from googlenet.language import language, tr
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
        name = sorted(foreign)[0][:60]
        problem += " " + tr("{name!r} in {folder} is no entry of the queue: remove it.", name=name, folder=QUEUE)
    entries: list[Entry] = []
    names: set[str] = set()
    for known in ids:
        entry = _entry(Path(checkpoints), folder / known)
        if entry.name in names:
            taken = tr("Another entry is called {name} too: cancel one.", name=entry.name)
            entry = dataclasses.replace(entry, problem=taken)
        names.add(entry.name)
        entries.append(entry)
    return Queue(tuple(entries), PAUSED in items, problem.strip())


def find(queue: Queue, name: str) -> Entry:
    """The entry of that run name or id; `LabError` when none waits, as one that has just begun does not."""
    for entry in queue.entries:
        if name in (entry.id, entry.name):
            return entry
    waiting = ", ".join(entry.name for entry in queue.entries[:5]) or tr("nothing")
    sentence = tr("No {name!r} waits in the queue, where now is: {waiting}.", name=str(name)[:64], waiting=waiting)
    raise LabError(sentence, "run")


def _order(folder: Path) -> tuple[list[str], str]:
    data = read_bytes(folder / ORDER, limit=LARGEST_ORDER)
    plain = parse_json(data)
    if not data and not (folder / ORDER).exists():
        return [], ""
    if not isinstance(plain, list):
        return [], tr(
            "{file} of the queue cannot be read, so entries stand as they came: move one to write it anew.", file=ORDER
        )
    return [known for known in plain if isinstance(known, str) and ID.fullmatch(known)], ""


def _entry(checkpoints: Path, directory: Path) -> Entry:
    files = directory, directory / "config.json", directory / FACTS
    entry = _read(directory, language(), *(_version(path) for path in files))
    if entry.config and not entry.problem and os.path.lexists(checkpoints / entry.name):
        taken = tr("There is already a run called {name}: cancel this entry, or rename that run.", name=entry.name)
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
def _read(directory: Path, spoken: str, *versions: tuple[int, int, int]) -> Entry:
    """Read again only when a file has changed, for each language: pages ask every second."""
    try:
        config = read_config(directory)
    except LabError as error:
        said = tr("This entry cannot be read, and can only be cancelled: {error}", error=error)[:500]
        owner = "" if directory.is_symlink() else read_owner(directory)
        return Entry(directory.name, None, Facts(), owner, said)
    return Entry(directory.name, config, read_facts(directory), read_owner(directory))
