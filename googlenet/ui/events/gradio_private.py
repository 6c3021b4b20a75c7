"""All that the lab needs of Gradio 6 and Gradio does not promise; tests/ui/test_api.py tries it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.components.api_component import Api
from gradio.context import LocalContext, get_blocks_context
from gradio.data_classes import BlocksConfigDict, PredictBodyInternal
from gradio.events import Dependency
from gradio.processing_utils import save_bytes_to_cache
from gradio.route_utils import FnIndexInferError
from gradio.state_holder import StateHolder
from gradio.utils import get_upload_folder
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from googlenet.errors import LabError
from googlenet.language import SCRIPTS, catalogue, language, mark, speaking, tr
from googlenet.ui.events.access import hide_paths
from googlenet.ui.events.spared import for_a_page
from googlenet.ui.spoken import spoken

MISFIT = mark("What was sent does not fit this form: reload the page, or read the API's description.")

FULL = mark("Too many questions are waiting for an answer: ask again in a few seconds.")

VISITOR = "googlenet-visitor"  # the name of a cookie

# For `launch`, which else asks its own page and gives the start up where a busy machine takes over three seconds.
UNCHECKED = {"_frontend": False}

_BUILDING = threading.Lock()  # one builds a page in another language, and the others wait for it

PASSING = 256  # more than may be waiting and answered at once


def gradio_error(sentence: str) -> gr.Error:
    """What tells a client `sentence`, without the paths of this machine, and leaves no traceback in the log."""
    return gr.Error(hide_paths(sentence), print_exception=False)


class Page(gr.Blocks):
    """`gr.Blocks`, except that it speaks each visitor's language, and that one sentence answers what is sent amiss.

    Gradio's own checks (an unknown choice, a wrong type, too few values) print a traceback, and most say only "null".
    `again` builds the same page once more: its texts are those of the language that is spoken meanwhile.
    """

    again: Callable[[], Page] | None = None

    @property
    def config(self) -> BlocksConfigDict:
        """The page's description, in the reader's language.

        `gr.I18n` would let the browser translate labels one by one, but neither HTML nor choices, and knows no switch.
        So the page is built a second time when the first reader of another language comes, and lends its texts: the
        same components in the same order, whose events stay those of the first.
        """
        if self._config is None:
            config = cast(dict[str, Any], super().get_config_file())
            self._config = cast(BlocksConfigDict, for_a_page(config))
        if language() == "en" or self.again is None:
            return self._config
        return cast(BlocksConfigDict, {**self._config, **self._in_language(language())})

    @config.setter  # Gradio sets its variable as often as something of it changes
    def config(self, config: BlocksConfigDict | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._config = config

    def get_config_file(self) -> BlocksConfigDict:
        """Nothing yet: Gradio asks five times before the first page, which alone reads it (0.1 s each)."""
        return cast(BlocksConfigDict, None)

    def _in_language(self, chosen: str) -> dict[str, Any]:
        with _BUILDING:
            known = vars(self).setdefault("_translated", {})
            if chosen not in known and self.again is not None:
                known[chosen] = gr.Blocks.get_config_file(self.again())["components"]
        pairs = zip(cast(BlocksConfigDict, self._config)["components"], known[chosen], strict=True)
        return {
            "components": [{**mine, "props": theirs["props"]} for mine, theirs in pairs],
            "texts": catalogue(chosen, SCRIPTS),
        }

    async def process_api(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Answer an event, in the language of who sent it: the queue's tasks are nobody's."""
        request = options.get("request") or next((one for one in arguments if isinstance(one, gr.Request)), None)
        first = request[0] if isinstance(request, list) else request
        headers = getattr(first, "headers", None)
        with speaking(spoken(dict(headers)) if headers else language()):
            return await super().process_api(*arguments, **options)

    @property
    def state_holder(self) -> StateHolder:
        """What Gradio knows of each session."""
        return self._state_holder

    @state_holder.setter  # Gradio sets its variable once, for each app
    def state_holder(self, holder: StateHolder) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        # Of every component a session gets a description, which only deep links read: 25 ms and 0.5 MB for each caller
        # of the API. Gradio describes those of `blocks`, and those that change when they do.
        holder.blocks = cast(gr.Blocks, SimpleNamespace(default_config=self.default_config, blocks={}))
        self._state_holder = holder

    async def preprocess_data(self, block_fn: BlockFunction, *arguments: Any, **options: Any) -> list[Any]:
        """The values for a handler."""
        try:
            values = await super().preprocess_data(block_fn, *arguments, **options)
        except gr.Error as error:  # Gradio's own sentence
            raise gradio_error(error.message[:300]) from error
        except Exception as error:
            raise gradio_error(tr(MISFIT)) from error
        for block, value in zip(block_fn.inputs, values, strict=False):
            if isinstance(block, gr.Dropdown) and not block.multiselect and isinstance(value, list):
                raise gradio_error(tr(MISFIT))  # Gradio lets an empty list through
        return values

    async def call_function(self, block_fn: BlockFunction, *arguments: Any, **options: Any) -> dict[str, Any]:
        """What a handler returns."""
        try:
            return await super().call_function(block_fn, *arguments, **options)
        except LabError as error:
            raise gradio_error(str(error)) from error
        except gr.Error as error:  # Gradio's own sentence: of a file among an event's data that nobody sent, say
            raise gradio_error(error.message[:300]) from error
        except (TypeError, LookupError) as error:
            if not str(getattr(block_fn.fn, "__module__", "")).startswith("gradio."):
                raise  # a fault of the lab's: the log has it
            raise gradio_error(tr(MISFIT)) from error  # its examples, asked for one that is none


