"""Asking an endpoint of the app itself over HTTP, so that queue, rights and refusals are those of every client."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from googlenet.errors import LabError
from googlenet.language import mark, tr

Tell = Callable[[float, str], Awaitable[None]]
ENDED = mark("The lab has ended before it could answer: ask again.")


async def ask(app: str, headers: Mapping[str, str], name: str, arguments: list[Any], tell: Tell) -> Any:
    """What the endpoint `name` of the app at `app` answers; `tell` hears its progress.

    Cancelled, it goes away, which ends the work (events/interruptible.py). Raises `LabError` with the app's sentence
    where it refuses.
    """
    place = f"{app.rstrip('/')}/gradio_api"
    async with httpx.AsyncClient(headers=dict(headers), timeout=None, trust_env=False) as http:
        joined = await http.post(f"{place}/call/{name}", json={"data": arguments})
        if joined.status_code != 200:
            raise LabError(_sentence(joined))
        event = joined.json()["event_id"]
        async with http.stream("GET", f"{place}/queue/data", params={"session_hash": event}) as stream:
            async for line in stream.aiter_lines():
                if not line.startswith("data: "):
                    continue
                message = json.loads(line[len("data: ") :])
                if message["msg"] == "progress":
                    for unit in message["progress_data"]:
                        await tell(unit.get("progress") or 0.0, unit.get("desc") or "")
                elif message["msg"] == "process_completed":
                    output = message["output"]
                    if not message["success"]:
                        raise LabError(str(output.get("error") or tr(ENDED)))
                    return output["data"][0]
    raise LabError(tr(ENDED))


def _sentence(refusal: httpx.Response) -> str:
    try:
        said = refusal.json()["detail"]
    except (ValueError, LookupError, TypeError):
        said = None
    if isinstance(said, str):
        return said
    return tr("The lab could not be asked (HTTP status {status}).", status=refusal.status_code)
