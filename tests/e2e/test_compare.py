"""Runs beside each other in the browser: from the table, as seeds or one by one, and in an address that keeps them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from googlenet import runs
from googlenet.runs import Run, Status

sys.path.insert(0, str(Path(__file__).parents[1]))
from trainings import training

PATIENCE = 60_000


@pytest.fixture
def seeds(lab: object) -> Iterator[list[Run]]:
    made = [Run(lab.checkpoints, f"pair-{seed}") for seed in (0, 1, 2)]
    for seed, run in enumerate(made):
        run.create(training(run.name, "shapes", seed=seed, lr=0.1 if seed < 2 else 0.02))
        run.write_status(Status("finished", epoch=12, epochs=12, steps_per_epoch=10))
        for epoch in range(12):
            shares = {"Accuracy": 0.6, "Validation accuracy": 0.5 + seed / 10 + epoch / 100}
            losses = {"Loss": 1.0, "Validation loss": 1.5 - epoch / 20, "Images/s": 100.0 * (seed + 1)}
            run.append_metrics({"Epoch": epoch, "Seconds": 2.0, **shares, **losses})
    yield made
    for run in made:
        for path in run.path.iterdir():
            path.unlink()
        run.path.rmdir()


def legend(page: Page, panel: str) -> object:
    return page.locator(f"[data-panel={panel}] figcaption ul")


def test_runs_of_the_table_are_compared_and_the_address_shows_them_again(visit: object, seeds: list[Run]) -> None:
    page = visit.open("?tab=train&run=pair-0")
    page.get_by_role("button", name="All runs").click()
    table = page.locator("#all-runs")
    table.locator("[data-testid^=cell-]").get_by_text("pair-0", exact=True).click()
    expect(page.get_by_label("Chosen run")).to_have_value("pair-0")
    page.get_by_role("button", name="Compare its other seeds").click()
    expect(legend(page, "accuracy")).to_contain_text(
        re.compile(r"pair-0 61\.00%.*pair-1 71\.00%", re.S), timeout=PATIENCE
    )
    expect(page).to_have_url(re.compile("compare=pair-1"))

    # Seeds as one, with another run beside them, and other curves than the usual ones.
    page.get_by_role("checkbox", name="seeds as mean ± spread").check()
    expect(legend(page, "accuracy")).to_contain_text("pair-0, 2 seeds 66.00% ± 7.07%", timeout=PATIENCE)
    read = page.get_by_role("slider", name="Read Accuracy")
    read.focus()
    read.press("Home")
    expect(read).to_have_attribute("aria-valuetext", "epoch 0: pair-0, 2 seeds 55.00% ± 7.07%")
    page = visit.open(f"?{urlsplit(page.url).query}&compare=pair-2&curves=validation&curves=speed")  # a shared link
    speeds = re.compile(r"pair-0, 2 seeds 150 ± 70\.7.*pair-2 300", re.S)
    expect(legend(page, "speed")).to_contain_text(speeds, timeout=PATIENCE)
    compared = page.get_by_role("region", name="Compared runs")
    expect(compared.get_by_role("row")).to_contain_text(
        ["Learning rate", "pair-0, 2 seeds (0, 1)", "pair-2"], timeout=PATIENCE
    )
    expect(compared).not_to_contain_text("Momentum")
    expect(page.get_by_role("checkbox", name="images/s")).to_be_checked()
    page.get_by_role("checkbox", name="validation").uncheck()
    expect(page.locator("[data-panel=accuracy]")).to_be_hidden(timeout=PATIENCE)

    # Fewer columns, in the table and in its file; the run stays.
    page.get_by_role("button", name="All runs").click()
    table = page.locator("#all-runs")
    expect(table.get_by_role("columnheader", name="Recipe")).to_be_visible(timeout=PATIENCE)
    table.locator(".token", has_text="Recipe").locator(".token-remove").click()
    expect(table.get_by_role("columnheader", name="Recipe")).to_be_hidden()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the table (CSV)").click()
    assert download.value.path().read_text().startswith('Run,State,Network,"Best validation, %"')


def test_a_table_comes_in_and_goes_out_as_an_event_file(visit: object, lab: object) -> None:
    page = visit.open("?tab=train")
    page.get_by_role("button", name="All runs").click()
    page.get_by_role("button", name="Bring weights or metrics from elsewhere").click()
    for name, content, said in (
        ("model.pt", b"\x80\x04cos\nsystem\n.", "model.pt is a pickle, which can run any program"),
        ("Their log.csv", b"Epoch,Accuracy,Loss\n0,0.25,2.0\n1,0.5,1.0\n", "The run their-log holds 2 epochs"),
    ):
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose a file").click()
        chooser.value.set_files([{"name": name, "mimeType": "application/octet-stream", "buffer": content}])
        expect(page.locator("#all-runs .gl-message")).to_contain_text(said, timeout=PATIENCE)
    page.locator("#all-runs [data-testid^=cell-]").get_by_text("their-log", exact=True).click()
    expect(legend(page, "accuracy")).to_contain_text("train 50.00%", timeout=PATIENCE)
    page.get_by_role("button", name="Files").click()
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("link", name="Event file for TensorBoard").click()
    assert re.fullmatch(r"events\.out\.tfevents\.\d+\.their-log", download.value.suggested_filename)
    assert download.value.path().stat().st_size > 100
    runs.delete(lab.checkpoints, "their-log")
    runs.empty_trash(lab.checkpoints)
