"""Images and labels as tensors: which of them are held out, and how they are kept on disk between two starts."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet.config import DATA_SIZE
from googlenet.errors import check_choice, check_number

if TYPE_CHECKING:  # a form checks its data set before torch is loaded
    import torch

Progress = Callable[[float, str], None]  # share done in [0, 1], and a sentence


@dataclass(frozen=True)
class Split:
    """N images and their labels."""

    images: torch.Tensor  # uint8 (N, 3, 32, 32), contiguous
    labels: torch.Tensor  # int64 (N,)


def split_validation(
    split: Split, fraction: float, seed: int, by: str = "content"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Indices (training, validation) of `split`: `fraction` of each class to validation, both sorted.

    By "content" the same images give the same validation images in whatever order they are, and copies of an image stay
    on one side; by "position", the rule of earlier runs, the same labels give the same indices. A class of two or more
    images keeps one on each side; `fraction` 0 leaves validation empty. Raises `LabError` for a fraction outside
    [0, 0.5].
    """
    import torch

    check_number(fraction, "validation_fraction", 0, 0.5)
    check_choice(by, "split_by", ("content", "position"))
    generator, salt = torch.Generator().manual_seed(seed), seed.to_bytes(8, "little")
    images = split.images.cpu().contiguous().numpy() if by == "content" and fraction else ()
    hashes = [hashlib.blake2b(image, digest_size=8, salt=salt).digest() for image in images]
    held_out = torch.zeros(len(split.labels), dtype=torch.bool)
    for label in split.labels.unique().tolist() if fraction else ():
        members = (split.labels == label).nonzero().flatten()
        count = min(max(1, round(len(members) * fraction)), len(members) - 1)
        if by == "content":
            held_out[_lowest(members.tolist(), hashes, count)] = True
        else:
            held_out[members[torch.randperm(len(members), generator=generator)[:count]]] = True
    return (~held_out).nonzero().flatten(), held_out.nonzero().flatten()


def _lowest(members: list[int], hashes: list[bytes], count: int) -> list[int]:
    """Up to `count` of the images `members`, those with the lowest hashes; copies, whose hashes are equal, together.

    An image added or removed moves one other across the border at most.
    """
    order = sorted(members, key=hashes.__getitem__)
    chosen: list[int] = []
    for _, copies in itertools.groupby(order, key=hashes.__getitem__):
        group = list(copies)
        if len(chosen) + len(group) <= count:
            chosen += group
    return chosen or order[:count]  # where all are copies of a few, they have to be on both sides


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
        and images.shape == (len(images), 3, DATA_SIZE, DATA_SIZE)
        and labels.shape == images.shape[:1]
        and 0 <= int(labels.min()) <= int(labels.max()) < num_classes
    )


def write_cache(path: Path, train: Split, test: Split) -> None:
    """Keep both splits at `path`; when that cannot be written, do without."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    named = {"train": train, "test": test}
    tensors = {f"{name}_{part}": tensor for name, split in named.items() for part, tensor in vars(split).items()}
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
