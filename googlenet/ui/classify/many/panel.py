"""Classify, Many pictures."""

from __future__ import annotations

import gradio as gr

from googlenet.ui.classify.shared import Shared


def many_panel(shared: Shared, controls: gr.Column, answers: gr.Column) -> None:
    """Lay out the view and wire it."""