def warnings_are_lost() -> bool:
    """Whether an event is being answered whose `gr.Warning` Gradio drops: one that was not queued."""
    return LocalContext.blocks.get(None) is not None and LocalContext.event_id.get(None) is None


def misfit_handlers() -> dict[Any, Callable[[Request, Exception], Response]]:
    """The `exception_handlers` of the app: what Gradio's own addresses trip over is the question's fault.

    An endpoint that there is not, or arguments that it does not take, was a traceback in the log and no sentence.
    """

    def answer(request: Request, error: Exception) -> Response:
        traceback = error.__traceback__
        while traceback is not None and traceback.tb_next is not None:
            traceback = traceback.tb_next
        if traceback is None or not str(traceback.tb_frame.f_globals.get("__name__")).startswith("gradio"):
            raise error  # a fault of the lab's: the log has it
        return JSONResponse({"error": tr(MISFIT), "detail": tr(MISFIT)}, status_code=400)

    return dict.fromkeys((FnIndexInferError, KeyError, TypeError, ValueError, AssertionError, IndexError), answer)


def whether_awaited() -> Callable[[], bool] | None:
    """What tells whether a client still waits for the event that is being answered; None for one past the queue."""
    blocks, event = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    queued = blocks._queue.event_ids_to_events.get(event) if blocks is not None and event is not None else None
    return None if queued is None else lambda: queued.alive


def describe_endpoint(added: Dependency, parameters: dict[str, dict[str, Any]], result: dict[str, Any]) -> int:
    """Give the endpoint that `gr.api` has just `added` these JSON schemas, and return its number.

    Gradio's own know no descriptions, and nothing of an answer whose hint is written as text.
    """
    blocks = get_blocks_context()
    number, known = next(reversed(blocks.fns.items())) if blocks else (-1, None)
    if known is None or known.fn is not added.fn or known.api_name != getattr(added.fn, "__name__", ""):
        raise AttributeError("This Gradio registers endpoints in another way: see gradio_private.py.")
    for component, (name, schema) in zip(known.inputs, parameters.items(), strict=True):
        described = {"description": schema.get("description", "")}
        described["additional_description"] = described["description"]  # the API's page reads this one
        kept = cast(Api, component)._api_info if "gradio.FileData" in json.dumps(schema) else schema
        cast(Api, component)._api_info = {**kept, **described}
        cast(Api, component).label = name
    for component in known.outputs:
        cast(Api, component)._api_info = result
        cast(Api, component).label = "answer"
    return number


