from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tiny import tiny_checkpoint

from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.language import speaking
from googlenet.runs import find_checkpoint
from googlenet.ui.api import publish
from googlenet.ui.classify.examples import _gallery
from googlenet.ui.classify.tab import (
    answer_for,
    classify_tab,
    classify_upload,
    network_choices,
    received,
    view,
)
from googlenet.ui.events.access import Access

VOID = ("br", "img", "path")


class Parsed(HTMLParser):
    """The elements of some HTML with what stands in them; each opened one must be closed in turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))
        if tag not in VOID:
            self.open.append(self.elements[-1])

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        for _, _, parts in self.open:
            parts.append(data)

    def texts(self, tag: str, css: str = "") -> list[str]:
        """What stands in each `tag` of the class `css`."""
        return [
            " ".join("".join(parts).split())
            for name, attributes, parts in self.elements
            if name == tag and (not css or css in (attributes.get("class") or "").split())
        ]

    def attributes(self, tag: str, name: str) -> list[str | None]:
        return [attributes.get(name) for kind, attributes, _ in self.elements if kind == tag]


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoints"
    tiny_checkpoint(folder / "shipped.safetensors", data="CIFAR-10", test_accuracy=0.9312, test_accuracy_flip=0.9388)
    tiny_checkpoint(folder / "try" / "best.safetensors", seed=1, synthetic=True, data="shapes (synthetic)", epoch=3)
    return folder


def picture(folder: Path, name: str = "photo.png", size: tuple[int, int] = (40, 30)) -> Path:
    noise = np.random.default_rng(2).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(noise).save(folder / name)
    return folder / name


def upload(path: Path) -> dict[str, Any]:
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


# --- what the tab shows -----------------------------------------------------------------------


def test_the_answer_is_the_classifiers(checkpoints: Path, uploads: Path) -> None:
    path = picture(uploads)
    answer, facts, kept = answer_for(checkpoints, upload(path), "shipped")
    expected = Classifier(checkpoints / "shipped.safetensors", "cpu").classify(path)
    rows = [(name, f"{share:.1%}") for name, share in expected.items()]
    shown, told = Parsed(answer), Parsed(facts)
    assert list(zip(shown.texts("b"), shown.texts("em"), strict=True)) == rows
    assert shown.texts("p", "gl-verdict") == [", ".join(rows[0])]
    assert shown.texts("figcaption") == ["What the network saw40 × 30 → shorter side to 32, centre crop"]
    assert told.texts("dd")[:3] == ["93.1%", "93.9% averaged with mirror images", "tiny"]
    assert kept == upload(path)


NOVELTY = {
    "score": "max softmax",
    "false_alarm": 0.05,
    "misses": {"pixel noise": 0.02, "photographs": 0.47},
    "fitted_on": "500 validation images",
    "measured_on": "1,000 test images",
}


@pytest.mark.parametrize(("threshold", "warned"), [(0.0, True), (1.0, False)])
def test_a_warning_stands_beside_the_percentages(tmp_path: Path, uploads: Path, threshold: float, warned: bool) -> None:
    folder, path = tmp_path / "known", picture(uploads)
    tiny_checkpoint(folder / "a.safetensors", novelty={**NOVELTY, "threshold": threshold})
    answer, facts, _ = answer_for(folder, upload(path), "a")
    score = 1 - max(Classifier(folder / "a.safetensors", "cpu").classify(path).values())
    shown = Parsed(answer)
    warning = (
        "This looks like nothing I know. I was taught 3 classes, and this picture is far from every one of them. I can "
        "be wrong: 5.0% of pictures that are of a class get this warning too. "
        f"(Score {score:.2f} by max softmax, warning above {threshold:.2f}.)"
    )
    assert shown.texts("div", "gl-unlike") == [warning] * warned
    assert shown.attributes("svg", "aria-label") == ["Warning"] * warned
    assert shown.texts("p", "gl-verdict")[0].startswith("If I had to choose a class: ") == warned
    assert shown.texts("p", "gl-sure")[0].startswith("The percentages only compare the classes") == warned

    told = Parsed(facts)
    assert told.texts("summary") == [
        "The warning can be wrong: 5.0% of pictures of its classes get it too, and 47.0% of the kind it misses most "
        "(photographs) do not."
    ]
    assert told.texts("td") == ["pixel noise", "2.0%", "photographs", "47.0%"]
    details = told.texts("details")[0]
    assert f"is above {threshold:.2f}, fitted on 500 validation images. It did so wrongly for 5.0% of" in details

    sent = classify_upload(folder, upload(path), "a")
    assert list(sent)[:2] == ["unlike_training", "verdict"]
    assert sent["unlike_training"] == warned
    assert sent["verdict"].startswith("This looks like nothing I know. Of the classes I was taught, ") == warned
    expected = {"score": "max softmax", "value": pytest.approx(score, abs=1e-5), "threshold": threshold}
    assert sent["novelty"] == expected


def test_a_warning_measured_on_nothing_else_claims_nothing_else(tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "a.safetensors", novelty={"score": "energy", "threshold": -1.5, "false_alarm": 0})
    told = Parsed(view.facts(find_checkpoint(tmp_path, "a")))
    assert told.texts("summary") == ["The warning can be wrong: 0% of pictures of its classes get it too."]
    assert "is above −1.50. It did so wrongly for 0% of pictures of its classes." in told.texts("details")[0]
    assert told.texts("table") == []


def test_without_a_threshold_nothing_is_claimed(checkpoints: Path, uploads: Path) -> None:
    path = picture(uploads)
    answer, facts, _ = answer_for(checkpoints, upload(path), "shipped")
    assert Parsed(answer).texts("div", "gl-unlike") == []
    assert "holds no threshold" in Parsed(facts).texts("p", "gl-note")[-1]
    sent = classify_upload(checkpoints, upload(path), "shipped")
    assert (sent["unlike_training"], sent["novelty"]) == (None, None)


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ((0.99998, 0.00001, 0.00001), "Sure, among the classes it knows: the other 2 share less than 0.1%."),
        ((0.96, 0.03, 0.01), "Sure, among the classes it knows: the other 2 share 4.0%."),
        ((0.8, 0.15, 0.05), "Fairly sure: b comes next with 15.0%."),
        ((0.6, 0.3, 0.1), "Leaning this way: b comes next with 30.0%."),
        ((0.4, 0.35, 0.25), "Undecided: no class gets half, and b comes next with 35.0%."),
        ((0.97, 0.03), "Sure, among the classes it knows: b gets the other 3.0%."),
        ((1.0,), "It is the only class that this network knows."),
    ],
)
def test_sureness_in_words(shares: tuple[float, ...], words: str) -> None:
    assert view.sureness(dict(zip("abc", shares, strict=False))) == words


def test_the_picture_shown_is_the_networks_input_to_the_pixel(checkpoints: Path, uploads: Path) -> None:
    path = picture(uploads)
    answer, _, _ = answer_for(checkpoints, upload(path), "shipped")
    content = base64.b64decode(str(Parsed(answer).attributes("img", "src")[0]).removeprefix("data:image/png;base64,"))
    expected = Classifier(checkpoints / "shipped.safetensors", "cpu").input_image(path)
    assert np.array_equal(Image.open(io.BytesIO(content)), expected)


def test_a_refusal_stands_in_the_answers_place(checkpoints: Path, uploads: Path) -> None:
    """Of the picture before, nothing is left; the network's facts stay, and the field is free for another."""
    bad = uploads / "<b>words.png"
    bad.write_text("words")
    answer, facts, kept = answer_for(checkpoints, upload(bad), "shipped")
    shown = Parsed(answer)
    assert shown.texts("h3") == ["No answer"]
    assert shown.texts("p")[0].startswith("<b>words.png is not a picture that can be read: use a PNG")
    assert shown.attributes("div", "role") == ["alert"]
    assert Parsed(facts).texts("h4") == ["shipped"]
    assert kept is None


