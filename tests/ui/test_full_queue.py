"""More questions than the queue holds, and many visitors: a sentence, and no memory of those who have left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio.events import api
from gradio_client import Client
from gradio_client.exceptions import AppError
from gradio_client.utils import QueueError

from googlenet.ui.events import gradio_private
from googlenet.ui.events.gradio_private import FULL, Page, poll_less


@pytest.fixture
def slow() -> Iterator[tuple[Page, str, threading.Event]]:
    """A page whose one endpoint answers when it is let go, one at a time, with room for two to wait."""
    go = threading.Event()

    def wait(number: int) -> int:
        go.wait(20)
        return number

    with Page() as demo:
        gr.Markdown("described to nobody")
        api(wait, api_name="wait")
        number = gr.Number()
        number.submit(wait, number, number, api_visibility="private")
    demo.queue(max_size=2)
    poll_less(demo)
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield demo, url, go
    go.set()
    demo.close()


def call(url: str, number: int) -> httpx.Response:
    return httpx.post(f"{url}gradio_api/call/wait", json={"data": [number]}, timeout=20)


def answer(url: str, called: httpx.Response) -> str:
    return httpx.get(f"{url}gradio_api/call/wait/{called.json()['event_id']}", timeout=20).text


def test_a_full_queue_says_what_to_do(slow: tuple[Page, str, threading.Event]) -> None:
    demo, url, go = slow
    client: Any = Client(url, verbose=False)
    taken = [call(url, 0)]
    while demo._queue.get_active_worker_count() == 0 or len(demo._queue):
        pass  # until it is being answered, and no longer waiting
    taken += [call(url, number) for number in (1, 2)]
    refused = call(url, 3)
    assert (refused.status_code, refused.json()) == (503, {"detail": FULL})
    (event,) = (number for number, fn in demo.fns.items() if fn.api_visibility == "private")
    sent = {"data": [3], "fn_index": event, "session_hash": "page"}
    refused = httpx.post(f"{url}gradio_api/queue/join", json=sent, timeout=20)
    assert (refused.status_code, refused.json()) == (400, {"detail": FULL})  # for 503 a page has words of its own
    with pytest.raises((QueueError, AppError), match="try again"):  # gradio_client has a sentence of its own
        client.predict(9, api_name="/wait")
    go.set()
    assert [f"data: [{number}]" in answer(url, called) for number, called in enumerate(taken)] == [True] * 3
    assert "data: [4]" in answer(url, call(url, 4))


def test_those_who_left_are_forgotten(slow: tuple[Page, str, threading.Event], monkeypatch: pytest.MonkeyPatch) -> None:
    demo, url, go = slow
    monkeypatch.setattr(gradio_private, "PASSING", 5)
    go.set()
    for number in range(12):
        assert f"data: [{number}]" in answer(url, call(url, number))
    queue, holder = demo._queue, demo.state_holder
    for known in (holder.session_data, holder.time_last_used, queue.pending_messages_per_session):
        assert len(known) <= 6
    (words,) = (number for number, block in demo.blocks.items() if isinstance(block, gr.Markdown))
    assert [words in session.config_values for session in holder.session_data.values()].count(True) == 0
