"""What the Train tab shows of a run, as HTML and series, read from its directory alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from googlenet.errors import LabError
from googlenet.runs import Run, Status
from googlenet.ui.common.charts import Point, Series, curve_chart, epoch_at
from googlenet.ui.common.figures import time_left
from googlenet.ui.common.templates import render
from googlenet.ui.events.downloads import address, downloads
from googlenet.ui.train.feed import History, file_size

TRAIN, VALIDATION = "var(--gl-train)", "var(--gl-validation)"
DASH = "–"
Row = Mapping[str, float | None]


def _column(rows: Sequence[Row], name: str) -> list[Point]:
    return [(epoch, y) for row in rows if (epoch := row["Epoch"]) is not None and (y := row[name]) is not None]


def chart_series(history: History, compared: Mapping[str, History]) -> tuple[list[Series], list[Series]]:
    """Loss and accuracy of a run, and the validation curves of the runs, by name, that it is compared with."""
    rows = history.rows
    loss = [
        Series("train, by step", history.loss.points(), TRAIN, faint=True),
        Series("train", _column(rows, "Loss"), TRAIN),
        Series("validation", _column(rows, "Validation loss"), VALIDATION, dashed=True),
    ]
    accuracy = [
        Series("train", _column(rows, "Accuracy"), TRAIN),
        Series("validation", _column(rows, "Validation accuracy"), VALIDATION, dashed=True),
    ]
    for number, (name, other) in enumerate(compared.items(), start=1):
        held_out = _column(other.rows, "Validation accuracy")
        column, name = ("Validation {}", name) if held_out else ("{}", f"{name} (train)")
        for series, figure in ((loss, "loss"), (accuracy, "accuracy")):
            points = _column(other.rows, column.format(figure).capitalize())
            series.append(Series(name, points, f"var(--gl-other-{number})", dashed=bool(held_out)))
    return loss, accuracy


def charts_html(history: History, compared: Mapping[str, History] | None = None) -> str:
    """The two panels, over the same epochs."""
    loss, accuracy = chart_series(history, compared or {})
    best = max(accuracy[1].points, key=lambda point: point[1], default=None)
    last = max((epoch_at(s.points[-1][0]) for s in loss if s.points), default=0)
    panels = [
        curve_chart("Loss", loss, last=last),
        curve_chart("Accuracy", accuracy, unit="%", best=best, top=1.0, last=last),
    ]
    return render("train/charts.html", panels=panels)


def status_values(run: Run, status: Status, rows: Sequence[Row], problem: str = "") -> dict[str, Any]:
    """What the status says: state, progress, and the figures that matter.

    `rows` are the finished epochs, `problem` is what cannot be read of them.
    """
    troubles = [status.problem, problem]
    if status.state in ("failed", "diverged", "out_of_memory"):
        troubles.insert(0, status.message)
    config = None
    try:
        config = run.config()
    except LabError as error:
        troubles.append(str(error))
    return {
        "run": run.name,
        "status": status,
        "state": "starting" if status.state == "queued" else status.state.replace("_", " "),
        "left": time_left(status.seconds_left) if status.active and status.seconds_left is not None else "",
        "troubles": [sentence for sentence in troubles if sentence],
        "figures": _figures(rows, status),
        "config": config,
    }


def status_html(run: Run, status: Status, rows: Sequence[Row], problem: str = "") -> str:
    """The status, for people."""
    return render("train/status.html", **status_values(run, status, rows, problem))


def _figures(rows: Sequence[Row], status: Status) -> list[tuple[str, str, str]]:
    last: Row = rows[-1] if rows else {}
    held_out = _column(rows, "Validation accuracy")
    best = max(held_out, key=lambda point: point[1], default=None)
    speed = status.images_per_second or last.get("Images/s")
    when = f"epoch {last['Epoch']:,.0f}" if last else "after the first epoch" if status.active else ""
    loss, accuracy = last.get("Loss"), last.get("Accuracy")
    return [
        ("Train loss", DASH if loss is None else f"{loss:.4f}", when),
        ("Train accuracy", DASH if accuracy is None else f"{accuracy:.2%}", when),
        (
            "Best validation accuracy",
            f"{best[1]:.2%}" if best else DASH,
            f"epoch {best[0]:,.0f}" if best else "none held out" if last else when,
        ),
        ("Speed", f"{speed:,.0f} images/s" if speed else DASH, status.device),
    ]


def files_html(run: Run) -> str:
    """What can be downloaded of a run. Every file is replaced whole, so that there is no moment to wait for."""
    files = [(path.name, address(run, path), file_size(path)) for path in downloads(run)]
    return render("train/files.html", files=files)
