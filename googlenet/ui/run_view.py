"""What the Train tab shows of a run, as HTML and series, read from its directory alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from html import escape
from pathlib import Path

from googlenet.config import LabError
from googlenet.training.run import Run, Status
from googlenet.ui import figures
from googlenet.ui.charts import Point, Series, curve_chart, decimate
from googlenet.ui.figures import cards, duration

TRAIN, VALIDATION = "var(--gl-train)", "var(--gl-validation)"
COMPARED = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9")

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


class StepFeed:
    """Rows of steps.jsonl as points, read once each: a file that grew is read from where the last look ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Path, tuple[int, list[Point]]] = {}

    def points(self, run: Run) -> list[Point]:
        """(epochs done, loss) of every row so far, at most 800 of them."""
        with self._lock:
            offset, points = self._known.get(run.path, (0, []))
            try:
                shrunk = (run.path / "steps.jsonl").stat().st_size < offset  # a resume rewound it
            except OSError:
                shrunk = True
            rows, offset = run.steps(0 if shrunk else offset)
            fresh = [(float(row["epoch"]), float(row["loss"])) for row in rows if "epoch" in row and "loss" in row]
            points = decimate(([] if shrunk else points) + fresh, 800)
            self._known[run.path] = offset, points
            return points


_feed = StepFeed()


def _column(rows: Sequence[dict[str, float | None]], name: str) -> list[Point]:
    return [(row["Epoch"] + 1, row[name]) for row in rows if row[name] is not None]


def charts_html(run: Run, compared: Sequence[Run] = ()) -> str:
    """Loss and accuracy of `run`, and the validation curves of the runs it is compared with."""
    rows = run.metrics()
    loss = [
        Series("train, by step", _feed.points(run), TRAIN, faint=True),
        Series("train", _column(rows, "Loss"), TRAIN),
        Series("validation", _column(rows, "Validation loss"), VALIDATION, dashed=True),
    ]
    accuracy = [
        Series("train", _column(rows, "Accuracy"), TRAIN),
        Series("validation", _column(rows, "Validation accuracy"), VALIDATION, dashed=True),
    ]
    for other, colour in zip(compared, COMPARED, strict=False):
        theirs = other.metrics()
        held_out = any(row["Validation accuracy"] is not None for row in theirs)
        prefix, dashed = ("Validation ", True) if held_out else ("", False)
        name = other.name if held_out else f"{other.name} (train)"
        loss.append(Series(name, _column(theirs, f"{prefix}loss".capitalize()), colour, dashed=dashed))
        accuracy.append(Series(name, _column(theirs, f"{prefix}accuracy".capitalize()), colour, dashed=dashed))
    best = max(accuracy[1].points, key=lambda point: point[1], default=None)
    end = max((s.points[-1][0] for s in loss if s.points), default=0.0)
    panels = curve_chart("Loss", loss) + curve_chart("Accuracy", accuracy, unit="%", best=best, top=1.0, end=end)
    if not panels:
        return "<p class='gl-note'>Curves appear after the first steps.</p>"
    return f"<div class='gl-charts'>{panels}</div>"


def status_html(run: Run, status: Status) -> str:
    """State, progress, and the figures that matter."""
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
        f"{cards(_figures(run, status))}{_settings(run, status)}</div>"
    )


def _figures(run: Run, status: Status) -> list[tuple[str, str, str]]:
    rows = run.metrics()
    last = rows[-1] if rows else None
    held_out = [row for row in rows if row["Validation accuracy"] is not None]
    best = max(held_out, key=lambda row: row["Validation accuracy"], default=None)
    speed = status.images_per_second or (last["Images/s"] if last else None)
    dash = "–"
    return [
        ("Train loss", f"{last['Loss']:.4f}" if last else dash, f"epoch {last['Epoch']:.0f}" if last else ""),
        ("Train accuracy", f"{last['Accuracy']:.2%}" if last else dash, f"epoch {last['Epoch']:.0f}" if last else ""),
        (
            "Best validation accuracy",
            f"{best['Validation accuracy']:.2%}" if best else dash,
            f"epoch {best['Epoch']:.0f}" if best else "none held out" if last else "",
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


TRAINING_CSS = """
.gl-run { display: flex; flex-direction: column; gap: var(--spacing-lg); color: var(--body-text-color); }
.gl-run p { margin: 0; }
.gl-line { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px var(--spacing-xl);
  font-variant-numeric: tabular-nums; }
.gl-run progress { width: 100%; height: 10px; }
.gl-pill { padding: 1px 10px; border-radius: 99px; font-size: var(--text-sm); font-weight: 600;
  border: 1px solid var(--border-color-primary); background: var(--background-fill-secondary); }
.gl-pill.gl-running, .gl-pill.gl-queued, .gl-pill.gl-stopping { background: #0072B2; border-color: #0072B2;
  color: #fff; }
.gl-pill.gl-finished { background: #00694d; border-color: #00694d; color: #fff; }
.gl-pill.gl-failed, .gl-pill.gl-diverged, .gl-pill.gl-out_of_memory { background: #a63603; border-color: #a63603;
  color: #fff; }
.gl-pill.gl-interrupted { background: #E69F00; border-color: #E69F00; color: #111; }
.gl-log textarea { font-family: var(--font-mono); font-size: var(--text-xs) !important; }
"""
