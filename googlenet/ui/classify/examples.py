"""Pictures to try in Classify: some of CIFAR-10's classes, so that the first answer can be right, and some of none."""

from __future__ import annotations

import base64
import functools
import io
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.media import get_image

from googlenet.errors import check_choice
from googlenet.language import tr
from googlenet.ui.common.layout import html
from googlenet.ui.common.templates import render
from googlenet.ui.events.gradio_private import keep_file
from googlenet.ui.events.long_work import PRIVATE, refusable
from googlenet.ui.events.refusals import sent

FOLDER = Path(__file__).parents[1] / "static" / "examples"  # with SOURCES.md
OF_CIFAR = ("ship", "cat", "airplane", "frog", "truck", "bird", "automobile", "deer")
OF_NONE = {"bus": "bus.png", "cheetah": "cheetah1.jpg", "lion": "lion.jpg"}  # Gradio brings them along
SIDE = 96  # pixels of a thumbnail


def examples(picture: gr.Image) -> None:
    """Lay out the pictures to try; one that is chosen is put into `picture`."""
    script = "googlenet.onPressed(element, 'example', (data) => trigger('choose', data))"
    gallery = html(_gallery(), js_on_load=script)

    @refusable(1)
    def put(event: gr.EventData) -> Any:
        path = example(str(sent(event, "example")))
        return str(keep_file(path.read_bytes(), path.name, Path(picture.GRADIO_CACHE)))

    gallery.choose(put, None, picture, **PRIVATE)


def example(name: str) -> Path:
    """The file of the picture called `name`; `LabError` when there is none."""
    check_choice(name, "example", (*OF_CIFAR, *OF_NONE))
    return Path(get_image(OF_NONE[name])) if name in OF_NONE else FOLDER / f"{name}.jpg"


def _gallery() -> str:
    groups = [
        (tr("Pictures to try, of CIFAR-10's classes"), OF_CIFAR),
        (tr("Of none of its classes"), tuple(OF_NONE)),
    ]
    return render(
        "classify/examples.html",
        groups=[(words, [(name, _thumbnail(name)) for name in names]) for words, names in groups],
    )


@functools.cache
def _thumbnail(name: str) -> str:
    from googlenet.data.images import fit_image, read_image

    buffer = io.BytesIO()
    fit_image(read_image(example(name)), SIDE).save(buffer, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
