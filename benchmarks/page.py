"""How long the page takes: from `python app.py` to its use, and from a slider to its new picture in a real browser.

    python -m benchmarks.page [--starts 5] [--moves 40]

The start is held against the least that any Gradio app with torch pays: both imports and an empty page. The slider is
moved one stop at a time, and the time runs until the drawing and the table of steps both show the new module.
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

from playwright.sync_api import Browser, sync_playwright

from googlenet.config import InceptionConfig
from googlenet.models.profile import profile_module
from googlenet.ui.common.channels import STOPS, stop_of_number
from googlenet.ui.common.figures import shape

ROOT = Path(__file__).resolve().parents[1]
BARE = """
import sys, torch, gradio
with gradio.Blocks() as demo:
    pass
demo.launch(server_port=int(sys.argv[1]), quiet=True, ssr_mode=False)
"""
BARE_IS_THERE = "document.querySelector('.gradio-container main')"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
# Moves the slider and waits in the page itself, without the driver's own delay, until picture and table both show it;
# the answer's own request (the largest since the move) tells the server's part.
MEASURE = """([label, output, params]) => new Promise((done) => {
  const slider = [...document.querySelectorAll('input[type=range]')].find((x) => x.ariaLabel?.includes(label));
  const shows = (name, text) => document.querySelector(name)?.textContent.includes(text);
  performance.clearResourceTimings();
  const started = performance.now();
  const look = new MutationObserver(() => {
    if (!shows('svg.gl-wide', output) || !shows('.gl-answer', params)) return;
    look.disconnect();
    requestAnimationFrame(() => {
      const asked = performance.getEntriesByType('resource').sort((a, b) => b.encodedBodySize - a.encodedBodySize)[0];
      done([performance.now() - started, asked.responseEnd - asked.requestStart]);
    });
  });
  look.observe(document.body, { subtree: true, childList: true });
  slider.value = String(Number(slider.value) + 1);
  slider.dispatchEvent(new Event('input', { bubbles: true }));
})"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(arguments: list[str], port: int) -> subprocess.Popen[bytes]:
    """A server, once it answers."""
    environment = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"}
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, env=environment)
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/config", timeout=30).close()
            return process
        except OSError:
            if process.poll() is not None:
                raise SystemExit(f"{arguments[0]} ended before it answered.") from None
            time.sleep(0.02)


def app_arguments(port: int, checkpoints: str) -> list[str]:
    """The lab's command line."""
    return ["app.py", "--port", str(port), "--data", "shapes", "--checkpoints", checkpoints]


def compare_starts(browser: Browser, rounds: int, checkpoints: str) -> None:
    """Print the seconds from the command to a page that can be used, in turns."""
    # Ours counts once the module's figures are painted and the page listens; the bare one once its frame is there.
    usable = {"app.py": "window.googlenetTabs && document.querySelector('.gl-card')", "bare": BARE_IS_THERE}
    times: dict[str, list[float]] = {name: [] for name in usable}
    for _ in range(rounds):
        for name, values in times.items():
            port, begun = free_port(), time.perf_counter()
            process = start(app_arguments(port, checkpoints) if name == "app.py" else ["-c", BARE, str(port)], port)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
            page.wait_for_function(usable[name], timeout=60_000)
            values.append(time.perf_counter() - begun)
            page.close()
            process.kill()
            process.wait()
    ratio = statistics.median(a / b for a, b in zip(times["app.py"], times["bare"], strict=True))
    for name, values in times.items():
        print(f"{name:<7} {statistics.median(values):5.2f} s to a usable page ({min(values):.2f} to {max(values):.2f})")
    print(f"ratio   {ratio:5.2f}")


def slider_latency(browser: Browser, moves: int, checkpoints: str) -> None:
    """Print milliseconds from a slider's move to the new picture and table, and the server's part of it."""
    port = free_port()
    process = start(app_arguments(port, checkpoints), port)
    try:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"http://127.0.0.1:{port}/?tab=build")
        page.wait_for_function("window.googlenetTabs", timeout=60_000)
        page.get_by_text("163,696").first.wait_for()
        page.wait_for_timeout(5000)  # torch is still being imported beside it
        times, server = [], []
        for move in range(1, moves + 1):
            config = InceptionConfig("module", 192, STOPS[stop_of_number(64) + move], 96, 128, 16, 32, 32)
            profile = profile_module(config, 28, 28)
            told = page.evaluate(MEASURE, ["ch1x1", f"output {shape(profile.out_shape)}", f"{profile.params:,}"])
            times.append(told[0])
            server.append(told[1])
            page.wait_for_timeout(150)
    finally:
        process.kill()
    print_times("slider to picture and table", times)
    print_times("of which the server's answer", server)


def print_times(what: str, times: list[float]) -> None:
    """Print median and 95th percentile of some milliseconds."""
    slow = sorted(times)[int(0.95 * len(times))]
    print(f"{what}: median {statistics.median(times):.0f} ms, 95% within {slow:.0f} ms ({len(times)} moves)")


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--starts", type=int, default=5, help="0 leaves them out")
    parser.add_argument("--moves", type=int, default=40)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f} at the start")
    system = Path("/usr/bin/chromium")
    path = {"executable_path": str(system)} if system.exists() else {}
    with tempfile.TemporaryDirectory() as checkpoints, sync_playwright() as driver:
        browser = driver.chromium.launch(args=FLAGS, **path)
        if options.starts:
            compare_starts(browser, options.starts, checkpoints)
        slider_latency(browser, options.moves, checkpoints)
        browser.close()


if __name__ == "__main__":
    main()
