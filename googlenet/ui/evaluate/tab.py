"""The Evaluate tab: judge a run's checkpoints on held-out images, choose one, look into it, report it once."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.runs import find_checkpoint
from googlenet.ui.classify.tab import network_choices
from googlenet.ui.common.access import Access
from googlenet.ui.common.long_work import PRIVATE, Cancellation, Question, refusable
from googlenet.ui.common.refusals import sent
from googlenet.ui.evaluate import events
from googlenet.ui.evaluate.answers import AnswerBook, parse_cell

__all__ = ["evaluate_tab"]

# One evaluation at a time; others wait in line, and the other tabs do not notice.
WORK: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "evaluate"}
PROGRESS = gr.Progress()
KEEP_IN_URL = """(source) => {
  const url = new URL(location);
  if (source) url.searchParams.set('evaluate', source); else url.searchParams.delete('evaluate');
  history.replaceState(null, '', url);
  return source;
}"""
# A row or its button chooses the checkpoint. The mark moves in the browser, so that the button keeps the focus.
CHOOSE_ROW = """element.addEventListener('click', (event) => {
  const row = event.target.closest('[data-checkpoint]');
  if (!row) return;
  element.querySelectorAll('[aria-current]').forEach((other) => other.removeAttribute('aria-current'));
  row.setAttribute('aria-current', 'true');
  trigger('choose', {checkpoint: row.dataset.checkpoint});
});"""
# One cell is in the tab order; arrow keys go to the next filled one in their direction.
CHOOSE_CELL = """element.addEventListener('click', (event) => {
  const cell = event.target.closest('[data-cell]');
  if (!cell) return;
  element.querySelectorAll('[aria-pressed]').forEach((other) => other.removeAttribute('aria-pressed'));
  cell.setAttribute('aria-pressed', 'true');
  trigger('choose', {cell: cell.dataset.cell});
});
const STEPS = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]};
element.addEventListener('keydown', (event) => {
  const from = event.target.closest('table [data-cell]'), step = STEPS[event.key];
  if (!from || !step) return;
  event.preventDefault();
  let [row, column] = from.dataset.cell.split('-').map(Number), to = null;
  while (!to && row >= 0 && column >= 0 && row < 100 && column < 100) {
    row += step[0];
    column += step[1];
    to = element.querySelector(`[data-cell="${row}-${column}"]`);
  }
  if (!to) return;
  from.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
});"""
CHOOSE_IMAGE = """element.addEventListener('click', (event) => {
  const image = event.target.closest('[data-image]');
  if (image) trigger('choose', {image: Number(image.dataset.image)});
});"""


def _html(*classes: str, script: str | None = None, value: str = "") -> gr.HTML:
    return gr.HTML(value, apply_default_css=False, elem_classes=["gl-html", *classes], js_on_load=script)


@dataclass
class _Page:
    """The tab's components; `shown` and `looked` hold what is shown of the run, and (checkpoint, data)."""

    source: gr.Dropdown
    data: gr.Dropdown
    evaluate: gr.Button
    cancel: gr.Button
    steps: gr.Column
    checkpoint: gr.Dropdown
    promote: Question
    promoted: gr.HTML
    report: Question
    reports: gr.HTML
    table: gr.HTML
    details: gr.Column
    headline: gr.HTML
    matrix: gr.HTML
    images: gr.HTML
    classes: gr.HTML
    reliability: gr.HTML
    other: gr.Dropdown
    compared: gr.HTML
    differing: gr.HTML
    shown: gr.State
    looked: gr.State

    @property
    def of_run(self) -> list[Any]:
        """What changes with the run."""
        return [self.shown, self.table, self.steps, self.checkpoint, self.promoted, self.reports]

    @property
    def of_checkpoint(self) -> list[Any]:
        """What changes with the checkpoint looked into."""
        return [self.looked, self.headline, self.matrix, self.images, self.classes, self.reliability, self.other]

    @property
    def of_pair(self) -> list[Any]:
        """What changes with the checkpoint compared with."""
        return [self.compared, self.differing]


