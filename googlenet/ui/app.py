"""The whole page: a header, and a tab for each job."""

from __future__ import annotations

import functools
from pathlib import Path

import gradio as gr

from googlenet.data.datasets import NAMES
from googlenet.language import tr
from googlenet.ui import api
from googlenet.ui.build.tab import build_tab
from googlenet.ui.classify.tab import classify_tab
from googlenet.ui.common.header import header_html, languages_html, now_html
from googlenet.ui.evaluate.tab import evaluate_tab
from googlenet.ui.events.access import Access, hide_path
from googlenet.ui.events.gradio_private import Page, poll_less
from googlenet.ui.train.tab import training_tab

TABS = ("build", "train", "evaluate", "classify")
MOST_WAITING = 64  # questions, of all visitors; whoever comes then is told to ask again


class LabPage(Page):
    """The whole page; `endpoints` are those that programs may call."""

    endpoints: api.Endpoints


def build_app(
    checkpoints: Path, data: str, *, public: bool = False, read_only: bool = False, most_runs: int | None = None
) -> LabPage:
    """The page for the runs and weights under `checkpoints`, with `data` as the data set offered first.

    A `public` page is for others than this machine's users: no other folder can be named there (events/access.py).
    On one that is `read_only` nothing is started or changed; with `most_runs` each visitor has so many of their
    own.
    """
    again = functools.partial(build_app, checkpoints, data, public=public, read_only=read_only, most_runs=most_runs)
    access = Access(data, public, read_only, most_runs)
    hide_path(checkpoints.absolute(), checkpoints.name)
    if access.confined and data not in NAMES:
        hide_path(Path(data).expanduser().absolute(), access.offered)
    with LabPage(title="GoogLeNet Lab", analytics_enabled=False, delete_cache=(3600, 24 * 3600)) as demo:
        demo.again = again
        demo.endpoints = api.publish(checkpoints, access)  # first: an event of the same name gets another one
        with gr.Row(elem_classes="gl-header"):
            gr.HTML(header_html(data), elem_classes="gl-html")
            now = gr.HTML(now_html([], page_is_up=False), elem_classes="gl-html gl-now")
            gr.HTML(languages_html(), elem_classes="gl-html gl-speaks")
        timer = gr.Timer(1.0)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab(tr("Build"), id="build") as build:
                built, looks = build_tab(demo, checkpoints)
            with gr.Tab(tr("Train"), id="train") as train:
                training_tab(demo, train, timer, now, built, checkpoints, access)
            with gr.Tab(tr("Evaluate"), id="evaluate") as evaluate:
                pass  # filled when Classify is there: its images open in it
            with gr.Tab(tr("Classify"), id="classify") as classify:
                classified = classify_tab(checkpoints, access, demo, classify)
                for button, layer in looks:
                    classified.see_from(button, layer)
            with evaluate:
                evaluate_tab(demo, checkpoints, access, evaluate, classified.picture, classified.network)
        for tab, name in zip((build, train, evaluate, classify), TABS, strict=True):
            tab.select(None, None, None, js=f"() => googlenet.keepTab('{name}')")
        demo.load(None, None, None, js="googlenet.openKeptTab")
    demo.queue(max_size=MOST_WAITING)
    poll_less(demo)
    return demo
