"""What the Evaluate tab shows of a run: which checkpoint is proposed and why, all of them, and its test reports."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from googlenet.language import retell, tr
from googlenet.runs import Run
from googlenet.ui.common.charts import Point, Series, curve_chart
from googlenet.ui.common.templates import render
from googlenet.ui.train.view import TRAIN, VALIDATION

if TYPE_CHECKING:  # they import torch, which the page does not wait for
    from googlenet.inference.selection import Judged, RunJudgement


def judgement(result: RunJudgement, run: Run | None, chosen: Judged) -> Markup:
    """HTML: proposal, curves, and the table with `chosen` marked; `run` adds epochs whose weights were not kept."""
    accuracy, loss = curves(result, run)
    best, x = result.best, result.overfits_from
    star = None if best.epoch is None else (best.epoch, best.validation_accuracy)
    # In the upper half of the accuracy run its curves: the word stands in the loss alone.
    quiet, mark = (None, None) if x is None else ((x, ""), (x, tr("overfits from here")))
    return render(
        "evaluate/judgement.html",
        result=result,
        accuracy=curve_chart(tr("Accuracy"), accuracy, unit="%", best=star, top=1.0, mark=quiet),
        loss=curve_chart(tr("Loss"), loss, mark=mark),
        rows=[{**judged_row(row), "proposed": row is best, "chosen": row is chosen} for row in result.rows],
    )


def curves(result: RunJudgement, run: Run | None) -> tuple[list[Series], list[Series]]:
    """Accuracy and loss by epoch: what the trainer wrote down, and over it what was judged now."""
    metrics = run.metrics() if run else []

    def line(column: str, field: str) -> list[Point]:
        written = {row["Epoch"]: row.get(column) for row in metrics}
        judged = {row.epoch: getattr(row, field, None) for row in result.rows}
        known = written | {epoch: value for epoch, value in judged.items() if value is not None}
        return sorted((e, value) for e, value in known.items() if e is not None and value is not None)

    held_out = {"colour": VALIDATION, "dashed": True}
    return (
        [
            Series(tr("train"), line("Accuracy", "train_accuracy"), TRAIN),
            Series(tr("held out"), line("Validation accuracy", "validation_accuracy"), **held_out),
        ],
        [
            Series(tr("train"), line("Loss", ""), TRAIN),
            Series(tr("held out"), line("Validation loss", "validation_loss"), **held_out),
        ],
    )


def judged_row(row: Judged) -> dict[str, str]:
    """The cells of a checkpoint in the table, and the `file` to ask about it."""
    low, high = (100 * end for end in row.interval)
    return {
        "file": file_of(row),
        "names": row.short,
        "epoch": "–" if row.epoch is None else f"{row.epoch:,}",
        "train": "–" if row.train_accuracy is None else f"{row.train_accuracy:.2%}",
        "accuracy": f"{row.validation_accuracy:.2%}",
        "interval": tr("{low:.1f} to {high:.1f}%", low=low, high=high),
        "loss": f"{row.validation_loss:.4f}" if row.validation_loss < 100 else f"{row.validation_loss:,.0f}",
        "calibration": f"{row.calibration_error:.2%}",
    }


def file_of(row: Judged) -> str:
    """The file to ask: the run's best where it has these weights, since it may hold a temperature."""
    return next((name for name in row.names if name.endswith("/best")), row.name)


def reports(found: Sequence[dict[str, Any]]) -> Markup:
    """HTML: what was reported on the test images so far. A file may hold anything: what is missing is left open."""
    rows = [
        {
            "share": f"{a:.2%}" if isinstance(a := report.get("accuracy"), float) and math.isfinite(a) else "?",
            **{key: str(report.get(key, "?"))[:200] for key in ("checkpoint", "when")},
            "reported_on": retell(str(report.get("reported_on", "?"))[:200]),
        }
        for report in found
    ]
    return render("evaluate/reports.html", rows=rows)
