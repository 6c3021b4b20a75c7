"""The Build tab's whole-network half: every layer open to editing, its cost followed through all layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from googlenet.config import GoogLeNetConfig, LabError
from googlenet.models.presets import PRESETS, preset
from googlenet.models.profile import profile_partly
from googlenet.ui import draft as drafts
from googlenet.ui import figures, layer_form, network_drawing, network_view
from googlenet.ui.draft import SWITCHES, Draft
from googlenet.ui.layer_form import LayerForm

FIRST, FIRST_LAYER = "imagenet", "inception3a"
LIVE: dict[str, Any] = {
    "queue": False,
    "trigger_mode": "always_last",
    "show_progress": "hidden",
    "api_visibility": "private",
}
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
# The address keeps which half of the tab is open; a link to a network opens the second.
OPEN_VIEW_OF_URL = """() => {
  const asked = new URL(location).searchParams;
  const whole = (asked.get('view') ?? (asked.has('network') ? 'network' : '')) === 'network';
  window.googlenetViews = true;
  if (whole) document.querySelector('#build-views [role=tab]:nth-of-type(2)')?.click();
}"""
KEEP_VIEW_IN_URL = """() => {{
  if (!window.googlenetViews) return;
  const url = new URL(location);
  url.searchParams.set('view', '{view}');
  history.replaceState(history.state, '', url);
}}"""


@dataclass(frozen=True)
class _Panel:
    """The panel's components."""

    draft: gr.State
    start: gr.Dropdown
    sizes: list[gr.Number]  # image side, classes
    variant: gr.Radio
    switches: gr.CheckboxGroup
    keep: gr.Checkbox
    fix: gr.Button
    undo: gr.Button
    reset: gr.Button
    form: LayerForm
    refusal: gr.HTML
    summary: gr.HTML
    drawing: gr.HTML
    table: gr.HTML
    remarks: gr.HTML

    @property
    def answer(self) -> list[Any]:
        """What every edit may change: the values of `show_answer`."""
        return [
            self.draft,
            self.refusal,
            self.summary,
            self.drawing,
            self.table,
            self.remarks,
            self.fix,
            self.undo,
            self.keep,
        ]

    @property
    def settings(self) -> list[Any]:
        """The values of `show_settings`."""
        return [self.start, *self.sizes, self.variant, self.switches]


def network_panel(demo: gr.Blocks, checkpoints: Path) -> None:
    """Lay out the panel and wire it; call inside the Build tab of `demo`."""
    panel = _lay_out()
    _wire(panel)


def keep_view_in_url(demo: gr.Blocks, module: gr.Tab, network: gr.Tab) -> None:
    """Have the address tell which half of the Build tab is open, and open it again."""
    for tab, view in ((module, "module"), (network, "network")):
        tab.select(None, None, None, js=KEEP_VIEW_IN_URL.format(view=view))
    demo.load(None, None, None, js=OPEN_VIEW_OF_URL)


def _lay_out() -> _Panel:
    config = preset(FIRST)
    draft, (profile, problems) = Draft(config), profile_partly(config)
    with gr.Column(elem_id="network"):
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
        with gr.Row():
            with gr.Column(scale=1, min_width=290, elem_id="network-form"):
                form = layer_form.lay_out(draft.layer(FIRST_LAYER))
                keep = gr.Checkbox(True, label="Keep channels consistent", info="each layer takes what arrives")
                with gr.Row():
                    undo = gr.Button("Undo", min_width=90, interactive=False)
                    reset = gr.Button("Reset", min_width=90)
                remarks = _html(network_view.remarks(draft.layer(FIRST_LAYER), profile))
            with gr.Column(scale=3, min_width=320):
                refusal = _html("", "gl-slot", "gl-refusal")
                with gr.Row(elem_classes="gl-summary"):
                    summary = _html(network_view.summary(config, profile, problems), min_width=280, scale=1)
                    fix = gr.Button("Fix channels", variant="primary", visible=False, min_width=150, scale=0)
                with gr.Accordion("Drawing", open=True):
                    drawing = _html(network_drawing.drawing(config, profile, FIRST_LAYER), js_on_load=CHOOSE)
                table = _html(network_view.table(config, profile, problems, FIRST_LAYER), js_on_load=CHOOSE)
    return _Panel(
        gr.State(draft),
        start,
        sizes,
        variant,
        switches,
        keep,
        fix,
        undo,
        reset,
        form,
        refusal,
        summary,
        drawing,
        table,
        remarks,
    )


