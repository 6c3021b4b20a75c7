"""The note's two-panel figure of a run: loss above accuracy, x = epochs, counted from 0."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from googlenet.files import write_atomically
from googlenet.runs import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TRAIN, VALIDATION = "#0072B2", "#D55E00"


def note_figure() -> tuple[Figure, Axes, Axes]:
    """A figure of the note's proportions with its title and labels, and its empty panels for loss and accuracy."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 7), dpi=120, layout="constrained")
    figure.suptitle("GoogLeNet Metrics by Epoch")
    loss, accuracy = figure.subplots(2, 1, sharex=True)
    for panel, label in ((loss, "Loss"), (accuracy, "Accuracy")):
        panel.set_ylabel(label)
        panel.grid(alpha=0.3)
    accuracy.set_xlabel("EPOCHS")
    return figure, loss, accuracy


def draw_curves(run: Run) -> None:
    """Redraw curves.png from metrics.csv; nothing happens before the first epoch."""
    rows = run.metrics()
    if not rows:
        return
    figure, *panels = note_figure()
    for panel, train, validation in (
        (panels[0], "Loss", "Validation loss"),
        (panels[1], "Accuracy", "Validation accuracy"),
    ):
        for column, label, colour, style in (
            (train, "train", TRAIN, "-"),
            (validation, "validation", VALIDATION, "--"),
        ):
            points = [(row["Epoch"], row[column]) for row in rows if row.get(column) is not None]
            if points:
                marker = "o" if len(points) < 30 else None
                panel.plot(*zip(*points, strict=True), style, color=colour, label=label, marker=marker, markersize=3)
        panel.legend()
    judged = [row for row in rows if row.get("Validation accuracy") is not None]
    best = max(judged, key=lambda row: row["Validation accuracy"], default=None)
    if best:
        panels[1].plot(best["Epoch"], best["Validation accuracy"], "*", color=VALIDATION, markersize=12)
        panels[1].annotate(
            f"best {best['Validation accuracy']:.4f}",
            (best["Epoch"], best["Validation accuracy"]),
            xytext=(0, -16),
            textcoords="offset points",
            ha="right",
        )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_atomically(run.path / "curves.png", buffer.getvalue())
