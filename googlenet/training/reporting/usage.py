"""What a training takes of the machine: cores and GPU busy, and memory. No torch until the trainer itself has it."""

from __future__ import annotations

import contextlib
import sys

import psutil


class Usage:
    """Asked every second or so; `now` is since the last call, `epoch` since the last row."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._last = self._row = _core_seconds()
        self._gpus: list[float] = []  # since the last row
        self._has_meter = True
        self._cpu: float | None = None

    def now(self) -> dict[str, float | None]:
        """Fields of the status."""
        latest = _core_seconds()
        share = _busy(self._last, latest)
        if share is not None:
            self._last, self._cpu = latest, share
        gpu, held = self._gpu()
        if gpu is not None:
            self._gpus.append(gpu)
        return {"cpu": self._cpu, "memory": float(self._process.memory_info().rss), "gpu": gpu, "gpu_memory": held}

    def epoch(self) -> dict[str, float | None]:
        """Columns of a row of metrics.csv."""
        latest = _core_seconds()
        share, self._row = _busy(self._row, latest), latest
        gpu, held = self._gpu()
        gpus, self._gpus = [*self._gpus, *([] if gpu is None else [gpu])], []
        return {
            "CPU": share,
            "Memory": float(self._process.memory_info().rss),
            "GPU": round(sum(gpus) / len(gpus), 3) if gpus else None,
            "GPU memory": held,
        }

    def _gpu(self) -> tuple[float | None, float | None]:
        """Share of the time that the GPU is busy, where the driver's meter can be read, and bytes held there."""
        torch = sys.modules.get("torch")
        if torch is None or not torch.cuda.is_initialized():
            return None, None
        busy = None
        if self._has_meter:
            self._has_meter = False
            with contextlib.suppress(Exception):  # its package or its rights are missing: then always
                busy, self._has_meter = torch.cuda.utilization() / 100, True
        return busy, float(torch.cuda.memory_reserved())


def _core_seconds() -> tuple[float, float]:
    """Seconds of all cores in which they worked, and in all, since the machine started."""
    times = psutil.cpu_times()._asdict()
    counted = {name: spent for name, spent in times.items() if not name.startswith("guest")}  # they are user's already
    total = sum(counted.values())
    return total - times["idle"] - times.get("iowait", 0.0), total


def _busy(before: tuple[float, float], after: tuple[float, float]) -> float | None:
    """The share worked between two looks; None when they are too near to tell."""
    worked, total = after[0] - before[0], after[1] - before[1]
    return round(min(1.0, max(0.0, worked / total)), 3) if total > 0.05 else None
