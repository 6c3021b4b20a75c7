"""Agents by the Model Context Protocol, with the `mcp` package's own client."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from examples import FROG, ROOT
from mcp import ClientSession, types
from mcp.client.streamable_http import streamable_http_client

from googlenet.errors import LabError
from googlenet.inference import evaluate
from googlenet.ui.api.agents import server

READ = {
    "inspect_module",
    "inspect_network",
    "run_status",
    "list_runs",
    "list_checkpoints",
    "queue",
    "select_run",
    "evaluate_checkpoint",
    "classify",
    "classify_many",
    "explain",
    "inside",
}
WRITE = {
    "start_training",
    "stop_training",
    "extend_run",
    "set_rate",
    "set_patience",
    "keep_checkpoint",
    "bring_run",
    "promote_checkpoint",
    "queue_training",
    "queue_sweep",
    "cancel_queued",
    "move_queued",
    "pause_queue",
}
DATA = "data:image/jpeg;base64," + base64.b64encode(FROG.read_bytes()).decode()


@pytest.fixture(scope="module")
def url(lab: Path, serve: Any) -> Iterator[str]:
    with serve(lab, mcp=False) as (_, url):
        yield url


def talk(url: str, what: Callable[[ClientSession], Awaitable[Any]], auth: Any = None) -> Any:
    """What `what` returns, in a session of its own."""

    async def session() -> Any:
        http = httpx.AsyncClient(auth=auth, timeout=120)
        async with (
            http,
            streamable_http_client(f"{url}mcp", http_client=http) as (read, write, _),
            ClientSession(read, write) as lab,
        ):
            await lab.initialize()
            return await what(lab)

    return asyncio.run(session())


def said(answer: types.CallToolResult) -> str:
    (text,) = answer.content
    assert isinstance(text, types.TextContent)
    return text.text


def test_an_agent_finds_tools_that_only_look(url: str) -> None:
    tools = {tool.name: tool for tool in talk(url, lambda lab: lab.list_tools()).tools}
    assert set(tools) == READ
    for name, tool in tools.items():
        assert tool.annotations is not None
        assert tool.annotations.readOnlyHint, name
        assert len(tool.description or "") > 40, name
        assert tool.outputSchema is not None, name
        for parameter, schema in tool.inputSchema["properties"].items():
            assert schema.get("description"), (name, parameter)


def test_an_agent_asks(url: str) -> None:
    uploaded = httpx.post(f"{url}gradio_api/upload", files={"files": FROG.read_bytes()}).json()[0]
    heard: list[str] = []

    async def hear(share: float, total: float | None, text: str | None) -> None:
        heard.append(text or "")

    async def ask(lab: ClientSession) -> list[types.CallToolResult]:
        explained = {"image": DATA, "checkpoint": "tried/best"}
        return [
            await lab.call_tool("inspect_module", {"height": 14}),
            await lab.call_tool("classify", {"image": DATA, "checkpoint": "googlenet-cifar10"}),
            await lab.call_tool("classify_many", {"files": [DATA, uploaded], "checkpoint": "googlenet-cifar10"}),
            await lab.call_tool("explain", explained, progress_callback=hear),
        ]

    module, one, many, why = [answer.structuredContent for answer in talk(url, ask)]
    assert module["out_shape"] == [256, 14, 28]
    assert one["top"][0]["class"] == "frog"
    assert [row["answer"] for row in many["rows"]] == ["frog", "frog"]
    assert why["method"] == "occlusion"
    assert heard  # how often depends on how fast it is
    assert set(heard) <= {"covering parts of the picture", "taking the picture apart"}


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("start_training", {"data": "shapes"}, "it changes something, and this lab was started without --mcp-write"),
        ("no_tool", {}, "There is no tool 'no_tool' here: see tools/list."),
        ("run_status", {"run": "nobody"}, "There is no run called nobody"),
        ("run_status", {"run": 5}, "run: input should be a valid string"),
        ("run_status", {}, "run_status needs run: it takes run."),
        ("run_status", {"run": "tried", "name": "x"}, "run_status takes no 'name'"),
        ("classify", {"image": str(FROG)}, "image: no such picture has arrived"),
        ("classify", {"image": "data:image/png;base64,?"}, "image: this data: address is not in base64"),
        ("classify", {"image": "data:image/png;base64,AAAA"}, "is not a picture"),
        ("classify_many", {"files": DATA}, "files: send a list of texts"),
        ("inspect_module", {"height": 0}, "must be a whole number from 1 to 1,024"),
    ],
)
def test_a_refusal_is_one_sentence(url: str, tool: str, arguments: dict[str, Any], sentence: str) -> None:
    answer = talk(url, lambda lab: lab.call_tool(tool, arguments))
    assert answer.isError
    assert sentence in said(answer)
    assert "\n" not in said(answer)


def test_an_agent_that_cancels_ends_the_work(lab: Path, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for device in evaluate.BATCH:
        monkeypatch.setitem(evaluate.BATCH, device, 4)

    async def cancel(session: ClientSession) -> float:
        heard = asyncio.Event()

        async def hear(share: float, total: float | None, text: str | None) -> None:
            if (text or "").startswith("Judged"):
                heard.set()

        number = session._request_id
        call = asyncio.create_task(
            session.call_tool("evaluate_checkpoint", {"checkpoint": "slow"}, progress_callback=hear)
        )
        await asyncio.wait_for(heard.wait(), 60)
        params = types.CancelledNotificationParams(requestId=number)
        await session.send_notification(types.ClientNotification(types.CancelledNotification(params=params)))
        with pytest.raises(Exception, match="cancelled"):
            await call
        started = time.monotonic()  # the same queue takes the next one
        answer = await session.call_tool("evaluate_checkpoint", {"checkpoint": "tried/best"})
        assert not answer.isError, said(answer)
        return time.monotonic() - started

    with serve(lab, mcp=False) as (_, url):
        assert talk(url, cancel) < 10  # the whole of slow takes longer than that


def test_with_write_an_agent_may_start_and_stop(lab: Path, serve: Any) -> None:
    async def ask(session: ClientSession) -> Any:
        tools = (await session.list_tools()).tools
        return tools, await session.call_tool("stop_training", {"run": "tried"})

    with serve(lab, mcp=True) as (_, url):
        tools, stopped = talk(url, ask)
    assert {tool.name for tool in tools} == READ | WRITE
    assert {tool.name for tool in tools if not tool.annotations.readOnlyHint} == WRITE
    assert stopped.isError == ("is not running" in said(stopped) or "not being trained" in said(stopped))


def test_a_password_is_asked_of_agents_too(lab: Path, serve: Any) -> None:
    with serve(lab, mcp=False, auth=("ann", "secret")) as (_, url):
        assert httpx.post(f"{url}mcp", json={}).status_code == 401
        assert httpx.post(f"{url}mcp", json={}, auth=("ann", "wrong")).status_code == 401
        assert httpx.post(f"{url}mcp", json={}, headers={"authorization": "Basic ?"}).status_code == 401
        answer = talk(url, lambda lab: lab.call_tool("list_runs", {}), auth=httpx.BasicAuth("ann", "secret"))
    assert not answer.isError, said(answer)
    assert answer.structuredContent["total"] == 1


def test_no_other_sites_page_and_no_other_name_gets_in(url: str) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = {"accept": "application/json, text/event-stream"}
    assert httpx.post(f"{url}mcp", json=ping, headers={**accept, "host": "evil.example"}).status_code == 403
    assert httpx.post(f"{url}mcp", json=ping, headers={**accept, "origin": "http://evil.example"}).status_code == 403
    assert "MCP clients" in httpx.get(f"{url}mcp").text


def test_without_mcp_there_is_no_such_address(lab: Path, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_MCP_SERVER", "true")  # Gradio's own, which knows no read-only tools
    with serve(lab) as (_, url):
        assert httpx.post(f"{url}mcp", json={}).status_code in (404, 405)
        assert httpx.post(f"{url}gradio_api/mcp/", json={}).status_code in (404, 405)


def test_the_command_line_refuses_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.run(
        [sys.executable, "app.py", "--mcp-write", "--read-only"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "contradict" in done.stderr
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(LabError, match=r"pip install"):
        server.check_installed()
