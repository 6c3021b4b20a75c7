"""Train's endpoints of the queue: the same that the page's buttons do, with the same rights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.models.formats.share import fresh_name, parse_network
from googlenet.recipes import TrainConfig, parse_epochs
from googlenet.runs.queue import Entry, read_queue
from googlenet.training.queue.runner import Begun, enqueue_sweep, start_or_queue
from googlenet.training.queue.sweep import expand, parse_rates, parse_seeds
from googlenet.ui.api.endpoint import Endpoints
from googlenet.ui.api.types.common import says
from googlenet.ui.api.types.queue import Move, Queued, QueuedName, QueueState, Settings, Sweep
from googlenet.ui.api.types.runs import Network
from googlenet.ui.events import rights
from googlenet.ui.events.access import Access, hide_paths
from googlenet.ui.train.launch.planned import planned
from googlenet.ui.train.queue.panel import act, pause

NOT_SETTINGS = ("network", "run", "aux_heads")  # arguments of their own


def publish(endpoints: Endpoints, checkpoints: Path) -> None:
    """Register the endpoints for what waits under `checkpoints`."""
    access = endpoints.access

    def queue() -> QueueState:
        """What waits for a device, in order, and whether the queue is paused."""
        return queue_state(checkpoints)

    def queue_training(
        network: Network = "cifar10",
        run: Annotated[str, says("a new run name; made up if left out")] = "",
        settings: Settings = None,
    ) -> Queued:
        """Start a training where its device is free, else put it into the queue, from which it begins by itself."""
        config = planned_of(access, network, run, settings)

        def start(owner: str) -> Begun:
            return start_or_queue(config, checkpoints, by="API", owner=owner)

        begun = rights.start_own(access, checkpoints, start)
        return {"run": config.run, "position": begun.position or None}

    def queue_sweep(
        lrs: Annotated[str, says('highest learning rates, such as "0.1, 0.2"; the settings\' own if left out')] = "",
        seeds: Annotated[str, says('such as "0-4" or "1, 3"; the settings\' own if left out')] = "",
        networks: Annotated[list[str] | None, says("presets' names; `network` if left out")] = None,
        run: Annotated[str, says("the sweep's name, with which each run's begins; made up if left out")] = "",
        network: Network = "cifar10",
        settings: Settings = None,
    ) -> Sweep:
        """Put a training for each combination of rates, seeds and networks into the queue: at most 100."""
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

    def cancel_queued(run: QueuedName) -> QueueState:
        """Take what waits under that run name out of the queue. Returns the queue."""
        act(access, checkpoints, "cancel", run)
        return queue_state(checkpoints)

    def move_queued(run: QueuedName, where: Move) -> QueueState:
        """Move what waits under that run name up, down or to the front. Returns the queue."""
        act(access, checkpoints, where, run)
        return queue_state(checkpoints)

    def pause_queue(
        paused: Annotated[bool, says("true: nothing begins after what trains now; false: the queue goes on")] = True,
    ) -> QueueState:
        """Let nothing begin after what trains now, or let the queue go on. Returns the queue."""
        pause(checkpoints, paused)
        return queue_state(checkpoints)

    endpoints.add(queue)
    endpoints.add(queue_training, right="start")
    endpoints.add(queue_sweep, right="start")
    endpoints.add(cancel_queued, right="queue")
    endpoints.add(move_queued, right="queue")
    endpoints.add(pause_queue, right="hold")


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
        why = str(error).rpartition(") ")[2] or error
        raise LabError(tr("settings: {why}.", why=why), "settings") from error


def queue_state(checkpoints: Path) -> QueueState:
    """Plain JSON types, without the paths of this machine."""
    found = read_queue(checkpoints).to_dict()
    for row in (found, *found["waiting"]):
        row["problem"] = hide_paths(row["problem"])
    return cast(QueueState, found)
