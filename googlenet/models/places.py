"""The devices of this machine on which trainings run beside each other: each GPU and the CPU. No torch without one."""

from __future__ import annotations

import functools
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from googlenet.language import tr

CPU = "cpu"
# torch, whose import takes seconds, is only asked where there may be a GPU: a driver's device, or another system.
SIGNS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd")


@dataclass(frozen=True)
class Place:
    """`name` is what torch calls it, with a number for CUDA; `card` is a GPU in words."""

    name: str
    card: str = ""

    @property
    def words(self) -> str:
        """For people, in the reader's language: a GPU with its memory, the CPU with its cores."""
        return self.card or tr("CPU, {n} cores", n=usable_cores())


def usable_cores() -> int:
    """Cores this process may use, which in a container are fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def places() -> tuple[Place, ...]:
    """Every place here, what computes fastest first; the CPU is the last."""
    found: list[Place] = []
    if sys.platform != "linux" or any(Path(sign).exists() for sign in SIGNS):
        import torch

        from googlenet.models.device import describe_device

        if torch.cuda.is_available():
            names = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
        else:
            names = ["mps"] if torch.backends.mps.is_available() else []
        found = [Place(name, describe_device(torch.device(name))) for name in names]
    return (*found, Place(CPU))


def candidates(device: str) -> list[str]:
    """Names of the places that a training on `device` may take, any of several GPUs; none where there is none here."""
    names = [place.name for place in places()]
    if device == "auto":
        return [name for name in names if name != CPU] or [CPU]
    if device == "cuda":
        return [name for name in names if name.startswith("cuda:")]
    return [device] if device in names else []
