"""How fast the engine trains, against a textbook loop on the same network, batch, images and machine.

    python -m benchmarks.training [--preset cifar10] [--batch-size 256] [--data shapes] [--rounds 5] [--device auto]

The textbook loop is what a course writes: a torchvision data set through a DataLoader, ToTensor, float32, the default
memory layout, `.item()` every step. The two take turns, so that a machine that slows down slows both, each in a
process of its own, so that no setting of one helps the other.

The floor of a step is its arithmetic over what the device's matrix product reaches: 2 operations per multiply-add, and
three forward passes' worth for forward and backward together.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import VisionDataset

from googlenet.data.datasets import ImageSet, load_images
from googlenet.data.splits import Split
from googlenet.models.device import describe_device, has_fast_bf16, pick_device
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.memory import reuse_memory
from googlenet.models.presets import preset
from googlenet.models.profile import profile_network
from googlenet.recipes import TrainConfig, make_train_config
from googlenet.runs import Run
from googlenet.training.engine import Trainer
from googlenet.training.reporting.reporter import Reporter
from googlenet.training.signals import StopRequest


class AsPictures(VisionDataset):
    """Images in memory, handed out one by one as torchvision's CIFAR10 does: array → PIL → transform."""

    def __init__(self, split: Split) -> None:
        super().__init__("", transform=transforms.ToTensor())
        self.data = split.images.permute(0, 2, 3, 1).numpy()
        self.targets = split.labels.tolist()

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(Image.fromarray(self.data[index])), self.targets[index]


def textbook_steps(config: TrainConfig, images: ImageSet, device: torch.device) -> Iterator[float]:
    """An endless textbook training; yields the loss of each step."""
    model = GoogLeNet(config.network).to(device).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=config.lr, momentum=config.momentum)
    if config.optimizer == "adam":
        optimizer = torch.optim.Adam(model.parameters(), lr=config.lr)
    criterion = nn.CrossEntropyLoss()
    loader = DataLoader(AsPictures(images.train), config.batch_size, shuffle=True, drop_last=True)
    while True:
        for batch, labels in loader:
            batch, labels = batch.to(device), labels.to(device)
            optimizer.zero_grad()
            loss = criterion(model(batch), labels)
            loss.backward()
            optimizer.step()
            yield loss.item()


def engine_steps(config: TrainConfig, images: ImageSet, directory: Path) -> Iterator[None]:
    """An endless training by the engine's own step, augmentation, rate and bookkeeping included."""
    reuse_memory()  # as in the lab's own trainers
    run = Run(directory, config.run)
    run.create(config)
    trainer = Trainer(config, images, run, Reporter(run), StopRequest())
    while True:
        trainer.model.train()
        for step in range(trainer.count // config.batch_size):
            trainer.advance(*trainer.batches.take(trainer.position.epoch, step))
            yield None


def matmul_peak(device: torch.device, dtype: torch.dtype, size: int = 2048) -> float:
    """Operations a second of the best of a few matrix products."""
    size = 8192 if device.type == "cuda" else size
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    seconds = min(timed(lambda: a @ b, device) for _ in range(8))
    return 2 * size**3 / seconds


def timed(work: Callable[[], Any], device: torch.device) -> float:
    """Seconds that `work` takes, on the device's own clock edge."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def serve(connection: Connection, loop: str, config: TrainConfig, data: str) -> None:
    """In its own process: answer each number of steps with the seconds that they took."""
    images, device = load_images(data), pick_device(config.device)
    with tempfile.TemporaryDirectory() as directory:
        textbook = loop == "textbook"
        steps = textbook_steps(config, images, device) if textbook else engine_steps(config, images, Path(directory))
        while wanted := connection.recv():
            connection.send(timed(lambda wanted=wanted: [next(steps) for _ in range(wanted)], device))


def compare(config: TrainConfig, data: str, rounds: int, seconds: float) -> dict[str, float]:
    """Images a second of both loops, medians of `rounds` turns of about `seconds` each."""
    context = multiprocessing.get_context("spawn")
    connections: dict[str, Connection] = {}
    for loop in ("textbook", "engine"):
        connections[loop], theirs = context.Pipe()
        context.Process(target=serve, args=(theirs, loop, config, data), daemon=True).start()
        theirs.close()  # so that a loop that dies is heard here

    def take(loop: str, steps: int) -> float:
        connections[loop].send(steps)
        return connections[loop].recv()

    for loop in connections:
        take(loop, 3)  # warm up
    steps = {loop: max(1, round(seconds / take(loop, 2) * 2)) for loop in connections}  # what fills a turn
    speeds: dict[str, list[float]] = {loop: [] for loop in connections}
    for _ in range(rounds):
        for loop in connections:
            speeds[loop].append(steps[loop] * config.batch_size / take(loop, steps[loop]))
    for connection in connections.values():
        connection.send(0)
    result = {loop: statistics.median(values) for loop, values in speeds.items()}
    pairs = [ours / theirs for ours, theirs in zip(speeds["engine"], speeds["textbook"], strict=True)]
    return {**result, "ratio": statistics.median(pairs), "lowest": min(pairs), "highest": max(pairs)}


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--preset", action="append", choices=("cifar10", "cifar10-truncated"), help="(default: both)")
    parser.add_argument(
        "--batch-size", type=int, help="(default: the recipes': 2048 for cifar10-truncated, 256 for cifar10)"
    )
    parser.add_argument(
        "--data", default="shapes", help="cifar10, shapes or a folder: the images do not change the time"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="of a turn")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    device = pick_device(options.device)
    classes = len(load_images(options.data).classes)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{describe_device(device)}, torch {torch.__version__}, load {load:.2f} at the start")
    dtype = torch.bfloat16 if has_fast_bf16(device) else torch.float32
    peak = matmul_peak(device, dtype)
    print(f"matrix product: {peak / 1e9:,.0f} GFLOP/s in {str(dtype).removeprefix('torch.')}")
    for name in options.preset or ("cifar10-truncated", "cifar10"):
        recipe, batch = ("note", 2048) if name == "cifar10-truncated" else ("default", 256)
        network = preset(name, classes)
        config = make_train_config(
            "benchmark", network, recipe, epochs=1000, batch_size=options.batch_size or batch, device=options.device
        )
        flops = 6 * profile_network(network).macs
        result = compare(config, options.data, options.rounds, options.seconds)
        print(f"{name}, batch {config.batch_size:,}, recipe {recipe}: floor {peak / flops:,.0f} images/s")
        for loop in ("textbook", "engine"):
            print(f"  {loop:<9} {result[loop]:>9,.0f} images/s  {result[loop] * flops / peak:6.1%} of the peak")
        print(f"  ratio     {result['ratio']:>9.2f}  ({result['lowest']:.2f} to {result['highest']:.2f} by turn)")


if __name__ == "__main__":
    main()
