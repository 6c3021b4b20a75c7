"""Two apps, processes of their own, on one folder of runs: each sees what the other does, and none is in the way."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client
from trainings import ROOT, environment

from googlenet.runs import Run, list_runs

PATIENCE = 120  # seconds


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Client, Path]]:
    place = tmp_path_factory.mktemp("two")
    checkpoints, processes, clients = place / "checkpoints", [], []
    for number in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "app.py", "--port", str(port), "--data", "shapes", "--checkpoints", str(checkpoints)]
        log = (place / f"{number}.log").open("wb")
        processes.append((port, log, subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=log, stderr=log)))
    try:
        for port, _, process in processes:
            wait_for(lambda port=port, process=process: answers(port) or process.poll() is not None)
            clients.append(Client(f"http://127.0.0.1:{port}", verbose=False))
        yield clients[0], clients[1], checkpoints
    finally:
        for _, log, process in processes:
            process.kill()
            process.wait()
            log.close()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=30).status_code == 200
    except httpx.TransportError:
        return False


def wait_for(true: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (value := true()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return value


def watched(client: Client, run: str) -> dict[str, Any]:
    return httpx.get(f"{client.src}watch", params={"run": run, "now": 1}, timeout=60).json()


def test_one_starts_the_other_watches_steers_and_stops(apps: tuple[Client, Client, Path]) -> None:
    one, other, checkpoints = apps
    one.predict(run="shared", data="shapes", epochs=50, batch_size=128, api_name="/start_training")
    wait_for(lambda: other.predict("shared", api_name="/run_status")["state"] == "running")
    assert "shared" in watched(other, "")["now"]
    for client in (one, other):
        with pytest.raises(Exception, match=r"A training is already running \(shared\)"):
            client.predict(run="second", data="shapes", api_name="/start_training")
    assert [run.name for run in list_runs(checkpoints)] == ["shared"]  # what was refused left nothing
    assert other.predict("shared", 60, api_name="/extend_run")["run"] == "shared"
    wait_for(lambda: one.predict("shared", api_name="/run_status")["epochs"] == 60)
    other.predict("shared", api_name="/stop_training")
    wait_for(lambda: one.predict("shared", api_name="/run_status")["state"] == "stopped")
    seen = [{**watched(client, "shared"), "at": 0} for client in (one, other)]
    assert seen[0]["status"] == seen[1]["status"]
    assert json.dumps(seen[0]["points"]) == json.dumps(seen[1]["points"])
    assert Run(checkpoints, "shared").problem() == ""


def test_a_run_that_one_takes_away_is_gone_for_the_other(apps: tuple[Client, Client, Path]) -> None:
    from googlenet.runs.manage import delete

    one, other, checkpoints = apps
    delete(checkpoints, "shared")
    for client in (one, other):
        assert "shared" not in watched(client, "shared")["runs"][1]
        with pytest.raises(Exception, match="There is no run called shared"):
            client.predict("shared", api_name="/run_status")
    started = other.predict(run="shared", data="shapes", epochs=1, batch_size=128, api_name="/start_training")
    assert started["run"] == "shared"  # the name is free again, whoever asks
    wait_for(lambda: one.predict("shared", api_name="/run_status")["state"] == "finished")
