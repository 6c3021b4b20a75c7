"""The command line that starts a training: what the page's Start does, for a terminal or a script."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Any

from googlenet.config import DATA_SIZE, GoogLeNetConfig
from googlenet.models.formats.share import to_link_text
from googlenet.models.presets import PRESETS, preset
from googlenet.recipes import TrainConfig, recipe_values

# What is a recipe's, by the option that sets it; the words of cli/train.py.
OPTIONS = {
    "epochs": "--epochs",
    "batch_size": "--batch-size",
    "lr": "--lr",
    "optimizer": "--optimizer",
    "momentum": "--momentum",
    "weight_decay": "--weight-decay",
    "norm_decay": "--norm-decay",
    "schedule": "--schedule",
    "warmup": "--warmup",
    "label_smoothing": "--label-smoothing",
    "logit_norm": "--logit-norm",
    "flip": "--flip",
    "crop_padding": "--crop-padding",
    "whitening": "--whitening",
    "dirac": "--dirac",
    "trivial_augment": "--trivial-augment",
    "cutmix": "--cutmix",
    "normalize": "--normalize",
    "cutout": "--cutout",
    "ema": "--ema",
    "validation_fraction": "--validation",
    "checkpoint_epochs": "--checkpoint-epochs",
    "seed": "--seed",
    "device": "--device",
    "compiled": "--compiled",
    "deterministic": "--deterministic",
}


def command_line(config: TrainConfig, checkpoints: Path | None = None, *, name: str | None = None) -> str:
    """`python -m googlenet train …`, quoted for a POSIX shell: only what differs from the recipe is set.

    It is named `name`, "" for the network and the time, or as `config` is. `checkpoints` is where runs are kept, where
    that is not the folder of that name.
    """
    words = ["python", "-m", "googlenet", "train", *named_network(config.network)]
    words += ["--data", config.data, "--recipe", config.recipe]
    usual = recipe_values(config.recipe, config.network)
    usual["checkpoint_epochs"] = tuple(epoch for epoch in usual["checkpoint_epochs"] if epoch < config.epochs)
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name in OPTIONS and value != usual[field.name]:
            words += _option(OPTIONS[field.name], value)
    name = config.run if name is None else name
    words += ["--name", name] if name else []
    words += ["--checkpoints", str(checkpoints)] if checkpoints else []
    return shlex.join(words)


def named_network(network: GoogLeNetConfig) -> list[str]:
    """The options that name `network`: a preset's name where it is one's, with auxiliary heads or without."""
    for name in PRESETS:
        if preset(name).input_size == DATA_SIZE:
            for heads in (False, True):
                if preset(name, aux_heads=heads) == network:
                    return ["--preset", name, *(["--aux-heads"] if heads else [])]
    return ["--network", to_link_text(network)]


def _option(option: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [option if value else option.replace("--", "--no-")]
    if isinstance(value, tuple):
        return [option, ",".join(map(str, value)) or "none"]
    return [option, str(value)]
