"""The exact state of a training on disk, so that going on is as if nothing had happened.

A file is what `torch.save` wrote (plain types and tensors, read with weights_only) followed by its SHA-256: a torn or
altered file is noticed, and the one before it, which is always kept, is used.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from googlenet import errors
from googlenet.data.datasets import ImageSet
from googlenet.errors import LabError
from googlenet.files import write_atomically
from googlenet.language import tr
from googlenet.recipes import TrainConfig

CURRENT, PREVIOUS = "resume.pt", "resume-previous.pt"
# Settings that may be others after a resume: where things are, what computes, and what is kept of it.
FREE = ("run", "recipe", "data", "device", "compiled", "deterministic", "checkpoint_epochs")


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
    sentence = tr(
        "Neither {file} nor {other} in {folder} can be read, so this run cannot go on: start a new one.",
        file=CURRENT,
        other=PREVIOUS,
        folder=directory.name,
    )
    raise LabError(sentence)


def _read(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LabError(tr("{file} cannot be read ({error}).", file=path.name, error=error.strerror)) from error
    content, digest = data[:-32], data[-32:]
    if hashlib.sha256(content).digest() != digest:
        raise LabError(tr("{file} is damaged.", file=path.name))
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def fingerprint(config: TrainConfig, images: ImageSet, held_out: torch.Tensor) -> dict[str, Any]:
    """What a training is made of, in plain types: its description, and digests of its images in their order."""
    return {
        "config": config.to_json(),
        "classes": list(images.classes),
        "count": len(images.train.labels),
        "images": _digest(images.train.images, images.train.labels),
        "held_out": _digest(held_out),
    }


def _digest(*tensors: torch.Tensor) -> str:
    """0.1 s for the 154 MB of CIFAR-10, where the processor knows SHA-256."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()


def differences(state: dict[str, Any], current: dict[str, Any], steps: int) -> dict[str, str]:
    """What has changed since `state` was saved, in words: "batch size 16 (now 8)" under "batch_size".

    `current` is the `fingerprint` of the training that would go on, with `steps` steps an epoch. A state of earlier
    versions has none: then only its count of steps can tell.
    """
    saved, at = state.get("made_of"), state["position"]
    if saved is None:
        fits = at["step"] <= steps and at["total"] == at["epoch"] * steps + at["step"]
        return {} if fits else {"steps": tr("epochs of another length (now {n:,} steps)", n=steps)}
    found = {}
    before, after = (TrainConfig.from_json(made_of["config"]) for made_of in (saved, current))
    for name in (field.name for field in dataclasses.fields(TrainConfig) if field.name not in FREE):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            found[name] = tr("another network") if name == "network" else f"{errors.in_words(name)} {old} (now {new})"
    if saved["classes"] != current["classes"]:
        found["classes"] = tr("other classes")
    if saved["count"] != current["count"]:
        counts = {"before": saved["count"], "now": current["count"]}
        found["images"] = tr("{before:,} training images (now {now:,})", **counts)
    elif saved["images"] != current["images"]:
        found["images"] = tr("other training images, or these in another order")
    elif saved["held_out"] != current["held_out"] and not found:
        found["held_out"] = tr("other images held out")
    return found


def in_words(changed: dict[str, str]) -> str:
    """ "batch size 16 (now 8) and another network"."""
    *parts, last = changed.values()
    return " and ".join([", ".join(parts), last] if parts else [last])
