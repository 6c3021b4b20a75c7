"""The commands about trainings that wait: queue and sweep."""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import time
from typing import TYPE_CHECKING, Any

from googlenet.cli import options as shared
from googlenet.cli.options import AddCommand
from googlenet.cli.train import BY, add_settings, queue_training, train_config
from googlenet.errors import LabError

if TYPE_CHECKING:
    from googlenet.recipes import TrainConfig

STEPS = ("list", "add", "up", "down", "first", "cancel", "pause", "resume", "run", "take")
NAMED = ("up", "down", "first", "cancel", "take")


def add_commands(command: AddCommand) -> None:
    """Give the command line `queue` and `sweep`."""
    sub = command("queue", _queue, "List the trainings that wait for a device, or change their order.")
    words = "list (as without a step), add (takes the options of train), up NAME, down NAME, first NAME, cancel NAME, "
    words += "pause and resume (nothing begins meanwhile), run (begin what waits for a free device)"
    sub.add_argument("step", nargs="?", choices=STEPS, default="list", metavar="STEP", help=words)
    sub.add_argument("which", nargs="?", metavar="NAME", help="the run that waits")
    add_settings(sub)
    sub.add_argument("--place", default="cpu", help=argparse.SUPPRESS)
    sub.add_argument("--after", type=int, help=argparse.SUPPRESS)
    shared.json_option(sub)

    sub = command("sweep", _sweep, "Put a training for each combination of rates, seeds and networks into the queue.")
    sub.add_argument("--lrs", metavar="RATES", help="learning rates, such as 0.1,0.2")
    sub.add_argument("--seeds", metavar="SEEDS", help="seeds and spans of them, such as 0-4,7")
    sub.add_argument("--networks", metavar="PRESETS", help="presets, such as cifar10,cifar10-fine")
    sub.add_argument("--yes", action="store_true", help="add them; without it they are only listed")
    add_settings(sub)


def _queue(options: argparse.Namespace) -> None:
    from googlenet.runs import queue

    step, name, place = options.step, options.which, options.checkpoints
    if (step in NAMED) != (name is not None):
        raise LabError(f"queue {step} takes {'the name of a run that waits' if step in NAMED else 'no name'} after it.")
    if step == "list":
        _list(options)
    elif step == "add":
        queue_training(train_config(options), options)
    elif step == "run":
        _run(options)
    elif step == "take":  # for the runner, which begins it in a process of its own
        from googlenet.training.session import take

        take(name, place, options.place, console=not options.detached, detached=options.detached)
    elif step == "cancel":
        print(f"{queue.cancel(place, name).name} is out of the queue.")
    elif step in queue.MOVES:
        known = queue.move(place, name, step).id
        found = queue.read_queue(place)
        entry = queue.find(found, known)
        print(f"{entry.name} is number {found.position(entry)} in the queue.")
    else:
        queue.pause(place, step == "pause")
        print("The queue is paused: nothing begins." if step == "pause" else "The queue goes on.")
        if step == "resume":
            _run(options)


def _run(options: argparse.Namespace) -> None:
    from googlenet.training.queue.runner import run_next, wait_for_end

    if options.after is not None:
        wait_for_end(options.after)
    for run in run_next(options.checkpoints.absolute()):
        print(f"{run.name}: has begun, in {run.path}")


def _list(options: argparse.Namespace) -> None:
    from googlenet.runs.queue import read_queue

    found = read_queue(options.checkpoints)
    if options.json:
        print(json.dumps(found.to_dict()))
        return
    if found.paused:
        print("The queue is paused: queue resume lets it go on.")
    if found.problem:
        print(found.problem)
    if not found.entries:
        print("Nothing waits in the queue: add a training with python -m googlenet queue add.")
    for number, entry in enumerate(found.entries, start=1):
        if entry.config:
            config = entry.config
            what = f"{config.network.name}, {config.recipe}, {config.epochs:,} epochs, {config.device}"
            asked = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.facts.asked))
            print(f"{number}  {entry.name}  {what}  asked {asked}{f' by {entry.facts.by}' if entry.facts.by else ''}")
        else:
            print(f"{number}  {entry.name}")
        if entry.problem:
            print(f"  {entry.problem}")


def _sweep(options: argparse.Namespace) -> None:
    from googlenet.models.formats.share import fresh_name
    from googlenet.training.planning.costs import costs_of
    from googlenet.training.queue.runner import enqueue_sweep
    from googlenet.training.queue.sweep import expand, parse_rates, parse_seeds

    networks = [word.strip() for word in (options.networks or "").split(",") if word.strip()]
    name = options.run or fresh_name(train_config(options).network)

    def make(**changes: Any) -> TrainConfig:
        asked = copy.copy(options)
        if options.config:
            return dataclasses.replace(train_config(options), **_without_network(changes))
        for field, value in changes.items():
            setattr(asked, "preset" if field == "network" else field, value)
        if "network" in changes:
            asked.network = None
        return train_config(asked)

    configs = expand(name, make, rates=parse_rates(options.lrs), seeds=parse_seeds(options.seeds), networks=networks)
    costs = [costs_of(config) for config in configs]
    disk, pflop = sum(cost.disk for cost in costs), sum(cost.pflop for cost in costs)
    for config in configs:
        print(config.run)
    print(f"{len(configs)} runs, {pflop:.3g} PFLOP and {disk / 2**20:,.1f} MiB on disk in all.")
    if not options.yes:
        print("Nothing is added yet: --yes puts them into the queue.")
        return
    added = enqueue_sweep(configs, options.checkpoints.absolute(), group=name, by=BY)
    print(f"{len(added)} trainings are in the queue, as group {name}.")


def _without_network(changes: dict[str, Any]) -> dict[str, Any]:
    if "network" in changes:
        raise LabError("--config names one network: leave --networks out.", "network")
    return changes
