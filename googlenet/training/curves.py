"""The note's two-panel figure of a run: loss above accuracy, x = epochs."""

from __future__ import annotations

import io

from googlenet.files import write_atomically
from googlenet.runs import Run

TRAIN, VALIDATION = "#0072B2", "#D55E00"


def draw_curves(run: Run) -> None:
    """Redraw curves.png from metrics.csv; nothing happens before the first epoch."""
    from matplotlib.figure import Figure

    rows = run.metrics()
    if not rows:
        return
    figure = Figure(figsize=(8, 8), dpi=120, layout="constrained")
    figure.suptitle("GoogLeNet Metrics by Epoch")
    panels = figure.subplots(2, 1, sharex=True)
    for panel, train, validation in (
        (panels[0], "Loss", "Validation loss"),
        (panels[1], "Accuracy", "Validation accuracy"),
    ):
        for column, label, colour, style in (
            (train, "train", TRAIN, "-"),
            (validation, "validation", VALIDATION, "--"),
        ):
            points = [(row["Epoch"], row[column]) for row in rows if row[column] is not None]
            if points:
                marker = "o" if len(points) < 30 else None
                panel.plot(*zip(*points, strict=True), style, color=colour, label=label, marker=marker, markersize=3)
        panel.set_ylabel(train)
        panel.grid(alpha=0.3)
        panel.legend()
    best = max((row for row in rows if row["Validation accuracy"] is not None), key=_accuracy, default=None)
    if best:
        panels[1].plot(best["Epoch"], best["Validation accuracy"], "*", color=VALIDATION, markersize=12)
        panels[1].annotate(
            f"best {best['Validation accuracy']:.4f}",
            (best["Epoch"], best["Validation accuracy"]),
            xytext=(0, -16),
            textcoords="offset points",
            ha="right",
        )
    panels[1].set_xlabel("Epochs")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_atomically(run.path / "curves.png", buffer.getvalue())


def _accuracy(row: dict[str, float | None]) -> float:
    return row["Validation accuracy"] or 0.0
