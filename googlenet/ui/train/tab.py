"""The Train tab: a form that starts a run, and a view that reads it from disk, for every browser the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.runs import Run
from googlenet.training import launcher
from googlenet.training.queue.runner import Begun, start_or_queue
from googlenet.ui.build.network.panel import NetworkPanel
from googlenet.ui.common.figures import message
from googlenet.ui.common.layout import html
from googlenet.ui.events import rights
from googlenet.ui.events.access import Access, hide_paths
from googlenet.ui.events.long_work import PRIVATE, Question, refusable
from googlenet.ui.train.all_runs import AllRuns
from googlenet.ui.train.compare.lines import MOST
from googlenet.ui.train.curves import curves_html
from googlenet.ui.train.form import Form
from googlenet.ui.train.from_build import send_to_training
from googlenet.ui.train.launch.panel import LaunchPanel
from googlenet.ui.train.launch.planned import planned
from googlenet.ui.train.queue.panel import QueuePanel
from googlenet.ui.train.queue.sweep import SweepPanel, measured
from googlenet.ui.train.steer import SteerRun
from googlenet.ui.train.view import status_html


def start_run(
    checkpoints: Path, network: Any, run: str | None = "", aux_heads: bool | None = False, **changes: Any
) -> Run:
    """Start a training in a process of its own from what a form or a client says; raises `LabError`.

    `network` is a preset's name, or one of the Build tab's as JSON or as the text of its link.
    """
    return launcher.start(planned(network, run, aux_heads, **changes), checkpoints)


def begun_words(begun: Begun) -> str:
    """What became of a start that had to wait, in a sentence; empty where the run has begun."""
    if begun.entry is None:
        return ""
    return tr(
        "{run} is number {place} in the queue, and begins by itself when its device is free.",
        run=begun.entry.name,
        place=begun.position,
    )


def stop_run(checkpoints: Path, name: str) -> list[Any]:
    """Have the run's trainer stop; the status as it will be, since a step may take seconds, and no Stop any more."""
    launcher.stop(name, checkpoints)
    run = Run(checkpoints, name)
    status = run.status()
    if not status.active:
        return [gr.skip(), gr.skip()]
    status = dataclasses.replace(status, state="stopping", message=tr("Saving after this step."), seconds_left=None)
    return [hide_paths(status_html(run, status, run.metrics())), gr.update(interactive=False)]


def resume_run(checkpoints: Path, name: str, *, anyway: bool = False) -> str:
    """Resume the run; a sentence to ask about first where its images or settings are not those it was saved with."""
    try:
        launcher.resume(name, checkpoints, anyway=anyway)
    except LabError as error:
        if error.field != "anyway":
            raise
        return str(error)
    return ""


