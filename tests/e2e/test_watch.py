"""Curves in the browser: one crosshair for all, a zoom and choices that last, alerts in page and title, a quiet tab."""

from __future__ import annotations

import base64
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from googlenet.runs import Run, Status, process_started
from googlenet.runs.samples import Samples, write_samples
from googlenet.training import launcher

sys.path.insert(0, str(Path(__file__).parents[1]))
from trainings import make_folder, training

PATIENCE = 60_000
DOT = base64.b64decode(  # a PNG of one pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
STEPS = 20


def add_epochs(run: Run, first: int, end: int) -> None:
    """Write epochs as a trainer does."""
    for epoch in range(first, end):
        known = {"Epoch": epoch, "Learning rate": 0.1, "Images/s": 100.0, "Seconds": 60.0}
        shares = {"Accuracy": 0.5 + epoch / 100, "Validation accuracy": 0.4 + epoch / 100}
        losses = {"Loss": round(2 / (epoch + 1), 4), "Validation loss": round(2.5 / (epoch + 1), 4)}
        run.append_metrics({**known, **shares, **losses})
    steps = range(first * STEPS, end * STEPS)
    run.append_steps({"step": n + 1, "epoch": (n + 1) / STEPS, "loss": 2 * STEPS / (n + 20), "lr": 0.1} for n in steps)


def write_status(run: Run, state: str, epoch: int) -> None:
    me = os.getpid()
    alive = {"pid": me, "pid_started": process_started(me), "heartbeat": time.time()}
    run.write_status(Status(state, epoch=epoch, epochs=40, steps_per_epoch=STEPS, **alive))


@pytest.fixture
def run(lab: object) -> Iterator[Run]:
    """A run of 40 epochs, 30 of them done, whose trainer is this test."""
    run = Run(lab.checkpoints, "watched")
    if not run.exists():
        run.create(training("watched", "shapes", epochs=40))
        add_epochs(run, 0, 30)
        write_samples(run.path, Samples(("cat", "dog"), (0,), (DOT,)))
        for epoch in range(30):
            run.answers_history().append(epoch, [(int(epoch < 15), 0.5 + epoch / 100)])
    write_status(run, "running", len(run.metrics()))
    yield run
    write_status(run, "stopped", len(run.metrics()))


def opened(visit: object, run: Run) -> Page:
    """The page of `run`, its curves drawn."""
    page = visit.open(f"?tab=train&run={run.name}")
    expect(page.locator("[data-panel=loss] canvas")).to_be_visible(timeout=PATIENCE)
    expect(slider(page, "Accuracy")).to_have_attribute("aria-valuenow", re.compile("29|30"), timeout=PATIENCE)
    return page


def slider(page: Page, title: str) -> Locator:
    return page.get_by_role("slider", name=f"Read {title}")


def drag(page: Page, start: float, end: float) -> None:
    """Across the loss, from one share of its width to another."""
    box = page.locator("[data-panel=loss] .u-over").bounding_box()
    x, y, width = box["x"], box["y"] + 40, box["width"]
    page.mouse.move(x + start * width, y)
    page.mouse.down()
    page.mouse.move(x + (start + end) / 2 * width, y, steps=3)
    page.mouse.move(x + end * width, y, steps=3)
    page.mouse.up()


def test_one_crosshair_reads_all_series_by_mouse_keyboard_and_touch(visit: object, run: Run) -> None:
    page = opened(visit, run)
    loss, accuracy = (page.locator(f"[data-panel={name}]") for name in ("loss", "accuracy"))
    expect(page.get_by_role("img", name="Loss: train, by step")).to_have_attribute(
        "aria-label", re.compile(r"train 0\.0667 at epoch 29, validation 0\.0833 at epoch 29$")
    )
    for shown in ("Learning rate", "Images per second"):
        expect(page.get_by_role("img", name=f"{shown}:")).to_be_visible()

    # The mouse, over one chart, reads every series of all charts at its place; the axis goes from −½ to 39½.
    loss.scroll_into_view_if_needed()
    box = loss.locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 10.5 / 40, box["y"] + 40)
    expect(loss.locator("figcaption")).to_contain_text(re.compile(r"epoch 10.*train 0\.1818.*validation 0\.2273", re.S))
    expect(accuracy.locator("figcaption")).to_contain_text(
        re.compile(r"epoch 10.*train 60\.00%.*validation 50\.00%", re.S)
    )

    answer = page.locator(".gl-samples li")
    expect(answer).to_contain_text("✗ dog 60%")  # after epoch 10

    # Arrow keys go from epoch to epoch, and say what is read.
    page.mouse.move(0, 0)
    read = slider(page, "Accuracy")
    read.focus()
    read.press("Home")
    read.press("ArrowRight")
    expect(read).to_have_attribute("aria-valuetext", "epoch 1: train 51.00%, validation 41.00%")
    expect(loss.locator("figcaption")).to_contain_text(re.compile(r"epoch 1.*train 1.*validation 1\.25", re.S))
    read.press("End")
    expect(read).to_have_attribute("aria-valuetext", re.compile("^epoch 29: train 79.00%"))
    expect(answer).to_contain_text("✓ cat 79%")
    expect(answer.get_by_role("img", name="right after 15 of 30 epochs shown")).to_be_visible()

    # A finger, too.
    touch = page.context.new_cdp_session(page)
    touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    box = loss.locator(".u-over").bounding_box()
    at = {"x": box["x"] + box["width"] * 20.5 / 40, "y": box["y"] + 60}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    expect(accuracy.locator("figcaption")).to_contain_text("epoch 20")
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_zoom_and_choices_outlast_refreshes_and_a_reload(visit: object, run: Run) -> None:
    page = opened(visit, run)
    done = len(run.metrics())
    page.locator("[data-panel=loss]").scroll_into_view_if_needed()
    reset, read = page.get_by_role("button", name="Reset zoom"), slider(page, "Loss")
    expect(reset).to_be_disabled()
    drag(page, 5.5 / 40, 15.5 / 40)  # from epoch 5 to 15
    expect(reset).to_be_enabled()
    zoomed = re.compile("^(9|10)$")
    expect(read).to_have_attribute("aria-valuemax", zoomed)

    plain = page.locator("[data-panel=loss] canvas").evaluate("(canvas) => canvas.toDataURL()")
    page.get_by_role("button", name="Logarithmic scale of Loss").click()
    page.get_by_role("combobox", name="Smoothing of Loss").select_option("0.9")
    page.wait_for_function(
        "(plain) => document.querySelector('[data-panel=loss] canvas').toDataURL() !== plain", arg=plain
    )

    # What comes meanwhile is drawn, and the zoom stays.
    add_epochs(run, done, done + 1)
    write_status(run, "running", done + 1)
    expect(page.get_by_role("img", name=f"at epoch {done}").first).to_be_visible(timeout=PATIENCE)
    expect(read).to_have_attribute("aria-valuemax", zoomed)

    # Another axis shows the same part; a reload everything as it was.
    page.get_by_label("Over").select_option("time")
    read.focus()
    read.press("Home")
    expect(read).to_have_attribute("aria-valuetext", re.compile("^[56] min 30 s, epoch [56]: "))
    visit.reload(page)
    expect(page.locator("[data-panel=loss] canvas")).to_be_visible(timeout=PATIENCE)
    expect(reset).to_be_enabled(timeout=PATIENCE)
    expect(read).to_have_attribute("aria-valuemax", zoomed)
    expect(page.get_by_label("Over")).to_have_value("time")
    expect(page.get_by_role("button", name="Logarithmic scale of Loss")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("combobox", name="Smoothing of Loss")).to_have_value("0.9")

    page.locator("[data-panel=accuracy] .u-over").dblclick()
    expect(reset).to_be_disabled()
    expect(read).to_have_attribute("aria-valuemax", f"{done}")


