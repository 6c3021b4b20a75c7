"""What the Train tab shows of a run, as HTML, read from its directory alone."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from googlenet.errors import LabError
from googlenet.language import retell, tr
from googlenet.runs import Run, Status, alerts
from googlenet.runs.alerts import Room
from googlenet.runs.exchange.tensorboard import has_tensorboard
from googlenet.runs.samples import read_samples
from googlenet.runs.status import state_words
from googlenet.ui.common.charts import Point
from googlenet.ui.common.figures import time_left
from googlenet.ui.common.templates import render
from googlenet.ui.events.downloads import EVENTS, address, downloads
from googlenet.ui.train.feed import file_size
from googlenet.ui.train.steer import MANY, steering_rows

TRAIN, VALIDATION = "var(--gl-train)", "var(--gl-validation)"
DASH = "–"
Row = Mapping[str, float | None]


def _column(rows: Sequence[Row], name: str) -> list[Point]:
    return [(epoch, y) for row in rows if (epoch := row["Epoch"]) is not None and (y := row[name]) is not None]


NOTHING = {"html": "", "kind": "", "word": ""}  # to tell of a run


def alerts_part(status: Status, rows: Sequence[Row], room: Room | None) -> dict[str, str]:
    """What is to be told of a run as HTML; of the most urgent the kind, and the word for the tab's title."""
    found = alerts(status, rows, room)
    if not found:
        return NOTHING
    # Why it failed is said with its state.
    told = [alert for alert in found if alert.kind != status.state or alert.kind == "finished"]
    return {"html": render("train/alerts.html", alerts=told), "kind": found[0].kind, "word": found[0].word}


def status_values(run: Run, status: Status, rows: Sequence[Row], problem: str = "") -> dict[str, Any]:
    """What the status says: state, progress, and the figures that matter.

    `rows` are the finished epochs, `problem` is what cannot be read of them.
    """
    troubles = [status.problem, problem]
    if status.state in ("failed", "diverged", "out_of_memory"):
        troubles.insert(0, said(status))
    config = None
    try:
        config = None if run.was_brought() else run.config()
    except LabError as error:
        troubles.append(str(error))
    return {
        "run": run.name,
        "status": status,
        "state": tr("starting") if status.state == "queued" else state_words(status.state),
        "note": "" if said(status) in troubles else said(status),
        "left": time_left(status.seconds_left) if status.active and status.seconds_left is not None else "",
        "troubles": [sentence for sentence in troubles if sentence],
        "figures": _figures(rows, status),
        "config": config,
        "data": retell(status.data or (config.data if config else "")),
        "steering": steering_rows(run),
        "most": MANY,
    }


def said(status: Status) -> str:
    """The trainer's last word, which is English on the disk, in the reader's language."""
    loading = re.fullmatch(r"(.+) \((\d+%)\)", status.message)  # how far it is with the data
    return f"{retell(loading[1])} ({loading[2]})" if loading else retell(status.message)


def status_html(run: Run, status: Status, rows: Sequence[Row], problem: str = "") -> str:
    """The status, for people."""
    return render("train/status.html", **status_values(run, status, rows, problem))


def _figures(rows: Sequence[Row], status: Status) -> list[tuple[str, str, str]]:
    last: Row = rows[-1] if rows else {}
    held_out = _column(rows, "Validation accuracy")
    best = max(held_out, key=lambda point: point[1], default=None)
    speed = status.images_per_second or last.get("Images/s")
    when = tr("after the first epoch") if status.active else ""
    if last:
        when = tr("epoch {n:,.0f}", n=last["Epoch"])
    beside = tr("none held out") if last else when
    if best:
        beside = tr("epoch {n:,.0f}", n=best[0])
    loss, accuracy = last.get("Loss"), last.get("Accuracy")
    return [
        (tr("Train loss"), DASH if loss is None else f"{loss:.4f}", when),
        (tr("Train accuracy"), DASH if accuracy is None else f"{accuracy:.2%}", when),
        (tr("Best validation accuracy"), f"{best[1]:.2%}" if best else DASH, beside),
        (
            tr("Speed"),
            tr("{n:,.0f} images/s", n=speed) if speed else DASH,
            " · ".join([retell(status.device), *_usage(status)]),
        ),
    ]


def _usage(status: Status) -> list[str]:
    """What the trainer takes of the machine now: "cores 96% busy", "1.2 GB"."""
    if not status.active:
        return []
    said = [] if status.cpu is None else [tr("cores {share:.0%} busy", share=status.cpu)]
    said += [] if status.gpu is None else [tr("GPU {share:.0%} busy", share=status.gpu)]
    said += [] if status.memory is None else [f"{status.memory / 1e9:.1f} GB"]
    return said if status.gpu_memory is None else [*said, tr("{n:.1f} GB on the GPU", n=status.gpu_memory / 1e9)]


def files_html(run: Run) -> str:
    """What can be downloaded of a run. Every file is replaced whole, so that there is no moment to wait for."""
    files = [(path.name, address(run, path), file_size(path)) for path in downloads(run)]
    return render("train/files.html", files=files, events=f"download/{run.name}/{EVENTS}", package=has_tensorboard())


def samples_part(run: Run) -> dict[str, Any] | None:
    """The images whose answers are followed, with their classes; None where the run has none."""
    samples = read_samples(run.path)
    if samples is None:
        return None
    images = [f"data:image/png;base64,{base64.b64encode(image).decode()}" for image in samples.images]
    return {"classes": samples.classes, "labels": samples.labels, "images": images}
