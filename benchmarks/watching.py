"""What watching a training costs it: images a second with nobody looking, one page open, and twenty.

    python -m benchmarks.watching [--minutes 5] [--seconds 5]

Starts a real app and a real trainer (cifar10 on the drawn shapes). A viewer does what a page with an open Train tab
does over HTTP: it holds Gradio's heartbeat and asks for news every second (googlenet/ui/watch.js). Windows with viewers
stand between windows without, and each is compared with the mean of its two neighbours, so that drift cancels. The
viewers' own process runs on the same cores; its processor time is shown apart. Ends with 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from googlenet.models.presets import preset
from googlenet.recipes import make_train_config
from googlenet.runs import Run
from googlenet.training import launcher

ROOT = Path(__file__).resolve().parents[1]
LIMITS = {1: 0.03, 20: 0.10}  # viewers: share of the trainer's images/s that they may cost
WARM_UP = 15.0
MIN_STEPS = 10  # a window with fewer, on a busy machine, says nothing


@dataclass(frozen=True)
class Window:
    """A few seconds with `viewers` pages open; processor times as shares of one core."""

    viewers: int
    steps: int  # of the trainer
    speed: float  # images/s of the trainer
    app: float
    client: float
    answers: float  # a second
    kilobytes: float  # a second


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
            if process.poll() is not None:
                raise SystemExit("the app did not start") from None
            time.sleep(0.3)


class Viewer:
    """An open page: two kept connections and as little processor time as a client can do with."""

    def __init__(self, port: int, name: str, run: str) -> None:
        self.port, self.name, self.run = port, name, run
        self.answers = self.bytes = 0
        self.seen = 0.0

    async def _get(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
        return reader, writer

    async def watch(self, until: float, wait: float) -> None:
        """Look on until the clock says `until`, first after `wait` seconds, as people do not come all at once."""
        await asyncio.sleep(wait)
        _, beating = await self._get(f"/gradio_api/heartbeat/{self.name}")
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while time.monotonic() < until:
            path = f"/watch?run={self.run}&seen={self.seen!r}"
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            assert head.startswith("http/1.1 200"), head
            body = await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
            self.seen = json.loads(body)["at"]
            self.answers, self.bytes = self.answers + 1, self.bytes + len(body)
            await asyncio.sleep(min(1.0, max(0.0, until - time.monotonic())))
        for end in (beating, writer):
            end.close()


def processor_seconds(process: psutil.Process) -> float:
    """User and system time of the app; its trainer is a child, and not counted until it has ended."""
    times = process.cpu_times()
    return times.user + times.system


def own_seconds() -> float:
    """Processor time of this process, to the microsecond."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def progress(run: Run) -> tuple[int, float]:
    """Steps done and when, by the trainer's own clock."""
    status = run.last_status()
    return status.epoch * status.steps_per_epoch + status.step, status.heartbeat


def measure(run: Run, batch: int, app: psutil.Process, port: int, viewers: int, seconds: float) -> Window:
    """Open `viewers` pages for `seconds` and see what the trainer does meanwhile."""
    pages = [Viewer(port, f"viewer{n}", run.name) for n in range(viewers)]

    async def look() -> None:
        until = time.monotonic() + seconds
        await asyncio.gather(*(page.watch(until, n / max(1, viewers)) for n, page in enumerate(pages)))
        await asyncio.sleep(max(0.0, until - time.monotonic()))

    (steps, moment), theirs, ours, start = progress(run), processor_seconds(app), own_seconds(), time.monotonic()
    asyncio.run(look())
    took = time.monotonic() - start
    theirs, ours = processor_seconds(app) - theirs, own_seconds() - ours
    later, now = progress(run)
    return Window(
        viewers,
        later - steps,
        (later - steps) * batch / max(1e-9, now - moment),
        theirs / took,
        ours / took,
        sum(page.answers for page in pages) / took,
        sum(page.bytes for page in pages) / took / 1000,
    )


def costs(windows: list[Window], viewers: int) -> list[float]:
    """Of each window with `viewers`, the share by which it was slower than its two neighbours without."""
    return [
        1 - here.speed / ((before.speed + after.speed) / 2)
        for before, here, after in zip(windows, windows[1:], windows[2:], strict=False)
        if here.viewers == viewers and min(before.steps, here.steps, after.steps) >= MIN_STEPS
    ]


def interval(values: list[float]) -> tuple[float, float]:
    """The mean, and half of its 95% confidence interval (Student's t, approximated)."""
    n = len(values)
    if n < 2:
        return math.nan, math.inf
    t = 1.96 + 2.4 / max(1, n - 1) + 3.4 / max(1, n - 1) ** 2
    return statistics.fmean(values), t * statistics.stdev(values) / math.sqrt(n)


def report(windows: list[Window]) -> bool:
    """Print a row for each number of viewers, and the verdicts; False when a limit is missed."""
    met = True
    print("viewers   images/s   app        viewers' process   answers/s   kB/s   cost to the trainer, 95% interval")
    for viewers in sorted({window.viewers for window in windows}):
        mine = [window for window in windows if window.viewers == viewers]
        speed, app, client, answers, kilobytes = (
            statistics.fmean(getattr(window, name) for window in mine)
            for name in ("speed", "app", "client", "answers", "kilobytes")
        )
        row = f"{viewers:7}   {speed:8.1f}   {app:5.1%} core   {client:13.1%} core   {answers:9.1f}   {kilobytes:4.0f}"
        if not viewers:
            print(row)
            continue
        mean, half = interval(costs(windows, viewers))
        limit = LIMITS.get(viewers, math.inf)
        if mean + half < limit:
            verdict = f"below {limit:.0%}: met"
        elif mean - half > limit:
            verdict, met = f"above {limit:.0%}: MISSED", False
        else:
            verdict = f"too noisy to judge {limit:.0%}"
        cost = "not measured" if math.isnan(mean) else f"{mean:.1%} ± {half:.1%}"
        print(f"{row}   {cost} ({len(costs(windows, viewers))} of {len(mine)} windows), {verdict}")
    return met


def main() -> int:
    """Start app and trainer, open pages in turns, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="of measuring, after half a minute of starting")
    parser.add_argument("--seconds", type=float, default=5.0, help="a window")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.2f} at the start{': other work will blur this' if load > 0.5 else ''}")
    with tempfile.TemporaryDirectory() as directory:
        checkpoints = Path(directory)
        app, url = start_app(checkpoints)
        config = make_train_config("watched", preset("cifar10"), data="shapes", epochs=1000, batch_size=32, lr=0.05)
        os.environ["GOOGLENET_SAVE_SECONDS"] = "3600"  # a save would fall into some windows and not into others
        run = launcher.start(config, checkpoints)
        try:
            wait_until(lambda: progress(run)[0] >= MIN_STEPS)  # a first step may have to compile
            time.sleep(WARM_UP)
            watching = itertools.cycle(number for viewers in LIMITS for number in (viewers, 0))
            windows: list[Window] = []
            process, port = psutil.Process(app.pid), int(url.rsplit(":", 1)[1])
            count = max(5, round(60 * options.minutes / options.seconds)) | 1
            for viewers in [0, *itertools.islice(watching, count - 1)]:
                windows.append(measure(run, config.batch_size, process, port, viewers, options.seconds))
            met = report(windows)
            print(f"load {os.getloadavg()[0]:.2f} at the end")
        finally:
            launcher.stop("watched", checkpoints)
            app.terminate()
            wait_until(lambda: not run.status().active)
    return 0 if met else 1


def wait_until(condition: Callable[[], bool]) -> None:
    """Without keeping a core busy."""
    while not condition():
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
