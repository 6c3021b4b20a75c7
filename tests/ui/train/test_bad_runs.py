"""A damaged run directory says in one sentence what is wrong with it, wherever it is met, and the others go on."""

from __future__ import annotations

import html
import json
import shutil
from pathlib import Path

import gradio as gr
import pytest

from googlenet.cli.main import main
from googlenet.runs import Run, active_run
from googlenet.ui.api.runs import run_summary
from googlenet.ui.evaluate import run_events
from googlenet.ui.train.watch import Watcher

OLD = Path(__file__).resolve().parents[2] / "fixtures" / "runs"
DAMAGE = {
    "status.json": (b'{"state": "running", "pid": "1"}', 'Cannot read all of status.json: pid is "1".'),
    "metrics.csv": (b"Epoch,Accuracy,Loss\r\n0,,\r\ninf,1,1\r\n", "Cannot read all of metrics.csv: see line 3."),
    "steps.jsonl": (b"[" * 100_000 + b"\n", "Cannot read all of steps.jsonl: see line 1."),
    "config.json": (b'{"network": 5}', "The config.json of stopped-before is damaged: "),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(OLD, tmp_path / "runs")


@pytest.mark.parametrize("file", DAMAGE)
def test_it_says_what_is_wrong_with_it_everywhere(folder: Path, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    content, sentence = DAMAGE[file]
    run = Run(folder, "stopped-before")
    (run.path / file).write_bytes(content)
    assert run.problem().startswith(sentence)
    assert active_run(folder) is None  # nothing is in the way of a start

    watched = json.loads(Watcher(folder).look(run.name))
    assert sentence in html.unescape(watched["status"])
    assert watched["resume"]
    beside = json.loads(Watcher(folder).look("finished-before", (run.name,)))
    assert "17.00%" in beside["status"]

    assert run_summary(run)["problem"] == run.problem()
    json.dumps(run_summary(run), allow_nan=False)

    assert main(["runs", "--checkpoints", str(folder), "--json"]) == 0
    listed = {row["run"]: row["problem"] for row in json.loads(capsys.readouterr().out)}
    assert listed == {"finished-before": "", run.name: run.problem()}
    assert main(["runs", "--checkpoints", str(folder)]) == 0
    assert run.problem() in capsys.readouterr().out

    _, said, *_ = run_events.parts(folder, run_events.stored(folder, run.name, None))
    assert sentence in html.unescape(said)
    choices = run_events.source_choices(folder, "finished-before")
    assert isinstance(choices, gr.Dropdown)
    assert {value for _, value in choices.choices} >= {"finished-before", run.name}
    _, _, table, *_ = run_events.parts(folder, run_events.judge_and_show(folder, "finished-before", None, None))
    assert "Cannot read" not in table
