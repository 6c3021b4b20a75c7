"""What the Train page costs with 200 runs of 1,000 epochs, and which drawing of their curves is faster.

    python -m benchmarks.many_runs [--runs 200] [--epochs 1000]

Server: processor time of a refresh beside a trainer, by nobody's and by somebody's news. Page: from the address to the
drawn curves, in Chromium (pip install playwright, or the system's), in an app that is up. Drawing: the epochs' curves
and 25 rows of steps an epoch (10,000 steps thinned as trainers do), redrawn after each new row, as SVG in one piece
(what the page had) and by uPlot on a canvas (what it has). Ends with 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from benchmarks.watching import start_app
from googlenet.models.presets import preset
from googlenet.recipes import make_train_config
from googlenet.runs import METRICS, Run, Status, process_started
from googlenet.ui.common.charts import Series, curve_chart
from googlenet.ui.train.watch import Watcher

PAGE_SECONDS, REFRESH_SECONDS = 1.5, 0.05
ROWS = 25  # of steps an epoch
CHROMIUM = Path("/usr/bin/chromium")


def make_runs(folder: Path, count: int, epochs: int) -> list[Run]:
    """Runs whose curves fall; the newest is at work, by this process."""
    cells = ["0.75", "0.5", "0.7", "0.6", "0.1", "300.0", "15.0", "0.9", "1.2e9", "", "", "", ""]
    rows = "".join(f"{epoch},{','.join(cells)}\n" for epoch in range(epochs))
    steps = "".join(
        json.dumps({"step": n + 1, "epoch": round((n + 1) / ROWS, 4), "loss": 2000 / (n + 1000), "lr": 0.1}) + "\n"
        for n in range(epochs * ROWS)
    )
    made = []
    for number in range(count):
        run = Run(folder, f"run-{number:03d}")
        run.create(make_train_config(run.name, preset("cifar10"), epochs=epochs + 1000))
        (run.path / "metrics.csv").write_text(f"{','.join(METRICS)}\n{rows}")
        (run.path / "steps.jsonl").write_text(steps)
        run.write_status(Status("stopped", epoch=epochs, epochs=epochs + 1000, steps_per_epoch=ROWS))
        made.append(run)
    me = os.getpid()
    made[-1].write_status(
        Status("running", epoch=epochs, epochs=epochs + 1000, steps_per_epoch=ROWS, pid=me,
               pid_started=process_started(me), heartbeat=time.time())
    )  # fmt: skip
    return made


def processor_time(action: Callable[..., object], *arguments: object, **options: object) -> float:
    """Seconds of this thread."""
    start = time.thread_time()
    action(*arguments, **options)
    return time.thread_time() - start


def refreshes(folder: Path, run: Run, epochs: int) -> tuple[float, float, float]:
    """Seconds of the processor for the slowest of the first looks, for one without news, and for one with a row."""
    watcher = Watcher(folder)
    first = [processor_time(watcher.look, run.name, now=True) for _ in range(12)]
    seen = json.loads(watcher.look(run.name))["at"]
    quiet = [processor_time(watcher.look, run.name, (), seen, now=True) for _ in range(20)]
    busy = []
    for number in range(20):
        epoch = epochs + (number + 1) / ROWS
        run.append_steps([{"step": epochs * ROWS + number + 1, "epoch": round(epoch, 4), "loss": 0.4, "lr": 0.1}])
        busy.append(processor_time(watcher.look, run.name, (), seen, now=True))
        seen = json.loads(watcher.look(run.name, (), seen))["at"]
    return max(first[1:]), statistics.median(quiet), statistics.median(busy)


OPEN = "[data-panel=loss] canvas"
REDRAW = """async ([draw, times]) => {
  const run = eval(draw);
  for (let n = 0; n < times; n++) {
    run(n);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }
}"""
SVG = "(n) => { window.place.innerHTML = window.svg.replace('</h4>', n + '</h4>'); }"
CANVAS = (
    "(n) => { window.ys[0][window.ys[0].length - 1] = 0.4 + n / 100; window.plot.setData([window.xs, ...window.ys]); }"
)


def in_browser(url: str, run: Run) -> tuple[list[float], dict[str, float]]:
    """Seconds until a page shows its curves, page after page; milliseconds of a redraw, by way of drawing."""
    from playwright.sync_api import sync_playwright

    steps = [(row["epoch"] - 0.5, row["loss"]) for row in run.steps()]
    epochs = [(row["Epoch"], row["Loss"] * (1 + 0.3 * (row["Epoch"] % 7))) for row in run.metrics()]
    svg = curve_chart("Loss", [Series("steps", steps, "blue", faint=True), Series("train", epochs, "red")])
    with sync_playwright() as driver:
        options = {"executable_path": str(CHROMIUM)} if CHROMIUM.exists() else {}
        browser = driver.chromium.launch(args=["--no-sandbox", "--disable-gpu"], **options)
        opened, context = [], browser.new_context()  # the first visit fetches Gradio's scripts, later ones know them
        for _ in range(6):
            page = context.new_page()
            start = time.monotonic()
            page.goto(f"{url}/?tab=train&run={run.name}")
            page.locator(OPEN).wait_for(timeout=60_000)
            opened.append(time.monotonic() - start)
            page.close()
        page = browser.new_page()
        page.goto(f"{url}/?tab=train&run={run.name}")
        page.locator(OPEN).wait_for(timeout=60_000)
        page.evaluate(
            """([svg, points]) => {
              document.body.innerHTML = '<div id=a style="width:600px"></div><div id=b></div>';
              [window.svg, window.place] = [svg, document.querySelector('#a')];
              window.xs = points.map(([x]) => x);
              window.ys = [points.map(([, y]) => y), points.map(([, y]) => y / 2)];
              const series = ['blue', 'red'].map((stroke) => ({stroke}));
              window.plot = new uPlot({width: 600, height: 240, scales: {x: {time: false}}, series: [{}, ...series]},
                [window.xs, ...window.ys], document.querySelector('#b'));
            }""",
            [svg, steps],
        )
        ways = {"SVG, 400 points a line": SVG, f"uPlot, {len(steps):,} points a line": CANVAS}
        redraws = {name: redraw(page, way) for name, way in ways.items()}
        browser.close()
    return opened, redraws


def redraw(page: Any, way: str, times: int = 60) -> float:
    """Milliseconds of the page's own thread (script, layout, paint) for each of `times` redraws."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def spent() -> float:
        return next(
            m["value"] for m in session.send("Performance.getMetrics")["metrics"] if m["name"] == "TaskDuration"
        )

    page.evaluate(REDRAW, [way, 5])
    before = spent()
    page.evaluate(REDRAW, [way, times])
    return 1e3 * (spent() - before) / times


