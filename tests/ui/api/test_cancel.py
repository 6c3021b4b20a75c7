"""Long calls of the API: they tell their progress, and end when nobody waits for their answer any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio_client import Client

from googlenet.inference import evaluate
from googlenet.ui.api import publish
from googlenet.ui.events import interruptible
from googlenet.ui.events.access import Access
from googlenet.ui.events.long_work import Cancelled

SOON = 4.0  # seconds, on two cores that others use: mostly it is well under one


@pytest.fixture(scope="module")
def url(lab: Path, serve: Any) -> Iterator[str]:
    with serve(lab) as (_, url):
        yield url


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """When the work told its progress and what, "ended" where that ended it."""
    for device in evaluate.BATCH:
        monkeypatch.setitem(evaluate.BATCH, device, 4)  # 250 batches, each a moment
    told: list[tuple[float, str]] = []
    listen = interruptible._Watched.__call__

    def spy(self: Any, share: float, text: str) -> None:
        told.append((time.monotonic(), text))
        try:
            listen(self, share, text)
        except Cancelled:
            told.append((time.monotonic(), "ended"))
            raise

    monkeypatch.setattr(interruptible._Watched, "__call__", spy)
    return told


def wait_for(there: Callable[[], Any], seconds: float = 60.0) -> float:
    """How long it took."""
    started = time.monotonic()
    while not there():
        assert time.monotonic() - started < seconds
        time.sleep(0.02)
    return time.monotonic() - started


def at_work(heard: list[tuple[float, str]]) -> Callable[[], bool]:
    return lambda: any(text.startswith("Judged") for _, text in list(heard))


def ended(heard: list[tuple[float, str]]) -> Callable[[], bool]:
    return lambda: heard[-1][1] == "ended"


def test_a_client_that_cancels_ends_the_work(url: str, heard: list[tuple[float, str]]) -> None:
    client = Client(url, verbose=False)
    job = client.submit("slow", api_name="/evaluate_checkpoint")
    wait_for(at_work(heard))
    wait_for(lambda: "Judged" in str(job.status().progress_data))  # the client hears of it
    job.cancel()
    assert wait_for(ended(heard), SOON) < SOON
    count = len(heard)
    # The next one is answered, and nothing of the one before is at work beside it.
    assert client.predict("tried/best", api_name="/evaluate_checkpoint")["n"] > 0
    assert not [text for _, text in heard[count:] if "of 1,000" in text]


def test_a_client_that_goes_away_ends_the_work(url: str, heard: list[tuple[float, str]]) -> None:
    event = httpx.post(f"{url}gradio_api/call/evaluate_checkpoint", json={"data": ["slow", ""]}).json()["event_id"]
    with httpx.stream("GET", f"{url}gradio_api/call/evaluate_checkpoint/{event}", timeout=60):
        wait_for(at_work(heard))
    assert wait_for(ended(heard), 20) < SOON


def test_past_the_queue_there_is_a_limit(
    url: str, heard: list[tuple[float, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interruptible, "UNQUEUED_SECONDS", 1)
    started = time.monotonic()
    answer = httpx.post(f"{url}gradio_api/run/evaluate_checkpoint", json={"data": ["slow", ""]}, timeout=60)
    assert (answer.status_code, time.monotonic() - started < 30) == (500, True)
    assert answer.json()["error"].startswith("This takes longer than the 1 seconds that a call past the queue may take")


def test_the_long_ones_are_these(lab: Path) -> None:
    with gr.Blocks():
        known = publish(lab, Access("shapes")).known
    long = {"select_run", "promote_checkpoint", "evaluate_checkpoint", "classify_many", "explain", "inside"}
    assert {name for name, endpoint in known.items() if endpoint.long} == long
    assert not [name for name, endpoint in known.items() if "progress" in endpoint.parameters]
