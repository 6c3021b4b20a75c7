"""The Build tab's whole-network half: every layer open to editing, its cost followed through all layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from googlenet.config import DATA_SIZE, GoogLeNetConfig
from googlenet.errors import LabError
from googlenet.models import draft as drafts
from googlenet.models.draft import SWITCHES, Draft
from googlenet.models.presets import PRESETS, preset
from googlenet.models.profile import profile_partly
from googlenet.models.share import from_link_text
from googlenet.ui.build.network import drawing as network_drawing
from googlenet.ui.build.network import layer_form, takeaway
from googlenet.ui.build.network import view as network_view
from googlenet.ui.build.network.layer_form import LayerForm
from googlenet.ui.build.network.takeaway import LIVE
from googlenet.ui.common import figures
from googlenet.ui.common.refusals import sent

FIRST, FIRST_LAYER = "imagenet", "inception3a"
DATA_CLASSES = 10  # of CIFAR-10 and of the drawn shapes
VARIANTS = [("5×5, the paper", "5x5"), ("3×3, torchvision", "3x3"), ("two 3×3, Inception v2", "two 3x3")]
# A click on a row or a block chooses its layer; it is marked at once, in the table and in the drawing.
CHOOSE = """
element.addEventListener('click', (event) => {
  const chosen = event.target.closest('[data-layer]');
  if (!chosen) return;
  for (const one of document.querySelectorAll('#network [data-layer]')) {
    const on = one.dataset.layer === chosen.dataset.layer;
    one.classList.toggle('gl-on', on);
    one.querySelector('button')?.setAttribute('aria-pressed', on);
  }
  trigger('select', {layer: chosen.dataset.layer});
});
"""
# On a phone the fields are a screen or two above the row.
SHOW_FORM = """() => {
  if (innerWidth < 768) document.getElementById('network-form')?.scrollIntoView({behavior: 'smooth'});
}"""
# The address keeps which part of the tab is open; a link to a network opens the second.
OPEN_VIEW_OF_URL = """() => {
  const asked = new URL(location).searchParams;
  const view = asked.get('view') ?? (asked.has('network') ? 'network' : 'module');
  return ['module', 'network', 'lessons'].includes(view) ? view : 'module';
}"""
KEEP_VIEW_IN_URL = """(view) => {
  const url = new URL(location);
  url.searchParams.set('view', view);
  history.replaceState(history.state, '', url);
}"""


@dataclass(frozen=True)
class NetworkPanel:
    """The panel's components. `for_training` is the text of the network that `train` sends to the Train tab."""

    draft: gr.State
    start: gr.Dropdown
    sizes: list[gr.Number]  # image side, classes
    variant: gr.Radio
    switches: gr.CheckboxGroup
    keep: gr.Checkbox
    fix: gr.Button
    undo: gr.Button
    reset: gr.Button
    train: gr.Button
    fit: gr.Button
    for_training: gr.Textbox
    form: LayerForm
    remarks: gr.HTML
    refusal: gr.HTML
    summary: gr.HTML
    drawing: gr.HTML
    table: gr.HTML
    away: takeaway.TakeAway

    @property
    def answer(self) -> list[Any]:
        """What every edit may change: the values of `show_answer`."""
        shown = [self.summary, self.drawing, self.table, self.remarks]
        return [self.draft, self.refusal, *shown, self.fix, self.undo, self.keep, self.fit, self.away.link]

    @property
    def everything(self) -> list[Any]:
        """What an edit of the whole changes: the values of `show_everything`."""
        return [*self.answer, self.start, *self.sizes, self.variant, self.switches, *self.form.outputs]


def network_panel(demo: gr.Blocks) -> NetworkPanel:
    """Lay out the panel and wire it; call inside the Build tab of `demo`."""
    panel = _lay_out()
    _wire(panel, demo)
    return panel


def keep_view_in_url(demo: gr.Blocks, view: gr.Radio) -> None:
    """Have the address tell which part of the Build tab is open, and open it again."""
    view.input(None, view, None, js=KEEP_VIEW_IN_URL)
    demo.load(None, None, view, js=OPEN_VIEW_OF_URL)


