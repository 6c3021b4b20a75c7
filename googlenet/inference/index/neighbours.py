"""The training images nearest to a picture in feature space: what the network takes for alike.

Features are what the average pool gives, scaled to length 1, so that the nearest have the highest cosine. Kept are
their `DIMENSIONS` principal components in 7 bits, packed, for the shipped network a fiftieth of float16's size. Of its
nine neighbours 7.6 are then the exact ones and the others as near: a mean cosine of 0.9790 in place of 0.9792.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from googlenet.config import GoogLeNetConfig
from googlenet.data.images import Source
from googlenet.errors import LabError, check_whole
from googlenet.inference.classifier import Classifier, to_tensor
from googlenet.inference.index.index import layer_shapes
from googlenet.inference.index.packing import (
    About,
    intact,
    narrowest,
    pack,
    read_packed,
    stamps,
    unpack,
    write_packed,
)
from googlenet.inference.index.strongest import unit_features
from googlenet.inference.inside.trace import Trace, walk
from googlenet.language import tr
from googlenet.models.weights import read_info

SUFFIX = ".neighbours"
KIND = "googlenet-lab-neighbours-1"
DIMENSIONS = 72
LIMIT = 150_000_000  # bytes of a file: two million images
STEPS = 63  # of a code, to either side: finer ones find hardly more and pack worse


class Neighbour(NamedTuple):
    """A training image (its number in `content_order`), its class, and the cosine of its features and the picture's."""

    image: int
    label: str
    similarity: float


@dataclass(frozen=True, eq=False)
class Bank:
    """The features of N training images, as codes: int8 (D, N) steps of `step` along `basis` (F, D) from `mean` (F,).

    `rest` is the mean square of what lies beside the basis; `labels` are class numbers (N,).
    """

    about: About
    labels: np.ndarray
    codes: Tensor
    step: float
    mean: Tensor
    basis: Tensor
    rest: float

    def similarities(self, features: Tensor) -> Tensor:
        """Cosines of features (F,) of length 1 and those of each image: float32 (N,)."""
        seen = features - self.mean
        along = seen @ self.basis
        beside = (seen.square().sum() - along.square().sum()).clamp_min(0) + self.rest
        codes = self.codes.float() * self.step
        squares = along.square().sum() + codes.square().sum(0) - 2 * (along @ codes)
        return (1 - (squares + beside) / 2).clamp(-1, 1)


def neighbours_path(weights: Path) -> Path:
    """Where the bank of the weights file `weights` stands."""
    return weights.with_suffix(SUFFIX)


def nearest(classifier: Classifier, image: Source | Tensor | Trace, k: int = 9) -> tuple[Neighbour, ...]:
    """The `k` training images whose features are nearest to those of `image`, the nearest first.

    `image` is what `read_image` takes, the uint8 (3, H, W) pixels that the network sees, or their trace. Raises
    `LabError` where the file beside the weights is missing, damaged or of other weights.
    """
    k = check_whole(k, "k", 1, 100)
    bank = load_bank(classifier.path)
    if bank is None:
        sentence = tr(
            "No training images are kept for {weights}: compute it with python -m googlenet index {weights}.",
            weights=classifier.path.name,
        )
        raise LabError(sentence, "index")
    similar, chosen = bank.similarities(features_of(classifier, image)).topk(min(k, bank.about.count))
    classes = classifier.info.classes
    pairs = zip(chosen.tolist(), similar.tolist(), strict=True)
    return tuple(Neighbour(number, classes[bank.labels[number]], similarity) for number, similarity in pairs)


@torch.inference_mode()
def features_of(classifier: Classifier, image: Source | Tensor | Trace) -> Tensor:
    """float32 (F,) of length 1, on the CPU."""
    last = classifier.info.network.layers[-1].name
    if isinstance(image, Trace):
        return unit_features(image.maps[last][None])[0]
    pixels = image if isinstance(image, Tensor) else to_tensor(classifier.input_image(image))
    maps = next(maps for name, maps in walk(classifier.model, classifier.prepared(pixels[None])) if name == last)
    return unit_features(maps)[0].cpu()


def load_bank(weights: Path | str) -> Bank | None:
    """The bank beside the weights file `weights`; None where there is none.

    Kept in memory until either file changes. Raises `LabError` for one that is damaged or of other weights.
    """
    weights = Path(weights)
    found = stamps(neighbours_path(weights), weights)
    return None if found is None else _load(weights, *found)


@functools.lru_cache(maxsize=2)
def _load(weights: Path, *stamp: int) -> Bank:
    path, info = neighbours_path(weights), read_info(weights)
    about, tensors = read_packed(path, weights, KIND, LIMIT)
    with intact(path, weights):
        width = _width(info.network)
        kept = min(DIMENSIONS, width)
        codes = unpack(tensors["codes"], np.uint8, (kept, about.count)).view(np.int8)
        labels = unpack(tensors["labels"], narrowest(len(info.classes)), (about.count,))
        expected = {"mean": ("f4", (width,)), "basis": ("f2", (width, kept)), "numbers": ("f4", (2,))}
        for name, (kind, shape) in expected.items():
            values = tensors[name]
            if values.dtype != kind or values.shape != shape or not np.isfinite(values).all():
                raise ValueError
        mean, basis, numbers = (tensors[name].astype(np.float32) for name in expected)
        if (labels >= len(info.classes)).any() or np.abs(basis).max() > 1.01 or np.abs(mean).max() > 1.01:
            raise ValueError
        step, rest = numbers.tolist()
        if not (0 <= step <= 1 and 0 <= rest <= 4):
            raise ValueError
    codes, mean, basis = (torch.from_numpy(values) for values in (codes, mean, basis))
    return Bank(about, labels, codes, step, mean, basis, rest)


def write_bank(weights: Path, about: About, features: Tensor, labels: Tensor) -> None:
    """Keep features (N, F) of length 1 and labels (N,) beside the weights file `weights`, whole or not at all."""
    info = read_info(weights)
    mean, basis, rest = _principal(features, min(DIMENSIONS, features.shape[1]))
    basis = basis.half().float()  # as it is kept
    along = torch.cat([(part.float() - mean) @ basis for part in features.split(4096)])
    step = max(along.abs().max().item() / STEPS, 1e-9)
    codes = (along / step).round().clamp(-STEPS, STEPS).to(torch.int8).T.contiguous()
    tensors = {
        "codes": pack(codes.numpy().view(np.uint8)),  # one component of all images after the other
        "labels": pack(labels.numpy().astype(narrowest(len(info.classes)))),
        "mean": mean.numpy(),
        "basis": basis.half().numpy(),
        "numbers": np.array([step, rest], np.float32),
    }
    write_packed(neighbours_path(weights), KIND, about, tensors)


def _principal(features: Tensor, count: int) -> tuple[Tensor, Tensor, float]:
    """Mean (F,) of features (N, F), the `count` directions (F, count) in which they differ most, and what is left."""
    parts = features.split(4096)
    mean = torch.stack([part.double().sum(0) for part in parts]).sum(0) / len(features)
    spread = torch.zeros(len(mean), len(mean), dtype=torch.float64)
    for part in parts:
        centred = part.double() - mean
        spread += centred.T @ centred
    variances, directions = torch.linalg.eigh(spread / len(features))
    rest = variances[:-count].clamp_min(0).sum().item() if count < len(mean) else 0.0
    return mean.float(), directions.flip(1)[:, :count].float().contiguous(), rest


def _width(network: GoogLeNetConfig) -> int:
    return layer_shapes(network)[network.layers[-1].name][0]
