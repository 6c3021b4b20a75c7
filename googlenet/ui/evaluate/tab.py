"""The Evaluate tab: judge a run's checkpoints on held-out images, choose one, look into it, report it once."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.runs import find_checkpoint
from googlenet.ui.classify.tab import network_choices
from googlenet.ui.common.figures import message
from googlenet.ui.evaluate import checkpoint_events, run_events
from googlenet.ui.evaluate.answers import AnswerBook
from googlenet.ui.events.access import Access, hide_paths
from googlenet.ui.events.long_work import PRIVATE, Cancellation, Question, finally_, refusable
from googlenet.ui.events.refusals import sent
from googlenet.ui.events.rights import check_own, needs, only_watched

__all__ = ["evaluate_tab"]

OWN = mark("the run's own")  # the data that a run learned from
# One evaluation at a time; others wait in line, and the other tabs do not notice.
WORK: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "evaluate"}
PROGRESS = gr.Progress()


def _html(*classes: str, choose: str = "", value: str = "") -> gr.HTML:
    """A part of the page whose elements can be chosen when they have a data-`choose`: `evaluate.js`."""
    script = f"googlenet.onPressed(element, '{choose}', (data) => trigger('choose', data))" if choose else None
    return gr.HTML(value, apply_default_css=False, elem_classes=["gl-html", *classes], js_on_load=script)


class _Page:
    """The tab's components, and what its Cancel ends; `shown` and `looked` hold what is shown of the run, and
    (checkpoint, data)."""

    def __init__(self, access: Access) -> None:
        self.cancellation = Cancellation()
        with gr.Row(equal_height=False):
            with gr.Column(scale=1, min_width=300, elem_classes="gl-controls"):
                self._lay_out_controls(list(dict.fromkeys([access.offered, "cifar10", "shapes"])), access)
            with gr.Column(scale=2, min_width=320):
                self.table = _html(choose="checkpoint", value=run_events.not_judged())
        with gr.Column(visible=False) as self.details:
            self._lay_out_details()
        self.shown, self.looked = gr.State(None), gr.State(None)
        # What changes with the run, the checkpoint that is looked into, and the one it is compared with.
        self.of_run = [self.shown, self.said, self.table, self.steps, self.checkpoint, self.reports]
        self.of_pair = [self.compared, self.differing]
        self.of_checkpoint = [self.looked, self.headline, self.matrix, self.images, self.classes, self.reliability,
                              self.other, *self.of_pair]  # fmt: skip

    def _lay_out_controls(self, data: list[str], access: Access) -> None:
        self.source = gr.Dropdown(
            [], label=tr("Evaluate"), info=tr("a run, newest first, or weights that belong to no run")
        )
        self.data = gr.Dropdown(
            [(tr(OWN), OWN), *((name, name) for name in data)],
            value=OWN,
            label=tr("Data"),
            info=tr("where the images are now"),
            allow_custom_value=True,
        )
        with gr.Row():
            label = tr("Evaluate checkpoints")
            self.evaluate = gr.Button(label, variant="primary", min_width=150, elem_classes="gl-tight")
            self.cancel = gr.Button(tr("Cancel"), scale=0, min_width=90, interactive=False)
        self.said = _html("gl-slot")
        with gr.Column(visible=False) as self.steps:
            self.checkpoint = gr.Dropdown(
                [],
                label=tr("Checkpoint"),
                info=tr("the proposed one, or any row of the table"),
                allow_custom_value=True,  # the page may still hold one of the run before: each event checks it
            )
            with gr.Column(visible=not access.read_only):
                self.promote = Question.lay_out(tr("Promote to best"), tr("Promote"))
                self.report = Question.lay_out(tr("Report on test"), tr("Report, and record it"))
            if access.read_only:
                sentence = only_watched(mark("promotes and reports nothing"))
                _html(value=f"<p class='gl-note'>{sentence}</p>")
            self.reports = _html()

    def _lay_out_details(self) -> None:
        self.headline = _html()
        with gr.Row(equal_height=False, elem_classes="gl-looked"):
            with gr.Column(min_width=320):
                self.matrix = _html(choose="cell")
                self.classes = _html("gl-second")
            with gr.Column(min_width=320):
                self.images = _html("gl-first", choose="image")
                self.reliability = _html("gl-second")
        self.other = gr.Dropdown(
            [],
            label=tr("Compare with"),
            info=tr("another checkpoint, judged on the same images"),
            elem_classes="gl-network",
        )
        self.compared = _html("gl-pair")
        self.differing = _html("gl-pair", choose="image")


def evaluate_tab(
    demo: gr.Blocks, checkpoints: Path, access: Access, tab: gr.Tab, picture: gr.Image, network: gr.Dropdown
) -> None:
    """Fill `tab` of `demo`; `picture` and `network` are those of the Classify tab, where an image can be opened."""
    page, book = _Page(access), AnswerBook(checkpoints, access.data)
    page.cancel.click(page.cancellation.cancel, None, None, **PRIVATE)
    ready = _wire_run(page, checkpoints, access, demo, tab)
    _wire_checkpoint(page, access, book, ready)
    _wire_images(page, book, picture, network)


def _named(access: Access, data: str | None) -> str | None:
    """The data that was asked for, None for the run's own."""
    return None if not data or data in (OWN, tr(OWN)) else access.check_data(str(data))


