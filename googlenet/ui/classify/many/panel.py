"""Classify, Many pictures: several files, a folder or a zip in; a table of answers out, and how right they are."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from googlenet.errors import LabError, check_whole
from googlenet.language import mark, tr
from googlenet.runs import find_checkpoint
from googlenet.ui.classify import view as one_view
from googlenet.ui.classify.many import view
from googlenet.ui.classify.many.limits import limits
from googlenet.ui.classify.many.work import Asked, Received, answer_all, picture_of, receive
from googlenet.ui.classify.shared import Shared
from googlenet.ui.common import confusion
from googlenet.ui.common.figures import message, time_left
from googlenet.ui.common.layout import LIVE, html, refusal_slot
from googlenet.ui.events.long_work import PRIVATE, Cancellation, Cancelled, finally_, refusable
from googlenet.ui.events.refusals import sent

WORK: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "many"}
CELL = "googlenet.onPressed(element, 'cell', (data) => trigger('choose', data))"
PICKER = "googlenet.pickPictures(element, (files) => trigger('sent', files))"
TABLE = "googlenet.manyPressed(element, (look) => trigger('choose', look), (row) => trigger('open', row), watch)"
PROGRESS = gr.Progress()
KEPT_SECONDS = 3600  # answers of a page that nobody has touched


class _Page:
    """The view's components; `received` and `asked` hold what was sent, and what came of it."""

    def __init__(self, shared: Shared, controls: gr.Column, answers: gr.Column) -> None:
        public = shared.access.public
        with controls:
            self.picker = html(view.picker(limits(public), public), js_on_load=PICKER)
            self.said = refusal_slot()
            with gr.Row():
                self.start = gr.Button(tr("Answer all"), variant="primary", min_width=120, interactive=False)
                self.cancel = gr.Button(tr("Cancel"), scale=0, min_width=90, interactive=False)
        with answers:
            hint = tr(
                "Choose several pictures, a folder or a zip on the left, then press Answer all. "
                "Folders that are named like classes give accuracy and a confusion matrix."
            )
            self.summary = html(one_view.empty(tr("What is in all of these?"), hint))
            self.matrix = html("", "gl-many-matrix", js_on_load=CELL)
            self.table = html("", js_on_load=TABLE)
            self.save = gr.Button(tr("Download the table (CSV)"), visible=False, size="sm")
            self.file = gr.Textbox("", visible="hidden")
        self.received: gr.State = gr.State(None, time_to_live=KEPT_SECONDS)
        self.asked: gr.State = gr.State(None, time_to_live=KEPT_SECONDS)


def many_panel(shared: Shared, controls: gr.Column, answers: gr.Column) -> None:
    """Lay out the view and wire it."""
    page, cancellation = _Page(shared, controls, answers), Cancellation()
    _wire_start(page, shared, cancellation)
    _wire_table(page, shared)


def _wire_start(page: _Page, shared: Shared, cancellation: Cancellation) -> None:
    """What was sent is looked at, then answered; Cancel keeps what is done."""
    limit = limits(shared.access.public)

    @refusable(3, place=1)
    def take(event: gr.EventData) -> list[Any]:
        got = receive(sent(event, "files"), sent(event, "foreign"), limit)
        return [got, message(got.sentence, "done"), gr.Button(interactive=True)]

    @refusable(6, place=1, cancelled=mark("Cancelled: nothing was answered."))
    def run(got: Received | None, network: str | None, request: gr.Request, progress: gr.Progress = PROGRESS) -> Any:
        told = _Told(cancellation.listen(request, progress))
        asked = answer_all(shared.checkpoints, got, network or "", limit, told, lambda: told.cancelled)
        return [asked, "", *_shown(asked), gr.Button(visible=True)]

    def buttons(working: bool) -> list[Any]:
        return [gr.Button(interactive=not working), gr.Button(interactive=working)]

    page.picker.sent(take, None, [page.received, page.said, page.start], **PRIVATE)
    page.cancel.click(cancellation.cancel, None, None, **PRIVATE)
    shared.demo.unload(cancellation.cancel)  # nobody waits any more
    states = [page.start, page.cancel]
    started = page.start.click(cancellation.at_start(functools.partial(buttons, True)), None, states, **PRIVATE)
    done = started.then(
        run,
        [page.received, shared.network],
        [page.asked, page.said, page.summary, page.matrix, page.table, page.save],
        show_progress_on=page.summary,
        **WORK,
    )
    finally_(done, functools.partial(buttons, False), None, states, **PRIVATE)


class _Told:
    """Progress with the time left; remembers that Cancel was pressed instead of ending the work by an exception."""

    def __init__(self, listen: Callable[[float, str], None]) -> None:
        self.listen, self.cancelled, self.started = listen, False, time.monotonic()

    def __call__(self, share: float, text: str) -> None:
        spent = time.monotonic() - self.started
        if share and spent > 1:
            left = time_left(spent * (1 - share) / share)
            text = tr("{text}, about {time} left", text=text, time=left)
        try:
            self.listen(share, text)
        except Cancelled:
            self.cancelled = True


def _shown(asked: Asked) -> list[str]:
    """HTML of figures, confusion matrix and the first page of the table."""
    found = asked.answers.evaluation
    return [
        view.summary(asked.answers, asked.network),
        confusion.confusion_matrix(found, chosen=False) if found else "",
        view.table(asked.answers, view.Look()),
    ]


def _wire_table(page: _Page, shared: Shared) -> None:
    """Sorting, filters, pages and cells; a row opens in One picture; the table as a file."""

    @refusable(1)
    def show(asked: Asked | None, event: gr.EventData) -> Any:
        return view.table(_known(asked).answers, view.Look.parse(sent(event, "show")))

    @refusable(1)
    def show_cell(asked: Asked | None, event: gr.EventData) -> Any:
        answers = _known(asked).answers
        view.cell_names(answers.classes, str(sent(event, "cell")))
        return view.table(answers, view.Look(only=str(sent(event, "cell"))))

    @refusable(3)
    def open_one(asked: Asked | None, event: gr.EventData) -> list[Any]:
        known = _known(asked)
        number = check_whole(sent(event, "row"), "row", 0, len(known.answers.rows) - 1)
        opened = picture_of(known, number, Path(shared.picture.GRADIO_CACHE))
        return [str(opened), find_checkpoint(shared.checkpoints, known.network).name, "one"]

    @refusable(1)
    def as_file(asked: Asked | None) -> str:
        return json.dumps({"name": "pictures.csv", "text": _known(asked).answers.to_csv()})

    page.table.choose(show, page.asked, page.table, **LIVE)
    page.matrix.choose(show_cell, page.asked, page.table, **LIVE)
    page.table.open(open_one, page.asked, [shared.picture, shared.network, shared.view], **PRIVATE)
    page.save.click(as_file, page.asked, page.file, **PRIVATE).then(None, page.file, None, js="googlenet.saveFile")


def _known(asked: Asked | None) -> Asked:
    if asked is None:
        raise LabError(tr("Nothing is answered yet: choose pictures and press Answer all."), "files")
    return asked
