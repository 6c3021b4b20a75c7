"""Begins the next of the queue wherever a device is free.

Who notices does it: a trainer that ends, whoever adds an entry, a running app every few seconds, and `queue run`. Any
number of them may at once: the trainer that gets the device's lock takes the entry, in one step; the others leave
everything as it was.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from googlenet.data.datasets import NAMES, check_source
from googlenet.errors import LabError
from googlenet.language import speaking, tr
from googlenet.models.places import candidates, places
from googlenet.recipes import TrainConfig
from googlenet.runs import Busy, Run
from googlenet.runs.lock import is_free, queue_lock
from googlenet.runs.queue import Entry, add, is_waiting, read_queue
from googlenet.runs.queue.entry import QUEUE
from googlenet.training import launcher

log = logging.getLogger(__name__)
EVERY = 4.0  # seconds between two looks of an app
LAST_BREATH = 10.0  # seconds that a trainer which has ended may take to leave its device
AGAIN = 30.0  # seconds until an entry whose trainer did not begin is tried again

_tried: dict[tuple[Path, str], float] = {}


@dataclass(frozen=True)
class Begun:
    """What became of a start: the `run` that has begun, or the `entry` that waits at `position`, from 1."""

    run: Run | None = None
    entry: Entry | None = None
    position: int = 0


def run_next(checkpoints: Path) -> list[Run]:
    """Start whatever waits for a device that is free; returns the runs that have begun.

    One runner at a time is at work: where another is, it begins nothing.
    """
    begun: list[Run] = []
    if not is_waiting(checkpoints):
        return begun
    with speaking("en"), queue_lock(checkpoints / QUEUE, 0.0, ".runner.lock") as held:  # to the log, whoever looked
        while held and (found := _next(checkpoints)):
            entry, place = found
            try:
                run = Run(checkpoints, entry.name)
                launcher.spawn(run, ["queue", "take", entry.id, "--place", place], "")
                begun.append(run)
            except LabError as error:
                log.warning("%s waits on: %s", entry.name, error)
                _tried[checkpoints, entry.id] = time.monotonic()
    return begun


def _next(checkpoints: Path) -> tuple[Entry, str] | None:
    """The first entry for which there is a free device, and that device."""
    queue = read_queue(checkpoints)
    if queue.paused:
        return None
    free = {place.name for place in places() if is_free(checkpoints, place.name)}
    for entry in queue.entries if free else ():
        if entry.problem or not entry.config:
            continue
        if time.monotonic() - _tried.get((checkpoints, entry.id), -AGAIN) < AGAIN:
            continue
        for place in candidates(entry.config.device):
            if place in free:
                return entry, place
    return None


def start_or_queue(
    config: TrainConfig, checkpoints: Path, *, by: str = "", owner: str = "", seconds: float | None = None
) -> Begun:
    """Start `config` where its device is free and nothing waits for it, else put it into the queue.

    Raises `LabError` for what neither would take.
    """
    check_source(config.data)
    queue = read_queue(checkpoints)
    if not queue.paused and any(_competes(entry, config) for entry in queue.entries):
        return enqueue(config, checkpoints, by=by, owner=owner, seconds=seconds)
    try:
        return Begun(run=launcher.start(config, checkpoints))
    except Busy:
        return enqueue(config, checkpoints, by=by, owner=owner, seconds=seconds)


def _competes(entry: Entry, config: TrainConfig) -> bool:
    if entry.problem or not entry.config:
        return False
    return bool(set(candidates(entry.config.device)) & set(candidates(config.device)))


def enqueue(
    config: TrainConfig, checkpoints: Path, *, by: str = "", owner: str = "", seconds: float | None = None
) -> Begun:
    """Put `config` at the queue's end, and begin what can begin; `LabError` where its data or device is not here."""
    entry = add(checkpoints, [_checked(config)], by=by, owner=owner, seconds=[seconds])[0]
    run_next(checkpoints)
    known = [other.id for other in read_queue(checkpoints).entries]
    if entry.id in known:
        return Begun(entry=entry, position=known.index(entry.id) + 1)
    return Begun(run=Run(checkpoints, entry.name))


def enqueue_sweep(
    configs: Sequence[TrainConfig],
    checkpoints: Path,
    *,
    group: str,
    by: str = "",
    owner: str = "",
    seconds: Sequence[float | None] = (),
) -> list[Entry]:
    """Put all `configs` at the queue's end, or none, and begin what can begin; returns their entries."""
    checked = [_checked(config) for config in configs]
    entries = add(checkpoints, checked, by=by, group=group, owner=owner, seconds=seconds)
    run_next(checkpoints)
    return entries


def _checked(config: TrainConfig) -> TrainConfig:
    """`config` for whatever process will begin it; `LabError` for what could never begin on this machine."""
    check_source(config.data)
    if config.data not in NAMES:  # another process may be at home in another folder
        config = dataclasses.replace(config, data=str(Path(config.data).expanduser().absolute()))
    if not candidates(config.device):
        here = ", ".join(place.name for place in places())
        sentence = tr(
            "There is no {device} device here: choose auto or one of {here}.", device=config.device, here=here
        )
        raise LabError(sentence, "device")
    return config


def hand_on(checkpoints: Path) -> None:
    """For a trainer that has ended: have a process of its own begin what is next, once this one has left the device."""
    if is_waiting(checkpoints):
        arguments = ["queue", "run", "--after", str(os.getpid()), "--checkpoints", str(checkpoints.absolute())]
        with contextlib.suppress(OSError):
            subprocess.Popen(
                [sys.executable, "-m", "googlenet", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=launcher.environment(),
                start_new_session=True,
            )


def wait_for_end(pid: int) -> None:
    """Until the process `pid` is gone, so that its memory and its GPU's are free; for so long at most."""
    with contextlib.suppress(psutil.Error, ValueError, OverflowError):
        psutil.Process(pid).wait(LAST_BREATH)


def keep_running(checkpoints: Path) -> threading.Thread:
    """A thread of a running app that looks after the queue, also when no browser is open and a trainer was killed."""

    def look() -> None:
        while True:
            try:
                run_next(checkpoints)
            except Exception:  # the next look may do better
                log.exception("the queue of %s cannot go on", checkpoints)
            time.sleep(EVERY)

    thread = threading.Thread(target=look, name="queue", daemon=True)
    thread.start()
    return thread
