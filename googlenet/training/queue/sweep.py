"""A sweep: the same training with other learning rates, seeds and networks, each combination a run of its own."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

from googlenet.errors import LabError, check_run_name
from googlenet.language import tr
from googlenet.recipes import TrainConfig

MOST_RUNS = 100
HIGHEST_SEED = 2**31 - 1
_SPAN = re.compile(r"(\d{1,10})(?:\s*[-–]\s*(\d{1,10}))?")


def parse_rates(text: str | None) -> list[float]:
    """Learning rates as people write them: "0.1, 0.2" → [0.1, 0.2], each once; raises `LabError`."""
    rates = []
    for part in _parts(text):
        try:
            rate = float(part)
        except ValueError:
            rate = 0.0
        if not 0 < rate <= 100:
            sentence = tr("Learning rates are numbers above 0 such as 0.1, 0.2, not {part!r}.", part=part[:40])
            raise LabError(sentence, "lr")
        rates.append(rate)
    return list(dict.fromkeys(rates))


def parse_seeds(text: str | None) -> list[int]:
    """Seeds and spans of them: "0-4, 7" → [0, 1, 2, 3, 4, 7], each once; raises `LabError`."""
    spans = []
    for part in _parts(text):
        found = _SPAN.fullmatch(part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if not first <= last <= HIGHEST_SEED:
            sentence = tr("Seeds are whole numbers and spans such as 0-4, 7, not {part!r}.", part=part[:40])
            raise LabError(sentence, "seed")
        spans.append(range(first, last + 1))
    _check_count(sum(map(len, spans)))
    return list(dict.fromkeys(itertools.chain(*spans)))


def expand(
    name: str,
    make: Callable[..., TrainConfig],
    *,
    rates: Sequence[float] = (),
    seeds: Sequence[int] = (),
    networks: Sequence[str] = (),
) -> list[TrainConfig]:
    """A training for each combination; what has no values stays as `make` has it.

    `make` gets what differs (lr, seed, network) and `run`, which is `name` and what differs: base-lr0p1-s0. Raises
    `LabError` for more than `MOST_RUNS`, and for a single one.
    """
    count = max(1, len(rates)) * max(1, len(seeds)) * max(1, len(networks))
    _check_count(count)
    if count < 2:
        raise LabError(tr("A sweep needs two runs or more: give several learning rates, seeds or networks."), "lr")
    check_run_name(name)
    options: list[list[tuple[str, Any]]] = [
        [("network", value) for value in networks] or [("", None)],
        [("lr", value) for value in rates] or [("", None)],
        [("seed", value) for value in seeds] or [("", None)],
    ]
    configs = []
    for choice in itertools.product(*options):
        changes = {field: value for field, value in choice if field}
        several = [
            _word(field, value) for (field, value), values in zip(choice, options, strict=True) if len(values) > 1
        ]
        configs.append(make(run=check_run_name("-".join([name, *several])), **changes))
    return configs


def _word(field: str, value: Any) -> str:
    """What of a run's name tells `value`: lr0p1, s0, cifar10-fine."""
    if field == "seed":
        return f"s{value}"
    if field == "lr":
        return f"lr{value:g}".replace(".", "p").replace("+", "")
    return str(value)


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in re.split(r"[,;\n]|(?<=\d)\s+(?=\d)", text or "") if part.strip()]


def _check_count(count: int) -> None:
    if count > MOST_RUNS:
        sentence = tr(
            "A sweep has {most} runs at most, and this would be {count:,}: leave some out.", most=MOST_RUNS, count=count
        )
        raise LabError(sentence, "seed")
