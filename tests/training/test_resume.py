"""Real trainers, really stopped, killed and starved of disk: what goes on afterwards is as if nothing had happened."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny import tiny_config
from trainings import files, lab, results, start_lab, training, wait_for

from googlenet.config import ConvConfig
from googlenet.errors import LabError
from googlenet.models.weights import read_info
from googlenet.recipes import TrainConfig
from googlenet.runs import Run, active_run, list_runs, process_started
from googlenet.training.resume import CURRENT, PREVIOUS, load_state
from googlenet.training.session import TrainingFailed, resume, train

KILLS = 4
OUTPUTS = ("best.safetensors", "last.safetensors", "epoch-0003.safetensors")


@pytest.fixture(autouse=True, scope="module")
def _elsewhere(tmp_path_factory):
    """Caches go to data/ of the working directory."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the other processes: sums in another order are other sums
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("cwd"))
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def config(folder):
    """Batch norm, dropout, an auxiliary head, all augmentation, momentum, averaged weights; 14 steps in each of 8
    epochs."""
    return training("run", folder, epochs=8, batch_size=4, lr=0.05, checkpoint_epochs=(3,), cutout=8, ema=0.9)


def start(checkpoints: Path, config, **env: str) -> subprocess.Popen[str]:
    return start_lab("train", "--config", "-", "--checkpoints", checkpoints, cwd=Path(), stdin=config.to_json(), **env)


def go_on(checkpoints: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return lab("resume", "run", "--checkpoints", checkpoints, cwd=Path(), **env)


def is_training(run: Run) -> bool:
    return run.status().state == "running"


def assert_same(run: Run, reference: Run) -> None:
    """Every result equal, and every weights file equal to the last bit, its metadata included."""
    assert run.status().state == "finished"
    assert results(run) == results(reference)
    for name in OUTPUTS:
        assert read_info(run.path / name) == read_info(reference.path / name)
        mine, theirs = load_file(run.path / name), load_file(reference.path / name)
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[key], theirs[key]) for key in mine), name


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, config) -> Run:
    """The training from start to end, in a process of its own as the others have."""
    checkpoints = tmp_path_factory.mktemp("uninterrupted")
    process = start(checkpoints, config)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    run = Run(checkpoints, "run")
    assert output.strip().endswith(f"run: finished, in {run.path}")
    assert len(run.steps()) == 8 * 14
    return run


@pytest.fixture(scope="module")
def stopped(tmp_path_factory, config) -> Run:
    """The same training, stopped by SIGTERM in the middle. Tests work on copies."""
    checkpoints = tmp_path_factory.mktemp("stopped")
    process = start(checkpoints, config, GOOGLENET_SAVE_SECONDS="0.1")
    run = Run(checkpoints, "run")
    wait_for(lambda: len(run.steps()) > 30)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "stopped" in output
    return run


@pytest.fixture
def copy(stopped, tmp_path) -> Run:
    shutil.copytree(stopped.path, tmp_path / "run")
    return Run(tmp_path, "run")


# --- asked to stop ----------------------------------------------------------------------------


def test_a_stop_saves_where_it_stands(stopped):
    status = stopped.status()
    assert (status.state, status.active) == ("stopped", False)
    assert status.message == "Stopped and saved; resume continues from here."
    state, complaint = load_state(stopped.path)
    at = state["position"]
    assert complaint == ""
    assert stopped.steps()[-1]["step"] == at["total"] == at["epoch"] * 14 + at["step"]
    assert (status.epoch, status.step) == (at["epoch"], at["step"])
    assert not [name for name in files(stopped) if name.endswith(".tmp")]


def test_a_stopped_run_goes_on_as_if_nothing_had_happened(copy, uninterrupted):
    result = go_on(copy.path.parent)
    assert result.returncode == 0, result.stderr
    assert copy.status().state == "finished"
    assert "Resumed in epoch" in copy.log_tail(40)
    assert_same(copy, uninterrupted)


def test_a_second_signal_ends_it_at_once_and_a_resume_starts_over(tmp_path, config, uninterrupted):
    """While it is still loading: nothing was saved, so the resume is a start."""
    process = start(tmp_path, config)
    run = Run(tmp_path, "run")
    wait_for(lambda: run.last_status().state == "queued")
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == -signal.SIGTERM
    process.communicate()
    assert run.status().state == "interrupted"
    assert CURRENT not in files(run)
    assert go_on(tmp_path).returncode == 0
    assert_same(run, uninterrupted)


def test_the_stop_button_may_be_pressed_twice_and_while_loading(tmp_path, config):
    process = start(tmp_path, config)
    run = Run(tmp_path, "run")
    wait_for(lambda: run.last_status().state == "queued")
    for _ in range(2):
        process.send_signal(signal.SIGUSR1)
        time.sleep(0.2)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, run.status().state) == (0, "stopped"), errors
    assert run.steps() == []


# --- killed -----------------------------------------------------------------------------------


