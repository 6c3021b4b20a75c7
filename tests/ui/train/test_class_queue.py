"""A class page: thirty browsers on one machine, known by their cookies, each with runs of their own in one queue."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio_client import Client

from googlenet.runs import active_runs, list_runs, queue
from googlenet.runs.owner import read_owner
from googlenet.ui.app import build_app
from googlenet.ui.page import launch_options

BROWSERS = 30
COOKIES = [f"{number:032x}" for number in range(1, BROWSERS + 1)]


class Page:
    """The served page, and its hidden events."""

    def __init__(self, demo: gr.Blocks, url: str, folder: Path) -> None:
        self.demo, self.url, self.folder = demo, url, folder

    def event(self, right: str, qualified: str) -> Any:
        return next(
            event
            for event in self.demo.fns.values()
            if getattr(event.fn, "right", "") == right and qualified in event.fn.__qualname__
        )

    def post(self, event: Any, values: list[Any], cookie: str, **data: Any) -> str:
        sent = {"data": values, "fn_index": event._id, "session_hash": f"of-{cookie}"}
        answer = httpx.post(
            f"{self.url}gradio_api/run/predict",
            json={**sent, **({"event_data": data} if data else {})},
            headers={"cookie": f"googlenet-visitor={cookie}"} if cookie else {},
            timeout=120,
        )
        return answer.text

    def start(self, cookie: str, run: str) -> str:
        """Press Start, with the form as it is but for these."""
        event = self.event("start", "training_tab.<locals>.begin")
        wanted = {"Run name": run, "Data": "shapes", "Network": "cifar10-truncated", "Epochs": 10_000}
        values = [
            None if isinstance(block, gr.State) else wanted.get(str(block.label), block.value) for block in event.inputs
        ]
        return self.post(event, values, cookie)

    def step(self, cookie: str, what: str, name: str) -> str:
        entry = next((entry.id for entry in queue.read_queue(self.folder).entries if entry.name == name), name)
        return self.post(self.event("queue", "QueuePanel._step"), [], cookie, step=f"{what}:{entry}")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("class")
    demo = build_app(folder, "shapes", most_runs=2)
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_options(folder))
    yield Page(demo, url, folder)
    demo.close()
    queue.pause(folder, True)
    for _, status in active_runs(folder):
        os.kill(status.pid, signal.SIGKILL)


def names(page: Page) -> list[str]:
    return [entry.name for entry in queue.read_queue(page.folder).entries]


def test_thirty_browsers_each_with_their_own_queued_run(page: Page) -> None:
    with ThreadPoolExecutor(BROWSERS) as browsers:
        said = list(browsers.map(lambda cookie: page.start(cookie, f"run-{int(cookie, 16)}"), COOKIES))
    (run,) = list_runs(page.folder)
    waiting = names(page)
    assert len(waiting) == BROWSERS - 1
    assert {run.name, *waiting} == {f"run-{number}" for number in range(1, BROWSERS + 1)}
    assert sum("and begins by itself when its device is free" in answer for answer in said) == BROWSERS - 1
    owners = {int(cookie, 16): hashlib.sha256(cookie.encode()).hexdigest()[:32] for cookie in COOKIES}
    assert read_owner(run.path) == owners[int(run.name[4:])]
    entries = queue.read_queue(page.folder).entries
    assert all(entry.owner == owners[int(entry.name[4:])] for entry in entries)

    # Each page is told which entries are its own, by what is no key to them.
    ann, bob = (f"{int(name[4:]):032x}" for name in waiting[:2])
    seen = httpx.get(f"{page.url}watch", headers={"cookie": f"googlenet-visitor={ann}"})
    tag = seen.headers["x-visitor"]
    assert tag == entries[0].owner[:8]
    assert seen.json()["queue"].count(f'data-owner="{tag}"') == 1
    assert seen.json()["start"] == "Add to queue"
    assert f"{BROWSERS - 1} waiting" in seen.json()["now"]
    assert ann not in seen.text
    assert entries[0].owner not in seen.text

    # What waits counts, and each right is refused in the function.
    first, second = waiting[:2]
    assert "is number 30 in the queue" in page.start(ann, "ann-2")
    assert f"You have 2 of 2 runs ({first}, ann-2): delete or cancel one" in page.start(ann, "ann-3")
    assert "by a cookie" in page.step("", "cancel", first)
    for what in ("cancel", "up", "down", "first"):
        assert f"{second} is not yours" in page.step(ann, what, second)
    hold = page.event("hold", "QueuePanel._hold")
    assert "Others wait here too, so the queue is paused on" in page.post(hold, [], ann, step="pause")
    assert names(page) == [*waiting, "ann-2"]
    assert not queue.read_queue(page.folder).paused

    # Their own among their own: nobody else's moves.
    assert "ann-2 is number 1 in the queue." in page.step(ann, "first", "ann-2")
    assert names(page) == ["ann-2", *waiting[1:], first]
    assert "moves up, down, first or is cancelled" in page.step(ann, "../x", "ann-2")
    assert "is out of the queue" in page.step(ann, "cancel", "ann-2")
    assert "is number 30 in the queue" in page.start(ann, "ann-3")
    assert page.step(bob, "cancel", "no-such-run").count("waits in the queue, where now is:") == 1

    # The same by the API.
    client = Client(page.url, verbose=False, headers={"cookie": f"googlenet-visitor={bob}"})
    with pytest.raises(Exception, match="ann-3 is not yours"):
        client.predict(run="ann-3", api_name="/cancel_queued")
    with pytest.raises(Exception, match=r"You have 1 of 2 runs .run-\d+.: 2 more are too many"):
        client.predict(seeds="0-1", network="cifar10-truncated", settings={"data": "shapes"}, api_name="/queue_sweep")
    with pytest.raises(Exception, match="Others wait here too"):
        client.predict(api_name="/pause_queue")
    asked = {"network": "cifar10-truncated", "run": "bob-2", "settings": {"data": "shapes", "epochs": 3}}
    assert client.predict(**asked, api_name="/queue_training") == {"run": "bob-2", "position": 31}
    found = client.predict(run="bob-2", where="first", api_name="/move_queued")
    assert [row["run"] for row in found["waiting"]] == names(page)
    assert names(page)[0] == "bob-2"
    assert "owner" not in found["waiting"][0]
    for settings, says in (({"lr": -1}, "learning rate must be"), ({"colour": 1}, "colour"), ({"data": "/"}, "one of")):
        with pytest.raises(Exception, match=says):
            client.predict(network="cifar10", settings=settings, api_name="/queue_training")
