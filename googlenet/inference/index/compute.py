"""`python -m googlenet index`: one walk through the training images gives both files beside a weights file."""

from __future__ import annotations

import functools
import time
from pathlib import Path

import torch

from googlenet.data.content import content_order
from googlenet.data.datasets import ImageSet, classes_of, load_images
from googlenet.data.splits import Progress
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import BATCH, check_classes
from googlenet.inference.index.index import Index, load_index, top_layers, write_index
from googlenet.inference.index.neighbours import write_bank
from googlenet.inference.index.packing import MAX_WORDS, About
from googlenet.inference.index.strongest import walk_images
from googlenet.inference.selection.store import weights_digest
from googlenet.language import tr


def compute_index(
    weights: Path | str,
    data: ImageSet | str = "cifar10",
    *,
    device: str = "auto",
    data_dir: Path = Path("data"),
    progress: Progress | None = None,
) -> Index:
    """Write the index of the weights file `weights` beside it, over the training images of `data`; and their features.

    `data` is what `load_images` takes or gives; `progress` hears the share done and a sentence with the time left, and
    may raise to end it. Nothing is written before all is computed. Raises `LabError` for images of another size or of
    other classes than the network's, for a network that diverged, and where the file cannot be written.
    """
    classifier = Classifier(weights, device)
    digest = weights_digest(classifier.path)
    network = classifier.info.network
    tops = top_layers(network)
    if not tops:
        raise LabError(tr("{name} has no convolution, so there is nothing to look for.", name=classifier.path.name))
    if isinstance(data, str):
        check_classes(classifier, classes_of(data), data)  # before minutes of loading
    images = data if isinstance(data, ImageSet) else load_images(data, data_dir, progress)
    check_classes(classifier, images.classes, images.name)
    height, width = images.train.images.shape[-2:]
    if (height, width) != (network.input_size, network.input_size):
        sentence = tr(
            "{name} takes {side}×{side} images but the data has {height}×{width}.",
            name=classifier.path.name,
            side=network.input_size,
            height=height,
            width=width,
        )
        raise LabError(sentence)
    order = content_order(images.train)
    about = About(digest, order.fingerprint, images.name[:MAX_WORDS], len(order.positions))
    walked = walk_images(classifier, images.train.images[order.positions], set(tops), progress)
    write_bank(classifier.path, about, walked.features, images.train.labels[order.positions])
    write_index(classifier.path, about, walked)
    index = load_index(classifier.path)
    assert index is not None
    return index


@functools.lru_cache(maxsize=4)
def seconds_an_image(classifier: Classifier) -> float:
    """How long the network takes for one of many images here, from two batches; measured once."""
    size, count = classifier.info.network.input_size, BATCH[classifier.device.type]
    images = torch.zeros((count, 3, size, size), dtype=torch.uint8)
    classifier.fast_logits(images).cpu()  # gets memory and chooses kernels
    begun = time.perf_counter()
    classifier.fast_logits(images).cpu()
    return (time.perf_counter() - begun) / count
