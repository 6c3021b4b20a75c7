"""All runs in the browser: a row shows its run; note, rename, delete and undo are on the disk when the page says so."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from googlenet import runs
from googlenet.models.presets import preset
from googlenet.recipes import make_train_config
from googlenet.runs import Run, Status


def make_run(folder: Path, name: str) -> Run:
    run = Run(folder, name)
    run.create(make_train_config(name, preset("cifar10")))
    run.write_status(Status("finished", epoch=1, epochs=1))
    run.append_metrics({"Epoch": 0, "Accuracy": 0.5, "Loss": 1.0, "Validation accuracy": 0.5, "Seconds": 60})
    return run


def test_a_run_is_noted_renamed_deleted_and_brought_back(visit: object, lab: object) -> None:
    for name in ("desk-one", "desk-two"):
        make_run(lab.checkpoints, name)
    page = visit.open("?tab=train")
    page.get_by_role("button", name="All runs").click()
    page.locator("#all-runs").get_by_text("desk-one", exact=True).click()
    expect(page.get_by_label("Chosen run")).to_have_value("desk-one")
    expect(page.locator("#run input")).to_have_value("desk-one")

    page.get_by_label("Note", exact=True).fill("a good one")
    page.get_by_role("button", name="Save note").click()
    expect(page.get_by_text("The note on desk-one is saved.")).to_be_visible()
    assert runs.read_note(Run(lab.checkpoints, "desk-one")) == "a good one"

    page.get_by_label("New name").fill("desk-two")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_text("already something called desk-two")).to_be_visible()
    page.get_by_label("New name").fill("desk-three")
    page.get_by_role("button", name="Rename").click()
    expect(page.locator("#run input")).to_have_value("desk-three")
    assert Run(lab.checkpoints, "desk-three").exists()

    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("desk-three is in the trash")).to_be_visible()
    assert not Run(lab.checkpoints, "desk-three").exists()
    page.get_by_role("button", name="Undo delete").click()
    expect(page.get_by_text("desk-three is back.")).to_be_visible()
    assert runs.read_note(Run(lab.checkpoints, "desk-three")) == "a good one"
    for name in ("desk-two", "desk-three"):
        runs.delete(lab.checkpoints, name)
    runs.empty_trash(lab.checkpoints)


def test_a_run_is_pruned_the_trash_emptied_and_the_table_saved(visit: object, lab: object) -> None:
    run = make_run(lab.checkpoints, "shelf-one")
    for name in ("best", "last", "epoch-0000", "step-000007"):
        (run.path / f"{name}.safetensors").write_bytes(b"weights")
    make_run(lab.checkpoints, "shelf-two")
    runs.delete(lab.checkpoints, "shelf-two")
    page = visit.open("?tab=train")
    page.get_by_role("button", name="All runs").click()
    page.locator("#all-runs [data-testid^=cell-]").get_by_text("shelf-one", exact=True).click()
    expect(page.get_by_label("Chosen run")).to_have_value("shelf-one")

    page.get_by_role("button", name="Prune", exact=True).click()
    expect(page.get_by_text("Erase 2 files of shelf-one, 14 B?")).to_be_visible()
    assert len(run.weights()) == 4
    page.get_by_role("button", name="Erase them").click()
    expect(page.get_by_text("shelf-one keeps best and last; 14 B are free again.")).to_be_visible()
    assert {path.stem for path in run.weights()} == {"best", "last"}

    with page.expect_download() as download:
        page.get_by_role("button", name="Download the table (CSV)").click()
    header, *rows = download.value.path().read_text().splitlines()
    assert header.startswith("Run,State,Network,Recipe,")
    assert any(row.startswith("shelf-one,finished,cifar10,default,50.0,1,") for row in rows)

    page.get_by_role("button", name="Empty trash").click()
    expect(page.get_by_text("There is no way back.")).to_be_visible()
    assert runs.trash_size(lab.checkpoints) > 0
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text("The trash is empty;")).to_be_visible()
    assert runs.list_deleted(lab.checkpoints) == []
    runs.delete(lab.checkpoints, "shelf-one")
    runs.empty_trash(lab.checkpoints)


def test_the_columns_stay_chosen(visit: object, lab: object) -> None:
    make_run(lab.checkpoints, "narrow")
    page = visit.open("?tab=train")
    table, headings = page.locator("#all-runs"), page.locator("#all-runs th:visible")
    page.get_by_role("button", name="All runs").click()
    expect(table.locator("[data-testid^=cell-]").get_by_text("narrow", exact=True)).to_be_visible()
    expect(headings.filter(has_text="Recipe").first).to_be_visible()
    table.locator(".token").filter(has_text="Recipe").locator(".token-remove").click()
    expect(headings.filter(has_text="Recipe")).to_have_count(0)
    visit.reload(page)
    page.get_by_role("button", name="All runs").click()
    expect(headings.filter(has_text="Network").first).to_be_visible()
    expect(headings.filter(has_text="Recipe")).to_have_count(0)
    expect(table.locator(".token").filter(has_text="Recipe")).to_have_count(0)
    runs.delete(lab.checkpoints, "narrow")
    runs.empty_trash(lab.checkpoints)