def training_tab(
    demo: gr.Blocks, tab: gr.Tab, timer: gr.Timer, now: gr.HTML, built: NetworkPanel, checkpoints: Path, access: Access
) -> None:
    """Build `tab`. Whenever `timer` ticks, it and the header's `now` show what is new on the disk (ui/watch.py).

    The network of `built`, the Build tab's, can be sent into the form.
    """
    if access.read_only:
        words = tr(
            "This page is for watching, building, evaluating and classifying: it starts and changes no training."
        )
        html(f"<p class='gl-note'>{words}</p>")
    elif access.each_their_own:
        words = tr(
            "You have up to {n} runs of your own here, known by a cookie of this browser. Everyone sees every run, and "
            "stops and changes only their own.",
            n=access.most_runs,
        )
        html(f"<p class='gl-note'>{words}</p>")
    with gr.Row():
        with gr.Column(scale=1, min_width=320, elem_id="training-form", visible=not access.read_only):
            form = Form(access)
            plan = LaunchPanel(form, checkpoints, access)
            sweep = SweepPanel(form, checkpoints, access)
            with gr.Column(elem_classes="gl-actions"):
                plan.lay_out_in_sight()
                refused = gr.HTML(elem_classes=["gl-html", "gl-slot"])
                with gr.Row():
                    start = gr.Button(tr("Start"), variant="primary", min_width=90, scale=2)
                    stop = gr.Button(tr("Stop"), min_width=90, interactive=False)
                    resume = gr.Button(tr("Resume"), min_width=90, interactive=False)
                question = Question.lay_out(resume, tr("Resume anyway"))
        with gr.Column(scale=2, min_width=320, elem_id="shown-run"):
            queue = QueuePanel(checkpoints, access)
            with gr.Row():
                chosen = gr.Dropdown([], label=tr("Run"), info=tr("newest first"), elem_id="run", min_width=240)
                compared = gr.Dropdown(
                    [],
                    label=tr("Compare with"),
                    info=tr("up to {n} other runs", n=MOST),
                    multiselect=True,
                    max_choices=MOST,
                    min_width=240,
                )
            status = gr.HTML(tr("Looking for runs …"), elem_classes="gl-html")
            again = gr.Button(
                tr("Start again with these settings"), size="sm", elem_id="start-again", visible=not access.read_only
            )
            steer = SteerRun(checkpoints, access)
            html(curves_html(), js_on_load="googlenet.charts(element)")
            with gr.Accordion(tr("Log"), open=False):
                log = gr.Textbox(
                    label=tr("Log"), show_label=False, lines=8, max_lines=12, elem_classes="gl-log", container=False
                )
            with gr.Accordion(tr("Files"), open=False):
                files = gr.HTML(elem_classes="gl-html")
            all_runs = AllRuns(checkpoints, access)
    shown = gr.Textbox(visible=False)  # the run on view: the server does not know the choices of `chosen`
    watched = [shown, compared]
    view = [shown, chosen, compared, now, status, log, files, stop, resume, queue.list, start]  # as in watch.js

    def start_it(filled: dict[str, Any], *answers: Any) -> Begun:
        rights.check(access, "start")
        *answered, trial = answers
        config = planned(**form.settings(filled, *answered))
        seconds = measured(config, trial)

        def start(owner: str) -> Begun:
            return start_or_queue(config, checkpoints, by="page", owner=owner, seconds=seconds)

        return rights.start_own(access, checkpoints, start)

    def begin(filled: dict[str, Any], *answers: Any) -> list[Any]:
        try:
            begun = start_it(filled, *answers)
        except LabError as error:
            return [gr.skip(), "", *form.mark(error)]
        words = begun_words(begun)
        said = message(hide_paths(words), "done") if words else ""
        return [begun.run.name if begun.run else gr.skip(), said, *form.mark(None)]

    vars(begin)["right"] = "start"

    @refusable(2)
    @rights.needs(access, "stop")
    def stop_it(name: str) -> list[Any]:
        rights.check_own(access, checkpoints, name)
        return stop_run(checkpoints, name)

    @rights.needs(access, "resume")
    def resume_it(name: str, *, anyway: bool = False) -> str:
        rights.check_own(access, checkpoints, name)
        return resume_run(checkpoints, name, anyway=anyway)

    @refusable(1)
    @rights.needs(access, "resume")
    def resume_anyway(name: str) -> str:
        return resume_it(name, anyway=True)

    fields = list(form.fields.values())
    started = start.click(
        begin,
        [form.filled, *fields, plan.trial],
        [shown, plan.said, *form.marked(refused)],
        api_visibility="private",
        show_progress="minimal",
    )
    stopped = stop.click(stop_it, shown, [status, stop], **PRIVATE)
    resumed = question.ask(resume_it, [shown])
    anyway = question.yes.click(resume_anyway, shown, question.words, **PRIVATE)
    for acted in (started, stopped, resumed, anyway):
        acted.then(None, watched, view, js="googlenet.watchNow")
    all_runs.wire(shown, watched, view)
    steer.wire(shown, watched, view)
    queue.wire(watched, view)
    sweep.wire(plan.trial, [form.filled, *fields], watched, view)
    started.then(None, refused, None, js="googlenet.showRun")
    plan.wire(tab, form.wire(send_to_training(built, form.fields["network"])), again, shown)
    chosen.input(None, [chosen, compared], view, js="googlenet.watchNow")
    gr.on([compared.input, tab.select, demo.load], None, watched, view, js="googlenet.watchNow")
    timer.tick(None, watched, view, js="googlenet.watch")
