"""Which explanation to trust: deletion and insertion of every method against random order, and a sanity check.

    python -m benchmarks.explanations --data FOLDER [--images 1000] [--checks 100] [--rows FILE]

Of a picture, squares are taken away (or let appear) in the order of a method's map; the area under the class's
probability is good when it is low (high). Beside each mean stands its 95% bootstrap interval over the pictures. The
sanity check (Adebayo et al. 2018) asks each method again for a network whose weights are random: a map that stays as it
was does not explain the network. Maps are smooth, so any two of them correlate somewhat, in one direction or the other:
what two pictures' maps have in common by chance stands beside it. Rows go to a file as they come, so that a run that
was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from googlenet.data.datasets import load_images
from googlenet.inference.classifier import Classifier
from googlenet.inference.explain import METHODS
from googlenet.inference.explain.score import Target, judged
from googlenet.inference.explain.trust import POINTS, area, order_of, random_orders, way
from googlenet.runs.checkpoints import SHIPPED

RANDOM = "random"


def curves(classifier: Classifier, pixels: Tensor, seed: int) -> dict[str, Any]:
    """For each method, and for a random order, the areas of deletion and insertion and the seconds of its map."""
    target = Target.of(classifier, int(judged(classifier, pixels[None]).argmax()))
    orders, seconds = {RANDOM: random_orders(1, seed)[0]}, {RANDOM: 0.0}
    for name, method in METHODS.items():
        begun = time.perf_counter()
        orders[name] = order_of(method(classifier, pixels, target, None))
        seconds[name] = time.perf_counter() - begun
    pictures = torch.cat([way(pixels, order, back) for order in orders.values() for back in (False, True)])
    shares = target.share(judged(classifier, pictures)).view(len(orders), 2, POINTS)
    return {
        name: [area(tuple(both[0].tolist())), area(tuple(both[1].tolist())), seconds[name]]
        for name, both in zip(orders, shares, strict=True)
    }


def randomised(path: Path, seed: int) -> Classifier:
    """The same network with every weight drawn anew, as before a training."""
    classifier = Classifier(path)
    torch.manual_seed(seed)
    for module in classifier.model.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear | torch.nn.BatchNorm2d):
            module.reset_parameters()
            if isinstance(module, torch.nn.BatchNorm2d):  # else a deep network's maps vanish
                module.running_mean.zero_()  # type: ignore[union-attr]
                module.running_var.fill_(0.3)  # type: ignore[union-attr]
    return classifier


def ranked(classifier: Classifier, pixels: Tensor, label: int) -> dict[str, np.ndarray]:
    """For each method the ranks of its map's pixels, ties shared."""
    target = Target.of(classifier, label)
    return {
        name: pd.Series(method(classifier, pixels, target, None).flatten().numpy()).rank().to_numpy()
        for name, method in METHODS.items()
    }


def sanity(classifier: Classifier, stranger: Classifier, pixels: Tensor, other: Tensor) -> dict[str, list[float]]:
    """For each method the rank correlation of its maps for both networks, and for two pictures, over all pixels."""
    label = int(judged(classifier, pixels[None]).argmax())
    own, random = (ranked(one, pixels, label) for one in (classifier, stranger))
    elsewhere = ranked(classifier, other, int(judged(classifier, other[None]).argmax()))
    return {
        name: [float(np.corrcoef(own[name], ranks[name])[0, 1]) for ranks in (random, elsewhere)] for name in METHODS
    }


def interval(values: np.ndarray) -> str:
    """The mean and its 95% bootstrap interval."""
    generator = np.random.default_rng(0)
    means = values[generator.integers(len(values), size=(2000, len(values)))].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"


def show(rows: list[dict[str, Any]]) -> None:
    """Print the tables."""
    areas = [row["areas"] for row in rows]
    chance = np.array([row[RANDOM] for row in areas])
    print(f"{len(rows)} pictures; areas with 95% intervals")
    print(f"{'method':<22}{'deletion':<26}{'insertion':<26}{'to random':<20}median s")
    for name in (RANDOM, *METHODS):
        found = np.array([row[name] for row in areas])
        ratio = found[:, :2].mean(0) / chance[:, :2].mean(0) - 1
        against = f"{ratio[0]:+.0%}, {ratio[1]:+.0%}"
        print(
            f"{name:<22}{interval(found[:, 0]):<26}{interval(found[:, 1]):<26}{against:<20}{np.median(found[:, 2]):.2f}"
        )
    checks = [row["sanity"] for row in rows if row.get("sanity")]
    if checks:
        print(
            f"rank correlation with a network of random weights, {len(checks)} pictures; of two pictures' maps: chance"
        )
        print(f"{'method':<22}{'mean':<26}{'mean size':<26}size by chance")
        for name in METHODS:
            found = np.array([row[name] for row in checks])
            sizes = np.abs(found)  # of both signs: their mean alone would hide them
            print(f"{name:<22}{interval(found[:, 0]):<26}{interval(sizes[:, 0]):<26}{interval(sizes[:, 1])}")


def main() -> None:
    """Go on where the rows end, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="cifar10 or its folder")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--checks", type=int, default=100, help="of the first so many the sanity check as well")
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--rows", type=Path, default=Path("explanations.jsonl"), help="what was measured so far")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f} at the start")
    rows = [json.loads(line) for line in options.rows.read_text().splitlines()] if options.rows.exists() else []
    classifier, stranger = Classifier(options.weights), randomised(options.weights, seed=0)
    images = load_images(options.data).test.images
    chosen = np.random.default_rng(0).permutation(len(images))[: options.images]
    with options.rows.open("a") as file:
        for number in range(len(rows), len(chosen)):
            pixels = images[int(chosen[number])].contiguous()
            row: dict[str, Any] = {"image": int(chosen[number]), "areas": curves(classifier, pixels, number)}
            if number < options.checks:
                other = images[int(chosen[number - 1])].contiguous()
                row["sanity"] = sanity(classifier, stranger, pixels, other)
            rows.append(row)
            file.write(json.dumps(row) + "\n")
            file.flush()
    show(rows)


if __name__ == "__main__":
    main()
