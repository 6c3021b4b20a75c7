"""The commands about runs: their list; note, rename, delete, prune one; steer one that is trained, or extend it."""

from __future__ import annotations

import argparse
import contextlib
import csv
import dataclasses
import json
import sys
from typing import Any

from googlenet.cli import options as shared
from googlenet.cli.options import AddCommand
from googlenet.errors import LabError
from googlenet.files import spreadsheet_text

# Words after each step.
STEPS = {"note": 2, "rename": 2, "delete": 1, "undelete": 1, "prune": 1, "empty-trash": 0}
STEPS |= {"extend": 2, "rate": 2, "patience": 2, "keep": 1}
EXCHANGE = {"compare": (2, 100), "bring": (1, 2), "export": (1, 1)}  # words at least and at most: cli/exchange.py
STEERING = {"extend": "epochs", "rate": "rate", "patience": "patience", "keep": "keep"}


def add_commands(command: AddCommand) -> None:
    """Give the command line `runs`."""
    sub = command("runs", _runs, "List the runs and their states, or steer, rename, note, delete and prune one.")
    words = "note NAME TEXT, rename NAME NEW, delete NAME, undelete [NAME], prune NAME, empty-trash; of a training: "
    words += "extend NAME EPOCHS (in all), rate NAME RATE, patience NAME EPOCHS (0: no early stopping), keep NAME; "
    words += "compare NAME NAME …, export NAME --tensorboard DIR, bring FILE [NAME] (weights, or metrics as CSV)"
    sub.add_argument("step", nargs="?", choices=(*STEPS, *EXCHANGE), metavar="STEP", help=words)
    sub.add_argument("words", nargs="*", metavar="WORD", help="what the step needs")
    sub.add_argument("--resume-files", action="store_true", help="prune what a resume needs of a finished run too")
    sub.add_argument("--yes", action="store_true", help="empty the trash: there is no way back")
    sub.add_argument("--tensorboard", metavar="DIR", help="where to write TensorBoard's event file, in a folder NAME")
    sub.add_argument("--csv", action="store_true", help="print a table as CSV")
    shared.checkpoints_option(sub)
    shared.json_option(sub)


def _runs(options: argparse.Namespace) -> None:
    if options.step in EXCHANGE:
        from googlenet.cli.exchange import take

        take(options, *EXCHANGE[options.step])
    elif options.step:
        print(_take(options))
    elif options.csv:
        _print_csv(options)
    else:
        _list(options)


def _take(options: argparse.Namespace) -> str:
    """Do the step; what was done, in a sentence."""
    from googlenet import runs

    step, words, place = options.step, options.words, options.checkpoints
    if len(words) != STEPS[step] and not (step == "undelete" and not words):
        raise LabError(f"runs {step} takes {STEPS[step]} word(s) after it, not {len(words)}; quote a text of several.")
    if step in STEERING:
        return _steer(place, words[0], STEERING[step], words[1] if words[1:] else None)
    if step == "note":
        runs.write_note(place, *words)
        return f"{words[0]}: noted." if words[1].strip() else f"{words[0]} has no note any more."
    if step == "rename":
        return f"{words[0]} is called {runs.rename(place, *words).name} now."
    if step == "delete":
        runs.delete(place, *words)
        return f"{words[0]} is in the trash ({_megabytes(runs.trash_size(place))}): runs undelete brings it back."
    if step == "undelete":
        return f"{runs.undelete(place, *words).name} is back."
    if step == "prune":
        freed = runs.prune(place, *words, resume=options.resume_files)
        return f"{words[0]} keeps best and last; {_megabytes(freed)} are free again."
    if not options.yes:
        size = _megabytes(runs.trash_size(place))
        raise LabError(f"The trash holds {size}, and what is erased does not come back: add --yes to erase it.")
    return f"The trash is empty; {_megabytes(runs.empty_trash(place))} are free again."


def _steer(place: str, name: str, kind: str, word: str | None) -> str:
    from googlenet import runs

    value: Any = word
    if word is not None:
        with contextlib.suppress(ValueError):  # what is no number is refused as it was typed
            value = float(word) if kind == "rate" or not word.isdecimal() else int(word)
    command = runs.ask(place, name, kind, value)
    run = runs.Run(place, name)
    if run.status().active:
        return f"{name}: asked for {command.words}; its trainer takes it before its next step."
    return f"{name}: asked for {command.words}; it takes effect with python -m googlenet resume {name}."


def _megabytes(number_of_bytes: int) -> str:
    return f"{number_of_bytes / 1e6:,.1f} MB"


def _print_csv(options: argparse.Namespace) -> None:
    from googlenet.runs import Overview, list_overviews

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([field.name for field in dataclasses.fields(Overview)])
    rows = list_overviews(options.checkpoints)
    writer.writerows(map(spreadsheet_text, dataclasses.astuple(row)) for row in rows)


def _list(options: argparse.Namespace) -> None:
    from googlenet.runs import alerts, list_runs, read_steering, room_for

    rows = []
    for run in list_runs(options.checkpoints):
        status, metrics = run.status(), run.metrics()
        accuracies = [row["Validation accuracy"] for row in metrics if row["Validation accuracy"] is not None]
        best = max(accuracies, default=None)
        done = {"epoch": status.epoch, "epochs": status.epochs, "best": best, "problem": run.problem()}
        done["alerts"] = [dataclasses.asdict(alert) for alert in alerts(status, metrics, room_for(run))]
        done["steering"] = [one.to_dict() for one in read_steering(run)]
        rows.append({"run": run.name, "state": status.state, **done})
    if options.json:
        print(json.dumps(rows))
    elif not rows:
        print(f"No runs in {options.checkpoints} yet: start one with python -m googlenet train.")
    for row in [] if options.json else rows:
        best = "" if row["best"] is None else f"  best validation accuracy {row['best']:.2%}"
        problem = f"  {row['problem']}" if row["problem"] else ""
        print(f"{row['run']}  {row['state']}  {row['epoch']} of {row['epochs']} epochs done{best}{problem}")
        for alert in row["alerts"]:
            print(f"  {alert['sentence']}")
