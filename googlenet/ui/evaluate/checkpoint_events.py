"""What the Evaluate tab's controls do with one checkpoint, and with two: each function returns what is shown then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from googlenet.errors import LabError, check_whole
from googlenet.language import retell, tr
from googlenet.runs import Checkpoint, Run, list_checkpoints
from googlenet.ui.common import confusion
from googlenet.ui.evaluate import checkpoint_view as view
from googlenet.ui.evaluate.answers import AnswerBook, Answers
from googlenet.ui.evaluate.run_events import Shown
from googlenet.ui.evaluate.run_view import file_of

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from googlenet.data.splits import Progress

GROUP_THUMBNAILS = 12  # of each way to differ


def look(book: AnswerBook, name: str, data: str | None, progress: Progress | None) -> list[str]:
    """HTML of headline, confusion matrix, its first images, accuracy by class and reliability."""
    answers = book.ask(name, data, progress)
    result = answers.result
    return [
        view.headline(answers.name, result, retell(answers.on)),
        confusion.confusion_matrix(result),
        cell_images(answers, *confusion.first_cell(result)),
        view.class_bars(result),
        _reliability(answers),
    ]


def parse_cell(sent: Any, classes: int) -> tuple[int, int]:
    """The class numbers (true, predicted) in "3-5"; `LabError` for anything else."""
    try:
        true, predicted = (int(part) for part in str(sent).split("-"))
    except ValueError as error:
        raise LabError(tr("Choose a cell of the confusion matrix."), "cell") from error
    return check_whole(true, "cell", 0, classes - 1), check_whole(predicted, "cell", 0, classes - 1)


def cell_images(answers: Answers, true: int, predicted: int) -> str:
    """HTML of the images in one cell of the confusion matrix."""
    found = answers.result.cell(true, predicted)
    images = [answers.thumbnail(index) for index in found[: view.MAX_THUMBNAILS]]
    return view.cell_images(answers.classes[true], answers.classes[predicted], images, len(found))


def _reliability(answers: Answers) -> str:
    """With the stored temperature, else for a run's checkpoint with one fitted on the images that judge it here."""
    from googlenet.inference.calibration import expected_calibration_error, fit_temperature, reliability

    result, labels = answers.result, answers.result.labels
    before = reliability(result.logits.softmax(1), labels)
    first = result.calibration_error
    if result.temperature != 1:
        temperature = result.temperature
        words = tr(
            "Calibration error: {before:.2%} as trained, {after:.2%} at temperature {temperature:.2f}, stored in the "
            "file, fitted on {images}."
        )
    elif "/" in answers.name:
        temperature = fit_temperature(result.logits, labels)
        words = tr(
            "Calibration error: {before:.2%} as trained, {after:.2%} at temperature {temperature:.2f}, fitted on these "
            "very images; Promote to best stores it."
        )
    else:
        words = tr("Calibration error: {before:.2%} as trained; it has no temperature.", before=first)
        return view.reliability_diagram(before, None, 1, words)
    if temperature is None:
        words = tr(
            "Calibration error: {before:.2%} as trained; no temperature makes it better on these images.", before=first
        )
        return view.reliability_diagram(before, None, 1, words)
    scaled = (result.logits / temperature).softmax(1)
    after, images = expected_calibration_error(scaled, labels), retell(answers.fitted_on)
    words = words.format(before=first, after=after, temperature=temperature, images=images)
    return view.reliability_diagram(before, reliability(scaled, labels), temperature, words)


# --- two checkpoints --------------------------------------------------------------------------


def compared_choices(book: AnswerBook, shown: Shown | None, name: str, data: str | None) -> Any:
    """The dropdown of what is judged on the images that judge `name`, its run first; hidden where nothing is."""
    rows = shown.result.rows if shown and shown.result else ()
    own = [(file_of(row), file_of(row)) for row in rows if name not in row.names]
    listed = {item.name: item for item in list_checkpoints(book.checkpoints)}
    images = _judged_by(book, listed[name], data) if name in listed else None
    judged = {file for row in rows for file in row.names} | {name}
    others = [
        (item.label, item.name)
        for item in listed.values()
        if item.name not in judged and images and _judged_by(book, item, data) == images
    ]
    return gr.Dropdown(own + others, value=None, visible=bool(own or others))


def _judged_by(book: AnswerBook, checkpoint: Checkpoint, data: str | None) -> tuple[Any, ...] | None:
    """What decides which images judge a checkpoint, the same for two that can be compared; None when nothing does."""
    run, network = checkpoint.name.rpartition("/")[0], checkpoint.info.network
    asked = (checkpoint.info.classes, network.input_size)
    if not run:
        return (data or book.data, *asked)
    try:
        config = Run(book.checkpoints, run).config()
    except LabError:
        return None
    return (data or config.data, config.seed, config.validation_fraction, config.split_by, *asked)


def side_by_side(book: AnswerBook, name: str, other: str, data: str | None, progress: Progress | None) -> list[str]:
    """HTML of two checkpoints' figures, and of images on which their answers differ."""
    from googlenet.inference.compare import compare

    first, second = (book.ask(one, data, progress) for one in (name, other))
    if not first.same_images(second):
        raise LabError(
            tr(
                "{name} is judged on {images}, {other} on other images: choose two checkpoints of one run, or of runs "
                "with the same data, seed and validation share.",
                name=name,
                images=retell(first.on),
                other=other,
            )
        )
    names = (first.name, second.name)
    result = compare(first.result, second.result, names)
    groups = (
        (tr("Only {name} is right", name=names[0]), result.first_only),
        (tr("Only {name} is right", name=names[1]), result.second_only),
        (tr("Both are wrong, in different ways"), result.both_wrong),
    )
    order = tr("First line {first}, second line {second}", first=first.name, second=second.name)
    galleries = [
        view.gallery(
            f"{words}: {len(found):,}",
            [first.thumbnail(index, second.result) for index in found[:GROUP_THUMBNAILS]],
            len(found),
            order,
        )
        for words, found in groups
        if found
    ]
    return [view.comparison(result, names, first.result.n), f"<div class='gl-answer'>{''.join(galleries)}</div>"]
