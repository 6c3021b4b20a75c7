"""Where the arithmetic runs: CUDA, else Apple's MPS, else the CPU, and in which precision."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import torch

from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.models.places import usable_cores
from googlenet.recipes import check_device


def pick_device(name: str = "auto") -> torch.device:
    """The device called `name` (auto, cuda, cuda:1, mps, cpu); `LabError` when this machine has no such device."""
    check_device(name)
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    kind, _, number = name.partition(":")
    if not available[kind] or (number and int(number) >= torch.cuda.device_count()):
        usable = ", ".join(kind for kind, there in available.items() if there)
        said = tr("There is no {name} device here: choose auto or {usable}.", name=name, usable=usable)
        raise LabError(said, "device")
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """For people: "NVIDIA H100, 79 GiB" or "CPU, 2 cores"."""
    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device)
        return f"{card.name}, {card.total_memory / 2**30:.0f} GiB"
    if device.type == "mps":
        return "Apple GPU (MPS)"
    return tr("CPU, {n} cores", n=usable_cores())


def has_fast_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is native: emulated, as on a CPU without AVX512-BF16 or AMX, it is far slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(getattr(torch.cpu, check, bool)() for check in checks)
    return False


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 arithmetic where it is fast, else plain float32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_fast_bf16(device))


def choose_kernels(device: torch.device, *, deterministic: bool) -> None:
    """The fastest for the shapes of a training, or those that give the same bits every time. On a CPU torch's do."""
    torch.backends.cudnn.benchmark = not deterministic
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS's own condition for it
    torch.use_deterministic_algorithms(deterministic and device.type != "cpu")


@contextlib.contextmanager
def lent_torch(device: torch.device) -> Iterator[None]:
    """Inside, torch's generators (the CPU's and that of `device`) and choice of kernels are a training's own.

    They belong to the whole process: at the end they are as they were.
    """
    benchmark, workspace = torch.backends.cudnn.benchmark, os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            yield
    finally:
        torch.backends.cudnn.benchmark = benchmark
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        if workspace is None:
            os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
