"""The images a network learns from: one call for CIFAR-10, drawn shapes and image folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet.data.splits import Progress, Split, split_validation
from googlenet.errors import LabError
from googlenet.language import mark, tr

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "ImageSet",
    "Progress",
    "Split",
    "check_source",
    "classes_of",
    "images_a_class",
    "is_at_hand",
    "load_images",
    "split_validation",
]

CIFAR_TRAIN = 50_000
NAMES = {"cifar10": "CIFAR-10", "shapes": mark("shapes (synthetic)")}


@dataclass(frozen=True)
class ImageSet:
    """A data set in memory. `mean` and `std` are of the training images in [0, 1], per channel."""

    source: str  # as the user wrote it: "cifar10", "shapes" or the path of a folder
    name: str  # for people; in English, as files keep it: `language.retell` where it is shown
    train: Split
    test: Split
    classes: tuple[str, ...]  # index = label
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    synthetic: bool


def check_source(source: str) -> str:
    """Return `source` when it names a data set, else raise `LabError`; opens no image and does not import torch."""
    if not isinstance(source, str) or not source.strip():
        raise LabError(tr("Choose the data: cifar10, shapes, or the path of a folder with train/ and test/."), "data")
    if source not in NAMES:
        from googlenet.data.folder import class_names

        class_names(_root(source))
    return source


def is_at_hand(source: str, data_dir: Path = Path("data")) -> bool:
    """Whether `load_images` would find `source` on this machine, and download nothing."""
    if source == "cifar10":
        from googlenet.data.cifar import is_at_hand as has_cifar

        return has_cifar(Path(data_dir))
    try:
        check_source(source)
    except LabError:
        return False
    return True


def classes_of(source: str) -> tuple[str, ...]:
    """The classes of `source` in label order; opens no image, downloads nothing. `LabError` where it is none."""
    check_source(source)
    if source == "cifar10":
        from googlenet.data.cifar import CLASSES

        return CLASSES
    if source == "shapes":
        from googlenet.data.shapes import CLASSES

        return CLASSES
    from googlenet.data.folder import class_names

    return class_names(_root(source))


def images_a_class(source: str) -> tuple[int, ...]:
    """How many training images each class of `source` has; opens no image, downloads nothing."""
    classes = classes_of(source)
    if source == "cifar10":
        return (CIFAR_TRAIN // len(classes),) * len(classes)
    if source == "shapes":
        from googlenet.data.shapes import TRAIN

        return (TRAIN // len(classes),) * len(classes)
    from googlenet.data.folder import count_images

    return count_images(_root(source))


def load_images(source: str, data_dir: Path = Path("data"), progress: Progress | None = None) -> ImageSet:
    """The data set `source`: "cifar10", "shapes", or an image folder with train/<class>/ and test/<class>/.

    Downloads and caches go to `data_dir`. `progress` is called with the share done, in [0, 1], and a sentence. Raises
    `LabError` for a source that is not there, cannot be read, or cannot be downloaded.
    """
    check_source(source)
    report = progress or (lambda share, sentence: None)
    data_dir = Path(data_dir)
    if source == "cifar10":
        from googlenet.data.cifar import load_cifar

        train, test, classes = load_cifar(data_dir, report)
    elif source == "shapes":
        from googlenet.data.shapes import draw_shapes

        train, test, classes = draw_shapes()
    else:
        from googlenet.data.folder import load_folder

        train, test, classes = load_folder(_root(source), data_dir / "cache", report)
    mean, std = _channel_statistics(train.images)
    learned, asked = len(train.labels), len(test.labels)
    report(1.0, tr("Loaded {train:,} training and {test:,} test images", train=learned, test=asked))
    name = NAMES.get(source) or f"folder {_root(source).name}"
    return ImageSet(source, name, train, test, classes, mean, std, synthetic=source == "shapes")


def _root(source: str) -> Path:
    """The folder that `source` means, absolute, so that "." has a name too."""
    try:
        return Path(source).expanduser().absolute()
    except (OSError, RuntimeError):  # ~ of a user who is not there
        return Path(source)


def _channel_statistics(images: Tensor) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Mean and standard deviation of each channel of uint8 (N, 3, H, W), on the scale [0, 1]."""
    import torch

    total, squares = torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    for chunk in images.split(128):  # small enough for the processor's cache: ten times faster than 4,096
        values = chunk.float()
        total += values.sum((2, 3)).double().sum(0)
        squares += values.square_().sum((2, 3)).double().sum(0)
    count = images.numel() / 3
    mean = total / count
    std = (squares / count - mean.square()).clamp_min(0).sqrt()
    return tuple((mean / 255).tolist()), tuple((std / 255).tolist())
