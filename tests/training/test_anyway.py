"""A resume that finds other images or settings: refused in a sentence, nothing lost, and how going on anyway counts."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
import time
from pathlib import Path

import pytest
import torch
from trainings import files, lab, results, training

from googlenet.data.datasets import load_images
from googlenet.errors import LabError
from googlenet.runs import Run
from googlenet.training import launcher
from googlenet.training.engine import Trainer
from googlenet.training.reporting.reporter import Reporter
from googlenet.training.resume import CURRENT, PREVIOUS, save_state
from googlenet.training.session import resume
from googlenet.training.signals import StopRequest

ADVICE = "put that back, or resume it anyway with what there is now."


@pytest.fixture
def data(folder: Path, tmp_path: Path) -> Path:
    """60 training images, 6 of them held out: 4 steps of 16 an epoch."""
    return shutil.copytree(folder, tmp_path / "data")


@pytest.fixture
def run(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Stopped after an epoch and three steps of four."""
    monkeypatch.chdir(tmp_path)
    config = training("run", data, epochs=3, ema=0.9)
    run = Run(tmp_path / "runs", "run")
    run.create(config)
    subject = Trainer(config, load_images(str(data)), run, Reporter(run), StopRequest())
    subject.train_epoch()
    subject.finish_epoch(subject.validate())
    subject.model.train()
    for step in range(3):
        subject.advance(*subject.batches.take(1, step))
    subject.record.save()
    subject.reporter.state("stopped", epoch=1, epochs=3)
    return run


def edit(run: Run, **changes: object) -> None:
    """As a user would, in config.json."""
    path = run.path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def delete_an_image_a_class(data: Path) -> None:
    for name in ("blue", "green", "red"):
        (data / "train" / name / "0.png").unlink()


def rename_the_first_to_the_last(data: Path) -> None:
    (data / "train" / "blue" / "0.png").rename(data / "train" / "blue" / "zzz.png")


def network(run: Run, **changes: object) -> dict[str, object]:
    return dataclasses.replace(run.config().network, **changes).to_dict()


