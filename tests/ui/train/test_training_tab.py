"""What the Train tab draws of a run: curves that keep the best epoch, and nothing that is not news."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import os
import re
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest

from googlenet.cli.main import _parser
from googlenet.cli.train import train_config
from googlenet.errors import LabError
from googlenet.language import speaking
from googlenet.models.presets import preset
from googlenet.recipes import TrainConfig, make_train_config
from googlenet.runs import Run, Status, process_started
from googlenet.training import launcher
from googlenet.ui.app import build_app
from googlenet.ui.common.charts import MAX_POINTS, Envelope, Series, chart_values, curve_chart
from googlenet.ui.common.figures import time_left
from googlenet.ui.events.access import Access
from googlenet.ui.page import launch_options
from googlenet.ui.train import tab as training
from googlenet.ui.train.curves import REMEMBERED
from googlenet.ui.train.feed import MAX_BYTES
from googlenet.ui.train.form import RECIPE_FIELDS, Form, network_for, recipe_fields
from googlenet.ui.train.view import status_html, status_values
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


class Page:
    """What a page knows after each piece of news, as static/train/charts.js puts them together."""

    def __init__(self) -> None:
        self.seen, self.lines, self.points = 0.0, [], {}

    def hear(self, news: bytes) -> dict[str, Any]:
        """Take what `Watcher.look` answered."""
        plain = json.loads(news)
        self.seen, self.lines = plain["at"], plain.get("lines", self.lines)
        told = plain.get("points", {"whole": False, "more": []})
        if told["whole"]:
            self.points = {}
        for line, (start, xs, ys) in (pair for more in told["more"] for pair in more.items()):
            kept = [] if start is None else [(x, y) for x, y in self.points.get(line, []) if x < start]
            self.points[line] = [*kept, *zip(xs, ys, strict=True)]
        return plain

    @property
    def ends(self) -> dict[tuple[str, str], tuple[float, int]]:
        """(value, epoch) of the last point, by panel and name of the line."""
        last = {(line["panel"], line["name"]): self.points[line["id"]][-1] for line in self.lines}
        return {key: (y, math.ceil(x - 0.5)) for key, (x, y) in last.items()}


def page_of(watcher: Watcher, run: str, others: tuple[str, ...] = ()) -> Page:
    """A page that has just been opened."""
    page = Page()
    page.hear(watcher.look(run, others))
    return page


def ends(html: str) -> dict[tuple[str, str], tuple[float, int]]:
    """(value, epoch) of the last point, by panel and series, out of a drawn chart's text alternative."""
    return {
        (panel, name): (float(value.rstrip("%")), int(epoch.replace(",", "")))
        for panel, text in re.findall(r"<title>(Loss|Accuracy): (.*?)</title>", html)
        for name, value, epoch in re.findall(r"(?:, |^)(.+?) (\S+) at epoch (\d[\d,]*?)(?=, |$)", text)
    }


def test_decimation_keeps_the_best_of_ten_thousand() -> None:
    points = [(float(n), 0.5) for n in range(10_000)]
    points[7_777] = (7_777.0, 0.99)
    kept = Envelope(points).points()
    assert len(kept) <= MAX_POINTS
    assert (7_777.0, 0.99) in kept
    assert kept == sorted(kept)


def test_a_chart_has_a_text_alternative_and_dashes_for_validation() -> None:
    html = curve_chart(
        "Loss",
        [
            Series("train", [(0, 2.0), (1, 1.0)], "#0072B2"),
            Series("validation", [(0, 2.2), (1, 1.5)], "#D55E00", dashed=True),
        ],
    )
    assert 'role="img"' in html
    assert ends(html) == {("Loss", "train"): (1.0, 1), ("Loss", "validation"): (1.5, 1)}
    assert html.count("gl-dashed") == 2  # the curve and its key


def drawn(*series: Series, **options: Any) -> Any:
    """What the template of a chart is given."""
    return chart_values("Loss", series, **options)


