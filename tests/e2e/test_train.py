"""Train in the browser: a rising curve that outlives the page and the app, and a Stop that saves."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from googlenet.models.presets import preset
from googlenet.recipes import make_train_config
from googlenet.runs import Run
from googlenet.training import launcher

sys.path.insert(0, str(Path(__file__).parents[1]))
from trainings import make_folder

RUN = "in-the-browser"
PATIENCE = 120_000


def wait_for_epoch(run: Run, epochs: int) -> list[dict[str, float | None]]:
    """The metrics once `epochs` epochs are done."""
    deadline = time.monotonic() + PATIENCE / 1000
    while len(rows := run.metrics()) < epochs:
        assert time.monotonic() < deadline, run.log_tail()
        assert run.status().active, run.log_tail()
        time.sleep(0.5)
    return rows


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image folder of three colours: epochs take a second, and the network learns from the first."""
    return make_folder(tmp_path_factory.mktemp("data") / "colours", 40, 10)


def fill_form(page: Page, run: str, epochs: int, data: Path) -> None:
    page.get_by_label("Data", exact=True).fill(str(data))
    page.get_by_label("Data", exact=True).press("Enter")
    for label, value in (("Epochs", str(epochs)), ("Batch size", "32"), ("Learning rate", "0.05")):
        page.get_by_role("spinbutton", name=label).fill(value)
    if not page.get_by_label("Run name").is_visible():
        page.get_by_role("button", name="More settings").click()
    page.get_by_label("Run name").fill(run)


def test_a_training_from_start_to_resume(visit: object, lab: object, colours: Path) -> None:
    page = visit.open("?tab=train")
    fill_form(page, RUN, 10_000, colours)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=90_000)
    run = Run(lab.checkpoints, RUN)

    # Live: the loss shows while the first epoch is still under way, the accuracy when it is done.
    expect(page.get_by_role("img", name="Loss:")).to_be_visible(timeout=PATIENCE)
    rows = wait_for_epoch(run, 4)
    assert rows[3]["Accuracy"] > rows[0]["Accuracy"] > 0.1
    assert rows[3]["Loss"] < rows[0]["Loss"]
    expect(page.get_by_role("img", name="Accuracy: train")).to_be_visible(timeout=30_000)

    # A reload and a second browser show the same run, still running.
    visit.reload(page)
    expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=60_000)
    second = visit.open("?tab=train")
    expect(second.get_by_text("running", exact=True)).to_be_visible(timeout=60_000)
    expect(second.locator(".gl-header")).to_contain_text(RUN)

    # One training at a time on a device: the second waits, until it is cancelled.
    fill_form(second, "a-second-one", 1, colours)
    second.get_by_role("button", name="Add to queue", exact=True).click()
    second.get_by_role("button", name="Cancel a-second-one").click()
    expect(second.get_by_text("a-second-one is out of the queue.")).to_be_visible()
    assert not (lab.checkpoints / "a-second-one").exists()

    # The other browser can stop it; it saves first.
    second.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("stopped", exact=True)).to_be_visible(timeout=60_000)
    assert run.status().state == "stopped"
    assert (run.path / "last.safetensors").is_file()

    # What can be downloaded is there.
    page.get_by_role("button", name="Files").click()
    for name, start in (("metrics.csv", b"Epoch,Accuracy,Loss"), ("curves.png", b"\x89PNG")):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert download.value.path().read_bytes().startswith(start)
    expect(page.get_by_role("link", name="last.safetensors")).to_be_visible()

    # Resume goes on; when the app is killed the training is not, and a new app shows it and can stop it.
    page.get_by_role("button", name="Resume", exact=True).click()
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
    read = page.get_by_role("slider", name="Read Accuracy")
    expect(page.get_by_role("img", name="Accuracy: train")).to_be_visible(timeout=30_000)
    assert int(read.get_attribute("aria-valuemax")) + 1 >= len(rows)  # the whole curve, from before the app's death
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("stopped", exact=True)).to_be_visible(timeout=60_000)


