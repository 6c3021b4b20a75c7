"""The exact state of a training on disk, so that going on is as if nothing had happened.

A file is what `torch.save` wrote (plain types and tensors, read with weights_only) followed by its SHA-256: a torn or
altered file is noticed, and the one before it, which is always kept, is used.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from googlenet.errors import LabError
from googlenet.files import write_atomically

CURRENT, PREVIOUS = "resume.pt", "resume-previous.pt"


def save_state(directory: Path, state: dict[str, Any]) -> None:
    """Write `state` to resume.pt in `directory`; what was there becomes resume-previous.pt.

    A kill at any instant, or a full disk, leaves a good file under one of the two names.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getbuffer()
    digest = hashlib.sha256(content).digest()
    write_atomically(directory / CURRENT, content, digest, previous=directory / PREVIOUS)


def has_state(directory: Path) -> bool:
    """Whether there was ever a save in `directory`."""
    return (directory / CURRENT).exists() or (directory / PREVIOUS).exists()


def load_state(directory: Path) -> tuple[dict[str, Any], str]:
    """The newest whole state in `directory`, and a sentence when it was not the newest file ("" otherwise).

    Raises `LabError` when neither file can be used.
    """
    try:
        return _read(directory / CURRENT), ""
    except LabError as error:
        complaint = f"{error} Going back to the save before it."
    with contextlib.suppress(LabError):
        state = _read(directory / PREVIOUS)
        # The next save must not put the damaged file over the only good one.
        (directory / CURRENT).unlink(missing_ok=True)
        return state, complaint
    raise LabError(
        f"Neither {CURRENT} nor {PREVIOUS} in {directory.name} can be read, so this run cannot go on: start a new one."
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LabError(f"{path.name} cannot be read ({error.strerror}).") from error
    content, digest = data[:-32], data[-32:]
    if hashlib.sha256(content).digest() != digest:
        raise LabError(f"{path.name} is damaged.")
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
