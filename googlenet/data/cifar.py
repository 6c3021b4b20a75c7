"""CIFAR-10 (Krizhevsky 2009): downloaded once, checked by torchvision's MD5 sums, then read from a cache.

The download is ours, since torchvision's has neither a time-out nor progress to report; unpacking, checking and
reading are torchvision's.
"""

from __future__ import annotations

import http.client
import re
import tarfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet.data.splits import Progress, Split, read_cache, write_cache
from googlenet.errors import LabError
from googlenet.language import tr

if TYPE_CHECKING:
    from filelock import AcquireReturnProxy

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TIMEOUT = 20  # seconds without an answer or a byte
CHUNK = 1 << 18  # bytes between two reports


def load_cifar(data_dir: Path, progress: Progress) -> tuple[Split, Split, tuple[str, ...]]:
    """The training split (50,000 images), the test split (10,000) and the class names of CIFAR-10.

    Found in `data_dir` in torchvision's layout, else made from cifar-10-python.tar.gz there, else downloaded; of
    two processes that want it at once, the second waits. Raises `LabError` when it cannot be had.
    """
    progress(0.0, tr("Loading CIFAR-10"))
    cache = _cache(data_dir)
    splits = read_cache(cache, len(CLASSES))
    if splits is None:
        splits = _read(data_dir) or _fetch(data_dir, progress)
        write_cache(cache, *splits)
    return *splits, CLASSES


def is_at_hand(data_dir: Path) -> bool:
    """Whether CIFAR-10 has been read before, or lies in `data_dir` as torchvision has it; sums are not checked."""
    from torchvision.datasets import CIFAR10

    places = (_cache(data_dir), data_dir / CIFAR10.base_folder / "data_batch_1", data_dir / CIFAR10.filename)
    return any(place.is_file() for place in places)


def _cache(data_dir: Path) -> Path:
    from torchvision.datasets import CIFAR10

    return data_dir / "cache" / f"cifar10-{CIFAR10.tgz_md5[:8]}.safetensors"


def _read(data_dir: Path) -> tuple[Split, Split] | None:
    """Both splits from the unpacked batches in `data_dir`, or None when a batch is missing or fails its MD5 sum."""
    import torch
    from torchvision.datasets import CIFAR10

    try:
        sets = [CIFAR10(data_dir, train=train) for train in (True, False)]
    except (RuntimeError, OSError):  # RuntimeError is torchvision's word for a failed sum
        return None
    train, test = (
        Split(torch.from_numpy(known.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(known.targets))
        for known in sets
    )
    return train, test


def _fetch(data_dir: Path, progress: Progress) -> tuple[Split, Split]:
    """Download (unless the archive is there), unpack and read, alone among the processes that try."""
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import check_integrity, extract_archive

    archive = data_dir / CIFAR10.filename
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with _alone(archive.with_name(f"{archive.name}.lock"), progress):
            splits = _read(data_dir)  # another process may just have finished
            if splits is None:
                if not check_integrity(archive, CIFAR10.tgz_md5):
                    _download(CIFAR10.url, archive, progress)
                    if not check_integrity(archive, CIFAR10.tgz_md5):
                        archive.unlink()
                        raise _unavailable(data_dir, tr("what arrived is incomplete or altered"))
                progress(0.9, tr("Unpacking CIFAR-10"))
                extract_archive(archive, data_dir)
                splits = _read(data_dir)
    except (OSError, http.client.HTTPException, tarfile.TarError, EOFError) as error:
        raise _unavailable(data_dir, str(getattr(error, "reason", None) or error)) from error
    if splits is None:
        raise _unavailable(data_dir, tr("its batches fail their MD5 sums"))
    return splits


def _alone(lock_file: Path, progress: Progress) -> AcquireReturnProxy:
    """Hold the lock file inside a `with`, once whoever holds it is done; the system frees it when a process dies."""
    from filelock import FileLock, Timeout

    lock = FileLock(lock_file)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        progress(0.0, tr("Waiting for another process that is downloading CIFAR-10"))
        return lock.acquire(poll_interval=0.2)


def _download(url: str, target: Path, progress: Progress) -> None:
    """Bring `url` to `target`, which appears only when every byte is there; raises OSError or HTTPException."""
    partial = target.with_name(f"{target.name}.part")
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, partial.open("wb") as file:
            total, done = int(answer.headers.get("Content-Length") or 0), 0
            while True:
                share = min(1.0, done / total) if total else 0.0
                progress(0.9 * share, _downloading(done / 1e6, total / 1e6))
                chunk = answer.read(CHUNK)
                if not chunk:
                    break
                file.write(chunk)
                done += len(chunk)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _downloading(done: float, total: float) -> str:
    if not total:
        return tr("Downloading CIFAR-10: {done:,.0f} MB", done=done)
    return tr("Downloading CIFAR-10: {done:,.0f} of {total:,.0f} MB", done=done, total=total)


def _without_number(reason: str) -> str:
    """ "[Errno -2] Name or service not known" → "Name or service not known", on one line."""
    return re.sub(r"^\[Errno -?\d+\] ", "", " ".join(reason.split()))[:200]


def _unavailable(data_dir: Path, reason: str) -> LabError:
    return LabError(
        tr(
            "CIFAR-10 could not be downloaded ({why}): connect to the internet once, put cifar-10-python.tar.gz into "
            "{folder!r}, or choose the synthetic shapes.",
            why=_without_number(reason),
            folder=str(data_dir),
        ),
        "data",
    )
