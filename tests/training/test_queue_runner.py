"""Real trainings one after the other: begun by whoever notices, once each, whatever is killed meanwhile."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from trainings import environment, training, wait_for

from googlenet.errors import LabError
from googlenet.models import places as here
from googlenet.models.places import Place
from googlenet.runs import Busy, Run, Status, active_runs, is_alive, list_runs, queue
from googlenet.training import launcher
from googlenet.training.queue import forecast, runner
from googlenet.training.queue.runner import enqueue, enqueue_sweep, run_next, start_or_queue
from googlenet.training.queue.sweep import expand, parse_rates, parse_seeds

LONG = 100_000  # epochs


@pytest.fixture(autouse=True, scope="module")
def _elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("cwd"))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture
def checkpoints(tmp_path: Path) -> Iterator[Path]:
    """A folder for runs; nothing waits, and no trainer is left at work in it."""
    folder = tmp_path / "runs"
    yield folder
    queue.pause(folder, True)
    for run in list_runs(folder):
        status = run.last_status()
        if is_alive(status.pid, status.pid_started):
            os.kill(status.pid, signal.SIGKILL)


def names(folder: Path) -> list[str]:
    return [entry.name for entry in queue.read_queue(folder).entries]


def times_begun(run: Run) -> int:
    """How many trainers have ever begun it."""
    return run.log_tail(1000).count("training images, ")


def test_the_next_begins_by_itself_whatever_way_one_ends(checkpoints: Path, folder: Path, tmp_path: Path) -> None:
    """No app, and nobody who looks: stopped, failed, finished. Each begins once, in order."""
    gone = tmp_path / "gone"
    (gone / "train" / "cat").mkdir(parents=True)
    (gone / "test" / "cat").mkdir(parents=True)
    assert start_or_queue(training("stopped", folder, epochs=LONG), checkpoints).run
    for config in (
        training("failed", gone),
        training("finished", folder, epochs=1),
    ):
        begun = start_or_queue(config, checkpoints)
        assert begun.run is None
    assert names(checkpoints) == ["failed", "finished"]
    wait_for(lambda: Run(checkpoints, "stopped").status().epoch >= 1)
    assert len(active_runs(checkpoints)) == 1
    launcher.stop("stopped", checkpoints)
    last = Run(checkpoints, "finished")
    wait_for(lambda: last.status().state == "finished", 120)
    assert names(checkpoints) == []
    states = [Run(checkpoints, name).status().state for name in ("stopped", "failed")]
    assert states == ["stopped", "failed"]
    assert [times_begun(Run(checkpoints, name)) for name in ("stopped", "failed", "finished")] == [1, 0, 1]
    assert [run.name for run in list_runs(checkpoints)] == ["finished", "failed", "stopped"]


def test_a_killed_trainer_and_a_machine_that_goes_down_leave_the_queue_for_whoever_looks(
    checkpoints: Path, folder: Path
) -> None:
    first = enqueue(training("first", folder, epochs=LONG), checkpoints).run
    assert first
    for name in ("second", "third"):
        assert enqueue(training(name, folder, epochs=LONG), checkpoints).position
    assert run_next(checkpoints) == []
    os.kill(first.status().pid, signal.SIGKILL)
    (second,) = wait_for(lambda: run_next(checkpoints))
    assert second.name == "second"
    assert first.status().state == "interrupted"
    assert names(checkpoints) == ["third"]
    # SIGTERM is what a machine sends that goes down: no trainer begins another then.
    wait_for(lambda: second.status().state == "running")
    trainer = psutil.Process(second.status().pid)
    trainer.terminate()
    psutil.wait_procs([trainer], timeout=30)
    assert second.status().state == "stopped"
    assert names(checkpoints) == ["third"]
    assert active_runs(checkpoints) == []
    queue.pause(checkpoints, True)
    assert run_next(checkpoints) == []
    queue.pause(checkpoints, False)
    assert [run.name for run in run_next(checkpoints)] == ["third"]


def test_many_runners_at_once_some_of_them_killed_begin_each_entry_once(checkpoints: Path, folder: Path) -> None:
    for number in range(2):
        queue.add(checkpoints, [training(f"run-{number}", folder, epochs=1)])
    lab = [sys.executable, "-m", "googlenet", "queue", "run", "--checkpoints", str(checkpoints)]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(lab, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    runners = [start() for _ in range(3)]
    for number, one in enumerate(runners):  # at three moments between beginning and having begun one
        time.sleep(0.3 * (number + 1))
        one.kill()
        one.communicate()
    deadline = time.monotonic() + 120
    while names(checkpoints) or active_runs(checkpoints):
        assert len(active_runs(checkpoints)) <= 1
        assert time.monotonic() < deadline
        runner._tried.clear()
        run_next(checkpoints)
        time.sleep(0.1)
    runs = list_runs(checkpoints)
    assert sorted(run.name for run in runs) == ["run-0", "run-1"]
    assert {run.status().state for run in runs} == {"finished"}
    assert [times_begun(run) for run in runs] == [1, 1]


def test_a_start_is_refused_or_queued_in_a_sentence(checkpoints: Path, folder: Path) -> None:
    assert enqueue(training("first", folder, epochs=LONG), checkpoints).run
    relative = os.path.relpath(folder)
    assert enqueue(training("second", relative), checkpoints).position == 1
    assert queue.read_queue(checkpoints).entries[0].config == training("second", Path(relative).absolute())
    with pytest.raises(Busy, match=r"already running \(first\)"):
        launcher.start(training("other", folder), checkpoints)
    for config, says in (
        (training("second", folder), "A training called second waits in the queue"),
        (training("first", folder), "There is already a run called first"),
        (training("third", "no/such/folder"), "no/such/folder"),
        (training("third", folder, device="cuda:7"), "There is no cuda:7 device here: choose auto or one of"),
    ):
        with pytest.raises(LabError, match=says):
            start_or_queue(config, checkpoints)
    assert names(checkpoints) == ["second"]


def test_each_gpu_and_the_cpu_have_a_line_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    three = tuple(Place(name, f"{name}, 80 GiB") for name in ("cuda:0", "cuda:1", "cpu"))
    for module in (here, runner, forecast):
        monkeypatch.setattr(module, "places", lambda: three)
    for name, device in (("a", "cpu"), ("b", "cpu"), ("c", "auto"), ("d", "cuda"), ("e", "cuda:1"), ("f", "mps")):
        queue.add(tmp_path, [training(name, "shapes", device=device)], seconds=[60.0])
    begun = []
    while found := runner._next(tmp_path):
        entry, place = found
        begun.append((entry.name, place))
        run = queue.take(tmp_path, entry.id)
        monkeypatch.setattr(runner, "is_free", lambda _, place: place not in [taken for _, taken in begun])
        alive = {"pid": os.getpid(), "pid_started": psutil.Process().create_time(), "heartbeat": time.time()}
        run.write_status(Status("running", place=place, seconds_left=30.0, **alive))
    assert begun == [("a", "cpu"), ("c", "cuda:0"), ("d", "cuda:1")]
    expected = forecast.expect(queue.read_queue(tmp_path), active_runs(tmp_path), [])
    assert [(one.entry.name, one.starts) for one in expected] == [("b", 30.0), ("e", 30.0), ("f", None)]


def test_a_sweep_is_every_combination_under_names_that_tell_them_apart(checkpoints: Path, folder: Path) -> None:
    def make(**changes: object) -> object:
        changes.pop("network", None)
        return dataclasses.replace(training("x", folder), **changes)

    configs = expand("base", make, rates=parse_rates("0.1, 2e-3 0.1"), seeds=parse_seeds("0-2,1"), networks=["cifar10"])
    assert [config.run for config in configs] == [
        *(f"base-lr0p1-s{seed}" for seed in range(3)),
        *(f"base-lr0p002-s{seed}" for seed in range(3)),
    ]
    assert {(config.lr, config.seed) for config in configs} == {(lr, s) for lr in (0.1, 0.002) for s in (0, 1, 2)}
    queue.pause(checkpoints, True)
    added = enqueue_sweep(configs, checkpoints, group="base")
    assert [entry.name for entry in added] == names(checkpoints) == [config.run for config in configs]
    for values, says in (
        ({"seeds": range(101)}, "A sweep has 100 runs at most, and this would be 101"),
        ({"seeds": range(99), "rates": [0.1, 0.2]}, "this would be 198"),
        ({"rates": [0.1]}, "A sweep needs two runs or more"),
    ):
        with pytest.raises(LabError, match=says):
            expand("base", make, **values)
    for parse, text, says in (
        (parse_seeds, "0-9999", "this would be 10,000"),
        (parse_seeds, "0-99999999999", "Seeds are whole numbers"),
        (parse_seeds, "4-1", "not '4-1'"),
        (parse_seeds, "../x", "not '../x'"),
        (parse_rates, "0.1, nan", "Learning rates are numbers above 0 such as 0.1, 0.2, not 'nan'"),
        (parse_rates, "-1", "not '-1'"),
    ):
        with pytest.raises(LabError, match=says):
            parse(text)
    assert parse_seeds("") == parse_rates(None) == []


def test_expected_times_come_from_what_has_run_here(tmp_path: Path) -> None:
    seen = Run(tmp_path, "seen")
    seen.create(training("seen", "shapes", batch_size=20))
    seen.write_status(Status("finished", epoch=3, epochs=3, steps_per_epoch=10, images_per_second=50.0))
    known = forecast.speeds(tmp_path)
    assert forecast.takes(training("same", "shapes", batch_size=20, epochs=5), known) == (20.0, False)
    larger = training("larger", "shapes", batch_size=20, epochs=5, network={"aux": ()})
    seconds, rough = forecast.takes(larger, known)
    assert rough
    assert seconds
    assert seconds < 20.0
    assert forecast.takes(training("elsewhere", "cifar10"), known) == (None, False)