def test_killed_again_and_again(tmp_path, config, uninterrupted):
    """SIGKILL at random moments, with a save after every step so that many of them fall into one."""
    chance = random.Random(int(os.environ.get("GOOGLENET_KILL_SEED", "0")))
    run = Run(tmp_path, "run")
    reached = 0
    for kill in range(KILLS):
        env = {"GOOGLENET_SAVE_SECONDS": "0"}
        process = (
            start(tmp_path, config, **env)
            if kill == 0
            else start_lab("resume", "run", "--checkpoints", tmp_path, cwd=Path(), **env)
        )
        wait_for(lambda: len(run.steps()) > reached)  # noqa: B023
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        wait_for(lambda: run.status().state == "interrupted", 5)  # while it is a zombie, too
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        status = run.status()
        assert "resume continues" in status.message
        assert active_run(tmp_path) is None
        reached = max(reached, len(run.steps()))
        assert reached < 8 * 14, "the training was over before it could be killed"
    result = go_on(tmp_path)
    assert result.returncode == 0, result.stderr
    assert_same(run, uninterrupted)
    assert not [name for name in files(run) if name.endswith(".tmp")]  # what a kill left behind is swept up


@pytest.mark.parametrize("left", ["no resume.pt", "a torn metrics.csv", "a torn steps.jsonl", "rows from the future"])
def test_what_a_kill_can_leave_behind(copy, uninterrupted, left):
    match left:
        case "no resume.pt":  # killed between the two renames of a save
            (copy.path / CURRENT).replace(copy.path / PREVIOUS)
        case "a torn metrics.csv":
            with (copy.path / "metrics.csv").open("a") as file:
                file.write("7,0.5,1.")
        case "a torn steps.jsonl":
            with (copy.path / "steps.jsonl").open("a") as file:
                file.write('{"step": 99, "ep')
        case "rows from the future":  # written after the last save
            with (copy.path / "steps.jsonl").open("a") as file:
                file.write('{"step": 110, "epoch": 7.8, "loss": 9.0, "lr": 1.0}\n')
            with (copy.path / "metrics.csv").open("a") as file:
                file.write("7,0.1,9.0,,,,,\r\n")
    (copy.path / ".resume.pt.1.tmp").write_bytes(b"half")
    resume("run", copy.path.parent)
    assert_same(copy, uninterrupted)
    assert ".resume.pt.1.tmp" not in files(copy)


