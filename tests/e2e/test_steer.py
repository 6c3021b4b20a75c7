"""A live training steered in the browser: another rate, a checkpoint, early stopping that ends it, more epochs."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect
from trainings import make_folder, training

from googlenet.runs import read_steering
from googlenet.training import launcher

PATIENCE = 60_000


def test_a_live_run_is_steered_ends_early_and_is_extended(visit: object, lab: object, tmp_path: Path) -> None:
    data = make_folder(tmp_path / "colours", 20, 5)
    run = launcher.start(training("steered", data, epochs=50_000, lr=0.01), lab.checkpoints)
    page = visit.open("?tab=train&run=steered")
    state, list_ = page.locator(".gl-pill"), page.get_by_label("How this run was steered")
    expect(state).to_have_text("running", timeout=PATIENCE)
    page.get_by_role("button", name="Steer this run").click()
    panel = page.locator("#steer")

    panel.get_by_label("New rate").fill("0")
    panel.get_by_role("button", name="Set rate").click()
    expect(panel.get_by_text("learning rate must be a number above 0 and up to 100, not 0")).to_be_visible()
    panel.get_by_label("New rate").fill("0.002")
    panel.get_by_role("button", name="Set rate").click()
    expect(panel.get_by_text("steered: asked for learning rate 0.002.")).to_be_visible()
    expect(list_.get_by_text("Learning rate 0.002")).to_be_visible(timeout=PATIENCE)
    expect(list_.get_by_text("from epoch")).to_be_visible(timeout=PATIENCE)

    panel.get_by_role("button", name="Keep a checkpoint now").click()
    expect(list_.get_by_text("Keep a checkpoint")).to_be_visible(timeout=PATIENCE)
    expect(list_.get_by_text("from epoch")).to_have_count(2, timeout=PATIENCE)
    rate, kept = read_steering(run)
    assert (run.path / f"step-{kept.step:06d}.safetensors").is_file()
    assert max(row["lr"] for row in run.steps() if row["step"] > rate.step) <= 0.002

    panel.get_by_label("Patience").fill("3")
    panel.get_by_role("button", name="Stop early").click()
    expect(state).to_have_text("finished", timeout=PATIENCE)
    expect(page.locator(".gl-run").get_by_text("Stopped early after epoch")).to_be_visible()
    done = run.status().epoch

    panel.get_by_label("Epochs in all").fill(str(done + 2))
    panel.get_by_role("button", name="Extend").click()
    expect(panel.get_by_text(f"steered trains on, to {done + 2:,} epochs in all.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text(f"{done + 2:,} of {done + 2:,} epochs done")).to_be_visible(timeout=PATIENCE)
    expect(state).to_have_text("finished", timeout=PATIENCE)
