"""Judging a network for larger pictures on a folder of them, a batch at a time.

`data.folder` keeps 32×32 images in memory. Here pictures are decoded as the weights file says, just before the network
sees them: what is in memory does not grow with their number, only the answers do.
"""

from __future__ import annotations

import contextvars
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from googlenet.config import DATA_SIZE
from googlenet.data.datasets import NAMES
from googlenet.data.pictures import Found, find_pictures
from googlenet.data.splits import Progress
from googlenet.errors import LabError, check_whole
from googlenet.inference.classifier import Classifier, to_tensor
from googlenet.inference.evaluate import Evaluation, summarise
from googlenet.inference.many import decode_found, fine_enough
from googlenet.language import mark, tr
from googlenet.models.weights import WeightsInfo

BATCH = {"cpu": 16, "cuda": 128, "mps": 64}  # of 224×224; another batch is decoded meanwhile
SPLITS = {"test": ("test", "val"), "train": ("train",)}  # what people call the folder of each
SYNSET = re.compile(r"n\d{8}")  # WordNet's number, as ImageNet's folders are named
THUMBNAIL = 96  # pixels
DO = mark("give a folder that holds a folder of pictures for each class, named like the class")


@dataclass(frozen=True, eq=False)
class LabelledPictures:
    """Pictures of a folder that are read when they are needed; `labels` (n,) are class numbers of the weights.

    `name` is the folder's, and `judged` of the weights' `classes` have pictures.
    """

    name: str
    classes: tuple[str, ...]
    found: tuple[Found, ...]
    labels: Tensor
    unreadable: int = 0

    @property
    def judged(self) -> int:
        return len(self.labels.unique())

    def sentence(self, split: str) -> str:
        """Which pictures, and of how many classes where not of all; in English, for `language.retell`."""
        words = f"{len(self.found):,} {split} images of folder {self.name}"
        if self.judged < len(self.classes):
            words += f", of {self.judged:,} of the {len(self.classes):,} classes"
        return f"{words}; {self.unreadable:,} could not be read" if self.unreadable else words

    def picture(self, index: int) -> Image.Image:
        """The picture number `index`, upright and whole."""
        return decode_found(self.found[index], THUMBNAIL * 8)

    def same(self, other: LabelledPictures) -> bool:
        """Whether both are the same files with the same labels, in order."""
        names = [[found.name for found in pictures.found] for pictures in (self, other)]
        return names[0] == names[1] and torch.equal(self.labels, other.labels)


def is_streamed(info: WeightsInfo, data: str) -> bool:
    """Whether weights are judged on the folder `data` here, since they see other pixels than `data.folder` keeps.

    Raises `LabError` where `data` is no folder but a data set whose images are too small for them.
    """
    size = info.network.input_size
    if size == DATA_SIZE and info.resize is None:
        return False
    if data in NAMES:
        sentence = tr(
            "These weights take {size}×{size} pictures and {data} has {side}×{side}: {do}.",
            size=size,
            data=NAMES[data],
            side=DATA_SIZE,
            do=tr(DO),
        )
        raise LabError(sentence, "data")
    return True


# --- which pictures, and what they show ---------------------------------------------------------


def find_labelled(source: str, classes: tuple[str, ...], split: str = "test") -> LabelledPictures:
    """The pictures in the class folders of `source`, or of its test/ or val/ (train/ for the split "train").

    A folder is named like its class, in any case and with _ for a space; or all are named like WordNet's synsets
    (n01440764), as many as there are classes, whose order is then theirs. Classes without a folder are not judged.
    Raises `LabError` for a folder that is not there, has no pictures, or has names that fit no class.
    """
    root = _root(source)
    top = _of_split(root, split)
    folders = sorted(_folders(top), key=lambda folder: folder.name)
    if not folders:
        raise LabError(tr("Folder {folder!r} has no folders in it: {do}.", folder=str(top), do=tr(DO)), "data")
    found: list[Found] = []
    labels: list[int] = []
    for folder, label in zip(folders, class_numbers([folder.name for folder in folders], classes), strict=True):
        inside = _pictures(folder)
        found += inside
        labels += [label] * len(inside)
    if not found:
        raise LabError(
            tr("The class folders of {folder!r} have no pictures: {do}.", folder=str(top), do=tr(DO)), "data"
        )
    return LabelledPictures(root.name, classes, tuple(found), torch.tensor(labels))


def class_numbers(folders: Sequence[str], classes: Sequence[str]) -> list[int]:
    """The class number that each folder name stands for; `LabError` where one stands for none."""
    exact = {name: number for number, name in enumerate(classes)}
    loose: dict[str, int] = {}
    for number, name in enumerate(classes):
        loose.setdefault(_plain(name), number)
    numbers = [exact.get(name, loose.get(_plain(name), -1)) for name in folders]
    unknown = [name for name, number in zip(folders, numbers, strict=True) if number < 0]
    if not unknown:
        return numbers
    if all(map(SYNSET.fullmatch, folders)):
        if len(folders) == len(classes):
            order = {name: number for number, name in enumerate(sorted(folders))}
            return [order[name] for name in folders]
        sentence = tr(
            "There are {n:,} folders named like {name} and {m:,} classes, so nothing says "
            "which is which: give the folders of all classes, or name these like their classes.",
            n=len(folders),
            name=folders[0],
            m=len(classes),
        )
        raise LabError(sentence, "data")
    shown = ", ".join(repr(name[:60]) for name in unknown[:3])
    sentence = tr(
        "No class of these weights is called {names} (they know {known!r} and {n:,} more): "
        "name each folder like its class, and take out the others.",
        names=tr("{names} and more", names=shown) if len(unknown) > 3 else shown,
        known=classes[0],
        n=len(classes) - 1,
    )
    raise LabError(sentence, "data")


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())