def _wire_run(page: _Page, checkpoints: Path, access: Access, demo: gr.Blocks, tab: gr.Tab) -> list[Any]:
    """Choosing a run, judging it, and the two steps that follow; returns the events after which to look into it."""

    def opened(source: str | None, request: gr.Request) -> Any:
        # While the page comes up no run is chosen yet, and the tab may be opened before: the address says which one.
        return run_events.source_choices(checkpoints, source or request.query_params.get("evaluate"))

    @refusable(7, place=1)
    def look_up(source: str | None, data: str | None, known: run_events.Shown | None) -> Any:
        found = run_events.stored_parts(checkpoints, source, _named(access, data), known)
        return (gr.skip(),) * 7 if found is None else (*found, gr.Column(visible=False))

    @refusable(6, place=1)
    def judge(source: str, data: str, request: gr.Request, progress: gr.Progress = PROGRESS) -> list[Any]:
        listen = page.cancellation.listen(request, progress)
        return run_events.parts(
            checkpoints, run_events.judge_and_show(checkpoints, source, _named(access, data), listen)
        )

    @refusable(6, place=1, cancelled=mark("Cancelled: nothing was changed, best is what it was."))
    @needs(access, "promote")
    def promote(asked: Any, source: str, request: gr.Request, progress: gr.Progress = PROGRESS) -> list[Any]:
        known, name = _asked_about(asked)
        check_own(access, checkpoints, known.source or "")
        return run_events.promote_and_show(
            checkpoints, known, name, source, page.cancellation.listen(request, progress)
        )

    @refusable(1, cancelled=mark("Cancelled: nothing was reported."))
    @needs(access, "report")
    def report(asked: Any, source: str, request: gr.Request, progress: gr.Progress = PROGRESS) -> str:
        known, name = _asked_about(asked)
        check_own(access, checkpoints, known.source or "")
        return run_events.report(checkpoints, known, name, source, page.cancellation.listen(request, progress))

    found = {"inputs": [page.source, page.data, page.shown], "outputs": [*page.of_run, page.details], **PRIVATE}
    for event in (demo.load, tab.select):
        event(opened, page.source, page.source, **PRIVATE).then(look_up, **found)
    gr.on([page.source.input, page.data.input], look_up, **found)
    page.source.change(None, page.source, None, js="googlenet.keepEvaluated")
    promoted = _confirmed(page, page.promote, needs(access, "promote")(run_events.promotion_question))
    asked_once = functools.partial(run_events.report_question, checkpoints)
    reported = _confirmed(page, page.report, needs(access, "report")(asked_once))
    _busy(page, page.report.yes.click, report, [reported, page.source], [page.reports], page.reports)
    return [
        _busy(page, page.evaluate.click, judge, [page.source, page.data], page.of_run, page.table),
        _busy(page, page.promote.yes.click, promote, [promoted, page.source], page.of_run, page.table),
    ]


def _confirmed(page: _Page, question: Question, words: Any) -> gr.State:
    """Ask before a step. What was asked about is kept: it is done, and not what was chosen since."""
    asked = gr.State(None)
    question.ask(words, [page.shown, page.checkpoint, page.source], asked)

    # Not .change: Gradio reports one of a dropdown whenever any event of the page ends, this one's own as well.
    others = (page.source.input, page.checkpoint.input, page.data.input, page.table.choose, page.evaluate.click)
    for chosen in others:
        chosen(lambda: gr.Column(visible=False), None, question.box, **PRIVATE)
    return asked


