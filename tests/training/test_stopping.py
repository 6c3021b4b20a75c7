"""Stop is answered at once, however long a step takes; and how long a training still takes is told evenly."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from trainings import environment, training, wait_for

from googlenet.runs import Run
from googlenet.training import launcher
from googlenet.training.reporting.pace import Pace
from googlenet.training.reporting.reporter import Reporter
from googlenet.training.signals import STOP_SIGNAL, StopRequest

# One call into C, as torch's backward pass is: no handler of Python's runs before it returns.
SLOW = "hashlib.pbkdf2_hmac('sha256', b'', b'', 6_000_000)"
TRAIN = f"""
import hashlib, sys
from pathlib import Path
from googlenet.recipes import TrainConfig
from googlenet.training import session, step
quick = step.TrainStep.__call__
def slow(*arguments):
    print("in a step", flush=True)
    {SLOW}
    print("out of it", flush=True)
    return quick(*arguments)
step.TrainStep.__call__ = slow
session.train(TrainConfig.from_json(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_run_says_that_it_is_stopping_while_a_step_goes_on(tmp_path: Path, folder: Path) -> None:
    config = training("slow", folder)
    command = [sys.executable, "-c", TRAIN, config.to_json(), str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment())
    try:
        assert process.stdout.readline() == "in a step\n"
        run, pressed = Run(tmp_path, "slow"), time.monotonic()
        launcher.stop("slow", tmp_path)
        wait_for(lambda: run.status().state == "stopping", 5)
        assert time.monotonic() - pressed < 0.7
        assert run.status().message == "Stopping after this step"
        assert run.status().active
        output, _ = process.communicate(timeout=60)
        assert output == "out of it\n"  # it was said in the middle of the step, which was finished
        assert (run.status().state, run.status().step) == ("stopped", 1)
    finally:
        process.kill()
        process.communicate()


def test_what_is_at_work_never_says_otherwise_again_and_what_has_ended_stays_ended(
    tmp_path: Path, folder: Path
) -> None:
    run = Run(tmp_path, "run")
    run.create(training("run", folder))
    reporter = Reporter(run)
    reporter.state("running", epoch=2, step=5)
    reporter.stopping()
    reporter.state("running", epoch=2, step=6, seconds_left=9)
    assert (run.status().state, run.status().step) == ("stopping", 6)
    reporter.state("stopped", "Stopped and saved")
    reporter.stopping()
    assert (run.status().state, run.status().message, run.status().epoch) == ("stopped", "Stopped and saved", 2)


def test_a_status_written_by_two_threads_is_never_torn(tmp_path: Path, folder: Path) -> None:
    run = Run(tmp_path, "run")
    run.create(training("run", folder))
    reporter = Reporter(run)

    def write() -> None:
        for step in range(60):
            reporter.state("running", step=step)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        reporter.stopping()
        assert run.last_status().state in ("running", "stopping")
    assert [path.name for path in run.path.glob(".*")] == []


def test_a_caller_gets_its_signals_back() -> None:
    """Handlers, and where an event loop has the system write them: it hears of them meanwhile, too."""
    import socket

    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before, heard = signal.set_wakeup_fd(theirs.fileno()), []
    try:
        with StopRequest(at_once=lambda: heard.append("stop")) as stop:
            signal.raise_signal(STOP_SIGNAL)
            wait_for(lambda: heard, 5)
            assert stop.requested
            assert ours.recv(1) == bytes([STOP_SIGNAL])
        assert signal.set_wakeup_fd(theirs.fileno()) == theirs.fileno()
        assert signal.getsignal(STOP_SIGNAL) is signal.SIG_DFL
        assert threading.active_count() == 1 or "listen" not in str(threading.enumerate())
    finally:
        signal.set_wakeup_fd(before)
        ours.close()
        theirs.close()


# --- the time left ----------------------------------------------------------------------------

STEPS, EPOCHS, STEP, BETWEEN = 40, 20, 0.9, 12.0
TOTAL = EPOCHS * (STEPS * STEP + BETWEEN)


def course(seed: int, pause_at: int = -1) -> Iterator[tuple[float, float | None]]:
    """Work done, in seconds without pauses, and the time left as told, at each step of a training on a fake clock."""
    chance, now, paused = random.Random(seed), 0.0, 0.0
    pace = Pace(lambda: now)
    for epoch in range(EPOCHS):
        for step in range(STEPS):
            now += STEP * chance.uniform(0.8, 1.2) + (4.0 if epoch == step == 0 else 0)
            if epoch * STEPS + step == pause_at:
                now, paused = now + 900, paused + 900
            pace.steps(1)
            yield now - paused, pace.left((EPOCHS - epoch) * STEPS - step - 1, EPOCHS - epoch, guess=BETWEEN / STEP / 2)
        now += BETWEEN * chance.uniform(0.9, 1.1)
        pace.validated()
    yield now - paused, 0.0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("pause_at", [-1, 60])
def test_the_time_left_is_within_a_tenth_after_two_epochs_and_never_jumps(seed: int, pause_at: int) -> None:
    told = [(done, left) for done, left in course(seed, pause_at) if left is not None]
    assert len(told) >= EPOCHS * STEPS - 3  # from the fourth step on
    for done, left in told:
        true = told[-1][0] - done
        assert abs(left - true) <= (0.1 if done > 2 * TOTAL / EPOCHS else 0.4) * true + 2
    for (_, before), (_, after) in itertools.pairwise(told[STEPS:-1]):
        assert abs(after - before) < 0.05 * TOTAL


def test_recorded_steps_of_a_gpu_come_in_bursts() -> None:
    """The host runs ahead of the device: what counts is the time between two looks at it."""
    now = 0.0
    pace = Pace(lambda: now)
    for seconds, steps in [(30.0, 4), *[(1.0, 100)] * 20]:
        now += seconds
        pace.steps(steps)
    assert pace.left(1000, 0) == pytest.approx(10.0)
    assert pace.seconds_per_step == pytest.approx(0.01)
