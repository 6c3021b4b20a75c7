"""What a trainer says of its run, and whether that trainer still lives."""

from __future__ import annotations

import dataclasses
import functools
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from googlenet.errors import LabError
from googlenet.files import parse_json, read_bytes
from googlenet.language import language, mark, tr

ACTIVE = ("queued", "running", "stopping")
RESUMABLE = ("stopped", "interrupted", "failed", "out_of_memory")
STATES = (*ACTIVE, *RESUMABLE, "finished", "diverged", "brought")
WORDS = {  # of the states, for people
    "queued": mark("queued"),
    "running": mark("running"),
    "stopping": mark("stopping"),
    "stopped": mark("stopped"),
    "interrupted": mark("interrupted"),
    "failed": mark("failed"),
    "out_of_memory": mark("out of memory"),
    "finished": mark("finished"),
    "diverged": mark("diverged"),
    "brought": mark("brought"),
}
LONGEST = 500  # characters of a text
SETTLED = 2.0  # seconds: an older file is read once
MOST_KNOWN = 4096

_known: dict[tuple[Path, str], tuple[tuple[int, int, int], Status]] = {}  # by the language of its problem too


def state_words(state: str) -> str:
    """One of `STATES` as people read it."""
    return tr(WORDS[state])


class Diverged(LabError):
    """The loss or the weights are no longer numbers."""


@dataclass(frozen=True)
class Status:
    """What the trainer last said. `epoch` counts finished epochs, `step` the steps done in the current one."""

    state: str
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps_per_epoch: int = 0
    pid: int = 0
    pid_started: float = 0.0
    pid_born: str = ""  # the machine's boot, and the seconds after it at which the process began
    heartbeat: float = 0.0  # seconds since 1970
    beat: float = 0.0  # of the machine's steady clock, at the heartbeat
    message: str = ""
    device: str = ""
    data: str = ""
    images_per_second: float = 0.0
    seconds_left: float | None = None
    cpu: float | None = None  # share of all cores that are busy, by whomever
    memory: float | None = None  # bytes of the trainer
    gpu: float | None = None  # share of the time that it is busy
    gpu_memory: float | None = None  # bytes that the trainer holds
    place: str = ""  # the device that its trainer holds: cpu, cuda:0 and so on
    problem: str = ""  # what of status.json cannot be read, in a sentence

    def to_json(self) -> str:
        """The text of status.json."""
        return json.dumps({name: value for name, value in dataclasses.asdict(self).items() if name != "problem"}) + "\n"

    @classmethod
    def from_json(cls, text: bytes) -> Status:
        """Read what `to_json` wrote, field by field: one that no trainer writes is told of and left at its default."""
        plain = parse_json(text)
        if not isinstance(plain, dict):
            return cls("interrupted", problem=tr("There is no readable status.json."))
        good: dict[str, Any] = {"state": "interrupted"}
        wrong = []
        for field in dataclasses.fields(cls):
            value = plain.get(field.name)
            if _belongs(value, field):
                good[field.name] = value[:LONGEST] if isinstance(value, str) else value
            elif field.name in plain or field.name == "state":
                wrong.append(tr("{field} is {value}", field=field.name, value=json.dumps(value)[:40]))
        problem = tr("Cannot read all of status.json: {what}.", what=", ".join(wrong))[:LONGEST] if wrong else ""
        return cls(**{**good, "problem": problem})

    @property
    def active(self) -> bool:
        """Whether a trainer is at work on the run."""
        return self.state in ACTIVE

    def silence(self, now: float | None = None) -> float:
        """Seconds since the trainer's last word; `now` is in seconds since 1970.

        By the steady clock where the trainer and we share one: nobody sets it, and it stands still with the machine.
        """
        if self.beat and boot() and self.pid_born.startswith(f"{boot()} "):
            return time.monotonic() - self.beat
        return (time.time() if now is None else now) - self.heartbeat if self.heartbeat else 0.0

    @property
    def progress(self) -> float:
        """Share of all steps done, 0 to 1."""
        done = self.epoch + self.step / max(1, self.steps_per_epoch)
        return min(1.0, done / max(1, self.epochs))


def _belongs(value: Any, field: dataclasses.Field[Any]) -> bool:
    """Whether a trainer could have written `value`."""
    if field.name == "state":
        return value in STATES
    if isinstance(field.default, str) or value is None:
        return isinstance(value, type(field.default))
    kinds = (int,) if type(field.default) is int else (int, float)
    return type(value) in kinds and 0 <= value <= (2**31 - 1 if field.name == "pid" else 1e12)


def read_status(path: Path) -> Status:
    """The status in the file `path`; read again only when the file has changed, since a page asks 200 runs a second."""
    try:
        facts = path.stat()
    except OSError:
        return Status.from_json(b"")
    version = facts.st_ino, facts.st_mtime_ns, facts.st_size
    key = path, language()
    known = _known.get(key)
    if known is not None and known[0] == version:
        return known[1]
    status = Status.from_json(read_bytes(path, limit=65_536))
    if time.time() - facts.st_mtime > SETTLED:  # one that is just being written could change and look the same
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[key] = version, status
    return status


def process_started(pid: int) -> float:
    """When process `pid` began, in seconds since 1970; 0 when there is none or it is a zombie."""
    try:
        process = psutil.Process(pid)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except (psutil.Error, ValueError, OverflowError):
        return 0.0


@functools.cache
def boot() -> str:
    """Which boot of the machine this is; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def process_born(pid: int) -> str:
    """The boot, and the seconds after it at which process `pid` began; empty where that cannot be known.

    A moment since 1970 is counted from the boot with the clock of now: whoever sets that moves every beginning.
    """
    while boot() and process_started(pid):
        try:
            before = psutil.boot_time()
            born = psutil.Process(pid).create_time() - before
            if psutil.boot_time() == before:  # the clock was not set between the two
                return f"{boot()} {born:.2f}"
        except (psutil.Error, ValueError, OverflowError):
            break
    return ""


def is_alive(pid: int, started: float, born: str = "") -> bool:
    """Whether process `pid` is the one that began at `started`, or was `born`: numbers are reused, moments are not."""
    begun = process_started(pid) if pid > 0 else 0.0
    return begun > 0 and (abs(begun - started) < 1.5 or (bool(born) and process_born(pid) == born))


def is_suspended(pid: int) -> bool:
    """Whether process `pid` was told to stand still (SIGSTOP, or Ctrl+Z in its terminal)."""
    try:
        return pid > 0 and psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except (psutil.Error, ValueError, OverflowError):
        return False
