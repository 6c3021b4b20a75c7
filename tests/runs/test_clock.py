"""The time of day jumps, as after a sleep or when somebody sets it: no run seems dead, silent, done or as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from trainings import training

from googlenet.runs import Run, Status, alerts_of, process_born, process_started
from googlenet.runs.status import boot
from googlenet.training.reporting.reporter import Reporter
from googlenet.training.session import train
from googlenet.ui.train import watch

HOUR = 3600.0
JUMPS = (HOUR, -HOUR, 30 * 24 * HOUR, -30 * 24 * HOUR)


class Clock:
    """The time of day, to be set. The kernel counts the moment of its boot, and so of every process, back from it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead, now, booted = 0.0, time.time, psutil._psplatform.boot_time
        monkeypatch.setattr(time, "time", lambda: now() + self.ahead)
        monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: booted() + self.ahead)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def running(folder: Path, name: str = "mine") -> Reporter:
    """What the trainer of a run, which this process pretends to be, says it with."""
    run = Run(folder, name)
    run.create(training(name, "shapes"))
    reporter = Reporter(run)
    reporter.state("running", epochs=9, seconds_left=60.0)
    return reporter


@pytest.mark.skipif(not boot(), reason="this system does not say which boot it is")
@pytest.mark.parametrize("jump", JUMPS)
def test_a_living_trainer_stays_one_and_is_not_called_silent(tmp_path: Path, clock: Clock, jump: float) -> None:
    reporter = running(tmp_path)
    run = reporter.run
    assert run
    before = process_started(os.getpid())
    clock.ahead = jump
    assert abs(process_started(os.getpid()) - before) > 1000  # a number for this moment has changed
    assert (run.status().state, run.status().seconds_left) == ("running", 60.0)
    assert [alert.kind for alert in alerts_of(run)] == []
    reporter.state("running", epochs=9, seconds_left=59.0)
    assert (run.status().state, run.status().seconds_left) == ("running", 59.0)


@pytest.mark.skipif(not boot(), reason="this system does not say which boot it is")
def test_a_dead_or_silent_trainer_is_told_whatever_the_clock_says(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    reporter = running(tmp_path)
    run = reporter.run
    assert run
    claim = {"pid": process.pid, "pid_started": process_started(process.pid), "pid_born": process_born(process.pid)}
    try:
        run.write_status(Status("running", **claim, heartbeat=time.time(), beat=time.monotonic()))
        clock.ahead = -HOUR
        assert run.status().state == "running"
        steady = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: steady() + 7 * 60)
        (alert,) = alerts_of(run)
        assert "not said anything for 7 min" in alert.sentence
    finally:
        process.kill()
        process.wait()
    assert run.status().state == "interrupted"
    other = process_born(os.getpid())
    run.write_status(Status("running", pid=os.getpid(), pid_started=1.0, pid_born=f"{other.split()[0]} 0.01"))
    assert run.status().state == "interrupted"  # the number was given to another process


@pytest.mark.parametrize("jump", JUMPS)
def test_a_page_is_told_what_changed_across_a_jump(tmp_path: Path, clock: Clock, jump: float) -> None:
    reporter = running(tmp_path)
    watcher = watch.Watcher(tmp_path)
    first = json.loads(watcher.look("mine"))
    clock.ahead = jump
    reporter.state("running", "Validating now", epochs=9, epoch=3)
    second = json.loads(watcher.look("mine", seen=first["at"], now=True))
    assert "Validating now" in second["status"]
    assert second["at"] > first["at"]
    assert "status" not in json.loads(watcher.look("mine", seen=second["at"]))
    clock.ahead = 0.0
    reporter.state("running", "Saving now", epochs=9, epoch=3)
    third = json.loads(watcher.look("mine", seen=second["at"], now=True))
    assert "Saving now" in third["status"]
    # The app was started again after the clock was set back: a page that comes from later is told everything.
    clock.ahead = -HOUR
    assert "Saving now" in json.loads(watch.Watcher(tmp_path).look("mine", seen=third["at"]))["status"]


def test_a_training_counts_its_time_by_the_steady_clock(
    tmp_path: Path, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Status] = []
    write = Run.write_status

    def write_and_jump(run: Run, status: Status) -> None:
        write(run, status)
        said.append(status)
        clock.ahead = JUMPS[len(said) % len(JUMPS)]

    monkeypatch.setattr(Run, "write_status", write_and_jump)
    run = train(training("mine", str(folder), epochs=3), tmp_path)
    assert run.status().state == "finished"
    assert len(said) > 3
    assert all(0 <= status.seconds_left < HOUR / 10 for status in said if status.seconds_left is not None)
    assert all(0 < (row["Seconds"] or 0) < HOUR / 10 for row in run.metrics())
