"""Classify's view of many pictures: what is received, the table, and a client's way to it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from markup import VOID, Page
from PIL import Image
from tiny import CLASSES, tiny_checkpoint

from googlenet.errors import LabError
from googlenet.inference.many import ManyAnswers
from googlenet.ui.api import publish
from googlenet.ui.classify import examples
from googlenet.ui.classify.many import view, work
from googlenet.ui.classify.many.limits import Limits, limits
from googlenet.ui.classify.many.view import Look
from googlenet.ui.classify.many.work import Asked, Received, answer_all, picture_of, receive
from googlenet.ui.classify.tab import classify_tab
from googlenet.ui.events.access import Access


class Parsed(Page):
    """A page that also knows what stands in each element."""

    def __init__(self, html: str) -> None:
        self.inside: list[tuple[str, list[str]]] = []
        self.around: list[list[str]] = []
        super().__init__(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        if tag not in VOID:
            self.inside.append((tag, []))
            self.around.append(self.inside[-1][1])

    def handle_endtag(self, tag: str) -> None:
        super().handle_endtag(tag)
        self.around.pop()

    def handle_data(self, data: str) -> None:
        for words in self.around:
            words.append(data)

    def texts(self, tag: str) -> list[str]:
        return [" ".join("".join(words).split()) for name, words in self.inside if name == tag]


ROOM = Limits(1_000, 10_000_000, 20_000_000)


def picture(seed: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (36, 48, 3), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many") / "checkpoints"
    novelty = {"score": "energy", "threshold": -3.0, "false_alarm": 0.05}
    tiny_checkpoint(folder / "shipped.safetensors", novelty=novelty)
    return folder


@pytest.fixture
def sent(uploads: Path) -> Received:
    """A folder of 120 pictures in class folders, and a zip with a damaged one."""
    files = []
    for index in range(120):
        path = uploads / f"{index}.png"
        path.write_bytes(picture(index))
        files.append({"path": str(path), "name": f"{CLASSES[index % 3]}/{index:03d}.png"})
    with zipfile.ZipFile(uploads / "more.zip", "w") as archive:
        archive.writestr("<b>bad</b>.png", b"words")
        archive.writestr("good.png", picture(1000))
    files.append({"path": str(uploads / "more.zip"), "name": "more.zip"})
    return receive(files, ["cat/notes.txt"], ROOM)


@pytest.fixture
def asked(checkpoints: Path, sent: Received) -> Asked:
    return answer_all(checkpoints, sent, "", ROOM)


def shown(answers: ManyAnswers, look: Look) -> list[int]:
    return [number for number, _ in view.chosen_rows(answers, look)]


# --- what is received -------------------------------------------------------------------------


def test_only_what_gradio_received_is_read(uploads: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(picture())
    for path in (tmp_path / "secret.png", uploads / ".." / "secret.png", "/etc/passwd", 3, None):
        with pytest.raises(LabError, match="No picture has arrived"):
            receive([{"path": str(path) if path else path, "name": "x.png"}], [], ROOM)
    for files in (None, "x", 3):
        with pytest.raises(LabError, match="No files have arrived"):
            receive(files, [], ROOM)


def test_more_than_the_limit_is_refused(uploads: Path) -> None:
    (uploads / "1.png").write_bytes(picture())
    file = {"path": str(uploads / "1.png"), "name": "1.png"}
    with pytest.raises(LabError, match=r"^These are 4 files: the limit is 3\.$"):
        receive([file] * 4, [], Limits(3, 100, 100_000))
    with pytest.raises(LabError, match="GB: the limit is"):
        receive([file] * 2, [], Limits(3, 100, 100))
    assert limits(public=True).pictures == 1_000
    assert "50 MB a file" in view.picker(limits(public=True), public=True)


def test_a_folder_without_pictures_is_refused_at_once(uploads: Path) -> None:
    with pytest.raises(LabError, match=r"No pictures to answer\. Passed over 2 files not named like pictures: 2 \.txt"):
        receive([], ["a/1.txt", "a/2.txt"], ROOM)


def test_nothing_sent_is_nothing_answered(checkpoints: Path) -> None:
    with pytest.raises(LabError, match="nothing to answer yet"):
        answer_all(checkpoints, None, "", ROOM)


# --- the table --------------------------------------------------------------------------------


def test_all_of_it_is_answered_and_said(asked: Asked) -> None:
    answers = asked.answers
    assert (len(answers.rows), answers.total, asked.network) == (122, 122, "shipped")
    assert answers.evaluation
    assert answers.evaluation.n == 120
    assert answers.remarks == ("Passed over 1 file not named like pictures: 1 .txt.",)
    page = Parsed(view.summary(answers, asked.network))
    assert page.texts("dt") == ["Pictures", "Accuracy", "Warnings", "Not read"]
    assert page.texts("li") == list(answers.remarks)


def test_pages_hold_fifty_rows_and_names_are_text(asked: Asked) -> None:
    first = Parsed(view.table(asked.answers, Look()))
    assert len(first.texts("tr")) == 51  # with the headings
    last = view.table(asked.answers, Look(page=99))
    assert len(Parsed(last).texts("tr")) == 23
    assert "&lt;b&gt;bad" in last
    assert "<b>bad" not in last
    assert len(first_html := view.table(asked.answers, Look())) < 300_000, len(first_html)


def test_columns_sort_both_ways_and_unread_ones_stay_last(asked: Asked) -> None:
    answers = asked.answers
    rising = shown(answers, Look("probability"))
    falling = shown(answers, Look("probability", True))
    shares = [answers.rows[number].probability for number in falling]
    assert shares[:-1] == sorted(shares[:-1], reverse=True)
    assert rising[-1] == falling[-1] == 120
    assert shown(answers, Look()) == list(range(122))


def test_filters_and_cells(asked: Asked) -> None:
    answers = asked.answers
    wrong, warned = shown(answers, Look(only="wrong")), shown(answers, Look(only="warned"))
    assert wrong == [i for i, row in enumerate(answers.rows) if row.label and row.answer != row.label]
    assert warned == [i for i, row in enumerate(answers.rows) if row.unlike_training]
    assert shown(answers, Look(only="unread")) == [120]
    assert answers.evaluation
    for true, row in enumerate(answers.evaluation.confusion):
        for said, count in enumerate(row):
            assert len(shown(answers, Look(only=f"{true}-{said}"))) == count


@pytest.mark.parametrize("bad", [None, "", "x", "file 0 all", "nothing 0 all 1", "file 0 all 0", "file 0 all x", {}, 3])
def test_a_look_that_is_none_is_one_sentence(bad: object) -> None:
    with pytest.raises(LabError):
        Look.parse(bad)


@pytest.mark.parametrize("cell", ["x", "1", "1-99", "-1-0", "<b>"])
def test_a_cell_that_is_none_is_one_sentence(cell: str, asked: Asked) -> None:
    with pytest.raises(LabError):
        view.table(asked.answers, Look(only=cell))


def test_a_look_survives_the_page() -> None:
    look = Look("runner-up", True, "3-5", 7)
    assert Look.parse(str(look)) == look


def test_stopped_answers_say_so(checkpoints: Path, sent: Received) -> None:
    asked = answer_all(checkpoints, sent, "", ROOM, stopped=lambda: True)
    said = Parsed(view.summary(asked.answers, "x")).texts("li")[0]
    assert said == "Cancelled after 1 of 122 pictures: these are their answers."


def test_a_row_gives_its_picture_again(asked: Asked, tmp_path: Path) -> None:
    assert picture_of(asked, 5, tmp_path).read_bytes() == picture(5)
    assert picture_of(asked, 121, tmp_path).read_bytes() == picture(1000)  # out of the zip
    with pytest.raises(LabError):
        receive([{"path": str(tmp_path / "gone.png")}], [], ROOM)


def test_a_client_gets_what_was_done_in_its_time(
    checkpoints: Path, sent: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "API_SECONDS", -1)
    files = [{"path": str(path), "orig_name": name} for path, name in sent.files]
    answer = work.classify_uploads(checkpoints, files, "", ROOM)
    assert (len(answer["rows"]), answer["complete"]) == (1, False)


# --- examples ---------------------------------------------------------------------------------


def test_the_network_names_the_examples_rightly(shipped_network: Path) -> None:
    from googlenet.inference.classifier import Classifier

    classifier = Classifier(shipped_network, "cpu")
    for name in examples.OF_CIFAR:
        path = examples.example(name)
        answer = classifier.answer(path)
        said, share = next(iter(answer.probabilities.items()))
        assert (said, path.stat().st_size < 30_000) == (name, True)
        assert share > 0.95
        assert answer.novelty
        assert not answer.novelty.unlike_training
    with pytest.raises(LabError):
        examples.example("../secret")


# --- over HTTP --------------------------------------------------------------------------------


@pytest.fixture
def server(checkpoints: Path, uploads: Path) -> Iterator[str]:
    with gr.Blocks(analytics_enabled=False) as demo, gr.Tab("Classify") as tab:
        publish(checkpoints, Access("shapes", public=True))
        classify_tab(checkpoints, Access("shapes", public=True), demo, tab)
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield url
    demo.close()


def test_a_client_sends_many_files(server: str, tmp_path: Path) -> None:
    client = Client(server, verbose=False)
    (tmp_path / "one.png").write_bytes(picture())
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("cat/1.png", picture(1))
        archive.writestr("../2.png", picture(2))
    files = [handle_file(tmp_path / "one.png"), handle_file(tmp_path / "more.zip")]
    answer = client.predict(files, api_name="/classify_many")
    assert [(row["file"], row["label"]) for row in answer["rows"]] == [("one.png", None), ("cat/1.png", "cat")]
    assert (answer["complete"], answer["checkpoint"]) == (True, "shipped")
    assert answer["accuracy"] in (0.0, 1.0)
    assert answer["remarks"] == ["Left out of more.zip: 1 file (a name that leads out of the zip)."]
    with pytest.raises(AppError, match="There is no checkpoint"):
        client.predict(files, "../x", api_name="/classify_many")


@pytest.mark.parametrize("meta", [{}, {"meta": {"_type": "gradio.FileData"}}])
def test_no_request_for_many_reads_a_file_of_the_server(server: str, tmp_path: Path, meta: dict[str, Any]) -> None:
    (tmp_path / "secret.png").write_bytes(picture())
    request = {"data": [[{"path": str(tmp_path / "secret.png"), **meta}], ""]}
    event = httpx.post(f"{server}gradio_api/call/classify_many", json=request, trust_env=False).json()["event_id"]
    answer = httpx.get(f"{server}gradio_api/call/classify_many/{event}", trust_env=False, timeout=60).text
    assert answer.startswith("event: error")
    assert "probability" not in answer
