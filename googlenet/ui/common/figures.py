"""How the lab writes numbers and small drawings: the same words and colours in every tab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from googlenet.language import language, tr
from googlenet.models.profile import BRANCHES
from googlenet.ui.common.templates import macros

# One colour a branch, told apart by colour-blind eyes too; base.css gives each its class.
BRANCH_COLOURS: dict[str, str] = dict(zip(BRANCHES, ("#0072B2", "#E69F00", "#009E73", "#CC79A7"), strict=True))
BRANCH_CLASSES: dict[str, str] = {branch: f"gl-b{number}" for number, branch in enumerate(BRANCHES, start=1)}


def count(number: int) -> str:
    """163,696."""
    return f"{number:,}"


def si(number: float) -> str:
    """Four digits with an SI prefix: 128.0 M, 1.583 G, 9.408 k, 640."""
    for power, prefix in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        scaled = number / 10**power
        if scaled >= 0.99995:  # 999,990 reads 1.000 M, not 1000.0 k
            return f"{scaled:.{3 if scaled < 10 else 2 if scaled < 100 else 1}f} {prefix}"
    return f"{number:,.0f}"


def multiply_adds(number: float) -> str:
    """128.0 M multiply-adds."""
    return tr("{count} multiply-adds", count=si(number))


def shape(sizes: Sequence[int]) -> str:
    """256 × 28 × 28, in the order given: (N ×) C × H × W."""
    return " × ".join(f"{size:,}" for size in sizes)


def size(number_of_bytes: float) -> str:
    """1.7 MiB."""
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if number_of_bytes >= 2**power:
            return f"{number_of_bytes / 2**power:,.1f} {unit}"
    return f"{number_of_bytes:,.0f} B"


def duration(seconds: float) -> str:
    """850 µs, 12.3 ms, 4.2 s, 3 min 05 s, 2 h 07 min."""
    if seconds < 1e-3:
        return f"{1e6 * seconds:.0f} µs"
    if seconds < 1:
        return f"{1e3 * seconds:.1f} ms"
    if seconds < 60:
        return tr("{seconds:.1f} s", seconds=seconds)
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return tr("{minutes} min {seconds:02d} s", minutes=minutes, seconds=rest)
    return tr("{hours} h {minutes:02d} min", hours=minutes // 60, minutes=minutes % 60)


def time_left(seconds: float) -> str:
    """40 s, 12 min, 2 h 05 min: as coarse as a forecast is sure, so that it stands still between two looks."""
    if seconds < 57.5:
        return tr("{seconds} s", seconds=max(5, 5 * round(seconds / 5)))
    minutes = max(1, round(seconds / 60))
    hours, rest = divmod(5 * round(minutes / 5), 60)
    if minutes < 60:
        return tr("{minutes} min", minutes=minutes)
    return tr("{hours} h {minutes:02d} min", hours=hours, minutes=rest)


def percent(part: float, whole: float) -> str:
    """37.4%, and 0% of nothing."""
    return f"{100 * part / whole:.1f}%" if whole and part else "0%"


def sentence(text: str) -> str:
    """`text` with a capital first, unless it begins with a name, such as cifar10-full or inception3a."""
    if language() == "ko":  # which has no capitals: a word of Latin letters is a name
        return text
    return text[:1].upper() + text[1:] if text.split(" ")[0].isalpha() else text


def message(text: str, kind: str = "refused", field: str | None = None) -> Markup:
    """HTML of one sentence: refused (something to put right, in `field`) or done."""
    return _macros().message(text, kind, field)


def cards(figures: Sequence[tuple[str, str, str]]) -> Markup:
    """HTML of headline figures: (name, value, remark) each."""
    return _macros().cards(figures)


def stacked_bar(parts: Sequence[tuple[str, float, str]], title: str, *, full: float | None = None) -> Markup:
    """Inline SVG of one bar: parts are (tooltip, amount, CSS colour); `full` is what fills the box, else their sum."""
    full = sum(amount for _, amount, _ in parts) if full is None else full
    x, placed = 0.0, []
    for tooltip, amount, colour in parts:
        width = 1000 * amount / full if full else 0
        if width:
            placed.append((tooltip, round(x, 2), round(width, 2), colour))
        x += width
    return _macros().bar(placed, title)


def scroll_box(table: str, label: str) -> Markup:
    """HTML of a table that scrolls sideways inside its own box, by keyboard too; `table` is HTML already."""
    return _macros().scroll_box(label, Markup(table))


def _macros() -> Any:
    return macros("common/figures.html")