def test_epochs_are_numbered_from_0_and_steps_lie_around_the_row_of_their_epoch() -> None:
    values = drawn(
        Series("steps", [(-0.25, 3.0), (0.5, 2.0), (1.5, 1.0)], "#000", faint=True), Series("rows", [(1, 1.5)], "#000")
    )
    assert values["ends"] == "steps 1 at epoch 1, rows 1.5 at epoch 1"
    assert values["x_labels"] == [(250.0, "0"), (750.0, "1")]  # the axis goes from half before 0 to half behind 1
    assert values["lines"][0]["path"].startswith("M125 ")
    assert values["lines"][1]["path"].startswith("M750 ")
    assert values["stripes"] == [(500.0, 500.0, "epoch 1: rows 1.5")]


def test_a_single_step_is_a_dot_and_not_an_empty_chart() -> None:
    line = drawn(Series("train, by step", [(-0.4, 2.3)], "#000", faint=True))["lines"][0]
    assert re.fullmatch(r"M100 \d+(\.\d)?h0", line["dots"])


def test_a_chart_draws_the_numbers_that_are_some() -> None:
    """A file may hold any: what cannot be drawn is left out, the rest stays where it belongs."""
    odd = [float("nan"), float("inf"), -float("inf"), 1e300, -1e308, 10**400]
    values = drawn(
        Series("train", [(0, 2.0), *((n + 1, y) for n, y in enumerate(odd)), (7, 1.0), (1e300, 1.0)], "#000")
    )
    assert values["lines"][0]["path"].count("L") == 1
    assert values["ends"] == "train 1 at epoch 7"
    assert drawn(Series("train", [(0, y) for y in odd], "#000")) is None
    assert drawn(Series("train", [], "#000")) is None
    assert curve_chart("Loss", [Series("train", [], "#000")]) == ""
    unsorted = drawn(Series("train", [(9, 1.0), *[(3, float(n)) for n in range(999)], (0, 2.0)], "#000"))
    assert unsorted["ends"] == "train 1 at epoch 9"
    assert unsorted["lines"][0]["path"].count("L") == 3  # 3 at its lowest and at its highest
    tiny = drawn(Series("train", [(0, 5e-324), (1, 0.0)], "#000"), best=(0, float("nan")))
    assert tiny["best"] is None


def test_what_comes_from_disk_is_escaped(tmp_path: Path) -> None:
    run = written_run(tmp_path, "a-run", 2)
    html = status_html(run, Status("failed", message="<script>alert(1)</script>", data="<b>", epochs=2), run.metrics())
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_the_status_in_figures(tmp_path: Path) -> None:
    run = written_run(tmp_path, "a-run", 3)
    values = status_values(run, Status("running", epoch=3, epochs=10, seconds_left=754), run.metrics())
    assert (values["state"], values["left"], values["troubles"]) == ("running", "13 min", [])
    assert values["figures"] == [
        ("Train loss", "0.6667", "epoch 2"),
        ("Train accuracy", "70.00%", "epoch 2"),
        ("Best validation accuracy", "89.00%", "epoch 1"),
        ("Speed", "100 images/s", ""),
    ]
    failed = status_values(run, Status("out_of_memory", message="Try 8."), [])
    assert (failed["state"], failed["left"], failed["troubles"]) == ("out of memory", "", ["Try 8."])
    assert [figure[1] for figure in failed["figures"]] == ["–"] * 4


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(2, "5 s"), (42, "40 s"), (58, "1 min"), (754, "13 min"), (3571, "1 h 00 min"), (7459, "2 h 05 min")],
)
def test_the_time_left_is_no_finer_than_it_is_known(seconds: float, words: str) -> None:
    assert time_left(seconds) == words


def test_an_envelope_keeps_both_ends_and_every_extreme() -> None:
    """However often it was thinned: early points are not worn away by late ones."""
    envelope = Envelope()
    for epoch in range(3000):
        envelope.add([(epoch + n / 10, 5.0 if epoch in (7, 1500) else 1.0 + n / 100) for n in range(10)])
    envelope.add([(3000.0, 1.0)])
    points = envelope.points()
    assert len(points) <= MAX_POINTS
    assert points == sorted(points)
    assert [x for x, y in points if y == 5.0] == [7.0, 1500.0]
    assert (points[0][0], points[-1][0]) == (0.0, 3000.0)
    assert max(b[0] - a[0] for a, b in itertools.pairwise(points)) < 32


