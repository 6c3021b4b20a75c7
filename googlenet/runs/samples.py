"""A few images held out of training, always the same ones, and what the network answered to them after every epoch.

samples.json holds the images, answers.jsonl a row an epoch. Runs without held-out images, and older ones, have neither.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from googlenet.files import parse_json, read_bytes, write_atomically
from googlenet.runs.metrics import EPOCHS, History, Row

IMAGES, ANSWERS = "samples.json", "answers.jsonl"
MOST = 8  # images
LARGEST = 4_000_000  # bytes of samples.json
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Samples:
    """The images as PNG files, and the class of each, by its place among `classes`."""

    classes: tuple[str, ...]
    labels: tuple[int, ...]
    images: tuple[bytes, ...]


def write_samples(folder: Path, samples: Samples) -> None:
    """Replace samples.json."""
    images = [base64.b64encode(image).decode() for image in samples.images]
    plain = {"classes": samples.classes, "labels": samples.labels, "images": images}
    write_atomically(folder / IMAGES, json.dumps(plain) + "\n")


def read_samples(folder: Path) -> Samples | None:
    """What `write_samples` wrote; None where there is nothing, or something else."""
    plain = parse_json(read_bytes(folder / IMAGES, limit=LARGEST))
    try:
        classes, labels, images = (plain[name] for name in ("classes", "labels", "images"))
        pictures = tuple(base64.b64decode(image, validate=True) for image in images)
        fits = 0 < len(labels) == len(pictures) <= MOST and all(isinstance(name, str) for name in classes)
        fits = fits and all(type(label) is int and 0 <= label < len(classes) for label in labels)
    except (TypeError, LookupError, ValueError, binascii.Error):
        return None
    if not fits or not all(picture.startswith(PNG) for picture in pictures):
        return None
    return Samples(tuple(classes), tuple(labels), pictures)


class AnswersHistory(History):
    """answers.jsonl, where a row has its epoch and for each image the class answered and its probability."""

    def append(self, epoch: int, answers: Sequence[tuple[int, float]]) -> None:
        """Add a row."""
        self._add(
            json.dumps({"epoch": epoch, "answers": [[label, round(share, 4)] for label, share in answers]}) + "\n"
        )

    def _parse(self, lines: Sequence[bytes]) -> tuple[list[Row | None], Iterable[int]]:
        rows = [row if _is_row(row) else None for row in map(parse_json, lines)]
        return rows, [index for index, row in enumerate(rows) if row is None]


def _is_row(row: Any) -> bool:
    try:
        answers = row["answers"]
        in_range = type(row["epoch"]) is int and 0 <= row["epoch"] <= EPOCHS and 0 < len(answers) <= MOST
        return in_range and all(type(label) is int and label >= 0 and 0 <= share <= 1 for label, share in answers)
    except (TypeError, LookupError, ValueError):
        return False
