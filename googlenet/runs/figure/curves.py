"""The note's two-panel figure of a run: loss above accuracy, x = epochs, counted from 0."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from googlenet.files import write_atomically
from googlenet.runs.run import Run

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
    for panel, name in zip(panels, ("Loss", "Accuracy"), strict=True):
        for column, label, colour, style in (
            (name, "train", TRAIN, "-"),
            (f"Validation {name.lower()}", "validation", VALIDATION, "--"),
        ):
            points = [(row["Epoch"], row[column]) for row in rows if row[column] is not None]
            if points:
                marker = "o" if len(points) < 30 else None
                panel.plot(*zip(*points, strict=True), style, color=colour, label=label, marker=marker, markersize=3)
        panel.legend()
    judged = [(row["Validation accuracy"], row["Epoch"]) for row in rows if row["Validation accuracy"] is not None]
    if judged:
        best, epoch = max(judged, key=lambda pair: pair[0])
        panels[1].plot(epoch, best, "*", color=VALIDATION, markersize=12)
        panels[1].annotate(f"best {best:.4f}", (epoch, best), (0, -16), textcoords="offset points", ha="right")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_atomically(run.path / "curves.png", buffer.getvalue())
