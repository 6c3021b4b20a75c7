"""HTML from `templates/`: Jinja2 escapes every value that is not itself rendered here, so no caller has to.

Gradio's own templates (`gr.HTML(html_template=…)`, Handlebars, data as the value) were tried on the module's drawing
and its table of steps. They spare the server 0.5 of 1.2 ms and send 22 kB in place of 27, but the browser compiles the
template again for every answer (90 ms from the answer to the picture, in place of 76) and runs the result as a template
literal: a value of `${…}`, say in a file's name, is executed. The templates are as long; Python, which has to turn
everything into plain JSON types with every number written out, is longer.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from googlenet.language import tr, trn

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
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True  # a long text may be broken into lines
    one_or_many = lambda one, many, n: trn(one, many, n)  # noqa: E731
    environment.install_gettext_callables(tr, one_or_many, newstyle=True)  # pyright: ignore  (of the extension)
    filters = ("count", "si", "multiply_adds", "shape", "size", "duration", "percent", "sentence")
    environment.filters |= {name: getattr(figures, name) for name in filters}
    names = ("BRANCH_CLASSES", "stacked_bar")
    environment.globals |= {name: getattr(figures, name) for name in names} | {"tr": tr, "trn": trn}
    return environment


def render(template: str, **values: Any) -> Markup:
    """The template's HTML: `render("train/status.html", run=…)`. A `Markup` goes into another template as it is."""
    return Markup(_environment().get_template(template).render(**values))


@functools.cache
def macros(template: str) -> Any:
    """The template's macros as functions that give `Markup`: `macros("common/figures.html").cards(…)`."""
    return _environment().get_template(template).module
