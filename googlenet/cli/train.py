"""The commands of Train: train, resume, gradients."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import time
from typing import TYPE_CHECKING

from googlenet.cli import options as shared
from googlenet.cli.build import add_network_options, read_network
from googlenet.cli.options import DEFAULT, AddCommand, read_text
from googlenet.models.presets import PRESETS, preset
from googlenet.recipes import RECIPES, TrainConfig, make_train_config, parse_epochs, recipe_values

if TYPE_CHECKING:
    from googlenet.runs import Run


def add_commands(command: AddCommand) -> None:
    """Give the command line `train`, `gradients` and `resume`."""
    _add_train(command("train", _train, "Train a network; Ctrl+C saves and stops, resume continues."))

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


def _add_train(sub: argparse.ArgumentParser) -> None:
    # No defaults here: what is not given is the recipe's, as the help says.
    sub.add_argument("--preset", choices=tuple(PRESETS), help="the network (default: cifar10; note: cifar10-truncated)")
    shared.data_option(sub)
    sub.add_argument("--recipe", choices=tuple(RECIPES), default="default", help=f"sets the options below {DEFAULT}")
    sub.add_argument("--epochs", type=int, help=f"passes {_by_recipe('epochs')}")
    sub.add_argument("--batch-size", type=int, help=f"images per step {_by_recipe('batch_size')}")
    sub.add_argument("--lr", type=float, help=f"the learning rate's peak {_by_recipe('lr')}")
    sub.add_argument("--cutout", type=int, help=f"side in pixels of a square blanked out {_by_recipe('cutout')}")
    sub.add_argument("--ema", type=float, help=f"decay per step of averaged weights, 0 for none {_by_recipe('ema')}")
    sub.add_argument("--validation", type=float, help=f"validation share of train {_by_recipe('validation_fraction')}")
    kept = f"epochs after which to keep weights, from 0 {_by_recipe('checkpoint_epochs')}"
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
        "--config", metavar="FILE", help="a run's config.json, instead of the options above; - reads stdin"
    )
    sub.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)


def _by_recipe(field: str) -> str:
    """What each recipe sets: "(default: 10, full: 100, note: 1000)", for the network that goes with it."""
    found = {recipe: recipe_values(recipe, preset(_network_for(recipe)))[field] for recipe in RECIPES}
    bare = recipe_values("default", preset("cifar10-truncated"))[field]
    if bare != found["default"]:
        found = {"default": found.pop("default"), "without batch norm": bare, **found}
    values = {
        name: ",".join(map(str, value)) or "none" if isinstance(value, tuple) else f"{value:g}"
        for name, value in found.items()
    }
    return f"({', '.join(f'{name}: {value}' for name, value in values.items())})"


def _network_for(recipe: str) -> str:
    return "cifar10-truncated" if recipe == "note" else "cifar10"


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


def _train_config(options: argparse.Namespace) -> TrainConfig:
    if options.config:
        return TrainConfig.from_json(read_text(options.config))
    name = options.preset or _network_for(options.recipe)
    return make_train_config(
        options.run or f"{name}-{time.strftime('%Y%m%d-%H%M%S')}",
        preset(name, aux_heads=options.aux_heads),
        options.recipe,
        data=options.data,
        epochs=options.epochs,
        batch_size=options.batch_size,
        lr=options.lr,
        cutout=options.cutout,
        ema=options.ema,
        validation_fraction=options.validation,
        checkpoint_epochs=parse_epochs(options.checkpoint_epochs),
        seed=options.seed,
        device=options.device,
        compiled=options.compiled or None,
        deterministic=options.deterministic or None,
    )


def _train(options: argparse.Namespace) -> None:
    from googlenet.training.session import train

    config = _train_config(options)
    _say_end(train(config, options.checkpoints, console=not options.detached, detached=options.detached))


def _resume(options: argparse.Namespace) -> None:
    from googlenet.training.session import resume

    shown = {"console": not options.detached, "detached": options.detached}
    _say_end(resume(options.name, options.checkpoints, anyway=options.anyway, **shown))


def _say_end(run: Run) -> None:
    if os.environ.get("RANK", "0") == "0":  # under torchrun, once is enough
        print(f"{run.name}: {run.status().state}, in {run.path}")
