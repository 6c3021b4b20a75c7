"""Curves over epochs: crisp, in the theme's colours, validation dashed, and light enough to send each second.

The drawing is SVG stretched to the room there is; its labels are text of the page, in pixels whatever the width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from googlenet.ui.common.templates import render

Point = tuple[float, float]
MAX_POINTS = 400  # a series; more is not seen
MAX_STRIPES = 120  # epochs with a tooltip; more would be too narrow to point at
MAX_DOTS = 30
LIMIT = 1e15  # a file may hold any number: what is beyond is not drawn
SIDE = 1000  # units of the drawing, both ways


@dataclass(frozen=True)
class Series:
    """One line: points in the order of x. `faint` is for what lies behind, `dashed` for validation."""

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


def decimate(points: Sequence[Point], limit: int = MAX_POINTS) -> list[Point]:
    """At most `limit` points: the lowest and the highest of each bin, so that no best epoch disappears."""
    if len(points) <= limit:
        return list(points)
    bins, kept = limit // 2, []
    for number in range(bins):
        part = points[number * len(points) // bins : (number + 1) * len(points) // bins]
        low, high = min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])
        kept += sorted({low, high})
    return kept


def is_drawable(*numbers: object) -> bool:
    """Whether these are numbers that a chart has room for."""
    return all(isinstance(n, (int, float)) and -LIMIT < n < LIMIT for n in numbers)  # NaN is in no range


def epoch_at(x: float) -> int:
    """The epoch, from 0, that an x belongs to: its steps lie between half before its row and half behind it."""
    return math.ceil(x - 0.5)


def curve_chart(
    title: str,
    series: Sequence[Series],
    *,
    unit: str = "",
    best: Point | None = None,
    top: float | None = None,
    last: int = 0,
    mark: tuple[float, str] | None = None,
) -> str:
    """HTML of one panel, "" when there is nothing to draw: title with legend, and the curves with a text alternative.

    The row of epoch e stands at x = e. `unit` is "" or "%", which shows shares as per cent; `best` is marked with a
    star; `top` fixes the upper end, `last` is the least epoch that the x axis reaches; `mark` draws an upright line
    with its word at an x.
    """
    values = chart_values(title, series, unit=unit, best=best, top=top, last=last, mark=mark)
    return render("common/chart.html", **values) if values else ""


def chart_values(
    title: str,
    series: Sequence[Series],
    *,
    unit: str,
    best: Point | None,
    top: float | None,
    last: int,
    mark: tuple[float, str] | None,
) -> dict[str, Any] | None:
    """What the template draws: lines, labels and places in units of the drawing; None when nothing can be drawn."""
    drawable = [(s, [point for point in s.points if is_drawable(*point)]) for s in series]
    shown = [(s, points) for s, points in drawable if points]
    if not shown:
        return None
    heights = [y for _, points in shown for _, y in points]
    last = max(last, *(epoch_at(points[-1][0]) for _, points in shown))
    y_ticks = _ticks(min(0.0, *heights), max(0.0, *heights) if top is None else top)
    frame = Frame((-0.5, last + 0.5), (y_ticks[0], y_ticks[-1]))
    return {
        "title": title,
        "ends": ", ".join(f"{s.name} {_number(p[-1][1], unit)} at epoch {epoch_at(p[-1][0]):,}" for s, p in shown),
        "lines": [_line(frame, s, points) for s, points in shown],
        "x_labels": [(frame.place(x)[0], f"{x:,.0f}") for x in _ticks(0, last) if x == int(x) and x <= last],
        "y_labels": [(frame.place(0, y)[1], f"{100 * y:g}%" if unit == "%" else f"{y:,g}") for y in y_ticks],
        "best": frame.place(*best) if best and is_drawable(*best) else None,
        "mark": (frame.place(mark[0])[0], mark[1]) if mark and is_drawable(mark[0]) else None,
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


def _number(value: float, unit: str) -> str:
    return f"{100 * value:.2f}%" if unit == "%" else f"{value:.4g}"


def _line(frame: Frame, series: Series, points: list[Point]) -> dict[str, Any]:
    """Its path, and dots where a single point would be no line or few are easily told apart."""
    placed = [frame.place(*point) for point in decimate(points)]
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
    texts: dict[float, list[str]] = {}
    for series, points in shown:
        for x, y in points:
            texts.setdefault(x, []).append(f"{series.name} {_number(y, unit)}")
    if len(texts) > MAX_STRIPES:
        return []
    width = round(SIDE / (frame.x_range[1] - frame.x_range[0]), 1)
    return [(frame.place(x - 0.5)[0], width, f"epoch {x:,g}: {', '.join(words)}") for x, words in texts.items()]
