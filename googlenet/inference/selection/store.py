"""validation.json of a run: what its checkpoints got on the images that judge them, so that nobody waits twice."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from googlenet.data.datasets import NAMES
from googlenet.errors import LabError
from googlenet.files import read_json, write_atomically
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
        self._stamp = _stamp(source)
        self.about: dict[str, Any] = {}
        self.figures: dict[str, dict[str, Any]] = {}
        self.refused: dict[str, str] = {}
        kept = read_json(self.path, dict)
        files = kept.get("files")
        self._digests = {k: v for k, v in files.items() if _is_digest(v)} if isinstance(files, dict) else {}
        same = kept.get("key") == self._key and self._stamp in (None, kept.get("stamp"))
        if same and _is_whole(kept):
            self.about, self.figures, self.refused = kept["about"], kept["figures"], kept["refused"]
            self._stamp = kept["stamp"]

    def digest(self, path: Path) -> str:
        """`weights_digest`, read anew only when the file's size or time has changed."""
        status = path.stat()
        identity = [status.st_size, status.st_mtime_ns]
        if self._digests.get(path.name, [])[:2] != identity:
            self._digests[path.name] = [*identity, weights_digest(path)]
        return self._digests[path.name][2]

    def is_still(self, path: Path, digest: str) -> bool:
        """Whether `path` holds the weights that had `digest` when it was asked."""
        try:
            return self.digest(path) == digest
        except (LabError, OSError):
            return False

    def write(self) -> None:
        """Keep what is known."""
        plain = {"key": self._key, "stamp": self._stamp, "about": self.about}
        plain |= {"figures": self.figures, "refused": self.refused, "files": self._digests}
        write_atomically(self.path, json.dumps(plain, indent=1) + "\n")


def weights_digest(path: Path) -> str:
    """SHA-256 of what a weights file computes: its numbers and all of its description but the facts."""
    described = {key: text for key, text in read_info(path).to_metadata().items() if key != "facts"}
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    with path.open("rb") as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))  # over the header, which begins with its length
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _stamp(source: str) -> int | None:
    """When an image was last added to the class folders of `source`, or taken away; None when it has gone."""
    if source in NAMES:
        return 0
    try:
        folders = [path for path in Path(source).expanduser().glob("*/*") if path.is_dir()]
        return max((path.stat().st_mtime_ns for path in folders), default=None)
    except (OSError, RuntimeError, ValueError):
        return None


def _is_digest(plain: Any) -> bool:
    return isinstance(plain, list) and [type(value) for value in plain] == [int, int, str]


def _is_whole(kept: dict[str, Any]) -> bool:
    about, figures, refused = (kept.get(key) for key in ("about", "figures", "refused"))
    return (
        isinstance(about, dict)
        and {key: type(value) for key, value in about.items()} == ABOUT
        and isinstance(figures, dict)
        and all(map(_are_figures, figures.values()))
        and isinstance(refused, dict)
        and all(isinstance(sentence, str) for sentence in refused.values())
        and type(kept.get("stamp")) is int
    )


def _are_figures(plain: Any) -> bool:
    if not isinstance(plain, dict) or plain.keys() != {*FIGURES, "interval"} or not isinstance(plain["interval"], list):
        return False
    numbers = [*plain["interval"], *(plain[key] for key in FIGURES)]
    return len(numbers) == 6 and all(isinstance(n, (int, float)) and abs(n) < 1e30 for n in numbers)  # NaN is not below
