"""What leaves the Build tab: a network as PyTorch source, as JSON and as a link, and the way back in from a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr

from googlenet.config import GoogLeNetConfig, InceptionConfig
from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.models.draft import Draft
from googlenet.models.formats.codegen import to_source
from googlenet.models.formats.share import MAX_JSON, file_stem, from_json, to_json, to_link_text
from googlenet.models.presets import preset
from googlenet.ui.common.layout import LIVE, refusal_slot

WHOLE, MODULE = mark("the whole network"), mark("the chosen module")


def read_file(file: Any) -> GoogLeNetConfig:
    """The network in an uploaded JSON file, which may be a run's config.json; `LabError` for any other file."""
    if not isinstance(file, bytes) or len(file) > MAX_JSON:
        raise LabError(tr("A network description is a JSON file of up to {n:,} bytes.", n=MAX_JSON), "network")
    try:
        return from_json(file.decode())
    except UnicodeDecodeError as error:
        raise LabError(tr("This file is not text: open a JSON file saved from this page."), "network") from error


def link_of(config: GoogLeNetConfig) -> str:
    """The text that a link carries, "" for what a visitor sees anyway."""
    return "" if config == preset("imagenet") else to_link_text(config)


@dataclass(frozen=True)
class ExportPanel:
    """The components: the link's text, hidden, which every edit sets, and the button that opens a file."""

    link: gr.Textbox
    refusal: gr.HTML
    upload: gr.UploadButton


def lay_out(draft: gr.State, selected: gr.Textbox) -> ExportPanel:
    """Place source, downloads and link in the column that is open, and wire them to the network `draft`."""
    link = gr.Textbox("", visible="hidden")
    file = gr.Textbox("", visible="hidden")
    with gr.Accordion(tr("Source, JSON and link"), open=False) as panel:
        address = gr.Textbox(
            label=tr("Link"),
            info=tr("reopens this network here"),
            interactive=False,
            buttons=["copy"],
            elem_id="network-link",
        )
        parts = [(tr(WHOLE), WHOLE), (tr(MODULE), MODULE)]
        part = gr.Radio(parts, value=WHOLE, label=tr("PyTorch source of"))
        source = gr.Code(language="python", label=tr("needs torch alone"), interactive=False, max_lines=20)
        refusal = refusal_slot()
        with gr.Row():
            python = gr.Button(tr("Download source"), min_width=140)
            plain = gr.Button(tr("Download JSON"), min_width=140)
            upload = gr.UploadButton(tr("Open JSON"), file_types=[".json"], type="binary", min_width=140)

    what = [draft, selected, part]
    link.change(None, link, address, js="googlenet.keepNetwork")
    gr.on(
        [panel.expand, part.input, link.change, selected.change], lambda *now: source_of(*now)[1], what, source, **LIVE
    )
    for button, write in ((python, source_of), (plain, json_of)):
        written = button.click(lambda *now, write=write: _as_file(*write(*now)), what, file, **LIVE)
        written.then(None, file, None, js="googlenet.saveFile")
    return ExportPanel(link, refusal, upload)


def _as_file(name: str, text: str) -> str:
    return json.dumps({"name": name, "text": text})


def json_of(draft: Draft, *_: str) -> tuple[str, str]:
    """A file's name and its text: the network as JSON."""
    return f"{file_stem(draft.config)}.json", to_json(draft.config)


def source_of(draft: Draft, selected: str, part: str) -> tuple[str, str]:
    """A file's name and its text: the source of the network, or of the chosen module."""
    config, layer = draft.config, draft.layer_or_first(selected)
    try:
        if part == MODULE and isinstance(layer, InceptionConfig):
            return f"{layer.name}.py", to_source(layer, batch_norm=config.batch_norm)
        return f"{file_stem(config)}.py", to_source(config)
    except LabError as error:
        return f"{file_stem(config)}.py", f"# {error}\n"
