"""One Inception module run through torch, to see that the arithmetic of `profile` is what really happens."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from googlenet.config import InceptionConfig
from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.models.blocks import Inception, InceptionNaive
from googlenet.models.device import describe_device, pick_device
from googlenet.models.googlenet import build_inception
from googlenet.models.profile import FLOAT32_BYTES, Profile, profile_module

MAX_MACS = 20_000_000_000  # of the whole batch: seconds, not minutes, on two cores
SECONDS, WARM_UP, FEWEST, MOST = 2.0, 0.2, 3, 200  # of rounds: how long, how long before they count, how many
FEW = 8  # rounds whose slowest and fastest are told in place of quartiles


@dataclass(frozen=True)
class Timing:
    """Seconds of a forward pass: the median of `rounds`, and between what the middle half of them lie.

    Of fewer than 8 rounds, `low` and `high` are the fastest and the slowest.
    """

    median: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, seconds: list[float]) -> Timing:
        """What these rounds come to."""
        low, median, high = statistics.quantiles(seconds, n=4, method="inclusive")
        if len(seconds) < FEW:
            low, high = min(seconds), max(seconds)
        return cls(median, low, high, len(seconds))

    def overlaps(self, other: Timing) -> bool:
        """Whether the two lie too near to each other to say which is faster."""
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True)
class Measured:
    """What torch did: shapes (N, C, H, W), trained numbers, the time of a forward pass, and the device in words."""

    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    params: int
    timing: Timing
    device: str


@dataclass(frozen=True)
class Race:
    """The time of a forward pass of each module, and the device in words."""

    naive: Timing
    reduced: Timing
    device: str


def measure_module(config: InceptionConfig, height: int, width: int, batch: int = 1) -> Measured:
    """Build the module with random weights and pass `batch` random images through it, again and again.

    Raises `LabError` for sizes out of range, and for a module that needs more than half of the free memory or over
    20 G multiply-adds.
    """
    (timing,), (model,), x = _time([config], height, width, batch)
    with torch.inference_mode():
        out_shape = tuple(model(x).shape)
    params = sum(parameter.numel() for parameter in model.parameters())
    return Measured(tuple(x.shape), out_shape, params, timing, describe_device(x.device))


def race(naive: InceptionConfig, reduced: InceptionConfig, height: int, width: int, batch: int = 1) -> Race:
    """Time a forward pass of both modules in turns, so that whatever else runs here slows both alike.

    Raises `LabError` as `measure_module` does.
    """
    (one, two), _, x = _time([naive, reduced], height, width, batch)
    return Race(one, two, describe_device(x.device))


def _time(
    configs: list[InceptionConfig], height: int, width: int, batch: int
) -> tuple[list[Timing], list[Inception | InceptionNaive], torch.Tensor]:
    """Each module's time on the same images, round by round in turns; the modules and the images too."""
    device = pick_device()
    profiles = [profile_module(config, height, width, batch) for config in configs]
    for profile in profiles:
        _check_affordable(profile, device)
    seconds: list[list[float]] = [[] for _ in configs]
    with torch.inference_mode():
        models = [build_inception(config).to(device).eval() for config in configs]
        x = torch.randn(profiles[0].batch, *profiles[0].in_shape, device=device)
        begun, warm = time.perf_counter(), False
        while len(seconds[0]) < FEWEST or (len(seconds[0]) < MOST and time.perf_counter() - begun < SECONDS):
            for model, times in zip(models, seconds, strict=True):
                times.append(_pass_seconds(model, x))
            if not warm:  # the first passes also choose and load kernels
                warm = time.perf_counter() - begun >= WARM_UP
                seconds = [[] for _ in configs]
    return [Timing.of(times) for times in seconds], models, x


def concat_error(config: InceptionConfig, height: int, width: int) -> str:
    """What torch says when the pool of this module has no stride=1; empty where it does not mind.

    The branches run on torch's meta device and the concatenation gets tensors of one number seen many times over, so
    that no size costs memory.
    """
    with torch.device("meta"):
        module, x = build_inception(config), torch.empty(1, config.in_channels, height, width)
        pool = next(part for part in module.branch4.modules() if isinstance(part, torch.nn.MaxPool2d))
        pool.stride = pool.kernel_size  # what torch takes where none is given
        shapes = [branch(x).shape for branch in (module.branch1, module.branch2, module.branch3, module.branch4)]
    maps = [torch.zeros(1).expand(shape) for shape in shapes]
    try:
        torch.cat(maps, dim=1)
    except RuntimeError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _check_affordable(profile: Profile, device: torch.device) -> None:
    """Raise `LabError` where a forward pass would not fit in memory or take too long; nothing is allocated."""
    # The channels-blocked copies that the CPU's kernels work on take about as much again as what goes in and out.
    inputs = profile.batch * math.prod(profile.in_shape)
    needed = profile.activation_bytes + 2 * FLOAT32_BYTES * (profile.params + inputs)
    there = free_bytes(device)
    if needed > there // 2:
        raise LabError(
            tr(
                "Running this module takes {needed_gib:,.1f} GiB ({needed:,} bytes) and {free_gib:,.1f} GiB ({free:,} "
                "bytes) of memory are free here, of which it may take half: lower the batch, the size or the channels.",
                needed_gib=needed / 2**30,
                needed=needed,
                free_gib=there / 2**30,
                free=there,
            ),
            "batch",
        )
    macs = profile.macs * profile.batch
    if macs > MAX_MACS:
        raise LabError(
            tr(
                "Running this module takes {needed:,.1f} G multiply-adds, more than the {most:.0f} G allowed here: "
                "lower the batch, the size or the channels.",
                needed=macs / 1e9,
                most=MAX_MACS / 1e9,
            ),
            "batch",
        )


def free_bytes(device: torch.device) -> int:
    """Memory that a new tensor could take on `device`; on a CPU also what the container leaves."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    free = psutil.virtual_memory().available
    try:  # cgroup v2; a file is missing, or says "max", where there is no limit
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except (OSError, ValueError):
        return free
    return max(0, min(free, limit - used))


def _pass_seconds(model: torch.nn.Module, x: torch.Tensor) -> float:
    _wait_for(x.device)
    start = time.perf_counter()
    model(x)
    _wait_for(x.device)
    return time.perf_counter() - start


def _wait_for(device: torch.device) -> None:
    """A GPU answers before it is done; the clock must not."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