def _html(value: str, *classes: str, **options: Any) -> gr.HTML:
    return gr.HTML(value, apply_default_css=False, elem_classes=["gl-html", *classes], **options)


# --- answers ----------------------------------------------------------------------------------


def show_answer(draft: Draft, selected: str) -> list[Any]:
    """New values of `_Panel.answer`."""
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
    ]


def show_settings(config: GoogLeNetConfig) -> list[Any]:
    """New values of `_Panel.settings`."""
    start = config.name if config.name in PRESETS else gr.skip()
    return [start, config.input_size, config.num_classes, drafts.common_variant(config), drafts.switches(config)]


def _refusing(event: Callable[..., list[Any]], outputs: int) -> Callable[..., list[Any]]:
    """`event`, whose refusal is told in one sentence while all else stays."""

    def run(*arguments: Any) -> list[Any]:
        try:
            return event(*arguments)
        except LabError as error:
            return [gr.skip(), figures.message(str(error)), *[gr.skip()] * (outputs - 2)]

    return run


# --- events -----------------------------------------------------------------------------------


def _wire(panel: _Panel) -> None:
    form = panel.form
    everything = [*panel.answer, *panel.settings, *form.outputs]

    def all_of(draft: Draft, selected: str) -> list[Any]:
        layer = draft.layer_or_first(selected)
        return [*show_answer(draft, layer.name), *show_settings(draft.config), *form.show(layer)]

    def edit_layer(draft: Draft, selected: str, *values: Any) -> list[Any]:
        layer = form.read(draft.layer(selected), *values)
        after = draft.with_layer(layer)
        shown = form.show(after.layer(selected))
        # Not the fields themselves: a quick hand has typed on meanwhile.
        quiet = [*[gr.skip()] * (len(shown) - len(form.groups)), *shown[-len(form.groups) :]]
        return [*show_answer(after, selected), drafts.common_variant(after.config), *quiet]

    def edit_whole(draft: Draft, selected: str, side: Any, classes: Any) -> list[Any]:
        config = drafts.set_whole(draft.config, side, classes)
        return show_answer(draft.edited(config, "whole"), selected)

    def edit_variants(draft: Draft, selected: str, variant: str | None, switches: list[str]) -> list[Any]:
        config = drafts.set_switches(draft.config, variant, switches)
        return all_of(draft.edited(config), selected)

    def choose(draft: Draft, event: gr.EventData) -> list[Any]:
        layer = draft.layer_or_first(event._data.get("layer", ""))
        return [network_view.remarks(layer, profile_partly(draft.config)[0]), *form.show(layer)]

    def on(triggers: list[Any], event: Any, inputs: list[Any], outputs: list[Any]) -> Any:
        return gr.on(triggers, _refusing(event, len(outputs)), inputs, outputs, **LIVE)

    bench = [panel.draft, form.selected]
    typed = [field.input for field in form.fields.values()]
    on(typed, edit_layer, [panel.draft, *form.inputs], [*panel.answer, panel.variant, *form.outputs])
    on([size.input for size in panel.sizes], edit_whole, [*bench, *panel.sizes], panel.answer)
    on([panel.variant.input, panel.switches.input], edit_variants, [*bench, panel.variant, panel.switches], everything)
    on(
        [panel.keep.input],
        lambda d, s, keep: all_of(d.edited(d.config, keep=bool(keep)), s),
        [*bench, panel.keep],
        everything,
    )
    on([panel.fix.click], lambda d, s: all_of(d.edited(d.config, keep=True), s), bench, everything)
    on([panel.undo.click], lambda d, s: all_of(d.undone(), s), bench, everything)
    fresh = [panel.start.input, panel.reset.click]
    on(fresh, lambda d, s, name: all_of(d.edited(preset(name), keep=True), s), [*bench, panel.start], everything)
    for html in (panel.drawing, panel.table):
        html.select(choose, panel.draft, [panel.remarks, *form.outputs], **LIVE).then(None, None, None, js=SHOW_FORM)
