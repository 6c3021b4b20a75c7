"""The Classify tab: a picture and a checkpoint in, the likeliest classes out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import gradio as gr

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.runs import find_checkpoint, list_checkpoints
from googlenet.ui.classify import view
from googlenet.ui.classify.examples import examples
from googlenet.ui.classify.imagenet import imagenet_panel
from googlenet.ui.classify.inside.panel import inside_panel
from googlenet.ui.classify.many.panel import many_panel
from googlenet.ui.classify.over_epochs.panel import epochs_panel
from googlenet.ui.classify.shared import Shared, classifier, received
from googlenet.ui.classify.why.panel import why_panel
from googlenet.ui.common.layout import LIVE
from googlenet.ui.events.access import Access
from googlenet.ui.events.newest import Newest

VIEWS = {"one": mark("One picture"), "inside": mark("See inside"), "many": mark("Many pictures")}
BROWSER_FORMATS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".avif")
# Pages and API ask side by side, to share a forward pass (inference/batching.py); Gradio has 40 threads for all events.
TOGETHER: dict[str, Any] = {"concurrency_id": "answers", "concurrency_limit": 32}


class ClassifyTab(NamedTuple):
    """What other tabs use of this one: the picture and the network, to set (a new picture is classified), and
    `see_from(button, layer)`, which lets a button open See inside at the layer that a component names."""

    picture: gr.Image
    network: gr.Dropdown
    see_from: Callable[[gr.Button, Any], None]


def classify_tab(checkpoints: Path, access: Access, demo: gr.Blocks, tab: gr.Tab) -> ClassifyTab:
    """Fill `tab` of `demo`; networks are looked for under `checkpoints`."""
    choices = [(tr(words), key) for key, words in VIEWS.items()]
    views = gr.Radio(
        choices, value="one", label=tr("View"), show_label=False, container=False, elem_id="classify-views"
    )
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=300, elem_classes="gl-controls"):
            name = gr.Dropdown(
                [],
                label=tr("Network"),
                info=tr("the shipped one first, then the latest run"),
                filterable=False,
                elem_classes="gl-chooser",
            )
            offer, offered, got = imagenet_panel(checkpoints, access, name, partial(network_choices, checkpoints))
            with gr.Column() as single:
                # `preprocess=False` below hands uploads on as they are: the component would open, and fail on, some.
                picture = gr.Image(
                    label=tr("Picture"),
                    type="filepath",
                    image_mode=None,
                    format="png",
                    sources=["upload", "clipboard", "webcam"],
                    height=300,
                    buttons=["fullscreen"],
                    elem_classes="gl-photo",
                )
                examples(picture)
            several = gr.Column(visible=False)
        with gr.Column(scale=2, min_width=320):
            with gr.Column() as one:
                answer = gr.HTML(view.waiting(), elem_classes="gl-html")
                again = gr.Button(tr("Ask again"), visible=False, size="sm")
                why, over_epochs = gr.Column(), gr.Column()
                facts = gr.HTML(elem_classes="gl-html")
            inside, many = gr.Column(visible=False), gr.Column(visible=False)
    replaced = gr.JSON(visible=False)  # which picture is to leave its field, and what is put there, if anything
    newest = Newest()

    def show(upload: Any, chosen: str | None, request: gr.Request) -> tuple[Any, ...]:
        visitor = str(request.session_hash)
        question = newest.ask(visitor)
        try:
            html, about, field = answer_for(checkpoints, upload, chosen)
        finally:
            wanted = newest.is_newest(visitor, question)
        if not wanted:  # another picture or network was chosen meanwhile
            return (gr.skip(),) * len(shown)
        hidden = gr.Button(visible=False)
        if field is upload:
            return html, about, hidden, {}
        drawn = picture.postprocess(field)
        file = drawn and drawn.model_dump()
        # A relative address, which also holds behind a proxy: in JSON, Gradio gives files none.
        put = file and {**file, "url": f"gradio_api/file={quote(file['path'])}"}
        return html, about, hidden, {"instead_of": _path(upload), "put": put}

    def show_new(upload: Any, chosen: str | None, replaced: Any, request: gr.Request) -> tuple[Any, ...]:
        if isinstance(replaced, dict) and "put" in replaced and _path(replaced["put"]) == _path(upload):
            return (gr.skip(),) * len(shown)  # it is the answer that has put this picture there
        return show(upload, chosen, request)

    def miss(upload: Any) -> tuple[Any, ...]:
        # Nothing of the picture before is left here either.
        html = view.no_picture() if upload is None else view.unanswered()
        return html, "", gr.Button(visible=upload is not None), {}

    def look(chosen: str | None) -> Any:
        return network_choices(checkpoints, chosen)

    quiet: dict[str, Any] = {"api_visibility": "private", "preprocess": False}
    # Gradio dims the answer while a new one is on its way: until then it belongs to another picture.
    work = {**quiet, **TOGETHER, "trigger_mode": "always_last", "show_progress": "minimal", "show_progress_on": answer}
    asked, shown = [picture, name], [answer, facts, again, replaced]
    looked = gr.on([demo.load, tab.select], look, name, name, queue=False, show_progress="hidden", **quiet)
    looked.then(offered, None, offer, queue=False, show_progress="hidden", **quiet)
    answered = [
        got.then(show, asked, shown, **work),
        looked.then(show, asked, shown, **work),
        gr.on([name.input, again.click], show, asked, shown, **work),
        picture.change(show_new, [*asked, replaced], shown, **work),
    ]
    for event in answered:
        event.then(None, [picture, replaced], picture, js="googlenet.replacePicture")
    # Not queued: it is the full queue that they speak of.
    unanswered = [event.failure(miss, picture, shown, **{**LIVE, "preprocess": False}) for event in answered]
    views.change(
        lambda chosen: [gr.Column(visible=shown) for shown in _visible(chosen)],
        views,
        [single, several, one, inside, many],
        **LIVE,
    )
    shared = Shared(checkpoints, access, demo, tab, views, name, picture, answered, unanswered)
    with why:
        why_panel(shared)
    with over_epochs:
        epochs_panel(shared)
    with inside:
        see_from = inside_panel(shared)
    many_panel(shared, several, many)
    return ClassifyTab(picture, name, see_from)


def _visible(view: str) -> tuple[bool, ...]:
    """Which columns a view shows: one picture's controls, several pictures', and the three views."""
    return view != "many", view == "many", view == "one", view == "inside", view == "many"


def network_choices(checkpoints: Path, chosen: str | None) -> Any:
    """The dropdown, filled anew; `chosen` stays chosen while it is there."""
    listed = list_checkpoints(checkpoints)
    names = [checkpoint.name for checkpoint in listed]
    value = chosen if chosen in names else names[0] if names else None
    choices = [(checkpoint.label, checkpoint.name) for checkpoint in listed]
    return gr.Dropdown(choices, value=value, interactive=bool(names))


def answer_for(checkpoints: Path, upload: Any, chosen: str | None) -> tuple[str, str, Any]:
    """What the tab shows: the answer, the network's facts, and the picture in its field.

    A refusal stands in the answer's place, so that nothing of the picture before is left beside it. The picture stays
    `upload`, but it is None when refused, and of the same pixels when no browser could draw it.
    """
    about, kept = "", upload
    try:
        checkpoint = find_checkpoint(checkpoints, chosen or "")
        about = view.facts(checkpoint)
        if upload is None:  # also for a moment when a picture is dropped on another
            return view.no_picture(), about, None
        network = classifier(checkpoints, checkpoint.path)
        kept = None  # from here on it is the picture that is refused
        given = network.answer(received(upload))
    except LabError as error:
        refusal = view.empty(tr("No answer"), str(error), refused=True)
        return refusal, about, upload if error.field == "checkpoint" else kept
    drawable = upload["path"].lower().endswith(BROWSER_FORMATS)
    return view.answer(given, network.info.resize), about, upload if drawable else given.picture


def classify_upload(checkpoints: Path, upload: Any, chosen: str = "") -> dict[str, Any]:
    """The programmatic answer, plain JSON types; `LabError` for a picture or a checkpoint that is none."""
    checkpoint = find_checkpoint(checkpoints, chosen)
    network = classifier(checkpoints, checkpoint.path)
    answer = network.answer(received(upload), whole=False).to_dict()
    top = list(answer.pop("probabilities").items())[: view.TOP]
    shares = [{"class": name, "probability": share} for name, share in top]
    first = {key: answer.pop(key) for key in ("unlike_training", "verdict")}
    return {**first, "top": shares, "checkpoint": checkpoint.name, **answer}


def _path(file: Any) -> Any:
    return file.get("path") if isinstance(file, dict) else None
