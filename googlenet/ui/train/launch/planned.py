"""The training that a form describes, and the form that describes a training."""

from __future__ import annotations

import dataclasses
from typing import Any

import gradio as gr

from googlenet.config import GoogLeNetConfig
from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.models.formats.share import fresh_name, parse_network, to_link_text
from googlenet.models.presets import preset, with_variants
from googlenet.models.profile import profile_network
from googlenet.recipes import RECIPES, TrainConfig, make_train_config
from googlenet.ui.events.access import Access
from googlenet.ui.train.form import NETWORKS, RECIPE_FIELDS, Form

MAX_SETTINGS = 1_000_000  # bytes of a file
NOT_SETTINGS = mark(
    "This file holds no settings of a training: choose one that Save settings wrote, or a run's config.json."
)


def planned(network: Any, run: str | None = "", aux_heads: bool | None = False, **changes: Any) -> TrainConfig:
    """The training that a form or a client describes; raises `LabError`.

    `network` is a preset's name, or one of the Build tab's as JSON or as the text of its link.
    """
    built = parse_network(network)
    if aux_heads:
        built = with_variants(built, aux_heads=True)
    return make_train_config((run or "").strip() or fresh_name(built), built, **changes)


def read_settings(content: Any) -> TrainConfig:
    """The training in a file of settings, or in a run's config.json, which is one; raises `LabError`."""
    if not isinstance(content, bytes) or len(content) > MAX_SETTINGS:
        raise LabError(tr(NOT_SETTINGS), "config")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabError(tr(NOT_SETTINGS), "config") from error
    return TrainConfig.from_json(text)


def fill(form: Form, config: TrainConfig, access: Access) -> list[Any]:
    """Updates for `form.filling` after which Start would train `config` under a fresh name.

    What differs from its recipe counts as typed. On a public page a folder that may not be named there stays unnamed.
    """
    network, heads, choices = _choice(config.network)
    recipe = config.recipe if config.recipe in RECIPES else "default"
    values = {name: getattr(config, name) for name in RECIPE_FIELDS}
    values["checkpoint_epochs"] = ", ".join(map(str, config.checkpoint_epochs))
    blank = form.follow(recipe, network, dict.fromkeys(RECIPE_FIELDS), *[None] * len(RECIPE_FIELDS))[0]
    kept = blank["checkpoint_epochs"] if config.epochs >= blank["epochs"] else ""
    if not values["checkpoint_epochs"] and kept:
        values["checkpoint_epochs"] = "none"
    words = form.follow(recipe, network, blank, *values.values())
    updates = {
        "network": gr.update(choices=choices, value=network),
        "data": _data(config.data, access),
        "recipe": recipe,
        "run": "",
        "aux_heads": heads,
        **dict(zip(RECIPE_FIELDS, words[3:], strict=True)),
    }
    return [*words[:3], *(updates.get(name, getattr(config, name, gr.skip())) for name in form.fields)]


def _choice(network: GoogLeNetConfig) -> tuple[str, bool, list[Any]]:
    """How the form names `network`, whether with auxiliary heads ticked, and the choices that it needs for it."""
    for name in NETWORKS:
        for heads in (False, True):
            if preset(name, aux_heads=heads) == network:
                return name, heads, list(NETWORKS)
    text, params = to_link_text(network), profile_network(network).params
    return text, False, [*NETWORKS, (tr("{name}, {params:,} parameters", name=network.name, params=params), text)]


def _data(source: str, access: Access) -> Any:
    if source == access.data:
        return access.offered
    try:
        access.check_data(source)
    except LabError:
        return gr.skip()
    return source


def costs_alike(config: TrainConfig) -> TrainConfig:
    """`config` with what changes neither a step's time nor its memory as in every other."""
    same: dict[str, Any] = {"run": "any", "recipe": "default", "seed": 0, "lr": 0.1, "momentum": 0.9, "warmup": 0.2}
    same |= {"weight_decay": 0.0, "label_smoothing": 0.0, "schedule": "one-cycle", "epochs": 1}
    same |= {"norm_decay": False, "logit_norm": 0.0, "dirac": False}
    return dataclasses.replace(config, **same, checkpoint_epochs=())