def _root(source: str) -> Path:
    try:
        root = Path(source).expanduser().absolute()
        if root.is_dir():
            return root
    except (OSError, ValueError, RuntimeError):  # too long, a NUL in it, ~ of a user who is not there
        pass
    raise LabError(tr("There is no folder {folder!r}: {do}.", folder=str(source)[:200], do=tr(DO)), "data")


def _of_split(root: Path, split: str) -> Path:
    """Where the class folders of a split are: in `root` itself where it is not divided into splits."""
    names = {folder.name for folder in _folders(root)}
    for name in SPLITS[split]:
        if name in names:
            return root / name
    if names & {"train", "test", "val"}:
        first, *others = (f"{name}/" for name in SPLITS[split])
        wanted = tr("{name} or {other}", name=first, other=others[0]) if others else first
        sentence = tr("Folder {folder!r} has no {names}: {do}.", folder=str(root), names=wanted, do=tr(DO))
        raise LabError(sentence, "data")
    return root


def _folders(top: Path) -> list[Path]:
    try:
        return [entry for entry in top.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    except OSError as error:
        sentence = tr("Folder {folder!r} cannot be read ({reason}).", folder=str(top), reason=error.strerror)
        raise LabError(sentence, "data") from error


def _pictures(folder: Path) -> list[Found]:
    """Named with their class folder: what tells two pictures apart, and what people see in a sentence."""
    try:
        with find_pictures([folder]) as pictures:
            return [Found(f"{folder.name}/{found.name}", folder.name, found.read) for found in pictures.found]
    except LabError:  # no picture in it
        return []


# --- the answers --------------------------------------------------------------------------------


def evaluate_pictures(
    classifier: Classifier,
    pictures: LabelledPictures,
    *,
    flip: bool = False,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> tuple[Evaluation, LabelledPictures]:
    """Judge `classifier` on `pictures`, and the pictures that it was judged on: those that could be read, in order.

    `progress` may raise to stop it. The evaluation's `seconds` include decoding, which goes on beside the network.
    """
    chosen = BATCH[classifier.device.type] if batch_size is None else check_whole(batch_size, "batch_size", 1, 4096)
    started, total = time.perf_counter(), len(pictures.found)
    kept: list[int] = []
    parts: list[Tensor] = []
    done, first_refusal = 0, ""
    if progress:
        progress(0.0, tr("Judging {n:,} pictures", n=total))
    for batch in _decoded(classifier, pictures.found, chosen):
        pixels = [image for image in batch if isinstance(image, Tensor)]
        kept += [done + place for place, image in enumerate(batch) if isinstance(image, Tensor)]
        first_refusal = first_refusal or next((image for image in batch if isinstance(image, str)), "")
        if pixels:
            parts.append(_logits(classifier, torch.stack(pixels), flip))
        done += len(batch)
        if progress:
            progress(done / total, tr("Judged {n:,} of {total:,} pictures", n=done, total=total))
    if not kept:
        sentence = tr("None of the {n:,} pictures can be read. The first: {refusal}", n=total, refusal=first_refusal)
        raise LabError(sentence, "data")
    judged = LabelledPictures(
        pictures.name,
        pictures.classes,
        tuple(pictures.found[index] for index in kept),
        pictures.labels[kept],
        total - len(kept),
    )
    seconds = time.perf_counter() - started
    return summarise(classifier, torch.cat(parts), judged.labels, seconds, flip), judged


def _logits(classifier: Classifier, pixels: Tensor, flip: bool) -> Tensor:
    """float32 (n, classes), on the CPU; `LabError` where they are no numbers."""
    pixels = pixels.to(classifier.device)
    logits = classifier.fast_logits(pixels)
    if flip:
        logits = (logits + classifier.fast_logits(pixels.flip(-1))) / 2
    if logits.isnan().any():
        raise LabError(
            tr(
                "{name} answers with NaN, since its training diverged: choose an earlier epoch.",
                name=classifier.path.name,
            )
        )
    return logits.float().cpu()


def _decoded(classifier: Classifier, found: Sequence[Found], size: int) -> Iterator[list[Tensor | str]]:
    """`size` pictures at a time as the network sees them, uint8 (3, H, W), or why one cannot be read."""
    batches = (found[start : start + size] for start in range(0, len(found), size))
    with ThreadPoolExecutor(max(1, torch.get_num_threads()), "decode") as pool:
        waiting: list[Future[Tensor | str]] = []
        try:
            for batch in batches:
                # Each with a context of its own: what cannot be read says so in the visitor's language.
                ahead = [pool.submit(contextvars.copy_context().run, _decode, classifier, one) for one in batch]
                if waiting:
                    yield _results(waiting)
                waiting = ahead
            yield _results(waiting)
        finally:
            pool.shutdown(cancel_futures=True)


def _results(futures: Iterable[Future[Tensor | str]]) -> list[Tensor | str]:
    return [future.result() for future in futures]


def _decode(classifier: Classifier, found: Found) -> Tensor | str:
    try:
        return to_tensor(classifier.fit(decode_found(found, fine_enough(classifier))))
    except LabError as error:
        return str(error)
