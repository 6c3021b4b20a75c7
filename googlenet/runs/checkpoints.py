"""Which weights files there are, told from their headers alone."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet.errors import RUN_NAME, LabError, is_number
from googlenet.files import read_json
from googlenet.language import mark, tr

if TYPE_CHECKING:  # it imports torch, which a page that only lists does not wait for
    from googlenet.models.weights import WeightsInfo

SUFFIX = ".safetensors"
# The network that comes with the lab: it is listed whichever folder the runs are in.
SHIPPED = Path(__file__).resolve().parents[2] / "checkpoints" / f"googlenet-cifar10{SUFFIX}"
# Names of the files that a prune gives up: gone for every reader from the moment it is there, and erased thereafter.
PRUNED = ".pruned.json"
LARGEST = 1e15  # of a fact that is shown
# A weights file's accuracies, the most telling first: its key in the facts, and its name for people.
ACCURACIES = {
    "test_accuracy": mark("test"),
    "validation_accuracy": mark("validation"),
    "train_accuracy": mark("training"),
    "quoted_accuracy": mark("quoted"),  # what the publisher of foreign weights says
}


@dataclass(frozen=True)
class Checkpoint:
    """One weights file. `name` is its identity for people and programs: "googlenet-cifar10" or "my-run/best"."""

    name: str
    path: Path
    info: WeightsInfo

    @property
    def synthetic(self) -> bool:
        """Whether it learned drawn shapes, so that photographs mean nothing to it."""
        return bool(self.info.facts.get("synthetic"))

    @property
    def epoch(self) -> int | None:
        """The epoch after which it was kept, from 0."""
        return None if (epoch := self.number("epoch")) is None else int(epoch)

    @property
    def accuracy(self) -> tuple[float, str] | None:
        """Its most telling accuracy, in [0, 1], and on what: test, validation or training images, or "quoted"."""
        found = ((self.number(key), on) for key, on in ACCURACIES.items())
        return next(((value, on) for value, on in found if value is not None), None)

    @property
    def label(self) -> str:
        """One line for a list: "my-run/best, epoch 7, 87.3% validation, synthetic shapes"."""
        parts = [self.name]
        if self.epoch is not None and self.name.endswith(("/best", "/last")):  # other names say it, or need not
            parts.append(tr("epoch {n}", n=self.epoch))
        if self.accuracy:
            accuracy, on = self.accuracy
            parts.append(tr("{accuracy:.1%} {on}", accuracy=accuracy, on=tr(on)))
        return ", ".join(parts + [tr("synthetic shapes")] * self.synthetic)

    def number(self, key: str) -> float | None:
        """The fact `key` when it is a number that can be shown: files come from anywhere."""
        value = self.info.facts.get(key)
        return value if is_number(value, -LARGEST, LARGEST) else None


def list_checkpoints(checkpoints: Path | str) -> list[Checkpoint]:
    """The shipped network and the weights files under `checkpoints`: single ones by name, then the latest run's first.

    Of a run: best, last, then epochs. A file of the shipped one's name is listed in its place. Foreign, half-written
    and unreadable files are passed over, and a missing folder is an empty one.
    """
    folder = Path(checkpoints)
    alone = _read((path.stem, path) for path in _weights_in(folder))[0]
    if SHIPPED.stem not in {checkpoint.name for checkpoint in alone}:
        alone += _read([(SHIPPED.stem, SHIPPED)])[0]
    entries = [entry for entry in scan(folder) if RUN_NAME.fullmatch(entry.name) and entry.is_dir()]
    runs = [found for entry in entries if (found := checkpoints_of(Path(entry.path))[0])]
    runs.sort(key=lambda found: (-max(_modified(item.path) for item in found), found[0].name))
    return sorted(alone, key=lambda item: item.name) + [item for found in runs for item in found]


def checkpoints_of(run: Path) -> tuple[list[Checkpoint], dict[str, str]]:
    """Those in the directory of a run, best and last first; and for its other weights files, by name, what is wrong."""
    order = {"best": 0, "last": 1}
    paths = sorted(_weights_in(run), key=lambda path: (order.get(path.stem, 2), path.stem))
    return _read((f"{run.name}/{path.stem}", path) for path in paths)


def find_checkpoint(checkpoints: Path | str, name: str = "") -> Checkpoint:
    """The checkpoint called `name`, or the first of the list; `LabError` when it is not there.

    A name is looked up in the list and never made into a path.
    """
    listed = list_checkpoints(checkpoints)
    if not listed:
        raise LabError(
            tr("There is no trained network yet: train one, or put a weights file into the checkpoints folder.")
        )
    if not name:
        return listed[0]
    for checkpoint in listed:
        if checkpoint.name == name:
            return checkpoint
    raise LabError(tr("There is no checkpoint {name!r}: choose one from the list.", name=str(name)[:80]), "checkpoint")


def _read(files: Iterable[tuple[str, Path]]) -> tuple[list[Checkpoint], dict[str, str]]:
    """The checkpoints among `files`, and by name what is wrong with the others."""
    found, wrong = [], {}
    for name, path in files:
        try:
            status = path.stat()
            found.append(Checkpoint(name, path, _read_header(path, status.st_mtime_ns, status.st_size)))
        except (LabError, OSError) as error:
            wrong[name] = str(error)
    return found, wrong


def _weights_in(folder: Path) -> list[Path]:
    """Files that look like weights by name; hidden ones are being written. A pipe would be waited for.

    A name that cannot be written as text could not be chosen either, and no page could be sent with it.
    """
    inside = scan(folder)
    gone = pruned(folder) if any(e.name == PRUNED for e in inside) else ()
    entries = [e for e in inside if e.name.endswith(SUFFIX) and not e.name.startswith(".") and e.name not in gone]
    return [folder / e.name for e in sorted(entries, key=lambda e: e.name) if e.name.isprintable() and e.is_file()]


def pruned(run: Path) -> frozenset[str]:
    """Names of the files in the directory of a run that a prune has given up and, killed, not erased yet.

    Best and last are never among them, whatever the list says.
    """
    names = (name for name in read_json(run / PRUNED, list) if isinstance(name, str))
    return frozenset(names) - {f"best{SUFFIX}", f"last{SUFFIX}"}


def scan(folder: Path) -> list[os.DirEntry[str]]:
    """What is in `folder`: nothing where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


@functools.lru_cache(maxsize=8192)
def _read_header(path: Path, mtime_ns: int, size: int) -> WeightsInfo:
    """Read again only when the file has changed."""
    from googlenet.models.weights import read_info

    return read_info(path)
