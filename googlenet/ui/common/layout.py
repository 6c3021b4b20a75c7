"""What tabs lay out and wire again and again."""

from __future__ import annotations

from typing import Any

import gradio as gr

from googlenet.ui.events.long_work import PRIVATE

# For events that answer while somebody types or slides: the last value always counts.
LIVE: dict[str, Any] = {**PRIVATE, "trigger_mode": "always_last"}


def html(value: str, *classes: str, **options: Any) -> gr.HTML:
    """A place for the lab's own HTML, without Gradio's paddings."""
    return gr.HTML(value, apply_default_css=False, elem_classes=["gl-html", *classes], **options)


def refusal_slot() -> gr.HTML:
    """Where a refusal is explained, beside the fields it is about; takes no room while there is none."""
    return html("", "gl-slot", "gl-refusal")


def unseen(value: str = "") -> gr.Textbox:
    """A text that the page's events hand on. Gradio shows a hidden one that is filled before its place is mounted."""
    return gr.Textbox(value, visible="hidden", elem_classes="gl-unseen")
