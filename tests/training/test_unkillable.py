"""The real app beside a real trainer that meets its fate: what the page and its interface go on doing."""

from __future__ import annotations

import dataclasses
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from tiny import tiny_checkpoint, tiny_config
from trainings import environment, wait_for

from googlenet.config import ConvConfig
from googlenet.recipes import TrainConfig
from googlenet.runs import Run, active_run
from googlenet.training import launcher

APP = """
import sys
from pathlib import Path
from googlenet.ui.app import build_app
from googlenet.ui.page import launch_options
checkpoints = Path(sys.argv[1])
_, url, _ = build_app(checkpoints, "shapes").launch(
    prevent_thread_lock=True, quiet=True, **launch_options(checkpoints)
)
print(url, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """With weights to classify with; no trainer is left at work in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    tiny_checkpoint(tmp_path / "runs" / "googlenet-cifar10.safetensors")  # listed in place of the lab's
    yield tmp_path / "runs"
    if busy := active_run(tmp_path / "runs"):
        os.kill(busy[1].pid, signal.SIGKILL)


class App:
    """The app in a process of its own."""

    def __init__(self, checkpoints: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", APP, str(checkpoints)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(NO_PROXY="127.0.0.1,localhost"),
        )
        self.url = self.process.stdout.readline().strip()
        assert self.url, "the app did not start"

    def news(self, run: str) -> dict[str, object]:
        """What an open page shows of `run`."""
        return httpx.get(f"{self.url}watch?run={run}&now=1", trust_env=False, timeout=30).json()

    def kill(self) -> None:
        """At once, as a crash would."""
        self.process.kill()
        self.process.communicate()


def test_out_of_memory_ends_the_trainer_and_not_the_classifying(checkpoints: Path, tmp_path: Path) -> None:
    """The system grants the trainer 16 GB of addresses; what 5,000 images give 4,096 channels of is over 40 GB."""
    picture = tmp_path / "picture.png"
    Image.new("RGB", (32, 32), (200, 30, 30)).save(picture)
    app = App(checkpoints)
    try:
        client = Client(app.url, verbose=False)
        network = dataclasses.replace(tiny_config(), layers=(ConvConfig("conv1", 3, 4096, 1),))
        config = TrainConfig("huge", network, "shapes", batch_size=5000, validation_fraction=0.0, device="cpu")

        def answer() -> dict[str, float]:
            top = client.predict(handle_file(picture), api_name="/classify")["top"]
            return {row["class"]: row["probability"] for row in top}

        # Beside a trainer it keeps to one core, which rounds otherwise.
        before = pytest.approx(answer(), rel=1e-5)
        run = launcher.start(config, checkpoints)
        resource.prlimit(run.status().pid, resource.RLIMIT_AS, (16_000_000_000, resource.RLIM_INFINITY))
        beside = 0
        deadline = time.monotonic() + 120
        while run.status().active:
            assert answer() == before
            beside += 1
            assert time.monotonic() < deadline, run.log_tail()
        assert beside > 0
        assert run.status().state == "out_of_memory"
        assert answer() == before
        news = app.news("huge")
        assert "out of memory" in news["status"]
        assert "A batch of 5,000 does not fit into memory: try 2,500." in news["status"]
        assert news["resume"] is True
    finally:
        app.kill()


def test_a_new_app_shows_the_whole_curve_of_a_training_and_can_stop_it(checkpoints: Path, folder: Path) -> None:
    """The first app started it, and was killed."""
    app = App(checkpoints)
    try:
        api = Client(app.url, verbose=False)
        api.predict(
            run="outlives",
            data=str(folder),
            epochs=1000,
            batch_size=16,
            network="cifar10-truncated",
            api_name="/start_training",
        )
        run = Run(checkpoints, "outlives")
        trainer = psutil.Process(run.status().pid)
        assert trainer.ppid() == app.process.pid
        wait_for(lambda: len(run.metrics()) >= 1, 120)
        app.kill()
        epochs = len(run.metrics())
        app = App(checkpoints)
        wait_for(lambda: len(run.metrics()) > epochs, 120)  # it went on
        news = app.news("")  # a page that asks for no run in particular
        assert news["runs"][0] == "outlives"
        assert news["stop"] is True
        _, shown, _ = news["points"]["more"][0]["outlives/Accuracy"]
        assert shown[:epochs] == list(range(epochs))
        Client(app.url, verbose=False).predict("outlives", api_name="/stop_training")
        wait_for(lambda: run.status().state == "stopped")
        assert "stopped" in app.news("outlives")["status"]
        psutil.wait_procs([trainer], timeout=10)
        assert not trainer.is_running()
    finally:
        app.kill()
