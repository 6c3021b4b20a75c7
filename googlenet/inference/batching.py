"""Pictures of several visitors answered together: one forward pass for all that wait.

Nobody waits for company: a picture that comes alone is answered alone, and those that come meanwhile are the next
batch. So batches grow by themselves when many ask, and cost a single visitor nothing.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

MOST = 32  # pictures in a pass: more gain nothing, and whoever comes next would wait longer


def _keep_to_one_core() -> None:
    """Torch's threads wait for one another after every layer. On two cores that something else is using as well, 57
    layers of one picture then took 170 to 460 ms, and 27 ms on one; the other core reads the pictures meanwhile.
    """
    torch.set_num_threads(1)  # of this thread; others that torch has seen keep their own number


# One thread for all networks of a process: each that runs torch would have a team of helpers and buffers of its own.
_worker = ThreadPoolExecutor(1, "answers", _keep_to_one_core)


class Batcher:
    """Runs `forward`, (N, …) → (N, classes), for pictures that any number of threads bring one by one."""

    def __init__(self, forward: Callable[[Tensor], Tensor]) -> None:
        self._forward = forward
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Tensor, Future[Tensor]]] = deque()

    def __call__(self, picture: Tensor) -> Tensor:
        """What `forward` makes of `picture`, without the batch's dimension, on the CPU; or what it raises."""
        answer: Future[Tensor] = Future()
        with self._lock:
            self._waiting.append((picture, answer))
        _worker.submit(self._answer_next)  # finds nothing left where an earlier one took this picture along
        return answer.result()

    def _answer_next(self) -> None:
        with self._lock:
            # Of 13, 8: oneDNN prepares every layer anew for a size it has not seen, so there are few sizes.
            count = min(MOST, len(self._waiting))
            size = 1 << count.bit_length() >> 1
            batch = [self._waiting.popleft() for _ in range(size)]
        if batch:
            self._answer(batch)

    def _answer(self, batch: list[tuple[Tensor, Future[Tensor]]]) -> None:
        try:
            rows = self._forward(torch.stack([picture for picture, _ in batch])).cpu()
        except Exception as error:
            if len(batch) == 1:
                batch[0][1].set_exception(error)
            else:  # one of them is to blame, or there is no room for all at once
                for one in batch:
                    self._answer([one])
            return
        for row, (_, answer) in zip(rows, batch, strict=True):
            answer.set_result(row.clone())  # of its own memory, so that no answer keeps the batch
