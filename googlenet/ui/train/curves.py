"""The live curves of a run: which lines stand on which panel, and the points that a page does not have yet.

A page gets all points once and then what changed; `static/train/charts.js` draws them.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.runs import Run, Status
from googlenet.runs.figure.published import NOTE
from googlenet.runs.metrics import AUXILIARY
from googlenet.ui.common.charts import Mark, Point
from googlenet.ui.common.templates import render
from googlenet.ui.train.compare.lines import USUAL, WORDS
from googlenet.ui.train.feed import History

REMEMBERED = 40  # readings whose news are kept: a page that has not asked for longer gets everything
PANELS = (  # name, title, unit ("%" for shares, "B" for bytes), whether small
    ("loss", mark("Loss"), "", False),
    ("accuracy", mark("Accuracy"), "%", False),
    ("rate", mark("Learning rate"), "", True),
    ("speed", mark("Images per second"), "", True),
    ("load", mark("Processor and GPU"), "%", True),
    ("memory", mark("Memory"), "B", True),
)
TRAIN, VALIDATION, OTHER = "--gl-train", "--gl-validation", "--gl-other-{}"
LINES = (  # panel, line of the history, name, colour, kind
    ("loss", "step loss", mark("train, by step"), TRAIN, "faint"),
    ("loss", "Loss", mark("train"), TRAIN, ""),
    ("loss", "Validation loss", mark("validation"), VALIDATION, "dashed"),
    ("accuracy", "Accuracy", mark("train"), TRAIN, ""),
    ("accuracy", "Validation accuracy", mark("validation"), VALIDATION, "dashed"),
    ("rate", "step rate", mark("learning rate"), TRAIN, ""),
    ("speed", "Images/s", mark("images/s"), TRAIN, ""),
    ("load", "CPU", mark("all cores"), TRAIN, ""),
    ("load", "GPU", "GPU", VALIDATION, "dashed"),
    ("memory", "Memory", mark("the trainer"), TRAIN, ""),
    ("memory", "GPU memory", mark("on the GPU"), VALIDATION, "dashed"),
)
HEADS = (OTHER.format(4), OTHER.format(3))  # colours of auxiliary heads


def curves_html() -> str:
    """The panels before there is anything in them."""
    panels = [(name, tr(title), unit, small) for name, title, unit, small in PANELS]
    curves = {name: tr(words) for name, words in WORDS.items()}
    return render("train/curves.html", panels=panels, published=NOTE, curves=curves, usual=USUAL)


def lines_of(name: str, history: History, heads: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The lines of the run `name` by itself; compare/lines.py has those of several.

    `heads` are the names of its auxiliary heads, in the order of their layers. Each line has its `panel`, `id`
    ("run/line"), `run`, `name`, `colour` (a CSS variable) and `kind` ("", dashed, dotted, faint).
    """
    found = [_line(panel, name, line, tr(words), *look) for panel, line, words, *look in LINES if history.has(line)]
    for head, line, colour in zip(heads, AUXILIARY, HEADS, strict=False):
        if history.has(line):
            found.append(_line("loss", name, line, tr("{head}, train", head=head), colour, ""))
    return found


def _line(panel: str, run: str, line: str, name: str, colour: str, kind: str) -> dict[str, Any]:
    return {"panel": panel, "id": f"{run}/{line}", "run": run, "name": name, "colour": colour, "kind": kind}


def plan_of(run: Run, status: Status, others: Iterable[Run]) -> dict[str, Any]:
    """How far the x axis goes: epochs planned, 0 where that is not known, and the steps in an epoch of every run.

    And the recipe.
    """
    epochs, recipe = status.epochs, ""
    with contextlib.suppress(LabError):  # the status says so
        config = run.config()
        epochs, recipe = epochs or config.epochs, config.recipe
    steps = {run.name: status.steps_per_epoch} | {other.name: other.last_status().steps_per_epoch for other in others}
    return {"epochs": epochs, "steps": steps, "recipe": recipe}


def heads_of(run: Run) -> list[str]:
    """Names of the run's auxiliary heads with the layers that they sit on, in the order of those layers."""
    try:
        network = run.config().network
    except LabError:
        return []
    return [
        tr("{head} (on {layer})", head=head.name, layer=head.after)
        for layer in network.layers
        for head in network.aux
        if head.after == layer.name
    ]


class Source(Protocol):
    """What has lines: a run's history, or the mean of several."""

    version: int  # another one whenever there is more to draw

    @property
    def lines(self) -> Mapping[str, Any]:
        """By name; each an `Envelope`, or what is asked as one."""
        ...


class Points:
    """The points that pages of one view have: `take` a reading, then tell of what came after any moment."""

    def __init__(self) -> None:
        self._only: Mapping[str, Collection[str]] = {}
        self._known: dict[str, tuple[Source, int, dict[str, Mark]]] = {}  # of each run: how far its lines were
        self._news: deque[tuple[float, dict[str, Any]]] = deque(maxlen=REMEMBERED)
        self._base: float | None = None  # a page that knows this moment, or a later one, can be told the news

    def take(
        self, histories: Mapping[str, Source], at: float, only: Mapping[str, Collection[str]] | None = None
    ) -> None:
        """What was read of the runs, by name, at the moment `at`; of those in `only` no other lines are sent."""
        self._only = only or {}
        news: dict[str, Any] = {}
        for run, history in histories.items():
            before, version, marks = self._known.get(run, (None, 0, {}))
            if before is history and version == history.version:
                continue
            lines = self._lines(run, history)
            for name, line in lines:
                start, points = line.since(marks.get(name) if before is history else None)
                if points or before is not history:
                    news[f"{run}/{name}"] = _packed(start, points)
            self._known[run] = history, history.version, {name: line.mark() for name, line in lines}
        self._known = {run: self._known[run] for run in histories}
        if self._base is None:
            self._base = at
        elif news:
            if len(self._news) == REMEMBERED:
                self._base = self._news[0][0]
            self._news.append((at, news))

    def since(self, seen: float) -> dict[str, Any] | None:
        """What a page that knows the moment `seen` lacks; None when it lacks nothing."""
        if self._base is not None and seen >= self._base:
            more = [news for at, news in self._news if at > seen]
            return {"whole": False, "more": more} if more else None
        everything = {
            f"{run}/{name}": _packed(None, points)
            for run, (history, _, _) in self._known.items()
            for name, line in self._lines(run, history)
            if (points := line.points())
        }
        return {"whole": True, "more": [everything]}

    def _lines(self, run: str, history: Source) -> list[tuple[str, Any]]:
        return [
            (name, line) for name, line in history.lines.items() if run not in self._only or name in self._only[run]
        ]


def _packed(start: float | None, points: list[Point]) -> list[Any]:
    """[the x from which points are replaced, or None for all; the xs; the ys], as JSON and no finer than is seen."""
    return [start, [round(x, 4) for x, _ in points], [float(f"{y:.5g}") for _, y in points]]
