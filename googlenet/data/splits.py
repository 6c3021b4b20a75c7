"""Images and labels as tensors, and how they are kept on disk between two starts."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a form checks its data set before torch is loaded
    import torch

SIZE = 32  # pixels a side of every image in a data set
Progress = Callable[[float, str], None]  # share done in [0, 1], and a sentence


@dataclass(frozen=True)
class Split:
    """N images and their labels."""

    images: torch.Tensor  # uint8 (N, 3, 32, 32), contiguous
    labels: torch.Tensor  # int64 (N,)


def read_cache(path: Path, num_classes: int) -> tuple[Split, Split] | None:
    """The training and test split that `write_cache` put at `path`, or None when they are not there whole."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
        train, test = (Split(tensors[f"{name}_images"], tensors[f"{name}_labels"]) for name in ("train", "test"))
    except (OSError, SafetensorError, KeyError):
        return None
    return (train, test) if _is_sound(train, num_classes) and _is_sound(test, num_classes) else None


def _is_sound(split: Split, num_classes: int) -> bool:
    import torch

    images, labels = split.images, split.labels
    return (
        (images.dtype, labels.dtype) == (torch.uint8, torch.int64)
        and len(images) > 0
        and images.shape == (len(images), 3, SIZE, SIZE)
        and labels.shape == images.shape[:1]
        and 0 <= int(labels.min()) <= int(labels.max()) < num_classes
    )


def write_cache(path: Path, train: Split, test: Split) -> None:
    """Keep both splits at `path`; when that cannot be written, do without."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors = {
        "train_images": train.images,
        "train_labels": train.labels,
        "test_images": test.images,
        "test_labels": test.labels,
    }
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, partial)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, SafetensorError):  # a full or read-only disk costs the next start some seconds, nothing more
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
