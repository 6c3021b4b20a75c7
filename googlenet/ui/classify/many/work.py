"""What Many pictures does: take what was sent, answer all of it, and find a picture of it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from googlenet.data.pictures import Pictures, find_pictures
from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.runs import find_checkpoint
from googlenet.ui.classify.many.limits import Limits
from googlenet.ui.classify.many.view import THUMBNAIL
from googlenet.ui.classify.shared import classifier, received
from googlenet.ui.events.gradio_private import keep_file

if TYPE_CHECKING:  # they import torch, which the page does not wait for
    from googlenet.data.splits import Progress
    from googlenet.inference.many import ManyAnswers

API_SECONDS = 120
MAX_FOREIGN = 20_000  # names of files that were not sent
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".avif", ".tif", ".tiff", ".ppm", ".pgm")


@dataclass(frozen=True, eq=False)
class Received:
    """Files that have arrived, each with what it was called where it came from; `foreign` ones stayed there."""

    files: tuple[tuple[Path, str], ...]
    foreign: tuple[str, ...]
    total_bytes: int

    @property
    def sentence(self) -> str:
        """What is here, in words."""
        count, size = len(self.files), self.total_bytes
        unit, scale = ("GB", 1e9) if size >= 1e9 else ("MB", 1e6) if size >= 1e6 else ("kB", 1e3)
        amount: dict[str, str] = {"size": f"{size / scale:.1f} {unit}"}
        if count == 1:
            return tr("{name} is here, {size}: press Answer all.", name=self.files[0][1][-60:], **amount)
        return tr("{n:,} files are here, {size}: press Answer all.", n=count, **amount)


@dataclass(frozen=True, eq=False)
class Asked:
    """The answers of the checkpoint `network` to what was `received`."""

    network: str
    received: Received
    answers: ManyAnswers


def receive(files: Any, foreign: Any, limit: Limits) -> Received:
    """What the page says that it has sent; only files that Gradio itself has received are taken.

    Raises `LabError` for others, for none, and for more than the limits.
    """
    if not isinstance(files, list):
        raise LabError(tr("No files have arrived: choose pictures, a folder or a zip."), "files")
    if len(files) > limit.pictures:
        counts = {"n": len(files), "most": limit.pictures}
        raise LabError(tr("These are {n:,} files: the limit is {most:,}.", **counts), "files")
    names = [str(name) for name in foreign[:MAX_FOREIGN]] if isinstance(foreign, list) else []
    taken = [(received(file), str(file.get("name") or Path(file["path"]).name)) for file in files]
    total = sum(path.stat().st_size for path, _ in taken)
    if total > limit.total_bytes:
        sizes = {"size": total / 1e9, "most": limit.total_bytes / 1e9}
        raise LabError(tr("These files have {size:.1f} GB: the limit is {most:g} GB.", **sizes), "files")
    got = Received(tuple(taken), tuple(names), total)
    if not taken:
        with _find(got, limit):
            pass  # which says what was passed over
    return got


def answer_all(
    checkpoints: Path,
    got: Received | None,
    chosen: str,
    limit: Limits,
    progress: Progress | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Asked:
    """Ask the checkpoint `chosen` about all pictures in `got`; `LabError` when there are none, or no checkpoint."""
    from googlenet.inference.many import classify_all

    if got is None:
        raise LabError(tr("There is nothing to answer yet: choose pictures, a folder or a zip."), "files")
    checkpoint = find_checkpoint(checkpoints, chosen)
    network = classifier(checkpoints, checkpoint.path)
    with _find(got, limit) as pictures:
        answers = classify_all(network, pictures, thumbnails=THUMBNAIL, progress=progress, stopped=stopped)
    return Asked(checkpoint.name, got, answers)


def picture_of(asked: Asked, number: int, cache: Path) -> Path:
    """The picture of row `number` as a file that Gradio may show, under `cache`; `LabError` when it is gone."""
    with _find(asked.received, None) as pictures:
        found = pictures.found[number]
        content = found.read()
    suffix = Path(found.name).suffix.lower()
    return keep_file(content, f"picture{suffix if suffix in SUFFIXES else '.png'}", cache)


def classify_uploads(
    checkpoints: Path, files: Any, chosen: str, limit: Limits, progress: Progress | None = None
) -> dict[str, Any]:
    """The programmatic answer, plain JSON types; `LabError` for files that have not arrived or hold no picture."""
    listed = [{"path": file.get("path"), "name": file.get("orig_name")} for file in files if isinstance(file, dict)]
    got, end = receive(listed, [], limit), time.monotonic() + API_SECONDS
    asked = answer_all(checkpoints, got, chosen, limit, progress, lambda: time.monotonic() > end)
    answers = asked.answers
    return {
        "checkpoint": asked.network,
        "rows": [row.to_dict() for row in answers.rows],
        "accuracy": answers.evaluation and answers.evaluation.accuracy,
        "remarks": list(answers.remarks),
        "complete": len(answers.rows) == answers.total,
    }


def _find(got: Received, limit: Limits | None) -> Pictures:
    return find_pictures(got.files, limit and limit.pictures, got.foreign)
