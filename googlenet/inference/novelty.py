"""Is a picture unlike anything the network was trained on? One score of its answer, and a threshold with known errors.

A network of ten classes answers every picture with one of ten. The score says how far its features (prototypes.py), or
in files written before there were these, its logits, are from those of pictures that are of a class; pictures beyond
the threshold get a warning. The threshold is fitted on images that were held out of training, its errors are measured
on others, and all of it travels in the weights file's facts.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from googlenet.errors import LabError, check_choice, check_number, is_number
from googlenet.inference.prototypes import Prototypes, fit_prototypes, read_prototypes
from googlenet.language import mark, tr

if TYPE_CHECKING:  # the page reads what a file says before torch is loaded
    from torch import Tensor

    from googlenet.models.weights import WeightsInfo

FEATURES = mark("features")  # the score that needs prototypes,
TEXTURES = mark("features and textures")  # and the one that asks an early module too
BY_FEATURES = FEATURES, TEXTURES
FACT = "novelty"  # its key in a weights file's facts
MAX_SETS, MAX_WORDS = 20, 200  # of a stranger's file

DIVERGED = mark("Its answers are not numbers (NaN), since the training diverged: choose an earlier epoch.")

# Logits (..., classes) → (...), higher for pictures less like the training images. Temperature plays no part.
SCORES: dict[str, Callable[[Tensor], Tensor]] = {
    mark("energy"): lambda logits: -logits.logsumexp(-1),
    mark("max logit"): lambda logits: -logits.amax(-1),
    mark("max softmax"): lambda logits: 1 - logits.softmax(-1).amax(-1),
    mark("entropy"): lambda logits: -(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1),
}
MEANING = {
    FEATURES: mark("distance of its features from those of the nearest class, 1 − cosine × relative length^0.2,"),
    TEXTURES: mark(
        "distance of its features from those of the nearest class, 1 − cosine × relative length^0.2, and of its "
        "textures from the usual ones,"
    ),
    "energy": mark("energy, −log Σ exp(logit) (Liu et al. 2020)"),
    "max logit": mark("the largest logit, negated (Hendrycks et al. 2022)"),
    "max softmax": mark("1 − the largest probability (Hendrycks and Gimpel 2017)"),
    "entropy": mark("entropy of the probabilities, in nats"),
}

# What files say that threshold and errors are of (benchmarks/novelty.py): English there, for `language.retell`.
SAID = (
    mark("{n} validation images of {name}"),
    mark("{n} test images of {name}"),
    mark("drawn shapes"),
    mark("pixel noise"),
    mark("plain colours"),
    mark("colour gradients"),
    mark("lines of text"),
    mark("CIFAR-10 in shuffled patches"),
    mark("handwritten digits"),
    mark("textures"),
    mark("photographs of other things"),
    mark("photographs near a class"),
)


@dataclass(frozen=True)
class Novelty:
    """A score by `name`, of `SCORES` or `BY_FEATURES`, and the `threshold` above which it warns.

    `false_alarm` is the share of pictures of a class that it warns of, `misses` the share of each foreign set that it
    does not warn of, both in [0, 1]; `fitted_on` and `measured_on` say with which images. `known` is what the scores
    by features compare with.
    """

    name: str
    threshold: float
    false_alarm: float
    misses: dict[str, float] = field(default_factory=dict)
    fitted_on: str = ""
    measured_on: str = ""
    known: Prototypes | None = None

    def score(self, logits: Tensor, features: Tensor) -> Tensor:
        """Logits (..., classes) and features (..., F) → (...), higher for pictures less like the training images."""
        return SCORES[self.name](logits.float()) if self.known is None else self.known.score(features)

    def warns(self, logits: Tensor, features: Tensor) -> Tensor:
        """As `score` → bool (...): whether the picture looks like no class."""
        return self.score(logits, features) > self.threshold

    def measured(self, familiar: Tensor, foreign: Mapping[str, Tensor], measured_on: str = "") -> Novelty:
        """The same threshold with the errors it makes on scores (N,) of `familiar` images and of foreign sets."""
        return dataclasses.replace(
            self,
            false_alarm=_share(familiar > self.threshold),
            misses={name: 1 - _share(scores > self.threshold) for name, scores in foreign.items()},
            measured_on=measured_on,
        )

    def to_facts(self) -> dict[str, Any]:
        """Plain JSON types, for a weights file's facts under `FACT`."""
        names = ("threshold", "false_alarm", "misses", "fitted_on", "measured_on")
        plain = {"score": self.name, **{name: getattr(self, name) for name in names}}
        return plain if self.known is None else {**plain, "known": self.known.to_facts()}

    @classmethod
    def of(cls, info: WeightsInfo) -> Novelty | None:
        """What a weights file says, or None when it says nothing that can be used for its network."""
        found = cls.from_facts(info.facts)
        return None if found and found.known and not found.known.belong_to(info.network) else found

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Novelty | None:
        """What a weights file says, or None when it says nothing that can be used: files come from anywhere."""
        said = facts.get(FACT)
        if not isinstance(said, dict) or said.get("score") not in (*SCORES, *BY_FEATURES):
            return None
        if not (is_number(said.get("threshold"), -1e9, 1e9) and is_number(said.get("false_alarm"), 0, 1)):
            return None
        known = read_prototypes(said.get("known")) if said["score"] in BY_FEATURES else None
        if said["score"] in BY_FEATURES and (known is None or _by(known) != said["score"]):
            return None
        misses = said.get("misses")
        named = misses.items() if isinstance(misses, dict) else ()
        shares = [(str(name)[:MAX_WORDS], float(share)) for name, share in named if is_number(share, 0, 1)]
        fitted_on, measured_on = (str(said.get(key, ""))[:MAX_WORDS] for key in ("fitted_on", "measured_on"))
        numbers = float(said["threshold"]), float(said["false_alarm"])
        return cls(said["score"], *numbers, dict(shares[:MAX_SETS]), fitted_on, measured_on, known)


