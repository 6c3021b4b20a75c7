"""The Build tab's whole-network half: its components, their layout, and which event answers with what of `answers`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from googlenet.config import DATA_SIZE, GoogLeNetConfig
from googlenet.language import mark, tr
from googlenet.models import draft as drafts
from googlenet.models.draft import SWITCHES, Draft
from googlenet.models.presets import PRESETS, preset
from googlenet.models.profile import profile_partly
from googlenet.ui.build.network import answers, drawing, export, layer_form, view
from googlenet.ui.build.network.layer_form import LayerForm
from googlenet.ui.common.layout import LIVE, html, refusal_slot
from googlenet.ui.events.refusals import sent

FIRST, FIRST_LAYER = "imagenet", "inception3a"
DATA_CLASSES = 10  # of CIFAR-10 and of the drawn shapes
VARIANTS = [
    (mark("5×5, the paper"), "5x5"),
    (mark("3×3, torchvision"), "3x3"),
    (mark("two 3×3, Inception v2"), "two 3x3"),
]
CHOOSE_LAYER = "googlenet.chooseLayer(element, trigger)"


@dataclass(frozen=True)
class NetworkPanel:
    """The panel's components. `for_training` is the text of the network that `train` sends to the Train tab."""

    draft: gr.State
    start: gr.Dropdown
    sizes: list[gr.Number]  # image side, classes
    variant: gr.Radio
    switches: gr.CheckboxGroup
    refusal: gr.HTML  # of the settings above it
    form: LayerForm
    keep: gr.Checkbox
    undo: gr.Button
    reset: gr.Button
    see: gr.Button
    ask: gr.Button
    train: gr.Button
    fit: gr.Button
    for_training: gr.Textbox
    remarks: gr.HTML
    summary: gr.HTML
    fix: gr.Button
    drawing: gr.HTML
    table: gr.HTML
    export: export.ExportPanel

    @property
    def answer(self) -> list[Any]:
        """What every edit may change: the values of `answers.show_answer`."""
        shown = [self.summary, self.drawing, self.table, self.remarks]
        return [self.draft, *shown, self.fix, self.undo, self.keep, self.fit, self.export.link]

    @property
    def everything(self) -> list[Any]:
        """What an edit of the whole changes: the values of `answers.show_everything`."""
        return [*self.answer, self.start, *self.sizes, self.variant, self.switches, *self.form.outputs]

    @property
    def refusals(self) -> list[gr.HTML]:
        """Where refusals are told: under the settings, in the layer's form, and where files are opened."""
        return [self.refusal, self.form.refusal, self.export.refusal]


def network_panel(demo: gr.Blocks) -> NetworkPanel:
    """Lay out the panel and wire it; call inside the Build tab of `demo`."""
    panel = _lay_out()
    _wire(panel, demo)
    return panel


def keep_view_in_url(demo: gr.Blocks, views: gr.Radio) -> None:
    """Have the address tell which part of the Build tab is open, and open it again."""
    views.change(None, views, None, js="googlenet.keepBuildView")
    demo.load(None, None, views, js="googlenet.openBuildView")


# --- the layout -------------------------------------------------------------------------------


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
                    True, label=tr("Keep channels consistent"), info=tr("each layer takes what arrives")
                )
                with gr.Row():
                    parts["undo"] = gr.Button(tr("Undo"), min_width=90, interactive=False)
                    parts["reset"] = gr.Button(tr("Reset"), min_width=90)
                parts["see"] = gr.Button(tr("See this layer on a picture"), size="sm")
                parts["ask"] = gr.Button(tr("Make a question of it"), size="sm")
                parts["remarks"] = html(view.remarks(layer, profile))
            with gr.Column(scale=3, min_width=320):
                with gr.Row(elem_classes="gl-summary"):
                    parts["summary"] = html(view.summary(config, profile, problems), min_width=280, scale=1)
                    words = tr("Fix channels")
                    parts["fix"] = gr.Button(words, variant="primary", visible=False, min_width=150, scale=0)
                with gr.Accordion(tr("Drawing"), open=True):
                    drawn = drawing.drawing(config, profile, FIRST_LAYER)
                    parts["drawing"] = html(drawn, js_on_load=CHOOSE_LAYER)
                rows = view.table(config, profile, problems, FIRST_LAYER)
                parts["table"] = html(rows, js_on_load=CHOOSE_LAYER)
                parts["export"] = export.lay_out(parts["draft"], parts["form"].selected)
    return NetworkPanel(**parts)


