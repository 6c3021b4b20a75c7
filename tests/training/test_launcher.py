"""Trainers started apart from whoever asks: they outlive him, and there is never more than one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from trainings import environment, training, wait_for

from googlenet.errors import LabError
from googlenet.recipes import TrainConfig
from googlenet.runs import Run, active_run, is_alive, list_runs
from googlenet.training import launcher

LONG = 100_000  # epochs


@pytest.fixture(autouse=True, scope="module")
def _elsewhere(tmp_path_factory):
    """Caches go to data/ of the working directory, which trainers inherit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("cwd"))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture
def checkpoints(tmp_path):
    """A folder for runs; no trainer is left at work in it."""
    yield tmp_path / "runs"
    for run in list_runs(tmp_path / "runs"):
        status = run.last_status()
        if is_alive(status.pid, status.pid_started):
            os.kill(status.pid, signal.SIGKILL)


def in_another_process(code: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """Python code that finds its arguments in `argv` and the launcher in `launcher`."""
    head = "import sys, json, os, threading, time; from pathlib import Path; from googlenet.training import launcher\n"
    head += "from googlenet.config import LabError; "
    head += "from googlenet.recipes import TrainConfig; argv = sys.argv[1:]\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + code, *map(str, arguments)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def trainers(checkpoints: Path) -> list[psutil.Process]:
    """Every living process, zombies included, that was started to train into `checkpoints`."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
        except psutil.Error:
            continue
        if "googlenet" in line and str(checkpoints) in line:
            found.append(process)
    return found


def gone(checkpoints: Path) -> bool:
    return not trainers(checkpoints)


START = "launcher.start(TrainConfig.from_json(argv[0]), Path(argv[1]))\n"


def test_a_trainers_life(checkpoints, folder):
    """Started by a process that is then killed; found, refused a second, stopped and resumed by another."""
    config = training("life", folder, epochs=LONG)
    starter = in_another_process(START + "print('started', flush=True); time.sleep(60)", config.to_json(), checkpoints)
    assert starter.stdout.readline() == "started\n", starter.stderr.read()
    run = Run(checkpoints, "life")
    status = run.status()
    assert status.active
    assert psutil.Process(status.pid).ppid() == starter.pid
    assert os.getsid(status.pid) == status.pid  # a terminal's Ctrl+C does not reach it
    starter.kill()
    starter.communicate()

    wait_for(lambda: run.status().epoch >= 2)  # it goes on
    assert active_run(checkpoints)[0].name == "life"
    for name in ("life", "second"):
        with pytest.raises(LabError, match=r"A training is already running \(life\): stop it, or wait") as caught:
            launcher.start(training(name, folder), checkpoints)
        assert caught.value.field == "run"
    with pytest.raises(LabError, match="already running"):
        launcher.resume("life", checkpoints)
    assert [run.name for run in list_runs(checkpoints)] == ["life"]
    assert not (checkpoints / "second").exists()

    launcher.stop("life", checkpoints)
    wait_for(lambda: run.status().state == "stopped")
    wait_for(lambda: gone(checkpoints))
    done = run.status().epoch
    with pytest.raises(LabError, match="life is not being trained: it is stopped"):
        launcher.stop("life", checkpoints)
    with pytest.raises(LabError, match="There is already a run called life"):
        launcher.start(config, checkpoints)

    assert launcher.resume("life", checkpoints).status().active
    wait_for(lambda: run.status().epoch > done)
    pid = run.status().pid
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    wait_for(lambda: run.status().state == "interrupted", 5)
    assert time.monotonic() - killed < 5
    wait_for(lambda: not psutil.pid_exists(pid), 5)  # collected: no zombie, though its parent lives
    assert [row["Epoch"] for row in run.metrics()] == list(range(len(run.metrics())))
    assert "error" not in run.log_tail(50).lower()


def test_twenty_starts_at_once_from_two_processes(checkpoints, folder):
    code = """
configs, answers = [TrainConfig.from_json(text) for text in json.loads(argv[0])], []
def start(config):
    try:
        launcher.start(config, Path(argv[1]))
        answers.append("started")
    except LabError as error:
        answers.append(str(error))
threads = [threading.Thread(target=start, args=(config,)) for config in configs]
print("ready", flush=True)
time.sleep(max(0, float(argv[2]) - time.time()))
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps(answers), flush=True)
time.sleep(60)
"""
    texts = [training(f"run-{i}", folder, epochs=LONG).to_json() for i in range(20)]
    moment = time.time() + 4
    apps = [in_another_process(code, json.dumps(texts[i::2]), checkpoints, moment) for i in range(2)]
    answers = []
    for app in apps:
        assert app.stdout.readline() == "ready\n", app.stderr.read()
    for app in apps:
        answers += json.loads(app.stdout.readline())
    assert sorted(answers)[-1] == "started"
    assert answers.count("started") == 1
    assert all(answer == "started" or "A training is already running" in answer for answer in answers), answers
    # Exactly one process, and only its directory; all others have ended and been collected.
    wait_for(lambda: len(trainers(checkpoints)) == 1)
    (run,) = list_runs(checkpoints)
    assert run.status().active
    assert [entry.name for entry in checkpoints.iterdir() if entry.is_dir()] == [run.name]
    for app in apps:
        app.kill()
        app.communicate()
    assert run.status().active
    launcher.stop(run.name, checkpoints)
    wait_for(lambda: run.status().state == "stopped")


def test_the_lock_counts_where_the_look_was_too_early(checkpoints, folder):
    """A trainer whose status cannot be read is still the only one."""
    launcher.start(training("first", folder, epochs=LONG), checkpoints)
    run = Run(checkpoints, "first")
    wait_for(lambda: run.status().state == "running")
    os.kill(run.status().pid, signal.SIGSTOP)
    pid = run.status().pid
    try:
        (run.path / "status.json").unlink()
        with pytest.raises(LabError, match="A training is already running: stop it, or wait"):
            launcher.start(training("second", folder), checkpoints)
        assert not (checkpoints / "second").exists()
    finally:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(("data", "says"), [("no/such/folder", "no/such/folder"), ("empty", "has no train/ in it")])
def test_bad_data_is_told_at_once_and_leaves_nothing(checkpoints, data, says):
    Path("empty").mkdir(exist_ok=True)
    with pytest.raises(LabError, match=says) as caught:
        launcher.start(training("bad", data), checkpoints)
    assert caught.value.field == "data"
    assert not checkpoints.exists()


def test_a_folder_that_cannot_hold_runs(tmp_path, folder):
    (tmp_path / "file").write_text("x")
    with pytest.raises(LabError, match="cannot be written"):
        launcher.start(training("r", folder), tmp_path / "file")


def test_a_run_that_is_not_there(checkpoints):
    for call in (launcher.resume, launcher.stop):
        with pytest.raises(LabError, match="There is no run called none in"):
            call("none", checkpoints)
        with pytest.raises(LabError, match="A run name is 1 to 64"):
            call("../none", checkpoints)


def test_an_unreadable_image_fails_in_a_sentence_and_the_run_says_so(checkpoints, tmp_path):
    for split in ("train", "test"):
        (tmp_path / "data" / split / "cat").mkdir(parents=True)
        (tmp_path / "data" / split / "cat" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    launcher.start(training("torn", tmp_path / "data"), checkpoints)
    run = Run(checkpoints, "torn")
    wait_for(lambda: run.status().state == "failed")
    assert "torn.png" in run.status().message
    assert run.status().message in run.log_tail()
    assert "Traceback" not in run.log_tail(100)
    assert TrainConfig.from_json((run.path / "config.json").read_text()).run == "torn"
