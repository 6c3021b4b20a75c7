"""Is a picture unlike anything the network was trained on? One score of its logits, and a threshold with known errors.

A network of ten classes answers every picture with one of ten. The score says how far the logits are from those of
pictures that are of a class; pictures beyond the threshold get a warning. The threshold is fitted on images that were
held out of training, its errors are measured on others, and all of it travels in the weights file's facts.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from googlenet.errors import LabError, check_choice, check_number, is_number

if TYPE_CHECKING:  # the page reads what a file says before torch is loaded
    from torch import Tensor

FACT = "novelty"  # its key in a weights file's facts
MAX_SETS, MAX_WORDS = 20, 200  # of a stranger's file

# Logits (..., classes) → (...), higher for pictures less like the training images. Temperature plays no part.
SCORES: dict[str, Callable[[Tensor], Tensor]] = {
    "energy": lambda logits: -logits.logsumexp(-1),
    "max logit": lambda logits: -logits.amax(-1),
    "max softmax": lambda logits: 1 - logits.softmax(-1).amax(-1),
    "entropy": lambda logits: -(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1),
}
MEANING = {
    "energy": "energy, −log Σ exp(logit) (Liu et al. 2020)",
    "max logit": "the largest logit, negated (Hendrycks et al. 2022)",
    "max softmax": "1 − the largest probability (Hendrycks and Gimpel 2017)",
    "entropy": "entropy of the probabilities, in nats",
}


@dataclass(frozen=True)
class Novelty:
    """A score of `SCORES` by `name`, and the `threshold` above which it warns.

    `false_alarm` is the share of pictures of a class that it warns of, `misses` the share of each foreign set that it
    does not warn of, both in [0, 1]; `fitted_on` and `measured_on` say with which images.
    """

    name: str
    threshold: float
    false_alarm: float
    misses: dict[str, float] = field(default_factory=dict)
    fitted_on: str = ""
    measured_on: str = ""

    def score(self, logits: Tensor) -> Tensor:
        """Logits (..., classes) → (...), higher for pictures less like the training images."""
        return SCORES[self.name](logits.float())

    def warns(self, logits: Tensor) -> Tensor:
        """Logits (..., classes) → bool (...): whether the picture looks like no class."""
        return self.score(logits) > self.threshold

    def measured(self, familiar: Tensor, foreign: Mapping[str, Tensor], measured_on: str = "") -> Novelty:
        """The same threshold with the errors it makes on logits (N, classes) of `familiar` images and foreign sets."""
        return dataclasses.replace(
            self,
            false_alarm=_share(self.warns(familiar)),
            misses={name: 1 - _share(self.warns(logits)) for name, logits in foreign.items()},
            measured_on=measured_on,
        )

    def to_facts(self) -> dict[str, Any]:
        """Plain JSON types, for a weights file's facts under `FACT`."""
        plain = dataclasses.asdict(self)
        return {"score": plain.pop("name"), **plain}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Novelty | None:
        """What a weights file says, or None when it says nothing that can be used: files come from anywhere."""
        said = facts.get(FACT)
        if not isinstance(said, dict) or said.get("score") not in tuple(SCORES):
            return None
        if not (is_number(said.get("threshold"), -1e9, 1e9) and is_number(said.get("false_alarm"), 0, 1)):
            return None
        misses = said.get("misses")
        named = misses.items() if isinstance(misses, dict) else ()
        shares = [(str(name)[:MAX_WORDS], float(share)) for name, share in named if is_number(share, 0, 1)]
        fitted_on, measured_on = (str(said.get(key, ""))[:MAX_WORDS] for key in ("fitted_on", "measured_on"))
        numbers = float(said["threshold"]), float(said["false_alarm"])
        return cls(said["score"], *numbers, dict(shares[:MAX_SETS]), fitted_on, measured_on)


def fit(logits: Tensor, name: str = "energy", false_alarm: float = 0.05, fitted_on: str = "") -> Novelty:
    """The lowest threshold that warns of no more than the share `false_alarm` of `logits` (N, classes).

    The images should be of the classes, and held out of training. The errors are those on these very images until
    `Novelty.measured` says better.
    """
    check_choice(name, "score", tuple(SCORES))
    check_number(false_alarm, "false_alarm", 0, 0.5)
    if len(logits) == 0:
        raise LabError("A threshold needs images to be fitted on: choose a split that has some.")
    scores = SCORES[name](logits.float()).sort().values
    threshold = scores[max(0, math.ceil(round(len(scores) * (1 - false_alarm), 6)) - 1)].item()
    if not (math.isfinite(threshold) and logits.isfinite().all()):
        raise LabError("Its answers are not numbers (NaN), since the training diverged: choose an earlier epoch.")
    fitted = Novelty(name, threshold, false_alarm, fitted_on=fitted_on)
    return fitted.measured(logits, {}, fitted_on)


@dataclass(frozen=True)
class NoveltyVerdict:
    """What a weights file's `novelty` says of one picture."""

    novelty: Novelty
    score: float
    unlike_training: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"score": self.novelty.name, "value": self.score, "threshold": self.novelty.threshold}


def check_novelty(novelty: Novelty, logits: Tensor) -> NoveltyVerdict:
    """Whether the picture with these logits (classes,) is unlike the training images."""
    return NoveltyVerdict(novelty, novelty.score(logits).item(), bool(novelty.warns(logits)))


def warning(classes: int) -> str:
    """The sentence for a picture that a novelty warns of."""
    return f"This does not look like any of the {classes:,} classes that the network knows."


def _share(chosen: Tensor) -> float:
    return chosen.double().mean().item()
