"""What the Evaluate tab does with a small real run, and what it draws."""

from __future__ import annotations

import base64
import dataclasses
import io
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
import torch
from gradio_client import Client
from PIL import Image
from tiny import CLASSES, tiny_checkpoint
from trainings import training

from googlenet.data.datasets import Split
from googlenet.errors import LabError
from googlenet.inference.calibration import reliability
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import Evaluation, evaluate_split
from googlenet.inference.selection import weights_digest
from googlenet.models.weights import read_info
from googlenet.runs import Run
from googlenet.training.session import train
from googlenet.ui.api import publish
from googlenet.ui.common.access import Access
from googlenet.ui.common.long_work import Cancellation, Cancelled, refusable
from googlenet.ui.evaluate import checkpoint_view as view
from googlenet.ui.evaluate import events
from googlenet.ui.evaluate import view as evaluate_view
from googlenet.ui.evaluate.answers import AnswerBook, parse_cell


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """A run of three epochs whose weights were all kept."""
    checkpoints = tmp_path_factory.mktemp("judged") / "checkpoints"
    train(training("tried", folder, checkpoint_epochs=(0, 1, 2), validation_fraction=0.25), checkpoints)
    return checkpoints


@pytest.fixture
def checkpoints(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "checkpoints")


@pytest.fixture
def book(checkpoints: Path, folder: Path) -> AnswerBook:
    return AnswerBook(checkpoints, str(folder))


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# --- a run ------------------------------------------------------------------------------------


def test_judged_once_and_remembered(checkpoints: Path) -> None:
    assert events.stored(checkpoints, "tried", events.OWN).result is None
    heard: list[float] = []
    shown = events.judge(checkpoints, "tried", events.OWN, lambda share, words: heard.append(share))
    assert heard[-1] == 1
    assert len(shown.result.rows) == 3
    assert events.stored(checkpoints, "tried", events.OWN) == shown
    # What the page shows already is not drawn anew, and a newer judgement is not taken away.
    assert events.stored_view(checkpoints, "tried", events.OWN, shown) is None
    assert events.stored_view(checkpoints, "tried", events.OWN, None)[0] == shown
    (checkpoints / "tried" / "validation.json").unlink()
    assert events.stored_view(checkpoints, "tried", events.OWN, shown) is None


def test_the_table_marks_what_is_proposed_and_what_is_chosen(checkpoints: Path) -> None:
    shown = events.judge(checkpoints, "tried", None, None)
    names = [row.name for row in shown.result.rows]
    other = next(name for name in names if name != shown.result.proposed)
    _, table, steps, dropdown, done, reports = events.run_view(checkpoints, shown, other)
    assert [re.findall(r"aria-current", row) != [] for row in re.findall(r"<tr data.*?</tr>", table)] == [
        name == other for name in names
    ]
    starred = next(row for row in re.findall(r"<tr data.*?</tr>", table) if "★" in row)
    assert shown.result.proposed.rpartition("/")[2] in starred
    assert table.count("★") == 2  # in the table and on the curve
    assert dropdown.value in next(row.names for row in shown.result.rows if row.name == other)
    assert steps.visible
    assert done == ""
    assert "Not reported yet" in reports
    assert "gl-dashed" in table


def test_where_overfitting_sets_in_is_marked_and_said(checkpoints: Path) -> None:
    shown = events.judge(checkpoints, "tried", None, None)
    for epoch, marks in ((None, 0), (1, 2)):
        result = dataclasses.replace(shown.result, overfits_from=epoch, overfitting=f"It overfits: {epoch}.")
        html = evaluate_view.judgement(result, Run(checkpoints, "tried"), result.best)
        assert html.count('class="gl-mark"') == marks
        assert html.count("overfits from here") == marks // 2
        assert f"It overfits: {epoch}." in html


