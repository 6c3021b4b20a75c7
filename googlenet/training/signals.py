"""Being asked to stop: once politely, twice at once."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

# The lab's own Stop button. Unlike SIGTERM and SIGINT it may come any number of times and stays polite.
STOP_SIGNAL: signal.Signals = getattr(signal, "SIGUSR1", signal.SIGTERM)
HEARD = {signal.SIGTERM, signal.SIGINT, STOP_SIGNAL}


class StopRequest:
    """`requested` turns true at the first SIGTERM or SIGINT; a second one ends the process as if unhandled.

    What comes within `grace` seconds is still the first: torchrun passes on a Ctrl+C that its workers have heard.
    Python runs a handler between two of its own instructions, which a long step of torch keeps waiting: `at_once` is
    called without that delay, in a thread of its own, and must be safe there.
    A context manager: what the signals did before comes back at its end.
    """

    def __init__(self, grace: float = 0.0, at_once: Callable[[], None] | None = None) -> None:
        self.requested = False
        self.by_system = False  # by a terminal or a machine that goes down, not by the lab's Stop
        self._grace, self._since, self._at_once = grace, 0.0, at_once
        self._before: dict[signal.Signals, Any] = {}
        self._end = contextlib.ExitStack()

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python allows no handlers
            for signum in HEARD:
                self._before[signum] = signal.signal(signum, self._handle)
            if self._at_once is not None:
                self._listen(self._at_once)
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()
        for signum, handler in self._before.items():
            signal.signal(signum, handler)

    def _listen(self, at_once: Callable[[], None]) -> None:
        """Have the system write each signal's number into a socket, and a thread wait at its other end."""
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)

        def listen() -> None:
            with ours:
                while number := ours.recv(1):
                    if number[0] in HEARD:
                        at_once()
                    if before != -1:  # an event loop's, which wants to hear of it too
                        with contextlib.suppress(OSError):
                            os.write(before, number)

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        self._end.callback(thread.join)
        self._end.callback(theirs.close)  # ends the thread
        self._end.callback(signal.set_wakeup_fd, before)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if not self.requested:
            self._since = time.monotonic()
        elif signum != STOP_SIGNAL and time.monotonic() - self._since >= self._grace:
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)
        self.requested = True
        self.by_system |= signum != STOP_SIGNAL
