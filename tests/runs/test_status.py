"""status.json is read field by field, whatever it holds."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from googlenet.errors import LabError
from googlenet.models.presets import preset
from googlenet.recipes import make_train_config
from googlenet.runs import Busy, Run, Status, active_run, list_runs, process_started, trainer_lock, while_not_trained
from googlenet.runs.lock import is_free

ALIVE = {"state": "running", "pid": os.getpid(), "pid_started": process_started(os.getpid())}


def make_run(folder: Path, name: str, **status: Any) -> Run:
    run = Run(folder, name)
    run.create(make_train_config(name, preset("cifar10")))
    if status:
        (run.path / "status.json").write_text(json.dumps(status))
    return run


def test_what_is_written_is_read(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    status = Status(**ALIVE, epoch=3, epochs=10, step=4, steps_per_epoch=9, seconds_left=1.5, message="Saving")
    run.write_status(status)
    assert run.status() == status
    run.write_status(Status("stopped", problem="a sentence of the reader's"))
    assert run.status() == Status("stopped")


WRONG = [
    ("pid", "1"),
    ("pid", -1),
    ("pid", 2**40),
    ("pid", 1.0),
    ("pid", True),
    ("pid", None),
    ("pid", 10**400),
    ("pid_started", "yesterday"),
    ("pid_started", float("nan")),
    ("epoch", 1.5),
    ("epoch", -1),
    ("epochs", float("inf")),
    ("step", [1]),
    ("steps_per_epoch", {}),
    ("heartbeat", 10**400),
    ("images_per_second", float("inf")),
    ("images_per_second", "fast"),
    ("seconds_left", float("nan")),
    ("seconds_left", "soon"),
    ("message", 5),
    ("device", None),
    ("data", ["shapes"]),
    ("state", "flying"),
    ("state", ["running"]),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_field_of_a_wrong_type_is_told_of_and_the_others_are_read(tmp_path: Path, field: str, value: Any) -> None:
    right = {"state": "finished", "epoch": 2, "epochs": 3, "message": "Done"}
    run = make_run(tmp_path, "run", **{**right, field: value})
    status = run.status()
    assert status.problem.startswith(f"Cannot read all of status.json: {field} is ")
    assert run.problem() == status.problem
    assert len(status.problem) < 120
    default = "interrupted" if field == "state" else Status.__dataclass_fields__[field].default
    assert {name: getattr(status, name) for name in right} | {field: getattr(status, field)} == {
        **right,
        field: default,
    }
    assert 0 <= status.progress <= 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": 3', '"running"', "\0", "[" * 100_000, "1" * 5000, "\xff"])
def test_a_status_that_is_none_reads_as_interrupted(tmp_path: Path, text: str) -> None:
    run = make_run(tmp_path, "run")
    (run.path / "status.json").write_bytes(text.encode("latin-1"))
    assert run.status() == Status("interrupted", problem="There is no readable status.json.")


def test_long_words_are_cut(tmp_path: Path) -> None:
    status = make_run(tmp_path, "run", state="failed", message="x" * 10_000).status()
    assert len(status.message) == 500
    status = make_run(tmp_path, "other", state="x" * 10_000, pid="y" * 10_000).status()
    assert len(status.problem) < 200


@pytest.mark.parametrize("name", ["status.json", "config.json", "metrics.csv", "steps.jsonl", "train.log"])
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path, name: str) -> None:
    run = make_run(tmp_path, "run", state="finished")
    (run.path / name).unlink(missing_ok=True)
    os.mkfifo(run.path / name)
    run.status(), run.metrics(), run.steps(), run.log_tail(), run.problem(), list_runs(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "utf-8"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"lr": ' + b"9" * 5000, "is not JSON"),
        (b"[]", ""),
        (json.dumps({"run": "run"}).encode(), "network"),
    ],
)
def test_a_damaged_description_is_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    run = make_run(tmp_path, "run", state="stopped")
    (run.path / "config.json").write_bytes(content)
    with pytest.raises(LabError, match=r"^The config\.json of run is damaged: ") as caught:
        run.config()
    assert words in str(caught.value)
    assert run.problem() == str(caught.value)
    assert run.status() == Status("stopped")
    assert "\n" not in run.problem()


# --- liveness, in one place -------------------------------------------------------------------


def test_a_bad_run_blocks_no_start_and_hides_no_other(tmp_path: Path) -> None:
    make_run(tmp_path, "good", **ALIVE)
    make_run(tmp_path, "bad", **{**ALIVE, "pid": str(os.getpid())})
    busy = active_run(tmp_path)
    assert busy
    assert busy[0].name == "good"
    (tmp_path / "good" / "status.json").unlink()
    assert active_run(tmp_path) is None
    assert Run(tmp_path, "bad").status().state == "interrupted"


def test_a_killed_run_is_written_while_another_is_trained(tmp_path: Path) -> None:
    make_run(tmp_path, "killed", **{**ALIVE, "pid_started": 1.0})
    make_run(tmp_path, "trained", **ALIVE)
    with trainer_lock(tmp_path):
        with while_not_trained(tmp_path, "killed"):
            pass
        with pytest.raises(LabError, match="trained is being trained: stop it"), while_not_trained(tmp_path, "trained"):
            pass
        with pytest.raises(LabError, match=r"already running \(trained\)"), trainer_lock(tmp_path):
            pass
    with trainer_lock(tmp_path):  # it was given back
        pass


def test_no_trainer_begins_while_a_run_is_written(tmp_path: Path) -> None:
    make_run(tmp_path, "run", state="finished")
    with while_not_trained(tmp_path, "run"):
        with pytest.raises(LabError, match="run is just being changed"), trainer_lock(tmp_path, "run"):
            pass
        with trainer_lock(tmp_path, "other"):  # another run may be trained
            pass


def test_each_device_has_a_trainer_and_each_run_one(tmp_path: Path) -> None:
    make_run(tmp_path, "first", **ALIVE, place="cuda:0")
    two = ("cuda:0", "cuda:1")
    with trainer_lock(tmp_path, "first", two) as first, trainer_lock(tmp_path, "second", two) as second:
        assert (first, second) == two
        with (
            pytest.raises(Busy, match=r"already running on cuda:0 and cuda:1 \(first\)"),
            trainer_lock(tmp_path, "x", two),
        ):
            pass
        with pytest.raises(LabError, match="first is just being changed"), trainer_lock(tmp_path, "first"):
            pass
        with trainer_lock(tmp_path, "on-the-cpu") as third:
            assert third == "cpu"
            assert not is_free(tmp_path, "cpu")
    assert is_free(tmp_path, "cpu")
    with trainer_lock(tmp_path, "team", two, every=True):
        assert not is_free(tmp_path, "cuda:1")
    with trainer_lock(tmp_path, "one", two[1:]), pytest.raises(Busy), trainer_lock(tmp_path, "team", two, every=True):
        pass
    assert is_free(tmp_path, "cuda:0")