def test_a_thousand_epochs_of_ten_thousand_steps(tmp_path: Path) -> None:
    """No look costs more than 200 ms of the processor, the first ones included, and the best epoch is there."""
    run = written_run(tmp_path, "long", 1000, steps=50)  # the trainer thins 10,000 steps an epoch to 25 rows
    size = (run.path / "steps.jsonl").stat().st_size
    watcher, page, times, lengths = Watcher(tmp_path), Page(), [], []
    for _ in range(size // MAX_BYTES + 3):
        start = time.thread_time()
        answer = watcher.look("long", (), page.seen, now=True)
        times.append(time.thread_time() - start)
        lengths.append(len(answer))
        news = page.hear(answer)
    assert statistics.median(times) < 0.2
    assert set(news) == {"at"}  # all is read: nothing is parsed or drawn any more
    assert min(times) < 0.02
    assert page.ends["loss", "train, by step"] == (4e-05, 999)
    held_out = page.points["long/Validation accuracy"]
    assert len(held_out) == 1000
    assert max(held_out, key=lambda point: point[1]) == (998, 0.89)
    assert sum(lengths) < 400_000
    fresh = page_of(watcher, "long")  # is sent everything at once
    assert fresh.points == page.points


def test_a_look_reads_and_sends_only_what_is_new(tmp_path: Path) -> None:
    run = written_run(tmp_path, "growing", 400)
    watcher, page = Watcher(tmp_path), Page()
    page.hear(watcher.look("growing"))
    first = dict(page.ends)
    run.append_steps([{"step": 1601, "epoch": 400.25, "loss": 7.5, "lr": 0.1}])
    with (run.path / "steps.jsonl").open("a") as file:
        file.write('{"step": 1602, "epoch": 400.5, "lo')  # torn
    before = read_bytes()
    answer = watcher.look("growing", (), page.seen, now=True)
    assert read_bytes() - before < 30_000
    assert len(answer) < 2000
    page.hear(answer)
    assert first["loss", "train, by step"] == (0.00125, 399)
    assert page.ends["loss", "train, by step"] == (7.5, 400)
    late = page_of(watcher, "growing")
    assert late.points == page.points  # piece by piece, or at once
    run.rewind(400, 1600)  # a resumed trainer starts from its last save
    page.hear(watcher.look("growing", (), page.seen, now=True))
    assert page.ends == first


def test_a_page_that_was_away_for_long_is_sent_everything(tmp_path: Path) -> None:
    run = written_run(tmp_path, "growing", 2)
    watcher, page, away = Watcher(tmp_path), Page(), Page()
    for reader in (page, away):
        reader.hear(watcher.look("growing"))
    for step in range(9, 9 + REMEMBERED + 2):
        run.append_steps([{"step": step, "epoch": step / 4, "loss": float(step), "lr": 0.1}])
        assert not page.hear(watcher.look("growing", (), page.seen, now=True))["points"]["whole"]
    assert away.hear(watcher.look("growing", (), away.seen))["points"]["whole"]
    assert away.points == page.points


def read_bytes() -> int:
    """What this process has read from files and pipes so far; 0 where the system does not say."""
    try:
        return int(re.search(r"rchar: (\d+)", Path("/proc/self/io").read_text())[1])
    except OSError:
        return 0


def test_a_run_deleted_and_begun_anew_under_the_same_name_shows_its_own_curve(tmp_path: Path) -> None:
    old = written_run(tmp_path, "again", 5)
    watcher, page = Watcher(tmp_path), Page()
    page.hear(watcher.look("again"))
    assert page.ends["loss", "train"] == (0.4, 4)
    shutil.rmtree(old.path)
    written_run(tmp_path, "again", 9)
    page.hear(watcher.look("again", (), page.seen, now=True))
    assert page.ends["loss", "train"] == (0.22222, 8)
    assert [x for x, _ in page.points["again/Loss"]] == list(range(9))  # rows are not there twice


def test_nothing_is_sent_twice(tmp_path: Path) -> None:
    written_run(tmp_path, "quiet", 3)
    watcher = Watcher(tmp_path)
    first = json.loads(watcher.look(""))
    assert first["runs"] == ["quiet", ["quiet"], []]
    again = json.loads(watcher.look("", (), first["at"], now=True))
    assert set(again) == {"at"}
    other = json.loads(watcher.look("", ()))  # a page that has just been opened gets everything
    assert (other["lines"], other["points"]) == (first["lines"], first["points"])


def test_what_a_run_tells_comes_with_its_news(tmp_path: Path) -> None:
    run = written_run(tmp_path, "told", 3)
    told = json.loads(Watcher(tmp_path).look("told"))["alerts"]
    assert (told["kind"], told["word"]) == ("finished", "finished")
    assert "Finished: all 3 epochs are done; the best validation accuracy is 89.00%, after epoch 1." in told["html"]
    run.write_status(Status("failed", message="<b>It broke.</b>"))
    news = json.loads(Watcher(tmp_path).look("told"))
    assert (news["alerts"]["kind"], news["alerts"]["html"].strip()) == ("failed", "")  # said with the state
    assert "&lt;b&gt;It broke." in news["status"]


def test_the_axis_goes_to_the_planned_end_in_epochs_and_steps(tmp_path: Path) -> None:
    run = written_run(tmp_path, "planned", 3)
    run.write_status(Status("stopped", epoch=3, epochs=30, steps_per_epoch=4))
    written_run(tmp_path, "other", 2, steps=7)
    plan = json.loads(Watcher(tmp_path).look("planned", ("other",)))["plan"]
    assert plan == {"epochs": 30, "steps": {"planned": 4, "other": 7}, "recipe": "default"}


def test_what_was_just_read_answers_everybody(tmp_path: Path) -> None:
    run = written_run(tmp_path, "shared", 3)
    watcher = Watcher(tmp_path)
    first = watcher.look("shared")
    run.write_status(Status("failed", message="Seen later."))
    assert watcher.look("shared") is first
    assert b"Seen later." in watcher.look("shared", now=True)


def test_a_missing_folder_and_a_deleted_run_leave_the_empty_state(tmp_path: Path) -> None:
    nowhere = json.loads(Watcher(tmp_path / "nowhere").look(""))
    assert nowhere["runs"] == ["", [], []]
    assert "No run yet" in nowhere["status"]
    run = written_run(tmp_path, "gone", 2)
    watcher = Watcher(tmp_path)
    watcher.look("gone")
    for file in run.path.iterdir():
        file.unlink()
    gone = json.loads(watcher.look("gone", now=True))
    assert gone["status"] == nowhere["status"]
    assert (gone["lines"], gone["files"], gone["stop"], gone["resume"]) == ([], "", False, False)


@pytest.mark.parametrize("name", ["../../etc", "no-such-run", "x" * 5000, "<b>", "\0"])
def test_a_name_that_is_no_run_shows_the_newest_one(tmp_path: Path, name: str) -> None:
    written_run(tmp_path, "there", 2)
    assert json.loads(Watcher(tmp_path).look(name, (name,) * 9))["runs"] == ["there", ["there"], []]


BAD = {
    "status.json": [b'{"state": "running", "pid": "1"}', b"[]", b"[" * 100_000, b'{"state": ["x"], "epochs": 1e999}'],
    "metrics.csv": [b"Epoch,Accuracy,Loss\r\ninf,,\r\n", b"Epoch\r\n\xff\r\n", b"Epoch,Loss\r\n1e300,nan\r\n"],
    "steps.jsonl": [b'{"step": 1, "epoch": 0.5, "loss": ' + b"9" * 400 + b"}\n", b"[" * 100_000 + b"\n"],
    "config.json": [b"{}", b'{"network": ' + b"[" * 100_000, b"\xff"],
}


@pytest.mark.parametrize(("file", "content"), [(file, content) for file, all in BAD.items() for content in all])
def test_a_bad_run_takes_nobodys_view_down(tmp_path: Path, file: str, content: bytes) -> None:
    written_run(tmp_path, "good", 3)
    (written_run(tmp_path, "bad", 3).path / file).write_bytes(content)
    watcher = Watcher(tmp_path)
    assert page_of(watcher, "good").ends["loss", "train"] == (0.66667, 2)
    assert page_of(watcher, "good", ("bad",)).ends["loss", "good"] == (0.7, 2)  # of validation, where two are compared
    bad = json.loads(watcher.look("bad"))
    assert bad["runs"][0] == "bad"
    troubles = re.findall(r"gl-message.*?>(.*?)</p>", bad["status"])
    assert any(file in sentence for sentence in troubles)


def test_what_nobody_foresaw_is_one_sentence_in_the_place_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        written_run(tmp_path, name, 3)
    read = Run.steps_history
    monkeypatch.setattr(Run, "steps_history", lambda run: read(run) if run.name == "one" else 1 // 0)
    watcher = Watcher(tmp_path)
    news = json.loads(watcher.look("two", ("one",)))
    assert "The run two cannot be shown" in news["status"]
    assert (news["lines"], news["resume"]) == ([], False)
    assert ("loss", "two") not in page_of(watcher, "one", ("two",)).ends


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
    assert ("half/Validation loss" in [line["id"] for line in news["lines"]]) == (gone != "metrics.csv")
    assert news["resume"] == (gone == "status.json")
    assert "epoch-0001.safetensors" in news["files"]
    assert "notes" not in news["files"]
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "mine"


def test_a_file_where_the_runs_should_be_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("mine")
    assert json.loads(Watcher(tmp_path / "runs").look(""))["runs"] == ["", [], []]
    with pytest.raises(LabError, match="/runs cannot be written") as caught:
        training.start_run(tmp_path / "runs", "cifar10", "a-run", data="shapes")
    assert "choose another folder" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_comparing_adds_the_other_runs_curve(tmp_path: Path) -> None:
    written_run(tmp_path, "one", 3)
    written_run(tmp_path, "two", 3)
    page = Page()
    assert page.hear(Watcher(tmp_path).look("one", ("two", "one", "three")))["runs"][2] == ["two"]
    assert [key for key in page.ends if key[1] == "two"] == [("loss", "two"), ("accuracy", "two")]


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
            file = visitor.get("/" + re.search(r'href="([^"]*metrics.csv)"', news.json()["files"])[1])
            assert file.text.startswith("Epoch,Accuracy,Loss")
    finally:
        demo.close()


def answers(form: Form, **typed: Any) -> list[Any]:
    """What a form sends in which only these fields were touched."""
    return [typed.get(name, field.value) for name, field in form.fields.items()]


def after(updates: list[Any], before: dict[str, Any]) -> dict[str, Any]:
    """The recipe's fields once `updates` have reached the page."""
    return {name: before[name] if new == gr.skip() else new for name, new in zip(RECIPE_FIELDS, updates, strict=True)}


@pytest.mark.parametrize(
    ("recipe", "network", "lr"), [("default", "cifar10", 0.2), ("note", "cifar10-truncated", 1e-4)]
)
def test_a_recipe_fills_the_form(recipe: str, network: str, lr: float) -> None:
    filled = recipe_fields(recipe, network)
    assert filled["lr"] == lr
    assert filled["checkpoint_epochs"] == ("299, 499, 699, 899" if recipe == "note" else "")


def test_a_recipe_comes_with_its_network_and_takes_it_along() -> None:
    for recipe, network in (("quick", "cifar10"), ("hour", "cifar10-narrow"), ("note", "cifar10-truncated")):
        assert network_for(recipe, "cifar10-fine") == network
    assert network_for("default", "cifar10-narrow") == network_for("full", "cifar10-narrow") == "cifar10"
    assert network_for("full", "cifar10-fine") == network_for("best", "own~link") == gr.skip()


@pytest.fixture(scope="module")
def form() -> Form:
    with gr.Blocks():
        return Form(Access("shapes"))


def test_what_a_person_typed_stays_and_the_rest_follows(form: Form) -> None:
    before = recipe_fields("default", "cifar10")
    typed = {**before, "epochs": 7}
    filled, box, words, *updates = form.follow("note", "cifar10-truncated", before, *typed.values())
    shown = after(updates, typed)
    assert (shown["epochs"], shown["batch_size"], shown["lr"]) == (7, 2048, 1e-4)
    assert shown["checkpoint_epochs"] == ""  # none of the recipe's lies within 7 epochs
    assert box["visible"]
    assert "Epochs (recipe: 1,000)" in words
    # Another network later, it still counts as typed; on request everything is the recipe's again.
    filled, box, words, *updates = form.follow("default", "cifar10", filled, *shown.values())
    assert after(updates, shown) == {**before, "epochs": 7}
    _, box, _, *updates = form.follow("default", "cifar10", filled, *[None] * len(RECIPE_FIELDS))
    assert after(updates, shown) == before
    assert not box["visible"]


def test_checkpoint_epochs_that_were_filled_in_follow_the_epochs_and_typed_ones_do_not(form: Form) -> None:
    before = recipe_fields("note", "cifar10-truncated")
    typed = {**before, "epochs": 500}
    filled, _, _, epochs = form.notice("note", "cifar10-truncated", before, *typed.values())
    assert epochs == filled["checkpoint_epochs"] == "299, 499"
    typed = {**before, "epochs": 5, "checkpoint_epochs": "3, 300"}
    assert form.notice("note", "cifar10-truncated", before, *typed.values())[3] == gr.skip()
    # A field that is being emptied, to type another number into it, is left alone.
    assert form.notice("note", "cifar10-truncated", before, *{**before, "epochs": None}.values())[3] == gr.skip()


def test_a_typed_number_stays_typed_when_a_recipe_happens_to_say_the_same(form: Form) -> None:
    before = recipe_fields("default", "cifar10")
    filled, *_ = form.follow("full", "cifar10", before, *{**before, "epochs": 100, "flip": False}.values())
    shown = {**recipe_fields("full", "cifar10"), "epochs": 100, "flip": False}
    filled, _, words, *updates = form.follow("note", "cifar10-truncated", filled, *shown.values())
    assert after(updates, shown) == {
        **recipe_fields("note", "cifar10-truncated"),
        "epochs": 100,
        "checkpoint_epochs": "",
    }
    # The note does not flip either; typed back to what the recipe says, it follows the recipe again.
    note = after(updates, shown)
    filled, *_ = form.notice("note", "cifar10-truncated", filled, *{**note, "epochs": 1000}.values())
    _, _, words, *updates = form.follow("default", "cifar10", filled, *{**note, "epochs": 1000}.values())
    assert after(updates, note) == {**before, "flip": False}
    assert "Flip (recipe: on)" in words


def test_every_setting_of_a_recipe_is_in_the_form_and_on_the_command_line(form: Form) -> None:
    settings = {field.name for field in dataclasses.fields(TrainConfig)} - {"split_by"}  # how earlier runs were split
    assert set(form.fields) - {"aux_heads"} == settings
    typed = {"weight_decay": 0.01, "label_smoothing": 0.2, "optimizer": "adam", "schedule": "constant", "flip": False}
    filled = recipe_fields("default", "cifar10")
    chosen = form.settings(filled, *answers(form, **typed))
    options = ["--weight-decay", "0.01", "--label-smoothing", "0.2", "--optimizer", "adam", "--schedule", "constant"]
    told = train_config(_parser().parse_args(["train", "--data", "shapes", "--name", "a", "--no-flip", *options]))
    del chosen["run"], chosen["aux_heads"]
    assert make_train_config("a", preset(chosen.pop("network")), **chosen) == told
    assert {name: getattr(told, name) for name in typed} == typed


def test_a_short_training_by_the_note_is_not_refused_for_what_the_form_filled_in(form: Form) -> None:
    filled = recipe_fields("note", "cifar10-truncated")
    settings = form.settings(filled, *answers(form, **{**filled, "recipe": "note", "epochs": 5}))
    del settings["run"], settings["aux_heads"]
    network = preset(settings.pop("network"))
    config = make_train_config("short", network, **settings)
    assert (config.epochs, config.checkpoint_epochs, config.batch_size) == (5, (), 2048)
    mine = answers(form, **{**filled, "recipe": "note", "epochs": 5, "checkpoint_epochs": "3, 300"})
    settings = {**form.settings(filled, *mine), "run": "short", "network": network}
    del settings["aux_heads"]
    with pytest.raises(LabError, match="300") as caught:
        make_train_config(**settings)
    assert caught.value.field == "checkpoint_epochs"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("epochs", 1.5, "Epochs must be a whole number from 1 to 100,000, not 1.5."),
        ("batch_size", 0, "Batch size must be a whole number from 1 to 65,536, not 0."),
        ("lr", -1, "Learning rate must be a number above 0 and up to 100, not -1."),
        ("validation_fraction", 2, "Validation share must be a number from 0 to 0.5, not 2."),
        ("ema", 5, "Averaging must be a number from 0 to 0.99999, not 5."),
        ("weight_decay", 2, "Weight decay must be a number from 0 to 1, not 2."),
        ("schedule", "steep", "Schedule must be one of one-cycle, triangle, constant, not "),
        ("cutmix", 2, "CutMix must be a number from 0 to 1, not 2."),
        ("logit_norm", -1, "LogitNorm must be a number from 0 to 10, not -1."),
        ("run", "A b", "A run name is 1 to 64 lower-case letters"),
        ("data", "/no/such/folder", "/no/such/folder"),
    ],
)
def test_a_refusal_names_the_field_as_the_page_does_beside_it_and_in_view(
    tmp_path: Path, form: Form, field: str, value: Any, sentence: str
) -> None:
    filled = recipe_fields("default", "cifar10")
    with pytest.raises(LabError) as caught:
        training.start_run(tmp_path, **form.settings(filled, *answers(form, **{field: value})))
    in_view, unfold, deeper, *marks = form.mark(caught.value)
    assert sentence in in_view
    deep = ("weight_decay", "schedule", "cutmix", "logit_norm")
    folded = ("validation_fraction", "ema", "run", *deep)
    assert unfold == (gr.update(open=True) if field in folded else gr.skip())
    assert deeper == (gr.update(open=True) if field in deep else gr.skip())
    marked = {name: mark for name, mark in zip(form.fields, marks, strict=True) if mark["elem_classes"]}
    assert list(marked) == [field]
    assert marked[field]["info"].startswith("⚠ ")
    assert sentence in marked[field]["info"]
    assert all(mark["info"] == hint for mark, hint in zip(form.mark(None)[3:], form.hints.values(), strict=True))


