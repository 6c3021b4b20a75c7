"""HTML from `templates/`: Jinja2 escapes every value that is not itself rendered here, so no caller has to."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parents[1] / "templates"


@functools.cache
def _environment() -> Environment:
    from googlenet.ui.common import figures  # which draws with templates itself

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,  # a misspelt name fails its test instead of leaving a gap
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    names = ("count", "si", "multiply_adds", "shape", "size", "duration", "percent")
    environment.filters |= {name: getattr(figures, name) for name in names}
    return environment


def render(template: str, **values: Any) -> Markup:
    """The template's HTML: `render("train/status.html", run=…)`. A `Markup` goes into another template as it is."""
    return Markup(_environment().get_template(template).render(**values))


@functools.cache
def macros(template: str) -> Any:
    """The template's macros as functions that give `Markup`: `macros("common/figures.html").cards(…)`."""
    return _environment().get_template(template).module
