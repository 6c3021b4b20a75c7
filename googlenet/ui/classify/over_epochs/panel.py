"""Classify: one picture through every checkpoint of a run, as a strip below the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.runs import list_runs
from googlenet.ui.classify.over_epochs import view
from googlenet.ui.classify.shared import Shared, received
from googlenet.ui.common.layout import LIVE, html
from googlenet.ui.events.cores import share_cores
from googlenet.ui.events.long_work import Cancellation, refusable

if TYPE_CHECKING:
    from googlenet.inference.over_epochs import OverEpochs

Progress = Callable[[float, str], None]
TITLE = mark("The picture over the epochs")
PROGRESS = gr.Progress()
KEPT_SECONDS = 3600  # answers of a page that nobody has touched
STRIP = "googlenet.epochsStrip(element, () => trigger('ask'), watch)"
ASKED: dict[str, Any] = {"api_visibility": "private", "preprocess": False, "concurrency_id": "classify",
                         "trigger_mode": "always_last"}  # fmt: skip


def epochs_panel(shared: Shared) -> None:
    """An accordion below the answer; what is in it is computed only while it is open."""
    cancellation = Cancellation()
    with gr.Accordion(tr(TITLE), open=False) as accordion:
        with gr.Row():
            run = gr.Dropdown([], label=tr("Run"), info=tr("whose checkpoints answer"), filterable=False, min_width=160)
            label = gr.Dropdown([], label=tr("Class"), info=tr("whose curve is drawn"), min_width=160)
        strip = html(view.stale(), "gl-epochs-strip", js_on_load=STRIP)
    kept: gr.State = gr.State(None, time_to_live=KEPT_SECONDS)

    def look(wanted: list[Any], upload: Any, network: Any, listen: Progress) -> tuple[Any, ...]:
        runs = runs_with_checkpoints(shared)
        name = next((run for run in wanted if run in runs), None)
        shown = gr.Dropdown(runs, value=name, interactive=bool(runs))
        try:
            if upload is None:
                raise LabError(tr("Choose a picture first."), "image")
            if name is None:
                raise LabError(no_run(network, bool(runs)), "run")
            share_cores(shared.checkpoints)
            from googlenet.inference.over_epochs import over_epochs  # imports torch

            found = over_epochs(shared.checkpoints, name, received(upload), listen)
            if found.last is None:
                raise LabError(next(answer.error for answer in found.answers), "run")
        except LabError as error:
            return view.said(str(error)), shown, gr.Dropdown([], value=None, interactive=False), None
        first = next(iter(found.last.probabilities))
        picked = gr.Dropdown(list(found.classes), value=first, interactive=True)
        return view.strip(found, first), shown, picked, found

    def draw(chosen: Any, found: OverEpochs | None) -> Any:
        if found is None or chosen not in found.classes:
            return gr.skip()
        return view.strip(found, chosen)

    @refusable(4)
    def look_anew(upload: Any, network: Any, run: Any, request: gr.Request, progress: gr.Progress = PROGRESS) -> Any:
        return look([run_of(network), run], upload, network, cancellation.listen(request, progress))

    @refusable(4)
    def follow(upload: Any, network: Any, run: Any, request: gr.Request, progress: gr.Progress = PROGRESS) -> Any:
        return look([run, run_of(network)], upload, network, cancellation.listen(request, progress))

    inputs, outputs = [shared.picture, shared.network, run], [strip, run, label, kept]
    for opened in (accordion.expand, strip.ask):
        opened(look_anew, inputs, outputs, **ASKED, show_progress_on=strip)
    run.input(follow, inputs, outputs, **ASKED, show_progress_on=strip)
    label.input(refusable(1)(draw), [label, kept], strip, **LIVE)
    for event in (*shared.answered, *shared.unanswered):
        event.then(None, None, strip, js="googlenet.staleEpochs")


def runs_with_checkpoints(shared: Shared) -> list[str]:
    """The names of the runs that have weights to ask, the newest first."""
    return [run.name for run in list_runs(shared.checkpoints) if run.weights()]


def run_of(network: Any) -> str | None:
    """The run whose checkpoint `network` names: "my-run" of "my-run/best"; None for a file of no run."""
    return network.partition("/")[0] if isinstance(network, str) and "/" in network else None


def no_run(network: Any, others: bool) -> str:
    """Why there is nothing to follow, and what to do."""
    if network and others:
        return tr("{name} came without the checkpoints of its training: choose a run above.", name=str(network)[:80])
    if network:
        return tr(
            "{name} came without the checkpoints of its training: train a network in Train, and follow your picture "
            "through its epochs here.",
            name=str(network)[:80],
        )
    if others:
        return tr("No network is chosen: choose a run above.")
    return tr("No network is chosen: train a network in Train, and follow your picture through its epochs here.")
