"""From Build into Train: the network that was built becomes a choice of the training form."""

from __future__ import annotations

import dataclasses
from typing import Any

import gradio as gr
from gradio.events import Dependency

from googlenet.config import DATA_SIZE
from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.models.draft import Draft
from googlenet.models.formats.share import file_stem, parse_network, to_link_text
from googlenet.models.presets import PRESETS, preset
from googlenet.models.profile import profile_network
from googlenet.ui.build.network.panel import DATA_CLASSES, NetworkPanel
from googlenet.ui.common import figures
from googlenet.ui.common.layout import LIVE

EDITED = "-edited"  # ends the name of what is trained and is no preset


def text_for_training(draft: Draft) -> list[Any]:
    """The refusal, whether the cure is offered, and the text of the network for the Train tab, "" when refused."""
    config = draft.config
    try:
        profile_network(config)
        if config.input_size != DATA_SIZE:
            raise LabError(
                tr(
                    "Training images are {theirs}×{theirs} and this network takes {side}×{side}: set the image side "
                    "to {theirs}.",
                    theirs=DATA_SIZE,
                    side=config.input_size,
                ),
                "input_size",
            )
        if config.num_classes != DATA_CLASSES:
            raise LabError(
                tr(
                    "CIFAR-10 and the shapes have {theirs} classes and this network {classes:,}: set classes to "
                    "{theirs}; with an image folder they are set for you.",
                    theirs=DATA_CLASSES,
                    classes=config.num_classes,
                ),
                "num_classes",
            )
    except LabError as error:
        return [figures.message(str(error)), gr.update(visible=error.field in ("input_size", "num_classes")), ""]
    if config.name not in PRESETS or config != preset(config.name):
        config = dataclasses.replace(config, name=f"{file_stem(config).removesuffix(EDITED)}{EDITED}")
    return ["", gr.update(visible=False), to_link_text(config)]


def add_choice(text: str, choices: list[Any]) -> Any:
    """The Train tab's network dropdown with the network of `text` chosen besides its own `choices`."""
    if not text:
        return gr.skip()
    params = profile_network(parse_network(text)).params
    shown = tr("your network (Build), {params:,} parameters", params=params)
    return gr.update(choices=[*choices, (shown, text)], value=text)


def send_to_training(panel: NetworkPanel, network: gr.Dropdown) -> Dependency:
    """Have the panel's button choose its network in the Train tab's dropdown; returns the event, to go on from."""
    choices = list(network.choices)
    outputs = [panel.refusal, panel.fit, panel.for_training]
    sent = panel.train.click(text_for_training, panel.draft, outputs, **LIVE)
    chosen = sent.then(lambda text: add_choice(text, choices), panel.for_training, network, **LIVE)
    chosen.then(None, panel.for_training, None, js="googlenet.openTraining")
    return chosen
