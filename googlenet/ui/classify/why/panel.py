"""Classify: why this class and not another, by three methods, with what each can be trusted for."""

from __future__ import annotations

from typing import Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.runs import find_checkpoint
from googlenet.ui.classify.shared import LIKELIEST, NOBODY, Shared, classifier, received
from googlenet.ui.classify.why.view import NAMES, explanation_html
from googlenet.ui.common.figures import message
from googlenet.ui.common.layout import html
from googlenet.ui.events.access import hide_paths
from googlenet.ui.events.long_work import PRIVATE, Cancellation, finally_, refusable

DEFAULT = "occlusion"
UNEXPLAINED = mark("This answer is not explained yet: press Explain the answer again in a few seconds.")
WORK: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "explain", "preprocess": False}
PROGRESS = gr.Progress()


class _Page:
    """The panel's components."""

    def __init__(self) -> None:
        with gr.Accordion(tr("Why this class, and not another?"), open=True):
            with gr.Row():
                fitted: dict[str, Any] = {"min_width": 180, "elem_classes": "gl-chooser"}  # "the likeliest" fits in
                self.target = gr.Dropdown(_choices(LIKELIEST), value=LIKELIEST, label=tr("Why"), **fitted)
                self.against = gr.Dropdown(_choices(NOBODY), value=NOBODY, label=tr("and not"), **fitted)
                methods = [(tr(words), name) for name, words in NAMES.items()]
                self.method = gr.Radio(methods, value=DEFAULT, label=tr("Method"), min_width=260, scale=2)
            with gr.Row():
                self.explain = gr.Button(tr("Explain the answer"), min_width=150, size="sm", interactive=False)
                self.cancel = gr.Button(tr("Cancel"), scale=0, min_width=90, size="sm", interactive=False)
            self.answer = html("")


def _choices(unnamed: str, classes: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """What a dropdown of classes offers, beginning with no class in particular."""
    return [(tr(unnamed), unnamed), *((name, name) for name in classes)]


def why_panel(shared: Shared) -> None:
    """Lay out the panel and wire it."""
    page, cancellation = _Page(), Cancellation()
    page.cancel.click(cancellation.cancel, None, None, **PRIVATE)

    def renew(name: str | None, target: Any, against: Any) -> list[Any]:
        # An explanation is of one picture and one network: with another it is gone. The classes are those of the
        # address, unprocessed: what a link asks for is no choice until the network is known.
        try:
            classes = find_checkpoint(shared.checkpoints, name or "").info.classes
        except LabError:
            return [gr.skip(), gr.skip(), "", gr.Button(interactive=False)]
        return [
            gr.Dropdown(_choices(LIKELIEST, classes), value=target if target in classes else LIKELIEST),
            gr.Dropdown(_choices(NOBODY, classes), value=against if against in classes else NOBODY),
            "",
            gr.Button(interactive=True),
        ]

    @refusable(1, cancelled=mark("Cancelled: nothing was explained."))
    def explain_picture(
        upload: Any,
        name: str | None,
        target: str,
        against: str,
        method: str,
        request: gr.Request,
        progress: gr.Progress = PROGRESS,
    ) -> Any:
        if upload is None:
            return message(tr("There is no picture yet: choose one on the left."))
        from googlenet.inference.explain import explain  # imports torch

        try:
            checkpoint = find_checkpoint(shared.checkpoints, name or "")
            network = classifier(shared.checkpoints, checkpoint.path)
            wanted = None if target == LIKELIEST else target
            other = None if against == NOBODY else against
            listen = cancellation.listen(request, progress)
            found = explain(network, received(upload), wanted, other, method, progress=listen)
        except LabError as error:
            return message(hide_paths(str(error)))
        return explanation_html(found, network.info.resize)

    def buttons(now: bool) -> list[Any]:
        return [gr.Button(interactive=not now), gr.Button(interactive=now)]

    asked = [shared.picture, shared.network, page.target, page.against, page.method]
    states = [page.explain, page.cancel]
    renewed, raw = [page.target, page.against, page.answer, page.explain], {**PRIVATE, "preprocess": False}
    for event in (*shared.answered, *shared.unanswered):
        event.then(renew, asked[1:4], renewed, js="googlenet.askedWhy", **raw)
    chosen = [page.target.input, page.against.input, page.method.input, page.explain.click]
    gr.on(chosen, None, asked[2:], None, js="googlenet.keepWhy")
    shared.demo.load(None, page.method, page.method, js="googlenet.openWhy")
    started = page.explain.click(cancellation.at_start(lambda: buttons(True)), None, states, **PRIVATE)
    done = started.then(explain_picture, asked, page.answer, show_progress_on=page.answer, **WORK)
    finally_(done, lambda: buttons(False), None, states, **PRIVATE)
    done.failure(lambda: message(tr(UNEXPLAINED)), None, page.answer, **PRIVATE)
