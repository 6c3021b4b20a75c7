"""What an index costs and how good its neighbours are: against evaluation alone and against exact features.

    python -m benchmarks.index --data FOLDER [--weights FILE] [--images 50000] [--queries 400]

The images are those that the network learned from, and test images for queries. Neighbours are compared with those of
the features themselves; the speed stands beside that of answers alone, before and after.
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from googlenet.data.content import content_order
from googlenet.data.datasets import load_images
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import BATCH
from googlenet.inference.index import index_path, load_bank, neighbours_path
from googlenet.inference.index.index import top_layers, write_index
from googlenet.inference.index.neighbours import features_of, write_bank
from googlenet.inference.index.packing import About
from googlenet.inference.index.strongest import walk_images
from googlenet.inference.selection.store import weights_digest
from googlenet.models.memory import reuse_memory
from googlenet.runs.checkpoints import SHIPPED

KEPT = 9
PLAIN = 640  # images of evaluation alone, before and after


def main() -> None:
    """Print the comparison."""
    reuse_memory()  # as in the lab's own processes
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--data", default="cifar10")
    parser.add_argument("--images", type=int, default=50_000, help="training images, by content")
    parser.add_argument("--queries", type=int, default=400, help="test images whose neighbours are compared")
    options = parser.parse_args()

    found, classifier = load_images(options.data), Classifier(options.weights)
    order = content_order(found.train)
    positions = order.positions[: options.images]
    images, labels = found.train.images[positions], found.train.labels[positions]
    plain = [_plain(classifier, images)]
    begun = time.perf_counter()
    walked = walk_images(classifier, images, set(top_layers(classifier.info.network)))
    rate = len(images) / (time.perf_counter() - begun)
    plain.append(_plain(classifier, images))
    print(f"indexing {rate:,.0f} images/s; answers alone {plain[0]:,.0f} before and {plain[1]:,.0f} after")

    with TemporaryDirectory() as folder:
        weights = Path(shutil.copy(options.weights, folder))
        about = About(weights_digest(weights), order.fingerprint, found.name, len(images))
        write_bank(weights, about, walked.features, labels)
        write_index(weights, about, walked)
        sizes = [path(weights).stat().st_size / 1e3 for path in (index_path, neighbours_path)]
        bank = load_bank(weights)
    assert bank is not None
    print(f"index {sizes[0]:,.0f} kB; features {sizes[1]:,.0f} kB, exact {walked.features.nbytes / 1e3:,.0f} kB")

    chosen = torch.randperm(len(found.test.labels), generator=torch.Generator().manual_seed(0))[: options.queries]
    queries = torch.stack([features_of(classifier, found.test.images[number]) for number in chosen.tolist()])
    exact = queries @ walked.features.float().T
    near = torch.stack([bank.similarities(query) for query in queries]).topk(KEPT, 1).indices
    nearest = exact.topk(KEPT, 1)
    shared = (nearest.indices[:, :, None] == near[:, None, :]).any(2).float().mean()
    cosines = exact.gather(1, near).mean(), nearest.values.mean()
    same = (labels[near].mode(1).values == labels[nearest.indices].mode(1).values).float().mean()
    print(f"of {KEPT} neighbours {shared:.1%} are the exact ones; mean cosine {cosines[0]:.4f}, exact {cosines[1]:.4f}")
    print(f"the commonest label is the exact neighbours' for {same:.1%} of {len(queries)} test images")


def _plain(classifier: Classifier, images: torch.Tensor) -> float:
    """Images a second of answers alone."""
    begun, batch = time.perf_counter(), BATCH[classifier.device.type]
    for part in images[:PLAIN].split(batch):
        classifier.fast_logits(part).cpu()
    return min(PLAIN, len(images)) / (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
