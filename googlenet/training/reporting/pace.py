"""How fast a training goes and how long it still takes."""

from __future__ import annotations

import collections
import statistics
import time
from collections.abc import Callable

WARM_UP = 3  # first steps of a process, which choose kernels, get memory, compile or are recorded
RECENT = 25  # spans that what is usual now is judged by
PAUSE = 10  # times as slow as usual: the machine slept, or the process was stopped


class Pace:
    """Averages over all that this process has done, in spans of some steps; what was no work is left out.

    Call `steps` every second or so, `validated` after each epoch's validation and whatever is written then.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._mark = clock, clock()
        self._warming = WARM_UP
        self._seconds = self._done = 0.0
        self._between: list[float] = []  # seconds after each epoch
        self._recent: collections.deque[float] = collections.deque(maxlen=RECENT)  # seconds a step

    def steps(self, count: int) -> None:
        """`count` steps were taken since the last call of any kind."""
        seconds = self._lap()
        if self._warming > 0:
            self._warming -= count
        elif count:
            self._recent.append(seconds / count)
            usual = self.seconds_per_step
            self._seconds += seconds if seconds < PAUSE * usual * count else usual * count
            self._done += count

    def validated(self) -> None:
        """The epoch after those steps was judged and written down."""
        self._between.append(self._lap())

    @property
    def seconds_per_step(self) -> float:
        """What is usual now; 0 before it can be told."""
        return statistics.median(self._recent) if self._recent else 0.0

    def left(self, steps: int, epochs: int, guess: float = 0.0) -> float | None:
        """Seconds for `steps` more steps and `epochs` more validations; None before it can be told.

        `guess` is how many steps' time a validation may take, for before there was one.
        """
        if not self._done:
            return None
        step = self._seconds / self._done
        between = statistics.median(self._between) if self._between else guess * step
        return step * steps + between * epochs

    def _lap(self) -> float:
        before, self._mark = self._mark, self._clock()
        return self._mark - before
