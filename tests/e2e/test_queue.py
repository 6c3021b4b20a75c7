"""The queue in the browser: a second Start waits, moves, is cancelled, and the next begins by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from trainings import make_folder, training

from googlenet.runs import Run, queue
from googlenet.training import launcher

PATIENCE = 90_000


@pytest.fixture
def free_lab(lab: object) -> Iterator[object]:
    """The lab; afterwards nothing waits."""
    yield lab
    for entry in queue.read_queue(lab.checkpoints).entries:
        queue.cancel(lab.checkpoints, entry.id)
    lab.end_trainers()


def test_starts_queue_up_and_the_next_begins_by_itself(visit: object, free_lab: object, tmp_path: Path) -> None:
    data = make_folder(tmp_path / "colours", 20, 5)
    launcher.start(training("first-in-line", data, epochs=50_000), free_lab.checkpoints)
    page = visit.open("?tab=train&run=first-in-line")
    start, line = page.locator(".gl-actions button").first, page.get_by_role("region", name="Queue")
    rows = line.get_by_role("listitem")
    expect(line.get_by_text("Nothing waits.")).to_be_visible(timeout=PATIENCE)
    expect(start).to_have_text("Add to queue", timeout=PATIENCE)
    page.get_by_label("Data", exact=True).fill(str(data))
    page.get_by_label("Data", exact=True).press("Enter")
    page.get_by_role("button", name="More settings").click()
    for name in ("waits-a", "waits-b"):
        page.get_by_label("Run name").fill(name)
        start.click()
        expect(rows.get_by_text(name, exact=True)).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".gl-actions").get_by_text("waits-b is number 2 in the queue")).to_be_visible()
    expect(page.locator(".gl-header").get_by_text("2 waiting")).to_be_visible(timeout=PATIENCE)
    start.click()
    expect(page.locator(".gl-actions").get_by_text("A training called waits-b waits in the queue")).to_be_visible()

    # Moved with the keyboard; the focus stays with the entry.
    up = line.get_by_role("button", name="Move waits-b up")
    up.focus()
    up.press("Enter")
    expect(rows.first).to_contain_text("waits-b", timeout=PATIENCE)
    expect(line.get_by_role("button", name="Move waits-b down")).to_be_focused()

    # A sweep says what it takes before it is added; one that is too large is refused in a sentence.
    page.get_by_role("button", name="Sweep: many runs at once").click()
    sweep = page.locator("#sweep")
    page.get_by_label("Run name").fill("swept")
    sweep.get_by_label("Seeds").fill("0-9999")
    expect(sweep.get_by_text("A sweep has 100 runs at most, and this would be 10,000")).to_be_visible(timeout=PATIENCE)
    sweep.get_by_label("Seeds").fill("0-1")
    expect(sweep.get_by_text("2 runs ·")).to_be_visible(timeout=PATIENCE)
    sweep.get_by_role("button", name="Add 2 runs to the queue").click()
    expect(rows).to_have_count(4, timeout=PATIENCE)
    expect(rows.last).to_contain_text("swept-s1")
    assert queue.read_queue(free_lab.checkpoints).entries[3].facts.group == "swept"
    for name in ("swept-s0", "swept-s1", "waits-a"):
        line.get_by_role("button", name=f"Cancel {name}").click()
        expect(rows.get_by_text(name, exact=True)).to_have_count(0, timeout=PATIENCE)

    # Paused, nothing begins after what ends; let go, the next does, and the page says so.
    line.get_by_role("button", name="Pause the queue").click()
    expect(line.get_by_text("1 waiting, paused")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".gl-pill")).to_have_text("stopped", timeout=PATIENCE)
    assert not Run(free_lab.checkpoints, "waits-b").exists()
    line.get_by_role("button", name="Let the queue go on").click()
    expect(page.locator(".gl-header").get_by_text("waits-b")).to_be_visible(timeout=PATIENCE)
    expect(line.get_by_text("Nothing waits.")).to_be_visible(timeout=PATIENCE)
    assert Run(free_lab.checkpoints, "waits-b").exists()
