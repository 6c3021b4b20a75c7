"""Lesson 0: why a module has several windows, on the activations of a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from googlenet.errors import LabError, check_choice
from googlenet.language import mark, tr
from googlenet.runs import find_checkpoint
from googlenet.ui.common import figures
from googlenet.ui.common.layout import html
from googlenet.ui.common.pictures import data_uri
from googlenet.ui.common.templates import render
from googlenet.ui.events.access import hide_paths
from googlenet.ui.events.cores import share_cores

if TYPE_CHECKING:
    from googlenet.inference.inside.fields import Box

SHAPES = {"square": mark("a square"), "circle": mark("a circle"), "star": mark("a star")}
PICTURES = {
    "ship": mark("the picture of a ship"),
    "cat": mark("the picture of a cat"),
    "frog": mark("the picture of a frog"),
    "truck": mark("the picture of a truck"),
}
MODULES = [("3a", "inception3a"), ("3b", "inception3b"), ("4a", "inception4a"), ("4b", "inception4b")]
EXAMPLES = Path(__file__).parents[2] / "static" / "examples"


def look(checkpoints: Path, thing: Any, module: Any) -> str:
    """HTML: the object at its sizes, the windows on it, and what each branch makes of it; a refusal is a sentence."""
    try:
        check_choice(thing, "object", (*SHAPES, *PICTURES))
        checkpoint = find_checkpoint(checkpoints, "")
        share_cores(checkpoints)
        from PIL import Image

        from googlenet.inference.classifier import load_classifier  # imports torch
        from googlenet.inference.inside.scales import BLIND, look_at_scales

        network = load_classifier(checkpoint.path)
        what = Image.open(EXAMPLES / f"{thing}.jpg") if thing in PICTURES else thing
        found = look_at_scales(network, what, str(module))
    except LabError as error:
        return figures.message(hide_paths(str(error)))
    most = max(change for scale in found.scales for change in scale.changes.values()) or 1.0
    pictures = [data_uri(Image.fromarray(scale.picture.permute(1, 2, 0).numpy())) for scale in found.scales]
    # Two branches with the same window are drawn as two lines, one inside the other.
    boxes = {branch: (box.left, box.top, box.width) for branch, box in found.windows.items()}
    side = network.info.network.input_size
    view = _middle(max(found.windows.values(), key=lambda box: box.width), side)
    return render(
        "lessons/why.html",
        found=found,
        rows=list(zip(found.scales, pictures, strict=True)),
        most=most,
        boxes=boxes,
        side=side,
        view=view,
        line=view[2] / 70,
        blind=BLIND,
        network=checkpoint.name,
    )


def _middle(widest: Box, side: int) -> tuple[int, int, int, int]:
    """The part of the picture to draw, as left, top, width and height: the widest window and a little around it."""
    shown = min(side, widest.width + max(4, widest.width // 3))
    left, top = ((low + high - shown) // 2 for low, high in (widest[::2], widest[1::2]))
    return min(max(left, 0), side - shown), min(max(top, 0), side - shown), shown, shown


def why_panel(checkpoints: Path) -> gr.Column:
    """Lay out the lesson and wire it; returns its box."""

    def show(thing: Any, module: Any) -> str:
        return look(checkpoints, thing, module)

    with gr.Column(visible=False, elem_id="why") as box, gr.Row():
        with gr.Column(scale=1, min_width=260):
            html(render("lessons/why_intro.html"))
            things = [(tr(text), name) for name, text in (SHAPES | PICTURES).items()]
            thing = gr.Dropdown(things, value="square", label=tr("Object"), elem_id="why-object")
            module = gr.Radio(MODULES, value="inception3a", label=tr("Module"))
            start = gr.Button(tr("Look"), variant="primary")
        with gr.Column(scale=3, min_width=320):
            shown = html(render("lessons/why_empty.html"))
    work: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "classify", "show_progress": "minimal",
                            "trigger_mode": "always_last"}  # fmt: skip
    gr.on([start.click, thing.input, module.input], show, [thing, module], shown, **work)
    return box