def test_a_refused_network_keeps_the_picture_for_another(checkpoints: Path, uploads: Path) -> None:
    path = picture(uploads)
    answer, facts, kept = answer_for(checkpoints, upload(path), "gone")
    assert Parsed(answer).texts("p") == ["There is no checkpoint 'gone': choose one from the list."]
    assert (facts, kept) == ("", upload(path))

    tensors = load_file(checkpoints / "shipped.safetensors")
    tensors["fc.bias"][:] = float("nan")
    with safe_open(checkpoints / "shipped.safetensors", "pt") as file:
        save_file(tensors, checkpoints / "diverged.safetensors", metadata=file.metadata())
    answer, _, kept = answer_for(checkpoints, upload(path), "diverged")
    assert "its training diverged: choose an earlier epoch" in Parsed(answer).texts("p")[0]
    assert kept == upload(path)


def test_what_a_browser_cannot_show_goes_back_as_pixels(checkpoints: Path, uploads: Path) -> None:
    path = picture(uploads, "scan.tif")
    answer, _, shown = answer_for(checkpoints, upload(path), "shipped")
    assert np.array_equal(shown, Image.open(path))
    assert len(Parsed(answer).texts("p", "gl-verdict")) == 1


def test_empty_states_say_what_to_do(checkpoints: Path) -> None:
    answer, facts, _ = answer_for(checkpoints, None, "shipped")
    assert answer == view.no_picture()
    assert Parsed(facts).texts("h4") == ["shipped"]


