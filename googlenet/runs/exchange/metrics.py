"""A table of metrics from elsewhere becomes a run to look at and to compare: the class note's, Keras's, anybody's CSV.

Columns are known by their names in many spellings. Nothing is guessed silently: what was changed is in the run's
message.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from googlenet.errors import LabError, check_run_name
from googlenet.files import read_bytes, write_atomically
from googlenet.language import mark, tr
from googlenet.runs.metrics import EPOCHS, LARGEST, METRICS
from googlenet.runs.run import ORIGIN, Run
from googlenet.runs.status import Status

MOST_BYTES = 50_000_000
SHARES = ("Accuracy", "Validation accuracy")
_TRAIN, _HELD_OUT = ("", "train", "training"), ("val", "valid", "validation", "test", "eval")
SPELT = {"epoch": "Epoch", "epochs": "Epoch", "lr": "Learning rate", "learningrate": "Learning rate"}
SPELT |= {"imagess": "Images/s", "seconds": "Seconds", "auxiliaryloss1": "Auxiliary loss 1"}
SPELT |= {"auxiliaryloss2": "Auxiliary loss 2"}
for _part, _title in ((_TRAIN, ("Loss", "Accuracy")), (_HELD_OUT, ("Validation loss", "Validation accuracy"))):
    for _who in _part:
        SPELT |= dict.fromkeys((f"{_who}loss", f"loss{_who}"), _title[0])
        SPELT |= dict.fromkeys((f"{_who}{acc}" for acc in ("acc", "accuracy")), _title[1])
        SPELT |= dict.fromkeys((f"{acc}{_who}" for acc in ("acc", "accuracy")), _title[1])

# What the run keeps, in English; where it is shown `language.retell` finds these, also one after the other.
BROUGHT, REMARKED = mark("Metrics brought here from {file}."), mark("Metrics brought here from {file}. {remarks}")
UNREAD, MORE = mark("{n:,} of its lines could not be read."), mark("{n:,} of its lines could not be read. {more}")
FROM_ONE, SHARES_OF_100 = (
    mark("Its epochs counted from 1; here they count from 0."),
    mark("Its accuracies were percentages."),
)
BOTH = mark("Its epochs counted from 1; here they count from 0. Its accuracies were percentages.")

Row = dict[str, float]


def bring_metrics(path: Path, checkpoints: Path | str, name: str, *, shown: str = "") -> Run:
    """Make the table in the CSV file at `path` the run `name`: its epochs, losses and accuracies.

    Raises `LabError`, which calls the file `shown`, when no epoch can be read of it, and when the name is taken.
    """
    shown, run = shown or path.name, Run(checkpoints, check_run_name(name))
    try:
        if path.stat().st_size > MOST_BYTES:
            most = MOST_BYTES / 1e6
            sentence = tr("{file} has more than {most:,.0f} MB: no table of epochs is so long.", file=shown, most=most)
            raise LabError(sentence, "file")
    except OSError as error:
        raise LabError(tr("{file} cannot be read ({why}).", file=shown, why=error.strerror), "file") from error
    rows, remarks = read_table(read_bytes(path).decode("utf-8-sig", "replace"), shown)
    message = (REMARKED if remarks else BROUGHT).format(file=shown, remarks=" ".join(remarks))
    _write(run, rows, message, shown)
    return run


def read_table(text: str, shown: str) -> tuple[dict[int, Row], list[str]]:
    """The rows by epoch, from 0, and what was changed or left out, in sentences: in English, as the run keeps them."""
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    # Line by line, so that an open quotation mark cannot swallow those that follow.
    table = [next(csv.reader([line], delimiter=delimiter), []) for line in lines]
    table = [row for row in table if any(cell.strip() for cell in row)]
    header = [SPELT.get(re.sub(r"[^a-z0-9]", "", cell.lower()), "") for cell in table[0]] if table else []
    if not {"Loss", "Accuracy", "Validation loss", "Validation accuracy"} & set(header):
        raise LabError(
            tr(
                "{file} has no column of losses or accuracies in its first line: call them Epoch, Accuracy, Loss, as "
                "the class note does.",
                file=shown,
            ),
            "file",
        )
    remarks, found, unread = [], {}, 0
    for number, cells in enumerate(table[1:]):
        row = {
            name: value
            for name, cell in zip(header, cells, strict=False)
            if name and (value := _number(cell)) is not None
        }
        epoch = row.pop("Epoch", None if "Epoch" in header else float(number))
        if not row or epoch is None or epoch != int(epoch) or epoch > EPOCHS:
            unread += 1
            continue
        found.setdefault(int(epoch), {}).update(row)  # some tools write a line for training and one for validation
    if not found:
        sentence = tr("{file} has no line with an epoch and its loss or accuracy: nothing was brought.", file=shown)
        raise LabError(sentence, "file")
    if unread:
        remarks.append(UNREAD.format(n=unread))
    if min(found) == 1:
        found = {epoch - 1: row for epoch, row in found.items()}
        remarks.append(FROM_ONE)
    if max(row.get(name, 0.0) for row in found.values() for name in SHARES) > 1:
        _check_percent(found, shown)
        for row in found.values():
            row |= {name: row[name] / 100 for name in SHARES if name in row}
        remarks.append(SHARES_OF_100)
    return dict(sorted(found.items())), remarks


def _check_percent(found: Mapping[int, Row], shown: str) -> None:
    if max(row.get(name, 0.0) for row in found.values() for name in SHARES) > 100:
        sentence = tr("{file} has an accuracy above 100%: give shares from 0 to 1, or percentages.", file=shown)
        raise LabError(sentence, "file")


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if 0 <= value <= LARGEST else None


def _write(run: Run, rows: Mapping[int, Row], message: str, shown: str) -> None:
    """The run's directory, made aside and moved into place whole."""
    making = run.path.with_name(f".{run.name}.bringing")
    try:
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer)
        writer.writerow(METRICS)
        writer.writerows([epoch, *(row.get(name, "") for name in METRICS[1:])] for epoch, row in rows.items())
        write_atomically(making / "metrics.csv", buffer.getvalue())
        end = max(rows) + 1
        write_atomically(
            making / "status.json", Status("brought", epoch=end, epochs=end, message=message[:500]).to_json()
        )
        write_atomically(making / ORIGIN, json.dumps({"file": shown[:200], "when": time.time()}) + "\n")
        if run.path.exists():
            sentence = tr("There is already something called {name}: choose another name.", name=run.name)
            raise LabError(sentence, "name")
        making.rename(run.path)
    except OSError as error:
        sentence = tr("{file} cannot be kept ({why}): make room, then send it again.", file=shown, why=error.strerror)
        raise LabError(sentence, "file") from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
