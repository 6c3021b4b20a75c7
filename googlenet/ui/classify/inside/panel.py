"""Classify, See inside: a picture on its way through the network."""

from __future__ import annotations

from googlenet.ui.classify.shared import Shared


def inside_panel(shared: Shared) -> None:
    """Lay out the view and wire it."""
