"""How the page writes numbers: with as many decimals as tell something, in sums that add up; and files in commands."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from googlenet.runs import Checkpoint

LEAST, MOST = 3, 9


def decimals(values: Iterable[float]) -> int:
    """How many decimals give the largest of `values` three digits, 3 or more: an untrained network's are tiny."""
    largest = max(map(abs, values), default=0.0)
    if not largest or not math.isfinite(largest):
        return LEAST
    return min(MOST, max(LEAST, 2 - math.floor(math.log10(largest))))


def adding_up(parts: Sequence[float], total: float, digits: int) -> list[float]:
    """`parts`, which are `total` together, rounded so that what is shown adds up to the rounded total.

    What is left over goes, a last digit each, to the parts that rounding has moved most the other way.
    """
    unit = 10.0**-digits
    rounded = [round(part / unit) for part in parts]
    missing = round(total / unit) - sum(rounded)
    step = 1 if missing > 0 else -1
    by_error = sorted(range(len(parts)), key=lambda at: step * (parts[at] / unit - rounded[at]), reverse=True)
    for at in by_error[: abs(missing)]:
        rounded[at] += step
    return [round(number * unit, digits) for number in rounded]


def file_in_command(checkpoint: Checkpoint) -> str:
    """ "checkpoints/my-run/best.safetensors": what a command takes where the lab was started, not where that is."""
    return "/".join(checkpoint.path.parts[-2 - checkpoint.name.count("/") :])
