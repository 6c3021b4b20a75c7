"""What the Evaluate tab shows of one checkpoint, as HTML: its mistakes, its classes, how right its confidence is."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from googlenet.ui.common import figures

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from PIL import Image

    from googlenet.inference.calibration import Bin
    from googlenet.inference.evaluate import Evaluation

MAX_GRID = 30  # classes; a larger matrix is shown as its most frequent mistakes
MAX_THUMBNAILS = 24  # at once


@dataclass(frozen=True)
class Thumbnail:
    """One judged image: its number in the split, its pixels, its class, and what was answered how surely."""

    index: int
    image: Image.Image
    true: str
    answers: Sequence[tuple[str, float]]  # class and confidence; two where two checkpoints answered


def headline(name: str, result: Evaluation, on: str) -> str:
    """HTML: the figures of the checkpoint `name` on the images that `on` says."""
    low, high = result.interval
    scaled = f"{result.scaled_calibration_error:.2%} at its temperature {result.temperature:.2f}"
    shown = [
        ("Accuracy", f"{result.accuracy:.2%}", f"95% interval {100 * low:.1f} to {100 * high:.1f}%"),
        ("Loss", f"{result.loss:.4f}", "mean cross entropy, in nats"),
        (
            "Calibration error",
            f"{result.calibration_error:.2%}",
            scaled if result.temperature != 1 else "mean gap between confidence and accuracy",
        ),
        ("Images", figures.count(result.n), on),
    ]
    return f"<section class='gl-answer'><h3 class='gl-of'>{escape(name)}</h3>{figures.cards(shown)}</section>"


# --- confusion --------------------------------------------------------------------------------


def confusion_matrix(result: Evaluation) -> str:
    """HTML: a row for each true class, a column for each answer, every filled cell a button.

    `data-cell` of a button is "true-predicted", the class numbers. One button is in the tab order, arrows move on.
    """
    names = list(result.per_class)
    if len(names) > MAX_GRID:
        return _frequent_mistakes(result, names)
    first = first_cell(result)
    head = "".join(f"<th scope='col'><span>{escape(name)}</span></th>" for name in names)
    rows = "".join(_matrix_row(names, true, row, first) for true, row in enumerate(result.confusion))
    table = (
        f"<table class='gl-confusion' style='--gl-classes: {len(names)}'><thead><tr><td><small>true ↓ &nbsp;said →"
        f"</small></td>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )
    return (
        f"<section class='gl-answer'><h4>Which class it takes for which</h4>"
        f"<p class='gl-note'>Choose a cell to see its images; arrow keys move.</p>"
        f"{figures.scroll_box(table, 'Confusion matrix')}</section>"
    )


def first_cell(result: Evaluation) -> tuple[int, int]:
    """The most frequent mistake, (true, predicted); the first class's right answers when nothing is wrong."""
    return max(_mistakes(result.confusion), default=(0, 0, 0))[1:]


def _mistakes(confusion: list[list[int]]) -> list[tuple[int, int, int]]:
    """(count, true, predicted) of every kind of mistake that was made."""
    cells = ((n, true, said) for true, row in enumerate(confusion) for said, n in enumerate(row))
    return [(n, true, said) for n, true, said in cells if n and true != said]


def _matrix_row(names: list[str], true: int, row: list[int], first: tuple[int, int]) -> str:
    total, cells = max(1, sum(row)), []
    for said, count in enumerate(row):
        if not count:
            cells.append("<td></td>")
            continue
        kind = "gl-right" if true == said else "gl-wrong"
        about = f"{count:,} of {names[true]} called {names[said]}, {100 * count / total:.1f}%"
        # A mistake of a tenth of its class is as dark as one gets: most are a few in a hundred.
        shade = 100 * count / total if true == said else min(100, 1000 * count / total)
        chosen = "tabindex='0' aria-pressed='true'" if (true, said) == first else "tabindex='-1'"
        cells.append(
            f"<td><button type='button' class='{kind}' data-cell='{true}-{said}' style='--gl-shade: {shade:.0f}%' "
            f"{chosen} aria-label='{escape(about)}' title='{escape(about)}'>{figures.count(count)}</button></td>"
        )
    return f"<tr><th scope='row'>{escape(names[true])}</th>{''.join(cells)}</tr>"


