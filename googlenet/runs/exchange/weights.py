"""Weights from elsewhere: looked at before anything is kept, then listed like those of this lab.

A file may be anybody's. No pickle is read; a header is measured before it is parsed; shapes are compared on torch's
meta device, so that a description, however large, allocates nothing; and every number has to be one.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from googlenet.errors import LabError, check_run_name
from googlenet.language import tr
from googlenet.runs.checkpoints import SHIPPED, SUFFIX
from googlenet.runs.run import Run

MOST_BYTES = 1_000_000_000
MOST_HEADER = 8_000_000  # that of the shipped file has 64 kB
DTYPES = ("float16", "bfloat16", "float32", "float64")
# How files begin that unpickle: torch.save's, old and new, and plain pickles.
PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"(dp", b"]q")


def bring_weights(path: Path, checkpoints: Path | str, name: str, *, shown: str = "", most: int = MOST_BYTES) -> Path:
    """Keep the weights file at `path` as `checkpoints`/`name`.safetensors, whole or not at all; where it is then.

    Raises `LabError`, which calls the file `shown`, for what is not one, is too large, does not fit its own description
    or holds values that are no numbers; and for a name that is taken.
    """
    shown, target = shown or path.name, _free(Path(checkpoints), name)
    _check_begin(path, shown, most)
    kept = target.with_name(f".{target.name}.{os.getpid()}.tmp")  # hidden: no list shows it yet
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, kept)
        _check(kept, shown)
        _free(Path(checkpoints), name)
        kept.replace(target)
    except OSError as error:
        sentence = tr("{file} cannot be kept ({why}): make room, then send it again.", file=shown, why=error.strerror)
        raise LabError(sentence, "file") from error
    finally:
        kept.unlink(missing_ok=True)
    return target


def _free(checkpoints: Path, name: str) -> Path:
    """Where weights of that name go; `LabError` where something has it."""
    check_run_name(name)
    target = checkpoints / f"{name}{SUFFIX}"
    if os.path.lexists(target) or os.path.lexists(Run(checkpoints, name).path) or name == SHIPPED.stem:
        raise LabError(tr("There is already something called {name}: choose another name.", name=name), "name")
    return target


def _check_begin(path: Path, shown: str, most: int) -> None:
    """Raise `LabError` for what need not be opened."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise LabError(tr("{file} cannot be read ({why}).", file=shown, why=error.strerror), "file") from error
    if start.startswith(PICKLES):
        raise LabError(
            tr(
                "{file} is a pickle, which can run any program when it is read: save the weights as .safetensors.",
                file=shown,
            ),
            "file",
        )
    if size > most:
        said = {"file": shown, "size": size / 1e6, "most": most / 1e6}
        raise LabError(tr("{file} has {size:,.0f} MB, and {most:,.0f} MB are the most here.", **said), "file")
    header = int.from_bytes(start[:8], "little")
    if len(start) < 9 or start[8:] != b"{" or header > size - 8:
        raise LabError(tr("{file} is not a complete safetensors file: copy it again.", file=shown), "file")
    if header > MOST_HEADER:
        sentence = tr(
            "The description inside {file} has {size:,.0f} MB: no network's is so long.", file=shown, size=header / 1e6
        )
        raise LabError(sentence, "file")


def _check(path: Path, shown: str) -> None:
    """Raise `LabError` for weights that no network of this lab has."""
    import torch

    from googlenet.models.weights import load_weights

    try:
        network, _ = load_weights(path)
    except LabError as error:
        raise LabError(f"{str(error).replace(path.name, shown)}", "file") from error
    for tensor_name, tensor in network.state_dict().items():
        counted = tensor_name.endswith("num_batches_tracked")
        if not counted and str(tensor.dtype).removeprefix("torch.") not in DTYPES:
            raise LabError(
                tr(
                    "{file} keeps {tensor} as {dtype}: weights are floating-point numbers.",
                    file=shown,
                    tensor=tensor_name,
                    dtype=tensor.dtype,
                ),
                "file",
            )
        if not torch.isfinite(tensor).all():
            sentence = tr(
                "{file} holds values that are no numbers, in {tensor}: it cannot answer.",
                file=shown,
                tensor=tensor_name,
            )
            raise LabError(sentence, "file")
