"""Classify: why this class and not another."""

from __future__ import annotations

from googlenet.ui.classify.shared import Shared


def why_panel(shared: Shared) -> None:
    """Lay out the view and wire it."""
