"""The Build tab: one module, a whole network, and the lessons, of which one is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from googlenet.language import mark, tr
from googlenet.ui.build.lessons.classroom.panel import Builder
from googlenet.ui.build.lessons.panel import browser_place
from googlenet.ui.build.lessons.room import Places, challenges_place, lessons_room
from googlenet.ui.build.module.panel import LIVE, module_panel
from googlenet.ui.build.network.panel import NetworkPanel, keep_view_in_url, network_panel

VIEWS = [(mark("One module"), "module"), (mark("Network"), "network"), (mark("Lessons"), "lessons")]


def build_tab(demo: gr.Blocks, checkpoints: Path) -> tuple[NetworkPanel, list[tuple[gr.Button, Any]]]:
    """Lay out the tab and wire it; call inside `with gr.Blocks() as demo: with gr.Tab("Build"):`.

    `checkpoints` is where a trainer may be at work, to which a measured pass leaves the cores. Returns the whole
    network's half, whose button leads to the Train tab, and the buttons that lead to a layer on a picture, each with
    the component that names the layer.
    """
    places = Places(browser_place(), challenges_place())
    # Not gr.Tabs: on a phone those of a second row vanish into a menu.
    views = [(tr(shown), name) for shown, name in VIEWS]
    view = gr.Radio(views, value="module", label=tr("View"), show_label=False, container=False, elem_id="build-views")
    with gr.Column(elem_id="module") as one:
        module = module_panel(demo, checkpoints)
    with gr.Column(visible=False) as whole:
        panel = network_panel(demo)
    with gr.Column(visible=False, elem_id="lessons-room") as lessons:
        builder = Builder(module.form, module.forgotten, panel.draft)
        lessons_room(demo, places, checkpoints, builder, (module.ask, panel.ask), view)
    view.change(
        lambda chosen: [gr.Column(visible=chosen == name) for _, name in VIEWS], view, [one, whole, lessons], **LIVE
    )
    keep_view_in_url(demo, view)
    return panel, [(module.see, module.start), (panel.see, panel.form.selected)]
