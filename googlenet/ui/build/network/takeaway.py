"""What leaves the Build tab: a network as PyTorch source, as JSON and as a link, and the ways back in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr

from googlenet.config import GoogLeNetConfig, InceptionConfig
from googlenet.errors import LabError
from googlenet.models.codegen import to_source
from googlenet.models.draft import Draft
from googlenet.models.presets import preset
from googlenet.models.share import MAX_JSON, file_stem, from_json, to_json, to_link_text

WHOLE, MODULE = "the whole network", "the chosen module"
LIVE: dict[str, Any] = {
    "queue": False,
    "trigger_mode": "always_last",
    "show_progress": "hidden",
    "api_visibility": "private",
}
# The answer of a download: {name, text}. The browser writes the file, so none is left on the server.
SAVE = """(parcel) => {
  if (!parcel) return;
  const {name, text} = JSON.parse(parcel);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], {type: 'text/plain'}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}"""
# Browsers refuse an address that changes with every key, hence the pause; the shown link does not wait.
KEEP_IN_URL = """(network) => {
  const url = new URL(location);
  if (network) url.searchParams.set('network', network); else url.searchParams.delete('network');
  clearTimeout(window.glRememberNetwork);
  window.glRememberNetwork = setTimeout(() => {
    const now = new URL(location);
    if (network) now.searchParams.set('network', network); else now.searchParams.delete('network');
    history.replaceState(history.state, '', now);
  }, 400);
  url.search = new URLSearchParams({view: 'network', ...(network ? {network} : {})});
  return url.toString();
}"""


def read_file(file: Any) -> GoogLeNetConfig:
    """The network in an uploaded JSON file, which may be a run's config.json; `LabError` for any other file."""
    if not isinstance(file, bytes) or len(file) > MAX_JSON:
        raise LabError(f"A network description is a JSON file of up to {MAX_JSON:,} bytes.", "network")
    try:
        return from_json(file.decode())
    except UnicodeDecodeError as error:
        raise LabError("This file is no text: open a JSON file that this page has written.", "network") from error


def link_of(config: GoogLeNetConfig) -> str:
    """The text that a link carries, "" for what a visitor sees anyway."""
    return "" if config == preset("imagenet") else to_link_text(config)


@dataclass(frozen=True)
class TakeAway:
    """The components: the link's text, hidden, which every edit sets, and the button that opens a file."""

    link: gr.Textbox
    upload: gr.UploadButton


def lay_out(draft: gr.State, selected: gr.Textbox) -> TakeAway:
    """Place source, downloads and link in the column that is open, and wire them to the network `draft`."""
    link = gr.Textbox("", visible="hidden")
    parcel = gr.Textbox("", visible="hidden")
    with gr.Accordion("Take it away", open=False) as panel:
        address = gr.Textbox(
            label="Link",
            info="opens this network here again",
            interactive=False,
            buttons=["copy"],
            elem_id="network-link",
        )
        part = gr.Radio([WHOLE, MODULE], value=WHOLE, label="PyTorch source of")
        source = gr.Code(language="python", label="needs torch alone", interactive=False, max_lines=20)
        with gr.Row():
            python = gr.Button("Download source", min_width=140)
            plain = gr.Button("Download JSON", min_width=140)
            upload = gr.UploadButton("Open JSON", file_types=[".json"], type="binary", min_width=140)

    def shown(now: Draft, chosen: str, wanted: str) -> str:
        return _source(now, chosen, wanted)[1]

    what = [draft, selected, part]
    link.change(None, link, address, js=KEEP_IN_URL)
    gr.on([panel.expand, part.input, link.change, selected.change], shown, what, source, **LIVE)
    python.click(lambda *answers: _parcel(*_source(*answers)), what, parcel, **LIVE).then(None, parcel, None, js=SAVE)
    plain.click(lambda now: _parcel(f"{file_stem(now.config)}.json", to_json(now.config)), draft, parcel, **LIVE).then(
        None, parcel, None, js=SAVE
    )
    return TakeAway(link, upload)


def _parcel(name: str, text: str) -> str:
    return json.dumps({"name": name, "text": text})


def _source(draft: Draft, selected: str, part: str) -> tuple[str, str]:
    """A file's name and its text: the source of the network, or of the chosen module."""
    config, layer = draft.config, draft.layer_or_first(selected)
    try:
        if part == MODULE and isinstance(layer, InceptionConfig):
            return f"{layer.name}.py", to_source(layer, batch_norm=config.batch_norm)
        return f"{file_stem(config)}.py", to_source(config)
    except LabError as error:
        return f"{file_stem(config)}.py", f"# {error}\n"
