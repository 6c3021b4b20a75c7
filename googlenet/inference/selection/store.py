"""validation.json of a run: what its checkpoints got on the images that judge them, so that nobody waits twice."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

from googlenet.data.datasets import NAMES
from googlenet.errors import LabError, check_number
from googlenet.files import read_json, write_atomically
from googlenet.language import tr
from googlenet.models.weights import read_info
from googlenet.recipes import TrainConfig

RULE = 1  # raise it when what is judged changes, so that stored figures are computed anew
STORE = "validation.json"
ABOUT = {"data": str, "n": int, "held_out": bool, "judged_on": str, "reported_on": str}
FIGURES = ("validation_accuracy", "validation_loss", "loss_error", "calibration_error")  # and "interval", of two


class JudgementStore:
    """Figures and refusals by the digest of the weights, for the images that judge the run of `config` in `folder`.

    `about` says for people which images. Judged on other images, or with images added to their folder or taken away,
    it starts empty, and so it does when the file is not what `write` makes; when their folder has gone, what was
    measured stays.
    """

    def __init__(self, folder: Path, config: TrainConfig, data: str | None) -> None:
        self.path = folder / STORE
        source = data or config.data
        self._key = [RULE, source, config.seed, config.validation_fraction]
        self._stamp = folder_stamp(source)
        self.about: dict[str, Any] = {}
        self.figures: dict[str, dict[str, Any]] = {}
        self.refused: dict[str, str] = {}
        kept = read_json(self.path, dict)
        if kept.get("key") != self._key or self._stamp not in (None, kept.get("stamp")):
            return
        try:
            about = {key: kept["about"][key] for key in ABOUT}
            figures = {digest: _read_figures(plain) for digest, plain in kept["figures"].items()}
            refused = {digest: str(sentence) for digest, sentence in kept["refused"].items()}
        except (LabError, AttributeError, LookupError, TypeError, ValueError):
            return
        if {key: type(value) for key, value in about.items()} == ABOUT:
            self.about, self.figures, self.refused, self._stamp = about, figures, refused, kept.get("stamp")

    def keep(self, digest: str, outcome: dict[str, Any] | str) -> None:
        """Remember figures, or the sentence of a refusal, also for the next start."""
        if isinstance(outcome, str):
            self.refused[digest] = outcome
        else:
            self.figures[digest] = outcome
        plain = {"key": self._key, "stamp": self._stamp, "about": self.about}
        write_atomically(
            self.path, json.dumps({**plain, "figures": self.figures, "refused": self.refused}, indent=1) + "\n"
        )


def weights_digest(path: Path) -> str:
    """SHA-256 of what a weights file computes: its numbers and all of its description but the facts.

    Read anew only when the file has changed. Raises `LabError` for a file that is gone or is not the lab's.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise LabError(tr("There is no weights file {path}.", path=path)) from error
    return _digest(path.absolute(), status.st_ino, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _digest(path: Path, inode: int, size: int, mtime_ns: int) -> str:
    described = {key: text for key, text in read_info(path).to_metadata().items() if key != "facts"}
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    with path.open("rb") as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))  # over the header, which begins with its length
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def folder_stamp(source: str) -> int | None:
    """When an image was last added to the class folders of `source`, or taken away; None when it has gone."""
    if source in NAMES:
        return 0
    try:
        folders = [path for path in Path(source).expanduser().glob("*/*") if path.is_dir()]
        return max((path.stat().st_mtime_ns for path in folders), default=None)
    except (OSError, RuntimeError, ValueError):
        return None


def _read_figures(plain: Any) -> dict[str, Any]:
    """As they were kept; an error of any kind for others."""
    low, high = (check_number(end, "interval", 0, 1) for end in plain["interval"])
    return {"interval": (low, high), **{name: check_number(plain[name], name, 0, 1e30) for name in FIGURES}}
