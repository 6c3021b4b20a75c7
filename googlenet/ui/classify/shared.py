"""What the views of the Classify tab share: the chosen network, the picture, and how both are read safely."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.ui.events.access import Access
from googlenet.ui.events.cores import share_cores
from googlenet.ui.events.gradio_private import upload_folder

if TYPE_CHECKING:
    from googlenet.inference.classifier import Classifier

LIKELIEST, NOBODY = mark("the likeliest"), mark("(no other)")  # what is asked about where nobody has named a class


class Shared(NamedTuple):
    """The tab's controls, for a view to read; `answered` are the events after which picture or network are new, and
    `unanswered` those after which they are but there was no room in the queue to ask."""

    checkpoints: Path
    access: Access
    demo: gr.Blocks
    tab: gr.Tab
    view: gr.Radio
    network: gr.Dropdown
    picture: gr.Image
    answered: list[Any]
    unanswered: list[Any]


def classifier(checkpoints: Path, weights: Path) -> Classifier:
    """The network in `weights`, on no more cores than a running training leaves."""
    from googlenet.inference.classifier import load_classifier  # imports torch

    share_cores(checkpoints)
    return load_classifier(weights)


def received(upload: Any) -> Path:
    """The file of an upload. Gradio passes on any path that a client writes into its request: only a file that Gradio
    itself has received may be read."""
    try:
        path = Path(upload["path"]).resolve()
        if path.is_relative_to(upload_folder()) and path.is_file():
            return path
    except (KeyError, TypeError, ValueError, OSError):
        pass  # not what Gradio sends
    raise LabError(tr("No picture has arrived: send it as a file, in Python with gradio_client.handle_file."), "image")