def test_promotion_is_asked_about_done_and_calibrated(checkpoints: Path) -> None:
    run = checkpoints / "tried"
    shown = events.judge(checkpoints, "tried", None, None)
    best = weights_digest(run / "best.safetensors")
    row = next(row for row in shown.result.rows if "tried/best" not in row.names)
    question = events.promotion_question(shown, row.name)
    assert question.startswith(f"Make {row.name.rpartition('/')[2]}")
    view = events.promote(checkpoints, shown, row.name, None)
    assert weights_digest(run / "best.safetensors") != best
    again = next(found for found in view[0].result.rows if "tried/best" in found.names)
    assert again.digest == row.digest
    facts = read_info(run / "best.safetensors").facts
    kept = f"temperature {facts['temperature']:.3f}" if "temperature" in facts else "no temperature was stored"
    assert f"is the best of tried now; {kept}" in view[4]
    assert "already" in events.promotion_question(view[0], "tried/best")


def test_a_report_is_made_once_and_says_so(checkpoints: Path) -> None:
    shown = events.judge(checkpoints, "tried", None, None)
    assert "Do it once" in events.report_question(checkpoints, shown, "tried/best")
    first = events.report(checkpoints, shown, "tried/best", None)
    assert text(first).count("on test: tried/best") == 1
    assert "used already" in events.report_question(checkpoints, shown, "tried/best")
    assert "Reported 2 times" in events.report(checkpoints, shown, "tried/last", None)


@pytest.mark.parametrize("source", ["../x", "tried/best", "", None, 7, ["tried"]])
def test_what_is_no_run_is_refused(checkpoints: Path, source: object) -> None:
    with pytest.raises(LabError, match="There is no run or network"):
        events.judge(checkpoints, source, None, None)
    assert events.stored(checkpoints, source, None).result is None


def test_steps_need_a_judgement(checkpoints: Path) -> None:
    for step in (
        lambda: events.promotion_question(None, "tried/best"),
        lambda: events.report(checkpoints, events.Shown("tried", None), "tried/best", None),
    ):
        with pytest.raises(LabError, match="Evaluate the checkpoints of a run first"):
            step()
    shown = events.judge(checkpoints, "tried", None, None)
    with pytest.raises(LabError, match="tried has no checkpoint 'other/best'"):
        events.report(checkpoints, shown, "other/best", None)


def test_weights_of_no_run_are_judged_on_test(checkpoints: Path, book: AnswerBook, folder: Path) -> None:
    shutil.copy(checkpoints / "tried" / "best.safetensors", checkpoints / "alone.safetensors")
    names = [name for _, name in events.source_choices(checkpoints, None).choices]
    assert names == ["tried", "alone"]
    shown = events.judge(checkpoints, "alone", None, None)
    _, table, steps, dropdown, *_ = events.run_view(checkpoints, shown)
    assert table == events.ALONE
    assert not steps.visible
    assert dropdown.value == "alone"
    answers = book.ask("alone")
    assert answers.result.n == 18
    assert "test images" in answers.on
    assert "it has no temperature" in events.look(book, "alone", None, None)[-1]  # none is fitted on test images


def test_empty_states_say_what_to_do(tmp_path: Path) -> None:
    assert events.source_choices(tmp_path, "gone").value is None
    assert events.stored_view(tmp_path, None, None, None)[1] == events.NOTHING


# --- a checkpoint -----------------------------------------------------------------------------


def test_answers_are_the_evaluations_and_asked_once(book: AnswerBook, checkpoints: Path) -> None:
    answers = book.ask("tried/epoch-0000")
    assert book.ask("tried/epoch-0000") is answers
    assert "held out" in answers.on
    expected = evaluate_split(Classifier(checkpoints / "tried" / "epoch-0000.safetensors"), answers.images)
    assert torch.equal(answers.result.logits, expected.logits)
    assert np.array_equal(np.asarray(answers.image(3)), answers.images.images[3].permute(1, 2, 0).numpy())
    for index in (-1, answers.result.n, None, "x", 1.5):
        with pytest.raises(LabError, match="image must be a whole number"):
            answers.image(index)


