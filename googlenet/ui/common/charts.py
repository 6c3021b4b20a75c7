"""Curves as inline SVG: crisp, in the theme's colours, validation dashed, and light enough to send each second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

Point = tuple[float, float]
MAX_POINTS = 400  # a series; more is not seen

WIDTH, HEIGHT = 440, 250  # about the pixels it gets, so that text keeps its size
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 12, 40


@dataclass(frozen=True)
class Series:
    """One line: points in the order of x. `faint` is for what lies behind, `dashed` for validation."""

    name: str
    points: Sequence[Point]
    colour: str
    dashed: bool = False
    faint: bool = False


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


def curve_chart(
    title: str,
    series: Sequence[Series],
    *,
    unit: str = "",
    best: Point | None = None,
    top: float | None = None,
    end: float = 0.0,
    mark: tuple[float, str] | None = None,
) -> str:
    """HTML of one panel, x = epochs: title with legend, and the curves as SVG with a text alternative.

    `unit` is "" or "%", which shows shares as per cent; `best` is marked with a star; `top` fixes the upper end,
    `end` is the least that the x axis spans; `mark` draws an upright line with its word at an x.
    """
    shown = [s for s in series if s.points]
    if not shown:
        return ""
    points = [point for s in shown for point in s.points if math.isfinite(point[1])]
    x_ticks = _ticks(0.0, max(1.0, end, max(x for x, _ in points)))
    y_ticks = _ticks(min(0.0, *(y for _, y in points)), top if top is not None else max(y for _, y in points))
    frame = _Frame((0.0, max(x_ticks[-1], max(x for x, _ in points))), (y_ticks[0], y_ticks[-1]))
    parts = [_grid(frame, x_ticks, y_ticks, unit), _upright(frame, *mark) if mark else ""]
    parts += [_line(frame, s) for s in shown]
    if best:
        x, y = frame.place(best)
        parts.append(f"<text class='gl-best' x='{x:.1f}' y='{y + 5:.1f}' text-anchor='middle'>★</text>")
    parts.append(_hover(frame, [s for s in shown if not s.faint], unit))
    ends = ", ".join(f"{s.name} {_number(s.points[-1][1], unit)} at epoch {s.points[-1][0]:g}" for s in shown)
    legend = "".join(
        f"<li><svg class='gl-key' viewBox='0 0 24 4' aria-hidden='true'><path d='M0 2H24' {_stroke(s)}/></svg>"
        f"{escape(s.name)}</li>"
        for s in shown
    )
    return (
        f"<figure class='gl-chart'><figcaption><h4>{escape(title)}</h4><ul>{legend}</ul></figcaption>"
        f"<svg role='img' viewBox='0 0 {WIDTH} {HEIGHT}'><title>{escape(f'{title}: {ends}')}</title>"
        f"{''.join(parts)}</svg></figure>"
    )


@dataclass(frozen=True)
class _Frame:
    """Where numbers lie in the drawing."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def place(self, point: Point) -> Point:
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        x = LEFT + (point[0] - x0) / ((x1 - x0) or 1) * (WIDTH - LEFT - RIGHT)
        share = (min(max(point[1], y0), y1) - y0) / ((y1 - y0) or 1)
        return x, HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`, four to seven of them."""
    span = (high - low) or 1.0
    step = 10 ** math.floor(math.log10(span))
    step *= next((factor for factor in (0.2, 0.5, 1.0, 2.0) if span / (step * factor) <= 6), 2.0)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _number(value: float, unit: str) -> str:
    return f"{100 * value:.2f}%" if unit == "%" else f"{value:.4g}"


def _grid(frame: _Frame, x_ticks: list[float], y_ticks: list[float], unit: str) -> str:
    parts = []
    for tick in y_ticks:
        y = frame.place((0, tick))[1]
        label = f"{100 * tick:g}%" if unit == "%" else f"{tick:g}"
        parts.append(f"<path class='gl-grid' d='M{LEFT} {y:.1f}H{WIDTH - RIGHT}'/>")
        parts.append(f"<text x='{LEFT - 6}' y='{y + 4:.1f}' text-anchor='end'>{label}</text>")
    for tick in x_ticks:
        x = frame.place((tick, 0))[0]
        if tick == int(tick):
            anchor = "end" if tick >= 100 and x > WIDTH - RIGHT - 8 else "middle"  # a long number stays on the page
            parts.append(f"<text x='{x:.1f}' y='{HEIGHT - BOTTOM + 16}' text-anchor='{anchor}'>{tick:,.0f}</text>")
    parts.append(f"<text x='{(LEFT + WIDTH - RIGHT) / 2}' y='{HEIGHT - 5}' text-anchor='middle'>epochs done</text>")
    return "".join(parts)


def _upright(frame: _Frame, x: float, word: str) -> str:
    """A line from top to bottom, its word on the side that has room."""
    x = frame.place((x, 0))[0]
    beside = f"x='{x - 5:.1f}' text-anchor='end'" if x > WIDTH / 2 else f"x='{x + 5:.1f}'"
    return (
        f"<path class='gl-mark' d='M{x:.1f} {TOP}V{HEIGHT - BOTTOM}'/>"
        f"<text class='gl-mark' y='{TOP + 11}' {beside}>{escape(word)}</text>"
    )


def _stroke(series: Series) -> str:
    dash = " stroke-dasharray='6 4'" if series.dashed else ""
    faint = " stroke-opacity='0.5'" if series.faint else ""
    width = 1.2 if series.faint else 2.2
    return f"class='gl-curve' style='stroke: {escape(series.colour)}' stroke-width='{width}'{dash}{faint}"


def _line(frame: _Frame, series: Series) -> str:
    placed = [frame.place(point) for point in decimate(series.points) if math.isfinite(point[1])]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in placed)
    dots = ""
    if len(placed) <= 30 and not series.faint:  # a single epoch has no line yet
        fill = f"style='fill: {escape(series.colour)}'"
        dots = "".join(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='2.6' {fill}/>" for x, y in placed)
    return f"<path d='{path}' {_stroke(series)}/>{dots}"


def _hover(frame: _Frame, series: Sequence[Series], unit: str) -> str:
    """An invisible stripe an epoch, with that epoch's numbers as tooltip; none where they would be too narrow."""
    if not 0 < len({x for s in series for x, _ in s.points}) <= 120:
        return ""
    values: dict[float, list[str]] = {}
    for s in series:
        for x, y in s.points:
            values.setdefault(x, []).append(f"{s.name} {_number(y, unit)}")
    half = (WIDTH - LEFT - RIGHT) / max(1.0, frame.x_range[1]) / 2
    return "".join(
        f"<rect x='{frame.place((x, 0))[0] - half:.1f}' y='{TOP}' width='{2 * half:.1f}' "
        f"height='{HEIGHT - TOP - BOTTOM}' fill='transparent'>"
        f"<title>{escape(f'after epoch {x - 1:g} — ' + ', '.join(texts))}</title></rect>"
        for x, texts in values.items()
    )
