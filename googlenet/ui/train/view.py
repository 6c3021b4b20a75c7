"""What the Train tab shows of a run, as HTML and series, read from its directory alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import quote

from googlenet.errors import LabError
from googlenet.runs import Run, Status
from googlenet.ui.common import figures
from googlenet.ui.common.charts import Point, Series, curve_chart
from googlenet.ui.common.figures import cards, duration
from googlenet.ui.train.feed import History, file_size

TRAIN, VALIDATION = "var(--gl-train)", "var(--gl-validation)"
Rows = Sequence[dict[str, float | None]]
COMPARED = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9")

NO_RUN = (
    "<p class='gl-note'>No run yet. Press <b>Start</b>: the curves appear here, and go on if you close the page. "
    "Choose the data <b>shapes</b> for a first try without a download.</p>"
)
SAID = {
    "queued": "starting",
    "running": "running",
    "stopping": "stopping",
    "stopped": "stopped",
    "finished": "finished",
    "failed": "failed",
    "diverged": "diverged",
    "out_of_memory": "out of memory",
    "interrupted": "interrupted",
}


def _column(rows: Rows, name: str) -> list[Point]:
    return [(row["Epoch"] + 1, row[name]) for row in rows if row[name] is not None]


def charts_html(history: History, compared: Mapping[str, History] | None = None) -> str:
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
    for (name, other), colour in zip((compared or {}).items(), COMPARED, strict=False):
        held_out = any(row["Validation accuracy"] is not None for row in other.rows)
        prefix, dashed = ("Validation ", True) if held_out else ("", False)
        name = name if held_out else f"{name} (train)"
        loss.append(Series(name, _column(other.rows, f"{prefix}loss".capitalize()), colour, dashed=dashed))
        accuracy.append(Series(name, _column(other.rows, f"{prefix}accuracy".capitalize()), colour, dashed=dashed))
    best = max(accuracy[1].points, key=lambda point: point[1], default=None)
    end = max((s.points[-1][0] for s in loss if s.points), default=0.0)
    panels = curve_chart("Loss", loss) + curve_chart("Accuracy", accuracy, unit="%", best=best, top=1.0, end=end)
    if not panels:
        return "<p class='gl-note'>Curves appear after the first steps.</p>"
    return f"<div class='gl-charts'>{panels}</div>"


def status_html(run: Run, status: Status, rows: Rows) -> str:
    """State, progress, and the figures that matter; `rows` are the finished epochs."""
    words = [f"<span class='gl-pill gl-{status.state}'>{escape(SAID.get(status.state, status.state))}</span>"]
    words.append(f"<strong>{escape(run.name)}</strong>")
    if status.epochs:
        words.append(f"{status.epoch:,} of {status.epochs:,} epochs done")
    if status.active and status.steps_per_epoch:
        words.append(f"step {status.step:,} of {status.steps_per_epoch:,}")
    if status.active and status.seconds_left is not None:
        words.append(f"{duration(status.seconds_left)} left")
    if status.state in ("failed", "diverged", "out_of_memory"):
        message = figures.message(status.message)
    else:
        message = f"<p class='gl-note'>{escape(status.message)}</p>" if status.message else ""
    return (
        f"<div class='gl-run'><p class='gl-line'>{' '.join(f'<span>{word}</span>' for word in words)}</p>"
        f"<progress max='1' value='{status.progress:.4f}' aria-label='progress'></progress>{message}"
        f"{cards(_figures(rows, status))}{_settings(run, status)}</div>"
    )


def _figures(rows: Rows, status: Status) -> list[tuple[str, str, str]]:
    last = rows[-1] if rows else None
    held_out = [row for row in rows if row["Validation accuracy"] is not None]
    best = max(held_out, key=lambda row: row["Validation accuracy"], default=None)
    speed = status.images_per_second or (last["Images/s"] if last else None)
    dash = "–"
    when = f"epoch {last['Epoch']:.0f}" if last else "after the first epoch" if status.active else ""
    return [
        ("Train loss", f"{last['Loss']:.4f}" if last else dash, when),
        ("Train accuracy", f"{last['Accuracy']:.2%}" if last else dash, when),
        (
            "Best validation accuracy",
            f"{best['Validation accuracy']:.2%}" if best else dash,
            f"epoch {best['Epoch']:.0f}" if best else "none held out" if last else when,
        ),
        ("Speed", f"{speed:,.0f} images/s" if speed else dash, status.device),
    ]


def _settings(run: Run, status: Status) -> str:
    try:
        config = run.config()
    except LabError as error:
        return f"<p class='gl-note'>{escape(str(error))}</p>"
    words = [
        config.network.name,
        f"data {status.data or config.data}",
        f"recipe {config.recipe}",
        f"{config.optimizer} {config.schedule} {config.lr:g}",
        f"batch {config.batch_size:,}",
        f"seed {config.seed}",
    ]
    return f"<p class='gl-note'>{escape(' · '.join(words))}</p>"


def files_html(run: Run) -> str:
    """What can be downloaded of a run. Every file is replaced whole, so that there is no moment to wait for."""
    paths = [run.path / "metrics.csv", run.path / "curves.png", *run.weights(), run.path / "train.log"]
    # Gradio serves them, to those who may see the page; a relative address also holds behind a proxy.
    items = "".join(
        f"<li><a download href='gradio_api/file={quote(str(path))}'>{escape(path.name)}</a> "
        f"<span>{_bytes(file_size(path))}</span></li>"
        for path in paths
        if path.is_file()
    )
    return f"<ul class='gl-files'>{items}</ul>" if items else "<p class='gl-note'>Nothing is written yet.</p>"


def _bytes(count: int) -> str:
    for unit, size in (("MB", 1_000_000), ("kB", 1000)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
