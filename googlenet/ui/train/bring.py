"""Train, Bring: weights or a table of metrics from elsewhere, kept beside the runs of this lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.runs import Run
from googlenet.runs.exchange import bring, name_for
from googlenet.ui.common.figures import message
from googlenet.ui.common.layout import html, refusal_slot
from googlenet.ui.events import rights
from googlenet.ui.events.access import Access
from googlenet.ui.events.gradio_private import upload_folder
from googlenet.ui.events.long_work import refusable

MOST = 300_000_000  # bytes of weights on a page; on the command line there is room for more


def bring_run(checkpoints: Path, access: Access, path: Path, name: str, shown: str) -> str:
    """Keep what a visitor sent; what it is called now, in a sentence. Refused where visitors may not."""
    rights.check(access, "bring")
    name = (name or "").strip() or name_for(shown)
    if not access.each_their_own:
        return bring(path, checkpoints, name, shown=shown, most=MOST)
    said: list[str] = []

    def keep(_: str) -> Run:
        if not shown.lower().endswith(".csv"):
            raise LabError(tr("Where visitors share a lab, metrics can be brought as CSV, and no weights."), "file")
        said.append(bring(path, checkpoints, name, shown=shown, most=MOST))
        return Run(checkpoints, name)

    rights.start_own(access, checkpoints, keep)
    return said[0]


def sent_file(value: Any) -> tuple[Path, str]:
    """Where Gradio has put an upload, and its name; `LabError` for any other path that a client writes."""
    try:
        path = Path(str(value)).resolve()
        if path.is_relative_to(upload_folder()) and path.is_file():
            return path, path.name
    except (ValueError, OSError):
        pass
    raise LabError(tr("No file has arrived: choose one first."), "file")


class Bring:
    """Its components, within All runs."""

    def __init__(self, checkpoints: Path, access: Access) -> None:
        self.checkpoints, self.access = checkpoints, access
        with gr.Accordion(tr("Bring weights or metrics from elsewhere"), open=False, visible=access.may_change):
            hint = tr(
                "Weights as .safetensors, written by a lab like this one, or metrics as CSV with a line of names such "
                "as Epoch,Accuracy,Loss. A run's folder, copied into checkpoints/, needs no upload."
            )
            html(f"<p class='gl-note'>{hint}</p>")
            self.said = refusal_slot()
            with gr.Row():
                self.name = gr.Textbox(
                    label=tr("Its name here"), info=tr("empty: the name of the file"), max_length=64, min_width=160
                )
                self.upload = gr.UploadButton(tr("Choose a file"), type="filepath", size="sm", min_width=120)

    def wire(self, refresh: Any, inputs: list[Any], outputs: list[Any]) -> Dependency:
        """Its event, after which `refresh` shows the table of `inputs` in `outputs`; returns that event."""

        @refusable(2, place=0)
        @rights.needs(self.access, "bring")
        def take(file: Any, name: str) -> list[Any]:
            path, shown = sent_file(file)
            return [message(bring_run(self.checkpoints, self.access, path, name, shown), "done"), ""]

        brought = self.upload.upload(
            take, [self.upload, self.name], [self.said, self.name], api_visibility="private", show_progress="minimal"
        )
        return brought.then(refresh, inputs, outputs, api_visibility="private", queue=False, show_progress="hidden")
