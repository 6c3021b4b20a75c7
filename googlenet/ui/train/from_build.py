"""From Build into Train: the network on the bench becomes a choice of the training form."""

from __future__ import annotations

import dataclasses
from typing import Any

import gradio as gr

from googlenet.config import DATA_SIZE
from googlenet.errors import LabError
from googlenet.models.draft import Draft
from googlenet.models.presets import PRESETS, preset
from googlenet.models.profile import profile_network
from googlenet.models.share import to_link_text
from googlenet.ui.build.network.panel import DATA_CLASSES, NetworkPanel
from googlenet.ui.build.network.takeaway import LIVE, file_stem, network_of
from googlenet.ui.common import figures

EDITED = "-edited"  # ends the name of what is trained and is no preset
OPEN_TRAIN = """(network) => {
  if (!network) return;
  [...document.querySelectorAll('[role=tab]')].find((tab) => tab.textContent.trim() === 'Train')?.click();
  scrollTo({top: 0});
}"""


def carry(draft: Draft) -> list[Any]:
    """The refusal, whether the cure is offered, and the text of the network for the Train tab, "" when refused."""
    config = draft.config
    try:
        profile_network(config)
        if config.input_size != DATA_SIZE:
            raise LabError(
                f"Training images are {DATA_SIZE}×{DATA_SIZE} and this network takes {config.input_size}×"
                f"{config.input_size}: set the image side to {DATA_SIZE}.",
                "input_size",
            )
        if config.num_classes != DATA_CLASSES:
            raise LabError(
                f"CIFAR-10 and the shapes have {DATA_CLASSES} classes and this network {config.num_classes:,}: set "
                f"classes to {DATA_CLASSES}; a folder of your own changes them by itself.",
                "num_classes",
            )
    except LabError as error:
        return [figures.message(str(error)), gr.update(visible=error.field in ("input_size", "num_classes")), ""]
    if config.name not in PRESETS or config != preset(config.name):
        config = dataclasses.replace(config, name=f"{file_stem(config).removesuffix(EDITED)}{EDITED}")
    return ["", gr.update(visible=False), to_link_text(config)]


def offer(carried: str, choices: list[Any]) -> Any:
    """The Train tab's network dropdown, with the carried network chosen besides its own `choices`."""
    if not carried:
        return gr.skip()
    params = profile_network(network_of(carried)).params
    return gr.update(choices=[*choices, (f"your network (Build), {params:,} parameters", carried)], value=carried)


def carry_into_training(panel: NetworkPanel, network: gr.Dropdown) -> gr.events.Dependency:
    """Have the panel's button choose its network in the Train tab's dropdown; returns the event, to go on from."""
    choices = list(network.choices)
    carried = panel.train.click(carry, panel.draft, [panel.refusal, panel.fit, panel.carried], **LIVE)
    chosen = carried.then(lambda text: offer(text, choices), panel.carried, network, **LIVE)
    chosen.then(None, panel.carried, None, js=OPEN_TRAIN)
    return chosen
