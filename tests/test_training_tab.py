"""What the Train tab draws of a run: curves that keep the best epoch, and nothing that is not news."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import gradio as gr
import pytest

from googlenet.models.presets import preset
from googlenet.recipes import make_train_config
from googlenet.training.run import Run, Status
from googlenet.ui import training
from googlenet.ui.charts import Series, curve_chart, decimate
from googlenet.ui.run_view import charts_html, status_html


def written_run(checkpoints: Path, name: str, epochs: int, steps: int = 4) -> Run:
    """A run directory with a smooth history whose best epoch is one before the last."""
    run = Run(checkpoints, name)
    run.create(make_train_config(name, preset("cifar10"), data="shapes", epochs=max(1, epochs)))
    for epoch in range(epochs):
        accuracy = 0.9 if epoch == epochs - 2 else 0.5 + 0.3 * epoch / epochs
        run.append_metrics(
            {
                "Epoch": epoch,
                "Accuracy": accuracy,
                "Loss": 2 / (epoch + 1),
                "Validation accuracy": accuracy - 0.01,
                "Validation loss": 2.1 / (epoch + 1),
                "Learning rate": 0.1,
                "Images/s": 100.0,
                "Seconds": 1.0,
            }
        )
    rows = [
        {"step": n + 1, "epoch": round((n + 1) / steps, 4), "loss": 2 / (n + 1), "lr": 0.1}
        for n in range(epochs * steps)
    ]
    run.append_steps(rows)
    run.write_status(Status("finished", epoch=epochs, epochs=max(1, epochs), steps_per_epoch=steps))
    return run


def test_decimation_keeps_the_best_of_ten_thousand() -> None:
    points = [(float(n), 0.5) for n in range(10_000)]
    points[7_777] = (7_777.0, 0.99)
    kept = decimate(points)
    assert len(kept) <= 400
    assert (7_777.0, 0.99) in kept
    assert kept == sorted(kept)


def test_a_chart_has_a_text_alternative_and_dashes_for_validation() -> None:
    svg = curve_chart(
        "Loss",
        [
            Series("train", [(1, 2.0), (2, 1.0)], "#0072B2"),
            Series("validation", [(1, 2.2), (2, 1.5)], "#D55E00", dashed=True),
        ],
    )
    assert 'role="img"' in svg.replace("'", '"')
    assert "<title>Loss: train 1 at epoch 2, validation 1.5 at epoch 2</title>" in svg
    assert svg.count("stroke-dasharray") == 2  # the curve and its key


def test_a_chart_of_numbers_that_are_none_still_draws() -> None:
    assert "<path" in curve_chart("Loss", [Series("train", [(1, 2.0), (2, float("nan"))], "#000")])
    assert curve_chart("Loss", [Series("train", [], "#000")]) == ""


def test_what_comes_from_disk_is_escaped(tmp_path: Path) -> None:
    run = written_run(tmp_path, "a-run", 2)
    html = status_html(run, Status("failed", message="<script>alert(1)</script>", data="<b>", epochs=2))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_thousand_epochs_are_drawn_fast_and_the_best_is_marked(tmp_path: Path) -> None:
    run = written_run(tmp_path, "long", 1000, steps=25)
    charts_html(run)  # the first look reads all steps
    times = []
    for _ in range(5):
        start = time.perf_counter()
        html = charts_html(run)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.2
    assert "★" in html
    assert len(html) < 100_000


def test_steps_are_read_on_from_where_the_last_look_ended(tmp_path: Path) -> None:
    run = written_run(tmp_path, "growing", 2)
    before = charts_html(run)
    run.append_steps([{"step": 9, "epoch": 2.25, "loss": 7.5, "lr": 0.1}])
    assert "7.5 at epoch 2.25" not in before
    assert "train, by step 7.5 at epoch 2.25" in charts_html(run)
    run.rewind(2, 8)  # a resumed trainer starts from its last save
    assert "7.5 at epoch 2.25" not in charts_html(run)


def test_nothing_is_sent_twice(tmp_path: Path) -> None:
    written_run(tmp_path, "quiet", 3)
    first = training._refresh(tmp_path, None, [], {})
    again = training._refresh(tmp_path, "quiet", [], first[-1])
    skip = json.dumps(gr.skip())
    assert all(json.dumps(value) == skip for value in again)


def test_a_missing_folder_and_a_deleted_run_leave_the_empty_state(tmp_path: Path) -> None:
    assert training.NO_RUN in training._refresh(tmp_path / "nowhere", None, [], {})
    run = written_run(tmp_path, "gone", 2)
    seen = training._refresh(tmp_path, "gone", [], {})[-1]
    for file in run.path.iterdir():
        file.unlink()
    assert training.NO_RUN in training._refresh(tmp_path, "gone", [], seen)


def test_comparing_adds_the_other_runs_curve(tmp_path: Path) -> None:
    written_run(tmp_path, "one", 3)
    written_run(tmp_path, "two", 3)
    html = charts_html(Run(tmp_path, "one"), [Run(tmp_path, "two")])
    assert len(re.findall(r"</svg>two</li>", html)) == 2


@pytest.mark.parametrize(
    ("recipe", "network", "lr"), [("default", "cifar10", 0.2), ("note", "cifar10-truncated", 1e-4)]
)
def test_a_recipe_fills_the_form(recipe: str, network: str, lr: float) -> None:
    filled = dict(zip(training.FILLED, training._fill(recipe, network), strict=True))
    assert filled["lr"] == lr
    assert filled["checkpoint_epochs"] == ("299, 499, 699, 899" if recipe == "note" else "")
