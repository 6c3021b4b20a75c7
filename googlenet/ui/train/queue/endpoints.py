"""The queue's endpoints, for gradio_client: the same that the page's buttons do, with the same rights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradio.events import api

from googlenet.errors import LabError
from googlenet.models.formats.share import fresh_name, parse_network
from googlenet.recipes import TrainConfig, parse_epochs
from googlenet.runs.queue import Entry, read_queue
from googlenet.training.queue.runner import Begun, enqueue_sweep, start_or_queue
from googlenet.training.queue.sweep import expand, parse_rates, parse_seeds
from googlenet.ui.events import rights
from googlenet.ui.events.access import Access, hide_paths
from googlenet.ui.events.refusals import api_errors
from googlenet.ui.train.launch.planned import planned
from googlenet.ui.train.queue.panel import act, pause

NOT_SETTINGS = ("network", "run", "aux_heads")  # arguments of their own


def publish_queue(checkpoints: Path, access: Access) -> None:
    """Register /queue, /queue_training, /queue_sweep, /cancel_queued, /move_queued and /pause_queue."""

    def queue() -> dict[str, Any]:
        """What waits for a device, in order, and whether the queue is paused."""
        return summary(checkpoints)

    def queue_training(
        network: str | dict[str, Any] = "cifar10", run: str = "", settings: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Start a training where its device is free, else put it into the queue.

        network: as in /start_training; settings: its other arguments by name, such as {"epochs": 3, "lr": 0.1}.
        Returns {"run": ..., "position": ...}, where position is null for one that has begun.
        """
        config = planned_of(access, network, run, settings)

        def start(owner: str) -> Begun:
            return start_or_queue(config, checkpoints, by="API", owner=owner)

        begun = rights.start_own(access, checkpoints, start)
        return {"run": config.run, "position": begun.position or None}

    def queue_sweep(
        lrs: str = "",
        seeds: str = "",
        networks: list[str] | None = None,
        run: str = "",
        network: str = "cifar10",
        settings: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Put a training for each combination into the queue: lrs "0.1, 0.2", seeds "0-4", networks presets' names.

        run names the sweep, network and settings are what all share, as in /queue_training.
        """
        name = run or fresh_name(parse_network(network))

        def make(**changes: Any) -> TrainConfig:
            chosen = {"network": network, **changes}
            more = {name: value for name, value in chosen.items() if name not in NOT_SETTINGS}
            return planned_of(access, chosen["network"], chosen["run"], {**(settings or {}), **more})

        configs = expand(name, make, rates=parse_rates(lrs), seeds=parse_seeds(seeds), networks=networks or [])

        def start(owner: str) -> list[Entry]:
            return enqueue_sweep(configs, checkpoints, group=name, by="API", owner=owner)

        rights.start_own(access, checkpoints, start, len(configs))
        return {"group": name, "runs": [config.run for config in configs]}

    def cancel_queued(run: str) -> dict[str, Any]:
        """Take what waits under that run name out of the queue. Returns the queue."""
        act(access, checkpoints, "cancel", run)
        return summary(checkpoints)

    def move_queued(run: str, where: str) -> dict[str, Any]:
        """Move what waits under that run name up, down or first. Returns the queue."""
        act(access, checkpoints, where, run)
        return summary(checkpoints)

    def pause_queue(paused: bool = True) -> dict[str, Any]:
        """Let nothing begin after what trains now, or with paused=False let the queue go on. Returns the queue."""
        pause(checkpoints, paused)
        return summary(checkpoints)

    endpoints: list[tuple[Callable[..., Any], str]] = [
        (queue_training, "start"),
        (queue_sweep, "start"),
        (cancel_queued, "queue"),
        (move_queued, "queue"),
        (pause_queue, "hold"),
    ]
    api(api_errors(queue), api_name="queue")
    for function, right in endpoints:
        api(api_errors(rights.needs(access, right)(function)), api_name=function.__name__)


def planned_of(access: Access, network: Any, run: str, settings: dict[str, Any] | None) -> TrainConfig:
    """The training that a client describes; `LabError` where it does not."""
    given = {"data": "cifar10", **(settings or {})}
    aux_heads = given.pop("aux_heads", False)
    given["data"] = access.check_data(given["data"])
    epochs = given.get("checkpoint_epochs")
    if isinstance(epochs, str):
        given["checkpoint_epochs"] = parse_epochs(epochs)
    try:
        return planned(network, run, bool(aux_heads), **given)
    except TypeError as error:  # a name that is no setting's
        raise LabError(f"settings: {str(error).rpartition(') ')[2] or error}.", "settings") from error


def summary(checkpoints: Path) -> dict[str, Any]:
    """Plain JSON types, without the paths of this machine."""
    found = read_queue(checkpoints).to_dict()
    for row in (found, *found["waiting"]):
        row["problem"] = hide_paths(row["problem"])
    return found
