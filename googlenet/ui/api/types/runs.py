"""What Train's endpoints take and return: runs, and the weights that they kept."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from typing_extensions import TypedDict

from googlenet.ui.api.types.common import Share, says

State = Literal[
    "queued",
    "running",
    "stopping",
    "stopped",
    "interrupted",
    "failed",
    "out_of_memory",
    "finished",
    "diverged",
    "brought",
]
Network = Annotated[
    str | dict[str, Any],
    says(
        "a preset (imagenet, cifar10-truncated, cifar10, cifar10-fine and others), the text of a link from Build, "
        "such as cifar10.two3x3.aux, or a description as Build's JSON has it"
    ),
]
Data = Annotated[str, says("cifar10, shapes (drawn, nothing is downloaded) or a folder with train/ and test/")]
Recipe = Annotated[str, says("default (ten epochs), quick, hour, full, best or note (1,000 epochs, the class note's)")]
Rate = Annotated[float, says("learning rate, above 0")]


class SteeringTaken(TypedDict, total=False):
    """One thing that was asked of a trainer, and when it took it."""

    id: str
    command: Annotated[str, says("epochs, rate, patience or keep; left out where it could not be read")]
    value: Annotated[float | int | None, says("epochs in all, the learning rate or the patience; null for keep")]
    asked: Annotated[float, says("when, in seconds since 1970")]
    step: Annotated[int, says("the step, counted from the run's start, before which it was taken")]
    epoch: Annotated[float, says("epochs done then")]
    refused: Annotated[str, says("why it was not done; empty where it was")]


class RunSummary(TypedDict):
    """Where a training stands."""

    run: Annotated[str, says("its name, for the other endpoints")]
    state: Annotated[State, says("queued, running and stopping: a trainer is at work")]
    message: Annotated[str, says("what the trainer last said")]
    epoch: Annotated[int, says("epochs done")]
    epochs: Annotated[int, says("epochs planned")]
    progress: Annotated[Share, says("share of all steps done, from 0 to 1")]
    images_per_second: float
    seconds_left: Annotated[float | None, says("until the planned end; null when that is not known")]
    metrics: Annotated[
        dict[str, float | None] | None,
        says(
            "the newest epoch's row of metrics.csv, such as Accuracy and Validation accuracy (from 0 to 1); null before"
        ),
    ]
    problem: Annotated[str, says("what of its files cannot be read, in a sentence; empty for a run in order")]
    steering: Annotated[list[SteeringTaken], says("what was asked of its trainer while it worked, in order")]


class Brought(TypedDict):
    """What was kept of what came from elsewhere."""

    sentence: Annotated[str, says("what was done")]


class RunList(TypedDict):
    """The runs of the lab."""

    runs: Annotated[list[RunSummary], says("the newest first, at most `most` of them")]
    total: Annotated[int, says("how many there are")]


class KnownCheckpoint(TypedDict):
    """A trained network that can be asked."""

    checkpoint: Annotated[str, says("its name, for the other endpoints")]
    label: Annotated[str, says("one line for people, with its epoch and accuracy")]
    classes: Annotated[list[str], says("what it can answer")]
    accuracy: Annotated[float | None, says("its most telling accuracy, from 0 to 1; null when none is known")]
    accuracy_on: Annotated[str, says("what that was measured on: test, validation or training images, or quoted")]


class CheckpointList(TypedDict):
    """The trained networks of the lab, the one that others take by default first."""

    checkpoints: list[KnownCheckpoint]
