"""The card of the training images that the network takes for most like the picture."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.runs import Checkpoint, find_checkpoint
from googlenet.ui.classify.inside import training_images
from googlenet.ui.classify.inside.channel import in_words, missing_card
from googlenet.ui.classify.shared import classifier
from googlenet.ui.common.templates import render
from googlenet.ui.events.access import Access, hide_paths

if TYPE_CHECKING:
    from torch import Tensor

    from googlenet.data.images import Source
    from googlenet.data.splits import Progress
    from googlenet.inference.inside.trace import Trace

SHOWN = 9
TITLE = mark("The training images nearest to your picture")


def neighbours_card(
    checkpoints: Path,
    access: Access,
    checkpoint: Checkpoint | str,
    picture: Source | Tensor | Trace,
    progress: Progress | None = None,
) -> Markup:
    """The nine training images whose features are nearest to those of `picture`, with their labels.

    `picture` is its trace, the pixels that the network sees of it, or a file that was `received`. What is not there is
    said in one sentence; where only the images are missing, the labels are shown.
    """
    if not isinstance(checkpoint, Checkpoint):
        checkpoint = find_checkpoint(checkpoints, checkpoint)
    from googlenet.inference.index import find_images, load_bank, nearest

    try:
        bank = load_bank(checkpoint.path)
    except LabError as error:
        return missing_card(checkpoints, access, checkpoint, tr(TITLE), hide_paths(str(error)))
    if bank is None:
        said = tr("The features of its training images are not computed yet for this network.")
        return missing_card(checkpoints, access, checkpoint, tr(TITLE), said)
    rows = nearest(classifier(checkpoints, checkpoint.path), picture, SHOWN)
    sheet, problem = "", ""
    try:
        sources = training_images.sources(checkpoints, access, checkpoint)
        images = find_images(bank.about, sources, progress=progress)
        sheet = training_images.sheet([images.image(row.image) for row in rows])
    except LabError as error:
        problem = hide_paths(str(error))
    return render(
        "classify/inside/neighbours.html",
        title=tr(TITLE),
        rows=rows,
        sheet=sheet,
        problem=problem,
        labels=in_words(Counter(row.label for row in rows)),
        images=bank.about.count,
        data=bank.about.data,
    )