def evaluate_tab(
    demo: gr.Blocks, checkpoints: Path, access: Access, tab: gr.Tab, picture: gr.Image, network: gr.Dropdown
) -> None:
    """Fill `tab` of `demo`; `picture` and `network` are those of the Classify tab, where an image can be opened."""
    page, book = _lay_out(access.offered), AnswerBook(checkpoints, access.data)
    cancellation = Cancellation()
    page.cancel.click(cancellation.cancel, None, None, **PRIVATE)
    ready = _wire_run(page, checkpoints, access, cancellation, demo, tab)
    _wire_checkpoint(page, checkpoints, access, book, cancellation, ready)
    _wire_images(page, checkpoints, book, picture, network)


def _lay_out(default_data: str) -> _Page:
    choices = list(dict.fromkeys([events.OWN, default_data, "cifar10", "shapes"]))
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=300, elem_classes="gl-controls"):
            source = gr.Dropdown([], label="Evaluate", info="a run, newest first, or weights of their own")
            data = gr.Dropdown(
                choices,
                value=events.OWN,
                label="Data",
                info="where the images are now; a folder's path will do",
                allow_custom_value=True,
            )
            with gr.Row():
                evaluate = gr.Button("Evaluate checkpoints", variant="primary", min_width=150, elem_classes="gl-tight")
                cancel = gr.Button("Cancel", scale=0, min_width=90, interactive=False)
            with gr.Column(visible=False) as steps:
                checkpoint = gr.Dropdown([], label="Checkpoint", info="the proposed one, or any row of the table")
                promote = Question.lay_out("Promote to best", "Promote")
                promoted = _html("gl-slot")
                report = Question.lay_out("Report on test", "Report, and record it")
                reports = _html()
        with gr.Column(scale=2, min_width=320):
            table = _html(script=CHOOSE_ROW, value=events.NOT_JUDGED)
    with gr.Column(visible=False) as details:
        headline = _html()
        with gr.Row(equal_height=False, elem_classes="gl-looked"):
            with gr.Column(min_width=320):
                matrix = _html(script=CHOOSE_CELL)
                classes = _html("gl-second")
            with gr.Column(min_width=320):
                images = _html("gl-first", script=CHOOSE_IMAGE)
                reliability = _html("gl-second")
        other = gr.Dropdown(
            [], label="Compare with", info="another checkpoint, judged on the same images", elem_classes="gl-network"
        )
        compared = _html()
        differing = _html(script=CHOOSE_IMAGE)
    return _Page(
        source, data, evaluate, cancel, steps, checkpoint, promote, promoted, report, reports, table, details,
        headline, matrix, images, classes, reliability, other, compared, differing, gr.State(None), gr.State(None),
    )  # fmt: skip


def _wire_run(
    page: _Page, checkpoints: Path, access: Access, cancellation: Cancellation, demo: gr.Blocks, tab: gr.Tab
) -> list[Any]:
    """Choosing a run, judging it, and the two steps that follow; returns the events after which to look into it."""

    def opened(request: gr.Request) -> Any:
        return events.source_choices(checkpoints, request.query_params.get("evaluate"))

    @refusable(7)
    def look_up(source: str | None, data: str | None, known: events.Shown | None) -> Any:
        data = access.check_data(events.own(data))
        view = events.stored_view(checkpoints, source, data, known)
        return (gr.skip(),) * 7 if view is None else (*view, gr.Column(visible=False))

    @refusable(6)
    def judge(source: str, data: str, request: gr.Request, progress: gr.Progress = PROGRESS) -> list[Any]:
        data = access.check_data(events.own(data))
        shown = events.judge(checkpoints, source, data, cancellation.listen(request, progress))
        return events.run_view(checkpoints, shown)

    @refusable(6)
    def promote(known: Any, name: str, request: gr.Request, progress: gr.Progress = PROGRESS) -> list[Any]:
        return events.promote(checkpoints, known, name, cancellation.listen(request, progress))

    @refusable(1)
    def report(known: Any, name: str, request: gr.Request, progress: gr.Progress = PROGRESS) -> str:
        return events.report(checkpoints, known, name, cancellation.listen(request, progress))

    found = {"inputs": [page.source, page.data, page.shown], "outputs": [*page.of_run, page.details], **PRIVATE}
    demo.load(opened, None, page.source, **PRIVATE).then(look_up, **found)
    listed = tab.select(functools.partial(events.source_choices, checkpoints), page.source, page.source, **PRIVATE)
    listed.then(look_up, **found)
    gr.on([page.source.input, page.data.input], look_up, **found)
    page.source.change(None, page.source, None, js=KEEP_IN_URL)
    about = [page.shown, page.checkpoint]
    page.promote.ask(events.promotion_question, about)
    page.report.ask(functools.partial(events.report_question, checkpoints), about)
    judged = _busy(page, page.evaluate.click, judge, [page.source, page.data], page.of_run, page.table)
    promoted = _busy(page, page.promote.yes.click, promote, about, page.of_run, page.promoted)
    _busy(page, page.report.yes.click, report, about, [page.reports], page.reports)
    return [judged, promoted]