def test_a_cells_images_are_the_right_ones_surest_first(book: AnswerBook) -> None:
    answers = book.ask("tried/epoch-0000")
    true, said = view.first_cell(answers.result)
    html = events.cell_images(answers, true, said)
    numbers = [int(number) for number in re.findall(r"data-image='(\d+)'", html)]
    assert numbers == answers.result.cell(true, said)
    shares = [float(share) for share in re.findall(r"([\d.]+)%</span>", html)]
    assert shares == sorted(shares, reverse=True)
    first = base64.b64decode(re.search(r"base64,([^']+)", html)[1])
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(first))), np.asarray(answers.image(numbers[0])))


@pytest.mark.parametrize("told", ["3-0", "0-3", "-1-0", "a-b", "1", None, ["0-1"], "0-1-2", {}])
def test_no_cell_outside_the_matrix(told: object) -> None:
    with pytest.raises(LabError):
        parse_cell(told, 3)
    assert parse_cell("2-0", 3) == (2, 0)


def test_two_side_by_side(book: AnswerBook, checkpoints: Path, folder: Path) -> None:
    figures, galleries = events.side_by_side(book, "tried/epoch-0000", "tried/epoch-0002", None, None)
    first, second = (book.ask(f"tried/epoch-000{epoch}").result for epoch in (0, 2))
    differ = int((first.logits.argmax(1) != second.logits.argmax(1)).sum())
    assert f"Answers differ on {differ}" in text(figures)
    assert "McNemar" in figures
    assert galleries.count("data-image") == differ <= 36
    shutil.copy(checkpoints / "tried" / "best.safetensors", checkpoints / "alone.safetensors")
    with pytest.raises(LabError, match="alone on other images"):
        events.side_by_side(book, "tried/best", "alone", None, None)


# --- drawings ---------------------------------------------------------------------------------


def evaluation(path: Path, labels: list[int]) -> Evaluation:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (len(labels), 3, 32, 32), generator=generator, dtype=torch.uint8)
    return evaluate_split(Classifier(path, "cpu"), Split(images, torch.tensor(labels)))


def test_every_filled_cell_is_a_button_and_one_is_in_the_tab_order(tmp_path: Path) -> None:
    result = evaluation(tiny_checkpoint(tmp_path / "tiny.safetensors"), [0, 1, 2] * 20)
    html = view.confusion_matrix(result)
    filled = sum(count > 0 for row in result.confusion for count in row)
    assert html.count("<button") == html.count("data-cell") == filled
    assert html.count("tabindex='0' aria-pressed") == 1
    true, said = view.first_cell(result)
    worst = max(n for t, row in enumerate(result.confusion) for s, n in enumerate(row) if t != s)
    assert result.confusion[true][said] == worst
    share = f"{100 * worst / 20:.1f}%"
    assert f"{worst} of {CLASSES[true]} called {CLASSES[said]}, {share}" in html


def test_many_classes_are_listed_by_their_mistakes(tmp_path: Path) -> None:
    classes = tuple(f"class {n}" for n in range(40))
    result = evaluation(tiny_checkpoint(tmp_path / "many.safetensors", classes), list(range(40)) * 2)
    html = view.confusion_matrix(result)
    assert "<table" not in html
    assert 0 < html.count("data-cell") <= view.MAX_GRID


def test_classes_come_weakest_first_with_their_interval(tmp_path: Path) -> None:
    result = evaluation(tiny_checkpoint(tmp_path / "tiny.safetensors"), [0, 1] * 20)  # no frog
    html = view.class_bars(result)
    shares = [float(share) for share in re.findall(r"<em>([\d.]+)%", html)]
    assert shares == sorted(shares)
    low, high = result.intervals["cat"]
    assert f"--gl-low: {low:.2%}; --gl-high: {high:.2%}" in html
    assert "Without images here: frog" in html


