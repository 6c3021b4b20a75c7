"""What the page says of the queue, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from googlenet.language import tr, trn
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
            when = tr("paused")
        elif one.starts is None:
            after = tr("starts after number {number}", number=number - 1)
            when = after if number > 1 else tr("starts when its device is free")
        else:
            soon = tr("starts in about {time}", time=time_left(one.starts))
            when = soon if one.starts >= 1 else tr("starts now")
    takes = ""
    if one.takes is not None:
        time = time_left(one.takes)
        takes = tr("takes roughly {time}", time=time) if one.rough else tr("takes about {time}", time=time)
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
    epochs = trn("{n:,} epoch", "{n:,} epochs", config.epochs)
    rate, seed = tr("rate {rate:g}", rate=config.lr), tr("seed {seed}", seed=config.seed)
    parts = [config.network.name, config.recipe, epochs, rate, seed]
    return " · ".join([*parts, *([config.device] if config.device != "auto" else [])])


def sweep_line(configs: Sequence[TrainConfig], costs: Sequence[Costs], seconds: Sequence[float | None]) -> str:
    """How many runs, and what they take in all."""
    known = [one for one in seconds if one is not None]
    if not known:
        time = tr("time not known before one such run, or a measurement above")
    elif len(known) < len(seconds):
        time = tr("more than {time} in all", time=time_left(sum(known)))
    else:
        time = tr("about {time} in all, one after the other", time=time_left(sum(known)))
    on_disk = tr("{size} on disk", size=size(sum(cost.disk for cost in costs)))
    parts = [tr("{n} runs", n=len(configs)), time, on_disk]
    return render("train/queue/sweep.html", line=" · ".join(parts), names=[config.run for config in configs])
