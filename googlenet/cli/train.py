"""The commands of Train: train, resume, gradients."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from typing import TYPE_CHECKING, Any

from googlenet.cli import options as shared
from googlenet.cli.build import add_network_options, read_network
from googlenet.cli.options import DEFAULT, AddCommand, read_text
from googlenet.config import GoogLeNetConfig
from googlenet.errors import LabError
from googlenet.models.formats.share import fresh_name, parse_network
from googlenet.models.presets import PRESETS, preset, with_variants
from googlenet.recipes import (
    NETWORKS,
    OPTIMIZERS,
    RECIPES,
    SCHEDULES,
    TrainConfig,
    make_train_config,
    parse_epochs,
    recipe_values,
)

if TYPE_CHECKING:
    from googlenet.runs import Run

BY = "command line"


def add_commands(command: AddCommand) -> None:
    """Give the command line `train`, `gradients` and `resume`."""
    sub = command("train", _train, "Train a network; Ctrl+C saves and stops, resume continues.")
    add_settings(sub)
    sub.add_argument("--queue", action="store_true", help="begin it when its device is free, in the background")

    sub = command("gradients", _gradients, "Compare each layer's gradient with and without auxiliary heads.")
    add_network_options(sub)
    sub.add_argument(
        "--steps", type=int, default=20, help=f"SGD steps on drawn shapes, after the initialisation {DEFAULT}"
    )
    sub.add_argument("--seed", type=int, default=0, help=f"same seed, same figures {DEFAULT}")
    shared.json_option(sub)

    sub = command("resume", _resume, "Resume a run from its last save, as if it had never stopped.")
    sub.add_argument("name", metavar="NAME", help="the run")
    sub.add_argument("--anyway", action="store_true", help="even if its images or settings have changed")
    shared.checkpoints_option(sub)
    sub.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)


def add_settings(sub: argparse.ArgumentParser) -> None:
    """Every setting of a training, for `train_config` to read."""
    # No defaults here: what is not given is the recipe's, as the help says.
    sub.add_argument("--preset", choices=tuple(PRESETS), help=f"the network (default: cifar10; {_networks()})")
    sub.add_argument("--network", metavar="LINK", help="instead of --preset: the text of a link, as code --link has it")
    shared.data_option(sub)
    sub.add_argument("--recipe", choices=tuple(RECIPES), default="default", help=f"sets the options below {DEFAULT}")
    sub.add_argument("--epochs", type=int, help=f"passes {_by_recipe('epochs')}")
    sub.add_argument("--batch-size", type=int, help=f"images per step {_by_recipe('batch_size')}")
    sub.add_argument("--lr", type=float, help=f"the learning rate's peak {_by_recipe('lr')}")
    sub.add_argument("--optimizer", choices=OPTIMIZERS, help=f"what takes the steps {_by_recipe('optimizer')}")
    sub.add_argument("--momentum", type=float, help=f"of SGD, Nesterov's {_by_recipe('momentum')}")
    sub.add_argument("--weight-decay", type=float, help=f"of filters and matrices {_by_recipe('weight_decay')}")
    decayed = f"decay biases and batch norm too {_by_recipe('norm_decay')}"
    sub.add_argument("--norm-decay", action=argparse.BooleanOptionalAction, help=decayed)
    sub.add_argument("--schedule", choices=SCHEDULES, help=f"of the learning rate {_by_recipe('schedule')}")
    sub.add_argument("--warmup", type=float, help=f"share of the steps that one cycle rises {_by_recipe('warmup')}")
    sub.add_argument("--label-smoothing", type=float, help=f"of the labels {_by_recipe('label_smoothing')}")
    lengths = f"divide logits of length 1 by this in the loss, 0 for not {_by_recipe('logit_norm')}"
    sub.add_argument("--logit-norm", type=float, help=lengths)
    flag = argparse.BooleanOptionalAction
    sub.add_argument("--flip", action=flag, help=f"flip images left to right {_by_recipe('flip')}")
    sub.add_argument("--crop-padding", type=int, help=f"pixels that images are shifted by {_by_recipe('crop_padding')}")
    sub.add_argument("--normalize", action=flag, help=f"by the channels' mean and deviation {_by_recipe('normalize')}")
    whitened = f"fix the first filters by the images' principal directions {_by_recipe('whitening')}"
    sub.add_argument("--whitening", action=flag, help=whitened)
    sub.add_argument("--dirac", action=flag, help=f"let filters begin like the identity {_by_recipe('dirac')}")
    changed = f"one of fourteen changes to each image, TrivialAugment {_by_recipe('trivial_augment')}"
    sub.add_argument("--trivial-augment", action=flag, help=changed)
    mixed = f"share of the images with a rectangle of another {_by_recipe('cutmix')}"
    sub.add_argument("--cutmix", type=float, help=mixed)
    sub.add_argument("--cutout", type=int, help=f"side in pixels of a square blanked out {_by_recipe('cutout')}")
    sub.add_argument("--ema", type=float, help=f"decay per step of averaged weights, 0 for none {_by_recipe('ema')}")
    sub.add_argument("--validation", type=float, help=f"validation share of train {_by_recipe('validation_fraction')}")
    kept = f"epochs after which to keep weights, from 0, or none {_by_recipe('checkpoint_epochs')}"
    sub.add_argument("--checkpoint-epochs", metavar="EPOCHS", help=kept)
    sub.add_argument("--aux-heads", action="store_true", help="train with the auxiliary classifiers on 4a and 4d")
    sub.add_argument("--seed", type=int, default=0, help=f"same seed, same curve {DEFAULT}")
    shared.device_option(sub)
    sub.add_argument("--compiled", action="store_true", help="use torch.compile: for long trainings on a GPU")
    sub.add_argument("--deterministic", action="store_true", help="bit-equal results on a GPU too; slower")
    # torchrun takes --run for its own --run-path, so there is another name for it.
    sub.add_argument(
        "--name", "--run", dest="run", metavar="NAME", help="the run's name (default: the network and the time)"
    )
    shared.checkpoints_option(sub)
    sub.add_argument(
        "--config", metavar="FILE", help="a run's config.json, instead of the options above but --name; - reads stdin"
    )
    sub.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)


def _by_recipe(field: str) -> str:
    """What each recipe sets: "(default: 10, full: 100, note: 1000)", for the network that goes with it."""
    found = {recipe: recipe_values(recipe, preset(_network_for(recipe)))[field] for recipe in RECIPES}
    bare = recipe_values("default", preset("cifar10-truncated"))[field]
    if bare != found["default"]:
        found = {"default": found.pop("default"), "without batch norm": bare, **found}
    values = {name: _written(value) for name, value in found.items()}
    return f"({', '.join(f'{name}: {value}' for name, value in values.items())})"


def _networks() -> str:
    return "; ".join(f"{recipe}: {network}" for recipe, network in NETWORKS.items())


def _written(value: Any) -> str:
    if isinstance(value, (bool, str)):
        return value if isinstance(value, str) else "yes" if value else "no"
    return ",".join(map(str, value)) or "none" if isinstance(value, tuple) else f"{value:g}"


def _network_for(recipe: str) -> str:
    return NETWORKS.get(recipe, "cifar10")


def _gradients(options: argparse.Namespace) -> None:
    from googlenet.training.gradients import compare_heads

    network = read_network(options)
    for comparison in compare_heads(network, options.steps, options.seed):
        if options.json:
            print(json.dumps({**dataclasses.asdict(comparison), "gains": comparison.gains}), flush=True)
        elif comparison.step in (0, options.steps):
            print(comparison.sentence, flush=True)
            for layer, norm in comparison.without.norms.items():
                headed = comparison.with_heads.norms[layer]
                print(f"  {layer:<14}{norm:>10.1e} without, {headed:.1e} with heads ({comparison.gains[layer]:,.1f}×)")


def train_config(options: argparse.Namespace) -> TrainConfig:
    """The training that the options describe; raises `LabError` where they do not."""
    if options.config:
        config = TrainConfig.from_json(read_text(options.config))
        return dataclasses.replace(config, run=options.run) if options.run else config
    network = _network(options)
    return make_train_config(
        options.run or fresh_name(network),
        network,
        options.recipe,
        data=options.data,
        epochs=options.epochs,
        batch_size=options.batch_size,
        lr=options.lr,
        optimizer=options.optimizer,
        momentum=options.momentum,
        weight_decay=options.weight_decay,
        norm_decay=options.norm_decay,
        schedule=options.schedule,
        warmup=options.warmup,
        label_smoothing=options.label_smoothing,
        logit_norm=options.logit_norm,
        flip=options.flip,
        crop_padding=options.crop_padding,
        normalize=options.normalize,
        whitening=options.whitening,
        dirac=options.dirac,
        trivial_augment=options.trivial_augment,
        cutmix=options.cutmix,
        cutout=options.cutout,
        ema=options.ema,
        validation_fraction=options.validation,
        checkpoint_epochs=parse_epochs(options.checkpoint_epochs),
        seed=options.seed,
        device=options.device,
        compiled=options.compiled or None,
        deterministic=options.deterministic or None,
    )


def _network(options: argparse.Namespace) -> GoogLeNetConfig:
    if options.network is None:
        return preset(options.preset or _network_for(options.recipe), aux_heads=options.aux_heads)
    if options.preset:
        raise LabError("--preset and --network both name a network: leave one of them out.", "network")
    network = parse_network(options.network)
    return with_variants(network, aux_heads=True) if options.aux_heads else network


def queue_training(config: TrainConfig, options: argparse.Namespace) -> None:
    """Put `config` into the queue, begin it where its device is free, and say which of both."""
    from googlenet.training.queue.runner import enqueue

    begun = enqueue(config, options.checkpoints, by=BY)
    if begun.run:
        print(f"{begun.run.name}: has begun, in {begun.run.path}")
    else:
        print(f"{config.run}: number {begun.position} in the queue.")


def _train(options: argparse.Namespace) -> None:
    from googlenet.training.session import train

    config = train_config(options)
    if options.queue:
        queue_training(config, options)
        return
    _say_end(train(config, options.checkpoints, console=not options.detached, detached=options.detached))


def _resume(options: argparse.Namespace) -> None:
    from googlenet.training.session import resume

    shown = {"console": not options.detached, "detached": options.detached}
    _say_end(resume(options.name, options.checkpoints, anyway=options.anyway, **shown))


def _say_end(run: Run) -> None:
    if os.environ.get("RANK", "0") == "0":  # under torchrun, once is enough
        print(f"{run.name}: {run.status().state}, in {run.path}")
