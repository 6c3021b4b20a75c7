"""Many pictures at once: each one's answer as a row of a table, and how right they are where folders are labels.

A processor core takes a handful of pictures, decodes them and asks the network, while the others do the same with the
next ones: decoding and network share all cores without waiting for each other, whichever of them takes longer.
"""

from __future__ import annotations

import contextlib
import contextvars
import io
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor

from googlenet.data.images import fit_image, pixels_to_decode, read_image
from googlenet.data.pictures import Found, Pictures
from googlenet.data.splits import Progress
from googlenet.errors import LabError
from googlenet.files import spreadsheet_text
from googlenet.inference.classifier import Classifier, to_tensor
from googlenet.inference.evaluate import Evaluation, summarise
from googlenet.language import tr

if TYPE_CHECKING:
    import pandas

CHUNK = 16  # pictures that a core decodes and then asks the network about in one pass
FINENESS, LEAST = 3, 256  # JPEGs are decoded no smaller than so many times the network's input, or pixels
LARGE = 16_000_000  # pixels; larger ones are decoded one at a time, since each may take half a gigabyte
EVERY = 0.25  # seconds between two reports of progress

_one_large = threading.Lock()


@dataclass(frozen=True, eq=False)
class Row:
    """What came of one picture: an answer, or an `error`, one sentence.

    `label` is the class whose name its folder has, None where that is no class. `unlike_training` and `novelty` (the
    score) are None where the weights file has no threshold. `logits` are float32 (classes,), `thumbnail` is a JPEG.
    """

    name: str
    label: str | None = None
    answer: str = ""
    probability: float = 0.0
    runner_up: str = ""
    runner_up_probability: float = 0.0
    unlike_training: bool | None = None
    novelty: float | None = None
    error: str = ""
    logits: Tensor | None = None
    thumbnail: bytes = b""

    @property
    def right(self) -> bool | None:
        """Whether the answer is the label; None where there is no answer or no label."""
        return None if self.error or self.label is None else self.answer == self.label

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, the columns of the table."""
        read = not self.error
        return {
            "file": self.name,
            "label": self.label,
            "answer": self.answer if read else None,
            "probability": self.probability if read else None,
            "runner_up": self.runner_up or None,
            "runner_up_probability": self.runner_up_probability if self.runner_up else None,
            "unlike_training": self.unlike_training,
            "novelty": self.novelty,
            "error": self.error or None,
        }


@dataclass(frozen=True, eq=False)
class ManyAnswers:
    """The rows in the order of the pictures, of which there were `total`: fewer rows when it was stopped.

    `evaluation` judges the answers whose folders are labels, None where there are none. `remarks` are sentences about
    what was left out.
    """

    rows: list[Row]
    total: int
    classes: tuple[str, ...]
    evaluation: Evaluation | None
    remarks: tuple[str, ...]
    seconds: float

    def table(self) -> pandas.DataFrame:
        """A line for each picture, a column for each entry of `Row.to_dict`."""
        import pandas

        return pandas.DataFrame([row.to_dict() for row in self.rows], columns=list(Row("").to_dict()))

    def to_csv(self) -> str:
        """The table as CSV, safe to open in a spreadsheet."""
        table = self.table()
        for column in ("file", "label", "answer", "runner_up", "error"):
            table[column] = table[column].map(spreadsheet_text)
        return table.to_csv(index=False, lineterminator="\n")


def classify_all(
    classifier: Classifier,
    pictures: Pictures,
    *,
    thumbnails: int | None = None,
    progress: Progress | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> ManyAnswers:
    """Ask `classifier` about `pictures` (from `find_pictures`, still open), on as many cores as torch uses.

    `thumbnails` is the side in pixels of those that the rows get, None for rows without. A picture that cannot be read
    gets a row that says so. Once `stopped` says True, what is done is returned.
    """
    started = reported = time.perf_counter()
    rows, total = [], len(pictures.found)
    # The loop may be left early; then the work behind it is ended before the pictures are closed.
    with contextlib.closing(answer_rows(classifier, pictures.found, thumbnails)) as answers:
        for row in answers:
            rows.append(row)
            now = time.perf_counter()
            if progress and now - reported >= EVERY:
                progress(len(rows) / total, tr("Answered {n:,} of {total:,} pictures", n=len(rows), total=total))
                reported = now
            if stopped():
                break
    seconds = time.perf_counter() - started
    evaluation = evaluate_rows(classifier, rows, seconds)
    return ManyAnswers(rows, total, classifier.info.classes, evaluation, tuple(pictures.remarks), seconds)


def answer_rows(
    classifier: Classifier, found: Sequence[Found], thumbnails: int | None = None
) -> Generator[Row, None, None]:
    """A row for each picture, in order; a few chunks are in work at a time, so that memory does not grow with them."""
    workers = max(1, torch.get_num_threads())
    chunk = max(1, min(CHUNK, -(-len(found) // workers)))
    waiting = iter(found)
    labels = {name.casefold(): name for name in classifier.info.classes}

    def answer(part: list[Found]) -> list[Row]:
        return _answer_chunk(classifier, part, labels, thumbnails)

    running: deque[Future[list[Row]]] = deque()
    # Each core runs the network alone: a thread's setting, which leaves others and other visitors theirs.
    with ThreadPoolExecutor(workers, "many", initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            while part := list(islice(waiting, chunk)):
                speaking = contextvars.copy_context()  # what cannot be read says so in the visitor's language
                running.append(pool.submit(speaking.run, answer, part))
                if len(running) > workers:
                    yield from running.popleft().result()
            while running:
                yield from running.popleft().result()
        finally:
            for future in running:
                future.cancel()


def evaluate_rows(classifier: Classifier, rows: Sequence[Row], seconds: float) -> Evaluation | None:
    """How right the rows are whose folders are labels; None where there are none."""
    judged = [(row.logits, row.label) for row in rows if row.logits is not None and row.label is not None]
    if not judged:
        return None
    number = {name: index for index, name in enumerate(classifier.info.classes)}
    labels = torch.tensor([number[label] for _, label in judged])
    return summarise(classifier, torch.stack([logits for logits, _ in judged]), labels, seconds, False)


def _answer_chunk(
    classifier: Classifier, part: list[Found], labels: dict[str, str], thumbnails: int | None
) -> list[Row]:
    """Decode, one pass of the network, rows."""
    least = fine_enough(classifier)
    decoded: list[tuple[Tensor | None, bytes, str]] = []
    for found in part:
        try:
            picture = decode_found(found, least)
            thumbnail = _thumbnail(picture, thumbnails) if thumbnails else b""
            decoded.append((to_tensor(classifier.fit(picture)), thumbnail, ""))
        except LabError as error:
            decoded.append((None, b"", str(error)))
    pixels = [tensor for tensor, _, _ in decoded if tensor is not None]
    answers = iter(_ask(classifier, torch.stack(pixels)) if pixels else ())
    rows = []
    for found, (tensor, thumbnail, error) in zip(part, decoded, strict=True):
        label = labels.get(found.folder.casefold())
        if tensor is None:
            rows.append(Row(found.name, label, error=error))
        else:
            rows.append(Row(found.name, label, thumbnail=thumbnail, **next(answers)))
    return rows


def fine_enough(classifier: Classifier) -> int:
    """The side in pixels below which no large JPEG is decoded for this network."""
    return max(LEAST, FINENESS * classifier.info.network.input_size)


def decode_found(found: Found, least: int) -> Image.Image:
    """The picture, upright and RGB, a large JPEG no smaller than `least` pixels; `LabError` when it cannot be read."""
    content = found.read()
    try:
        with _one_large if pixels_to_decode(content, least) > LARGE else contextlib.nullcontext():
            return read_image(content, found.name, at_least=least)
    except MemoryError as error:
        sentence = tr("{name} is too large for this machine's memory: shrink it.", name=found.name)
        raise LabError(sentence) from error


def _ask(classifier: Classifier, pixels: Tensor) -> Iterator[dict[str, Any]]:
    """What a row says of each of uint8 (N, 3, H, W)."""
    logits, found = classifier.judged(pixels)
    logits = logits.float().cpu()
    if logits.isnan().any():
        raise LabError(
            tr(
                "{name} answers with NaN, since its training diverged: choose an earlier epoch.",
                name=classifier.path.name,
            ),
            "checkpoint",
        )
    classes, novelty = classifier.info.classes, classifier.novelty
    shares, best = (logits / classifier.temperature).softmax(-1).topk(min(2, len(classes)))
    scores: list[float] = [0.0] * len(logits) if found is None else found[:, 0].tolist()
    for row, share, number, score in zip(logits, shares.tolist(), best.tolist(), scores, strict=True):
        said: dict[str, Any] = {"answer": classes[number[0]], "probability": share[0], "logits": row}
        if len(number) > 1:
            said |= {"runner_up": classes[number[1]], "runner_up_probability": share[1]}
        if novelty:
            said |= {"novelty": score, "unlike_training": score > novelty.threshold}
        yield said


def _thumbnail(picture: Image.Image, side: int) -> bytes:
    """The square that the network sees of `picture`, as a JPEG of at most `side` pixels."""
    buffer = io.BytesIO()
    fit_image(picture, min(side, *picture.size)).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