def test_steps_are_live_and_a_killed_trainer_is_interrupted_within_five_seconds(
    visit: object, lab: object, colours: Path
) -> None:
    network = preset("cifar10-truncated")
    config = make_train_config("killed", network, data=str(colours), epochs=1000, batch_size=4, lr=1e-4, device="cpu")
    run = launcher.start(config, lab.checkpoints)
    page = visit.open("?tab=train&run=killed")
    expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=90_000)
    resume = page.get_by_role("button", name="Resume", exact=True)
    expect(resume).to_be_disabled()

    def on_page() -> int:
        epochs, step = re.search(
            r"([\d,]+) of 1,000 epochs.*?step ([\d,]+)", page.locator(".gl-run").inner_text(), re.S
        ).groups()
        return int(epochs.replace(",", "")) * run.status().steps_per_epoch + int(step.replace(",", ""))

    seen = run.status()
    assert seen.state == "running"
    page.wait_for_timeout(2000)
    assert on_page() >= seen.epoch * seen.steps_per_epoch + seen.step

    os.kill(run.status().pid, signal.SIGKILL)
    killed = time.monotonic()
    expect(page.get_by_text("interrupted", exact=True)).to_be_visible(timeout=5000)
    expect(resume).to_be_enabled(timeout=5000)
    assert time.monotonic() - killed < 5
    resume.click()
    expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("stopped", exact=True)).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()


def test_a_resume_on_other_data_is_asked_about(visit: object, lab: object, tmp_path: Path) -> None:
    data = make_folder(tmp_path / "data", 20, 5)
    options = {"data": str(data), "epochs": 1000, "batch_size": 16, "lr": 1e-4, "device": "cpu"}
    run = launcher.start(make_train_config("changed", preset("cifar10-truncated"), **options), lab.checkpoints)
    wait_for_epoch(run, 1)
    launcher.stop("changed", lab.checkpoints)
    next((data / "train" / "red").iterdir()).unlink()
    page = visit.open("?tab=train&run=changed", width=1366, height=768)
    expect(page.get_by_text("stopped", exact=True)).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Resume", exact=True).click()
    anyway = page.get_by_role("button", name="Resume anyway")
    expect(anyway).to_be_in_viewport(ratio=1, timeout=60_000)
    assert run.status().state == "stopped"
    anyway.click()
    expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=90_000)
    expect(anyway).to_be_hidden()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("stopped", exact=True)).to_be_visible(timeout=60_000)


def test_start_needs_nothing_filled_in(visit: object, lab: object) -> None:
    page = visit.open("?tab=train")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=90_000)
    expect(page.locator(".gl-header")).to_contain_text("cifar10-2")  # named by the network and the time
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("stopped", exact=True)).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("value", ["0", "1.5"])
def test_a_refused_value_is_explained_beside_its_field_and_beside_start(visit: object, value: str) -> None:
    page = visit.open("?tab=train", width=1366, height=768)
    page.get_by_role("button", name="More settings").click()
    page.get_by_role("spinbutton", name="Epochs").fill(value)
    page.get_by_role("spinbutton", name="Seed").scroll_into_view_if_needed()
    for button in ("Start", "Stop", "Resume"):  # whatever is unfolded
        expect(page.get_by_role("button", name=button, exact=True)).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Start", exact=True).click()
    sentence = f"must be a whole number from 1 to 100,000, not {value}"
    refusal = page.get_by_text(f"Epochs {sentence}.", exact=True)  # "No plan yet: epochs …" stands beside the plan
    expect(refusal).to_be_in_viewport(ratio=1)
    beside = page.get_by_text(f"⚠ Epochs {sentence}")
    expect(beside).to_be_visible()
    red, green, blue = map(int, re.findall(r"\d+", beside.evaluate("(element) => getComputedStyle(element).color"))[:3])
    assert red > 2 * max(green, blue)  # it does not look like a hint


def test_the_note_recipe_fills_the_form_and_leaves_what_was_typed(visit: object) -> None:
    page = visit.open("?tab=train")
    epochs, batch, rate = (page.get_by_role("spinbutton", name=name) for name in ("Epochs", "Batch size", "rate"))
    page.get_by_label("note", exact=True).check()
    expect(epochs).to_have_value("1000")
    expect(batch).to_have_value("2048")
    expect(rate).to_have_value("0.0001")
    expect(page.get_by_role("combobox", name="Network")).to_have_value("cifar10-truncated")
    page.get_by_role("button", name="More settings").click()
    kept = page.get_by_label("Checkpoint epochs")
    expect(kept).to_have_value("299, 499, 699, 899")
    epochs.fill("500")
    expect(kept).to_have_value("299, 499")
    expect(page.get_by_text("Epochs (recipe: 1,000)")).to_be_visible()
    page.get_by_label("default", exact=True).check()
    expect(rate).to_have_value("0.001")  # the network of the note has no batch norm
    expect(epochs).to_have_value("500")
    page.get_by_role("button", name="Back to the recipe's values").click()
    expect(epochs).to_have_value("10")
    expect(page.get_by_text("(recipe:")).to_be_hidden()
    page.get_by_label("quick look (10 min)").check()  # a recipe brings its network, and says what to expect
    expect(page.get_by_role("combobox", name="Network")).to_have_value("cifar10")
    expect(page.get_by_text("9 minutes on two quiet cores")).to_be_visible()