def test_synthetic_networks_carry_a_warning(checkpoints: Path) -> None:
    warned = {
        name: Parsed(view.facts(find_checkpoint(checkpoints, name))).texts("p", "gl-caution")
        for name in ("shipped", "try/best")
    }
    sentence = "This network learned synthetic shapes: its answer for a photograph means nothing."
    assert warned == {"shipped": [], "try/best": [sentence]}


def test_choices_keep_what_was_chosen(checkpoints: Path, tmp_path: Path) -> None:
    filled = network_choices(checkpoints, "try/best")
    assert filled.value == "try/best"
    assert [name for _, name in filled.choices] == ["shipped", "try/best"]
    assert network_choices(checkpoints, "gone").value == "shipped"
    assert network_choices(tmp_path / "none", None).value is None


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((1024, 768), "1,024 × 768 → shorter side to 32, centre crop"),
        ((32, 32), "32 × 32, unchanged"),
        ((64, 64), "64 × 64 → shrunk to 32 × 32"),
        ((8, 8), "8 × 8 → enlarged to 32 × 32"),
        ((1, 5000), "1 × 5,000 → shorter side to 32, centre crop"),
    ],
)
def test_preparation_in_words(size: tuple[int, int], words: str) -> None:
    assert view.preparation(size, 32) == words


def test_names_from_a_file_cannot_become_markup(tmp_path: Path) -> None:
    evil, black = "<img src=x onerror=alert(1)>'\"", np.zeros((32, 32, 3), np.uint8)
    novelty = {**NOVELTY, "threshold": 0.0, "misses": {evil: 0.1}, "fitted_on": evil, "measured_on": evil}
    path = tiny_checkpoint(tmp_path / "<b>x.safetensors", (evil, f"{evil}2", f"{evil}3"), data=evil, novelty=novelty)
    facts = Parsed(view.facts(find_checkpoint(tmp_path, "<b>x")))
    answer = Parsed(view.answer(Classifier(path, "cpu").answer(black)))
    assert len(answer.texts("div", "gl-unlike")) == 1
    assert (len(facts.texts("img")), len(answer.texts("img"))) == (0, 1)
    assert facts.texts("h4") == ["<b>x"]
    assert evil in answer.texts("p", "gl-verdict")[0]


# --- uploads ----------------------------------------------------------------------------------


def test_both_languages_at_once(checkpoints: Path) -> None:
    def told() -> tuple[str, str]:
        return _gallery(), view.facts(find_checkpoint(checkpoints, ""))

    english = told()
    with speaking("ko"):
        korean = told()
    assert told() == english
    assert "Of none of its classes" in english[0]
    assert "어느 클래스에도 없는 사진" in korean[0]
    assert re.findall(r'data-example="(\w+)"', korean[0]) == re.findall(r'data-example="(\w+)"', english[0])
    assert "<dt>Data set</dt>" in english[1]
    assert "<dt>데이터 세트</dt>" in korean[1]


