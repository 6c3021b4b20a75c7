"""Two checkpoints side by side: where they differ, and whether that could be chance."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from googlenet.errors import LabError
from googlenet.inference.evaluate import Evaluation
from googlenet.language import tr


@dataclass(frozen=True)
class CheckpointComparison:
    """Two evaluations on the same images; all lists are indices of images.

    `p_value` is McNemar's exact one, two-sided: how often two equally good networks would differ this much or more.
    """

    accuracies: tuple[float, float]
    first_only: list[int]  # the first is right, the second wrong
    second_only: list[int]
    both_wrong: list[int]  # with different answers
    p_value: float
    sentence: str

    @property
    def differ(self) -> list[int]:
        """Images with different answers: first those that only the first classifies correctly, then only the second."""
        return self.first_only + self.second_only + self.both_wrong


def compare(a: Evaluation, b: Evaluation, names: tuple[str, str] | None = None) -> CheckpointComparison:
    """Where `a` and `b` differ; raises `LabError` unless they were judged on the same images.

    The sentence calls them by `names`, else the first and the second.
    """
    if a.labels.shape != b.labels.shape or not bool((a.labels == b.labels).all()):
        raise LabError(tr("The two were judged on different images: judge both on the same ones."))
    first, second = a.logits.argmax(1), b.logits.argmax(1)
    right, also = first == a.labels, second == a.labels

    def where(mask: Tensor) -> list[int]:
        return mask.nonzero().flatten().tolist()

    first_only, second_only = where(right & ~also), where(also & ~right)
    p = mcnemar(len(first_only), len(second_only))
    chance = f"{p:.2g}" if p >= 1e-4 else tr("below 0.0001")
    one, other = names or (tr("the first"), tr("the second"))
    sentence = tr(
        "Only {one} is right on {n:,} images, only {other} on {m:,}: "
        "two equally good networks would differ as much with probability {chance} (McNemar's exact test).",
        one=one,
        other=other,
        n=len(first_only),
        m=len(second_only),
        chance=chance,
    )
    wrong = where(~right & ~also & (first != second))
    return CheckpointComparison((a.accuracy, b.accuracy), first_only, second_only, wrong, p, sentence)


def mcnemar(first_only: int, second_only: int) -> float:
    """Two-sided exact p-value that `first_only` and `second_only` discordant images are one coin's heads and tails."""
    tosses, tail, term = first_only + second_only, 0, 1
    for heads in range(min(first_only, second_only) + 1):
        tail += term
        term = term * (tosses - heads) // (heads + 1)
    return min(1.0, 2 * tail / 2**tosses)
