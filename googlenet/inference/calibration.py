"""Does a network that says 80% hit 80 times in a hundred, and how sure is a counted share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from googlenet.errors import LabError, check_whole
from googlenet.language import tr

COLDEST, HOTTEST = 0.1, 10.0  # temperatures looked through: on few or separable images the best would be 0 or infinite


@dataclass(frozen=True)
class Bin:
    """The images whose highest probability is in (low, high]; the two means are None where there are none."""

    low: float
    high: float
    count: int
    confidence: float | None  # mean of the highest probability
    accuracy: float | None  # share of them that are classified correctly


def reliability(probabilities: Tensor, labels: Tensor, bins: int = 15) -> list[Bin]:
    """The reliability diagram of `probabilities` (n, classes) and `labels` (n,): `bins` of equal width over [0, 1].

    Guo et al., "On Calibration of Modern Neural Networks" (2017), section 2. Raises `LabError` for shapes that do not
    fit each other and for bins outside 1 to 1,000.
    """
    check_whole(bins, "bins", 1, 1000)
    _check(probabilities, labels)
    confidence, guess = probabilities.double().max(1)
    right = (guess == labels).double()
    place = (confidence * bins).ceil().long().clamp(1, bins) - 1
    counts, confidences, rights = (
        torch.zeros(bins, dtype=torch.float64).index_add_(0, place, values).tolist()
        for values in (torch.ones_like(right), confidence, right)
    )
    return [
        Bin(i / bins, (i + 1) / bins, int(n), c / n if n else None, r / n if n else None)
        for i, (n, c, r) in enumerate(zip(counts, confidences, rights, strict=True))
    ]


def expected_calibration_error(probabilities: Tensor, labels: Tensor, bins: int = 15) -> float:
    """Mean distance between confidence and accuracy over the bins, weighted by their images (Guo et al., equation 3).

    In [0, 1]; 0 is perfect. Arguments and errors as for `reliability`.
    """
    return sum(
        b.count * abs(b.confidence - b.accuracy)
        for b in reliability(probabilities, labels, bins)
        if b.confidence is not None and b.accuracy is not None
    ) / len(labels)


def fit_temperature(logits: Tensor, labels: Tensor) -> float | None:
    """The temperature T in (0.1, 10) with the least mean cross entropy of softmax(logits / T), (n, classes) and (n,).

    None when the loss still falls at an end, as for answers that are hardly better than guesses, or all right.
    Guo et al. (2017), section 4.2: one number for all classes, which moves no image from one class to another. Fit it
    on images held out of training. Raises `LabError` for shapes that do not fit and for logits that are not numbers.
    """
    _check(logits, labels)
    z = logits.double()
    truth = z.gather(1, labels[:, None])[:, 0]

    def too_sure(log: float) -> bool:
        expected = ((z * math.exp(log)).softmax(1) * z).sum(1)
        return bool((expected - truth).mean() > 0)

    # The loss is convex in b = 1/T, so its slope in b, mean(E[z] - z_true), crosses zero once: halve the bracket.
    low, high = math.log(1 / HOTTEST), math.log(1 / COLDEST)
    if too_sure(low) or not too_sure(high):
        return None
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if too_sure(middle) else (middle, high)
    return math.exp(-(low + high) / 2)


def wilson_interval(right: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Where the true share of `right` in `n` tries lies, in [0, 1]; `z` = 1.96 is for 95 cases of 100.

    Wilson (1927): unlike share ± z·error it stays inside [0, 1] and has a width at 0 and at 1. Raises `LabError` unless
    0 ≤ right ≤ n and n ≥ 1.
    """
    if n < 1 or not 0 <= right <= n:
        sentence = tr(
            "{right} of {n} is not a valid share: count at least one try, and no more right than tried.",
            right=right,
            n=n,
        )
        raise LabError(sentence)
    share, spread = right / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def difference_interval(
    first: float, first_interval: tuple[float, float], second: float, second_interval: tuple[float, float]
) -> tuple[float, float]:
    """Where `first` − `second`, two shares with their Wilson intervals, truly lies; in [-1, 1].

    Newcombe (1998), method 10, for independent samples: two networks judged on the same images agree on most, so
    it is rather too wide.
    """
    difference = first - second
    return (
        difference - math.hypot(first - first_interval[0], second_interval[1] - second),
        difference + math.hypot(first_interval[1] - first, second - second_interval[0]),
    )


def _check(scores: Tensor, labels: Tensor) -> None:
    if scores.dim() != 2 or labels.shape != scores.shape[:1] or len(labels) == 0:
        sentence = tr(
            "Calibration needs answers (n, classes) and labels (n,) for at least one image, not {one} and {other}.",
            one=tuple(scores.shape),
            other=tuple(labels.shape),
        )
        raise LabError(sentence)
    if not torch.isfinite(scores).all():
        raise LabError(tr("Its answers are not numbers (NaN), since the training diverged: choose an earlier epoch."))
