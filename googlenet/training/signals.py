"""Being asked to stop: once politely, twice at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

# The lab's own Stop button. Unlike SIGTERM and SIGINT it may come any number of times and stays polite.
STOP_SIGNAL: signal.Signals = getattr(signal, "SIGUSR1", signal.SIGTERM)


class StopRequest:
    """`requested` turns true at the first SIGTERM or SIGINT; a second one ends the process as if unhandled.

    A context manager: what the signals did before comes back at its end.
    """

    def __init__(self) -> None:
        self.requested = False
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
        if self.requested and signum != STOP_SIGNAL:
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)
        self.requested = True
