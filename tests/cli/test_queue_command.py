"""The commands queue and sweep, and train --queue: what they print, refuse and leave on the disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from trainings import training

from googlenet.cli.main import main
from googlenet.runs import queue


@pytest.fixture
def paused(tmp_path: Path) -> Path:
    """A folder of runs in which nothing begins."""
    queue.pause(tmp_path, True)
    return tmp_path


def say(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_trainings_are_queued_listed_moved_and_cancelled(paused: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = ("--checkpoints", paused)
    assert say(capsys, "queue", *here)[1].splitlines()[1].startswith("Nothing waits in the queue: add a training with")
    asked = ("--data", "shapes", "--epochs", "2", *here)
    assert say(capsys, "train", "--queue", "--run", "a", *asked)[1] == "a: number 1 in the queue.\n"
    assert say(capsys, "queue", "add", "--run", "b", "--lr", "0.05", *asked)[1] == "b: number 2 in the queue.\n"
    assert say(capsys, "queue", "first", "b", *here)[1] == "b is number 1 in the queue.\n"
    lines = say(capsys, "queue", *here)[1].splitlines()
    assert lines[0] == "The queue is paused: queue resume lets it go on."
    assert lines[1].startswith("1  b  cifar10, default, 2 epochs, auto  asked 20")
    assert lines[1].endswith("by command line")
    found = json.loads(say(capsys, "queue", "--json", *here)[1])
    assert found["paused"] is True
    assert [(row["run"], row["lr"], row["position"]) for row in found["waiting"]] == [("b", 0.05, 1), ("a", 0.2, 2)]
    assert say(capsys, "queue", "cancel", "a", *here)[1] == "a is out of the queue.\n"
    assert say(capsys, "queue", "run", *here)[1] == ""  # paused
    for arguments, sentence in (
        (("queue", "up", *here), "error: queue up takes the name of a run that waits after it.\n"),
        (("queue", "pause", "b", *here), "error: queue pause takes no name after it.\n"),
        (("queue", "up", "../x", *here), "error: No '../x' waits in the queue, where now is: b.\n"),
        (
            ("queue", "add", "--run", "b", *asked),
            "error: A training called b waits in the queue: choose",
        ),
        (("train", "--queue", "--device", "cuda:9", *asked), "error: There is no cuda:9 device here"),
        (("train", "--device", "cuda:x", *asked), "error: device must be one of auto, cuda, mps, cpu, not 'cuda:x'.\n"),
    ):
        code, _, errors = say(capsys, *arguments)
        assert (code, errors.startswith(sentence)) == (2, True), errors


def test_a_sweep_is_told_before_it_is_added(paused: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("sweep", "--run", "s", "--data", "shapes", "--epochs", "1", "--checkpoints", paused)
    lists = ("--seeds", "0-1", "--networks", "cifar10,cifar10-truncated")
    _, told, _ = say(capsys, *asked, *lists)
    names = ["s-cifar10-s0", "s-cifar10-s1", "s-cifar10-truncated-s0", "s-cifar10-truncated-s1"]
    assert told.splitlines()[:4] == names
    assert told.splitlines()[4].startswith("4 runs, ")
    assert "MiB on disk in all" in told
    assert queue.read_queue(paused).entries == ()
    assert "4 trainings are in the queue, as group s." in say(capsys, *asked, *lists, "--yes")[1]
    entries = queue.read_queue(paused).entries
    assert [entry.name for entry in entries] == names
    assert {entry.facts.group for entry in entries} == {"s"}
    # Each network has its own recipe's rate, as with train --preset.
    assert [entry.config.lr for entry in entries if entry.config] == [0.2, 0.2, 0.001, 0.001]
    code, _, errors = say(capsys, *asked, "--seeds", "0-9999")
    assert (code, errors) == (2, "error: A sweep has 100 runs at most, and this would be 10,000: leave some out.\n")
    (paused / "config.json").write_text(training("x", "shapes").to_json())
    code, _, errors = say(capsys, *asked, *lists, "--config", paused / "config.json")
    assert "--config names one network" in errors
