"""When what waits will begin, and how long it will take: from what trainings here have taken so far. No torch."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from googlenet.config import GoogLeNetConfig
from googlenet.errors import LabError
from googlenet.files import read_bytes
from googlenet.models.places import candidates, places
from googlenet.models.profile import profile_network
from googlenet.recipes import TrainConfig
from googlenet.runs import Run, Status, list_runs
from googlenet.runs.queue import Entry, Queue

LOOKED_AT = 30  # runs, the newest


@dataclass(frozen=True)
class Speed:
    """A training that was seen here, and the seconds that an epoch of it takes."""

    config: TrainConfig
    seconds: float


@dataclass(frozen=True)
class Expected:
    """Of an entry: the seconds until it begins and those that it takes, None where nothing tells.

    `rough` where it takes what a training of another network tells.
    """

    entry: Entry
    starts: float | None
    takes: float | None
    rough: bool = False


def speeds(checkpoints: Path) -> list[Speed]:
    """What the newest runs tell, newest first."""
    found = []
    for run in list_runs(checkpoints)[:LOOKED_AT]:
        status = run.last_status()
        if status.images_per_second > 0 and status.steps_per_epoch > 0:
            with contextlib.suppress(LabError, UnicodeDecodeError, OSError):
                config = _config(run.path / "config.json", (run.path / "config.json").stat().st_mtime_ns)
                seconds = status.steps_per_epoch * config.batch_size / status.images_per_second
                found.append(Speed(config, seconds))
    return found


def takes(config: TrainConfig, known: Sequence[Speed]) -> tuple[float | None, bool]:
    """Seconds of a training, and whether a guess from another network; None without a run on the same data."""
    place = candidates(config.device)[:1]
    alike = [one for one in known if one.config.data == config.data and candidates(one.config.device)[:1] == place]
    for one in alike:
        if (one.config.network, one.config.batch_size) == (config.network, config.batch_size):
            return config.epochs * one.seconds, False
    for one in alike[:1]:
        share = _work(config.network) / max(1, _work(one.config.network))
        return config.epochs * one.seconds * share, True
    return None, False


def expect(queue: Queue, active: Sequence[tuple[Run, Status]], known: Sequence[Speed]) -> list[Expected]:
    """For each entry in order, as if each took the device that is free first."""
    free: dict[str, float | None] = {place.name: 0.0 for place in places()}
    for _, status in active:
        free[status.place or places()[-1].name] = status.seconds_left
    found = []
    for entry in queue.entries:
        if entry.config is None or entry.problem:
            found.append(Expected(entry, None, None))
            continue
        seconds, rough = (entry.facts.seconds, False) if entry.facts.seconds else takes(entry.config, known)
        names = candidates(entry.config.device)
        place = min(names, key=lambda name: (free[name] is None, free[name] or 0.0), default=None)
        starts = free[place] if place else None
        if place:
            free[place] = None if starts is None or seconds is None else starts + seconds
        found.append(Expected(entry, None if queue.paused else starts, seconds, rough))
    return found


@functools.lru_cache(maxsize=256)
def _config(path: Path, _version: int) -> TrainConfig:
    return TrainConfig.from_json(read_bytes(path, limit=1_000_000).decode())


@functools.lru_cache(maxsize=64)
def _work(network: GoogLeNetConfig) -> int:
    """Multiply-adds of an image."""
    profile = profile_network(network)
    return profile.macs + profile.aux_macs
