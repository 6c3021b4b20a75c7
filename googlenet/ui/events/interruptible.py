"""Endpoints that take long: their progress reaches the client, and when it cancels or goes away the work ends."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import time
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

import anyio
import gradio as gr

from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.ui.events.gradio_private import gradio_error, whether_awaited
from googlenet.ui.events.long_work import Cancelled

UNQUEUED_SECONDS = 60  # for a call past Gradio's queue, which hears no progress and takes no cancel
PATIENCE = 4.0  # seconds for which a cancel waits for the work's end


class _Watched:
    """The `progress` of a function at work: passed on, until nobody waits for its answer any more."""

    def __init__(self) -> None:
        self.progress, self.awaited, self.started = gr.Progress(), whether_awaited(), time.monotonic()
        self.cancelled, self.over = threading.Event(), threading.Event()

    def __call__(self, share: float, text: str) -> None:
        if self.cancelled.is_set() or (self.awaited and not self.awaited()):
            raise Cancelled
        if self.awaited is None and time.monotonic() - self.started > UNQUEUED_SECONDS:
            raise LabError(
                tr(
                    "This takes longer than the {seconds} seconds that a call past the queue may take: ask at "
                    "/gradio_api/call/, where progress is told and a cancel is heard.",
                    seconds=UNQUEUED_SECONDS,
                )
            )
        self.progress(share, desc=text)


def interruptible(function: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """`function`, which takes `progress`, for `gr.api`: in a thread, ended by its client's cancel or leave.

    Gradio itself forgets a cancelled call, whose thread goes on. This one learns of it at its next progress.
    """

    async def run(*arguments: Any) -> Any:
        watched = _Watched()

        def work() -> Any:
            try:
                return function(*arguments, progress=watched)
            finally:
                watched.over.set()

        try:
            return await anyio.to_thread.run_sync(copy_context().run, work, abandon_on_cancel=True)
        except Cancelled as error:
            raise gradio_error(tr("Cancelled: nobody waited for this answer any more.")) from error
        except asyncio.CancelledError:
            watched.cancelled.set()  # whoever comes next finds the machine free
            await anyio.to_thread.run_sync(watched.over.wait, PATIENCE, abandon_on_cancel=True)
            raise

    functools.update_wrapper(run, function)
    signature = inspect.signature(function)
    known = [each for name, each in signature.parameters.items() if name != "progress"]
    vars(run)["__signature__"] = signature.replace(parameters=known)
    return run
