"""A weights file that answers questions: pictures in, probabilities out."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from googlenet.data.augment import normalize
from googlenet.data.images import Source, fit_image, read_image
from googlenet.errors import LabError
from googlenet.inference.batching import Batcher
from googlenet.inference.novelty import Novelty, NoveltyVerdict, check_novelty, verdict
from googlenet.inference.prototypes import pooled
from googlenet.language import tr
from googlenet.models.device import has_fast_bf16, pick_device
from googlenet.models.fast.folded import fold
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.places import usable_cores
from googlenet.models.weights import load_weights

# Pictures that visitors' threads read at once: a large one takes hundreds of megabytes for the while.
_reading = threading.BoundedSemaphore(usable_cores())

_loading = threading.Lock()  # of many who ask for a network that nobody has read yet, one reads it


@dataclass(frozen=True, eq=False)
class Answer:
    """All that a network says of one picture.

    `probabilities` of every class, the likeliest first, sum to 1; `logits` are float32 (classes,) in the order of the
    labels, on the CPU. `picture` is the one given, upright and whole, `seen` the very pixels that the network saw of
    it. `novelty` is None where the weights file has no threshold.
    """

    probabilities: dict[str, float]
    logits: Tensor
    picture: Image.Image
    seen: Image.Image
    novelty: NoveltyVerdict | None

    @property
    def unlike_training(self) -> bool | None:
        """Whether the picture looks like no class; None where the weights file has no threshold."""
        return self.novelty and self.novelty.unlike_training

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: all but the pictures and how the answer came about."""
        return {
            "unlike_training": self.unlike_training,
            "verdict": verdict(*next(iter(self.probabilities.items())), self.unlike_training),
            "probabilities": self.probabilities,
            "novelty": self.novelty and self.novelty.to_dict(),
        }


