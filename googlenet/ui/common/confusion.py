"""What a network takes for what, as a matrix whose cells can be chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from googlenet.language import tr
from googlenet.ui.common.templates import render

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from googlenet.inference.evaluate import Evaluation

MAX_GRID = 30  # classes; a larger matrix is shown as its most frequent mistakes


def confusion_matrix(result: Evaluation, *, chosen: bool = True) -> Markup:
    """HTML: a row for each true class, a column for each answer, every filled cell a button.

    The first cell is marked as the one whose images are shown, unless no cell is `chosen` yet.
    `data-cell` of a button is "true-predicted", the class numbers. One button is in the tab order, arrows move on.
    """
    names, mistakes = list(result.per_class), _mistakes(result.confusion)
    frequent = [
        (tr("{true} predicted as {predicted}: {n:,}", true=names[true], predicted=names[p], n=n), true, p)
        for n, true, p in mistakes[:MAX_GRID]
    ]
    return render(
        "common/confusion.html",
        names=names,
        rows=confusion_rows(result) if len(names) <= MAX_GRID else [],
        frequent=frequent,
        first=first_cell(result),
        chosen=chosen,
        scale=[(f"{100 * share:g}%", shade(share)) for share in (0.001, 0.01, 0.1, 0.4, 1)],
    )


def confusion_rows(result: Evaluation) -> list[list[dict[str, Any]]]:
    """The cells of each row: count, shade of its share of the class, and what it is in words."""
    names, rows = list(result.per_class), []
    for true, row in enumerate(result.confusion):
        total = max(1, sum(row))
        rows.append(
            [
                {"count": n, "shade": shade(n / total), "about": _cell(n, names[true], said, 100 * n / total)}
                for n, said in zip(row, names, strict=True)
            ]
        )
    return rows


def _cell(n: int, true: str, predicted: str, percent: float) -> str:
    text = tr("{n:,} of {true} predicted as {predicted}, {percent:.1f}%")
    return text.format(n=n, true=true, predicted=predicted, percent=percent)


def shade(share: float) -> int:
    """How far a cell with this share of its class lies from empty, in per cent of the way to full.

    The cube root: mistakes run from one in a thousand to most of a class, and neither end may look alike.
    """
    return round(100 * share ** (1 / 3))


def first_cell(result: Evaluation) -> tuple[int, int]:
    """The most frequent mistake, (true, predicted); else the first right answers there are."""
    right = ((n, true, true) for true, n in enumerate(row[true] for true, row in enumerate(result.confusion)) if n)
    return next(((true, said) for _, true, said in [*_mistakes(result.confusion), *right]), (0, 0))


def _mistakes(confusion: list[list[int]]) -> list[tuple[int, int, int]]:
    """(count, true, predicted) of every kind of mistake that was made, the most frequent first."""
    cells = ((n, true, said) for true, row in enumerate(confusion) for said, n in enumerate(row))
    return sorted(((n, true, said) for n, true, said in cells if n and true != said), reverse=True)
