"""What the Train tab draws of a run: curves that keep the best epoch, and nothing that is not news."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import statistics
import time
from pathlib import Path

import httpx
import pytest

from googlenet.errors import LabError
from googlenet.models.presets import preset
from googlenet.recipes import make_train_config
from googlenet.runs import Run, Status
from googlenet.ui.app import build_app
from googlenet.ui.common.charts import Series, curve_chart, decimate
from googlenet.ui.page import launch_options
from googlenet.ui.train import tab as training
from googlenet.ui.train.feed import MAX_BYTES, Envelope
from googlenet.ui.train.view import NO_RUN, status_html
from googlenet.ui.train.watch import Watcher


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
    html = status_html(run, Status("failed", message="<script>alert(1)</script>", data="<b>", epochs=2), run.metrics())
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_an_envelope_keeps_both_ends_and_every_extreme() -> None:
    """However often it was thinned: early points are not worn away by late ones."""
    envelope = Envelope()
    for epoch in range(3000):
        envelope.add([(epoch + n / 10, 5.0 if epoch in (7, 1500) else 1.0 + n / 100) for n in range(10)])
    envelope.add([(3000.0, float("nan")), (3000.0, 1.0)])
    points = envelope.points()
    assert len(points) <= 800
    assert points == sorted(points)
    assert [x for x, y in points if y == 5.0] == [7.0, 1500.0]
    assert (points[0][0], points[-1][0]) == (0.0, 3000.0)
    assert max(b[0] - a[0] for a, b in itertools.pairwise(points)) < 16


def test_a_thousand_epochs_of_ten_thousand_steps(tmp_path: Path) -> None:
    """No look costs more than 200 ms of the processor, the first ones included, and the best epoch is marked."""
    run = written_run(tmp_path, "long", 1000, steps=50)  # the trainer thins 10,000 steps an epoch to 25 rows
    size = (run.path / "steps.jsonl").stat().st_size
    watcher = Watcher(tmp_path)
    times, html, seen = [], "", 0.0
    for _ in range(size // MAX_BYTES + 3):
        start = time.thread_time()
        news = json.loads(watcher.look("long", (), seen, now=True))
        times.append(time.thread_time() - start)
        html, seen = news.get("charts", html), news["at"]
    assert statistics.median(times) < 0.2
    assert set(news) == {"at"}  # all is read: nothing is parsed or drawn any more
    assert min(times) < 0.02
    assert "train, by step 4e-05 at epoch 1000" in html
    assert "★" in html
    best = re.search(r"class='gl-best' x='([\d.]+)'", html)[1]
    assert f"{best} " in re.findall(r"d='(M[^']*)'", html)[-1]  # the curve itself reaches the best epoch
    assert len(html) < 100_000


def test_a_look_reads_only_what_is_new(tmp_path: Path) -> None:
    run = written_run(tmp_path, "growing", 2)
    watcher = Watcher(tmp_path)
    first = json.loads(watcher.look("growing"))
    run.append_steps([{"step": 9, "epoch": 2.25, "loss": 7.5, "lr": 0.1}])
    (run.path / "steps.jsonl").open("a").write('{"step": 10, "epoch": 2.5, "lo')  # torn
    before = read_bytes()
    more = json.loads(watcher.look("growing", (), first["at"], now=True))
    assert read_bytes() - before < 10_000
    assert "7.5 at epoch 2.25" not in first["charts"]
    assert "train, by step 7.5 at epoch 2.25" in more["charts"]
    run.rewind(2, 8)  # a resumed trainer starts from its last save
    rewound = json.loads(watcher.look("growing", (), more["at"], now=True))
    assert "7.5 at epoch 2.25" not in rewound["charts"]


def read_bytes() -> int:
    """What this process has read from files and pipes so far; 0 where the system does not say."""
    try:
        return int(re.search(r"rchar: (\d+)", Path("/proc/self/io").read_text())[1])
    except OSError:
        return 0


def test_a_run_deleted_and_begun_anew_under_the_same_name_shows_its_own_curve(tmp_path: Path) -> None:
    old = written_run(tmp_path, "again", 5)
    watcher = Watcher(tmp_path)
    assert "at epoch 5" in json.loads(watcher.look("again"))["charts"]
    shutil.rmtree(old.path)
    written_run(tmp_path, "again", 9)
    charts = json.loads(watcher.look("again", now=True))["charts"]
    assert "train 0.2222 at epoch 9" in charts
    assert charts.count("<title>after epoch 0 ") == 2  # one in each panel: rows are not there twice


def test_nothing_is_sent_twice(tmp_path: Path) -> None:
    written_run(tmp_path, "quiet", 3)
    watcher = Watcher(tmp_path)
    first = json.loads(watcher.look(""))
    assert first["runs"] == ["quiet", ["quiet"], []]
    again = json.loads(watcher.look("", (), first["at"], now=True))
    assert set(again) == {"at"}
    other = json.loads(watcher.look("", ()))  # a page that has just been opened gets everything
    assert other["charts"] == first["charts"]


def test_what_was_just_read_answers_everybody(tmp_path: Path) -> None:
    run = written_run(tmp_path, "shared", 3)
    watcher = Watcher(tmp_path)
    first = watcher.look("shared")
    run.write_status(Status("failed", message="Seen later."))
    assert watcher.look("shared") is first
    assert b"Seen later." in watcher.look("shared", now=True)


def test_a_missing_folder_and_a_deleted_run_leave_the_empty_state(tmp_path: Path) -> None:
    nowhere = json.loads(Watcher(tmp_path / "nowhere").look(""))
    assert (nowhere["status"], nowhere["runs"]) == (NO_RUN, ["", [], []])
    run = written_run(tmp_path, "gone", 2)
    watcher = Watcher(tmp_path)
    watcher.look("gone")
    for file in run.path.iterdir():
        file.unlink()
    gone = json.loads(watcher.look("gone", now=True))
    assert gone["status"] == NO_RUN
    assert (gone["charts"], gone["files"], gone["stop"], gone["resume"]) == ("", "", False, False)


@pytest.mark.parametrize("name", ["../../etc", "no-such-run", "x" * 5000, "<b>", "\0"])
def test_a_name_that_is_no_run_shows_the_newest_one(tmp_path: Path, name: str) -> None:
    written_run(tmp_path, "there", 2)
    assert json.loads(Watcher(tmp_path).look(name, (name,) * 9))["runs"] == ["there", ["there"], []]


@pytest.mark.parametrize("gone", ["status.json", "metrics.csv", "steps.jsonl", "train.log"])
def test_a_half_deleted_run_among_foreign_things_is_shown_with_what_is_left(tmp_path: Path, gone: str) -> None:
    run = written_run(tmp_path, "half", 3)
    (run.path / "train.log").write_text("12:00:00 epoch 2\n")
    (tmp_path / "holiday.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine")
    (run.path / "notes").mkdir()
    (run.path / "epoch-0001.safetensors").write_bytes(b"not weights")
    (run.path / gone).unlink()
    news = json.loads(Watcher(tmp_path).look("half"))
    assert news["runs"] == ["half", ["half"], []]
    assert ("interrupted" if gone == "status.json" else "finished") in news["status"]
    assert ("validation 0.7 at epoch 3" in news["charts"]) == (gone != "metrics.csv")
    assert news["resume"] == (gone == "status.json")
    assert "epoch-0001.safetensors" in news["files"]
    assert "notes" not in news["files"]
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "mine"


def test_a_file_where_the_runs_should_be_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("mine")
    assert json.loads(Watcher(tmp_path / "runs").look(""))["status"] == NO_RUN
    with pytest.raises(LabError, match="/runs cannot be written") as caught:
        training.start_run(tmp_path / "runs", "cifar10", "a-run", data="shapes")
    assert "choose another folder" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_comparing_adds_the_other_runs_curve(tmp_path: Path) -> None:
    written_run(tmp_path, "one", 3)
    written_run(tmp_path, "two", 3)
    news = json.loads(Watcher(tmp_path).look("one", ("two", "one", "three")))
    assert news["runs"][2] == ["two"]
    assert len(re.findall(r"</svg>two</li>", news["charts"])) == 2


def test_news_are_for_those_who_may_see_the_page(tmp_path: Path) -> None:
    written_run(tmp_path, "private", 2)
    demo = build_app(tmp_path, "shapes")
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, auth=("ann", "secret"), **launch_options(tmp_path))
    try:
        with httpx.Client(base_url=url) as visitor:
            assert visitor.get("/watch?run=private").status_code == 401
            visitor.cookies.set("access-token-unsecure-x", "guess")
            assert visitor.get("/watch?run=private").status_code == 401
            assert visitor.post("/login", data={"username": "ann", "password": "secret"}).status_code == 200
            news = visitor.get("/watch?run=private")
            assert news.json()["runs"][0] == "private"
            assert visitor.get("/watch?run=private&seen=yesterday").status_code == 400
            file = visitor.get("/" + re.search(r"href='([^']*metrics.csv)'", news.json()["files"])[1])
            assert file.text.startswith("Epoch,Accuracy,Loss")
    finally:
        demo.close()


@pytest.mark.parametrize(
    ("recipe", "network", "lr"), [("default", "cifar10", 0.2), ("note", "cifar10-truncated", 1e-4)]
)
def test_a_recipe_fills_the_form(recipe: str, network: str, lr: float) -> None:
    filled = dict(zip(training.FILLED, training._fill(recipe, network), strict=True))
    assert filled["lr"] == lr
    assert filled["checkpoint_epochs"] == ("299, 499, 699, 899" if recipe == "note" else "")
