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
from tiny import tiny_checkpoint

from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.explain import occlude
from googlenet.inference.novelty import judge
from googlenet.runs import find_checkpoint
from googlenet.ui.classify.tab import (
    NO_NETWORK,
    NO_PICTURE,
    answer_for,
    classify_tab,
    classify_upload,
    network_choices,
    received,
    view,
)

SKIP = gr.skip()


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gradio's own folder for what it receives."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


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
    shown, answer, facts, last = answer_for(checkpoints, upload(path), "shipped", None)
    expected = Classifier(checkpoints / "shipped.safetensors", "cpu").classify(path)
    best, share = next(iter(expected.items()))
    assert f"{best}<span>, {share:.1%}</span>" in answer
    assert [f"<b>{name}</b>" in answer for name in expected] == [True] * 3
    assert "40 × 30 → shorter side to 32, centre crop" in answer
    assert "93.1%" in facts
    assert "93.9% averaged with mirror images" in facts
    assert (shown, last) == (SKIP, str(path))


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
    _, answer, facts, _ = answer_for(folder, upload(path), None, None)
    assert ("This does not look like any of the 3 classes" in answer) == warned
    assert ("<svg class='gl-triangle' role='img'" in answer) == warned
    assert ("closest: " in answer) == warned
    score = 1 - max(Classifier(folder / "a.safetensors", "cpu").classify(path).values())
    assert (f"Max softmax score {score:.2f}, warning above {threshold:.2f}" in answer) == warned
    assert "5.0% false alarms, 2.0% to 47.0% missed" in facts
    assert "fitted on 500 validation images" in facts
    assert "5.0% of 1,000 test images" in facts
    assert Tags(answer).open == Tags(facts).open == []

    sent = classify_upload(folder, upload(path))
    assert sent["unlike_training"] == warned
    expected = {"score": "max softmax", "value": pytest.approx(score, abs=1e-5), "threshold": threshold}
    assert sent["novelty"] == expected


def test_without_a_threshold_nothing_is_claimed(checkpoints: Path, uploads: Path) -> None:
    path = picture(uploads)
    _, answer, facts, _ = answer_for(checkpoints, upload(path), "shipped", None)
    assert "does not look like" not in answer
    assert "holds no threshold" in facts
    sent = classify_upload(checkpoints, upload(path))
    assert (sent["unlike_training"], sent["novelty"]) == (None, None)


def test_what_the_answer_rests_on_is_drawn_when_asked_for(checkpoints: Path, uploads: Path) -> None:
    path = picture(uploads)
    _, plain, _, _ = answer_for(checkpoints, upload(path), "shipped", None)
    _, explained, _, _ = answer_for(checkpoints, upload(path), "shipped", None, True)
    assert (plain.count("<img"), explained.count("<img")) == (1, 2)
    found = occlude(Classifier(checkpoints / "shipped.safetensors", "cpu"), path)
    assert f"{found.label} keeps at least {found.covered:.1%}." in explained  # no square moves it by 5%
    assert Tags(explained).open == []


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
    _, answer, _, _ = answer_for(checkpoints, upload(path), "shipped", None)
    content = base64.b64decode(re.search(r"data:image/png;base64,([^']+)", answer)[1])
    expected = Classifier(checkpoints / "shipped.safetensors", "cpu").input_image(path)
    assert np.array_equal(Image.open(io.BytesIO(content)), expected)


def test_a_refused_picture_leaves_the_one_before(checkpoints: Path, uploads: Path) -> None:
    good, bad = picture(uploads), uploads / "words.png"
    bad.write_text("words")
    with pytest.warns(UserWarning, match=r"^words\.png is not a picture"):  # a toast, when there is a browser
        assert answer_for(checkpoints, upload(bad), "shipped", str(good)) == (str(good), SKIP, SKIP, str(good))
    with pytest.warns(UserWarning, match=r"^words\.png"):
        assert answer_for(checkpoints, upload(bad), "shipped", None) == (None, SKIP, SKIP, None)
    good.unlink()
    with pytest.warns(UserWarning, match=r"^words\.png"):
        assert answer_for(checkpoints, upload(bad), "shipped", str(good)) == (None, SKIP, SKIP, None)


def test_a_refused_network_leaves_everything(checkpoints: Path, uploads: Path) -> None:
    path = picture(uploads)
    with pytest.warns(UserWarning, match="There is no checkpoint 'gone'"):
        assert answer_for(checkpoints, upload(path), "gone", str(path)) == (SKIP,) * 4


def test_what_a_browser_cannot_show_goes_back_as_pixels(checkpoints: Path, uploads: Path) -> None:
    path = picture(uploads, "scan.tif")
    shown, answer, _, last = answer_for(checkpoints, upload(path), "shipped", None)
    assert np.array_equal(shown, Image.open(path))
    assert last == str(path)
    assert "gl-verdict" in answer


def test_empty_states_say_what_to_do(checkpoints: Path, uploads: Path, tmp_path: Path) -> None:
    assert answer_for(tmp_path / "none", None, None, None)[1] == NO_NETWORK
    assert answer_for(tmp_path / "none", upload(picture(uploads)), None, None)[1] == NO_NETWORK
    _, answer, facts, _ = answer_for(checkpoints, None, None, None)
    assert answer == NO_PICTURE
    assert "<h4>shipped</h4>" in facts


def test_synthetic_networks_carry_a_warning(checkpoints: Path) -> None:
    warned = {
        name: "not photographs" in view.facts(find_checkpoint(checkpoints, name)) for name in ("shipped", "try/best")
    }
    assert warned == {"shipped": False, "try/best": True}


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


class Tags(HTMLParser):
    """The tags of some HTML, and whether each opened one is closed in turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen, self.open = [], []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_names_from_a_file_cannot_become_markup(tmp_path: Path) -> None:
    evil, black = "<img src=x onerror=alert(1)>'\"", np.zeros((32, 32, 3), np.uint8)
    novelty = {**NOVELTY, "threshold": 0.0, "misses": {evil: 0.1}, "fitted_on": evil, "measured_on": evil}
    path = tiny_checkpoint(tmp_path / "<b>x.safetensors", (evil, f"{evil}2", f"{evil}3"), data=evil, novelty=novelty)
    facts, classifier = view.facts(find_checkpoint(tmp_path)), Classifier(path, "cpu")
    answers = classifier.classify(black), Image.new("RGB", (32, 32)), (9, 9)
    answer = view.answer(*answers, judge(classifier, black), occlude(classifier, black))
    assert "does not look like" in answer
    assert Tags(facts).seen.count("img") == 0
    assert Tags(answer).seen.count("img") == 2
    assert Tags(facts).open == Tags(answer).open == []


# --- uploads ----------------------------------------------------------------------------------


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
        classify_tab(checkpoints, demo, tab)
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

    words = tmp_path / "words.png"
    words.write_text("words")
    with pytest.raises(AppError, match=r"^words\.png is not a picture"):
        client.predict(handle_file(words), api_name="/classify")
    with pytest.raises(AppError, match=r"^There is no checkpoint '\.\./x'"):
        client.predict(handle_file(path), "../x", api_name="/classify")
    assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/classify"]


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
