"""The Classify tab: a picture and a checkpoint in, the likeliest classes out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.events import api
from PIL import Image

from googlenet.data.images import read_image
from googlenet.errors import LabError
from googlenet.inference.novelty import judge
from googlenet.runs import find_checkpoint, list_checkpoints
from googlenet.ui.classify import view
from googlenet.ui.common.cores import share_cores
from googlenet.ui.common.gradio_private import upload_folder
from googlenet.ui.common.refusals import api_errors, toast

if TYPE_CHECKING:
    from googlenet.inference.classifier import Classifier
    from googlenet.inference.explain import Occlusion

__all__ = ["classify_tab"]

EXAMPLES = ("bus.png", "cheetah1.jpg", "lion.jpg")  # Gradio brings them along
BROWSER_FORMATS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".avif")
WAITING = view.empty("Looking for trained networks", "This takes a few seconds after a start.")
NO_NETWORK = view.empty(
    "No trained network yet",
    "Train one in the Train tab, or put a weights file of this lab into the checkpoints folder.",
)
NO_PICTURE = view.empty(
    "What is in your picture?", "Drop a picture on the left, paste one, use the camera, or try one of the examples."
)


def classify_tab(checkpoints: Path, demo: gr.Blocks, tab: gr.Tab) -> tuple[gr.Image, gr.Dropdown]:
    """Fill `tab` of `demo`; networks are looked for under `checkpoints`. Also adds the /classify endpoint.

    Returns the picture and the network, for other tabs to set: a new picture is classified.
    """
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=300, elem_classes="gl-controls"):
            name = gr.Dropdown(
                [],
                label="Network",
                info="Shipped ones first, then the latest run",
                filterable=False,
                elem_classes="gl-network",
            )
            # `preprocess=False` below hands uploads on as they are: the component itself would open, and fail on, some.
            picture = gr.Image(
                label="Picture",
                type="filepath",
                image_mode=None,
                format="png",
                sources=["upload", "clipboard", "webcam"],
                height=300,
                buttons=["fullscreen"],
            )
            explain = gr.Checkbox(
                label="Show what the answer rests on",
                info="Covers the picture square by square and watches the answer change",
            )
            _examples(picture)
        with gr.Column(scale=2, min_width=320):
            answer = gr.HTML(WAITING, elem_classes="gl-html")
            facts = gr.HTML(elem_classes="gl-html")
    last = gr.State(None)  # the picture of the answer that is shown

    def show(upload: Any, chosen: str | None, before: str | None, explained: bool) -> tuple[Any, ...]:
        return answer_for(checkpoints, upload, chosen, before, explained)

    def look(chosen: str | None) -> Any:
        return network_choices(checkpoints, chosen)

    quiet = {"api_visibility": "private", "preprocess": False, "show_progress": "hidden"}
    shown = {"inputs": [picture, name, last, explain], "outputs": [picture, answer, facts, last]}
    work = {**quiet, "concurrency_id": "classify", "trigger_mode": "always_last"}
    looked = gr.on([demo.load, tab.select], look, name, name, queue=False, **quiet)
    looked.then(show, **shown, **work)
    gr.on([picture.change, name.input, explain.input], show, **shown, **work)

    def classify(image: gr.FileData, checkpoint: str = "") -> dict[str, Any]:
        """The five likeliest classes of a picture.

        image: a file (handle_file in Python); checkpoint: a name such as googlenet-cifar10 or my-run/best, the first if
        left out. Returns {"top": [{"class": ..., "probability": ...}, ...], "checkpoint": ..., "unlike_training": ...,
        "novelty": {"score": ..., "value": ..., "threshold": ...}}, the likeliest first. unlike_training says whether
        the picture looks like no class; it and novelty are null when the weights file has no threshold for that.
        """
        return classify_upload(checkpoints, image, checkpoint)

    api(api_errors(classify), api_name="classify", concurrency_id="classify")
    return picture, name


def _examples(picture: gr.Image) -> None:
    from gradio.media import get_image

    gr.Examples(
        [[get_image(name)] for name in EXAMPLES],
        picture,
        label="Pictures to try (none is of a CIFAR-10 class)",
        cache_examples=False,
        api_visibility="private",
    )


def network_choices(checkpoints: Path, chosen: str | None) -> Any:
    """The dropdown, filled anew; `chosen` stays chosen while it is there."""
    listed = list_checkpoints(checkpoints)
    names = [checkpoint.name for checkpoint in listed]
    value = chosen if chosen in names else names[0] if names else None
    choices = [(checkpoint.label, checkpoint.name) for checkpoint in listed]
    return gr.Dropdown(choices, value=value, interactive=bool(names))


def answer_for(
    checkpoints: Path, upload: Any, chosen: str | None, before: str | None, explained: bool = False
) -> tuple[Any, ...]:
    """What the tab shows: picture, answer (`explained` with a heat map), facts, and the picture of that answer.

    What cannot be shown leaves a toast and all else as it was: `before` is the picture of the last answer.
    """
    if not list_checkpoints(checkpoints):
        return gr.skip(), NO_NETWORK, "", before
    try:
        image = None if upload is None else read_image(received(upload))
    except LabError as error:
        toast(error)
        before = before if before and Path(before).is_file() else None
        return before, gr.skip(), gr.skip(), before
    try:
        checkpoint = find_checkpoint(checkpoints, chosen or "")
        facts = view.facts(checkpoint)
        if image is None:
            return gr.skip(), NO_PICTURE, facts, before  # a picture dropped on another arrives after a None
        classifier = _classifier(checkpoints, checkpoint.path)
        answer = view.answer(
            classifier.classify(image),
            classifier.input_image(image),
            image.size,
            judge(classifier, image),
            _occlude(classifier, image) if explained else None,
        )
    except LabError as error:
        toast(error)
        return (gr.skip(),) * 4
    # What a browser cannot show goes back as a PNG of the same pixels.
    shown = gr.skip() if upload["path"].lower().endswith(BROWSER_FORMATS) else image
    return shown, answer, facts, upload["path"]


def classify_upload(checkpoints: Path, upload: Any, chosen: str = "") -> dict[str, Any]:
    """The programmatic answer, plain JSON types; `LabError` for a picture or a checkpoint that is none."""
    checkpoint = find_checkpoint(checkpoints, chosen)
    image = read_image(received(upload))
    classifier = _classifier(checkpoints, checkpoint.path)
    shares = list(classifier.classify(image).items())[: view.TOP]
    verdict = judge(classifier, image)
    return {
        "top": [{"class": name, "probability": share} for name, share in shares],
        "checkpoint": checkpoint.name,
        "unlike_training": verdict and verdict.unlike_training,
        "novelty": verdict and verdict.to_dict(),
    }


def _classifier(checkpoints: Path, weights: Path) -> Classifier:
    """The network in `weights`, on no more cores than a running training leaves."""
    from googlenet.inference.classifier import load_classifier  # imports torch

    share_cores(checkpoints)
    return load_classifier(weights)


def _occlude(classifier: Classifier, image: Image.Image) -> Occlusion:
    from googlenet.inference.explain import occlude  # imports torch

    return occlude(classifier, image)


def received(upload: Any) -> Path:
    """The file of an upload. Gradio passes on any path that a client writes into its request: only a file that Gradio
    itself has received may be read."""
    try:
        path = Path(upload["path"]).resolve()
        inside = path.is_relative_to(upload_folder()) and path.is_file()
    except (KeyError, TypeError, ValueError, OSError):
        inside = False
    if not inside:
        raise LabError("No picture has arrived: send it as a file, in Python with gradio_client.handle_file.", "image")
    return path
