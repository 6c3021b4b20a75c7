"""How a `LabError` reaches a person: as an error of the API, or as a toast on the page."""

from __future__ import annotations

import functools
from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr

from googlenet.errors import LabError


def api_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` for `gr.api`: what it refuses reaches the client as one sentence."""

    @functools.wraps(function)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except LabError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return run


def sent(event: gr.EventData, name: str) -> Any:
    """What the page's JavaScript sent as `name` with an event; None when it sent nothing of that name."""
    try:
        return getattr(event, name, None)
    except TypeError:  # it sent no object at all
        return None


def toast(error: LabError) -> None:
    """Say it on the page. A toast shows HTML, and the name of a file may hold some."""
    gr.Warning(escape(str(error), quote=False))
