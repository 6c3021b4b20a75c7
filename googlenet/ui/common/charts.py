"""Curves over epochs: crisp, in the theme's colours, validation dashed. Those of a training are live (train/curves.py).

The drawing is SVG stretched to the room there is; its labels are text of the page, in pixels whatever the width.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from googlenet.language import tr
from googlenet.ui.common.templates import render

Point = tuple[float, float]
Mark = tuple[float, int, int]
MAX_SLICES = 200
MAX_POINTS = 2 * MAX_SLICES + 1  # a series; more is not seen
MAX_STRIPES = 120  # epochs with a tooltip; more would be too narrow to point at
MAX_DOTS = 30
LIMIT = 1e15  # a file may hold any number: what is beyond is not drawn
SIDE = 1000  # units of the drawing, both ways


@dataclass(frozen=True)
class Series:
    """One line. `faint` is for what lies behind, `dashed` for validation."""

    name: str
    points: Sequence[Point]
    colour: str
    dashed: bool = False
    faint: bool = False


@dataclass(frozen=True)
class Frame:
    """Where numbers lie in the drawing, x from the left and y from the top, both 0 to `SIDE`."""

    x_range: Point
    y_range: Point

    def place(self, x: float, y: float = 0.0) -> tuple[float, float]:
        """The place of a point; above and below the frame lie on its edge."""
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        down = (y1 - min(max(y, y0), y1)) / (y1 - y0)
        return round(SIDE * (x - x0) / (x1 - x0), 1), round(SIDE * down, 1)


class Envelope:
    """The lowest and the highest point of equal slices of x, and the last: no best point disappears.

    Slices get twice as wide when there are more than `slices`: early and late points are kept equally well.
    """

    def __init__(self, points: Iterable[Point] = (), width: float = 2.0**-12, slices: int = MAX_SLICES) -> None:
        self._width, self._most = width, slices
        self._newest, self._disorder = -1, 0  # the highest slice; how often a point came into one before it
        self._slices: dict[int, tuple[Point, Point]] = {}
        self._last: Point = (-math.inf, 0.0)
        self.add(points)

    def add(self, points: Iterable[Point]) -> None:
        """Points in any order."""
        for point in points:
            x, y = point
            if x >= self._last[0]:
                self._last = point
            number = math.floor(x / self._width)
            if number < self._newest:
                self._disorder += 1
            self._newest = max(self._newest, number)
            known = self._slices.get(number)
            if known is None:
                self._slices[number] = point, point
                if len(self._slices) > self._most:
                    self._widen()
            elif y < known[0][1]:
                self._slices[number] = point, known[1]
            elif y > known[1][1]:
                self._slices[number] = known[0], point

    def __bool__(self) -> bool:
        return bool(self._slices)

    def points(self) -> list[Point]:
        """Two a slice and the last at most, in the order of x."""
        return self._points(sorted(self._slices))

    def mark(self) -> Mark:
        """How far it is, for `since`."""
        return self._width, self._disorder, self._newest

    def since(self, mark: Mark | None) -> tuple[float | None, list[Point]]:
        """What changed after `mark`: the x from which points are replaced, and those that take their place.

        None in place of that x where all points are.
        """
        if mark is None or mark[:2] != (self._width, self._disorder):
            return None, self.points()
        return mark[2] * self._width, self._points(sorted(n for n in self._slices if n >= mark[2]))

    def _points(self, numbers: Iterable[int]) -> list[Point]:
        points = [point for number in numbers for point in sorted(set(self._slices[number]))]
        return points if not points or self._last in points[-2:] else [*points, self._last]

    def _widen(self) -> None:
        narrow, self._slices, self._width = self._slices, {}, 2 * self._width
        self._newest = -1
        for pair in narrow.values():
            self.add(pair)


def is_drawable(point: tuple[Any, Any]) -> TypeGuard[Point]:
    """Whether both are numbers that a chart has room for; NaN is in no range."""
    return all(type(n) in (int, float) and -LIMIT < n < LIMIT for n in point)


def epoch_at(x: float) -> int:
    """The epoch, from 0, that an x belongs to: its steps lie between half before its row and half behind it."""
    return math.ceil(x - 0.5)


def curve_chart(title: str, series: Sequence[Series], **options: Any) -> str:
    """HTML of one panel, "" when there is nothing to draw: `chart_values` with its text alternative and legend."""
    values = chart_values(title, series, **options)
    return render("common/chart.html", **values) if values else ""


def chart_values(
    title: str,
    series: Sequence[Series],
    *,
    unit: str = "",
    best: Point | None = None,
    top: float | None = None,
    last: int = 0,
    mark: tuple[float, str] | None = None,
) -> dict[str, Any] | None:
    """What the template draws: lines, labels and places in units of the drawing; None when nothing can be drawn.

    The row of epoch e stands at x = e. `unit` is "" or "%", which shows shares as per cent; `best` is marked with a
    star; `top` fixes the upper end, `last` is the least epoch that the x axis reaches; `mark` draws an upright line
    with its word at an x.
    """
    drawable = [(s, sorted(filter(is_drawable, s.points))) for s in series]  # files may be edited
    shown = [(s, points) for s, points in drawable if points]
    if not shown:
        return None
    heights = [y for _, points in shown for _, y in points]
    last = max(last, *(epoch_at(points[-1][0]) for _, points in shown))
    y_ticks = _ticks(min(0.0, *heights), max(0.0, *heights) if top is None else top)
    frame = Frame((-0.5, last + 0.5), (y_ticks[0], y_ticks[-1]))
    return {
        "title": title,
        "ends": ", ".join(_end(s.name, _number(p[-1][1], unit), epoch_at(p[-1][0])) for s, p in shown),
        "lines": [_line(frame, s, points) for s, points in shown],
        "x_labels": [(frame.place(x)[0], f"{x:,.0f}") for x in _ticks(0, last) if x == int(x) and x <= last],
        "y_labels": [(frame.place(0, y)[1], f"{100 * y:g}%" if unit == "%" else f"{y:,g}") for y in y_ticks],
        "best": frame.place(*best) if best and is_drawable(best) else None,
        "mark": (frame.place(mark[0])[0], mark[1]) if mark else None,
        "stripes": _stripes(frame, [pair for pair in shown if not pair[0].faint], unit),
        "side": SIDE,
    }


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`, four to seven of them."""
    span = high - low if high - low > 1e-9 else 1.0
    step = 10.0 ** math.floor(math.log10(span))
    step *= next((factor for factor in (0.2, 0.5, 1.0, 2.0) if span / (step * factor) <= 6), 2.0)
    first, last = math.floor(low / step + 1e-9), max(1, math.ceil(high / step - 1e-9))
    return [round(number * step, 10) for number in range(first, last + 1)]