def _lay_out() -> NetworkPanel:
    config = preset(FIRST)
    profile, problems = profile_partly(config)
    parts: dict[str, Any] = {"draft": gr.State(Draft(config)), "for_training": gr.Textbox("", visible="hidden")}
    with gr.Column(elem_id="network"):
        parts |= _lay_out_settings(config)
        with gr.Row():
            with gr.Column(scale=1, min_width=290, elem_id="network-form"):
                layer = Draft(config).layer(FIRST_LAYER)
                parts["form"] = layer_form.lay_out(layer)
                parts["keep"] = gr.Checkbox(
                    True, label="Keep channels consistent", info="each layer takes what arrives"
                )
                with gr.Row():
                    parts["undo"] = gr.Button("Undo", min_width=90, interactive=False)
                    parts["reset"] = gr.Button("Reset", min_width=90)
                parts["train"] = gr.Button("Train this network", variant="primary")
                parts["fit"] = gr.Button(f"Set {DATA_SIZE}×{DATA_SIZE} and {DATA_CLASSES} classes", visible=False)
                parts["remarks"] = _html(network_view.remarks(layer, profile))
            with gr.Column(scale=3, min_width=320):
                parts["refusal"] = _html("", "gl-slot", "gl-refusal")
                with gr.Row(elem_classes="gl-summary"):
                    parts["summary"] = _html(network_view.summary(config, profile, problems), min_width=280, scale=1)
                    parts["fix"] = gr.Button("Fix channels", variant="primary", visible=False, min_width=150, scale=0)
                with gr.Accordion("Drawing", open=True):
                    drawn = network_drawing.drawing(config, profile, FIRST_LAYER)
                    parts["drawing"] = _html(drawn, js_on_load=CHOOSE)
                rows = network_view.table(config, profile, problems, FIRST_LAYER)
                parts["table"] = _html(rows, js_on_load=CHOOSE)
                parts["away"] = takeaway.lay_out(parts["draft"], parts["form"].selected)
    return NetworkPanel(**parts)


def _lay_out_settings(config: GoogLeNetConfig) -> dict[str, Any]:
    """What is set for the whole network."""
    with gr.Row():
        choices = [(f"{name}: {about}", name) for name, about in PRESETS.items()]
        start = gr.Dropdown(choices, value=FIRST, label="Start from", scale=3, min_width=260)
        sizes = [
            gr.Number(config.input_size, label="Image side, pixels", min_width=110, elem_id="network-side"),
            gr.Number(config.num_classes, label="Classes", min_width=110, elem_id="network-classes"),
        ]
    with gr.Row():
        variant = gr.Radio(VARIANTS, value="5x5", label="5×5 branch of every module", min_width=300)
        kinds = [(label, name) for name, label in SWITCHES.items()]
        switches = gr.CheckboxGroup(kinds, value=[], label="With", min_width=300)
    return {"start": start, "sizes": sizes, "variant": variant, "switches": switches}


def _html(value: str, *classes: str, **options: Any) -> gr.HTML:
    return gr.HTML(value, apply_default_css=False, elem_classes=["gl-html", *classes], **options)


# --- answers ----------------------------------------------------------------------------------


def show_answer(draft: Draft, selected: str) -> list[Any]:
    """New values of `NetworkPanel.answer`."""
    config = draft.config
    profile, problems = profile_partly(config)
    return [
        draft,
        "",
        network_view.summary(config, profile, problems),
        network_drawing.drawing(config, profile, selected),
        network_view.table(config, profile, problems, selected),
        network_view.remarks(draft.layer_or_first(selected), profile),
        gr.update(visible=bool(config.problems())),
        gr.update(interactive=bool(draft.past)),
        draft.keep,
        gr.update(visible=False),
        takeaway.link_of(config),
    ]


