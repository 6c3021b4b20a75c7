"""Hold the estimate that is made before a training against the training itself: time, memory, size on disk.

    python -m benchmarks.estimate [--rounds 1] [--data shapes] [--device auto] [--by wall]

For each of some short trainings: estimate, train to the end in a process of its own, print estimate / truth. Exits 1
when time or memory is off by more than 20%. Time is that on the wall, for which nothing else should compute meanwhile
(`load` is the machine's before); with `--by processor` it is the processor's, which others disturb less.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from googlenet.models.presets import preset
from googlenet.recipes import TrainConfig, make_train_config
from googlenet.runs.manage import disk_size
from googlenet.training.planning.costs import costs_of
from googlenet.training.planning.trial import measure, measure_apart, to_line

TOLERANCE = 0.2


def trainings(data: str, device: str) -> list[TrainConfig]:
    """Short ones that differ in what takes the time: the network, the batch, the optimizer, what is kept."""
    options = {"data": data, "device": device}
    return [
        make_train_config("truncated", preset("cifar10-truncated"), epochs=3, **options),
        make_train_config("note", preset("cifar10-truncated"), "note", epochs=2, batch_size=512, **options),
        make_train_config("averaged", preset("cifar10"), epochs=2, ema=0.99, cutout=8, **options),
    ]


def by_processor(config: TrainConfig) -> float:
    """The processor's seconds that the training is estimated to take, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.estimate", "--one"]
    said = subprocess.run(command, input=config.to_json(), capture_output=True, text=True, check=True).stdout
    return json.loads(said)["seconds"]


def train(config: TrainConfig, checkpoints: Path) -> tuple[float, float, int, int]:
    """Seconds on the wall and of the processor, bytes of memory at the peak, bytes on disk."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "googlenet", "train", "--config", "-", "--checkpoints", str(checkpoints), "--detached"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert process.stdin
    process.stdin.write(config.to_json().encode())
    process.stdin.close()
    _, code, usage = os.wait4(process.pid, 0)
    if code:
        raise SystemExit(f"{config.run} failed: see {checkpoints}")
    used = usage.ru_utime + usage.ru_stime
    return time.monotonic() - started, used, usage.ru_maxrss * 1024, disk_size(checkpoints / config.run)


def main() -> int:
    """Print the ratios; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--data", default="shapes")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--by", choices=("wall", "processor"), default="wall")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(to_line(measure(TrainConfig.from_json(sys.stdin.read()), began=0.0, clock=time.process_time)))
        return 0
    worst, line = 0.0, "{:<12}{:>10}{:>10}{:>8}{:>11}{:>8}{:>10}{:>8}{:>7}".format
    print(line("training", "estimate", "took", "ratio", "memory", "ratio", "disk", "ratio", "load"))
    for config in trainings(options.data, options.device):
        ratios = []
        for _ in range(options.rounds):
            load, trial = os.getloadavg()[0], measure_apart(config)
            said = trial.seconds if options.by == "wall" else by_processor(config)
            with tempfile.TemporaryDirectory() as folder:
                wall, processor, memory, disk = train(config, Path(folder))
            took = wall if options.by == "wall" else processor
            on_gpu = not trial.device.startswith("CPU")  # its memory is not the process's
            found = said / took, 1.0 if on_gpu else trial.memory / memory
            ratios.append(found)
            words = [f"{said:.1f} s", f"{took:.1f} s", f"{found[0]:.2f}", f"{trial.memory / 2**20:,.0f} MiB"]
            words += [f"{found[1]:.2f}", f"{disk / 1e6:,.0f} MB", f"{costs_of(config).disk / disk:.2f}", f"{load:.1f}"]
            print(line(config.run, *words), flush=True)
        medians = [statistics.median(column) for column in zip(*ratios, strict=True)]
        worst = max(worst, *(abs(ratio - 1) for ratio in medians))
    print(f"worst of time ({options.by}) and memory: {worst:.0%}")
    return int(worst > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