def _frequent_mistakes(result: Evaluation, names: list[str]) -> str:
    items = "".join(
        f"<li><button type='button' class='gl-wrong' data-cell='{true}-{said}'>{escape(names[true])} called "
        f"{escape(names[said])}: {count:,}</button></li>"
        for count, true, said in sorted(_mistakes(result.confusion), reverse=True)[:MAX_GRID]
    )
    return (
        f"<section class='gl-answer'><h4>Its most frequent mistakes</h4><p class='gl-note'>Of {len(names):,} classes, "
        f"too many for a matrix. Choose one to see its images.</p><ol class='gl-frequent'>{items}</ol></section>"
    )


# --- images -----------------------------------------------------------------------------------


def cell_images(true: str, predicted: str, images: Sequence[Thumbnail], count: int) -> str:
    """HTML: the first `images` of the `count` in a confusion cell."""
    verb = "rightly called" if true == predicted else "called"
    heading = f"{count:,} {_plural('image', count)} of {true} {verb} {predicted}"
    return gallery(heading, images, count, "the most confident first")


def gallery(heading: str, images: Sequence[Thumbnail], count: int, order: str) -> str:
    """HTML: thumbnails, each a button whose `data-image` is its number; it opens the image in Classify."""
    shown = f"{order}; {len(images)} of them shown" if len(images) < count else order
    body = "".join(_thumbnail(image) for image in images)
    return (
        f"<section class='gl-answer' aria-live='polite'><h4>{escape(heading)}</h4>"
        f"<p class='gl-note'>{escape(shown[:1].upper() + shown[1:])}. Choose one to open it in Classify.</p>"
        f"<ul class='gl-thumbs'>{body}</ul></section>"
    )


def _thumbnail(image: Thumbnail) -> str:
    answers = "".join(
        f"<span class='{'gl-ok' if said == image.true else 'gl-no'}'>{escape(said)} {share:.1%}</span>"
        for said, share in image.answers
    )
    words = " and ".join(f"{said}, {share:.1%}" for said, share in image.answers)
    about = escape(f"{image.true}, called {words}: open in Classify")
    return (
        f"<li><button type='button' data-image='{image.index}' aria-label='{about}'>"
        f"<img src='{data_url(image.image)}' alt=''>"
        f"<b>{escape(image.true)}</b>{answers}</button></li>"
    )


