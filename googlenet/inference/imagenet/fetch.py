"""Bringing torchvision's ImageNet weights here, from the address that torchvision publishes.

The bytes stay in memory until their hash is right, and are then read as tensors alone: no pickle is kept, and nothing
of a download that fails or is cancelled.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import re
import shutil
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet.errors import LabError
from googlenet.inference.imagenet.convert import FILE, convert
from googlenet.language import tr

if TYPE_CHECKING:
    from torch import Tensor

    from googlenet.data.splits import Progress

TIMEOUT = 20  # seconds without an answer or a byte
CHUNK = 1 << 18  # bytes between two reports
MOST = 150_000_000  # bytes; the file has 50 million
ROOM = 40_000_000  # bytes that the disk needs
HASH = re.compile(r"-([0-9a-f]{8,})\.pth$")  # torch.hub's rule: the start of the file's SHA-256 is in its name
# Only for tests, which have no internet: another address, whose file name holds a hash all the same.
OTHER_ADDRESS = "GOOGLENET_LAB_IMAGENET_URL"


def fetch(checkpoints: Path, progress: Progress | None = None) -> Path:
    """The weights file under `checkpoints`, downloaded and converted unless it is there already and whole.

    `progress` may raise to stop it. Raises `LabError` when the network cannot be had; what was there stays.
    """
    report = progress or (lambda share, sentence: None)
    path = Path(checkpoints) / FILE
    if is_here(path):
        return path
    _check_room(path.parent)
    url = _address()
    try:
        content = _download(url, report)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, LabError):
            raise
        raise _unavailable(_reason(error), tr("connect to the internet and try again")) from error
    report(0.95, tr("Checking and converting the weights"))
    _check_hash(content, url)
    try:
        convert(_tensors(content), path)
    except OSError as error:
        sentence = tr(
            "The 1,000-class network could not be written to the checkpoints folder ({reason}).", reason=_reason(error)
        )
        raise LabError(sentence) from error
    report(1.0, tr("The 1,000-class network is here"))
    return path


def is_here(path: Path) -> bool:
    """Whether the weights file at `path` is there, whole by its header."""
    from googlenet.models.weights import read_info

    try:
        read_info(path)
    except LabError:
        return False
    return True


def _address() -> str:
    from torchvision.models import GoogLeNet_Weights

    return os.environ.get(OTHER_ADDRESS) or GoogLeNet_Weights.IMAGENET1K_V1.url


def _check_room(folder: Path) -> None:
    """Refuse before 50 MB are downloaded for nothing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        sentence = tr("The checkpoints folder cannot be written to ({reason}).", reason=_reason(error))
        raise LabError(sentence) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise LabError(
            tr("The checkpoints folder cannot be written to: give the lab the permission, or choose another.")
        )
    if free < ROOM:
        sentence = tr(
            "The disk has {free:,.0f} MB left and the 1,000-class network needs {room}.",
            free=free / 1e6,
            room=ROOM // 1_000_000,
        )
        raise LabError(sentence)


def _download(url: str, report: Progress) -> bytes:
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
        total = int(answer.headers.get("Content-Length") or 0)
        content = bytearray()
        while True:
            done = len(content)
            report(0.95 * min(1.0, done / total) if total else 0.0, tr("Downloading {size}", size=_size(done, total)))
            if max(done, total) > MOST:
                raise _unavailable(tr("what arrives is larger than {n} MB", n=MOST // 1_000_000), tr("try again later"))
            chunk = answer.read(CHUNK)
            if not chunk:
                break
            content += chunk
    if total and len(content) != total:
        said = tr("the connection broke off after {size}", size=_size(len(content), total))
        raise _unavailable(said, tr("try again"))
    return bytes(content)


def _size(done: int, total: int) -> str:
    """ "12 of 50 MB"; without the total where the server has not said it."""
    if not total:
        return f"{done / 1e6:,.0f} MB"
    return tr("{done:,.0f} of {total:,.0f} MB", done=done / 1e6, total=total / 1e6)


def _check_hash(content: bytes, url: str) -> None:
    named = HASH.search(url)
    if named is None or not hashlib.sha256(content).hexdigest().startswith(named[1]):
        raise _unavailable(tr("what arrived is not the published file: its hash is another"), tr("try again later"))


def _tensors(content: bytes) -> dict[str, Tensor]:
    """The state_dict in a file whose hash was right; `weights_only` lets nothing in it run."""
    import torch

    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises several kinds for a file that is no state_dict
        raise _unavailable(tr("what arrived holds no weights"), tr("try again later")) from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise _unavailable(tr("what arrived holds no weights"), tr("try again later"))
    return state


def _unavailable(reason: str, then: str) -> LabError:
    sentence = tr("The 1,000-class network could not be downloaded ({reason}): {then}.", reason=reason, then=then)
    return LabError(sentence)


def _reason(error: Exception) -> str:
    """ "[Errno -2] Name or service not known" → "Name or service not known", on one line."""
    reason = str(getattr(error, "reason", None) or getattr(error, "strerror", None) or error)
    return re.sub(r"^\[Errno -?\d+\] ", "", " ".join(reason.split()))[:200].rstrip(".")