def test_a_form_that_was_built_in_english_answers_in_korean(form: Form) -> None:
    filled = recipe_fields("default", "cifar10")
    with speaking("ko"):
        with pytest.raises(LabError) as caught:
            training.planned(**form.settings(filled, *answers(form, batch_size=0)))
        marks = form.mark(caught.value)[3:]
        own = form.follow("default", "cifar10", filled, *[{**filled, "flip": False}[name] for name in RECIPE_FIELDS])
    assert str(caught.value) == "배치 크기: 1에서 65,536 사이의 정수여야 합니다(입력값: 0)."
    assert all(re.search("[가-힣]", mark["info"]) for mark in marks)
    assert "좌우 반전(레시피: 켬)" in own[2]
    assert form.mark(None)[3]["info"].startswith("cifar10 and narrow for a CPU")


def test_stop_says_so_before_the_trainer_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step may take ten seconds on a slow machine."""
    run = written_run(tmp_path, "slow", 1)
    me = os.getpid()
    run.write_status(Status("running", epoch=1, epochs=9, pid=me, pid_started=process_started(me), seconds_left=99))
    monkeypatch.setattr(launcher, "stop", lambda name, checkpoints: None)  # the trainer has not looked yet
    status, button = training.stop_run(tmp_path, "slow")
    assert re.search(r'class="gl-pill gl-\w+">(.*?)<', status)[1] == "stopping"
    assert "left" not in status
    assert button["interactive"] is False
    assert run.status().state == "running"  # only the trainer writes


def test_a_resume_on_other_data_is_a_question_and_other_refusals_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, checkpoints: Path, *, anyway: bool) -> None:
        if name == "busy":
            raise LabError("A training is already running.", "run")
        if not anyway:
            raise LabError("Its images are not the same any more.", "anyway")

    monkeypatch.setattr(launcher, "resume", refuse)
    assert training.resume_run(tmp_path, "changed") == "Its images are not the same any more."
    assert training.resume_run(tmp_path, "changed", anyway=True) == ""
    with pytest.raises(LabError, match="already"):
        training.resume_run(tmp_path, "busy")
