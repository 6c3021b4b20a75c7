"""What the page says of the queue, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from googlenet.models.places import places
from googlenet.recipes import TrainConfig
from googlenet.runs import Run, Status
from googlenet.runs.queue import Queue
from googlenet.training.queue.forecast import Expected
from googlenet.ui.common.figures import size, time_left
from googlenet.ui.common.templates import render

if TYPE_CHECKING:
    from googlenet.training.planning.costs import Costs

TAG = 8  # hexadecimal digits by which a page knows its own entries


def queue_html(queue: Queue, active: Sequence[tuple[Run, Status]], expected: Sequence[Expected]) -> str:
    """The list, with a button for each thing that can be done to an entry, and what trains on which device."""
    words = {place.name: place.words for place in places()}
    devices = []
    for name, what in words.items():
        busy = next((run.name for run, status in active if (status.place or "cpu") == name), "")
        devices.append((name, what, busy))
    rows = [_row(number, one, paused=queue.paused) for number, one in enumerate(expected, start=1)]
    return render("train/queue/list.html", queue=queue, rows=rows, devices=devices)


def _row(number: int, one: Expected, *, paused: bool) -> dict[str, Any]:
    entry, config = one.entry, one.entry.config
    when = ""
    if not entry.problem:
        if paused:
            when = "paused"
        elif one.starts is None:
            when = f"starts after number {number - 1}" if number > 1 else "starts when its device is free"
        else:
            when = f"starts in about {time_left(one.starts)}" if one.starts >= 1 else "starts now"
    takes = ""
    if one.takes is not None:
        takes = f"takes {'roughly' if one.rough else 'about'} {time_left(one.takes)}"
    return {
        "number": number,
        "id": entry.id,
        "owner": entry.owner[:TAG],
        "name": entry.name,
        "what": settings_words(config) if config else "",
        "when": ", ".join(filter(None, [when, takes])),
        "group": entry.facts.group,
        "problem": entry.problem,
    }


def settings_words(config: TrainConfig) -> str:
    """A training in a line: cifar10 · default · 10 epochs · rate 0.2 · seed 0."""
    epochs = f"{config.epochs:,} {'epoch' if config.epochs == 1 else 'epochs'}"
    parts = [config.network.name, config.recipe, epochs, f"rate {config.lr:g}", f"seed {config.seed}"]
    return " · ".join([*parts, *([config.device] if config.device != "auto" else [])])


def sweep_line(configs: Sequence[TrainConfig], costs: Sequence[Costs], seconds: Sequence[float | None]) -> str:
    """How many runs, and what they take in all."""
    known = [one for one in seconds if one is not None]
    if not known:
        time = "time not known before one such run, or a measurement above"
    elif len(known) < len(seconds):
        time = f"more than {time_left(sum(known))} in all"
    else:
        time = f"about {time_left(sum(known))} in all, one after the other"
    parts = [f"{len(configs)} runs", time, f"{size(sum(cost.disk for cost in costs))} on disk"]
    return render("train/queue/sweep.html", line=" · ".join(parts), names=[config.run for config in configs])
