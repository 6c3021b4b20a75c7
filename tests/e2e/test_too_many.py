"""The queue is full: the page says so in a sentence, leaves no other picture's answer there, and can ask again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import expect
from tiny import tiny_checkpoint
from torch import Tensor

from googlenet.inference.classifier import load_classifier
from googlenet.ui import app
from googlenet.ui.classify import tab
from googlenet.ui.events.gradio_private import FULL
from googlenet.ui.page import launch_options


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a lab that answers one question at a time, while one more may wait."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    monkeypatch.setattr(app, "MOST_WAITING", 1)
    monkeypatch.setitem(tab.TOGETHER, "concurrency_limit", 1)
    tiny_checkpoint(tmp_path / "lab" / "tiny.safetensors")
    demo = app.build_app(tmp_path / "lab", "shapes")
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_options(tmp_path / "lab"))
    yield url
    demo.close()


@pytest.fixture
def held(small: str, tmp_path: Path) -> Iterator[tuple[threading.Event, threading.Event]]:
    """The network's answers: each sets the first event where it has come, and waits for the second."""
    network = load_classifier(tmp_path / "lab" / "tiny.safetensors")
    come, go = threading.Event(), threading.Event()

    def wait(picture: Tensor) -> Tensor:
        come.set()
        assert go.wait(120)
        return network.logits(picture[None])[0]

    vars(network)["_together"] = wait
    yield come, go
    go.set()


def ask(url: str, picture: Path) -> int:
    """One more question, whose answer nobody fetches: the status with which it was taken or refused."""
    sent = {"files": ("picture.png", picture.read_bytes())}
    (path,) = httpx.post(f"{url}gradio_api/upload", files=sent, timeout=60).json()
    data = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}, ""]}
    return httpx.post(f"{url}gradio_api/call/classify", json=data, timeout=60).status_code


def fill(url: str, picture: Path) -> None:
    """Ask until the queue is full and stays so: an event of the page itself may wait there for a moment."""
    refused = 0
    while refused < 5:
        refused = refused + 1 if ask(url, picture) == 503 else 0
        time.sleep(0.2)


def test_a_full_queue_answers_with_a_sentence(
    browser: Any, small: str, held: tuple[threading.Event, threading.Event], tmp_path: Path
) -> None:
    come, go = held
    for name, size in (("first", (300, 200)), ("second", (120, 90))):
        Image.effect_noise(size, 80).convert("RGB").save(tmp_path / f"{name}.png")
    go.set()
    page = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US").new_page()
    page.goto(f"{small}?tab=classify")
    expect(page.get_by_text("What is in your picture?")).to_be_visible(timeout=90_000)
    page.locator("input[type=file]").first.set_input_files(tmp_path / "first.png")
    expect(page.get_by_text("300 × 200").first).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Remove Image").click()
    expect(page.get_by_text("What is in your picture?")).to_be_visible(timeout=60_000)

    come.clear()
    go.clear()
    fill(small, tmp_path / "first.png")
    assert come.is_set()
    page.locator("input[type=file]").first.set_input_files(tmp_path / "second.png")
    expect(page.get_by_text(FULL)).to_be_visible(timeout=60_000)
    expect(page.get_by_role("alert").filter(has_text="No answer yet")).to_be_visible()
    expect(page.locator(".gl-verdict")).to_have_count(0)
    explain, again = (page.get_by_role("button", name=name) for name in ("Explain the answer", "Ask again"))
    explain.click()  # is refused as well, and can be pressed again
    expect(page.get_by_text("This answer is not explained yet")).to_be_visible(timeout=60_000)
    expect(explain).to_be_enabled()

    go.set()
    again.click()
    expect(page.get_by_text("120 × 90").first).to_be_visible(timeout=60_000)
    expect(again).to_be_hidden()
    expect(page.get_by_text("No answer yet")).to_have_count(0)
    page.context.close()