def _end(name: str, value: str, epoch: int) -> str:
    return tr("{name} {value} at epoch {epoch:,}", name=name, value=value, epoch=epoch)


def _number(value: float, unit: str) -> str:
    return f"{100 * value:.2f}%" if unit == "%" else f"{value:.4g}"


def _line(frame: Frame, series: Series, points: list[Point]) -> dict[str, Any]:
    """Its path, and dots where a single point would be no line or few are easily told apart."""
    if len(points) > MAX_POINTS:
        points = Envelope(points, max(1.0, points[-1][0] - points[0][0]) / (MAX_SLICES - 2)).points()
    placed = [frame.place(*point) for point in points]
    dotted = len(placed) == 1 or (len(placed) <= MAX_DOTS and not series.faint)
    return {
        "name": series.name,
        "colour": series.colour,
        "kind": "gl-dashed" if series.dashed else "gl-faint" if series.faint else "",
        "path": "M" + "L".join(f"{x:g} {y:g}" for x, y in placed),
        "dots": "".join(f"M{x:g} {y:g}h0" for x, y in placed) if dotted else "",
    }


def _stripes(frame: Frame, shown: list[tuple[Series, list[Point]]], unit: str) -> list[tuple[float, float, str]]:
    """An invisible stripe an epoch, with that epoch's numbers as tooltip; none where they would be too narrow."""
    if any(len(points) > MAX_STRIPES for _, points in shown):
        return []
    texts: dict[float, list[str]] = {}
    for series, points in shown:
        for x, y in points:
            texts.setdefault(x, []).append(f"{series.name} {_number(y, unit)}")
    width = round(SIDE / (frame.x_range[1] - frame.x_range[0]), 1)
    return [
        (frame.place(x - 0.5)[0], width, tr("epoch {epoch:,g}: {values}", epoch=x, values=", ".join(words)))
        for x, words in texts.items()
    ]
