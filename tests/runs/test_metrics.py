"""metrics.csv and steps.jsonl as people and kills leave them: read by name, told of, never erased."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pandas
import pytest

from googlenet.models.presets import preset
from googlenet.recipes import make_train_config
from googlenet.runs import METRICS, Run, Status

ROWS = [
    {"Epoch": 0, "Accuracy": 0.25, "Loss": 2.5, "Validation accuracy": 0.3, "Validation loss": 2.25, "Seconds": 9.5},
    {"Epoch": 1, "Accuracy": 0.5, "Loss": 1.5, "Validation accuracy": 0.45, "Validation loss": 1.75, "Seconds": 9.25},
    {"Epoch": 2, "Accuracy": 0.75, "Loss": 0.5, "Validation accuracy": 0.6, "Validation loss": 1.0, "Seconds": 9.125},
]
FULL = [{name: row.get(name) for name in METRICS} for row in ROWS]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(tmp_path, "run")
    run.create(make_train_config("run", preset("cifar10")))
    run.write_status(Status("finished"))
    for row in ROWS:
        run.append_metrics(row)
    run.append_steps({"step": step, "epoch": step / 4, "loss": 3 - step / 8, "lr": 0.1} for step in range(1, 13))
    return run


def table(run: Run) -> pandas.DataFrame:
    return pandas.read_csv(run.path / "metrics.csv", dtype=str)


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def test_what_is_written_is_read_to_the_last_bit(run: Run) -> None:
    assert run.metrics() == FULL
    assert {type(value) for row in run.metrics() for value in row.values()} == {float, type(None)}
    assert lines(run.path / "metrics.csv")[0].decode() == ",".join(METRICS)
    numbers = {"Epoch": 3, "Loss": 0.1 + 0.2, "Learning rate": 1e-17 / 3, "Images/s": 2580.6000000000004}
    run.append_metrics(numbers)
    assert run.metrics()[-1] == {**dict.fromkeys(METRICS), **numbers}
    assert run.problem() == ""


# --- edited by hand ---------------------------------------------------------------------------


def edited(run: Run, how: str) -> list[dict[str, Any]]:
    """Edits metrics.csv; returns the rows to expect."""
    path, frame = run.path / "metrics.csv", table(run)
    match how:
        case "a column added":
            frame.insert(1, "Note", ['good, "really"', "", "ünïcode"])
        case "a column dropped":
            frame = frame.drop(columns=["Validation loss", "Images/s"])
        case "columns reordered":
            frame = frame[[*reversed(METRICS)]]
        case "a column twice":
            frame.insert(3, "Loss", ["7", "8", "9"], allow_duplicates=True)
        case "rows deleted":
            frame = frame.iloc[[0, 2]]
    frame.to_csv(path, index=False)
    match how:
        case "a byte order mark":
            path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        case "spaces and empty lines":
            path.write_bytes(b"\n" + path.read_bytes().replace(b",", b" , ").replace(b"\n", b"\n\n"))
        case "everything quoted":
            frame.to_csv(path, index=False, quoting=csv.QUOTE_ALL)
    dropped = {"Validation loss": None} if how == "a column dropped" else {}
    rows = [row | dropped for row in FULL]
    return [rows[0], rows[2]] if how == "rows deleted" else rows


EDITS = [
    "a column added",
    "a column dropped",
    "columns reordered",
    "a column twice",
    "rows deleted",
    "a byte order mark",
    "spaces and empty lines",
    "everything quoted",
]


@pytest.mark.parametrize("how", EDITS)
def test_columns_are_found_by_their_names(run: Run, how: str) -> None:
    expected = edited(run, how)
    assert run.metrics() == expected
    assert run.problem() == ""


@pytest.mark.parametrize("how", EDITS)
def test_a_resume_keeps_the_lines_as_they_are(run: Run, how: str) -> None:
    expected = edited(run, how)
    before = [line for line in lines(run.path / "metrics.csv") if line.strip()]
    assert run.rewind(2, 8) == ""
    assert run.metrics() == expected[:-1]
    assert lines(run.path / "metrics.csv") == before[:-1]
    run.append_metrics({**ROWS[2], "Loss": 0.625})
    assert run.metrics()[-1] == {**expected[-1], "Loss": 0.625}
    assert list(table(run).columns[:2]) == list(pandas.read_csv(io.BytesIO(b"\n".join(before))).columns[:2])


def test_a_last_line_without_its_end_is_no_torn_one(run: Run) -> None:
    for name in ("metrics.csv", "steps.jsonl"):
        path = run.path / name
        path.write_bytes(path.read_bytes().rstrip())
    run.append_metrics({"Epoch": 3, "Loss": 0.25})
    run.append_steps([{"step": 13, "epoch": 3.25, "loss": 1.0}])
    assert [row["Epoch"] for row in run.metrics()] == [0, 1, 2, 3]
    assert [row["step"] for row in run.steps()] == list(range(1, 14))
    assert run.problem() == ""


# --- what cannot be read ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"inf,0.5,1.5,,,,,", None),
        (b",0.5,1.5,,,,,", None),
        (b"-1,0.5,1.5,,,,,", None),
        (b"1.5,0.5,1.5,,,,,", None),
        (b"1e300,0.5,1.5,,,,,", None),
        (b"9" * 400 + b",0.5,1.5,,,,,", None),
        (b"3,0.5", None),
        (b"3,0.5,1.5,,,,,,,,", None),
        (b'3,0.5,1.5,,,,,"open', {"Epoch": 3, "Accuracy": 0.5, "Loss": 1.5}),
        (b"3,0.5,inf,,,,,", {"Epoch": 3, "Accuracy": 0.5}),
        (b"3,0.5," + b"9" * 400 + b",,,,,", {"Epoch": 3, "Accuracy": 0.5}),
        (b"3,7.5,nan,-1,,,,", {"Epoch": 3}),
        (b"3,0.5,1e39,words,,,,", {"Epoch": 3, "Accuracy": 0.5}),
        (b"\xff\xfe\x00,\r", None),
        (b"x" * 200_000, None),
        (b"[" * 100_000, None),
    ],
)
def test_a_row_that_is_none_leaves_the_others(run: Run, line: bytes, shown: dict[str, float] | None) -> None:
    path = run.path / "metrics.csv"
    more = b"," * (len(METRICS) - 8) + b",,,"  # columns that came later
    path.write_bytes(
        path.read_bytes() + b"\r\n".join(part.replace(b",,,", more, 1) for part in (line, b"4,0.9,0.1,,,,,", b""))
    )
    known = [{**dict.fromkeys(METRICS), **shown}] if shown else []
    last = {**dict.fromkeys(METRICS), "Epoch": 4, "Accuracy": 0.9, "Loss": 0.1}
    assert run.metrics() == [*FULL, *known, last]
    assert run.problem() == "Cannot read all of metrics.csv: see line 5."


@pytest.mark.parametrize(
    "line",
    [
        b'{"step": 13, "epoch": 3.25, "loss": ' + b"9" * 400 + b"}",
        b'{"step": 13, "epoch": 3.25, "loss": ' + b"9" * 5000 + b"}",
        b'{"step": 13, "epoch": 3.25, "loss": NaN}',
        b'{"step": 13, "epoch": 3.25, "loss": Infinity}',
        b'{"step": 13, "epoch": 1e300, "loss": 1}',
        b'{"step": -13, "epoch": 3.25, "loss": 1}',
        b'{"step": "13", "epoch": 3.25, "loss": 1}',
        b'{"step": 13, "epoch": null, "loss": 1}',
        b'{"step": 13, "loss": 1}',
        b'{"step": 13},{"step": 14}',
        b"[" * 100_000,
        b"{" * 100_000,
        b"[]",
        b"null",
        b'"step"',
        b"\xff\xfe\x00",
    ],
)
def test_a_step_that_is_none_leaves_the_others(run: Run, line: bytes) -> None:
    path = run.path / "steps.jsonl"
    path.write_bytes(path.read_bytes() + line + b"\n")
    run.append_steps([{"step": 15, "epoch": 3.75, "loss": 1.0}])
    assert [row["step"] for row in run.steps()] == [*range(1, 13), 15]
    assert run.problem() == "Cannot read all of steps.jsonl: see line 13."


def test_lines_without_end_are_passed_over(run: Run) -> None:
    history = run.steps_history()
    path = run.path / "steps.jsonl"
    path.write_bytes(b"[" * 1000 + b"\n" + json.dumps({"step": 1, "epoch": 0.5, "loss": 2.0}).encode() + b"\n")
    assert [row for _ in range(20) for row in history.read_on(100)] == [{"step": 1, "epoch": 0.5, "loss": 2.0}]
    assert history.end == path.stat().st_size
    assert history.problem


def test_a_resume_moves_aside_what_cannot_be_read(run: Run) -> None:
    metrics, steps = run.path / "metrics.csv", run.path / "steps.jsonl"
    metrics.write_bytes(metrics.read_bytes() + b"what a pity\r\n3,0.5")
    steps.write_bytes(b"[[[\n" + steps.read_bytes() + b'{"step": 13, "ep')
    told = run.rewind(2, 8)
    assert told == (
        "The unreadable part of metrics.csv was moved to metrics-unreadable.csv. "
        "The unreadable part of steps.jsonl was moved to steps-unreadable.jsonl."
    )
    assert run.metrics() == FULL[:2]
    assert [row["step"] for row in run.steps()] == list(range(1, 9))
    assert lines(run.path / "metrics-unreadable.csv") == [b"what a pity", b"3,0.5"]
    assert lines(run.path / "steps-unreadable.jsonl") == [b"[[[", b'{"step": 13, "ep']
    assert run.problem() == ""
    steps.write_bytes(steps.read_bytes() + b"]]]\n")
    assert run.rewind(2, 8) == "The unreadable part of steps.jsonl was moved to steps-unreadable.jsonl."
    assert lines(run.path / "steps-unreadable.jsonl")[-1] == b"]]]"


@pytest.mark.parametrize("header", [b"Epoche;Genauigkeit", b"a,b,c,d,e,f,g,h", b"0,0.1,2.3,,,,,"])
def test_a_file_without_an_epoch_column_is_kept_and_a_new_one_begun(run: Run, header: bytes) -> None:
    path = run.path / "metrics.csv"
    path.write_bytes(header + b"\n1,2\n")
    assert run.metrics() == []
    assert run.problem() == "Cannot read all of metrics.csv: see line 1 and 1 more."
    run.append_metrics(ROWS[0])
    assert run.metrics() == FULL[:1]
    assert lines(run.path / "metrics-unreadable.csv") == [header, b"1,2"]


def test_half_a_header_is_written_anew(run: Run) -> None:
    (run.path / "metrics.csv").write_bytes(b"Epoch,Accuracy,Lo")
    assert run.metrics() == []
    run.rewind(0, 0)
    run.append_metrics(ROWS[0])
    assert run.metrics() == FULL[:1]


def test_the_log_ends_with_its_last_lines(run: Run) -> None:
    assert run.log_tail() == ""
    path = run.path / "train.log"
    path.write_bytes(b"one\ntwo\n\xff\n")
    assert run.log_tail(2) == "two\n\ufffd"
    path.write_bytes(b"x" * 1_000_000 + b"\nlast\n")
    assert run.log_tail(1) == "last"


def test_missing_files_are_empty_and_stay_missing(run: Run) -> None:
    for name in ("metrics.csv", "steps.jsonl"):
        (run.path / name).unlink()
    assert (run.metrics(), run.steps(), run.rewind(1, 1), run.problem()) == ([], [], "", "")
    assert not (run.path / "metrics.csv").exists()
    run.append_metrics(ROWS[0])
    assert run.metrics() == FULL[:1]


def test_rows_are_read_once_as_they_come(run: Run) -> None:
    history = run.metrics_history()
    assert history.read_on() == FULL
    assert history.read_on() == []
    path = run.path / "metrics.csv"
    path.write_bytes(path.read_bytes() + b"3,0.5,1.")
    assert history.read_on() == []
    path.write_bytes(path.read_bytes() + b"5" + b"," * (len(METRICS) - 3) + b"\r\n")
    assert [row["Loss"] for row in history.read_on()] == [1.5]
