"""The table of all runs is quick with hundreds of them, and on a public page its steps are refused, not only hidden."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from googlenet import runs
from googlenet.cli.main import main
from googlenet.errors import LabError
from googlenet.language import speaking
from googlenet.models.presets import preset
from googlenet.recipes import make_train_config
from googlenet.runs import METRICS, Run, Status
from googlenet.ui.app import build_app
from googlenet.ui.events.access import Access
from googlenet.ui.train import all_runs
from googlenet.ui.train.runs_table import COLUMNS, table_of


def make_runs(folder: Path, count: int, epochs: int) -> None:
    cells = ["0.5"] * (len(METRICS) - 1)
    rows = "".join(f"{epoch},{','.join(cells)}\n" for epoch in range(epochs))
    for number in range(count):
        run = Run(folder, f"run-{number}")
        run.create(make_train_config(run.name, preset("cifar10")))
        run.write_status(Status("finished", epoch=epochs, epochs=epochs))
        (run.path / "metrics.csv").write_text(f"{','.join(METRICS)}\n{rows}")


def test_the_table_says_what_is_on_disk(tmp_path: Path) -> None:
    make_runs(tmp_path, 1, 3)
    runs.write_note(tmp_path, "run-0", "<b>a note</b>")
    row = table_of(tmp_path).to_dict("records")[0]
    assert tuple(row) == COLUMNS
    assert (row["Run"], row["State"], row["Best validation, %"]) == ("run-0", "finished", 50.0)
    assert (row["Epochs"], row["Planned"], row["Note"]) == (3, 3, "<b>a note</b>")


def test_columns_are_chosen_and_a_row_is_always_known_by_its_run(tmp_path: Path) -> None:
    make_runs(tmp_path, 1, 3)
    with gr.Blocks():
        page = all_runs.AllRuns(tmp_path, Access("shapes"))
    table = page._table(False, ["Note", "Epochs", "Password", 3])
    assert list(table.value["headers"]) == ["Run", "Epochs", "Note"]
    saved = json.loads(page._as_file(False, ["Epochs"]))
    assert saved["text"] == "Run,Epochs\nrun-0,3\n"
    assert list(page._rows(False, None)) == list(COLUMNS)


def test_in_korean_the_same_table_is_drawn_and_the_file_stays_english(tmp_path: Path) -> None:
    make_runs(tmp_path, 1, 3)
    with gr.Blocks():
        page = all_runs.AllRuns(tmp_path, Access("shapes"))
    with speaking("ko"):
        table = page._table(False, ["State", "Epochs"])
        saved = json.loads(page._as_file(False, ["State", "Epochs"]))
    assert list(table.value["headers"]) == ["실행", "상태", "에포크"]
    assert table.value["data"] == [["run-0", "완료", 3]]
    assert saved["text"] == "Run,State,Epochs\nrun-0,finished,3\n"


def test_a_note_cannot_become_a_formula(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_runs(tmp_path, 1, 1)
    runs.write_note(tmp_path, "run-0", "=HYPERLINK(1)")
    assert main(["runs", "--csv", "--checkpoints", str(tmp_path)]) == 0
    assert ",'=HYPERLINK(1)" in capsys.readouterr().out


def test_a_table_is_read_again_quickly_and_never_stale(tmp_path: Path) -> None:
    make_runs(tmp_path, 40, 100)
    table_of(tmp_path)
    began = time.process_time()
    table_of(tmp_path)
    assert time.process_time() - began < 0.2
    with (tmp_path / "run-3" / "metrics.csv").open("a") as file:
        file.write("100,0.9,0.1,0.95,0.2,0.1,100,1" + "," * (len(METRICS) - 8) + "\n")
    assert table_of(tmp_path).set_index("Run").loc["run-3", "Best validation, %"] == 95.0


def test_prune_erases_of_the_run_that_was_asked_about(tmp_path: Path) -> None:
    make_runs(tmp_path, 2, 1)
    for name in ("run-0", "run-1"):
        for kept in ("best", "epoch-0000"):
            (tmp_path / name / f"{kept}.safetensors").write_bytes(b"1")
    with gr.Blocks():
        page = all_runs.AllRuns(tmp_path, Access("shapes"))
    assert "of run-0" in page._ask_prune("run-0", False)
    with pytest.raises(LabError, match="press Prune first"):
        page._prune(None)
    page._prune(("run-0", False))
    left = [(tmp_path / name / "epoch-0000.safetensors").exists() for name in ("run-0", "run-1")]
    assert left == [False, True]


HIDDEN: dict[str, list[Any]] = {
    "_rename": ["run-0", "x"],
    "_note": ["run-0", "x"],
    "_delete": ["run-0"],
    "_undo": [],
    "_empty": [],
}


@pytest.mark.parametrize("public", [True, False])
def test_steps_are_refused_in_the_function_on_a_public_page(
    tmp_path: Path, public: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_runs(tmp_path, 2, 1)
    runs.delete(tmp_path, "run-1")
    built: list[Any] = []
    wire = all_runs.AllRuns.wire
    monkeypatch.setattr(all_runs.AllRuns, "wire", lambda self, *rest: (built.append(self), wire(self, *rest)))
    build_app(tmp_path, "shapes", public=public)
    for name, values in HIDDEN.items():
        if not public and name != "_note":
            continue
        answer = built[0]._step(getattr(built[0], name), "change")(False, list(COLUMNS), *values)
        assert ("Others can reach this page" in str(answer[0])) is public
    assert [run.name for run in runs.list_runs(tmp_path)] == ["run-0"]
    assert runs.read_note(Run(tmp_path, "run-0")) == ("" if public else "x")
    assert len(runs.list_deleted(tmp_path)) == 1