class Classifier:
    """The network in the weights file `path`, on `device` (auto, cuda, mps or cpu), prepared as the file says.

    `info` is the file's description of itself: network, classes, normalisation, facts. Input size, mean and standard
    deviation come from there and nowhere else, and so does `temperature`, by which logits are divided before they
    become probabilities (Guo et al. 2017); it is 1 where none was fitted. Raises `LabError` for a file that is missing,
    damaged or not the lab's.
    """

    def __init__(self, path: Path | str, device: str = "auto") -> None:
        self.path = Path(path)
        self.device = pick_device(device)
        self.model, self.info = load_weights(self.path, self.device)
        if self.info.network.in_channels != 3:
            takes = {"name": self.path.name, "n": self.info.network.in_channels}
            raise LabError(tr("{name} takes {n} channels: a picture has 3.", **takes))
        self.model.to(memory_format=torch.channels_last)
        self.temperature = self.info.temperature
        self.novelty = Novelty.of(self.info)
        self._mean = torch.tensor(self.info.mean, device=self.device)
        self._std = torch.tensor(self.info.std, device=self.device)

    def answer(self, image: Source, *, whole: bool = True) -> Answer:
        """All about `image`, which is what `read_image` takes, from one decoding and one forward pass.

        Where the `whole` picture is not wanted, it is let go at once: many may wait for their pass, and a large one
        takes 50 MB. Threads that ask at the same time share a pass (batching.py).
        """
        picture, seen = self._read(image)
        if not whole:
            picture = seen
        pixels = to_tensor(seen)
        row = self._together(pixels)
        logits, score = row[: len(self.info.classes)], row[len(self.info.classes) :]
        shares = self._softmax(logits)
        ordered = self._ordered(shares.tolist())
        novelty = self.novelty and check_novelty(self.novelty, score.item())
        return Answer(ordered, logits, picture, seen, novelty)

    def classify(self, image: Source) -> dict[str, float]:
        """The probability of every class, the likeliest first; they sum to 1. `image` is what `read_image` takes."""
        return self.answer(image).probabilities

    def classify_many(self, images: Iterable[Source], batch_size: int = 64) -> list[dict[str, float]]:
        """`classify` for many pictures, `batch_size` of them decoded at a time."""
        waiting, answers = iter(images), []
        while batch := [to_tensor(self.input_image(image)) for image in islice(waiting, batch_size)]:
            answers += map(self._ordered, self.probabilities(torch.stack(batch)).tolist())
        return answers

    @property
    def calibrated(self) -> bool:
        """Whether probabilities are scaled by a fitted temperature."""
        return self.temperature != 1

    def input_image(self, image: Source) -> Image.Image:
        """The very pixels that the network sees of `image`, before normalisation: RGB, input size."""
        return self._read(image)[1]

    def fit(self, picture: Image.Image) -> Image.Image:
        """The part of an upright RGB picture that the network sees, scaled to its input size."""
        return fit_image(picture, self.info.network.input_size, self.info.resize)

    def _read(self, image: Source) -> tuple[Image.Image, Image.Image]:
        """The picture, and the pixels that the network sees of it."""
        with _reading:
            picture = read_image(image)
            return picture, self.fit(picture)

    @functools.cached_property
    def _together(self) -> Batcher:
        return Batcher(lambda images: torch.cat([part for part in self.judged(images) if part is not None], 1))

    @torch.inference_mode()
    def judged(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """`logits`, and the novelty's scores (N, 1) from the same pass; None where the file has no threshold."""
        if self.novelty is None:
            return self.logits(images), None
        logits, features = pooled(self.model, self.prepared(images))
        return logits, self.novelty.score(logits, features)[:, None]

    @torch.inference_mode()
    def logits(self, images: Tensor) -> Tensor:
        """uint8 (N, 3, H, W), anywhere → float32 (N, classes), on the classifier's device."""
        return self.model(self.prepared(images))

    def prepared(self, images: Tensor) -> Tensor:
        """uint8 (N, 3, H, W), anywhere → float32 of that shape, normalised, on the classifier's device."""
        return normalize(images.to(self.device), self._mean, self._std)

    @torch.inference_mode()
    def fast_logits(self, images: Tensor) -> Tensor:
        """As `logits`, within rounding, for many images: batch norm folded, in `fast_dtype`."""
        return self.fast_model(self.prepared(images))

    @torch.inference_mode()
    def fast_features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """As `fast_logits`, and the features (N, F + E) of the images (`prototypes.pooled`)."""
        return pooled(self.fast_model, self.prepared(images))

    @property
    def fast_dtype(self) -> torch.dtype:
        """bfloat16 where the device is fast at it, else float32."""
        return torch.bfloat16 if has_fast_bf16(self.device) else torch.float32

    @functools.cached_property
    def fast_model(self) -> GoogLeNet:
        """The network rearranged for many images: takes float32 (N, C, H, W), `prepared`."""
        return fold(self.model, self.fast_dtype)

    def probabilities(self, images: Tensor) -> Tensor:
        """uint8 (N, 3, H, W), anywhere → float32 (N, classes), scaled by the temperature, on its device."""
        return self._softmax(self.logits(images))

    def shares(self, logits: Tensor) -> dict[str, float]:
        """Logits (classes,) → the probability of every class, the likeliest first; `LabError` where they are none."""
        return self._ordered(self._softmax(logits).tolist())

    def _softmax(self, logits: Tensor) -> Tensor:
        return (logits / self.temperature).softmax(-1)

    def _ordered(self, probabilities: list[float]) -> dict[str, float]:
        if any(value != value for value in probabilities):
            raise LabError(
                tr(
                    "{name} answers with NaN, since its training diverged: choose an earlier epoch.",
                    name=self.path.name,
                ),
                "checkpoint",
            )
        pairs = zip(self.info.classes, probabilities, strict=True)
        return dict(sorted(pairs, key=lambda pair: pair[1], reverse=True))


def to_tensor(image: Image.Image) -> Tensor:
    """uint8 (3, H, W)."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def load_classifier(path: Path | str, device: str = "auto") -> Classifier:
    """`Classifier(path, device)`, kept in memory for the next call; a file written anew is read anew."""
    path = Path(path)
    try:
        status = path.stat()
    except (OSError, ValueError):
        return Classifier(path, device)  # says what is wrong with it
    with _loading:
        return _load(path.absolute(), status.st_mtime_ns, status.st_size, device)


@functools.lru_cache(maxsize=4)
def _load(path: Path, mtime_ns: int, size: int, device: str) -> Classifier:
    return Classifier(path, device)
