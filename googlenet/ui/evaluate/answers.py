"""What checkpoints answered on the images that judge them, asked once and kept for the clicks that follow."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from googlenet.errors import check_whole
from googlenet.language import mark, speaking, tr
from googlenet.runs import Run, find_checkpoint
from googlenet.ui.evaluate.checkpoint_view import Thumbnail
from googlenet.ui.events.cores import share_cores

if TYPE_CHECKING:  # they import torch, which the page does not wait for
    from PIL import Image

    from googlenet.data.splits import Progress, Split
    from googlenet.inference.evaluate import Evaluation
    from googlenet.inference.streamed import LabelledPictures

THUMBNAIL = 96  # pixels at most
KEPT = 4  # checkpoints: answers and images of CIFAR-10's test part are 32 MB
UNNAMED = mark("images that the file does not name")
# How `Answers.on` reads where not all of a folder's pictures count: as one sentence for `retell`.
OF_SOME = (
    mark("the {n:,} test images of folder {name}, of {judged:,} of the {all:,} classes"),
    mark("the {n:,} test images of folder {name}; {unreadable:,} could not be read"),
    mark(
        "the {n:,} test images of folder {name}, of {judged:,} of the {all:,} classes; {unreadable:,} could not be read"
    ),
)


@dataclass(frozen=True)
class Answers:
    """One checkpoint's answers: `on` says which images, `classes` are theirs, `fitted_on` is of its temperature.

    They are for every visitor: both are in English, for `language.retell` where they are shown.
    Images larger than 32×32 stay in their files, and are read when they are shown.
    """

    name: str
    on: str
    fitted_on: str
    images: Split | LabelledPictures
    classes: tuple[str, ...]
    result: Evaluation

    def image(self, index: Any) -> Image.Image:
        """The judged image number `index`, 32×32 or the whole picture; `LabError` when there is none."""
        from PIL import Image

        from googlenet.data.splits import Split

        index = check_whole(index, "image", 0, len(self.images.labels) - 1)
        if not isinstance(self.images, Split):
            return self.images.picture(index)
        return Image.fromarray(self.images.images[index].permute(1, 2, 0).contiguous().numpy())

    def same_images(self, other: Answers) -> bool:
        """Whether both are about the same images, in the same order."""
        import torch

        from googlenet.data.splits import Split

        ours, theirs = self.images, other.images
        if isinstance(ours, Split):
            return isinstance(theirs, Split) and torch.equal(ours.images, theirs.images)
        return not isinstance(theirs, Split) and ours.same(theirs)

    def thumbnail(self, index: int, other: Evaluation | None = None) -> Thumbnail:
        """The image, or its middle, small, with this checkpoint's answer, and with that of `other` behind it."""
        answers = []
        for result in filter(None, (self.result, other)):
            share, said = result.probabilities[index].max(0)
            answers.append((self.classes[int(said)], float(share)))
        image = self.image(index)
        if max(image.size) > THUMBNAIL:
            from googlenet.data.images import fit_image

            image = fit_image(image, THUMBNAIL)
        return Thumbnail(index, image, self.classes[int(self.images.labels[index])], answers)


class AnswerBook:
    """Asks the checkpoints under `checkpoints`; one that belongs to no run is judged on the test part of `data`."""

    def __init__(self, checkpoints: Path, data: str) -> None:
        self.checkpoints, self.data = checkpoints, data
        self._lock = threading.Lock()
        self._answers: OrderedDict[tuple[Any, ...], Answers] = OrderedDict()
        self._images: dict[tuple[str, str | None], tuple[str, Split, tuple[str, ...]]] = {}

    def ask(self, name: str, data: str | None = None, progress: Progress | None = None) -> Answers:
        """The answers of the checkpoint `name` on the images that judge it, from `data` when these are not its own.

        A run's checkpoint is judged as `judge_run` does. Raises `LabError` for a checkpoint that is not there, and for
        data that is not there or has other classes.
        """
        checkpoint = find_checkpoint(self.checkpoints, name)
        status = checkpoint.path.stat()
        key = (checkpoint.name, status.st_mtime_ns, status.st_size, data)
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        from googlenet.inference.classifier import Classifier
        from googlenet.inference.evaluate import check_classes, evaluate_split
        from googlenet.inference.streamed import evaluate_pictures, find_labelled, is_streamed

        share_cores(self.checkpoints)
        images: Split | LabelledPictures
        if "/" not in checkpoint.name and is_streamed(checkpoint.info, data or self.data):
            classifier, classes = Classifier(checkpoint.path), checkpoint.info.classes
            found = find_labelled(data or self.data, classes)
            result, images = evaluate_pictures(classifier, found, progress=progress)
            with speaking("en"):
                on = f"the {images.sentence('test')}"
        else:
            on, images, classes = self._judges(checkpoint.name, data, progress)
            classifier = Classifier(checkpoint.path)
            check_classes(classifier, classes, tr("the data"))
            result = evaluate_split(classifier, images, progress=progress)
        fitted_on = str(classifier.info.facts.get("temperature_fitted_on", UNNAMED))[:200]
        answers = Answers(checkpoint.name, on, fitted_on, images, classes, result)
        with self._lock:
            self._answers[key] = answers
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
        return answers

    def _judges(self, name: str, data: str | None, progress: Progress | None) -> tuple[str, Split, tuple[str, ...]]:
        """What they are, images and classes; those of the last run asked about are kept."""
        run = name.rpartition("/")[0]
        with self._lock:
            kept = self._images.get((run, data))
        if kept:
            return kept
        if run:
            from googlenet.inference.selection import load_judges

            judges = load_judges(Run(self.checkpoints, run).config(), data, progress)
            found = (judges.judged_on, judges.choose, judges.images.classes)
        else:
            from googlenet.data.datasets import load_images

            images = load_images(data or self.data, progress=progress)
            found = (f"the {len(images.test.labels):,} test images of {images.name}", images.test, images.classes)
        with self._lock:
            self._images = {(run, data): found}
        return found
