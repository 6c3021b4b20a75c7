"""The MCP server beside the page, at /mcp: the `mcp` package speaks the protocol, the app's endpoints answer."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import AsyncIterator
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from anyio import ClosedResourceError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from googlenet import __version__
from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.ui.api.agents.asking import ask
from googlenet.ui.api.agents.tools import INSTRUCTIONS, arguments_of, input_schema, tools
from googlenet.ui.events.gradio_private import login_cookie

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from googlenet.ui.app import LabPage

PATH = "/mcp"
FORWARDED = ("cookie", "user-agent")  # of an agent's request: by the cookie a class page knows whose run it is
MISSING = '--mcp needs the package mcp, from 1.30: pip install "mcp>=1.30,<2".'


def check_installed() -> None:
    """Raise `LabError` where the package that speaks the protocol is missing."""
    if sys.modules.get("mcp", ...) is None or find_spec("mcp") is None or _version() < (1, 30):
        raise LabError(MISSING, "mcp")


def _version() -> tuple[int, ...]:
    return tuple(int(part) for part in version("mcp").split(".")[:2] if part.isdecimal())


def add_mcp(options: dict[str, Any], demo: LabPage, *, write: bool) -> None:
    """Let the page launched with `options` (page.py) speak MCP too; with `write`, also change things.

    Other sites' pages are kept out of it as of everything else (guard.py).
    """
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    manager = StreamableHTTPSessionManager(_server(demo, write=write), max_sessions=256)

    # The package logs a traceback whenever a client leaves.
    logging.getLogger("mcp.server.streamable_http").addFilter(_is_no_farewell)

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        async with manager.run():
            yield

    options["app_kwargs"]["routes"].append(Route(PATH, _Door(manager)))
    options["app_kwargs"]["lifespan"] = lifespan


def _is_no_farewell(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], ClosedResourceError))


class _Door:
    """Lets in whom the page would let in."""

    def __init__(self, manager: Any) -> None:
        self.manager = manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if login_cookie(request) is None:
            challenge = {"WWW-Authenticate": 'Basic realm="GoogLeNet Lab"'}
            said = "This lab asks for a name and a password: send them as HTTP Basic authorization."
            answer: Response = PlainTextResponse(said, 401, challenge)
        elif request.method == "GET" and "text/event-stream" not in request.headers.get("accept", ""):
            answer = PlainTextResponse("This address is for MCP clients: give it to your agent. The page is at /.")
        else:
            await self.manager.handle_request(scope, receive, send)
            return
        await answer(scope, receive, send)


def _server(demo: LabPage, *, write: bool) -> Server[Any, Any]:
    from mcp import types
    from mcp.server.lowlevel import Server

    offered = tools(demo.endpoints, write=write)
    server: Server[Any, Any] = Server("GoogLeNet Lab", __version__, INSTRUCTIONS)

    @server.list_tools()
    async def list_tools() -> list[types.Tool]:
        return [
            types.Tool(
                name=name,
                description=one.description,
                inputSchema=input_schema(one),
                outputSchema=one.result,
                annotations=types.ToolAnnotations(
                    readOnlyHint=not one.changes,
                    destructiveHint=name == "promote_checkpoint",
                    openWorldHint=False,
                ),
            )
            for name, one in offered.items()
        ]

    @server.call_tool(validate_input=False)  # the lab's own sentences say more
    async def call_tool(name: str, given: dict[str, Any]) -> types.CallToolResult:
        if name not in offered:
            known = name in demo.endpoints.known
            if known:
                why = tr("it changes something, and this lab was started without --mcp-write")
                raise LabError(tr("There is no tool {name!r} here: {why}.", name=name[:60], why=why))
            raise LabError(tr("There is no tool {name!r} here: see tools/list.", name=name[:60]))
        context, app = server.request_context, demo.local_url
        if context.request is None or not app:  # neither happens over HTTP
            raise LabError(tr("The lab is not open yet: ask again."))
        token = context.meta.progressToken if context.meta else None

        async def tell(share: float, text: str) -> None:
            if token is not None:
                to = str(context.request_id)
                await context.session.send_progress_notification(token, share, 1.0, text, related_request_id=to)

        headers = {key: context.request.headers[key] for key in FORWARDED if key in context.request.headers}
        if cookie := login_cookie(context.request):
            headers["cookie"] = "; ".join(filter(None, [headers.get("cookie"), cookie]))
        with arguments_of(offered[name], given) as arguments:
            answer = await ask(app, headers, name, arguments, tell)
        text = types.TextContent(type="text", text=json.dumps(answer, ensure_ascii=False))
        return types.CallToolResult(content=[text], structuredContent=answer)

    return server
