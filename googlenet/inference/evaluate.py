"""How good is a checkpoint on a split of a data set: accuracy, loss, calibration, and what it takes for what."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from googlenet.data.datasets import ImageSet, load_images
from googlenet.data.splits import Progress, Split
from googlenet.errors import LabError, check_choice, check_whole
from googlenet.inference.calibration import expected_calibration_error, wilson_interval
from googlenet.inference.classifier import Classifier
from googlenet.language import tr

# Images at a time: what keeps a layer's maps in a processor's cache, and what fills a GPU.
BATCH = {"cpu": 32, "cuda": 2048, "mps": 512}
_PER_IMAGE = ("labels", "logits", "probabilities")


@dataclass(frozen=True)
class Evaluation:
    """What a checkpoint answered on `n` images.

    `per_class` and `intervals` (Wilson, 95%) are None for a class without images; `confusion[true][predicted]` counts
    images. `loss` and `calibration_error` are of softmax(logits), the `scaled` ones of softmax(logits / temperature),
    which are also the `probabilities`. `seconds` covers normalisation and the network, not reading the images.
    """

    n: int
    accuracy: float
    interval: tuple[float, float]  # of the accuracy
    loss: float  # mean cross entropy, which is the mean negative log likelihood, in nats
    calibration_error: float
    temperature: float  # the checkpoint's; 1 when none was fitted
    scaled_loss: float
    scaled_calibration_error: float
    per_class: dict[str, float | None]
    intervals: dict[str, tuple[float, float] | None]
    confusion: list[list[int]]
    seconds: float
    flip: bool
    precision: str  # of the arithmetic: float32 or bfloat16
    labels: Tensor  # int64 (n,)
    logits: Tensor  # float32 (n, classes)
    probabilities: Tensor  # float32 (n, classes)

    @property
    def images_per_second(self) -> float:
        """Images judged in a second; each counts once, also when its mirror image is judged too."""
        return self.n / self.seconds

    def cell(self, true: int, predicted: int) -> list[int]:
        """The images of class number `true` that were taken for `predicted`, the most confident answers first."""
        check_whole(true, "true", 0, len(self.confusion) - 1)
        check_whole(predicted, "predicted", 0, len(self.confusion) - 1)
        confidence, guess = self.probabilities.max(1)
        members = ((self.labels == true) & (guess == predicted)).nonzero().flatten()
        return members[confidence[members].argsort(descending=True, stable=True)].tolist()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, without the answers to single images."""
        names = [field.name for field in dataclasses.fields(self) if field.name not in _PER_IMAGE]
        return {name: getattr(self, name) for name in [*names, "images_per_second"]}


def evaluate(
    weights: Classifier | Path | str,
    data: ImageSet | str = "cifar10",
    split: Literal["test", "train"] = "test",
    *,
    flip: bool = False,
    batch_size: int | None = None,
    device: str = "auto",
    data_dir: Path = Path("data"),
    progress: Progress | None = None,
) -> Evaluation:
    """Judge `weights` (a file or a `Classifier`) on one split of `data` (what `load_images` takes or gives).

    `flip` averages the logits of each image and its mirror image. `progress` hears the share done, in [0, 1], and a
    sentence. Raises `LabError` when the data's classes are not the checkpoint's, in the same order. A folder that is
    named, for weights that see larger pictures than 32×32, is read as `streamed` says.
    """
    check_choice(split, "split", ("test", "train"))
    classifier = weights if isinstance(weights, Classifier) else Classifier(weights, device)
    if isinstance(data, str):
        from googlenet.inference.streamed import evaluate_pictures, find_labelled, is_streamed

        if is_streamed(classifier.info, data):
            pictures = find_labelled(data, classifier.info.classes, split)
            how: dict[str, Any] = {"flip": flip, "batch_size": batch_size, "progress": progress}
            return evaluate_pictures(classifier, pictures, **how)[0]
    images = data if isinstance(data, ImageSet) else load_images(data, data_dir, progress)
    check_classes(classifier, images.classes, images.name)
    return evaluate_split(classifier, getattr(images, split), flip=flip, batch_size=batch_size, progress=progress)


def check_classes(classifier: Classifier, classes: tuple[str, ...], data_name: str) -> None:
    """Raise `LabError` naming the first difference between the checkpoint's classes and `classes`; order counts."""
    known, checkpoint = classifier.info.classes, classifier.path.name
    if len(known) != len(classes):
        sentence = tr(
            "{name} knows {n:,} classes but {data} has {m:,}: choose data with the same classes.",
            name=checkpoint,
            n=len(known),
            data=data_name,
            m=len(classes),
        )
        raise LabError(sentence)
    for number, (ours, theirs) in enumerate(zip(known, classes, strict=True)):
        if ours != theirs:
            sentence = tr(
                "Class {number} is {ours!r} in {name} but {theirs!r} in {data}: "
                "choose data with the same classes in the same order.",
                number=number,
                ours=ours,
                name=checkpoint,
                theirs=theirs,
                data=data_name,
            )
            raise LabError(sentence)


