"""Where the arithmetic runs: CUDA, else Apple's MPS, else the CPU, and in which precision."""

from __future__ import annotations

import contextlib
import ctypes
import os
from contextlib import AbstractContextManager

import torch

from googlenet.errors import LabError, check_choice


def pick_device(name: str = "auto") -> torch.device:
    """The device called `name` (auto, cuda, mps, cpu); `LabError` when this machine has no such device."""
    check_choice(name, "device", ("auto", "cuda", "mps", "cpu"))
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    if not available[name]:
        usable = ", ".join(kind for kind, there in available.items() if there)
        raise LabError(f"There is no {name} device here: choose auto or {usable}.", "device")
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """For people: "NVIDIA H100, 79 GiB" or "CPU, 2 cores"."""
    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device)
        return f"{card.name}, {card.total_memory / 2**30:.0f} GiB"
    if device.type == "mps":
        return "Apple GPU (MPS)"
    return f"CPU, {usable_cores()} cores"


def usable_cores() -> int:
    """Cores this process may use, which in a container are fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_fast_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is native: emulated, as on a CPU without AVX512-BF16 or AMX, it is far slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(getattr(torch.cpu, check, bool)() for check in checks)
    return False


def autocast(device: torch.device) -> AbstractContextManager[None]:
    """bfloat16 arithmetic where it is fast, else plain float32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_fast_bf16(device))


def reuse_memory() -> None:
    """Let this process keep what it frees. Without effect where the C library is not glibc.

    glibc hands every block over 32 MiB back to the system at once, and the system fills each new one with zeros, page
    by page: a quarter of a training step on a CPU and half of an evaluation. The peak stays as it was. Threads have
    such room only in the arena that all share, so an app asks for this before it starts any.
    """
    no_mmap, never_trim, one_arena = (-4, 0), (-1, -1), (-8, 1)  # mallopt(3)
    with contextlib.suppress(AttributeError, OSError, TypeError):
        library = ctypes.CDLL(None)
        for option, value in (no_mmap, never_trim, one_arena):
            library.mallopt(option, value)
