"""How long the page takes: from `python app.py` to an answer, and from a slider to its new table in a real browser.

    python -m benchmarks.page [--starts 5] [--moves 40]

The start is held against the least that any Gradio app with torch pays: both imports and an empty page. The slider is
moved one channel at a time, and the time runs until the new number of parameters stands in the page.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from googlenet.config import InceptionConfig
from googlenet.models.profile import profile_module

ROOT = Path(__file__).resolve().parents[1]
BARE = """
import sys, torch, gradio
with gradio.Blocks() as demo:
    pass
demo.launch(server_port=int(sys.argv[1]), quiet=True, ssr_mode=False)
"""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
# Moves the slider and waits for the text in the page itself: what a person sees, without the driver's own delay.
MEASURE = """([label, text]) => new Promise((done) => {
  const slider = [...document.querySelectorAll('input[type=range]')].find((x) => x.ariaLabel?.includes(label));
  const started = performance.now();
  const look = () => document.querySelector('.gl-answer')?.textContent.includes(text)
    ? done(performance.now() - started) : requestAnimationFrame(look);
  slider.value = String(Number(slider.value) + 1);
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  look();
})"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(arguments: list[str], port: int) -> tuple[subprocess.Popen[bytes], float]:
    """A server and the seconds until its page's description came back."""
    begun = time.perf_counter()
    environment = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"}
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, env=environment)
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/config", timeout=30).close()
            return process, time.perf_counter() - begun
        except OSError:
            time.sleep(0.02)


def compare_starts(rounds: int, checkpoints: str) -> None:
    """Print seconds to the first answer, in turns."""
    times: dict[str, list[float]] = {"app.py": [], "bare": []}
    for _ in range(rounds):
        for name, values in times.items():
            port = free_port()
            ours = ["app.py", "--port", str(port), "--data", "shapes", "--checkpoints", checkpoints]
            process, seconds = start(ours if name == "app.py" else ["-c", BARE, str(port)], port)
            values.append(seconds)
            process.kill()
            process.wait()
    ratio = statistics.median(a / b for a, b in zip(times["app.py"], times["bare"], strict=True))
    for name, values in times.items():
        print(
            f"{name:<7} {statistics.median(values):5.2f} s to the first answer ({min(values):.2f} to {max(values):.2f})"
        )
    print(f"ratio   {ratio:5.2f}")


def slider_latency(moves: int, checkpoints: str) -> None:
    """Print milliseconds from a slider's move to the new table in Chromium."""
    from playwright.sync_api import sync_playwright

    port = free_port()
    process, _ = start(["app.py", "--port", str(port), "--data", "shapes", "--checkpoints", checkpoints], port)
    try:
        with sync_playwright() as driver:
            system = Path("/usr/bin/chromium")
            path = {"executable_path": str(system)} if system.exists() else {}
            browser = driver.chromium.launch(args=FLAGS, **path)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"http://127.0.0.1:{port}/?tab=build")
            page.wait_for_function("window.googlenetTabs", timeout=60_000)
            page.get_by_text("163,696").first.wait_for()
            page.wait_for_timeout(5000)
            times = []
            for move in range(1, moves + 1):
                config = InceptionConfig("module", 192, 64 + move, 96, 128, 16, 32, 32)
                text = f"{profile_module(config, 28, 28).params:,}"
                times.append(page.evaluate(MEASURE, ["ch1x1", text]))
                page.wait_for_timeout(150)
            browser.close()
    finally:
        process.kill()
    times.sort()
    median, slow = statistics.median(times), times[int(0.95 * len(times))]
    print(f"slider to table in the browser: median {median:.0f} ms, 95% within {slow:.0f} ms ({moves} moves)")


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--moves", type=int, default=40)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f} at the start")
    with tempfile.TemporaryDirectory() as checkpoints:
        compare_starts(options.starts, checkpoints)
        slider_latency(options.moves, checkpoints)


if __name__ == "__main__":
    main()
