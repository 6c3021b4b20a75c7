"""Being asked to stop: once politely, twice at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import Any

# The lab's own Stop button. Unlike SIGTERM and SIGINT it may come any number of times and stays polite.
STOP_SIGNAL: signal.Signals = getattr(signal, "SIGUSR1", signal.SIGTERM)


class StopRequest:
    """`requested` turns true at the first SIGTERM or SIGINT; a second one ends the process as if unhandled.

    What comes within `grace` seconds is still the first: torchrun passes on a Ctrl+C that its workers have heard.
    A context manager: what the signals did before comes back at its end.
    """

    def __init__(self, grace: float = 0.0) -> None:
        self.requested = False
        self._grace, self._since = grace, 0.0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python allows no handlers
            for signum in {signal.SIGTERM, signal.SIGINT, STOP_SIGNAL}:
                self._before[signum] = signal.signal(signum, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if not self.requested:
            self._since = time.monotonic()
        elif signum != STOP_SIGNAL and time.monotonic() - self._since >= self._grace:
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)
        self.requested = True
