"""What may be asked of a run: refused in a sentence where it makes no sense, and one whole line where it does."""

from __future__ import annotations

import json
import math
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from googlenet.cli.main import main
from googlenet.errors import LabError
from googlenet.models.presets import preset
from googlenet.recipes import make_train_config
from googlenet.runs import Run, Status, ask, can_resume, planned, process_started, waiting
from googlenet.runs.steering.commands import COMMANDS, read_commands
from googlenet.runs.steering.taken import STEERING, Plan, Taken, read_steering


def make_run(folder: Path, name: str = "run", state: str = "running", **changes: Any) -> Run:
    run = Run(folder, name)
    run.create(make_train_config(name, preset("cifar10"), **changes))
    mine = os.getpid()
    run.write_status(Status(state, epoch=4, epochs=10, pid=mine, pid_started=process_started(mine), message="Why."))
    (run.path / "resume.pt").write_bytes(b"state")
    return run


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        ("rate", 0, "learning rate must be a number above 0 and up to 100, not 0"),
        ("rate", -1, "above 0 and up to 100, not -1"),
        ("rate", math.nan, "above 0 and up to 100, not nan"),
        ("rate", 1e9, "above 0 and up to 100, not 1000000000"),
        ("rate", None, "not nothing"),
        ("epochs", 4, "run has 4 epochs done, so 4 in all is too few: give more than 4"),
        ("epochs", 1.5, "epochs must be a whole number from 1 to 100,000, not 1.5"),
        ("epochs", 10, "run is to train for 10 epochs in all already"),
        ("patience", -1, "patience must be a whole number from 0 to 100,000, not -1"),
        ("keep", 1, "keep takes no value"),
        ("fly", 1, "command must be one of epochs, rate, patience, keep, not 'fly'"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    tmp_path: Path, kind: str, value: Any, sentence: str
) -> None:
    run = make_run(tmp_path)
    with pytest.raises(LabError, match=sentence):
        ask(tmp_path, "run", kind, value)
    assert not (run.path / COMMANDS).exists()


@pytest.mark.parametrize(
    ("state", "kind", "sentence"),
    [
        ("diverged", "epochs", "is diverged and cannot go on, so there is nothing to steer: Why"),
        ("finished", "rate", "is finished: extend it first"),
        ("finished", "keep", "is finished: last.safetensors holds its weights"),
        ("out_of_memory", "keep", "is out of memory: last.safetensors holds its weights"),
        ("running", "patience", "holds no validation images out"),
    ],
)
def test_the_state_of_the_run_decides(tmp_path: Path, state: str, kind: str, sentence: str) -> None:
    make_run(tmp_path, state=state, validation_fraction=0.0)
    with pytest.raises(LabError, match=sentence):
        ask(tmp_path, "run", kind, None if kind == "keep" else 20)
    with pytest.raises(LabError, match="There is no run called other"):
        ask(tmp_path, "other", "rate", 0.1)


def test_a_finished_run_can_be_resumed_once_it_is_extended(tmp_path: Path) -> None:
    run = make_run(tmp_path, state="finished")
    status = run.status()
    assert not can_resume(run, status)
    ask(tmp_path, "run", "epochs", 12)
    assert can_resume(run, status)
    assert planned(run, run.config()) == 12
    ask(tmp_path, "run", "rate", 0.01)  # for when it goes on
    assert [line.command.kind for line in waiting(run)] == ["epochs", "rate"]
    (run.path / "resume.pt").unlink()
    assert not can_resume(run, status)
    with pytest.raises(LabError, match="cannot go on: what a resume needs was pruned"):
        ask(tmp_path, "run", "epochs", 14)


def test_many_may_ask_at_once_and_a_torn_line_hides_none(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    (run.path / COMMANDS).write_bytes(b'{"command": "rate", "val')  # by one that was killed
    askers = [threading.Thread(target=ask, args=(tmp_path, "run", "rate", n / 100)) for n in range(1, 21)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    lines = read_commands(run)
    assert sorted(line.command.value for line in lines if line.command) == [n / 100 for n in range(1, 21)]
    assert sum(line.command is None for line in lines) == 1
    with (run.path / COMMANDS).open("ab") as file:
        file.write(b'{"command": "keep"')
    assert read_commands(run) == lines


def test_a_line_that_is_no_answer_of_a_trainer_is_passed_over(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    good = Taken("a", None, 3, 0.5, "no").to_dict()
    bad = [{**good, **change} for change in ({"id": 3}, {"step": -1}, {"epoch": math.nan}, {"refused": ""})]
    text = "\n".join(map(json.dumps, [good, *bad, good])).encode()
    (run.path / STEERING).write_bytes(b"\xff\xfe\n[[\n" + text + b'\n{"id"')
    assert read_steering(run) == [Taken("a", None, 3, 0.5, "no")]


def test_early_stopping_counts_from_its_command_or_the_best_epoch() -> None:
    plan = Plan(100, patience=3, waits_from=10)
    assert [plan.is_spent(epoch, 2) for epoch in (12, 13)] == [False, True]
    assert [plan.is_spent(epoch, 11) for epoch in (14, 15)] == [False, True]
    assert not Plan(100, waits_from=10).is_spent(99, 0)


def test_the_command_line_asks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path)

    def lab(*words: str) -> int:
        return main(["runs", *words, "--checkpoints", str(tmp_path)])

    assert [
        lab("extend", "run", "20"),
        lab("rate", "run", "1e-3"),
        lab("patience", "run", "5"),
        lab("keep", "run"),
    ] == [0] * 4
    assert "asked for learning rate 0.001; its trainer takes it before its next step" in capsys.readouterr().out
    asked = [(line.command.kind, line.command.value) for line in read_commands(run)]
    assert asked == [("epochs", 20), ("rate", 0.001), ("patience", 5), ("keep", None)]
    for words in (("rate", "run", "fast"), ("rate", "run", "nan"), ("extend", "run", "3"), ("keep", "run", "now")):
        assert lab(*words) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    make_run(tmp_path, "over", "finished")
    assert lab("extend", "over", "12") == 0
    assert "python -m googlenet resume over" in capsys.readouterr().out
    make_run(tmp_path, "gone", "diverged")
    lab()
    assert "gone  diverged  4 of 10 epochs done\n  Why.\n" in capsys.readouterr().out
