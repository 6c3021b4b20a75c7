"""How fast a checkpoint is evaluated, against the device's matrix product and against the network as it is trained.

    python -m benchmarks.evaluation [--weights FILE] [--images 2000] [--rounds 7] [--device auto]

The floor is the arithmetic: 2 operations per multiply-add, one forward pass an image, at what a matrix product of the
same type reaches. Product, plain network (autocast, batch norm of its own) and evaluation take turns, so that a
machine that slows down slows them all; figures are medians, and shares are of the product of the same turn.
"""

from __future__ import annotations

import argparse
import os
import statistics
from pathlib import Path

import torch

from benchmarks.training import matmul_peak, timed
from googlenet.data.augment import normalize
from googlenet.data.splits import Split
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import BATCH, evaluate_split
from googlenet.models.device import autocast, describe_device
from googlenet.models.memory import reuse_memory
from googlenet.models.profile import profile_network

SHIPPED = Path(__file__).resolve().parents[1] / "checkpoints" / "googlenet-cifar10.safetensors"


@torch.inference_mode()
def evaluate_plainly(classifier: Classifier, images: torch.Tensor, batch_size: int) -> torch.Tensor:
    """Logits as the engine's validation computes them."""
    info, device = classifier.info, classifier.device
    mean, std = torch.tensor(info.mean, device=device), torch.tensor(info.std, device=device)
    parts = []
    for batch in images.split(batch_size):
        with autocast(device):
            parts.append(classifier.model(normalize(batch.to(device), mean, std)))
    return torch.cat(parts).cpu()


def main() -> None:
    """Print the comparison."""
    reuse_memory()  # as in the lab's own processes
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--images", type=int, help="(default: 2000, on a GPU 50,000)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    classifier = Classifier(options.weights, options.device)
    device, size = classifier.device, classifier.info.network.input_size
    count = options.images or (50_000 if device.type == "cuda" else 2000)
    images = torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8)
    split = Split(images, torch.zeros(count, dtype=torch.int64))
    flops = 2 * profile_network(classifier.info.network).macs
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    threads = f"{torch.get_num_threads()} threads, load {load:.2f} at the start"
    print(f"{describe_device(device)}, torch {torch.__version__}, {threads}")
    batch = BATCH[device.type]
    loops = {
        "plain": lambda: evaluate_plainly(classifier, images, batch),
        "evaluate": lambda: evaluate_split(classifier, split),
    }
    for loop in loops.values():
        loop()  # the first time also chooses and loads kernels
    peaks, speeds = [], {name: [] for name in loops}
    for _ in range(options.rounds):
        peaks.append(matmul_peak(device, classifier.fast_dtype))
        for name, loop in loops.items():
            speeds[name].append(count / timed(loop, device))
    dtype = str(classifier.fast_dtype).removeprefix("torch.")
    peak = statistics.median(peaks)
    print(f"matrix product: {peak / 1e9:,.0f} GFLOP/s in {dtype}; floor {peak / flops:,.0f} images/s")
    for name, values in speeds.items():
        shares = [speed * flops / top for speed, top in zip(values, peaks, strict=True)]
        spread = f"({min(shares):.1%} to {max(shares):.1%} by turn)"
        print(f"  {name:<9} {statistics.median(values):>9,.0f} images/s  {statistics.median(shares):6.1%} {spread}")


if __name__ == "__main__":
    main()
