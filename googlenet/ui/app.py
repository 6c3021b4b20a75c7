"""The whole page: a header, and a tab for each job."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from googlenet.ui import api
from googlenet.ui.build.tab import build_tab
from googlenet.ui.classify.tab import classify_tab
from googlenet.ui.common.cores import poll_less
from googlenet.ui.common.header import header_html, now_html
from googlenet.ui.evaluate.tab import evaluate_tab
from googlenet.ui.train.tab import training_tab

TABS = ("build", "train", "evaluate", "classify")
# The address keeps the tab. Gradio selects its first tab by itself while the page comes up: that must not count.
OPEN_TAB_OF_URL = """() => {
  const wanted = new URL(location).searchParams.get('tab');
  window.googlenetTabs = true;
  const tabs = [...document.querySelectorAll('[role=tab]')];
  tabs.find((tab) => tab.textContent.trim().toLowerCase() === wanted)?.click();
}"""
KEEP_TAB_IN_URL = """() => {{
  if (!window.googlenetTabs) return;
  const url = new URL(location);
  url.searchParams.set('tab', '{tab}');
  history.replaceState(null, '', url);
}}"""


def build_app(checkpoints: Path, data: str) -> gr.Blocks:
    """The page for the runs and weights under `checkpoints`, with `data` as the data set offered first."""
    with gr.Blocks(title="GoogLeNet Lab", analytics_enabled=False, delete_cache=(3600, 24 * 3600)) as demo:
        with gr.Row(elem_classes="gl-header"):
            gr.HTML(header_html(data), elem_classes="gl-html")
            now = gr.HTML(now_html(None), elem_classes="gl-html gl-now")
        timer = gr.Timer(1.0)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Build", id="build") as build:
                built = build_tab(checkpoints)
            with gr.Tab("Train", id="train") as train:
                training_tab(demo, train, timer, now, built, checkpoints, data)
            with gr.Tab("Evaluate", id="evaluate") as evaluate:
                pass  # filled when Classify is there: its images open in it
            with gr.Tab("Classify", id="classify") as classify:
                picture, network = classify_tab(checkpoints, demo, classify)
            with evaluate:
                evaluate_tab(demo, checkpoints, data, evaluate, picture, network)
        for tab, name in zip((build, train, evaluate, classify), TABS, strict=True):
            tab.select(None, None, None, js=KEEP_TAB_IN_URL.format(tab=name))
        demo.load(None, None, None, js=OPEN_TAB_OF_URL)
        api.publish(checkpoints, data)
    demo.queue(max_size=64)
    poll_less(demo)
    return demo
