"""What the Evaluate tab shows of one checkpoint: its mistakes, its classes, how right its confidence is; and of two."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from googlenet.language import tr, trn
from googlenet.ui.common import figures
from googlenet.ui.common.templates import render

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from PIL import Image

    from googlenet.inference.calibration import Bin
    from googlenet.inference.compare import CheckpointComparison
    from googlenet.inference.evaluate import Evaluation

MAX_THUMBNAILS = 24  # at once
MAX_CLASSES, WEAKEST = 100, 20  # of more classes, only the weakest get a bar
MAX_MISSING = 20  # classes without images that are named


@dataclass(frozen=True)
class Thumbnail:
    """One judged image: its number in the split, its pixels, its class, and what was answered how surely."""

    index: int
    image: Image.Image
    true: str
    answers: Sequence[tuple[str, float]]  # class and confidence; two where two checkpoints answered

    @property
    def words(self) -> str:
        """What it is for those who hear it."""
        said = [{"said": name, "share": f"{100 * share:.1f}%"} for name, share in self.answers]
        if len(said) == 1:
            return tr("{true}, predicted as {said}, {share}: open in Classify", true=self.true, **said[0])
        return tr(
            "{true}, predicted as {said}, {share} and {other}, {its}: open in Classify",
            true=self.true,
            **said[0],
            other=said[1]["said"],
            its=said[1]["share"],
        )

    @property
    def url(self) -> str:
        """The image inside its own address, as PNG."""
        buffer = io.BytesIO()
        self.image.save(buffer, "PNG")
        return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def headline(name: str, result: Evaluation, on: str) -> Markup:
    """HTML: the figures of the checkpoint `name` on the images that `on` says."""
    low, high = (100 * end for end in result.interval)
    gap = tr("mean gap between confidence and accuracy")
    if result.temperature != 1:
        scaled, temperature = result.scaled_calibration_error, result.temperature
        gap = tr("{error:.2%} at its temperature {temperature:.2f}", error=scaled, temperature=temperature)
    shown = [
        (tr("Accuracy"), f"{result.accuracy:.2%}", tr("95% interval {low:.1f} to {high:.1f}%", low=low, high=high)),
        (tr("Loss"), f"{result.loss:.4f}", tr("mean cross entropy, in nats")),
        (tr("Calibration error"), f"{result.calibration_error:.2%}", gap),
        (tr("Images"), figures.count(result.n), on),
    ]
    return render("evaluate/headline.html", name=name, figures=shown)


# --- images -----------------------------------------------------------------------------------


def cell_images(true: str, predicted: str, images: Sequence[Thumbnail], count: int) -> Markup:
    """HTML: the first `images` of the `count` in a confusion cell."""
    about = {"true": true, "predicted": predicted}
    if true == predicted:
        heading = trn(
            "{n:,} image of {true} correctly predicted as {predicted}",
            "{n:,} images of {true} correctly predicted as {predicted}",
            count,
            **about,
        )
    else:
        heading = trn(
            "{n:,} image of {true} predicted as {predicted}",
            "{n:,} images of {true} predicted as {predicted}",
            count,
            **about,
        )
    return gallery(heading, images, count, tr("The most confident first"))


def gallery(heading: str, images: Sequence[Thumbnail], count: int, order: str) -> Markup:
    """HTML: thumbnails, each a button whose `data-image` is its number; it opens the image in Classify."""
    if len(images) < count:
        order = tr("{order}; {n} of them shown", order=order, n=len(images))
    return render("evaluate/gallery.html", heading=heading, images=images, order=order)


# --- classes and confidence -------------------------------------------------------------------


def class_bars(result: Evaluation) -> Markup:
    """HTML: accuracy by class as bars, the weakest first, with the interval that the true value lies in."""
    rows, without = class_rows(result), [name for name, share in result.per_class.items() if share is None]
    many = tr("{n:,} classes", n=len(without))
    missing = ", ".join(without) if len(without) <= MAX_MISSING else many
    shown = rows if len(rows) <= MAX_CLASSES else rows[:WEAKEST]
    return render("evaluate/classes.html", rows=shown, total=len(rows), missing=missing)


def class_rows(result: Evaluation) -> list[tuple[str, float, float, float]]:
    """(name, accuracy, and where it truly lies) of the classes that have images here, in per cent, weakest first."""
    rows = [
        (name, 100 * share, 100 * interval[0], 100 * interval[1])
        for (name, share), interval in zip(result.per_class.items(), result.intervals.values(), strict=True)
        if share is not None and interval is not None
    ]
    return sorted(rows, key=lambda row: row[1])


SIDE, EDGE, TOP = 300, 44, 8  # of the reliability diagram, in its own pixels


def reliability_diagram(before: Sequence[Bin], after: Sequence[Bin] | None, temperature: float, errors: str) -> Markup:
    """HTML: how often it was right against how sure it was, before and (unless None) after division by `temperature`.

    `errors` says the calibration errors in words.
    """
    lines = [("gl-before", tr("as trained"), before)]
    if after is not None:
        lines.append(("gl-after", tr("at temperature {t:.2f}", t=temperature), after))
    return render(
        "evaluate/reliability.html",
        lines=[(kind, word, reliability_dots(bins)) for kind, word, bins in lines],
        ticks=[(f"{tick:.0%}", *_place(tick, tick)) for tick in (0, 0.25, 0.5, 0.75, 1)],
        errors=errors,
        left=EDGE,
        right=EDGE + SIDE,
        top=TOP,
        bottom=TOP + SIDE,
    )


def reliability_dots(bins: Sequence[Bin]) -> list[tuple[float, float, float, str]]:
    """(x, y, radius, words) of each bin that has images."""
    total = max(1, sum(b.count for b in bins))
    return [
        (
            *_place(b.confidence, b.accuracy),
            round(2.5 + 7 * (b.count / total) ** 0.5, 1),
            trn(
                "{n:,} image from {low:.0%} to {high:.0%}: confidence {confidence:.1%}, accuracy {accuracy:.1%}",
                "{n:,} images from {low:.0%} to {high:.0%}: confidence {confidence:.1%}, accuracy {accuracy:.1%}",
                b.count,
                low=b.low,
                high=b.high,
                confidence=b.confidence,
                accuracy=b.accuracy,
            ),
        )
        for b in bins
        if b.confidence is not None and b.accuracy is not None
    ]


def _place(confidence: float, accuracy: float) -> tuple[float, float]:
    return round(EDGE + confidence * SIDE, 1), round(TOP + (1 - accuracy) * SIDE, 1)


# --- two checkpoints --------------------------------------------------------------------------


def comparison(result: CheckpointComparison, names: tuple[str, str], n: int) -> Markup:
    """HTML: the accuracies of two checkpoints on the same `n` images, and whether their difference means anything."""
    alone = (result.first_only, result.second_only)
    shown = [
        (name, f"{accuracy:.2%}", tr("the only one right on {n:,} images", n=len(only)))
        for name, accuracy, only in zip(names, result.accuracies, alone, strict=True)
    ]
    shown.append((tr("Answers differ on"), figures.count(len(result.differ)), tr("of {n:,} images", n=n)))
    return render("evaluate/comparison.html", figures=shown, sentence=result.sentence)