def evaluate_split(
    classifier: Classifier,
    split: Split,
    *,
    flip: bool = False,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """`evaluate` on images and labels in memory, whose labels are the classifier's class numbers.

    Without a `batch_size` it takes the device's, and less where the device's memory asks for it.
    """
    return _evaluate(classifier, split, flip, batch_size, progress)


def evaluate_features(
    classifier: Classifier, split: Split, progress: Progress | None = None
) -> tuple[Evaluation, Tensor]:
    """`evaluate_split`, and from the same pass the images' features (n, F + E) of `prototypes.pooled`, on the CPU."""
    features: list[Tensor] = []
    evaluation = _evaluate(classifier, split, False, None, progress, features)
    return evaluation, torch.cat(features)


def _evaluate(
    classifier: Classifier,
    split: Split,
    flip: bool,
    batch_size: int | None,
    progress: Progress | None,
    features: list[Tensor] | None = None,
) -> Evaluation:
    """Puts the images' features, a batch each, into `features` where that is a list."""
    chosen = BATCH[classifier.device.type] if batch_size is None else check_whole(batch_size, "batch_size", 1, 65_536)
    count, size = len(split.labels), classifier.info.network.input_size
    if count == 0:
        raise LabError(tr("There are no images to evaluate on: choose another split."))
    if split.images.shape[-2:] != (size, size):
        sides = dict(zip(("height", "width"), split.images.shape[-2:], strict=True))
        sentence = tr(
            "{name} takes {size}×{size} images but the data has {height}×{width}.",
            name=classifier.path.name,
            size=size,
            **sides,
        )
        raise LabError(sentence)
    started = time.perf_counter()
    while True:
        try:
            logits = _logits(classifier, split.images, flip, chosen, progress, features)
            break
        except torch.OutOfMemoryError:
            if chosen == 1:
                raise
            chosen = chosen // 2
    return summarise(classifier, logits, split.labels.cpu(), time.perf_counter() - started, flip)


def _logits(
    classifier: Classifier,
    images: Tensor,
    flip: bool,
    batch_size: int,
    progress: Progress | None,
    features: list[Tensor] | None,
) -> Tensor:
    """float32 (n, classes), on the CPU."""
    parts, count = [], len(images)
    if features is not None:
        features.clear()  # of a try that ran out of memory
    for start in range(0, count, batch_size):
        batch = images[start : start + batch_size].to(classifier.device)
        if features is None:
            logits = classifier.fast_logits(batch)
        else:
            logits, found = classifier.fast_features(batch)
            features.append(found.cpu())
        parts.append((logits + classifier.fast_logits(batch.flip(-1))) / 2 if flip else logits)
        if progress:
            done = min(start + batch_size, count)
            progress(done / count, tr("Judged {n:,} of {total:,} images", n=done, total=count))
    return torch.cat(parts).cpu()


def summarise(classifier: Classifier, logits: Tensor, labels: Tensor, seconds: float, flip: bool) -> Evaluation:
    """Figures from logits (n, classes) and labels (n,), at least one, both on the CPU."""
    classes, temperature = classifier.info.classes, classifier.temperature
    count, n = len(classes), len(labels)
    plain, scaled = logits.softmax(1), (logits / temperature).softmax(1)
    confusion = torch.bincount(labels * count + logits.argmax(1), minlength=count**2).view(count, count)
    right, there = confusion.diagonal().tolist(), confusion.sum(1).tolist()
    by_class = list(zip(classes, right, there, strict=True))
    return Evaluation(
        n=n,
        accuracy=sum(right) / n,
        interval=wilson_interval(sum(right), n),
        loss=F.cross_entropy(logits, labels).item(),
        calibration_error=expected_calibration_error(plain, labels),
        temperature=temperature,
        scaled_loss=F.cross_entropy(logits / temperature, labels).item(),
        scaled_calibration_error=expected_calibration_error(scaled, labels),
        per_class={name: r / m if m else None for name, r, m in by_class},
        intervals={name: wilson_interval(r, m) if m else None for name, r, m in by_class},
        confusion=confusion.tolist(),
        seconds=seconds,
        flip=flip,
        precision=str(classifier.fast_dtype).removeprefix("torch."),
        labels=labels,
        logits=logits,
        probabilities=scaled,
    )