# --- damaged files ----------------------------------------------------------------------------


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    match how:
        case "torn":
            del data[len(data) // 2 :]
        case "flipped":
            data[len(data) // 3] ^= 1
        case "flipped at the end":
            data[-1] ^= 128
        case "empty":
            data.clear()
        case "foreign":
            data = bytearray(b"not a save at all" * 100)
    path.write_bytes(data)


@pytest.mark.parametrize("how", ["torn", "flipped", "flipped at the end", "empty", "foreign"])
def test_a_damaged_save_is_noticed_and_the_one_before_is_used(copy, how):
    damage(copy.path / CURRENT, how)
    state, complaint = load_state(copy.path)
    assert state["position"] == torch.load(copy.path / PREVIOUS, weights_only=True)["position"]
    assert complaint == "resume.pt is damaged. Going back to the save before it."


def test_going_on_from_the_save_before_gives_the_same_results_and_says_so(copy, uninterrupted):
    damage(copy.path / CURRENT, "flipped")
    resume("run", copy.path.parent)
    assert "resume.pt is damaged. Going back to the save before it." in (copy.path / "train.log").read_text()
    assert_same(copy, uninterrupted)


def test_a_damaged_save_never_replaces_the_good_one(copy):
    """A kill between the two renames of the next save must find the good one still there."""
    damage(copy.path / CURRENT, "torn")
    good = (copy.path / PREVIOUS).read_bytes()
    load_state(copy.path)
    assert CURRENT not in files(copy)
    assert (copy.path / PREVIOUS).read_bytes() == good


@pytest.mark.parametrize("how", ["torn", "gone"])
def test_without_any_save_there_is_one_sentence(copy, how):
    for name in (CURRENT, PREVIOUS):
        damage(copy.path / name, how) if how == "torn" else (copy.path / name).unlink()
    before = results(copy)
    with pytest.raises(TrainingFailed) as caught:
        resume("run", copy.path.parent)
    sentence = "Neither resume.pt nor resume-previous.pt in run can be read, so this run cannot go on: start a new one."
    assert str(caught.value) == copy.status().message == sentence
    assert copy.status().state == "failed"
    assert results(copy) == before


class Explode:
    def __reduce__(self):
        return Path.write_text, (Path("executed"), "x")


def test_a_save_is_never_executed(copy):
    for name in (CURRENT, PREVIOUS):
        torch.save(Explode(), copy.path / name)
    with pytest.raises(TrainingFailed, match="Neither"):
        resume("run", copy.path.parent)
    assert not Path("executed").exists()


@pytest.mark.parametrize(
    "gone", ["status.json", "metrics.csv", "steps.jsonl", "train.log", "last.safetensors", "best.safetensors"]
)
def test_a_half_deleted_run_still_reads(copy, gone):
    (copy.path / gone).unlink()
    (copy.path / "notes.txt").write_text("mine")
    (copy.path.parent / "holiday.jpg").write_bytes(b"\xff\xd8")
    (copy.path.parent / "empty").mkdir()
    assert [run.name for run in list_runs(copy.path.parent)] == ["run"]
    assert copy.status().state == ("interrupted" if gone == "status.json" else "stopped")
    copy.metrics(), copy.steps(), copy.log_tail(), copy.weights()
    assert active_run(copy.path.parent) is None


def test_a_run_without_its_configuration_is_no_run(copy):
    (copy.path / "config.json").unlink()
    assert list_runs(copy.path.parent) == []
    with pytest.raises(LabError, match="There is no run called run in"):
        resume("run", copy.path.parent)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": 3', '"running"', "\0"])
def test_a_damaged_status_reads_as_interrupted(copy, text):
    (copy.path / "status.json").write_text(text)
    assert (copy.status().state, copy.status().active) == ("interrupted", False)


def test_a_finished_run_has_nothing_to_resume(uninterrupted):
    with pytest.raises(LabError, match="run is finished: there is nothing to resume"):
        resume("run", uninterrupted.path.parent)


# --- whose process ----------------------------------------------------------------------------


def test_a_reused_process_number_is_told_apart(copy):
    status = json.loads((copy.path / "status.json").read_text())

    def pretend(pid: int, started: float) -> str:
        claim = {**status, "state": "running", "pid": pid, "pid_started": started}
        (copy.path / "status.json").write_text(json.dumps(claim))
        return copy.status().state

    mine = os.getpid()
    assert pretend(mine, process_started(mine)) == "running"
    assert pretend(mine, process_started(mine) - 60) == "interrupted"
    assert pretend(2**22 + 7, 0.0) == "interrupted"  # above the largest process number
    assert pretend(0, 0.0) == pretend(-1, 0.0) == "interrupted"


# --- a full disk ------------------------------------------------------------------------------


def test_a_disk_that_fills_up_leaves_the_last_save_and_can_be_resumed(copy, uninterrupted):
    """The system refuses files over 20 kB: metrics and status still fit, a save does not."""
    assert (copy.path / CURRENT).stat().st_size > 40_000
    kept = {name: (copy.path / name).read_bytes() for name in (CURRENT, PREVIOUS, "last.safetensors")}
    process = start_lab("resume", "run", "--checkpoints", copy.path.parent, cwd=Path(), GOOGLENET_SAVE_SECONDS="0.2")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    _, errors = process.communicate(timeout=60)
    sentence = "The disk is full; the last save is intact: make room, then resume."
    assert (process.returncode, errors.strip().splitlines()[-1]) == (1, f"error: {sentence}")
    assert "Traceback" not in errors
    assert (copy.status().state, copy.status().message) == ("failed", sentence)
    assert {name: (copy.path / name).read_bytes() for name in kept} == kept
    assert not [name for name in files(copy) if name.endswith(".tmp")]
    resume("run", copy.path.parent)
    assert_same(copy, uninterrupted)


def test_a_disk_that_is_full_from_the_start(tmp_path, config):
    process = start(tmp_path / "runs", config)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert len(errors.strip().splitlines()) == 1
    assert "cannot be written" in errors
    assert not (tmp_path / "runs" / "run").exists()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="a folder that not even root can write")
def test_a_folder_that_cannot_be_written(config):
    with pytest.raises(LabError, match="/proc/runs cannot be written"):
        train(config, Path("/proc/runs"))


def test_a_file_where_the_runs_should_go(tmp_path, config):
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(LabError, match="cannot be written"):
            train(config, place)


# --- too little memory ------------------------------------------------------------------------


def test_out_of_memory_says_which_batch_to_try(tmp_path):
    """The system grants the process 16 GB of addresses; what 5,000 images give 4,096 channels of is over 40 GB."""
    network = dataclasses.replace(tiny_config(), layers=(ConvConfig("conv1", 3, 4096, 1),))
    config = TrainConfig("run", network, "shapes", batch_size=5000, validation_fraction=0.0, device="cpu")
    process = start(tmp_path, config)
    resource.prlimit(process.pid, resource.RLIMIT_AS, (16_000_000_000, resource.RLIM_INFINITY))
    _, errors = process.communicate(timeout=120)
    run = Run(tmp_path, "run")
    sentence = "A batch of 5,000 does not fit into memory: try 2,500."
    assert (process.returncode, run.status().state, run.status().message) == (1, "out_of_memory", sentence)
    assert errors.strip().splitlines()[-1] == f"error: {sentence}"
    assert "Traceback" not in errors
