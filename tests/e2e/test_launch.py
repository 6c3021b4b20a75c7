"""Train, before Start: the plan, the estimate, the images, the command, settings that travel, and Start in sight."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from playwright.sync_api import Page, expect
from trainings import make_folder

from googlenet.cli.main import _parser
from googlenet.cli.train import train_config
from googlenet.runs import Run

PATIENCE = 90_000


def unfold(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("button", name=name).click()


def test_a_plan_is_measured_started_saved_and_started_again(visit: object, lab: object, tmp_path: Path) -> None:
    data = make_folder(tmp_path / "colours", 20, 5)
    page = visit.open("?tab=train", width=1366, height=768)
    plan, start = page.locator("#before-start"), page.get_by_role("button", name="Start", exact=True)
    expect(plan.get_by_role("img", name="Learning rate over the epochs: from")).to_be_visible(timeout=PATIENCE)
    expect(plan).to_contain_text("0.0327 PFLOP")

    # Every setting is there, out of the way; whatever is unfolded, Start and Stop are in sight.
    expect(page.get_by_label("Weight decay")).to_be_hidden()
    unfold(page, "More settings", "Optimizer and augmentation", "Command line and settings file")
    page.get_by_label("Data", exact=True).fill(str(data))
    page.get_by_label("Data", exact=True).press("Enter")
    for name, value in (("Epochs", "2"), ("Batch size", "16"), ("Weight decay", "0.01"), ("Cutout", "8")):
        page.get_by_role("spinbutton", name=name).fill(value)
    page.get_by_label("Run name").fill("planned")
    unfold(page, "Images as the network sees them")
    page.get_by_role("button", name="Show 16 images").click()
    expect(page.get_by_role("img", name=", augmented")).to_have_count(16, timeout=PATIENCE)
    expect(plan).to_contain_text("a square of 8 blanked")
    first = page.locator(".gl-seen").inner_html()
    page.get_by_role("button", name="Next draw").click()
    expect(plan).to_contain_text("images of epoch 1")
    assert page.locator(".gl-seen").inner_html() != first
    for width, height in ((1366, 768), (1280, 720)):
        page.set_viewport_size({"width": width, "height": height})
        for place in ("Epochs", "Weight decay"):
            page.get_by_role("spinbutton", name=place).scroll_into_view_if_needed()
            for button in ("Start", "Stop"):
                expect(page.get_by_role("button", name=button, exact=True)).to_be_in_viewport(ratio=1)

    page.get_by_role("button", name="Measure time and memory").click()
    expect(plan).to_contain_text("steps measured", timeout=PATIENCE)
    expect(plan).to_contain_text(re.compile(r"Time\s*about \d+ (s|min)"))

    # The command line is what Start does.
    command = page.get_by_label("Command", exact=True)
    expect(command).to_have_value(re.compile("--weight-decay 0.01 .*--name planned"))
    words = shlex.split(command.input_value())
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save settings").click()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    start.click()
    state = page.locator("#shown-run .gl-run .gl-pill").first
    expect(state).to_be_in_viewport(timeout=PATIENCE)
    expect(state).to_have_text("finished", timeout=PATIENCE)
    expect(page.locator("#shown-run .gl-run")).to_contain_text("planned")
    config = Run(lab.checkpoints, "planned").config()
    assert train_config(_parser().parse_args(words[3:])) == config
    assert saved.value.path().read_text() == config.to_json()

    # The file fills another visitor's form, and so does the run; a bad file is one sentence and changes nothing.
    other = visit.open("?tab=train&run=planned", width=390, height=844)
    expect(other.locator(".gl-rate")).to_be_visible(timeout=PATIENCE)
    unfold(other, "Command line and settings file")
    bad = json.dumps({**json.loads(config.to_json()), "epochs": "ten"})
    for name, text in (("bad.json", bad), ("good.json", saved.value.path().read_text())):
        (tmp_path / name).write_text(text)
    other.locator("#before-start input[type=file]").set_input_files(tmp_path / "bad.json")
    expect(other.get_by_text("Epochs must be a whole number from 1 to 100,000, not ten.")).to_be_in_viewport()
    expect(other.get_by_role("spinbutton", name="Epochs")).to_have_value("10")
    other.locator("#before-start input[type=file]").set_input_files(tmp_path / "good.json")
    expect(other.get_by_text("Filled in from the file: Start begins a new run")).to_be_visible()
    expect(other.get_by_role("spinbutton", name="Epochs")).to_have_value("2")
    expect(other.get_by_text("Epochs (recipe: 10)")).to_be_visible()
    assert other.evaluate("document.documentElement.scrollWidth") <= 390

    again = visit.open("?tab=train&run=planned")
    expect(again.locator(".gl-rate")).to_be_visible(timeout=PATIENCE)
    again.get_by_role("button", name="Start again with these settings").click()
    expect(again.get_by_text("Filled in from planned: Start begins a new run")).to_be_in_viewport()
    expect(again.get_by_role("spinbutton", name="Batch size")).to_have_value("16")
    again.get_by_role("radio", name="full", exact=True).check()  # what the run had stays, the rest follows
    expect(again.get_by_text("Batch size (recipe: 512)")).to_be_visible()
    expect(again.get_by_role("spinbutton", name="Epochs")).to_have_value("2")
    expect(again.get_by_role("spinbutton", name="Learning rate")).to_have_value("0.4")
