"""Which curves of compared runs are drawn: those chosen, each run in its colour, seeds as their mean and its spread."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from googlenet.language import mark, tr
from googlenet.runs.comparison import Group, mean_curve
from googlenet.runs.metrics import AUXILIARY
from googlenet.ui.common.charts import Mark, Point
from googlenet.ui.train.feed import CLOCK, History

MOST = 11  # runs beside the one on view
Curve = tuple[str, str, str, str]
COLOURS = ("--gl-train", *(f"--gl-other-{number}" for number in range(1, 9)))  # more runs begin again
# What can be chosen, as the address and the page say it: panel, line of the history, how it is drawn, and its word
# where a panel has lines of several kinds.
CURVES: dict[str, tuple[Curve, ...]] = {
    "validation": (
        ("loss", "Validation loss", "dashed", mark("validation")),
        ("accuracy", "Validation accuracy", "dashed", mark("validation")),
    ),
    "train": (("loss", "Loss", "", mark("train")), ("accuracy", "Accuracy", "", mark("train"))),
    "steps": (("loss", "step loss", "faint", mark("by step")),),
    "heads": (("loss", AUXILIARY[0], "dotted", mark("head 1")), ("loss", AUXILIARY[1], "dotted", mark("head 2"))),
    "rate": (("rate", "step rate", "", ""),),
    "speed": (("speed", "Images/s", "", ""),),
    "load": (("load", "CPU", "", mark("cores")), ("load", "GPU", "dashed", "GPU")),
    "memory": (("memory", "Memory", "", mark("trainer")), ("memory", "GPU memory", "dashed", "GPU")),
}
WORDS = {
    "validation": mark("validation"),
    "train": mark("training"),
    "steps": mark("training, by step"),
    "heads": mark("auxiliary heads"),
    "rate": mark("learning rate"),
    "speed": mark("images/s"),
    "load": mark("processor"),
    "memory": mark("memory"),
}
USUAL = ("validation",)
TOGETHER = "~"  # begins the name of what is several runs: no run's


def curves_asked(names: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` that can be chosen, in the order of the page; the usual ones where none is."""
    return tuple(name for name in CURVES if name in names) or USUAL


class Whole:
    """A line that is sent anew whenever it changes: what `Points` needs of it."""

    def __init__(self, points: list[Point]) -> None:
        self._points = points

    def __bool__(self) -> bool:
        return bool(self._points)

    def points(self) -> list[Point]:
        """All of it."""
        return self._points

    def mark(self) -> Mark:
        """Nothing that `since` would need."""
        return 0.0, 0, 0

    def since(self, mark: Mark | None) -> tuple[float | None, list[Point]]:
        """All of it."""
        return None, self._points


class Seeds:
    """The mean of runs that differ in the seed alone: per line its `lines` NAME, NAME low, NAME high and NAME n."""

    def __init__(self, histories: Sequence[History], names: Collection[str]) -> None:
        self.version = sum(history.version for history in histories)
        self.lines: dict[str, Whole] = {}
        for name in names:
            curve = mean_curve([history.lines[name].points() for history in histories])
            self.lines[name] = Whole([(x, mean) for x, mean, _, _ in curve])
            self.lines[f"{name} low"] = Whole([(x, mean - spread) for x, mean, spread, _ in curve])
            self.lines[f"{name} high"] = Whole([(x, mean + spread) for x, mean, spread, _ in curve])
            self.lines[f"{name} n"] = Whole([(x, float(counted)) for x, _, _, counted in curve])

    def is_of(self, histories: Sequence[History], names: Collection[str]) -> bool:
        """Whether there is nothing new to compute."""
        return self.version == sum(history.version for history in histories) and self.lines.keys() >= set(names)

    def has(self, name: str) -> bool:
        """Whether there is a point of that line."""
        return bool(self.lines[name])


class Compared:
    """The lines of the runs in `histories`, the one on view first, and what of them has to be sent."""

    def __init__(self, curves: Sequence[str]) -> None:
        self._chosen = [line for name in curves for line in CURVES[name]]
        self._instead = CURVES["train"] if "validation" in curves else ()  # of runs that hold no images out
        self.only: dict[str, set[str]] = {}
        self.sources: dict[str, History | Seeds] = {}
        self.lines: list[dict[str, Any]] = []
        self.colours: dict[str, str] = {}  # of each run
        self._groups = 0

    def add(self, group: Group, histories: Mapping[str, History], known: Seeds | None) -> None:
        """A run or, drawn as one, several; `known` is what was computed of them before."""
        members = [histories[name] for name in group.runs]
        colour = COLOURS[self._groups % len(COLOURS)]
        self._groups += 1
        self.colours |= dict.fromkeys(group.runs, colour)
        self.sources |= dict(zip(group.runs, members, strict=True))
        self.only |= {name: {CLOCK} for name in group.runs}
        chosen = self._chosen
        if not any(history.has("Validation loss") or history.has("Validation accuracy") for history in members):
            chosen = [*chosen, *(line for line in self._instead if line not in chosen)]
        names = [line for _, line, _, _ in chosen]
        first = group.runs[0]
        source, drawn = first, members[0]
        if len(members) == 1:
            self.only[first] |= set(names)
        else:
            if (
                known is None
                or known.version != sum(h.version for h in members)
                or not known.lines.keys() >= set(names)
            ):
                known = Seeds(members, names)
            source, drawn = TOGETHER + ",".join(group.runs), known
            self.sources[source], self.only[source] = known, set(known.lines)
        for one in chosen:
            if drawn.has(one[1]):
                line = {**self._line(one, chosen, group.name, colour), "id": f"{source}/{one[1]}", "run": first}
                self.lines.append({**line, "band": len(members)} if len(members) > 1 else line)

    def _line(self, one: Curve, chosen: Sequence[Curve], name: str, colour: str) -> dict[str, Any]:
        panel, _, kind, word = one
        several = len({other[3] for other in chosen if other[0] == panel}) > 1
        label = f"{name}, {tr(word)}" if several or one not in self._chosen else name
        return {"panel": panel, "name": label, "colour": colour, "kind": kind}


def compared_lines(
    histories: Mapping[str, History], groups: Sequence[Group], curves: Sequence[str], before: Mapping[str, Any]
) -> Compared:
    """The lines of all `groups`; `before` are the sources of the reading before this one."""
    found = Compared(curves)
    for group in groups:
        known = before.get(TOGETHER + ",".join(group.runs))
        found.add(group, histories, known if isinstance(known, Seeds) else None)
    return found
