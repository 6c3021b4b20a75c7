"""What the endpoints of the queue take and return."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from typing_extensions import TypedDict

from googlenet.ui.api.types.common import says

Settings = Annotated[
    dict[str, Any] | None, says('start_training\'s other arguments by name, such as {"epochs": 3, "lr": 0.1}')
]
Move = Annotated[Literal["up", "down", "first"], says("one place up, one place down, or to the front")]
QueuedName = Annotated[str, says("the run name of a training that waits, as queue has it")]


class Waiting(TypedDict):
    """A training that waits for its device."""

    position: Annotated[int, says("from 1, which begins next")]
    run: Annotated[str, says("the name that its run will have; of an entry that cannot be read, its own")]
    network: Annotated[str | None, says("null where the entry cannot be read, as the next fields")]
    recipe: Annotated[str | None, says("the recipe that it starts from")]
    epochs: int | None
    batch_size: Annotated[int | None, says("images a step")]
    lr: Annotated[float | None, says("highest learning rate")]
    seed: int | None
    device: Annotated[str | None, says("that it waits for: auto, cpu, cuda, cuda:0, ... or mps")]
    asked: Annotated[float, says("when, in seconds since 1970")]
    by: Annotated[str, says("page, API or command line")]
    group: Annotated[str, says("the sweep's name, which its runs share; empty without one")]
    seconds: Annotated[float | None, says("that it was measured to take; null where nobody measured")]
    problem: Annotated[str, says("why it cannot begin as it is; empty where it can")]


class QueueState(TypedDict):
    """What waits for a device."""

    paused: Annotated[bool, says("whether nothing begins after what trains now")]
    problem: Annotated[str, says("what of the queue on disk cannot be read, in a sentence; empty for one in order")]
    waiting: Annotated[list[Waiting], says("in the order in which they begin")]


class Queued(TypedDict):
    """What became of a training that was asked for."""

    run: Annotated[str, says("its name")]
    position: Annotated[int | None, says("in the queue, from 1; null for one that has begun")]


class Sweep(TypedDict):
    """Trainings that were put into the queue together."""

    group: Annotated[str, says("the sweep's name, which its runs share")]
    runs: Annotated[list[str], says("the name of each, in order")]
