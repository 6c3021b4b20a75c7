"""What watching a training costs it: images a second with nobody looking, one page open, and twenty.

    python -m benchmarks.watching [--viewers 1 20] [--rounds 3] [--seconds 20]

Starts a real app and a real trainer (cifar10 on the drawn shapes). A viewer asks the app what an open Train tab asks:
its timers, at their rates, over HTTP. The conditions take turns; the cost is against the turn without a viewer beside
them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import httpx

from googlenet.models.presets import preset
from googlenet.recipes import make_train_config
from googlenet.training import launcher
from googlenet.training.run import Run

ROOT = Path(__file__).resolve().parents[1]


def start_app(checkpoints: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The app on a free port, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["--port", str(port), "--checkpoints", str(checkpoints), "--data", "shapes"]
    process = subprocess.Popen([sys.executable, "app.py", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return process, url
        except OSError:
            time.sleep(0.3)


def timers(config: dict) -> list[tuple[float, int, list]]:
    """(seconds, function, what a fresh page would send) of each timer of the page."""
    components = {c["id"]: c for c in config["components"]}
    found = []
    for dependency in config["dependencies"]:
        for target, event in dependency["targets"]:
            if event == "tick":
                inputs = [components[i]["props"].get("value") for i in dependency["inputs"]]
                found.append((components[target]["props"]["value"], dependency["id"], inputs))
    return found


async def view(client: httpx.AsyncClient, name: str, ticks: list[tuple[float, int, list]], until: float) -> int:
    """One open page until the clock says `until`; returns how many answers it got."""
    answers = 0

    async def tick(seconds: float, function: int, inputs: list) -> None:
        nonlocal answers
        while time.monotonic() < until:
            body = {"data": inputs, "fn_index": function, "session_hash": name}
            (await client.post("/gradio_api/run/predict", json=body)).raise_for_status()
            answers += 1
            await asyncio.sleep(seconds)

    await asyncio.gather(*(tick(*one) for one in ticks))
    return answers


async def watch(url: str, viewers: int, seconds: float) -> int:
    """`viewers` pages for `seconds`; returns the answers they got."""
    until = time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        config = (await client.get("/config")).json()
        ticks = timers(config)
        if not viewers:
            await asyncio.sleep(max(0.0, until - time.monotonic()))
        return sum(await asyncio.gather(*(view(client, f"viewer{n}", ticks, until) for n in range(viewers))))


def steps_done(run: Run) -> int:
    """Steps of all epochs so far."""
    status = run.last_status()
    return status.epoch * status.steps_per_epoch + status.step


def main() -> None:
    """Print a row for each number of viewers."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 20])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f} at the start")
    with tempfile.TemporaryDirectory() as directory:
        checkpoints = Path(directory)
        app, url = start_app(checkpoints)
        config = make_train_config("watched", preset("cifar10"), data="shapes", epochs=1000, batch_size=32, lr=0.05)
        run = launcher.start(config, checkpoints)
        try:
            while run.status().state != "running":
                time.sleep(0.5)
            time.sleep(10)
            speeds: dict[int, list[float]] = {count: [] for count in (0, *options.viewers)}
            answers = dict.fromkeys(speeds, 0)
            for _ in range(options.rounds):
                for count in speeds:
                    before, start = steps_done(run), time.monotonic()
                    answers[count] += asyncio.run(watch(url, count, options.seconds))
                    time.sleep(1.1)  # for the status to be written
                    speeds[count].append((steps_done(run) - before) * config.batch_size / (time.monotonic() - start))
            for count, values in speeds.items():
                costs = [1 - ours / alone for ours, alone in zip(values, speeds[0], strict=True)]
                print(
                    f"{count:>3} viewers: {statistics.median(values):7.1f} images/s, "
                    f"cost {statistics.median(costs):6.1%} ({min(costs):.1%} to {max(costs):.1%}), "
                    f"{answers[count] / options.rounds / options.seconds:.1f} answers/s"
                )
        finally:
            launcher.stop("watched", checkpoints)
            app.terminate()
            while run.status().active:
                time.sleep(0.2)


if __name__ == "__main__":
    main()