def main() -> int:
    """Make the runs, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=1000)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {options.runs} runs of {options.epochs:,} epochs")
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory) / "checkpoints"
        folder.mkdir()
        run = make_runs(folder, options.runs, options.epochs)[-1]
        time.sleep(2.5)  # until no file is so new that it is read twice
        first, quiet, busy = refreshes(folder, run, options.epochs)
        print(f"server: first looks up to {1e3 * first:.0f} ms, a refresh {1e3 * quiet:.1f} ms without news and")
        print(f"  {1e3 * busy:.1f} ms with a row, of the processor (limit {1e3 * REFRESH_SECONDS:.0f} ms)")
        app, url = start_app(folder)
        try:
            opened, redraws = in_browser(url, run)
            spent = psutil.Process(app.pid).cpu_times()
        finally:
            app.terminate()
            app.wait()
        seconds = statistics.median(opened[1:])
        each = ", ".join(f"{seconds:.2f}" for seconds in opened)
        print(
            f"page: curves drawn after {each} s (limit {PAGE_SECONDS} s; app {spent.user + spent.system:.0f} s in all)"
        )
        for way, milliseconds in redraws.items():
            print(f"redraw: {milliseconds:.1f} ms, {way}")
        print(f"load {os.getloadavg()[0]:.1f} at the end")
    return 0 if max(quiet, busy) < REFRESH_SECONDS and seconds < PAGE_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
