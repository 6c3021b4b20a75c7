"""Many who classify at once, in pages and by the API: they share forward passes, and nobody gets another's answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from tiny import tiny_checkpoint
from torch import Tensor

from googlenet.inference.batching import Batcher
from googlenet.inference.classifier import Classifier, load_classifier
from googlenet.ui.app import build_app
from googlenet.ui.events.newest import Newest

PAGES, CALLS = 12, 4


class Lab:
    """A served lab with two networks, and the private event by which a page gets its answer."""

    def __init__(self, url: str, checkpoints: Path, uploads: Path) -> None:
        self.url, self.checkpoints, self.uploads = f"{url}gradio_api/", checkpoints, uploads
        self.client = httpx.Client(trust_env=False, timeout=60, limits=httpx.Limits(max_connections=None))
        config = self.client.get(f"{url}config").json()
        kinds = {block["id"]: (block["type"], block["props"].get("label")) for block in config["components"]}
        (self.event,) = [
            event["id"]
            for event in config["dependencies"]
            for target, what in event["targets"]
            if kinds.get(target) == ("image", "Picture") and what == "change" and event["backend_fn"]
        ]

    def picture(self, number: int) -> dict[str, Any]:
        """An upload: noise of a seed of its own."""
        path = self.uploads / f"{number}.png"
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (40, 50, 3), np.uint8)).save(path)
        return {"path": str(path), "meta": {"_type": "gradio.FileData"}}

    def ask(self, visitor: str, picture: dict[str, Any], network: str = "shipped") -> str:
        """What a page sends when it has a new picture; returns the question's number."""
        sent = {"data": [picture, network, None], "fn_index": self.event, "session_hash": visitor}
        joined = self.client.post(f"{self.url}queue/join", json=sent)
        assert joined.status_code == 200, joined.text
        return joined.json()["event_id"]

    def answers(self, visitor: str) -> Iterator[tuple[str, list[Any]]]:
        """Question and answer, as they come: the answer's HTML, the facts, what is to be put in the picture's field."""
        with self.client.stream("GET", f"{self.url}queue/data", params={"session_hash": visitor}) as lines:
            for line in lines.iter_lines():
                said: dict[str, Any] = json.loads(line.removeprefix("data: ")) if line else {}
                if said.get("msg") == "process_completed":
                    assert said["success"], said
                    yield said["event_id"], said["output"]["data"]

    def page(self, visitor: str, picture: dict[str, Any]) -> list[Any]:
        """What a new visitor's page gets for a picture."""
        asked = self.ask(visitor, picture)
        ((question, answer),) = self.answers(visitor)
        assert question == asked
        return answer

    def call(self, name: str, *data: Any) -> dict[str, Any]:
        """What a client of the API gets."""
        event = self.client.post(f"{self.url}call/{name}", json={"data": data}).json()["event_id"]
        answer = self.client.get(f"{self.url}call/{name}/{event}").text
        assert answer.startswith("event: complete"), answer
        return json.loads(answer.partition("data: ")[2])[0]


@pytest.fixture
def lab(tmp_path: Path, uploads: Path) -> Iterator[Lab]:
    checkpoints = tmp_path / "checkpoints"
    tiny_checkpoint(checkpoints / "shipped.safetensors")
    tiny_checkpoint(checkpoints / "try" / "best.safetensors", seed=1)
    demo = build_app(checkpoints, "shapes")
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield Lab(url, checkpoints, uploads)
    demo.close()


def shares(html: str) -> list[str]:
    """The percentages of an answer's bars."""
    return [part.partition("</em>")[0] for part in html.split("<em>")[1:]]


class Held:
    """A network's forward pass that waits, the first time, until it is let go."""

    def __init__(self, network: Classifier) -> None:
        self.network, self.sizes = network, list[int]()
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, pictures: Tensor) -> Tensor:
        self.sizes.append(len(pictures))
        self.begun.set()
        assert self.go.wait(30)
        return self.network.logits(pictures)


def test_a_crowd_in_pages_and_api_is_answered_together_and_holds_up_no_other(lab: Lab) -> None:
    network = load_classifier(lab.checkpoints / "shipped.safetensors")
    held = Held(network)
    network._together = together = Batcher(held)
    pictures = [lab.picture(number) for number in range(PAGES)]
    with ThreadPoolExecutor(1 + PAGES + CALLS) as threads:
        first = threads.submit(lab.page, "first", pictures[0])
        assert held.begun.wait(30)
        pages = [threads.submit(lab.page, f"page{number}", picture) for number, picture in enumerate(pictures)]
        calls = [threads.submit(lab.call, "classify", picture, "shipped") for picture in pictures[:CALLS]]
        try:
            while len(together._waiting) < PAGES + CALLS:
                assert not any(asked.done() for asked in (*pages, *calls))
            # They wait, and whoever asks something else does not.
            assert lab.call("explain", pictures[0], "try/best", "", "", "grad-cam", False)["method"] == "grad-cam"
        finally:
            held.go.set()  # else each of them would wait out its time
        answers = [page.result(60)[0] for page in pages]
        said = [call.result(60) for call in calls]
        assert first.result(60)[0] == answers[0]
    assert held.sizes == [1, 16]
    alone = Classifier(lab.checkpoints / "shipped.safetensors", "cpu")
    for picture, answer in zip(pictures, answers, strict=True):
        assert shares(answer) == [f"{share:.1%}" for share in alone.classify(picture["path"]).values()]
    assert len(set(map(tuple, map(shares, answers)))) > PAGES // 2  # they differ, so nobody got another's
    for answer, call in zip(answers, said, strict=False):
        assert shares(answer) == [f"{row['probability']:.1%}" for row in call["top"]]


def test_an_answer_that_comes_late_is_not_shown_after_a_newer_one(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    network = load_classifier(lab.checkpoints / "shipped.safetensors")
    held = Held(network)
    monkeypatch.setitem(vars(network), "_together", lambda picture: held(picture[None])[0])  # in the question's thread
    picture = lab.picture(0)
    old = lab.ask("visitor", picture)
    assert held.begun.wait(30)
    new = lab.ask("visitor", picture, "try/best")
    answers = lab.answers("visitor")
    question, (_, facts, *_) = next(answers)
    assert question == new
    assert "try/best" in facts
    held.go.set()
    question, outputs = next(answers)
    assert question == old
    assert all(output["__type__"] == "update" and "value" not in output for output in outputs)  # stay as they are


def test_only_the_newest_question_of_a_visitor_counts() -> None:
    newest = Newest()
    first, other = newest.ask("a"), newest.ask("b")
    second = newest.ask("a")
    assert newest.is_newest("a", second)
    assert not newest.is_newest("a", first)
    assert newest.is_newest("b", other)
    assert newest.is_newest("a", newest.ask("a"))
    assert newest._asked == {}
