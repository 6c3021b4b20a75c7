"""What the Evaluate tab shows of a run and of two checkpoints side by side, as HTML, and the tab's CSS."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from googlenet.runs import Run
from googlenet.ui.common import figures
from googlenet.ui.common.charts import Point, Series, curve_chart
from googlenet.ui.train.view import TRAIN, VALIDATION

if TYPE_CHECKING:  # they import torch, which the page does not wait for
    from googlenet.inference.compare import CheckpointComparison
    from googlenet.inference.selection import Judged, RunJudgement


def judgement(result: RunJudgement, run: Run | None, chosen: Judged) -> str:
    """HTML: which checkpoint is proposed and why, the curves, and the table with `chosen` marked.

    `run` adds the epochs whose weights were not kept to the curves; None leaves them out.
    """
    refused = "".join(figures.message(f"{name} was left out. {sentence}") for name, sentence in result.refused.items())
    warning = f"<p class='gl-message gl-caution'>{escape(result.warning)}</p>" if result.warning else ""
    return (
        f"<div class='gl-answer'>{_proposal(result)}{warning}{_curves(result, run)}{_table(result, chosen)}{refused}"
        f"<p class='gl-note'>Judged on {escape(result.judged_on)}.</p></div>"
    )


def _proposal(result: RunJudgement) -> str:
    best = result.best
    words = f"{best.validation_accuracy:.2%} of {result.n:,} images that it did not learn from"
    after = "" if best.epoch is None else f", epoch {best.epoch:,}"
    words += f", {result.lead}" if result.lead else ""
    return (
        f"<section class='gl-proposal' aria-live='polite'><p>Proposed: <b>{escape(short(best))}</b>{after}</p>"
        f"<p>{escape(words)}.</p><p class='gl-note'>{escape(result.overfitting)}</p></section>"
    )


def short(row: Judged) -> str:
    """The names of a checkpoint's files without the run's: "epoch-0299, best"."""
    return ", ".join(name.rpartition("/")[2] for name in row.names)


def file_of(row: Judged) -> str:
    """The file to ask: the run's best where it has these weights, since it may hold a temperature."""
    return next((name for name in row.names if name.endswith("/best")), row.name)


def _curves(result: RunJudgement, run: Run | None) -> str:
    metrics = run.metrics() if run else []

    def line(column: str, field: str) -> list[Point]:
        known = {row["Epoch"]: row[column] for row in metrics if row[column] is not None}
        judged = {row.epoch: getattr(row, field, None) for row in result.rows if row.epoch is not None}
        known |= {epoch: value for epoch, value in judged.items() if value is not None}
        return [(epoch, known[epoch]) for epoch in sorted(known)]

    x = result.overfits_from
    # In the upper half of the accuracy run its curves: the word stands in the loss alone.
    quiet, mark = (None, None) if x is None else ((x, ""), (x, "overfits from here"))
    accuracy = [
        Series("train", line("Accuracy", "train_accuracy"), TRAIN),
        Series("held out", line("Validation accuracy", "validation_accuracy"), VALIDATION, dashed=True),
    ]
    loss = [
        Series("train", line("Loss", ""), TRAIN),
        Series("held out", line("Validation loss", "validation_loss"), VALIDATION, dashed=True),
    ]
    star = None if result.best.epoch is None else (result.best.epoch, result.best.validation_accuracy)
    panels = curve_chart("Accuracy", accuracy, unit="%", best=star, top=1.0, mark=quiet)
    return f"<div class='gl-charts'>{panels}{curve_chart('Loss', loss, mark=mark)}</div>"


def _table(result: RunJudgement, chosen: Judged) -> str:
    held_out = "held out" if result.held_out else "judged"
    head = (
        f"<thead><tr><th>Checkpoint</th><th class='gl-n'>epoch</th><th class='gl-n' title='as the trainer measured it, "
        f"on augmented images'>train</th><th class='gl-n'>{held_out}</th><th class='gl-n' title='mean cross entropy, "
        f"in nats'>loss</th><th class='gl-n' title='mean gap between confidence and accuracy'>calibration error</th>"
        f"</tr></thead>"
    )
    rows = "".join(_row(row, row is result.best, row is chosen) for row in result.rows)
    table = f"<table class='gl-table gl-judged'>{head}<tbody>{rows}</tbody></table>"
    return figures.scroll_box(table, "Checkpoints of the run")


def _row(row: Judged, proposed: bool, chosen: bool) -> str:
    dash = "–"
    train = dash if row.train_accuracy is None else f"{row.train_accuracy:.2%}"
    star = " <span class='gl-star' title='proposed' role='img' aria-label='proposed'>★</span>" if proposed else ""
    current = " aria-current='true'" if chosen else ""
    low, high = row.interval
    return (
        f"<tr data-checkpoint='{escape(file_of(row))}'{current}><td><button type='button'>{escape(short(row))}</button>"
        f"{star}</td><td class='gl-n'>{dash if row.epoch is None else f'{row.epoch:,}'}</td><td class='gl-n'>{train}"
        f"</td><td class='gl-n' title='95% interval {100 * low:.1f} to {100 * high:.1f}%'>"
        f"{row.validation_accuracy:.2%}</td><td class='gl-n'>{row.validation_loss:.4f}</td>"
        f"<td class='gl-n'>{row.calibration_error:.2%}</td></tr>"
    )


def reports(found: Sequence[dict[str, Any]]) -> str:
    """HTML: what was reported on the test images so far."""
    if not found:
        return "<p class='gl-note'>Not reported yet.</p>"
    rows = "".join(_report(report) for report in found)
    warning = (
        f"<p class='gl-message gl-caution'>Reported {len(found)} times: a choice among these figures would be a choice "
        f"made on the test images.</p>"
        if len(found) > 1
        else ""
    )
    return f"<div class='gl-answer'><ul class='gl-reports'>{rows}</ul>{warning}</div>"


def _report(report: dict[str, Any]) -> str:
    """A file may hold anything: what is missing is left open."""
    accuracy, said = report.get("accuracy"), {key: str(report.get(key, "?")) for key in ("checkpoint", "when")}
    share = f"{accuracy:.2%}" if isinstance(accuracy, (int, float)) else "?"
    return (
        f"<li><b>{share}</b> on test: {escape(said['checkpoint'])}<br><small>{escape(said['when'])}, "
        f"{escape(str(report.get('reported_on', '')))}</small></li>"
    )


def comparison(result: CheckpointComparison, names: tuple[str, str], n: int) -> str:
    """HTML: the accuracies of two checkpoints on the same `n` images, and whether their difference means anything."""
    alone = (result.first_only, result.second_only)
    shown = [
        (name, f"{accuracy:.2%}", f"alone right on {len(only):,} images")
        for name, accuracy, only in zip(names, result.accuracies, alone, strict=True)
    ]
    shown.append(("Answers differ on", figures.count(len(result.differ)), f"of {n:,} images"))
    words = f"<p>{escape(result.sentence)}</p>"
    return f"<section class='gl-answer' aria-live='polite'>{figures.cards(shown)}{words}</section>"