def test_a_suspended_trainer_is_told_of_and_a_hidden_tab_asks_nothing(
    visit: object, lab: object, tmp_path: Path
) -> None:
    folder = make_folder(tmp_path / "data", 20, 5)
    run = launcher.start(training("suspended", folder, epochs=100_000), lab.checkpoints)
    page = visit.open("?tab=train&run=suspended")
    expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=90_000)
    expect(page.locator(".gl-samples li").nth(5)).to_contain_text("%", timeout=PATIENCE)  # of six images held out
    os.kill(run.status().pid, signal.SIGSTOP)
    alert = page.locator(".gl-alerts")
    expect(alert).to_contain_text("The trainer does not answer: its process", timeout=PATIENCE)
    expect(page).to_have_title("⚠ not answering: suspended · GoogLeNet Lab")
    os.kill(run.status().pid, signal.SIGCONT)
    expect(alert).not_to_contain_text("does not answer", timeout=PATIENCE)
    expect(page).not_to_have_title(re.compile("not answering"))

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true}); " \
        "document.dispatchEvent(new Event('visibilitychange')); }"  # fmt: skip
    page.evaluate(hide, True)
    page.wait_for_timeout(300)  # what was on its way
    asked.clear()
    page.wait_for_timeout(2200)
    assert asked == []
    page.evaluate(hide, False)
    with page.expect_request(re.compile("/watch")):
        pass
    launcher.stop("suspended", lab.checkpoints)
    expect(page.get_by_text("stopped", exact=True)).to_be_visible(timeout=PATIENCE)
