"""Files beside a weights file: safetensors whose tensors are packed columns, bound to the weights and to the images.

Of what stands in such a file no byte is trusted: it may be another network's, cut short, or a stranger's.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from googlenet.errors import LabError, is_number
from googlenet.files import parse_json, read_bytes, write_atomically
from googlenet.inference.selection.store import weights_digest
from googlenet.language import tr

HEADER = 100_000  # bytes that a file may have beside its tensors
MOST_IMAGES, MAX_WORDS = 1 << 24, 200


@dataclass(frozen=True)
class About:
    """What a file is of: the weights by their digest, the training images by their content.

    `data` is the images' name for people and `count` how many they are; `fingerprint` is `content_order`'s.
    """

    digest: str
    fingerprint: str
    data: str
    count: int


def write_packed(path: Path, kind: str, about: About, tensors: dict[str, np.ndarray]) -> None:
    """Put `tensors` into the file at `path`, whole or not at all; `LabError` where it cannot be written."""
    try:
        write_atomically(path, save(tensors, metadata={"format": kind, "about": json.dumps(asdict(about))}))
    except OSError as error:
        sentence = tr(
            "{file} cannot be written ({why}): make room, or copy the weights.", file=path.name, why=error.strerror
        )
        raise LabError(sentence) from error


def stamps(path: Path, weights: Path) -> tuple[int, ...] | None:
    """Others whenever the file at `path` or its weights are; None where one of them is not there."""
    try:
        own, theirs = path.stat(), weights.stat()
    except (OSError, ValueError):
        return None
    return own.st_mtime_ns, own.st_size, theirs.st_mtime_ns, theirs.st_size


def read_packed(path: Path, weights: Path, kind: str, limit: int) -> tuple[About, dict[str, np.ndarray]]:
    """What `write_packed` put at `path` for the weights file `weights`; its tensors' sizes are the caller's to check.

    Raises `LabError` for another kind of file, one of more than `limit` bytes of tensors, and one of other weights.
    """
    with intact(path, weights):
        content = read_bytes(path, limit=limit + HEADER + 1)
        tensors = load(content) if len(content) <= limit + HEADER else {}
        metadata = _metadata(content)
        if metadata.get("format") != kind:
            raise ValueError
        about = _about(parse_json(metadata["about"].encode()))
    if about.digest != weights_digest(weights):
        sentence = tr(
            "{file} is of other weights than {weights}: compute it with python -m googlenet index {weights}.",
            file=path.name,
            weights=weights.name,
        )
        raise LabError(sentence)
    return about, tensors


@contextlib.contextmanager
def intact(path: Path, weights: Path) -> Iterator[None]:
    """Whatever goes wrong inside is the fault of the file at `path`, which is of `weights`: `LabError`."""
    try:
        yield
    except (SafetensorError, ValueError, LookupError, TypeError, AttributeError, OverflowError, zlib.error) as error:
        if isinstance(error, LabError):
            raise
        sentence = tr(
            "{file} is damaged, or of another version of the lab: compute it with python -m googlenet index {weights}.",
            file=path.name,
            weights=weights.name,
        )
        raise LabError(sentence) from error


def pack(column: np.ndarray) -> np.ndarray:
    """Whole numbers of any shape as deflated bytes, the low bytes of all, then the next: uint8 (n,)."""
    planes = column.astype(column.dtype.newbyteorder("<")).reshape(-1, 1).view(np.uint8).T
    return np.frombuffer(zlib.compress(planes.tobytes(), 9), np.uint8)


def unpack(packed: np.ndarray, kind: np.dtype | type, shape: tuple[int, ...]) -> np.ndarray:
    """What `pack` made of numbers of that type and shape; `ValueError` for anything else, before it takes memory."""
    kind = np.dtype(kind)
    size = int(np.prod(shape)) * kind.itemsize
    if packed.dtype != np.uint8 or packed.ndim != 1:
        raise ValueError
    inflating = zlib.decompressobj()
    content = inflating.decompress(packed.tobytes(), size + 1)
    if len(content) != size or not inflating.eof or inflating.unused_data:
        raise ValueError
    planes = np.frombuffer(content, np.uint8).reshape(kind.itemsize, -1)
    return np.ascontiguousarray(planes.T).view(kind.newbyteorder("<")).reshape(shape).astype(kind)


def narrowest(bound: int) -> np.dtype:
    """The unsigned type that holds whole numbers below `bound`."""
    return np.dtype(np.uint16 if bound <= 1 << 16 else np.uint32)


def _metadata(content: bytes) -> dict[str, str]:
    length = int.from_bytes(content[:8], "little")
    return parse_json(content[8 : 8 + length])["__metadata__"]


def _about(plain: Any) -> About:
    about = About(**plain)
    for text, most in ((about.digest, 64), (about.fingerprint, 64), (about.data, MAX_WORDS)):
        if not isinstance(text, str) or len(text) > most:
            raise ValueError
    if not is_number(about.count, 1, MOST_IMAGES) or about.count != int(about.count):
        raise ValueError
    return about
