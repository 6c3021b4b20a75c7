"""Bringing weights and metrics to a page: kept and listed, or refused in the function where others reach it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from googlenet.errors import LabError
from googlenet.runs import Run, list_runs
from googlenet.ui.app import build_app
from googlenet.ui.events.access import Access
from googlenet.ui.train import bring
from googlenet.ui.train.bring import bring_run, sent_file

NOTE = "Epoch,Accuracy,Loss\n0,0.1,2.3\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "theirs.csv"
    path.write_text(NOTE)
    return path


def take(app: gr.Blocks) -> Any:
    """The handler of the upload, as an event calls it, hidden or not."""
    found = [
        fn.fn for fn in app.fns.values() if getattr(fn.fn, "right", "") == "bring" and fn.api_visibility == "private"
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("options", [{"public": True}, {"read_only": True}])
def test_others_bring_nothing_though_they_call_the_hidden_event(
    tmp_path: Path, table: Path, options: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bring, "upload_folder", lambda: tmp_path)
    checkpoints = tmp_path / "checkpoints"
    said = str(take(build_app(checkpoints, "shapes", **options))(str(table), "mine")[0])
    assert "Others can reach this page" in said or "it takes no weights and no metrics" in said
    with pytest.raises(LabError):
        bring_run(checkpoints, Access("shapes", **options), table, "mine", table.name)
    assert not checkpoints.exists() or list_runs(checkpoints) == []


def test_the_owner_brings_a_table_and_a_refusal_stands_beside_the_button(
    tmp_path: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bring, "upload_folder", lambda: tmp_path)
    checkpoints = tmp_path / "checkpoints"
    handler = take(build_app(checkpoints, "shapes"))
    assert "The run theirs holds 1 epoch of theirs.csv now." in str(handler(str(table), "")[0])
    assert Run(checkpoints, "theirs").status().state == "brought"
    assert "already something called theirs" in str(handler(str(table), "")[0])
    (tmp_path / "model.pt").write_bytes(b"\x80\x04cos\nsystem\n")
    assert "is a pickle" in str(handler(str(tmp_path / "model.pt"), "")[0])
    for elsewhere in ("/etc/passwd", "../x", "", None, tmp_path):
        assert "No file has arrived" in str(handler(elsewhere, "")[0])


def test_only_what_was_uploaded_is_read(table: Path) -> None:
    with pytest.raises(LabError, match="No file has arrived"):
        sent_file(table)  # it is there, but nobody has sent it
