"""SIGKILL a real trainer at random instants, resume it each time, and hold the result against an uninterrupted one.

    python -m benchmarks.kill [--kills 100] [--seed 0] [--device cpu] [--steered]

Most kills strike at a random moment of the training, saves included (a save is made every 0.2 seconds here); one in
five strikes during start-up. At the end every weight must be equal to the last bit, and every row of metrics.csv and
steps.jsonl equal, timing columns apart. Exits 1 when anything differs.

With --steered, a new learning rate, other epochs or a checkpoint are asked for before the kills; the run that it is
held against is not interrupted and takes the same commands at the same steps.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from safetensors.numpy import load_file

from googlenet.config import AuxConfig, ConvConfig, GoogLeNetConfig, InceptionConfig, PoolConfig
from googlenet.errors import LabError
from googlenet.files import read_bytes
from googlenet.recipes import TrainConfig
from googlenet.runs import Run, ask, read_steering
from googlenet.runs.metrics import USAGE
from googlenet.runs.steering.commands import COMMANDS
from googlenet.runs.steering.taken import STEERING

TIMING = ("Images/s", "Seconds", *USAGE)
# Everything that has state: batch norm, dropout, an auxiliary head, momentum. Small, so that a life is many steps.
NETWORK = GoogLeNetConfig(
    name="small",
    layers=(
        ConvConfig("conv1", 3, 8, 3, padding=1),
        PoolConfig("maxpool1"),
        InceptionConfig("inception3a", 8, 4, 4, 6, 2, 3, 3),
    ),
    num_classes=10,
    input_size=32,
    batch_norm=True,
    dropout=0.2,
    aux=(AuxConfig("aux1", "inception3a", 16, channels=8, hidden=16, adaptive=2, dropout=0.3),),
)


def spawn(arguments: list[str], checkpoints: Path, stdin: str = "") -> subprocess.Popen[bytes]:
    """`python -m googlenet ARGUMENTS`, quiet, saving often, on one thread so that sums keep their order."""
    process = subprocess.Popen(
        [sys.executable, "-m", "googlenet", *arguments, "--checkpoints", str(checkpoints)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "GOOGLENET_SAVE_SECONDS": "0.2", "OMP_NUM_THREADS": "1"},
    )
    process.stdin.write(stdin.encode())
    process.stdin.close()
    process.stdin = None  # so that communicate() does not flush it again
    return process


def steer(run: Run, chance: random.Random, epochs: int) -> None:
    """Ask for something at random; it takes effect before, at or after the kill that follows."""
    kind = chance.choice(("rate", "keep", "epochs"))
    value = {"rate": chance.uniform(0.001, 0.05), "keep": None, "epochs": epochs + chance.randrange(1, 9)}[kind]
    with contextlib.suppress(LabError):  # it is not at work just now, or is to train so long already
        ask(run.path.parent, run.name, kind, value)


def kill_once(
    run: Run, process: subprocess.Popen[bytes], chance: random.Random, before: Callable[[], None] | None = None
) -> bool:
    """Kill the trainer at a random instant, once it is at work after `before`; returns whether it still was then."""
    if chance.random() < 0.2:
        time.sleep(chance.uniform(0, 4))  # before, while and after it takes the lock and loads
    else:
        while process.poll() is None and not (run.last_status().pid == process.pid and run.status().state == "running"):
            time.sleep(0.01)
        if before:
            before()
        time.sleep(chance.uniform(0, 1.5))
    alive = process.poll() is None
    process.kill()
    process.wait()
    return alive


def differences(run: Run, reference: Run) -> list[str]:
    """What is not equal, in words."""
    found = []
    mine, theirs = (
        [{key: value for key, value in row.items() if key not in TIMING} for row in one.metrics()]
        for one in (run, reference)
    )
    if mine != theirs:
        found.append("metrics.csv")
    if run.steps() != reference.steps():
        found.append("steps.jsonl")
    if [path.name for path in run.weights()] != [path.name for path in reference.weights()]:
        found.append("the files kept")
    for name in {path.name for path in run.weights()} & {path.name for path in reference.weights()}:
        ours, wanted = load_file(run.path / name), load_file(reference.path / name)
        if ours.keys() != wanted.keys() or any(ours[key].tobytes() != wanted[key].tobytes() for key in wanted):
            found.append(name)
    return found


def main() -> int:
    """Print what was done and whether it held."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="(default: two for each kill)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steered", action="store_true")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    epochs = options.epochs or 2 * options.kills
    config = TrainConfig("killed", NETWORK, data="shapes", epochs=epochs, batch_size=64, lr=0.05, device=options.device)
    with tempfile.TemporaryDirectory() as directory:
        checkpoints, begun, kills = Path(directory), time.monotonic(), 0
        run = Run(checkpoints, "killed")
        process = spawn(["train", "--config", "-"], checkpoints, config.to_json())
        while kills < options.kills:
            if not kill_once(run, process, chance, (lambda: steer(run, chance, epochs)) if options.steered else None):
                break
            kills += 1
            if kills % 10 == 0:
                print(f"{kills} kills, {len(run.metrics())} of {epochs} epochs done", flush=True)
            if run.exists() and run.status().state == "finished":  # it was only on its way out
                break
            started = run.exists()
            arguments = ["resume", "killed"] if started else ["train", "--config", "-"]
            process = spawn(arguments, checkpoints, "" if started else config.to_json())
        errors = process.communicate()[1].decode()
        if process.returncode not in (0, -signal.SIGKILL):  # killed on its way out: it had finished
            print(f"the last start failed: {errors}")
            return 1
        reference = Run(checkpoints / "reference", "killed")
        if options.steered:
            reference.create(config)
            for name in (COMMANDS, STEERING):
                (reference.path / name).write_bytes(read_bytes(run.path / name))
            process = spawn(["resume", "killed"], reference.path.parent)
        else:
            process = spawn(["train", "--config", "-"], reference.path.parent, config.to_json())
        process.communicate()
        found = differences(run, reference)
        steps, minutes = len(run.metrics()) * 71, (time.monotonic() - begun) / 60
        taken = sum(not one.refused for one in read_steering(run))
        print(
            f"{kills} kills in {len(run.metrics())} epochs ({steps:,} steps), {taken} commands, {minutes:.1f} minutes"
        )
        print("different: " + ", ".join(found) if found else "weights bit-equal, every row of metrics and steps equal")
        if kills < options.kills:
            print(f"it finished before kill {options.kills}: give it more --epochs")
        return 1 if found or kills < options.kills else 0


if __name__ == "__main__":
    sys.exit(main())
