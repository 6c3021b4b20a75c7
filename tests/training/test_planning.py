"""What is said of a training before it starts, held against trainings."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from trainings import make_folder, training

from googlenet.cli.main import _parser, main
from googlenet.cli.train import train_config
from googlenet.data.augment import EpochPlan
from googlenet.data.datasets import images_a_class, load_images
from googlenet.errors import LabError
from googlenet.language import speaking
from googlenet.models.formats.share import parse_network
from googlenet.models.presets import preset
from googlenet.recipes import CALLED, NETWORKS, make_train_config
from googlenet.runs.manage import disk_size
from googlenet.training.batches import Batches
from googlenet.training.optim import learning_rate
from googlenet.training.planning import trial as planning
from googlenet.training.planning.command import OPTIONS, command_line
from googlenet.training.planning.costs import costs_of
from googlenet.training.planning.preview import DRAWS, IMAGES, preview
from googlenet.training.planning.schedule import rate_curve
from googlenet.training.planning.trial import measure, measure_apart
from googlenet.training.session import train

BUDGETS = {"quick": 0.239, "hour": 0.971, "best": 153}  # PFLOP


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("data") / "colours", 40, 5)


def told(command: str) -> Any:
    """What the command line would train."""
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "googlenet"]
    return train_config(_parser().parse_args(words[3:]))


@pytest.mark.parametrize(
    ("network", "recipe", "changes"),
    [
        ("cifar10", "default", {}),
        ("cifar10-truncated", "note", {"epochs": 500, "data": "a folder/it's"}),
        ("cifar10-truncated", "note", {"checkpoint_epochs": (3, 300), "validation_fraction": 0.1, "normalize": True}),
        ("cifar10-medium", "quick", {}),
        ("cifar10-narrow", "hour", {}),
        ("cifar10-fine", "best", {"trivial_augment": False, "cutmix": 1.0, "whitening": True}),
        ("cifar10.aux", "full", {"ema": 0.0, "cutout": 0, "flip": False, "compiled": True, "seed": 7}),
        ("cifar10.two3x3~inception3a.ch1x1.80~name.my-net~batch_norm.0", "default", {"lr": 1.5e-05, "device": "cpu"}),
    ],
)
def test_the_command_trains_the_same(network: str, recipe: str, changes: dict[str, Any]) -> None:
    config = make_train_config("a-run", parse_network(network), recipe, **changes)
    assert told(command_line(config)) == config


def test_the_command_has_every_setting_and_only_those_that_differ() -> None:
    note = make_train_config("r", preset("cifar10-truncated"), "note", epochs=3, checkpoint_epochs=())
    assert command_line(note) == (
        "python -m googlenet train --preset cifar10-truncated --data cifar10 --recipe note --epochs 3 --name r"
    )
    other = {
        "epochs": 3, "batch_size": 32, "lr": 0.5, "optimizer": "adam", "momentum": 0.5, "weight_decay": 0.1,
        "schedule": "constant", "warmup": 0.5, "label_smoothing": 0.2, "flip": False, "crop_padding": 2,
        "normalize": False, "cutout": 4, "ema": 0.5, "validation_fraction": 0.2, "checkpoint_epochs": (1,), "seed": 3,
        "device": "cpu", "compiled": True, "deterministic": True,
        "norm_decay": True, "logit_norm": 0.04, "whitening": True, "dirac": True, "trivial_augment": True,
        "cutmix": 0.5,
    }  # fmt: skip
    assert set(other) == set(OPTIONS)
    config = make_train_config("r", preset("cifar10"), **other)
    command = command_line(config, Path("/some where/runs"), name="")
    assert [option for option in OPTIONS.values() if option not in command.replace("--no-", "--")] == []
    assert "--name" not in command
    assert command.endswith("--checkpoints '/some where/runs'")
    assert told(command).run.startswith("cifar10-2")
    kept = make_train_config("r", preset("cifar10-truncated"), "note", checkpoint_epochs=())
    assert told(command_line(kept)).checkpoint_epochs == ()


@pytest.mark.parametrize("schedule", ["one-cycle", "triangle", "constant"])
@pytest.mark.parametrize(("steps", "epochs"), [(1, 1), (7, 3), (176, 100)])
def test_the_schedule_is_the_trainers(schedule: str, steps: int, epochs: int) -> None:
    config = training("r", "shapes", epochs=epochs, schedule=schedule, lr=0.3)
    curve = rate_curve(config, steps)
    every = [learning_rate(config, step, steps * epochs) for step in range(steps * epochs)]
    assert all(rate == every[round(x * steps)] for x, rate in curve.points)
    assert (curve.points[0][1], curve.points[-1][1], curve.peak[1]) == (every[0], every[-1], max(every))
    assert len(curve.points) <= 246


def test_images_steps_and_disk_are_those_of_a_training(tmp_path: Path, folder: Path) -> None:
    config = training("small", folder, epochs=2, batch_size=17, ema=0.9, checkpoint_epochs=(0,))
    costs = costs_of(config)
    train(config, tmp_path)
    assert disk_size(tmp_path / "small") == pytest.approx(costs.disk, rel=0.1)
    batches = Batches(load_images(str(folder)), config, torch.device("cpu"))
    assert (costs.images, costs.held_out) == (batches.count, len(batches.held_out)) == (108, 12)
    assert (costs.steps_per_epoch, costs.steps) == (batches.steps, 2 * batches.steps)
    assert images_a_class(str(folder)) == (40, 40, 40)


def test_arithmetic_is_what_the_readme_quotes() -> None:
    ours = make_train_config("r", preset("cifar10-fine"), "full")
    assert (costs_of(ours).pflop, costs_of(ours).steps) == (pytest.approx(41.2, abs=0.05), 9300)
    assert costs_of(make_train_config("r", preset("cifar10"))).pflop == pytest.approx(0.33, abs=0.005)
    budgets = {recipe: costs_of(make_train_config("r", preset(NETWORKS[recipe]), recipe)).pflop for recipe in CALLED}
    assert budgets == {recipe: pytest.approx(pflop, rel=0.01) for recipe, pflop in BUDGETS.items()}
    short = make_train_config("r", preset("cifar10"), epochs=1)
    assert costs_of(short).pflop == pytest.approx(0.033, abs=0.0005)
    adam = make_train_config("r", preset("cifar10"), optimizer="adam", ema=0.9)
    assert costs_of(adam).disk - costs_of(short).disk == pytest.approx(2 * 4 * 2 * 5_983_402, rel=0.01)
    with pytest.raises(LabError, match="/nowhere"):
        costs_of(make_train_config("r", preset("cifar10"), data="/nowhere/at/all"))


def test_the_preview_is_what_the_trainer_gives_the_network(folder: Path) -> None:
    config = training("r", folder, crop_padding=3, cutout=9, seed=5, epochs=4)
    batches = Batches(load_images(str(folder)), config, torch.device("cpu"))
    for draw, epoch in ((0, 0), (3, 3), (5, 1)):
        shown = preview(config, draw)
        images, labels, _ = batches.take(epoch, 0)
        assert shown.epoch == epoch
        assert torch.equal(shown.images, images[:IMAGES])
        assert shown.classes == tuple(("blue", "green", "red")[label] for label in labels[:IMAGES].tolist())
    mixed = training("r", folder, cutmix=1.0, trivial_augment=True, seed=5)
    seen, labels, _ = Batches(load_images(str(folder)), mixed, torch.device("cpu")).take(0, 0)
    shown = preview(mixed)
    assert torch.equal(shown.images[:16], seen[:16])
    assert shown.classes[:16] == tuple(("blue", "green", "red")[label] for label in labels.argmax(1).tolist()[:16])
    plain = preview(training("r", folder, crop_padding=0, flip=False, seed=5))
    order = EpochPlan.draw(108, 5, 0, flip=False, padding=0, device=torch.device("cpu")).order
    assert torch.equal(plain.images, batches.images[order[:IMAGES]])
    assert preview(training("r", folder, epochs=99), DRAWS + 2).epoch == 2


@pytest.mark.flaky(reruns=2)  # what spins while it waits for the other core is counted too
def test_an_estimate_is_of_the_right_size_and_leaves_nothing(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the processor's seconds, and wide: how right it is, benchmarks/estimate.py says on trainings that last."""
    train(training("first", folder, epochs=1), tmp_path / "runs")  # imports what draws curves, which takes seconds
    monkeypatch.setattr(planning, "LONG_ENOUGH", 0.5)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    config = training("small", folder, epochs=12, batch_size=16)
    trial = measure(config, began=time.process_time(), clock=time.process_time)
    before = time.process_time()
    train(config, tmp_path / "runs")
    ratio = trial.seconds / (time.process_time() - before)
    with capsys.disabled():
        print(f"\n[estimate: {ratio:.2f} of what it took]", end=" ")
    assert 0.5 < ratio < 2
    assert trial.memory > 50e6
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_an_estimate_in_a_process_of_its_own(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    said: list[str] = []
    with speaking("ko"):
        trial = measure_apart(training("small", folder), lambda share, text: said.append(text))
    assert any(text.startswith("측정 중: ") for text in said), said
    assert (trial.steps >= 4, trial.seconds > 0.5, trial.stand_in) == (True, True, False)
    assert len(set(said)) > 1
    with pytest.raises(LabError, match="There is no folder '/nowhere'"):
        measure_apart(training("small", "/nowhere"))

    class Enough(Exception):
        pass

    def refuse(share: float, text: str) -> None:
        if share:
            raise Enough

    with pytest.raises(Enough):
        measure_apart(training("small", folder, batch_size=2), refuse)
    assert list(tmp_path.iterdir()) == []
    assert running("googlenet estimate", tmp_path) == 0


def running(command: str, within: Path) -> int:
    """Processes of this user whose temporary folder lies in `within`: those that were started here."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            found += command in words and str(within).encode() in (process / "environ").read_bytes()
        except OSError:
            continue
    return found


def test_the_command_estimate(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.json").write_text(training("small", folder).to_json())
    monkeypatch.setattr(planning, "LONG_ENOUGH", 0.1)
    assert main(["estimate", "--config", str(tmp_path / "c.json"), "--checkpoints", str(tmp_path)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"tiny on {folder}: 108 training images, 7 steps an epoch, 3 epochs, ")
    assert "images/s) and " in second
    assert main(["estimate", "--config", str(tmp_path / "c.json"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["costs"]["steps"] == 21
    assert [path.name for path in tmp_path.iterdir()] == ["c.json"]
