"""Which endpoints are tools, how an agent reads of them, and how what it sends becomes an endpoint's arguments."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import mimetypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.ui.api.endpoint import Endpoint, Endpoints
from googlenet.ui.classify.shared import received
from googlenet.ui.events.gradio_private import keep_file, upload_folder

FILE = "gradio.FileData"  # in the schema of a parameter that takes a file
UPLOAD = "/gradio_api/upload"
INSTRUCTIONS = (
    "GoogLeNet Lab: what Inception modules and networks cost, trainings and what they reached, and what a network says "
    "of a picture and why. Begin with list_checkpoints and list_runs. Shapes are channels × height × width, shares and "
    "probabilities go from 0 to 1. A refusal is one sentence that says what to do. Long tools tell their progress and "
    "can be cancelled."
)


def tools(endpoints: Endpoints, *, write: bool) -> dict[str, Endpoint]:
    """The endpoints that an agent may call, by name: those that change something only with `write`."""
    return {name: one for name, one in endpoints.known.items() if write or not one.changes}


def input_schema(endpoint: Endpoint) -> dict[str, Any]:
    """What a tool takes; a file is a text."""
    properties = {name: _for_text(schema) for name, schema in endpoint.parameters.items()}
    return {
        "type": "object",
        "properties": properties,
        "required": list(endpoint.required),
        "additionalProperties": False,
    }


def _for_text(schema: dict[str, Any]) -> dict[str, Any]:
    if not _takes_file(schema):
        return schema
    how = (
        "as a data: address (data:image/png;base64,…, up to 3 MB), or as the path with which the lab answers a POST of "
        f"the file to {UPLOAD} (curl -F files=@FILE)"
    )
    what = schema.get("description", "").partition(": in Python")[0]
    text = {"type": "string", "description": f"{what}, {how}"}
    if schema.get("type") != "array":
        return text
    return {"type": "array", "items": {"type": "string"}, "minItems": 1, "description": f"{what}, each {how}"}


def _takes_file(schema: dict[str, Any]) -> bool:
    return FILE in json.dumps(schema)


@contextlib.contextmanager
def arguments_of(endpoint: Endpoint, given: dict[str, Any]) -> Iterator[list[Any]]:
    """The endpoint's arguments in order; pictures that came as text are files until the block ends.

    Raises `LabError` for one that is missing, one that there is not, and a picture that has not arrived.
    """
    known = ", ".join(endpoint.parameters) or tr("nothing")
    for name in given:
        if name not in endpoint.parameters:
            raise LabError(
                tr("{tool} takes no {name!r}: it takes {known}.", tool=endpoint.name, name=name[:40], known=known), name
            )
    for name in endpoint.required:
        if name not in given:
            raise LabError(
                tr("{tool} needs {name}: it takes {known}.", tool=endpoint.name, name=name, known=known), name
            )
    written: list[Path] = []
    try:
        values = []
        for name, schema in endpoint.parameters.items():
            value = given.get(name, endpoint.defaults.get(name))
            if _takes_file(schema):
                many = schema.get("type") == "array"
                if not isinstance(value, list if many else str):
                    if many:
                        raise LabError(tr("{name}: send a list of texts, as its description says.", name=name))
                    raise LabError(tr("{name}: send a text, as its description says.", name=name))
                value = [_file(name, one, written) for one in value] if many else _file(name, value, written)
            values.append(value)
        yield values
    finally:
        for path in written:
            path.unlink(missing_ok=True)


def _file(name: str, text: Any, written: list[Path]) -> dict[str, str]:
    """A file that has arrived, as Gradio's clients name it."""
    if not isinstance(text, str) or not text.startswith("data:"):
        try:
            path = received({"path": text})
        except LabError as error:
            raise LabError(
                tr(
                    "{name}: no such picture has arrived: send it as a data: address, or POST it to {address} and send "
                    "the path that this answers.",
                    name=name,
                    address=UPLOAD,
                ),
                name,
            ) from error
        return {"path": str(path), "orig_name": path.name}
    head, _, body = text.partition(",")
    try:
        content = base64.b64decode(body, validate=True)
        if not head.endswith(";base64"):
            raise ValueError
    except (ValueError, binascii.Error) as error:
        sentence = tr("{name}: this data: address is not in base64: write data:image/png;base64,….", name=name)
        raise LabError(sentence, name) from error
    kind = head.removeprefix("data:").partition(";")[0]
    called = f"picture-{len(written) + 1}{mimetypes.guess_extension(kind) or '.png'}"
    path = keep_file(content, called, upload_folder())
    written.append(path)
    return {"path": str(path), "orig_name": called}