def test_only_files_that_gradio_received_are_read(uploads: Path, tmp_path: Path) -> None:
    inside, outside = picture(uploads), picture(tmp_path)
    assert received(upload(inside)) == inside.resolve()
    (uploads / "link.png").symlink_to(outside)
    refused = [
        upload(outside),
        upload(uploads / ".." / outside.name),
        upload(uploads / "link.png"),
        upload(uploads / "gone.png"),
        upload(uploads),
        {"path": None},
        {"path": "nul\0byte"},
        {"path": ["a"]},
        {},
        str(inside),
        None,
        7,
    ]
    for sent in refused:
        with pytest.raises(LabError, match="No picture has arrived"):
            received(sent)


def test_classify_upload_is_plain_json(checkpoints: Path, uploads: Path) -> None:
    path = picture(uploads)
    answer = classify_upload(checkpoints, upload(path), "try/best")
    expected = Classifier(checkpoints / "try" / "best.safetensors", "cpu").classify(path)
    assert answer["checkpoint"] == "try/best"
    assert {row["class"]: row["probability"] for row in answer["top"]} == pytest.approx(expected, abs=1e-6)
    assert classify_upload(checkpoints, upload(path))["checkpoint"] == "shipped"


# --- over HTTP --------------------------------------------------------------------------------


@pytest.fixture
def server(checkpoints: Path, uploads: Path) -> Iterator[str]:
    with gr.Blocks(analytics_enabled=False) as demo, gr.Tab("Classify") as tab:
        publish(checkpoints, Access("shapes"))
        classify_tab(checkpoints, Access("shapes"), demo, tab)
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield url
    demo.close()


def test_a_client_sends_a_file_and_gets_the_answer(server: str, checkpoints: Path, tmp_path: Path) -> None:
    client, path = Client(server, verbose=False), picture(tmp_path)
    answer = client.predict(handle_file(path), api_name="/classify")
    expected = Classifier(checkpoints / "shipped.safetensors", "cpu").classify(path)
    assert answer["checkpoint"] == "shipped"
    assert [row["class"] for row in answer["top"]] == list(expected)
    assert answer["top"][0]["probability"] == pytest.approx(max(expected.values()), abs=1e-6)
    assert (answer["unlike_training"], answer["novelty"]) == (None, None)
    assert (
        client.predict(image=handle_file(path), checkpoint="try/best", api_name="/classify")["checkpoint"] == "try/best"
    )

    told = client.predict(handle_file(path), target=answer["top"][1]["class"], png=True, api_name="/explain")
    assert told["class"] == answer["top"][1]["class"]
    kind, _, content = told["png"].partition(",")
    assert kind == "data:image/png;base64"
    assert Image.open(io.BytesIO(base64.b64decode(content))).size == (448, 448)
    assert "png" not in client.predict(handle_file(path), api_name="/explain")

    words = tmp_path / "words.png"
    words.write_text("words")
    with pytest.raises(AppError, match=r"^words\.png is not a picture"):
        client.predict(handle_file(words), api_name="/classify")
    with pytest.raises(AppError, match=r"^There is no checkpoint '\.\./x'"):
        client.predict(handle_file(path), "../x", api_name="/classify")


@pytest.mark.parametrize(
    ("meta", "refusal"),
    [({}, "No picture has arrived"), ({"meta": {"_type": "gradio.FileData"}}, "")],  # Gradio itself refuses the second
)
def test_no_request_reads_a_file_of_the_server(server: str, tmp_path: Path, meta: dict[str, Any], refusal: str) -> None:
    secret = picture(tmp_path, "secret.png")
    request = {"data": [{"path": str(secret), **meta}, ""]}
    event = httpx.post(f"{server}gradio_api/call/classify", json=request, trust_env=False).json()["event_id"]
    answer = httpx.get(f"{server}gradio_api/call/classify/{event}", trust_env=False, timeout=60).text
    assert answer.startswith("event: error")
    assert refusal in answer
    assert "probability" not in answer