def show_everything(form: LayerForm, draft: Draft, selected: str) -> list[Any]:
    """New values of `NetworkPanel.everything`; the first module is chosen where `selected` is gone."""
    config, layer = draft.config, draft.layer_or_first(selected)
    start = config.name if config.name in PRESETS else gr.skip()
    settings = [start, config.input_size, config.num_classes, drafts.common_variant(config), drafts.switches(config)]
    return [*show_answer(draft, layer.name), *settings, *form.show(layer)]


def refusing(event: Callable[..., list[Any]], outputs: int) -> Callable[..., list[Any]]:
    """`event`, whose refusal is told in one sentence (the second output) while all else stays."""

    def run(*arguments: Any) -> list[Any]:
        try:
            return event(*arguments)
        except LabError as error:
            return [gr.skip(), figures.message(str(error)), *[gr.skip()] * (outputs - 2)]

    return run


# --- events -----------------------------------------------------------------------------------


def _wire(panel: NetworkPanel, demo: gr.Blocks) -> None:
    form, bench = panel.form, [panel.draft, panel.form.selected]

    def edit_layer(draft: Draft, selected: str, *values: Any) -> list[Any]:
        after = draft.with_layer(form.read(draft.layer(selected), *values))
        common = drafts.common_variant(after.config)
        return [*show_answer(after, selected), common, *form.follow(after.layer(selected))]

    def edit_whole(draft: Draft, selected: str, side: Any, classes: Any) -> list[Any]:
        return show_answer(draft.edited(drafts.set_whole(draft.config, side, classes), "whole"), selected)

    def on(triggers: list[Any], event: Any, inputs: list[Any], outputs: list[Any]) -> Any:
        return gr.on(triggers, refusing(event, len(outputs)), inputs, outputs, **LIVE)

    def redraw(triggers: list[Any], change: Callable[..., Draft], *inputs: Any) -> None:
        """On these triggers, put what `change(draft, *inputs)` gives on the bench and show all of it."""
        on(
            triggers,
            lambda d, s, *said: show_everything(form, change(d, *said), s),
            [*bench, *inputs],
            panel.everything,
        )

    def choose(draft: Draft, event: gr.EventData) -> list[Any]:
        layer = draft.layer_or_first(str(sent(event, "layer")))
        return [network_view.remarks(layer, profile_partly(draft.config)[0]), *form.show(layer)]

    typed = [field.input for field in form.fields.values()]
    on(typed, edit_layer, [panel.draft, *form.inputs], [*panel.answer, panel.variant, *form.followers])
    on([size.input for size in panel.sizes], edit_whole, [*bench, *panel.sizes], panel.answer)
    switched = [panel.variant.input, panel.switches.input]
    redraw(switched, lambda d, v, on: d.edited(drafts.set_switches(d.config, v, on)), panel.variant, panel.switches)
    redraw([panel.keep.input], lambda d, keep: d.edited(d.config, keep=bool(keep)), panel.keep)
    redraw([panel.fix.click], lambda d: d.edited(d.config, keep=True))
    redraw([panel.undo.click], lambda d: d.undone())
    redraw([panel.start.input, panel.reset.click], lambda d, name: d.edited(preset(name), keep=True), panel.start)
    redraw([panel.fit.click], lambda d: d.edited(drafts.set_whole(d.config, DATA_SIZE, DATA_CLASSES)))
    redraw([panel.away.upload.upload], lambda d, file: d.edited(takeaway.read_file(file), keep=True), panel.away.upload)
    for html in (panel.drawing, panel.table):
        html.select(choose, panel.draft, [panel.remarks, *form.outputs], **LIVE).then(None, None, None, js=SHOW_FORM)

    def opened(draft: Draft, selected: str, request: gr.Request) -> list[Any]:
        asked = request.query_params.get("network")
        if not asked:
            return [gr.skip()] * len(panel.everything)
        try:
            config = from_link_text(asked)
            wanted = next(iter(drafts.edited_layers(config)), selected)
            return show_everything(form, Draft(config, keep=not config.problems()), wanted)
        except LabError as error:
            message = figures.message(f"The link's network cannot be opened. {error}")
            return [gr.skip(), message, *[gr.skip()] * (len(panel.everything) - 2)]

    demo.load(opened, bench, panel.everything, **LIVE)