def fit(logits: Tensor, name: str = "energy", false_alarm: float = 0.05, fitted_on: str = "") -> Novelty:
    """The lowest threshold that warns of no more than the share `false_alarm` of `logits` (N, classes).

    The images should be of the classes, and held out of training. The errors are those on these very images until
    `Novelty.measured` says better.
    """
    check_choice(name, "score", tuple(SCORES))
    check_number(false_alarm, "false_alarm", 0, 0.5)
    if len(logits) == 0:
        raise LabError(tr("A threshold needs images to be fitted on: choose a split that has some."))
    if not logits.isfinite().all():
        raise LabError(tr(DIVERGED))
    return _with_threshold(name, SCORES[name](logits.float()), false_alarm, fitted_on)


def fit_features(
    logits: Tensor,
    features: Tensor,
    labels: Tensor,
    false_alarm: float = 0.05,
    fitted_on: str = "",
    *,
    wide: int | None = None,
) -> Novelty:
    """As `fit`, by features (N, F + E) and labels (N,); `wide` is F, None all. Its score is one of `BY_FEATURES`.

    By the energy where that cannot be: too few images of a class, too many classes, or features that are all alike.
    """
    if not logits.isfinite().all():
        raise LabError(tr(DIVERGED))
    try:
        known, scores = fit_prototypes(features, labels, logits.shape[-1], wide)
    except LabError:
        return fit(logits, false_alarm=false_alarm, fitted_on=fitted_on)
    return _with_threshold(_by(known), scores, false_alarm, fitted_on, known)


def _by(known: Prototypes) -> str:
    """The name of the score that is asked of `known`."""
    return FEATURES if known.textures is None else TEXTURES


def _with_threshold(
    name: str, scores: Tensor, false_alarm: float, fitted_on: str, known: Prototypes | None = None
) -> Novelty:
    ordered = scores.sort().values
    threshold = ordered[max(0, math.ceil(round(len(scores) * (1 - false_alarm), 6)) - 1)].item()
    if not math.isfinite(threshold):
        raise LabError(tr(DIVERGED))
    fitted = Novelty(name, threshold, false_alarm, fitted_on=fitted_on, known=known)
    return fitted.measured(scores, {}, fitted_on)


@dataclass(frozen=True)
class NoveltyVerdict:
    """What a weights file's `novelty` says of one picture."""

    novelty: Novelty
    score: float
    unlike_training: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"score": self.novelty.name, "value": self.score, "threshold": self.novelty.threshold}


def check_novelty(novelty: Novelty, score: float) -> NoveltyVerdict:
    """Whether the picture with this score is unlike the training images."""
    return NoveltyVerdict(novelty, score, score > novelty.threshold)


WARNING = mark("This looks like nothing I know.")  # the sentence for a picture that a novelty warns of


def verdict(closest: str, share: float, unlike: bool | None) -> str:
    """The answer in a sentence, for people: what a picture that looks like no class is not, before the class."""
    if unlike:
        return tr("This looks like nothing I know. Of the classes I was taught, {name} comes closest.", name=closest)
    return f"{closest}, {share:.1%}"


def _share(chosen: Tensor) -> float:
    return chosen.double().mean().item()