def test_the_reliability_diagram_has_a_text_alternative(tmp_path: Path) -> None:
    result = evaluation(tiny_checkpoint(tmp_path / "tiny.safetensors"), [0, 1, 2] * 20)
    bins = reliability(result.probabilities, result.labels)
    html = view.reliability_diagram(bins, bins, 1.5, "Calibration error: much.")
    assert "<title>Accuracy against confidence. Calibration error: much.</title>" in html
    assert html.count("<circle") == 2 * sum(1 for b in bins if b.count)
    assert html.count("<circle") == 2 * view.reliability_diagram(bins, None, 1, "").count("<circle")


class Tags(HTMLParser):
    """The tags of some HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)


def test_class_names_cannot_become_markup(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>'\""
    path = tiny_checkpoint(tmp_path / "checkpoints" / "x.safetensors", (evil, "dog", "frog"))
    result = evaluation(path, [0, 1, 2] * 20)
    answers = view.Thumbnail(0, Image.new("RGB", (32, 32)), evil, [(evil, 0.5)])
    drawn = [
        view.confusion_matrix(result),
        view.class_bars(result),
        view.headline(evil, result, evil),
        view.cell_images(evil, evil, [answers], 1),
    ]
    assert [Tags(html).seen.count("img") for html in drawn] == [0, 0, 0, 1]


# --- over HTTP --------------------------------------------------------------------------------


def test_a_client_selects_and_evaluates(checkpoints: Path, folder: Path, tmp_path: Path) -> None:
    with gr.Blocks(analytics_enabled=False) as demo:
        publish(checkpoints, Access(str(folder)))
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    try:
        client = Client(url, verbose=False)
        selected = client.predict("tried", api_name="/select_run")
        assert selected["proposed"] in [row["names"][0] for row in selected["rows"]]
        evaluated = client.predict(selected["proposed"], api_name="/evaluate_checkpoint")
        best = next(row for row in selected["rows"] if row["names"][0] == selected["proposed"])
        assert evaluated["accuracy"] == best["validation_accuracy"]
        assert evaluated["judged_on"] == selected["judged_on"]
        with pytest.raises(Exception, match="nowhere") as refused:
            client.predict("tried/best", str(tmp_path / "nowhere"), api_name="/evaluate_checkpoint")
        assert len(str(refused.value).splitlines()) == 1
    finally:
        demo.close()


# --- manners ----------------------------------------------------------------------------------


def test_cancel_stops_only_the_visitor_who_asked() -> None:
    cancellation, told = Cancellation(), []
    me, other = SimpleNamespace(session_hash="me"), SimpleNamespace(session_hash="other")
    mine, theirs = (cancellation.listen(who, lambda share, desc: told.append(share)) for who in (me, other))
    cancellation.cancel(me)
    theirs(0.5, "going on")
    with pytest.raises(Cancelled):
        mine(0.5, "stopping")
    cancellation.listen(me, lambda share, desc: told.append(share))(0.7, "a new start")
    assert told == [0.5, 0.7]


def test_what_was_judged_before_a_cancel_is_kept(checkpoints: Path) -> None:
    def stop_at_the_last(share: float, words: str) -> None:
        if "3 of 3" in words:
            raise Cancelled

    with pytest.raises(Cancelled):
        events.judge(checkpoints, "tried", None, stop_at_the_last)
    heard: list[str] = []
    events.judge(checkpoints, "tried", None, lambda share, words: heard.append(words))
    assert any("1 of 1" in words for words in heard)
    assert not any("of 3" in words for words in heard)


def test_a_refusal_is_a_toast_that_changes_nothing() -> None:
    @refusable(2)
    def refuse() -> None:
        raise LabError("No <b>such</b> thing.")

    with pytest.warns(UserWarning, match="No &lt;b&gt;such&lt;/b&gt; thing"):
        assert refuse() == (gr.skip(), gr.skip())
