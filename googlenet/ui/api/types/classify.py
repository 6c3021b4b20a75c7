"""What Classify's endpoints return: answers, and what they rest on."""

from __future__ import annotations

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from googlenet.ui.api.types.common import Share, says

Unlike = Annotated[
    bool | None, says("whether the picture looks like no class; null when the weights file has no threshold for that")
]
Map = Annotated[list[list[float]], says("a row of numbers for each row of places")]
ByBranch = Annotated[dict[str, float], says("by branch: 1×1, 3×3, 5×5 and pool")]

Likely = TypedDict("Likely", {"class": str, "probability": Share})


class Novelty(TypedDict):
    """How unlike the training images a picture is."""

    score: Annotated[str, says("how that is measured: features and textures, or energy, say")]
    value: Annotated[float, says("the picture's")]
    threshold: Annotated[float, says("above it a picture looks like no class")]


class Classified(TypedDict):
    """What a picture shows."""

    unlike_training: Unlike
    verdict: Annotated[str, says("the answer in a sentence")]
    top: Annotated[
        list[Likely],
        says("the five likeliest classes, the first first; no more than a comparison when unlike_training is true"),
    ]
    checkpoint: str
    novelty: Annotated[Novelty | None, says("null when the weights file has no threshold for that")]


class PictureRow(TypedDict):
    """The answer to one of many pictures."""

    file: str
    label: Annotated[str | None, says("the class that the picture's folder in a zip is named like")]
    answer: Annotated[str | None, says("the likeliest class; null for a picture that cannot be read")]
    probability: Annotated[float | None, says("from 0 to 1")]
    runner_up: str | None
    runner_up_probability: Annotated[float | None, says("from 0 to 1")]
    unlike_training: Unlike
    novelty: Annotated[float | None, says("how unlike the training images it is")]
    error: Annotated[str | None, says("why it could not be read")]


class ManyClassified(TypedDict):
    """A row for each picture."""

    checkpoint: str
    rows: list[PictureRow]
    accuracy: Annotated[float | None, says("of the labelled pictures, from 0 to 1; null where there are none")]
    remarks: Annotated[list[str], says("sentences about what was left out")]
    complete: Annotated[bool, says("false where two minutes, or the limit of pictures, were not enough")]


class Areas(TypedDict):
    """The mean of each curve: deletion is good when it is below random, insertion when it is above."""

    deletion: float
    insertion: float
    random_deletion: float
    random_insertion: float


class Trust(TypedDict):
    """The class's probability while the picture is taken away, or appears, in the map's order and in random ones."""

    points: Annotated[list[float], says("shares of the picture gone, or there")]
    areas: Areas
    deletion: list[float]
    insertion: list[float]
    random_deletion: list[float]
    random_insertion: list[float]


Explained = TypedDict(
    "Explained",
    {
        "checkpoint": str,
        "class": Annotated[str, says("the class that is explained")],
        "against": Annotated[str | None, says("the class that it is compared with; null for none")],
        "method": Annotated[str, says("occlusion, grad-cam or integrated gradients")],
        "share": Annotated[float, says("the class's probability; with against, its share of the two")],
        "seconds": Annotated[float, says("that the map took")],
        "map": Annotated[list[list[float]], says("a row for each row of the network's pixels; above 0 speaks for it")],
        "trust": Annotated[Trust | None, says("how far the map can be trusted")],
        "png": NotRequired[Annotated[str, says("the map over the picture, as a data: address; only where asked for")]],
    },
)


class Channel(TypedDict):
    """What a channel of the last map adds to the logit."""

    channel: Annotated[int, says("counted from 0")]
    branch: str
    value: float


Ledger = TypedDict(
    "Ledger",
    {
        "class": str,
        "against": str | None,
        "layer": Annotated[str, says("whose map the mean and the linear layer take")],
        "module": str | None,
        "logit": Annotated[float, says("the class's, less that of against: bias and branches add up to it")],
        "bias": float,
        "branches": ByBranch,
        "channels": Annotated[list[Channel], says("the strongest, by size")],
        "other_channels": Annotated[float, says("what all others come to")],
        "places": Map,
        "branch_places": Annotated[dict[str, list[list[float]]], says("by branch: what it adds at each place")],
        "note": Annotated[str, says("what is to be known of these sums, if anything")],
    },
)


class Effect(TypedDict):
    """What the logit becomes without what one branch says of this picture."""

    module: str
    branch: str
    change: Annotated[float, says("of the logit: below 0 where the branch spoke for the class")]
    sees: Annotated[int, says("side of what one place of it sees of the picture, in pixels")]


class Inside(TypedDict):
    """Where a logit comes from."""

    checkpoint: str
    ledger: Ledger
    effects: Annotated[
        list[Effect] | None, says("by module and branch, in order; null without an index of the network")
    ]
    sentence: Annotated[str, says("which branch carried the answer, or why that cannot be said")]
