"""Arrays in a weights file's facts, which are JSON: float16 in base64, read from files that come from anywhere."""

from __future__ import annotations

import base64

import numpy as np


def pack(array: np.ndarray) -> str:
    """`array` as text; its shape has to be kept beside it."""
    return base64.b64encode(array.astype("<f2").tobytes()).decode()


def unpack(text: str, most: int) -> np.ndarray:
    """Float32 (N,) from what `pack` made of no more than `most` bytes of float16.

    Raises `ValueError` (of which `binascii.Error` is one) or `TypeError` for what is no such text.
    """
    if len(text) > 2 * most:
        raise ValueError
    numbers = np.frombuffer(base64.b64decode(text, validate=True), "<f2").astype(np.float32)
    if not np.isfinite(numbers).all():
        raise ValueError
    return numbers
