"""What the events of the network panel answer. No component here: an event's outputs are named in `panel`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.models import draft as drafts
from googlenet.models.draft import Draft
from googlenet.models.formats.share import from_link_text
from googlenet.models.presets import PRESETS
from googlenet.models.profile import profile_partly
from googlenet.ui.build.network import drawing, export, view
from googlenet.ui.build.network.layer_form import LayerForm
from googlenet.ui.common import figures


def show_answer(draft: Draft, selected: str) -> list[Any]:
    """New values of `NetworkPanel.answer`."""
    config = draft.config
    profile, problems = profile_partly(config)
    return [
        draft,
        view.summary(config, profile, problems),
        drawing.drawing(config, profile, selected),
        view.table(config, profile, problems, selected),
        view.remarks(draft.layer_or_first(selected), profile),
        gr.update(visible=bool(config.problems())),
        gr.update(interactive=bool(draft.past)),
        draft.keep,
        gr.update(visible=False),
        export.link_of(config),
    ]


def show_everything(form: LayerForm, draft: Draft, selected: str) -> list[Any]:
    """New values of `NetworkPanel.everything`; the first module is chosen where `selected` is gone."""
    config, layer = draft.config, draft.layer_or_first(selected)
    start = config.name if config.name in PRESETS else gr.skip()
    settings = [start, config.input_size, config.num_classes, drafts.common_variant(config), drafts.switches(config)]
    return [*show_answer(draft, layer.name), *settings, *form.show(layer)]


def edit_layer(form: LayerForm, draft: Draft, selected: str, *values: Any) -> list[Any]:
    """The draft with the fields' values in the chosen layer; the fields themselves stay, as somebody types in them."""
    after = draft.with_layer(form.read(draft.layer(selected), *values))
    common = drafts.common_variant(after.config)
    return [*show_answer(after, selected), common, *form.show(after.layer(selected), fields=False)]


def edit_whole(draft: Draft, selected: str, side: Any, classes: Any) -> list[Any]:
    """The draft for images of that side and that many classes."""
    return show_answer(draft.edited(drafts.set_whole(draft.config, side, classes), "whole"), selected)


def open_link(form: LayerForm, draft: Draft, selected: str, link: str) -> list[Any]:
    """The network of a link, at the first layer that was edited in it."""
    try:
        config = from_link_text(link)
        wanted = next(iter(drafts.edited_layers(config)), selected)
        return show_everything(form, Draft(config, keep=not config.problems()), wanted)
    except LabError as error:
        said = tr("The network in the link cannot be opened. {why}", why=error)
        raise LabError(said, "network") from error


def refusable(event: Callable[..., list[Any]], refusals: int, own: int, outputs: int) -> Callable[..., list[Any]]:
    """`event`, with `refusals` slots before its `outputs`: a refusal is told in the slot `own` and leaves all else."""

    def run(*arguments: Any) -> list[Any]:
        try:
            return [*[""] * refusals, *event(*arguments)]
        except LabError as error:
            refused: list[Any] = [gr.skip()] * (refusals + outputs)
            refused[own] = figures.message(str(error), field=error.field)
            return refused

    return run