def data_url(image: Image.Image) -> str:
    """The image inside its own address, as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


# --- classes and confidence -------------------------------------------------------------------


def class_bars(result: Evaluation) -> str:
    """HTML: accuracy by class as bars, the weakest first, with the interval that the true value lies in."""
    known = [name for name, share in result.per_class.items() if share is not None]
    rows = "".join(_class_row(name, result) for name in sorted(known, key=lambda name: result.per_class[name]))
    missing = [name for name, share in result.per_class.items() if share is None]
    without = f" Without images here: {', '.join(missing)}." if missing else ""
    return (
        f"<section class='gl-answer'><h4>Accuracy by class</h4><p class='gl-note'>The weakest first. The line is the "
        f"95% interval (Wilson): with so few images, the true value may lie anywhere on it.{escape(without)}</p>"
        f"<ol class='gl-classes'>{rows}</ol></section>"
    )


def _class_row(name: str, result: Evaluation) -> str:
    share, (low, high) = result.per_class[name], result.intervals[name]
    return (
        f"<li><b>{escape(name)}</b><i aria-hidden='true' style='--gl-share: {share:.2%}; --gl-low: {low:.2%}; "
        f"--gl-high: {high:.2%}'><s></s></i><em>{share:.1%} <small>{100 * low:.1f}–{100 * high:.1f}</small></em></li>"
    )


SIDE, EDGE = 300, 44  # of the reliability diagram, in its own pixels
FOOT = 40


def reliability_diagram(before: Sequence[Bin], after: Sequence[Bin] | None, temperature: float, errors: str) -> str:
    """HTML: how often it was right against how sure it was, before and (unless None) after division by `temperature`.

    `errors` says the calibration errors in words.
    """
    lines = [("gl-before", "", "as trained", before)]
    if after is not None:
        lines.append(("gl-after", " stroke-dasharray='6 4'", f"at temperature {temperature:.2f}", after))
    title = f"Accuracy against confidence. {errors}"
    parts = [_axes(), *(_line(bins, kind, dash) for kind, dash, _, bins in lines)]
    keys = "".join(
        f"<li><svg class='gl-key' viewBox='0 0 24 4' aria-hidden='true'><path class='{kind}' d='M0 2H24'{dash}/></svg>"
        f"{escape(word)}</li>"
        for kind, dash, word, _ in lines
    )
    return (
        f"<section class='gl-answer'><figure class='gl-chart gl-reliability'><figcaption><h4>Is it as right as it is "
        f"sure?</h4><ul>{keys}</ul></figcaption><svg role='img' viewBox='0 0 {SIDE + EDGE + 22} {SIDE + FOOT + 8}'>"
        f"<title>{escape(title)}</title>{''.join(parts)}</svg></figure>"
        f"<p class='gl-note'>On the diagonal, of all answers given with 80% confidence 80% are right; below it the "
        f"network is too sure. A dot's size is its share of the images. {escape(errors)}</p></section>"
    )


def _place(confidence: float, accuracy: float) -> tuple[float, float]:
    return EDGE + confidence * SIDE, 8 + (1 - accuracy) * SIDE


def _axes() -> str:
    parts = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        (x, y), end = _place(tick, tick), _place(1, 0)
        parts.append(f"<path class='gl-grid' d='M{EDGE} {y:.0f}H{end[0]:.0f}M{x:.0f} 8V{end[1]:.0f}'/>")
        parts.append(f"<text x='{EDGE - 6}' y='{y + 4:.0f}' text-anchor='end'>{tick:.0%}</text>")
        parts.append(f"<text x='{x:.0f}' y='{end[1] + 16:.0f}' text-anchor='middle'>{tick:.0%}</text>")
    (x0, y0), (x1, y1) = _place(0, 0), _place(1, 1)
    parts.append(f"<path class='gl-diagonal' d='M{x0} {y0}L{x1} {y1}'/>")
    parts.append(f"<text x='{(x0 + x1) / 2:.0f}' y='{y0 + 34}' text-anchor='middle'>confidence</text>")
    parts.append(f"<text x='{x0 + 8}' y='{y1 + 16}'>accuracy</text>")
    return "".join(parts)


def _line(bins: Sequence[Bin], kind: str, dash: str) -> str:
    filled, total = [b for b in bins if b.count], max(1, sum(b.count for b in bins))
    placed = [_place(b.confidence, b.accuracy) for b in filled]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in placed)
    dots = "".join(
        f"<circle class='{kind}' cx='{x:.1f}' cy='{y:.1f}' r='{2.5 + 7 * (b.count / total) ** 0.5:.1f}'><title>"
        f"{b.count:,} {_plural('image', b.count)} from {b.low:.0%} to {b.high:.0%}: "
        f"sure to {b.confidence:.1%}, right in {b.accuracy:.1%}</title></circle>"
        for b, (x, y) in zip(filled, placed, strict=True)
    )
    return f"<path class='gl-curve {kind}' d='{path}'{dash}/>{dots}" if filled else ""
