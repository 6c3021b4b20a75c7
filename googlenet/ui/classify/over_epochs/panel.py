"""Classify: one picture through every checkpoint of a run."""

from __future__ import annotations

from googlenet.ui.classify.shared import Shared


def epochs_panel(shared: Shared) -> None:
    """Lay out the view and wire it."""
