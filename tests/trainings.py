"""Small real trainings: an image folder, a network that learns it, and the command line to do so in another process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tiny import tiny_config

from googlenet.config import AuxConfig
from googlenet.recipes import TrainConfig
from googlenet.runs import Run
from googlenet.runs.metrics import USAGE

ROOT = Path(__file__).resolve().parents[1]
COLOURS = {"blue": (60, 80, 190), "green": (70, 180, 70), "red": (190, 70, 60)}
TIMING = ("Images/s", "Seconds", *USAGE)
AUX = (AuxConfig("aux1", "inception3a", 16, channels=8, hidden=16, adaptive=2, dropout=0.3),)


def make_folder(root: Path, train: int, test: int, seed: int = 0) -> Path:
    """An image folder of noisy single colours, `train` and `test` images a class."""
    random = np.random.default_rng(seed)
    for split, count in (("train", train), ("test", test)):
        for name, colour in COLOURS.items():
            (root / split / name).mkdir(parents=True)
            for i in range(count):
                pixels = np.array(colour) + random.normal(0, 45, (32, 32, 3))
                Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / split / name / f"{i}.png")
    return root


def training(run: str, data: Path | str, network: dict[str, Any] | None = None, **changes: Any) -> TrainConfig:
    """A training of a network with batch norm, dropout and an auxiliary head; `network` changes the network."""
    options = {"epochs": 3, "batch_size": 16, "lr": 0.1, "device": "cpu", **changes}
    return TrainConfig(run, tiny_config(**{"aux": AUX, "dropout": 0.2, **(network or {})}), str(data), **options)


def environment(**changes: str) -> dict[str, str]:
    """For a process of the lab: importable from anywhere, one thread, no colours in its help."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "NO_COLOR": "1", **changes}


def start_lab(*arguments: str | Path, cwd: Path, stdin: str = "", **env: str) -> subprocess.Popen[str]:
    """`python -m googlenet ARGUMENTS` on its way."""
    process = subprocess.Popen(
        [sys.executable, "-m", "googlenet", *map(str, arguments)],
        cwd=cwd,
        env=environment(**env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdin.write(stdin)
    process.stdin.close()
    process.stdin = None  # so that communicate() does not flush it again
    return process


def lab(*arguments: str | Path, cwd: Path, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """`python -m googlenet ARGUMENTS` to its end."""
    process = start_lab(*arguments, cwd=cwd, stdin=stdin, **env)
    output, errors = process.communicate(timeout=180)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """The first true value of `condition`, asked again and again; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return value


def results(run: Run) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All that was measured in rows of metrics.csv, without the timing columns; and all rows of steps.jsonl."""
    measured = [{key: value for key, value in row.items() if value is not None} for row in run.metrics()]
    return [{key: value for key, value in row.items() if key not in TIMING} for row in measured], run.steps()


def files(run: Run) -> set[str]:
    """Names of everything in the run's directory, hidden files included."""
    return {path.name for path in run.path.iterdir()}
