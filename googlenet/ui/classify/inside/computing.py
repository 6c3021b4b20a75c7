"""Computing an index from the page: the button in a card's empty state, its progress, and a way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.runs import find_checkpoint
from googlenet.ui.classify.inside import training_images
from googlenet.ui.classify.shared import Shared
from googlenet.ui.common.layout import html
from googlenet.ui.events.cores import share_cores
from googlenet.ui.events.long_work import PRIVATE, Cancellation, finally_, refusable
from googlenet.ui.events.rights import needs

# One index at a time: others wait in line, and pictures are answered meanwhile.
WORK: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "index", "show_progress": "full"}
PROGRESS = gr.Progress()
NOTHING = mark("Cancelled: no index was written.")
WAITING = '<div class="gl-computing"></div>'  # room for the progress, which Gradio lays over a card


def index_card() -> gr.HTML:
    """A place for `channel_card` or `neighbours_card`, whose button starts `computed_at`."""
    return html(
        "", "gl-index-card", js_on_load="googlenet.onPressed(element, 'compute', (data) => trigger('compute', data))"
    )


def computed_at(shared: Shared, card: gr.HTML) -> Any:
    """Lay out a Cancel below `card` for while its index is computed, and wire the button in it.

    Returns the event after which this card and the other, of the same index, are to be drawn anew: `.then` it. It also
    comes when the work was cancelled or refused.
    """
    cancellation = Cancellation()
    cancel = gr.Button(tr("Cancel"), size="sm", visible=False, scale=0, min_width=90)
    cancel.click(cancellation.cancel, None, None, **PRIVATE)

    @refusable(1, cancelled=NOTHING)
    @needs(shared.access, "index")
    def compute(chosen: str | None, request: gr.Request, progress: gr.Progress = PROGRESS) -> Any:
        compute_for(shared, chosen, cancellation.listen(request, progress))
        return gr.skip()

    begin = cancellation.at_start(lambda: [gr.Button(visible=True), WAITING])
    started = card.compute(begin, None, [cancel, card], **PRIVATE)
    done = started.then(compute, shared.network, card, **WORK)
    return finally_(done, lambda: gr.Button(visible=False), None, cancel, **PRIVATE)


def compute_for(shared: Shared, chosen: str | None, progress: Callable[[float, str], None]) -> None:
    """Compute the index of the network called `chosen` over its training images, unless somebody just has.

    Raises `LabError` where its training images are not on this machine.
    """
    checkpoint = find_checkpoint(shared.checkpoints, chosen or "")
    from googlenet.inference.index import compute_index, load_bank, load_index

    try:
        if load_index(checkpoint.path) and load_bank(checkpoint.path):
            return
    except LabError:
        pass  # damaged, or of other weights: that is why it is computed
    source = training_images.fitting_source(shared.checkpoints, shared.access, checkpoint)
    if source is None:
        sentence = tr("Its training images are not on this machine: start the lab with --data and their folder.")
        raise LabError(sentence)

    def report(share: float, text: str) -> None:
        share_cores(shared.checkpoints)  # a training may have begun since
        progress(share, text)

    compute_index(checkpoint.path, source, progress=report)
