"""Questions of one page that are answered side by side, and may be done in another order than they were asked in."""

from __future__ import annotations

import threading


class Newest:
    """Knows each visitor's newest question, so that the answer to an earlier one is not shown after it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[str, object] = {}  # only while somebody waits

    def ask(self, visitor: str) -> object:
        """Called where a question's answering begins; `is_newest` wants what it returns."""
        question = object()
        with self._lock:
            self._asked[visitor] = question
        return question

    def is_newest(self, visitor: str, question: object) -> bool:
        """Whether the visitor has asked nothing since; called once, where the answer is there or there is none."""
        with self._lock:
            newest = self._asked.get(visitor) is question
            if newest:
                del self._asked[visitor]
        return newest
