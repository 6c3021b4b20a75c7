"""The images that an index speaks of, found again by their content in whatever data set is there."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from torch import Tensor

from googlenet.data.content import content_order
from googlenet.data.datasets import NAMES, Progress, is_at_hand, load_images
from googlenet.errors import LabError, check_whole
from googlenet.inference.index.packing import About
from googlenet.inference.selection.store import folder_stamp
from googlenet.language import tr

_lock = threading.Lock()
_kept: dict[str, TrainingImages] = {}  # by source; of the last one that was found
_fingerprints: dict[tuple[str, int | None], str] = {}  # of those looked into, until their folders change


@dataclass(frozen=True, eq=False)
class TrainingImages:
    """N training images by their numbers in `content_order`."""

    fingerprint: str
    classes: tuple[str, ...]
    _images: Tensor
    _labels: Tensor
    _positions: Tensor

    def image(self, number: int) -> Image.Image:
        """Image `number`, 32×32 RGB; `LabError` when there is none."""
        return Image.fromarray(self._images[self._position(number)].permute(1, 2, 0).contiguous().numpy())

    def label(self, number: int) -> str:
        """Its class."""
        return self.classes[int(self._labels[self._position(number)])]

    def _position(self, number: int) -> int:
        return int(self._positions[check_whole(number, "image", 0, len(self._positions) - 1)])


def find_images(
    about: About, sources: Iterable[str], data_dir: Path = Path("data"), progress: Progress | None = None
) -> TrainingImages:
    """The training images that `about` is of, in one of `sources`, or in CIFAR-10 or the shapes where it names them.

    Nothing is downloaded; `progress` hears of what is loaded. Raises `LabError` where none of them is there, or none is
    these very images.
    """
    named = [source for source, name in NAMES.items() if name == about.data]
    # Named ones first; shapes are drawn for no index that is not of them.
    wanted = [source for source in dict.fromkeys([*named, *sources]) if source != "shapes" or source in named]
    there, broken = set(), None
    with _lock:  # two visitors load it once
        for source in sorted(wanted, key=lambda source: source not in _kept):
            if source not in _kept and not is_at_hand(source, data_dir):
                continue
            there.add(source)
            known = _fingerprints.get((source, folder_stamp(source)))
            if source not in _kept and known not in (None, about.fingerprint):
                continue
            try:
                images = _kept.get(source) or _load(source, data_dir, progress)
            except LabError as error:  # an image in it that cannot be read: the next may be the right one
                broken = broken or error
                continue
            _fingerprints[source, folder_stamp(source)] = images.fingerprint
            if images.fingerprint == about.fingerprint:
                _kept.clear()
                _kept[source] = images
                return images
    if broken:
        raise broken
    if not there or (named and not there.issuperset(named)):
        sentence = tr(
            "The images are not on this machine: they are the training images of {data}; download it by starting a "
            "training on it, or start the lab with --data FOLDER.",
            data=about.data,
        )
        raise LabError(sentence)
    sentence = tr(
        "The {n:,} training images of {data} that it was computed on are not those that are here: start the lab with "
        "--data and the folder that holds them, or compute it again.",
        n=about.count,
        data=about.data,
    )
    raise LabError(sentence)


def _load(source: str, data_dir: Path, progress: Progress | None) -> TrainingImages:
    found = load_images(source, data_dir, progress)
    order = content_order(found.train)
    return TrainingImages(order.fingerprint, found.classes, found.train.images, found.train.labels, order.positions)
