"""An endpoint: a typed function that programs and agents call, told of in one way to Gradio's clients and to MCP's."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from gradio.events import api
from pydantic import TypeAdapter

from googlenet.ui.events import rights
from googlenet.ui.events.access import Access
from googlenet.ui.events.gradio_private import describe_endpoint
from googlenet.ui.events.interruptible import interruptible
from googlenet.ui.events.refusals import api_errors

PROGRESS = "progress"  # the parameter of a function that takes long: it is no field of the endpoint


@dataclass(frozen=True)
class Endpoint:
    """`number` is Gradio's for the function; `parameters` and `result` are JSON schemas.

    One that `changes` something needs a right (events/rights.py). A `long` one tells its progress and can be
    cancelled.
    """

    name: str
    number: int
    description: str
    parameters: dict[str, dict[str, Any]]
    required: tuple[str, ...]
    defaults: dict[str, Any]
    result: dict[str, Any]
    changes: bool
    long: bool


@dataclass
class Endpoints:
    """What a page offers to programs, by name."""

    access: Access
    known: dict[str, Endpoint] = field(default_factory=dict)

    def add(self, function: Callable[..., Any], *, right: str = "", **options: Any) -> None:
        """Register `function` under its own name; `right` is what it needs, `options` are those of `gr.api`.

        Its hints (ui/api/types) say what each parameter and each field of the answer is, its docstring says the rest.
        What it refuses is a `LabError`. With a parameter `progress` it takes long: it calls that often, with the share
        done and a sentence, and lets through what it raises.
        """
        name = function.__name__
        hints = get_type_hints(function, include_extras=True)
        given = {key: each for key, each in inspect.signature(function).parameters.items() if key != PROGRESS}
        parameters = {key: schema_of(hints[key]) for key in given}
        defaults = {key: each.default for key, each in given.items() if each.default is not each.empty}
        for key, default in defaults.items():
            parameters[key] = {**parameters[key], "default": default}
        checked = api_errors(rights.needs(self.access, right)(function) if right else function)
        is_long = PROGRESS in hints
        number = describe_endpoint(
            api(interruptible(checked) if is_long else checked, api_name=name, **options),
            parameters,
            schema_of(hints["return"]),
        )
        self.known[name] = Endpoint(
            name,
            number,
            inspect.getdoc(function) or "",
            parameters,
            tuple(key for key in given if key not in defaults),
            defaults,
            schema_of(hints["return"]),
            bool(right),
            is_long,
        )


@functools.cache  # many endpoints answer alike
def schema_of(hint: Any) -> dict[str, Any]:
    """The JSON schema of a type, whole, without references; to be copied by who changes it."""
    schema = TypeAdapter(hint).json_schema()
    return _plain(schema, schema.get("$defs", {}))


def _plain(schema: Any, shared: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_plain(each, shared) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {**_plain(shared[schema["$ref"].rpartition("/")[2]], shared),
                **{key: each for key, each in schema.items() if key != "$ref"}}  # fmt: skip
    plain = {key: _plain(each, shared) for key, each in schema.items() if key not in ("$defs", "title")}
    if isinstance(schema.get("properties"), dict):  # whose keys are names, "title" among them perhaps
        plain["properties"] = {key: _plain(each, shared) for key, each in schema["properties"].items()}
    return plain
