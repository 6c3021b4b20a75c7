"""What waits: a directory that is a run already, but for its place among the runs. A rename begins it.

    checkpoints/.queue/
      <time>-<batch>-<number>/    an entry, by its id
        config.json               the TrainConfig, as a run has it
        queued.json               when and how it was asked for, its group, the seconds it was measured to take
        status.json               what the run says if its trainer dies before it has said anything
        owner.txt                 whose it is, where a page tells its visitors apart (runs/owner.py)
      order.json                  ids in the order they were put in; the others follow as they came
      paused                      there while the queue stands still
      .adding-<batch>             there while its entries are being written: until it goes, none of them counts
      .gone-<id>                  cancelled, and not quite erased

An entry is in the queue or a run or gone, by one rename of its directory, at whatever instant a process is killed.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from googlenet.errors import LabError, is_number
from googlenet.files import parse_json, read_bytes
from googlenet.language import tr
from googlenet.recipes import TrainConfig

QUEUE, ORDER, PAUSED, FACTS = ".queue", "order.json", "paused", "queued.json"
ADDING, GONE = ".adding-", ".gone-"
ID = re.compile(r"\d{13}-([0-9a-f]{8})-\d{3}")
GROUP = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
LONGEST_BY = 40  # characters


@dataclass(frozen=True)
class Facts:
    """`asked` in seconds since 1970, `by` what ("page", "API", "command line"); `seconds` that it was measured to take.

    `group` is the name that the runs of a sweep share, else empty.
    """

    asked: float = 0.0
    by: str = ""
    group: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class Entry:
    """A training that waits. `problem` says in a sentence why it cannot begin as it is; `config` is None if unread."""

    id: str
    config: TrainConfig | None
    facts: Facts = Facts()
    owner: str = ""
    problem: str = ""

    @property
    def name(self) -> str:
        """Of the run that it will be; of a damaged entry its id."""
        return self.config.run if self.config else self.id

    def to_dict(self, position: int) -> dict[str, Any]:
        """Plain JSON types; nothing that tells whose it is."""
        config = self.config
        names = ("recipe", "epochs", "batch_size", "lr", "seed", "device")
        return {
            "position": position,
            "run": self.name,
            "network": config.network.name if config else None,
            **{name: getattr(config, name, None) for name in names},
            **dataclasses.asdict(self.facts),
            "problem": self.problem,
        }


@dataclass(frozen=True)
class Queue:
    """`entries` in order, damaged ones too; `problem` says what else of the folder cannot be read."""

    entries: tuple[Entry, ...] = ()
    paused: bool = False
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        rows = [entry.to_dict(number) for number, entry in enumerate(self.entries, start=1)]
        return {"paused": self.paused, "problem": self.problem, "waiting": rows}

    def position(self, entry: Entry) -> int:
        """From 1."""
        return self.entries.index(entry) + 1


def read_facts(directory: Path) -> Facts:
    """What queued.json says, in a queue or in a run; field by field its default where it says what nobody writes."""
    plain = parse_json(read_bytes(directory / FACTS, limit=10_000))
    if not isinstance(plain, dict):
        return Facts()
    asked, by, group, seconds = (plain.get(name) for name in ("asked", "by", "group", "seconds"))
    return Facts(
        asked if is_number(asked, 0, 1e12) else 0.0,
        by[:LONGEST_BY] if isinstance(by, str) else "",
        group if isinstance(group, str) and GROUP.fullmatch(group) else "",
        seconds if is_number(seconds, 0, 1e9) else None,
    )


def group_of(directory: Path) -> str:
    """The group of the run in `directory`: the name that a sweep gave all its runs; empty without one."""
    return read_facts(directory).group


def read_config(directory: Path) -> TrainConfig:
    """The training of an entry; `LabError` for what no lab wrote."""
    if directory.is_symlink():
        raise LabError(tr("it is a link."))
    try:
        return TrainConfig.from_json(read_bytes(directory / "config.json", limit=1_000_000).decode())
    except UnicodeDecodeError as error:
        raise LabError(tr("its config.json is no text.")) from error
