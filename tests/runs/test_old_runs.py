"""Run directories that the lab wrote before it was redrawn still list, show, judge and resume."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from googlenet.inference.selection import judge_run, promote
from googlenet.runs import Run, list_checkpoints, list_runs
from googlenet.training.session import resume
from googlenet.ui.train.watch import Watcher

OLD = Path(__file__).resolve().parents[1] / "fixtures" / "runs"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of them: one that finished, one that was stopped in its second epoch."""
    return shutil.copytree(OLD, tmp_path / "runs")


def test_they_are_listed_and_read(old: Path) -> None:
    runs = {run.name: run for run in list_runs(old)}
    assert {name: run.status().state for name, run in runs.items()} == {
        "finished-before": "finished",
        "stopped-before": "stopped",
    }
    assert [run.problem() for run in runs.values()] == ["", ""]
    assert [row["Validation accuracy"] for row in runs["finished-before"].metrics()] == [0.118, 0.17]
    assert [row["step"] for row in runs["finished-before"].steps()] == list(range(1, 19))
    assert {checkpoint.name for checkpoint in list_checkpoints(old)} == {
        "finished-before/best",
        "finished-before/epoch-0000",
        "finished-before/last",
        "stopped-before/best",
        "stopped-before/last",
    }


def test_the_train_page_shows_them(old: Path) -> None:
    news = json.loads(Watcher(old).look("finished-before", ("stopped-before",)))
    assert "17.00%" in news["status"]
    assert "best.safetensors" in news["files"]


def test_they_are_judged_on_the_images_that_they_held_out(old: Path) -> None:
    judged = judge_run(old, "finished-before", device="cpu")
    assert judged.warning == ""
    assert judged.best.epoch == 1
    assert judged.best.validation_accuracy == pytest.approx(0.17, abs=0.005)
    promote(old, "finished-before", "epoch-0000")
    assert Run(old, "finished-before").find("best").epoch == 0


def test_a_stopped_one_goes_on_from_its_save(old: Path) -> None:
    before = Run(old, "stopped-before").steps()
    run = resume("stopped-before", old)
    assert run.status().state == "finished"
    assert [row["Epoch"] for row in run.metrics()] == [0, 1]
    assert run.steps()[: len(before)] == before
    assert [row["step"] for row in run.steps()] == list(range(1, 19))
