"""The fields of one layer of a network: laid out once, shown for whichever layer is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from googlenet.config import InceptionConfig, Layer
from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.models import draft as drafts
from googlenet.models.draft import FIELDS, KINDS
from googlenet.ui.build.network import view
from googlenet.ui.common import figures
from googlenet.ui.common.layout import html, refusal_slot
from googlenet.ui.common.templates import render

KIND_CHOICES = list(zip((mark("1×1 reductions"), mark("naive")), KINDS, strict=True))
VARIANT_CHOICES = [("5×5", "5x5"), ("3×3", "3x3"), ("2 × 3×3", "two 3x3")]
LABELS = {
    "in_channels": mark("Channels in"),
    "out_channels": mark("Channels out"),
    "kernel": mark("Kernel"),
    "stride": mark("Stride"),
    "padding": mark("Padding"),
    "size": mark("Channels in the window"),
    "ch1x1": "1×1",
    "ch3x3red": mark("3×3 reduce"),
    "ch3x3": "3×3",
    "ch5x5red": mark("5×5 reduce"),
    "ch5x5": "5×5",
    "pool_proj": mark("Pool projection"),
}
# Each group of fields, and the layers that have it.
GROUPS = ("module", "ch3x3red", "ch5x5red", "pool_proj", "out_channels", "window", "size", "in_channels")


@dataclass(frozen=True)
class LayerForm:
    """The form's components. `selected`, a hidden name, travels with the values, so that they reach no other layer."""

    selected: gr.Textbox
    title: gr.HTML
    refusal: gr.HTML
    fields: dict[str, gr.Number | gr.Radio]
    groups: dict[str, gr.Group]

    @property
    def inputs(self) -> list[Any]:
        """What an edit sends: the layer's name, then a value a field."""
        return [self.selected, *self.fields.values()]

    @property
    def outputs(self) -> list[Any]:
        """What `show` fills."""
        return [*self.inputs, self.title, *self.groups.values()]

    def show(self, layer: Layer, *, fields: bool = True) -> list[Any]:
        """New values of `outputs` for `layer`; without `fields` what is sent stays: a quick hand may have gone on."""
        values, shown = {"selected": layer.name, **form_values(layer)} if fields else {}, _groups_of(layer)
        sent = [values.get(name, gr.skip()) for name in ("selected", *self.fields)]
        return [*sent, _title(layer), *[gr.update(visible=name in shown) for name in self.groups]]

    def read(self, layer: Layer, *values: Any) -> Layer:
        """`layer` with the fields' `values`; `LabError` for one out of range, with the field's name on the page."""
        try:
            return drafts.set_layer(layer, dict(zip(self.fields, values, strict=True)))
        except LabError as error:
            label = tr(LABELS.get(error.field or "", ""))
            raise LabError(str(error).replace(f"{layer.name} {error.field}", label, 1), error.field) from error


def form_values(layer: Layer) -> dict[str, Any]:
    """What the fields show for `layer`, by field; a naive module's reductions are those it would get back."""
    values = {field: getattr(layer, field) for field in FIELDS[type(layer)]}
    if isinstance(layer, InceptionConfig):
        values |= {"kind": "naive" if layer.naive else "reduced", "variant": layer.ch5x5_variant}
        if layer.naive:
            values |= drafts.spare_values(layer)
    return values


def _groups_of(layer: Layer) -> set[str]:
    fields = set(FIELDS[type(layer)])
    if isinstance(layer, InceptionConfig):
        return {"module", "in_channels"} | (set() if layer.naive else fields & set(GROUPS))
    return (fields & set(GROUPS)) | ({"window"} if "kernel" in fields else set())


def _title(layer: Layer) -> str:
    return render("network/title.html", name=view.spaced(layer.name), about=view.describe(layer))


def lay_out(layer: Layer) -> LayerForm:
    """Place the form in the column that is open, showing `layer`."""
    values, shown = form_values(layer), _groups_of(layer)
    fields: dict[str, gr.Number | gr.Radio] = {}
    groups: dict[str, gr.Group] = {}

    def number(name: str) -> None:
        fields[name] = gr.Number(values.get(name), label=tr(LABELS[name]), min_width=80, elem_id=f"network-{name}")

    def group(name: str, branch: str | None = None) -> gr.Group:
        groups[name] = gr.Group(visible=name in shown, elem_classes=_branch(branch))
        return groups[name]

    def alone(name: str, branch: str | None = None) -> None:
        with group(name, branch):
            number(name)

    selected = gr.Textbox(layer.name, visible="hidden")
    title, refusal = html(_title(layer)), refusal_slot()
    with group("module"):
        kinds = [(tr(shown), kind) for shown, kind in KIND_CHOICES]
        fields["kind"] = gr.Radio(kinds, value=values["kind"], label=tr("Module"))
        with gr.Group(elem_classes=_branch("1×1")):
            number("ch1x1")
        with gr.Group(elem_classes=_branch("3×3")), gr.Row():
            alone("ch3x3red")
            number("ch3x3")
        with gr.Group(elem_classes=_branch("5×5")):
            with gr.Row():
                alone("ch5x5red")
                number("ch5x5")
            fields["variant"] = gr.Radio(VARIANT_CHOICES, value=values["variant"], label=tr("Window"))
        alone("pool_proj", "pool")
    alone("out_channels")
    with group("window"), gr.Row():
        for name in ("kernel", "stride", "padding"):
            number(name)
    alone("size")
    alone("in_channels")
    return LayerForm(selected, title, refusal, fields, groups)


def _branch(branch: str | None) -> list[str]:
    return ["gl-channels", figures.BRANCH_CLASSES[branch]] if branch else []
