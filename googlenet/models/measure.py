"""One Inception module run through torch, to see that the arithmetic of `profile` is what really happens."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from googlenet.config import InceptionConfig, LabError
from googlenet.models.device import describe_device, pick_device
from googlenet.models.googlenet import build_inception
from googlenet.models.profile import FLOAT32_BYTES, Profile, profile_module

MAX_BYTES = 2 * 2**30
MAX_MACS = 20_000_000_000


@dataclass(frozen=True)
class Measured:
    """What torch did: shapes (N, C, H, W), trained numbers, seconds of one forward pass, and the device in words."""

    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    params: int
    seconds: float
    device: str


def measure_module(config: InceptionConfig, height: int, width: int, batch: int = 1) -> Measured:
    """Build the module with random weights and pass `batch` random images through it.

    Raises `LabError` for sizes out of range, and for a module that needs over 2 GiB or 20 G multiply-adds.
    """
    profile = profile_module(config, height, width, batch)
    _check_affordable(profile)
    device = pick_device()
    with torch.inference_mode():
        model = build_inception(config).to(device).eval()
        x = torch.randn(profile.batch, *profile.in_shape, device=device)
        model(x)  # the first pass also chooses and loads kernels
        _wait_for(device)
        start = time.perf_counter()
        y = model(x)
        _wait_for(device)
        seconds = time.perf_counter() - start
    params = sum(parameter.numel() for parameter in model.parameters())
    return Measured(tuple(x.shape), tuple(y.shape), params, seconds, describe_device(device))


def _check_affordable(profile: Profile) -> None:
    channels, height, width = profile.in_shape
    inputs = profile.batch * channels * height * width
    needed = profile.activation_bytes + FLOAT32_BYTES * (profile.params + inputs)
    if needed > MAX_BYTES:
        raise LabError(
            f"Running this module takes {needed / 2**30:,.1f} GiB, more than the {MAX_BYTES // 2**30} GiB allowed "
            f"here: lower the batch, the size or the channels.",
            "batch",
        )
    macs = profile.macs * profile.batch
    if macs > MAX_MACS:
        raise LabError(
            f"Running this module takes {macs / 1e9:,.1f} G multiply-adds, more than the {MAX_MACS / 1e9:.0f} G "
            f"allowed here: lower the batch, the size or the channels.",
            "batch",
        )


def _wait_for(device: torch.device) -> None:
    """A GPU answers before it is done; the clock must not."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