def _asked_about(asked: Any) -> tuple[run_events.Shown, str]:
    """The run and the checkpoint of a question; `LabError` for an answer that no question came before."""
    if not asked or not asked[0]:
        raise LabError(tr("Nothing was asked yet: press Promote to best or Report on test first."), "checkpoint")
    return asked[0], asked[1]


def _busy(page: _Page, event: Any, work: Any, inputs: list[Any], outputs: list[Any], bar: gr.HTML) -> Any:
    """Do `work` at `event` with its progress on `bar`; meanwhile Cancel is there and another start is not."""

    def buttons(now: bool) -> list[Any]:
        return [gr.Button(interactive=not now), gr.Button(interactive=now)]

    states = [page.evaluate, page.cancel]
    started = event(page.cancellation.at_start(lambda: buttons(True)), None, states, **PRIVATE)
    done = started.then(work, inputs, outputs, show_progress_on=bar, **WORK)
    return finally_(done, lambda: buttons(False), None, states, **PRIVATE)


def _wire_checkpoint(page: _Page, access: Access, book: AnswerBook, ready: list[Any]) -> None:
    """Looking into one checkpoint, and comparing it with another."""

    @refusable(9)
    def look(
        known: run_events.Shown | None,
        name: str | None,
        data: str,
        request: gr.Request,
        progress: gr.Progress = PROGRESS,
    ) -> list[Any]:
        if not known or not name or not known.opens(name):
            return [gr.skip()] * 9
        try:
            where = _named(access, data)
            answers = checkpoint_events.look(book, name, where, page.cancellation.listen(request, progress))
        except LabError as error:
            return [None, message(hide_paths(str(error))), *[""] * 4, gr.Dropdown(visible=False), "", ""]
        return [(name, where), *answers, checkpoint_events.compared_choices(book, known, name, where), "", ""]

    def appear(known: run_events.Shown | None, name: str | None) -> Any:
        return gr.Column(visible=known is not None and known.opens(name))

    @refusable(1)
    def mark(known: run_events.Shown | None, name: str, source: str) -> Any:
        if not known or not known.result:
            return gr.skip()
        return run_events.table(book.checkpoints, known, known.row(source, name)[1])

    @refusable(1)
    def choose(event: gr.EventData) -> Any:
        return find_checkpoint(book.checkpoints, str(sent(event, "checkpoint"))).name

    @refusable(2, place=0)
    def compare(looked: Any, other: str | None, request: gr.Request, progress: gr.Progress = PROGRESS) -> list[Any]:
        if not looked or not other:
            return ["", ""]
        name, data = looked
        return checkpoint_events.side_by_side(book, name, other, data, page.cancellation.listen(request, progress))

    @refusable(1)
    def show_cell(looked: Any, event: gr.EventData) -> str:
        answers = book.ask(*_known(looked))
        cell = checkpoint_events.parse_cell(sent(event, "cell"), len(answers.classes))
        return checkpoint_events.cell_images(answers, *cell)

    about = [page.shown, page.checkpoint, page.data]
    chosen = page.table.choose(choose, None, page.checkpoint, **PRIVATE)
    marked = page.checkpoint.input(mark, [page.shown, page.checkpoint, page.source], page.table, **PRIVATE)
    for event in (*ready, chosen, marked):
        appeared = event.then(appear, [page.shown, page.checkpoint], page.details, **PRIVATE)
        _busy(page, appeared.then, look, about, page.of_checkpoint, page.headline)
    _busy(page, page.other.input, compare, [page.looked, page.other], page.of_pair, page.compared)
    page.matrix.choose(show_cell, page.looked, page.images, **PRIVATE)


def _known(looked: Any) -> tuple[str, str | None]:
    if not looked:
        raise LabError(tr("Choose a checkpoint first."), "checkpoint")
    return looked


def _wire_images(page: _Page, book: AnswerBook, picture: gr.Image, network: gr.Dropdown) -> None:
    """An image goes to the Classify tab, with the network that was asked about it."""

    @refusable(2)
    def hand_over(looked: Any, event: gr.EventData) -> list[Any]:
        name, data = _known(looked)
        return [book.ask(name, data).image(sent(event, "image")), network_choices(book.checkpoints, name)]

    for gallery in (page.images, page.differing):
        gallery.choose(hand_over, page.looked, [picture, network], **PRIVATE).success(
            None, js="() => googlenet.openTab('classify')"
        )
