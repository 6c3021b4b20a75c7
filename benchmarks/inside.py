"""What looking into a network costs, beside one plain forward pass of the same picture.

    python -m benchmarks.inside [--weights FILE] [--rounds 15]

Forward pass, all maps, the exact ledger, the sum behind one number and the effects of all branches take turns, so that
a machine that slows down slows them all. The effects need means: the index's, or zeros, which
cost the same.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

import torch

from googlenet.config import InceptionConfig
from googlenet.inference.classifier import Classifier
from googlenet.inference.index import load_index
from googlenet.inference.inside.effects import branch_effects
from googlenet.inference.inside.ledger import ledger
from googlenet.inference.inside.sums import sum_behind
from googlenet.inference.inside.trace import trace
from googlenet.models.device import describe_device
from googlenet.models.memory import reuse_memory

SHIPPED = Path(__file__).resolve().parents[1] / "checkpoints" / "googlenet-cifar10.safetensors"


def main() -> None:
    """Print a line for each: the fastest, the median and the slowest of the rounds."""
    reuse_memory()  # as in the lab's own processes
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    classifier = Classifier(options.weights)
    network = classifier.info.network
    pixels = torch.randint(0, 256, (3, network.input_size, network.input_size), dtype=torch.uint8)
    modules = [layer for layer in network.layers if isinstance(layer, InceptionConfig)]
    index = load_index(options.weights)
    means = index.means if index else {layer.name: torch.zeros(layer.out_channels) for layer in modules}
    traced = trace(classifier, pixels)
    step = f"{modules[-1].name}.branch3.1"
    work = {
        "forward pass": lambda: classifier.logits(pixels[None]).cpu(),
        "all maps": lambda: trace(classifier, pixels),
        "exact ledger": lambda: ledger(classifier, traced, 0).to_dict(),
        f"sum of {step}": lambda: sum_behind(classifier, traced, step, 0),
        f"effects of {4 * len(modules)} branches": lambda: branch_effects(classifier, pixels, 0, means),
    }
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(options.rounds + 1):
        for name, run in work.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{describe_device(classifier.device)}, {torch.get_num_threads()} threads, load {load:.1f} at the end")
    for name, (_, *times) in seconds.items():  # the first round also chooses kernels
        low, middle, high = (1e3 * f(times) for f in (min, statistics.median, max))
        print(f"{name:<32} {low:8.1f} ms at best, {middle:8.1f} median, {high:8.1f} at worst")


if __name__ == "__main__":
    main()
