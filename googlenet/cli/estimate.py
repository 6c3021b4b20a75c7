"""The command estimate: what a training will take, before it starts."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from googlenet.cli import options as shared
from googlenet.cli.options import AddCommand
from googlenet.cli.train import add_settings, train_config
from googlenet.language import LANGUAGES, speaking
from googlenet.recipes import TrainConfig
from googlenet.runs import active_run

if TYPE_CHECKING:
    from googlenet.training.planning.costs import Costs
    from googlenet.training.planning.trial import Trial


def add_commands(command: AddCommand) -> None:
    """Give the command line `estimate`, which takes the settings of `train`."""
    sub = command("estimate", _estimate, "Say what a training will take, from a few of its steps; train nothing.")
    add_settings(sub)
    shared.json_option(sub)


def _estimate(options: argparse.Namespace) -> None:
    from googlenet.training.planning.costs import costs_of
    from googlenet.training.planning.trial import SPOKEN, measure, to_line

    began = time.monotonic()
    config = train_config(options)
    if options.detached:  # training/planning/trial.py listens
        told = os.environ.get(SPOKEN, "en")
        with speaking(told if told in LANGUAGES else "en"):
            print(to_line(measure(config, _say, began=began)), flush=True)
        return
    costs, busy = costs_of(config), active_run(options.checkpoints)
    trial = measure(config, shared.progress_line(), began=began)
    if options.json:
        measured = {"costs": dataclasses.asdict(costs), "trial": dataclasses.asdict(trial)}
        print(json.dumps({**measured, "disturbed_by": busy[0].name if busy else None}))
    else:
        print("\n".join(_lines(config, costs, trial, busy[0].name if busy else "")))


def _say(share: float, text: str) -> None:
    print(json.dumps([share, text]), flush=True)


def _lines(config: TrainConfig, costs: Costs, trial: Trial, busy: str) -> Iterator[str]:
    yield (
        f"{config.network.name} on {config.data}: {costs.images:,} training images, {costs.steps_per_epoch:,} steps an "
        f"epoch, {config.epochs:,} epochs, {costs.pflop:.3g} PFLOP, {costs.disk / 2**20:,.1f} MiB on disk"
    )
    yield (
        f"about {_words(trial.seconds)} on {trial.device} ({trial.images_per_second:,.0f} images/s) and "
        f"{trial.memory / 2**30:.2f} GiB of memory, measured on {trial.steps} steps"
        + (" of random images, since the data is not on this machine yet" if trial.stand_in else "")
    )
    if busy:
        yield f"{busy} is being trained here, which disturbs this estimate: ask again when it has ended."


def _words(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
