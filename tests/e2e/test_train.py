"""Train the drawn shapes in the browser: a rising curve that outlives the page and the app, and a Stop that saves."""

from __future__ import annotations

import time

from playwright.sync_api import Page, expect

from googlenet.training.run import Run

RUN = "shapes-in-the-browser"
PATIENCE = 180_000


def wait_for_epoch(run: Run, epochs: int) -> list[dict[str, float | None]]:
    """The metrics once `epochs` epochs are done."""
    deadline = time.monotonic() + PATIENCE / 1000
    while len(rows := run.metrics()) < epochs:
        assert time.monotonic() < deadline, run.log_tail()
        assert run.status().active, run.log_tail()
        time.sleep(0.5)
    return rows


def fill_form(page: Page, run: str, epochs: int) -> None:
    page.get_by_label("Epochs", exact=True).fill(str(epochs))
    page.get_by_label("Batch", exact=True).fill("256")
    page.get_by_label("Rate", exact=True).fill("0.2")
    if not page.get_by_label("Run name").is_visible():
        page.get_by_role("button", name="More settings").click()
    page.get_by_label("Run name").fill(run)


def test_a_training_from_start_to_resume(visit: object, lab: object) -> None:
    page = visit.open("?tab=train")
    fill_form(page, RUN, 40)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=90_000)
    run = Run(lab.checkpoints, RUN)

    # Live: the loss shows while the first epoch is still under way, the accuracy when it is done.
    expect(page.get_by_role("img", name="Loss:")).to_be_visible(timeout=PATIENCE)
    rows = wait_for_epoch(run, 2)
    assert rows[1]["Accuracy"] > rows[0]["Accuracy"] > 0.1
    assert rows[1]["Loss"] < rows[0]["Loss"]
    expect(page.get_by_role("img", name="Accuracy: train")).to_be_visible(timeout=30_000)

    # A reload and a second browser show the same run, still running.
    page.reload()
    expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=60_000)
    second = visit.open("?tab=train")
    expect(second.get_by_text("running", exact=True)).to_be_visible(timeout=60_000)
    expect(second.locator(".gl-header")).to_contain_text(RUN)

    # One training at a time, in one sentence.
    fill_form(second, "a-second-one", 1)
    second.get_by_role("button", name="Start").click()
    expect(second.locator(".gl-message")).to_contain_text("A training is running already")
    assert not (lab.checkpoints / "a-second-one").exists()

    # The other browser can stop it; it saves first.
    second.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("stopped", exact=True)).to_be_visible(timeout=60_000)
    assert run.status().state == "stopped"
    assert (run.path / "last.safetensors").is_file()

    # What can be downloaded is there.
    page.get_by_role("button", name="Files").click()
    expect(page.get_by_text("metrics").first).to_be_visible()
    with page.expect_download() as download:
        page.locator("a[download]").first.click()
    assert download.value.path().read_text().startswith("Epoch,Accuracy,Loss")

    # Resume goes on; when the app is killed the training is not, and a new app shows it and can stop it.
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=90_000)
    trainer = run.status().pid
    for context in visit.contexts:
        context.close()
    lab.kill()
    lab.start()
    assert run.status().pid == trainer
    assert run.status().active
    page = visit.open(f"?tab=train&run={RUN}")
    expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("stopped", exact=True)).to_be_visible(timeout=60_000)


def test_start_needs_nothing_filled_in(visit: object, lab: object) -> None:
    page = visit.open("?tab=train")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=90_000)
    expect(page.locator(".gl-header")).to_contain_text("cifar10-2")  # named by the network and the time
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("stopped", exact=True)).to_be_visible(timeout=60_000)


def test_a_refused_value_is_explained_beside_its_field(visit: object) -> None:
    page = visit.open("?tab=train")
    page.get_by_label("Epochs", exact=True).fill("0")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".gl-message")).to_contain_text("must be a whole number from 1 to 100,000, not 0")
    expect(page.get_by_text("⚠ epochs must be")).to_be_visible()


def test_the_note_recipe_fills_the_form(visit: object) -> None:
    page = visit.open("?tab=train")
    page.get_by_label("note", exact=True).check()
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("1000")
    expect(page.get_by_label("Batch", exact=True)).to_have_value("2048")
    expect(page.get_by_label("Rate", exact=True)).to_have_value("0.0001")
    expect(page.get_by_label("Network")).to_have_value("cifar10-truncated")
