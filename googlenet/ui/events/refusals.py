"""How a `LabError` reaches a person: as an error of the API, or as a toast on the page."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from html import escape
from typing import Any, get_type_hints

import gradio as gr
from pydantic import TypeAdapter, ValidationError

from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.ui.events.access import hide_paths
from googlenet.ui.events.gradio_private import gradio_error, warnings_are_lost


def api_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` for `gr.api`: what it refuses, a value of another type than its hint too, is one sentence."""

    @functools.cache
    def types() -> dict[str, TypeAdapter[Any]]:
        return {name: TypeAdapter(hint) for name, hint in get_type_hints(function).items()}

    @functools.wraps(function)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            given = inspect.signature(function).bind(*arguments, **options).arguments
            for name, value in given.items():
                _check_type(name, value, types()[name])
            return function(*arguments, **options)
        except LabError as error:
            raise gradio_error(str(error)) from error

    return run


def _check_type(name: str, value: Any, type_of: TypeAdapter[Any]) -> None:
    try:
        type_of.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]["msg"]
        said = {"name": name, "why": f"{first[:1].lower()}{first[1:]}", "value": str(value)[:40]}
        raise LabError(tr("{name}: {why}, not {value!r}.", **said), name) from error


def sent(event: gr.EventData, name: str) -> Any:
    """What the page's JavaScript sent as `name` with an event; None when it sent nothing of that name."""
    try:
        return getattr(event, name, None)
    except TypeError:  # it sent no object at all
        return None


def toast(error: LabError) -> None:
    """Say it on the page. A toast shows HTML, and the name of a file may hold some."""
    sentence = escape(hide_paths(str(error)), quote=False)
    if warnings_are_lost():
        raise gradio_error(sentence) from error
    gr.Warning(sentence)
