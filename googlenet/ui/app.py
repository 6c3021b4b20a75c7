"""The whole page: a header, and a tab for each job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from googlenet.ui import api
from googlenet.ui.build.lessons.heads import HEADS_CSS
from googlenet.ui.build.lessons.view import LESSONS_CSS
from googlenet.ui.build.network.style import NETWORK_CSS
from googlenet.ui.build.tab import build_tab
from googlenet.ui.classify.tab import CLASSIFY_CSS, classify_tab
from googlenet.ui.common.charts import CHARTS_CSS
from googlenet.ui.common.cores import poll_less
from googlenet.ui.common.header import HEADER_CSS, header_html, now_html
from googlenet.ui.common.style import BUILDER_CSS
from googlenet.ui.evaluate.tab import EVALUATE_CSS, evaluate_tab
from googlenet.ui.train.tab import training_tab
from googlenet.ui.train.view import TRAINING_CSS
from googlenet.ui.train.watch import SCRIPT, Watcher

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
FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]
PAGE_CSS = """
.gradio-container { width: 100%; max-width: 1280px !important; margin: 0 auto !important; }
footer { display: none !important; }
"""


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


def launch_options(checkpoints: Path) -> dict[str, Any]:
    """How the page looks and what it may do, for `Blocks.launch`: nothing is fetched from another host."""
    return {
        "theme": gr.themes.Default(primary_hue="blue", neutral_hue="slate", font=FONTS, font_mono=MONO),
        "css": BUILDER_CSS
        + HEADER_CSS
        + CHARTS_CSS
        + TRAINING_CSS
        + CLASSIFY_CSS
        + EVALUATE_CSS
        + NETWORK_CSS
        + LESSONS_CSS
        + HEADS_CSS
        + PAGE_CSS,
        "run_history": False,
        "ssr_mode": False,
        "max_file_size": "50mb",
        "footer_links": [],
        "allowed_paths": [str(checkpoints)],  # for the downloads of the Train tab
        "strict_cors": True,
        "head": f"<script>{SCRIPT}</script>",
        "app_kwargs": {"routes": [Watcher(checkpoints).route()]},
    }