def _busy(page: _Page, event: Any, work: Any, inputs: list[Any], outputs: list[Any], bar: gr.HTML) -> Any:
    """Do `work` at `event` with its progress on `bar`; meanwhile Cancel is there and another start is not."""

    def buttons(now: bool) -> list[Any]:
        return [gr.Button(interactive=not now), gr.Button(interactive=now)]

    states = [page.evaluate, page.cancel]
    started = event(lambda: buttons(True), None, states, **PRIVATE)
    done = started.then(work, inputs, outputs, show_progress_on=bar, **WORK)
    return done.then(lambda: buttons(False), None, states, **PRIVATE)


def _wire_checkpoint(
    page: _Page, checkpoints: Path, access: Access, book: AnswerBook, cancellation: Cancellation, ready: list[Any]
) -> None:
    """Looking into one checkpoint, and comparing it with another."""

    @refusable(7)
    def look(known: Any, name: str, data: str, request: gr.Request, progress: gr.Progress = PROGRESS) -> list[Any]:
        data = access.check_data(events.own(data))
        answers = events.look(book, name, data, cancellation.listen(request, progress))
        return [(name, data), *answers, events.compared_choices(checkpoints, known, name)]

    def mark(known: Any, name: str) -> Any:
        return events.mark(checkpoints, known, name) if known and known.result else gr.skip()

    @refusable(1)
    def choose(event: gr.EventData) -> Any:
        return find_checkpoint(checkpoints, str(sent(event, "checkpoint"))).name

    @refusable(2)
    def compare(looked: Any, other: str | None, request: gr.Request, progress: gr.Progress = PROGRESS) -> list[Any]:
        if not looked or not other:
            return ["", ""]
        return events.side_by_side(book, looked[0], other, looked[1], cancellation.listen(request, progress))

    @refusable(1)
    def show_cell(looked: Any, event: gr.EventData) -> str:
        answers = book.ask(*_known(looked))
        return events.cell_images(answers, *parse_cell(sent(event, "cell"), len(answers.classes)))

    said = [page.shown, page.checkpoint, page.data]
    chosen = page.table.choose(choose, None, page.checkpoint, **PRIVATE)
    marked = page.checkpoint.input(mark, [page.shown, page.checkpoint], page.table, **PRIVATE)
    for event in (*ready, chosen, marked):
        appeared = event.then(lambda: gr.Column(visible=True), None, page.details, **PRIVATE)
        _busy(page, appeared.then, look, said, page.of_checkpoint, page.headline)
    _busy(page, page.other.input, compare, [page.looked, page.other], page.of_pair, page.compared)
    page.matrix.choose(show_cell, page.looked, page.images, **PRIVATE)


def _known(looked: Any) -> tuple[str, str | None]:
    if not looked:
        raise LabError("Choose a checkpoint first.", "checkpoint")
    return looked[0], events.own(looked[1])


def _wire_images(page: _Page, checkpoints: Path, book: AnswerBook, picture: gr.Image, network: gr.Dropdown) -> None:
    """An image goes to the Classify tab, with the network that was asked about it."""

    @refusable(2)
    def hand_over(looked: Any, event: gr.EventData) -> list[Any]:
        name, data = _known(looked)
        return [book.ask(name, data).image(sent(event, "image")), network_choices(checkpoints, name)]

    for gallery in (page.images, page.differing):
        gallery.choose(hand_over, page.looked, [picture, network], **PRIVATE).success(
            None, js="() => googlenet.openTab('classify')"
        )
