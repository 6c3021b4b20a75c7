"""What the Evaluate tab does with a small real run, and what it draws."""

from __future__ import annotations

import base64
import dataclasses
import io
import os
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
from googlenet.models.weights import add_facts, read_info
from googlenet.runs import Run
from googlenet.training.session import train
from googlenet.ui.api import publish
from googlenet.ui.common import confusion
from googlenet.ui.evaluate import checkpoint_events, run_events, run_view
from googlenet.ui.evaluate import checkpoint_view as view
from googlenet.ui.evaluate.answers import AnswerBook
from googlenet.ui.events.access import Access
from googlenet.ui.events.long_work import Cancellation, Cancelled, refusable


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


class Parsed(HTMLParser):
    """The tags of some HTML, each with its attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(str(html))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def all(self, attribute: str) -> list[str | None]:
        """The values of `attribute`, of whatever tag has it."""
        return [attributes[attribute] for _, attributes in self.seen if attribute in attributes]


# --- a run ------------------------------------------------------------------------------------


def test_judged_once_and_remembered(checkpoints: Path) -> None:
    assert run_events.stored(checkpoints, "tried", None).result is None
    heard: list[float] = []
    shown = run_events.judge_and_show(checkpoints, "tried", None, lambda share, words: heard.append(share))
    assert heard[-1] == 1
    assert len(shown.result.rows) == 3
    assert run_events.stored(checkpoints, "tried", None) == shown
    # What the page shows already is not drawn anew, and a newer judgement is not taken away.
    assert run_events.stored_parts(checkpoints, "tried", None, shown) is None
    assert run_events.stored_parts(checkpoints, "tried", None, None)[0] == shown
    (checkpoints / "tried" / "validation.json").unlink()
    assert run_events.stored_parts(checkpoints, "tried", None, shown) is None


def test_the_table_marks_what_is_proposed_and_what_is_chosen(checkpoints: Path) -> None:
    shown = run_events.judge_and_show(checkpoints, "tried", None, None)
    names = [row.name for row in shown.result.rows]
    other = next(name for name in names if name != shown.result.proposed)
    _, said, table, steps, dropdown, reports = run_events.parts(checkpoints, shown, other)
    rows = [attributes for tag, attributes in Parsed(table).seen if tag == "tr" and "data-checkpoint" in attributes]
    assert [row["data-checkpoint"] for row in rows] == [run_view.file_of(row) for row in shown.result.rows]
    assert [row.get("aria-current") == "true" for row in rows] == [name == other for name in names]
    starred = next(row for row in re.findall(r"<tr data.*?</tr>", table, re.S) if "★" in row)
    assert shown.result.proposed.rpartition("/")[2] in starred
    assert dropdown.value in next(row.names for row in shown.result.rows if row.name == other)
    assert steps.visible
    assert said == ""
    assert "Not reported yet" in reports


def test_the_curves_are_what_was_written_and_over_it_what_was_judged(checkpoints: Path) -> None:
    result = run_events.judge_and_show(checkpoints, "tried", None, None).result
    accuracy, loss = run_view.curves(result, Run(checkpoints, "tried"))
    metrics = Run(checkpoints, "tried").metrics()
    assert accuracy[0].points == [(row.epoch, row.train_accuracy) for row in result.rows]
    assert accuracy[1].points == [(row.epoch, row.validation_accuracy) for row in result.rows]
    assert loss[0].points == [(row["Epoch"], row["Loss"]) for row in metrics]
    assert [x for x, _ in loss[1].points] == [0, 1, 2]
    assert run_view.curves(result, None)[1][0].points == []


@pytest.mark.parametrize("epoch", [None, 1])
def test_where_overfitting_sets_in_is_marked_and_what_is_seen_is_said(checkpoints: Path, epoch: int | None) -> None:
    result = run_events.judge_and_show(checkpoints, "tried", None, None).result
    seen = dataclasses.replace(
        result, overfits_from=epoch, overfitting=f"It overfits: {epoch}.", lead="0.1 points more"
    )
    html = run_view.judgement(seen, Run(checkpoints, "tried"), result.best)
    assert Parsed(html).all("class").count("gl-mark") == (0 if epoch is None else 2)
    assert html.count("overfits from here") == (0 if epoch is None else 1)
    assert f"It overfits: {epoch}." in html
    assert "that it did not learn from, 0.1 points more." in text(html)


def test_promotion_is_asked_about_and_done(checkpoints: Path) -> None:
    run = checkpoints / "tried"
    shown = run_events.judge_and_show(checkpoints, "tried", None, None)
    best = weights_digest(run / "best.safetensors")
    row = next(row for row in shown.result.rows if "tried/best" not in row.names)
    question = run_events.promotion_question(shown, row.name, "tried")
    assert question.startswith(f"Make {row.name.rpartition('/')[2]}")
    assert shown.result.judged_on in question
    view = run_events.promote_and_show(checkpoints, shown, row.name, "tried", None)
    assert weights_digest(run / "best.safetensors") != best
    again = next(found for found in view[0].result.rows if "tried/best" in found.names)
    assert again.digest == row.digest
    facts = read_info(run / "best.safetensors").facts
    kept = f"temperature {facts['temperature']:.3f}" if "temperature" in facts else "no temperature was stored"
    assert f"is the best of tried now; {kept}" in view[1]
    assert "already" in run_events.promotion_question(view[0], "tried/best", "tried")


def test_a_promotion_that_is_cancelled_says_what_is_true(checkpoints: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = run_events.judge_and_show(checkpoints, "tried", None, None)
    row = next(row for row in shown.result.rows if "tried/best" not in row.names)
    before = (checkpoints / "tried" / "best.safetensors").read_bytes()

    @refusable(6, place=1, cancelled="Cancelled: nothing was changed, best is what it was.")
    def promote() -> object:
        def cancel(share: float, words: str) -> None:
            raise Cancelled

        return run_events.promote_and_show(checkpoints, shown, row.name, "tried", cancel)

    assert promote() == (gr.skip(),) * 6
    assert "nothing was changed, best is what it was" in capsys.readouterr().out
    assert (checkpoints / "tried" / "best.safetensors").read_bytes() == before


def test_a_report_is_made_once_and_says_so(checkpoints: Path) -> None:
    shown = run_events.judge_and_show(checkpoints, "tried", None, None)
    assert "Do it once" in run_events.report_question(checkpoints, shown, "tried/best", "tried")
    first = run_events.report(checkpoints, shown, "tried/best", "tried", None)
    assert text(first).count("on test: tried/best") == 1
    assert "used already" in run_events.report_question(checkpoints, shown, "tried/best", "tried")
    assert "Reported 2 times" in run_events.report(checkpoints, shown, "tried/last", "tried", None)


def test_reports_of_any_kind_are_shown() -> None:
    html = run_view.reports([{}, {"accuracy": "<b>", "checkpoint": ["<b>"], "when": None}, {"accuracy": float("nan")}])
    assert text(html).count("? on test") == 3
    assert "<b>&lt;" not in html
    assert "[&#39;&lt;b&gt;&#39;]" in html


@pytest.mark.parametrize("source", ["../x", "tried/best", "", 7, ["tried"]])
def test_what_is_no_run_is_refused(checkpoints: Path, source: object) -> None:
    with pytest.raises(LabError, match="There is no run or network"):
        run_events.judge_and_show(checkpoints, source, None, None)
    assert run_events.stored(checkpoints, source, None).result is None


def test_a_run_that_cannot_be_read_says_so_in_its_place(checkpoints: Path) -> None:
    (checkpoints / "tried" / "config.json").write_text("{}")
    shown, said, table, steps, *_ = run_events.stored_parts(checkpoints, "tried", None, None)
    assert "training description" in said
    assert (shown.result, table, steps.visible) == (None, run_events.not_judged(), False)
    assert not shown.opens("tried/best")  # which the page may still hold


def test_steps_are_those_of_the_run_that_is_shown(checkpoints: Path) -> None:
    shown = run_events.judge_and_show(checkpoints, "tried", None, None)
    for step in (
        lambda: run_events.promotion_question(None, "tried/best", "tried"),
        lambda: run_events.report(checkpoints, run_events.Shown("tried", None), "tried/best", "tried", None),
        lambda: run_events.promote_and_show(checkpoints, shown, "tried/epoch-0000", "other", None),
    ):
        with pytest.raises(LabError, match="Evaluate the checkpoints of this run first"):
            step()
    with pytest.raises(LabError, match="tried has no checkpoint 'other/best'"):
        run_events.report(checkpoints, shown, "other/best", "tried", None)


def test_weights_of_no_run_are_judged_on_test(checkpoints: Path, book: AnswerBook, folder: Path) -> None:
    shutil.copy(checkpoints / "tried" / "best.safetensors", checkpoints / "alone.safetensors")
    names = [name for _, name in run_events.source_choices(checkpoints, None).choices]
    assert names == ["tried", "alone"]
    shown = run_events.judge_and_show(checkpoints, "alone", None, None)
    _, _, table, steps, dropdown, _ = run_events.parts(checkpoints, shown)
    assert table == run_events.alone()
    assert not steps.visible
    assert dropdown.value == "alone"
    assert shown.opens("alone")
    answers = book.ask("alone")
    assert answers.result.n == 18
    assert "test images" in answers.on
    # None is fitted on test images that stand for nothing else.
    assert "it has no temperature" in checkpoint_events.look(book, "alone", None, None)[-1]


def test_the_run_of_the_address_is_kept_and_one_that_is_not_there_is_told_of(checkpoints: Path) -> None:
    shutil.copytree(checkpoints / "tried", checkpoints / "newer")
    os.utime(checkpoints / "newer" / "config.json")
    assert run_events.source_choices(checkpoints, None).value == "newer"
    assert run_events.source_choices(checkpoints, "tried").value == "tried"
    with pytest.warns(UserWarning, match="There is no run 'gone' here"):
        assert run_events.source_choices(checkpoints, "gone").value == "newer"


def test_empty_states_say_what_to_do(tmp_path: Path) -> None:
    assert run_events.source_choices(tmp_path, None).value is None
    assert run_events.stored_parts(tmp_path, None, None, None)[2] == run_events.nothing()


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
    true, said = confusion.first_cell(answers.result)
    html = checkpoint_events.cell_images(answers, true, said)
    numbers = [int(number) for number in Parsed(html).all("data-image")]
    assert numbers == answers.result.cell(true, said)
    shares = [float(share) for share in re.findall(r"([\d.]+)%</span>", html)]
    assert shares == sorted(shares, reverse=True)
    first = base64.b64decode(Parsed(html).all("src")[0].partition("base64,")[2])
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(first))), np.asarray(answers.image(numbers[0])))


@pytest.mark.parametrize("told", ["3-0", "0-3", "-1-0", "a-b", "1", None, ["0-1"], "0-1-2", {}])
def test_no_cell_outside_the_matrix(told: object) -> None:
    with pytest.raises(LabError):
        checkpoint_events.parse_cell(told, 3)
    assert checkpoint_events.parse_cell("2-0", 3) == (2, 0)


def test_two_side_by_side(book: AnswerBook, checkpoints: Path, folder: Path) -> None:
    figures, galleries = checkpoint_events.side_by_side(book, "tried/epoch-0000", "tried/epoch-0002", None, None)
    first, second = (book.ask(f"tried/epoch-000{epoch}").result for epoch in (0, 2))
    differ = int((first.logits.argmax(1) != second.logits.argmax(1)).sum())
    assert f"Answers differ on {differ}" in text(figures)
    assert "McNemar" in figures
    assert len(Parsed(galleries).all("data-image")) == differ <= 36
    shutil.copy(checkpoints / "tried" / "best.safetensors", checkpoints / "alone.safetensors")
    with pytest.raises(LabError, match="alone on other images"):
        checkpoint_events.side_by_side(book, "tried/best", "alone", None, None)


def copy_run(checkpoints: Path, name: str, **changes: object) -> None:
    config = dataclasses.replace(Run(checkpoints, "tried").config(), run=name, **changes)
    (checkpoints / name).mkdir()
    shutil.copy(checkpoints / "tried" / "best.safetensors", checkpoints / name)
    (checkpoints / name / "config.json").write_text(config.to_json())


def test_only_what_is_judged_on_the_same_images_is_offered_to_compare_with(book: AnswerBook, checkpoints: Path) -> None:
    copy_run(checkpoints, "twin", lr=0.2)
    for name, change in (("seed", {"seed": 9}), ("share", {"validation_fraction": 0.1}), ("data", {"data": "shapes"})):
        copy_run(checkpoints, name, **change)
    copy_run(checkpoints, "damaged")
    (checkpoints / "damaged" / "config.json").write_text("{}")
    tiny_checkpoint(checkpoints / "twin" / "last.safetensors", CLASSES)  # of other classes
    for name in ("alone", "other"):
        shutil.copy(checkpoints / "tried" / "best.safetensors", checkpoints / f"{name}.safetensors")
    shown = run_events.judge_and_show(checkpoints, "tried", None, None)
    row = shown.result.best
    offered = checkpoint_events.compared_choices(book, shown, row.name, None)
    names = [name for _, name in offered.choices]
    assert names == [*(run_view.file_of(other) for other in shown.result.rows if other is not row), "twin/best"]
    for name in names:
        checkpoint_events.side_by_side(book, row.name, name, None, None)
    alone = checkpoint_events.compared_choices(book, run_events.Shown("alone", None), "alone", None)
    assert [name for _, name in alone.choices] == ["other"]
    (checkpoints / "other.safetensors").unlink()
    assert not checkpoint_events.compared_choices(book, run_events.Shown("alone", None), "alone", None).visible


def test_a_temperature_says_on_which_images_it_was_fitted(book: AnswerBook, checkpoints: Path) -> None:
    copy_run(checkpoints, "unvalidated", validation_fraction=0.0)
    shown = run_events.judge_and_show(checkpoints, "unvalidated", None, None)
    question = run_events.promotion_question(shown, "unvalidated/best", "unvalidated")
    assert "fitted on 9 of the 18 test images" in question
    add_facts(checkpoints / "unvalidated" / "best.safetensors", temperature=2.0, temperature_fitted_on="9 test images")
    words = checkpoint_events.look(book, "unvalidated/best", None, None)[-1]
    assert "temperature 2.00, stored in the file, fitted on 9 test images." in words


# --- drawings ---------------------------------------------------------------------------------


def evaluation(path: Path, labels: list[int]) -> Evaluation:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (len(labels), 3, 32, 32), generator=generator, dtype=torch.uint8)
    return evaluate_split(Classifier(path, "cpu"), Split(images, torch.tensor(labels)))


def test_every_filled_cell_is_a_button_and_one_is_in_the_tab_order(tmp_path: Path) -> None:
    result = evaluation(tiny_checkpoint(tmp_path / "tiny.safetensors"), [0, 1, 2] * 20)
    rows = confusion.confusion_rows(result)
    assert [[cell["count"] for cell in row] for row in rows] == result.confusion
    drawn = Parsed(confusion.confusion_matrix(result))
    filled = [f"{t}-{s}" for t, row in enumerate(result.confusion) for s, count in enumerate(row) if count]
    assert drawn.all("data-cell") == filled
    pressed = [attributes for tag, attributes in drawn.seen if "aria-pressed" in attributes]
    true, said = confusion.first_cell(result)
    assert [(cell["data-cell"], cell["tabindex"]) for cell in pressed] == [(f"{true}-{said}", "0")]
    worst = max(n for t, row in enumerate(result.confusion) for s, n in enumerate(row) if t != s)
    assert result.confusion[true][said] == worst
    about = f"{worst} of {CLASSES[true]} predicted as {CLASSES[said]}, {100 * worst / 20:.1f}%"
    assert rows[true][said]["about"] == about


def test_a_cells_colour_never_saturates() -> None:
    shades = [confusion.shade(count / 20) for count in range(21)]
    assert shades == sorted(set(shades))  # each count has its own
    assert (shades[0], shades[20]) == (0, 100)
    assert shades[17] - shades[3] > 30
    assert confusion.shade(3 / 1000) + 10 < confusion.shade(17 / 1000) < 30  # and of a thousand images too


def test_many_classes_are_listed_by_their_mistakes(tmp_path: Path) -> None:
    classes = tuple(f"class {n}" for n in range(40))
    result = evaluation(tiny_checkpoint(tmp_path / "many.safetensors", classes), list(range(40)) * 2)
    drawn = Parsed(confusion.confusion_matrix(result))
    assert "table" not in [tag for tag, _ in drawn.seen]
    assert 0 < len(drawn.all("data-cell")) <= confusion.MAX_GRID


def test_classes_come_weakest_first_with_their_interval(tmp_path: Path) -> None:
    result = evaluation(tiny_checkpoint(tmp_path / "tiny.safetensors"), [0, 1] * 20)  # no frog
    rows = view.class_rows(result)
    assert {name for name, *_ in rows} == {"cat", "dog"}
    assert [share for _, share, _, _ in rows] == sorted(100 * result.per_class[name] for name in ("cat", "dog"))
    for name, _, *interval in rows:
        assert interval == pytest.approx([100 * end for end in result.intervals[name]])
    assert "Without images here: frog" in view.class_bars(result)


def test_the_reliability_diagram_has_a_text_alternative(tmp_path: Path) -> None:
    result = evaluation(tiny_checkpoint(tmp_path / "tiny.safetensors"), [0, 1, 2] * 20)
    bins = reliability(result.probabilities, result.labels)
    assert len(view.reliability_dots(bins)) == sum(1 for b in bins if b.count)
    html = view.reliability_diagram(bins, bins, 1.5, "Calibration error: much.")
    assert "<title>Accuracy against confidence. Calibration error: much.</title>" in html
    assert len(Parsed(html).all("cx")) == 2 * len(view.reliability_dots(bins))
    assert len(Parsed(view.reliability_diagram(bins, None, 1, "")).all("cx")) == len(view.reliability_dots(bins))


def test_class_names_cannot_become_markup(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>'\""
    path = tiny_checkpoint(tmp_path / "checkpoints" / "x.safetensors", (evil, "dog", "frog"))
    result = evaluation(path, [0, 1, 2] * 20)
    answers = view.Thumbnail(0, Image.new("RGB", (32, 32)), evil, [(evil, 0.5)])
    drawn = [
        confusion.confusion_matrix(result),
        view.class_bars(result),
        view.headline(evil, result, evil),
        view.cell_images(evil, evil, [answers], 1),
    ]
    assert [sum(tag == "img" for tag, _ in Parsed(html).seen) for html in drawn] == [0, 0, 0, 1]
    assert all("onerror" not in attributes for html in drawn for _, attributes in Parsed(html).seen)


# --- over HTTP --------------------------------------------------------------------------------


def test_a_client_selects_promotes_and_evaluates(checkpoints: Path, folder: Path, tmp_path: Path) -> None:
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
        other = next(row for row in selected["rows"] if "tried/best" not in row["names"])
        promoted = client.predict("tried", other["names"][0], api_name="/promote_checkpoint")
        assert weights_digest(checkpoints / "tried" / "best.safetensors") == other["digest"]
        facts = read_info(checkpoints / "tried" / "best.safetensors").facts
        assert promoted["temperature"] == facts.get("temperature")
        with pytest.raises(Exception, match="tried has no checkpoint 'none'"):
            client.predict("tried", "none", api_name="/promote_checkpoint")
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


def test_cancel_while_work_waits_in_line_ends_it_and_an_older_press_does_not() -> None:
    cancellation, me = Cancellation(), SimpleNamespace(session_hash="me")
    start, told = cancellation.at_start(lambda: "its buttons"), []
    cancellation.cancel(me)  # when the work before had just ended
    assert start(me) == "its buttons"
    cancellation.listen(me, lambda share, desc: told.append(share))(0.5, "going on")
    start(me)
    cancellation.cancel(me)  # still in line
    with pytest.raises(Cancelled):
        cancellation.listen(me, lambda share, desc: told.append(share))
    assert told == [0.5]


def test_what_was_judged_before_a_cancel_is_kept(checkpoints: Path) -> None:
    def stop_at_the_last(share: float, words: str) -> None:
        if "3 of 3" in words:
            raise Cancelled

    with pytest.raises(Cancelled):
        run_events.judge_and_show(checkpoints, "tried", None, stop_at_the_last)
    heard: list[str] = []
    run_events.judge_and_show(checkpoints, "tried", None, lambda share, words: heard.append(words))
    assert any("1 of 1" in words for words in heard)
    assert not any("of 3" in words for words in heard)


def test_a_refusal_is_a_toast_that_changes_nothing() -> None:
    @refusable(2)
    def refuse() -> None:
        raise LabError("No <b>such</b> thing.")

    with pytest.warns(UserWarning, match="No &lt;b&gt;such&lt;/b&gt; thing"):
        assert refuse() == (gr.skip(), gr.skip())