def visitor_cookie() -> str:
    """What the browser that sent the request being answered keeps to be known again by; empty without, or if misshapen.

    `visitor.js` makes it.
    """
    request = LocalContext.request.get(None)
    return known_cookie(request.cookies) if request is not None else ""


def known_cookie(cookies: Mapping[str, str]) -> str:
    """The visitor's own of these; empty without, or if misshapen."""
    cookie = cookies.get(VISITOR, "")
    return cookie if re.fullmatch(r"[0-9a-f]{32}", cookie) else ""


def may_see(request: Request) -> bool:
    """Whether Gradio would show this visitor the page: it asks for a name where `launch(auth=…)` says so."""
    app = request.app
    names = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
    return app.auth is None or any(request.cookies.get(name) in app.tokens for name in names)


def login_cookie(request: Request) -> str | None:
    """The cookie with which Gradio shows this visitor the page, "" where none is needed; None for whom it does not.

    A program may send name and password with each request instead (HTTP Basic), and has the same cookie from then on.
    """
    if may_see(request):
        return ""
    app = request.app
    kind, _, sent = request.headers.get("authorization", "").partition(" ")
    try:
        name, _, password = base64.b64decode(sent, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    known = app.auth.get(name) if isinstance(app.auth, dict) else None
    if kind.lower() != "basic" or known is None or not secrets.compare_digest(known.encode(), password.encode()):
        return None
    tokens = vars(app).setdefault("googlenet_tokens", {})  # one for each name, whatever number of requests comes
    app.tokens[tokens.setdefault(name, secrets.token_urlsafe(16))] = name
    return f"access-token-unsecure-{app.cookie_id}={tokens[name]}"


def poll_less(demo: gr.Blocks) -> None:
    """Let Gradio's queue look for work 20 times a second, as on Windows, and 1,000 times only while somebody asks.

    With nobody on the page the 1,000 took 4% of a core. The first event after a quiet second waits 25 ms more on
    average; what must feel immediate (a slider) is not queued. Who comes when the queue is full is told what to do,
    instead of its length. Of clients that name no session, the last few are remembered, where Gradio keeps 10,000.
    Call after `demo.queue`.
    """
    queue = demo._queue
    if not hasattr(queue, "sleep_when_free"):
        raise AttributeError("This Gradio's queue has no sleep_when_free: see gradio_private.py.")
    seldom, often, awake = 0.05, 0.001, 1.0  # seconds
    queue.sleep_when_free = seldom
    push, timers = queue.push, deque[asyncio.TimerHandle]()
    passing: deque[str] = deque()  # sessions of one question each, of clients that named none

    def rest() -> None:
        queue.sleep_when_free = seldom

    async def push_and_wake(body: PredictBodyInternal, *arguments: Any, **options: Any) -> tuple[bool, Any, Any]:
        if timers:
            timers.pop().cancel()
        timers.append(asyncio.get_running_loop().call_later(awake, rest))
        queue.sleep_when_free = often
        alone = body.session_hash is None
        accepted, said, state = await push(body, *arguments, **options)
        if state == "queue_full":
            # For 503 a page has words of its own, so a page's events get another status. Who asks the API reads 503.
            page = demo.fns[cast(int, body.fn_index)].api_visibility == "private"
            return False, tr(FULL), "error" if page else state
        if accepted and alone:
            passing.append(str(body.session_hash))
            if len(passing) > PASSING:
                forgotten = passing.popleft()
                holder = demo.state_holder
                for known in (
                    holder.session_data,
                    holder.time_last_used,
                    queue.pending_messages_per_session,
                    queue.pending_event_ids_session,
                ):
                    known.pop(forgotten, None)
        return accepted, said, state

    queue.push = push_and_wake


def upload_folder() -> Path:
    """Where Gradio puts what it has received."""
    return Path(get_upload_folder()).resolve()


def keep_file(content: bytes, name: str, cache: Path) -> Path:
    """A file of these bytes among those that Gradio serves, and removes after a day."""
    return Path(save_bytes_to_cache(content, name, str(cache)))
