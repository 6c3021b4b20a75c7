"""Runs beside each other: only what differs is told, seeds of the same settings belong together."""

from __future__ import annotations

import dataclasses
import statistics
from pathlib import Path

import pytest
from trainings import training

from googlenet.cli.main import main
from googlenet.config import GoogLeNetConfig, InceptionConfig
from googlenet.models.presets import preset
from googlenet.recipes import make_train_config
from googlenet.runs import Run
from googlenet.runs.comparison import Group, compare, mean_and_spread, mean_curve, other_seeds
from googlenet.runs.steering.commands import Command
from googlenet.runs.steering.taken import Taken, add_steering


def make(folder: Path, name: str, **changes: object) -> Run:
    run = Run(folder, name)
    run.create(training(name, "shapes", **changes))
    return run


def test_seeds_are_a_group_and_only_settings_that_differ_are_told(tmp_path: Path) -> None:
    made = [make(tmp_path, f"a-{seed}", seed=seed) for seed in (0, 1, 2)]
    made.append(make(tmp_path, "b", lr=0.02, flip=False))
    groups, differ = compare(made)
    assert groups == [Group(("a-0", "a-1", "a-2"), ("0", "1", "2")), Group(("b",), ("0",))]
    assert [group.name for group in groups] == ["a-0, 3 seeds", "b"]
    assert differ == {
        "learning rate": {"a-0": "0.1", "a-1": "0.1", "a-2": "0.1", "b": "0.02"},
        "flip": {"a-0": "on", "a-1": "on", "a-2": "on", "b": "off"},
        "seed": {"a-0": "0", "a-1": "1", "a-2": "2", "b": "0"},
    }
    assert other_seeds(made[0], made) == ["a-1", "a-2"]
    assert other_seeds(made[3], made) == []


def test_a_steered_run_is_no_seed_of_one_that_was_not(tmp_path: Path) -> None:
    made = [make(tmp_path, f"a-{seed}", seed=seed) for seed in (0, 1)]
    assert len(compare(made)[0]) == 1
    add_steering(made[0], [Taken("x", Command("rate", 0.01), 120, 2.5)])
    groups, differ = compare(made)
    assert len(groups) == 2
    assert differ["steered"]["a-0"].endswith("from step 120")
    assert differ["steered"]["a-1"] == ""


def _first_module(network: GoogLeNetConfig) -> int:
    return next(n for n, layer in enumerate(network.layers) if isinstance(layer, InceptionConfig))


def test_networks_are_told_apart_by_what_differs_in_them(tmp_path: Path) -> None:
    network = preset("cifar10")
    wider = [
        dataclasses.replace(layer, ch1x1=65, ch3x3=127) if isinstance(layer, InceptionConfig) and n == 0 else layer
        for n, layer in enumerate(network.layers, start=-_first_module(network))
    ]
    run, other, far = (Run(tmp_path, name) for name in ("plain", "edited", "note"))
    run.create(make_train_config("plain", network))
    other.create(make_train_config("edited", dataclasses.replace(network, layers=tuple(wider))))
    far.create(dataclasses.replace(run.config(), run="note", network=preset("cifar10-truncated")))
    differ = compare([run, other])[1]
    assert set(differ) == {"network", "network: inception3a ch1x1", "network: inception3a ch3x3"}
    assert differ["network: inception3a ch1x1"] == {"plain": "64", "edited": "65"}
    differ = compare([run, far])[1]
    assert set(differ) == {"network"}
    assert differ["network"]["plain"] == "cifar10, 5,983,402 parameters"


def test_a_damaged_run_says_nothing_of_itself_and_the_others_are_compared(tmp_path: Path) -> None:
    made = [make(tmp_path, f"a-{seed}", seed=seed) for seed in (0, 1)] + [make(tmp_path, "b"), make(tmp_path, "c")]
    for run in made[2:]:
        (run.path / "config.json").write_text('{"network": 5}')
    groups, differ = compare(made)
    assert [group.runs for group in groups] == [("a-0", "a-1"), ("b",), ("c",)]
    assert differ == {"seed": {"a-0": "0", "a-1": "1", "b": "", "c": ""}}


def test_the_mean_goes_on_where_two_curves_do() -> None:
    curves = [[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)], [(0.0, 2.0), (2.0, 2.0)], [(0.0, 6.0)]]
    found = mean_curve(curves)
    assert [(x, n) for x, _, _, n in found] == [(0, 3), (1, 2), (2, 2)]
    assert [mean for _, mean, _, _ in found] == [3, 2.5, 3.5]
    assert found[0][2] == pytest.approx(statistics.stdev([1, 2, 6]))
    assert mean_curve(curves[:1]) == []
    assert mean_and_spread([0.5]) == (0.5, 0.0)


def test_the_command_line_says_what_seeds_reach_and_what_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, best in ((0, 0.6), (1, 0.8)):
        run = make(tmp_path, f"a-{seed}", seed=seed)
        run.append_metrics({"Epoch": 0, "Accuracy": 0.5, "Loss": 1.0, "Validation accuracy": best})
    assert main(["runs", "compare", "a-0", "a-1", "--checkpoints", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "a-0, a-1: best validation accuracy 70.00% ± 14.14 points (n = 2)" in said
    assert "  seed: a-0 0, a-1 1" in said