CHANGES = {
    "an image fewer a class": (lambda run, data: delete_an_image_a_class(data), "60 training images (now 57)"),
    "another order": (
        lambda run, data: rename_the_first_to_the_last(data),
        "other training images, or these in another order",
    ),
    "batch size": (lambda run, data: edit(run, batch_size=8), "batch size 16 (now 8)"),
    "seed": (lambda run, data: edit(run, seed=7), "seed 0 (now 7)"),
    "split": (lambda run, data: edit(run, validation_fraction=0.2), "validation share 0.1 (now 0.2)"),
    "rule of the split": (lambda run, data: edit(run, split_by="position"), "split by content (now position)"),
    "optimizer": (
        lambda run, data: edit(run, optimizer="adam", lr=0.01),
        "learning rate 0.1 (now 0.01) and optimizer sgd (now adam)",
    ),
    "fewer epochs": (lambda run, data: edit(run, epochs=1), "epochs 3 (now 1)"),
    "no averaging": (lambda run, data: edit(run, ema=0.0), "averaging 0.9 (now 0.0)"),
    "dropout": (lambda run, data: edit(run, network=network(run, dropout=0.0)), "another network"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_difference_is_refused_and_named_and_nothing_is_lost(run: Run, data: Path, name: str) -> None:
    change, named = CHANGES[name]
    change(run, data)
    before = {path.name: path.read_bytes() for path in run.path.iterdir() if path.suffix not in (".log", ".png")}
    with pytest.raises(LabError) as caught:
        resume("run", run.path.parent)
    assert str(caught.value) == f"run was saved with {named}: {ADVICE}"
    assert caught.value.field == "anyway"
    status = run.status()
    assert (status.state, status.message) == ("stopped", str(caught.value))
    del before["status.json"]
    assert {name: (run.path / name).read_bytes() for name in before} == before


@pytest.mark.parametrize("name", CHANGES)
def test_going_on_anyway_does_the_epoch_again_with_what_there_is(run: Run, data: Path, name: str) -> None:
    change, named = CHANGES[name]
    kept = run.metrics()
    change(run, data)
    resume("run", run.path.parent, anyway=True)
    config, status = run.config(), run.status()
    assert status.state == "finished"
    assert (status.epoch, status.step) == (config.epochs, 0)
    rows, steps = run.metrics(), run.steps()
    assert [row["Epoch"] for row in rows] == list(range(config.epochs))
    assert rows[0] == kept[0]
    # The mean of an epoch is over each of its images once.
    count = {"an image fewer a class": 51, "split": 48}.get(name, 54)
    for row in rows[1:]:
        assert row["Accuracy"] * count == pytest.approx(round(row["Accuracy"] * count), abs=1e-4)
    # Steps go on being counted from those of the epochs that are over, and epochs from 0 to their number.
    numbers, epochs = [row["step"] for row in steps], [row["epoch"] for row in steps]
    assert numbers == list(range(1, len(steps) + 1))
    assert epochs == sorted(set(epochs))
    assert epochs[-1] == max(1, config.epochs)
    log = run.log_tail(30)
    assert f"It was saved with {named}: it continues anyway, from the start of epoch 1." in log
    made_of = torch.load(io.BytesIO((run.path / CURRENT).read_bytes()[:-32]), weights_only=True)["made_of"]
    assert made_of["config"] == config.to_json()  # so that the next resume compares with this


def test_put_back_it_goes_on_as_if_nothing_had_happened(run: Run, data: Path, tmp_path: Path) -> None:
    shutil.copytree(run.path, tmp_path / "other" / "run")
    edit(run, batch_size=8)
    with pytest.raises(LabError, match="batch size 16"):
        resume("run", run.path.parent)
    edit(run, batch_size=16)
    resume("run", run.path.parent)
    assert results(run) == results(resume("run", tmp_path / "other"))


def test_what_may_change(run: Run, data: Path, tmp_path: Path) -> None:
    """Where the images are, what weights are kept, what computes: none of it is another training."""
    data.rename(tmp_path / "moved")
    edit(run, data=str(tmp_path / "moved"), checkpoint_epochs=[2], device="auto", deterministic=True)
    run.path.rename(run.path.with_name("renamed"))
    resumed = resume("renamed", run.path.parent)
    assert resumed.status().state == "finished"
    assert "epoch-0002.safetensors" in files(resumed)


def test_weights_that_do_not_fit_any_more_are_refused_in_any_case(run: Run, data: Path) -> None:
    shutil.rmtree(data / "train" / "red")
    shutil.rmtree(data / "test" / "red")
    with pytest.raises(LabError, match=r"run was saved with other classes and 60 training images \(now 40\): put"):
        resume("run", run.path.parent)
    with pytest.raises(LabError, match="another network or classes: put them back, or start a new run"):
        resume("run", run.path.parent, anyway=True)


def without_fingerprint(run: Run) -> None:
    """As versions before wrote it."""
    state = torch.load(io.BytesIO((run.path / CURRENT).read_bytes()[:-32]), weights_only=True)
    del state["made_of"]
    save_state(run.path, state)
    (run.path / PREVIOUS).unlink()


def test_a_save_from_before_resumes_as_before(run: Run, tmp_path: Path) -> None:
    shutil.copytree(run.path, tmp_path / "other" / "run")
    without_fingerprint(run)
    resume("run", run.path.parent)
    assert results(run) == results(resume("run", tmp_path / "other"))


def test_a_save_from_before_is_refused_where_its_steps_cannot_be(run: Run, data: Path) -> None:
    without_fingerprint(run)
    edit(run, batch_size=30)
    with pytest.raises(LabError, match=r"run was saved with epochs of another length \(now 2 steps\): put") as caught:
        resume("run", run.path.parent)
    assert caught.value.field == "anyway"
    assert resume("run", run.path.parent, anyway=True).status().state == "finished"


def test_a_refusal_is_waited_for_however_long_the_data_takes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was waited for 20 seconds, and later stood in the status alone: nobody was asked whether to go on."""
    edit(run, seed=7)
    begun, now = time.monotonic(), time.monotonic
    monkeypatch.setattr(launcher, "START_SECONDS", 1e9)
    monkeypatch.setattr(launcher.time, "monotonic", lambda: begun + 30 * (now() - begun))  # each second is thirty
    with pytest.raises(LabError, match="seed 0"):
        launcher.resume("run", run.path.parent)
    assert launcher.time.monotonic() - begun > 20


def test_from_the_command_line_and_from_the_app(run: Run, data: Path) -> None:
    edit(run, seed=7)
    sentence = f"run was saved with seed 0 (now 7): {ADVICE}"
    asked = ["resume", "run", "--checkpoints", str(run.path.parent)]
    refused = lab(*asked, cwd=Path())
    assert (refused.returncode, refused.stderr) == (2, f"error: {sentence}\n")
    with pytest.raises(LabError) as caught:
        launcher.resume("run", run.path.parent)
    assert (str(caught.value), caught.value.field) == (sentence, "anyway")
    assert run.status().state == "stopped"
    launcher.resume("run", run.path.parent, anyway=True)
    asked = lab(*asked, "--anyway", cwd=Path())  # the other one is at work, or has finished
    assert "already running" in asked.stderr or "there is nothing to resume" in asked.stderr
