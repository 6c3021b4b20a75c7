"""What pages that compare are sent: the curves asked for and no others, seeds as one, and nothing odd breaks it."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from trainings import training

from googlenet.runs import Run, Status
from googlenet.ui.train import watch
from googlenet.ui.train.compare.lines import MOST
from googlenet.ui.train.watch import Watcher


def make(folder: Path, name: str, accuracies: list[float], **changes: Any) -> Run:
    run = Run(folder, name)
    run.create(training(name, "shapes", **changes))
    for epoch, accuracy in enumerate(accuracies):
        known = {"Epoch": epoch, "Accuracy": accuracy, "Loss": 1.0, "Learning rate": 0.1, "Images/s": 50.0}
        run.append_metrics({**known, "Validation accuracy": accuracy - 0.1, "Validation loss": 1.5, "Seconds": 2.0})
    run.append_steps([{"step": 1, "epoch": 0.5, "loss": 2.0, "lr": 0.1}])
    run.write_status(Status("finished", epoch=len(accuracies), epochs=3, steps_per_epoch=20))
    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed, last in enumerate((0.7, 0.8, 0.9)):
        make(tmp_path, f"a-{seed}", [0.5, 0.6, last], seed=seed)
    make(tmp_path, "b", [0.3, 0.4], lr=0.02)
    return tmp_path


def lines(news: dict[str, Any]) -> dict[str, str]:
    return {line["name"]: line["panel"] for line in news["lines"]}


def test_curves_of_all_runs_are_those_asked_for_and_only_they_are_sent(folder: Path) -> None:
    news = json.loads(Watcher(folder).look("a-0", ["b"]))
    assert [(line["panel"], line["name"], line["kind"]) for line in news["lines"]] == [
        ("loss", "a-0", "dashed"),
        ("accuracy", "a-0", "dashed"),
        ("loss", "b", "dashed"),
        ("accuracy", "b", "dashed"),
    ]
    kinds = ("clock", "Validation loss", "Validation accuracy")
    assert news["points"]["more"][0].keys() == {f"{run}/{kind}" for run in ("a-0", "b") for kind in kinds}

    asked = ["rate", "speed", "train", "steps", "../x"]
    news = json.loads(Watcher(folder).look("a-0", ["b", "../x", "nowhere"], curves=asked))
    assert news["runs"][2] == ["b"]
    assert {line["panel"] for line in news["lines"]} == {"loss", "accuracy", "rate", "speed"}
    assert {"a-0, train", "a-0, by step", "b, train"} <= lines(news).keys()
    assert len({line["colour"] for line in news["lines"]}) == 2


def test_seeds_are_one_line_with_its_spread_and_grow_with_their_runs(folder: Path) -> None:
    watcher = Watcher(folder)
    news = json.loads(watcher.look("a-0", ["a-1", "a-2", "b"], seeds=True))
    assert lines(news) == {"a-0, 3 seeds": "accuracy", "b": "accuracy"}
    group = next(line for line in news["lines"] if line.get("band") and line["panel"] == "accuracy")
    points = news["points"]["more"][0]
    assert points[group["id"]] == [None, [0, 1, 2], [0.4, 0.5, 0.7]]
    low, high, count = (points[f"{group['id']} {name}"][2][-1] for name in ("low", "high", "n"))
    assert (low, high, count) == (pytest.approx(0.6), pytest.approx(0.8), 3)
    table = html.unescape(news["comparison"])
    assert "a-0, 3 seeds (0, 1, 2)" in table
    assert "70.00% ± 10.00, n = 3" in table
    assert "Learning rate" in table
    assert "Momentum" not in table

    Run(folder, "a-0").append_metrics({"Epoch": 3, "Accuracy": 1.0, "Loss": 1.0, "Validation accuracy": 1.0})
    Run(folder, "a-1").append_metrics({"Epoch": 3, "Accuracy": 1.0, "Loss": 1.0, "Validation accuracy": 0.9})
    later = json.loads(watcher.look("a-0", ["a-1", "a-2", "b"], news["at"], seeds=True, now=True))
    changed = later["points"]["more"][0]
    assert changed[group["id"]][2] == [0.4, 0.5, 0.7, 0.95]
    assert changed[f"{group['id']} n"][2] == [3, 3, 3, 2]
    assert not any(name.startswith("b/") for name in changed)


def test_a_run_that_holds_nothing_out_shows_its_training(tmp_path: Path) -> None:
    make(tmp_path, "a", [0.5])
    run = Run(tmp_path, "note")
    run.create(training("note", "shapes", validation_fraction=0.0))
    run.append_metrics({"Epoch": 0, "Accuracy": 0.4, "Loss": 1.0})
    assert "note, train" in lines(json.loads(Watcher(tmp_path).look("a", ["note"])))


def test_the_address_chooses_and_forty_runs_are_cut(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "may_see", lambda request: True)  # it asks Gradio's app, which is not here
    client = TestClient(Starlette(routes=[Watcher(folder).route()]))

    news = client.get("/watch?run=a-0&compare=a-1&compare=a-0&compare=a-2&curves=speed&seeds=1").json()
    assert lines(news) == {"a-0, 3 seeds": "speed"}
    for number in range(20):
        make(folder, f"many-{number}", [0.5], lr=0.01 * (number + 1))
    many = "".join(f"&compare=many-{number}" for number in range(20))
    assert len(client.get(f"/watch?run=a-0{many}").json()["runs"][2]) == MOST
    assert watch.Choice.of("a", [], ["rate"], seeds=True) == watch.Choice("a")  # nobody beside it: one view for all


def test_a_damaged_run_is_compared_as_far_as_it_can_be_read(folder: Path) -> None:
    (folder / "b" / "config.json").write_text("{")
    (folder / "b" / "metrics.csv").write_bytes(b"Epoch,Accuracy,Loss\n0,0.25,nonsense\n\xff\xfe,,\n")
    news = json.loads(Watcher(folder).look("a-0", ["b"]))
    assert lines(news)["b, train"] == "accuracy"
    assert "25.00%" in news["comparison"]
