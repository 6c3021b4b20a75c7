"""What Many pictures shows, as HTML from the templates in `templates/classify/many/`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

from googlenet.data.images import image_extensions
from googlenet.errors import LabError, check_whole
from googlenet.language import mark, tr
from googlenet.ui.classify.many.limits import Limits
from googlenet.ui.common import figures
from googlenet.ui.common.pictures import jpeg_uri
from googlenet.ui.common.templates import render

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from googlenet.inference.many import ManyAnswers, Row

PAGE = 50  # rows
THUMBNAIL = 64  # pixels a side
MAX_WORDS = 40  # letters of a sort, a filter and a page as the page sends them

# What a column sorts by; pictures that could not be read come last whichever way.
SORTS: dict[str, Callable[[Row], Any]] = {
    "file": lambda row: row.name.casefold(),
    "answer": lambda row: row.answer,
    "probability": lambda row: row.probability,
    "runner-up": lambda row: row.runner_up_probability,
    "warning": lambda row: row.novelty if row.novelty is not None else 0.0,
    "folder": lambda row: (row.right is None, bool(row.right), row.label or ""),
}
GIVEN = "given"  # the order of the files


class Look(NamedTuple):
    """Which rows of the table are shown: `only` is a key of `FILTERS` or a cell of the confusion matrix, "3-5"."""

    sort: str = GIVEN
    down: bool = False
    only: str = "all"
    page: int = 1

    def __str__(self) -> str:
        return f"{self.sort} {int(self.down)} {self.only} {self.page}"

    @classmethod
    def parse(cls, sent: Any) -> Look:
        """What `str` made; `LabError` for anything else."""
        try:
            sort, down, only, page = str(sent)[:MAX_WORDS].split(" ")
            if sort not in (*SORTS, GIVEN):
                raise ValueError(sort)
            return cls(sort, down == "1", only, check_whole(int(page), "page", 1, 1_000_000))
        except ValueError as error:
            raise LabError(tr("Choose a column, a filter or a page of the table."), "table") from error


FILTERS: dict[str, tuple[str, Callable[[Row], bool]]] = {
    "all": (mark("All"), lambda row: True),
    "warned": (mark("Warnings"), lambda row: bool(row.unlike_training)),
    "wrong": (mark("Wrong"), lambda row: row.right is False),
    "unread": (mark("Not read"), lambda row: bool(row.error)),
}


def picker(limit: Limits, public: bool) -> Markup:
    """Where files, folders and zips are chosen or dropped."""
    return render("classify/many/picker.html", limit=limit, public=public, endings=" ".join(image_extensions()))


def summary(answers: ManyAnswers, network: str) -> Markup:
    """The figures of all answers, and what was left out."""
    read = [row for row in answers.rows if not row.error]
    warned = sum(bool(row.unlike_training) for row in read)
    rate = len(answers.rows) / max(answers.seconds, 1e-9)
    pace = tr("{time}, {rate:,.0f} a second", time=figures.duration(answers.seconds), rate=rate)
    cards = [(tr("Pictures"), figures.count(len(read)), pace)]
    if any(row.unlike_training is not None for row in read):
        cards.append((tr("Warnings"), figures.count(warned), tr("look like nothing it knows")))
    if found := answers.evaluation:
        low, high = found.interval
        labelled = tr(
            "{n:,} in folders named like classes; 95% interval {low:.1f} to {high:.1f}%",
            n=found.n,
            low=100 * low,
            high=100 * high,
        )
        cards.insert(1, (tr("Accuracy"), f"{found.accuracy:.1%}", labelled))
    if len(read) < len(answers.rows):
        cards.append((tr("Not read"), figures.count(len(answers.rows) - len(read)), tr("their rows say why")))
    stopped = ""
    if len(answers.rows) < answers.total:
        done = {"n": len(answers.rows), "total": answers.total}
        stopped = tr("Cancelled after {n:,} of {total:,} pictures: these are their answers.", **done)
    remarks = [*filter(None, [stopped]), *answers.remarks]
    return render("classify/many/summary.html", network=network, figures=cards, remarks=remarks)


def chosen_rows(answers: ManyAnswers, look: Look) -> list[tuple[int, Row]]:
    """The rows that `look` is about on all its pages, in its order, each with its number."""
    keep = FILTERS[look.only][1] if look.only in FILTERS else _in_cell(answers, look.only)
    rows = [(number, row) for number, row in enumerate(answers.rows) if keep(row)]
    if look.sort in SORTS:
        rows.sort(key=lambda item: SORTS[look.sort](item[1]), reverse=look.down)
        rows.sort(key=lambda item: bool(item[1].error))
    return rows


def _in_cell(answers: ManyAnswers, cell: str) -> Callable[[Row], bool]:
    true, said = cell_names(answers.classes, cell)
    return lambda row: (row.label, row.answer) == (true, said)


def cell_names(classes: tuple[str, ...], cell: str) -> tuple[str, str]:
    """The class and the answer of "3-5"; `LabError` for anything else."""
    try:
        true, said = (int(part) for part in cell.split("-"))
    except ValueError as error:
        raise LabError(tr("Choose a cell of the confusion matrix."), "cell") from error
    last = len(classes) - 1
    return classes[check_whole(true, "cell", 0, last)], classes[check_whole(said, "cell", 0, last)]


def table(answers: ManyAnswers, look: Look) -> Markup:
    """One page of the table, with its filters, its sorting and the way to the other pages.

    `data-show` of a button is the `Look` that it leads to, `data-open` of a row its number.
    """
    rows = chosen_rows(answers, look)
    pages = max(1, -(-len(rows) // PAGE))
    look = look._replace(page=min(look.page, pages))
    start = (look.page - 1) * PAGE
    first = look._replace(page=1)
    return render(
        "classify/many/table.html",
        rows=[(number, row, jpeg_uri(row.thumbnail)) for number, row in rows[start : start + PAGE]],
        filters=_filters(answers, first),
        columns=_columns(answers, first),
        labelled=answers.evaluation is not None,
        warns=any(row.unlike_training is not None for row in answers.rows),
        shown=(start + 1 if rows else 0, min(start + PAGE, len(rows)), len(rows)),
        before=look._replace(page=look.page - 1) if look.page > 1 else None,
        after=look._replace(page=look.page + 1) if look.page < pages else None,
        look=look,
    )


def _filters(answers: ManyAnswers, look: Look) -> list[tuple[str, str, Look, bool]]:
    """(key, words, where it leads, whether it is on) of each filter that some row passes."""
    found = []
    for key, (words, keep) in FILTERS.items():
        count = sum(map(keep, answers.rows))
        if count or key == "all":
            found.append((key, f"{tr(words)} {count:,}", look._replace(only=key), look.only == key))
    if look.only not in FILTERS:
        true, said = cell_names(answers.classes, look.only)
        if true == said:
            words = tr("{name}, rightly", name=true)
        else:
            words = tr("{name} predicted as {answer}", name=true, answer=said)
        found.append((look.only, f"{words} {len(chosen_rows(answers, look)):,}", look, True))
    return found


def _columns(answers: ManyAnswers, look: Look) -> list[tuple[str, str, Look, str]]:
    """(key, words, where it leads, aria-sort) of each column."""
    words = {"file": tr("File"), "folder": tr("Folder says"), "answer": tr("Answer"), "probability": tr("Probability"),
             "runner-up": tr("Runner-up"), "warning": tr("Warning")}  # fmt: skip
    if answers.evaluation is None:
        del words["folder"]
    if all(row.unlike_training is None for row in answers.rows):
        del words["warning"]
    columns = []
    for key, heading in words.items():
        now = look.sort == key
        # What one looks for first: the surest answers, the loudest warnings.
        down = not look.down if now else key in ("probability", "runner-up", "warning")
        sorted_by = ("descending" if look.down else "ascending") if now else "none"
        columns.append((key, heading, look._replace(sort=key, down=down), sorted_by))
    return columns
