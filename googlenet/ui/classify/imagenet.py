"""Getting the 1,000-class network at the press of a button: progress, a way out, one sentence when it cannot be had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.models.presets import TORCHVISION
from googlenet.runs import list_checkpoints
from googlenet.ui.common.layout import html, refusal_slot
from googlenet.ui.common.templates import render
from googlenet.ui.events.access import Access
from googlenet.ui.events.long_work import PRIVATE, Cancellation, finally_, refusable
from googlenet.ui.events.rights import needs

OFFER = mark("Get the 1,000-class network")
WORK: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "fetch", "show_progress": "full"}
PROGRESS = gr.Progress()


def imagenet_panel(
    checkpoints: Path, access: Access, network: gr.Dropdown, look: Callable[[str], Any]
) -> tuple[gr.Column, Callable[[], Any], Any]:
    """Lay out the offer, which is there until the network is.

    Returns its column, what shows it or not, and the event after which `network` is set to the new one. `look` gives
    the dropdown anew, with the network chosen that it is given. On a page that others can reach nobody may start the
    download: it says how the owner does.
    """
    cancellation = Cancellation()
    with gr.Column(visible=False, elem_classes="gl-offer", elem_id="imagenet-offer") as offer:
        get = gr.Button(tr(OFFER), size="sm", visible=not access.confined)
        words = html(render("classify/offer.html", public=access.confined))
        cancel = gr.Button(tr("Cancel"), size="sm", visible=False, min_width=90)
        said = refusal_slot()

    @refusable(2, place=1, cancelled=mark("Cancelled: nothing of it was kept."))
    @needs(access, "fetch")
    def fetch(request: gr.Request, progress: gr.Progress = PROGRESS) -> Any:
        fetch_for(checkpoints, access, cancellation.listen(request, progress))
        return look(TORCHVISION), ""

    def appear() -> Any:
        return gr.Column(visible=not is_listed(checkpoints))

    cancel.click(cancellation.cancel, None, None, **PRIVATE)
    begin = cancellation.at_start(lambda: [gr.Button(interactive=False), gr.Button(visible=True), ""])
    started = get.click(begin, None, [get, cancel, said], **PRIVATE)
    done = started.then(fetch, None, [network, said], show_progress_on=words, **WORK)

    def end() -> list[Any]:
        return [gr.Button(interactive=True), gr.Button(visible=False), appear()]

    over = finally_(done, end, None, [get, cancel, offer], **PRIVATE)
    return offer, appear, over


def is_listed(checkpoints: Path) -> bool:
    """Whether the network can be chosen already."""
    return any(checkpoint.name == TORCHVISION for checkpoint in list_checkpoints(checkpoints))


def fetch_for(checkpoints: Path, access: Access, progress: Any) -> None:
    """Bring the network here for a visitor; `LabError` on a page that others can reach."""
    if access.confined:
        raise LabError(
            tr(
                "Others can reach this page, so it downloads nothing: its owner gets the network with "
                "python -m googlenet fetch imagenet."
            )
        )
    from googlenet.inference.imagenet import fetch

    fetch(checkpoints, progress)