def _lay_out_settings(config: GoogLeNetConfig) -> dict[str, Any]:
    """What is set for the whole network, and where it goes from here."""
    parts: dict[str, Any] = {}
    with gr.Row(elem_id="network-top"):
        choices = [(f"{name}: {tr(about)}", name) for name, about in PRESETS.items()]
        parts["start"] = gr.Dropdown(choices, value=FIRST, label=tr("Start from"), scale=5, min_width=260)
        parts["sizes"] = [
            gr.Number(config.input_size, label=tr("Image side"), min_width=110, elem_id="network-side"),
            gr.Number(config.num_classes, label=tr("Classes"), min_width=110, elem_id="network-classes"),
        ]
        parts["train"] = gr.Button(tr("Train this network"), variant="primary", scale=0, min_width=200)
    with gr.Row():
        variants = [(tr(shown), name) for shown, name in VARIANTS]
        parts["variant"] = gr.Radio(variants, value="5x5", label=tr("5×5 branch of every module"), min_width=300)
        kinds = [(tr(label), name) for name, label in SWITCHES.items()]
        parts["switches"] = gr.CheckboxGroup(kinds, value=[], label=tr("With"), min_width=300)
    parts["refusal"] = refusal_slot()
    words = tr("Set {side}×{side} and {n} classes", side=DATA_SIZE, n=DATA_CLASSES)
    parts["fit"] = gr.Button(words, size="sm", visible=False)
    return parts


# --- the events -------------------------------------------------------------------------------


def _wire(panel: NetworkPanel, demo: gr.Blocks) -> None:
    """Connect the components of `panel`, which a link in the address of `demo` may fill."""
    form, edited = panel.form, [panel.draft, panel.form.selected]

    def edit(triggers: list[Any], event: Any, inputs: list[Any], outputs: list[Any], refusal: gr.HTML) -> None:
        """The fields that are typed in stay as they are, and so do refusals of others."""
        gr.on(triggers, answers.refusable(event, 1, 0, len(outputs)), inputs, [refusal, *outputs], **LIVE)

    def redraw(triggers: list[Any], change: Callable[..., Draft], *inputs: Any, refusal: gr.HTML | None = None) -> None:
        """Put what `change(draft, *inputs)` gives in the draft's place and show all of it anew."""

        def event(draft: Draft, selected: str, *values: Any) -> list[Any]:
            return answers.show_everything(form, change(draft, *values), selected)

        own = panel.refusals.index(refusal or panel.refusal)
        refusable = answers.refusable(event, len(panel.refusals), own, len(panel.everything))
        gr.on(triggers, refusable, [*edited, *inputs], [*panel.refusals, *panel.everything], **LIVE)

    typed = [field.input for field in form.fields.values()]
    outputs = [*panel.answer, panel.variant, *form.outputs]
    edit(typed, partial(answers.edit_layer, form), [panel.draft, *form.inputs], outputs, form.refusal)
    sides = [size.input for size in panel.sizes]
    edit(sides, answers.edit_whole, [*edited, *panel.sizes], panel.answer, panel.refusal)

    switched = [panel.variant.input, panel.switches.input]
    redraw(switched, lambda d, v, on: d.edited(drafts.set_switches(d.config, v, on)), panel.variant, panel.switches)
    redraw([panel.keep.input], lambda d, keep: d.edited(d.config, keep=bool(keep)), panel.keep)
    redraw([panel.fix.click], lambda d: d.edited(d.config, keep=True))
    redraw([panel.undo.click], Draft.undone)
    redraw([panel.start.input, panel.reset.click], lambda d, name: d.edited(preset(name), keep=True), panel.start)
    redraw([panel.fit.click], lambda d: d.edited(drafts.set_whole(d.config, DATA_SIZE, DATA_CLASSES)))
    file = panel.export.upload
    redraw([file.upload], lambda d, f: d.edited(export.read_file(f), keep=True), file, refusal=panel.export.refusal)

    def choose(draft: Draft, event: gr.EventData) -> list[Any]:
        layer = draft.layer_or_first(str(sent(event, "layer")))
        return ["", view.remarks(layer, profile_partly(draft.config)[0]), *form.show(layer)]

    for place in (panel.drawing, panel.table):
        chosen = place.select(choose, panel.draft, [form.refusal, panel.remarks, *form.outputs], **LIVE)
        chosen.then(None, None, None, js="googlenet.showLayerForm")

    opening = answers.refusable(partial(answers.open_link, form), 1, 0, len(panel.everything))

    def open_address(draft: Draft, selected: str, request: gr.Request) -> list[Any]:
        link = request.query_params.get("network")
        return opening(draft, selected, link) if link else [gr.skip()] * (1 + len(panel.everything))

    demo.load(open_address, edited, [panel.refusal, *panel.everything], **LIVE)
