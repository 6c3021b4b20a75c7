"""Runs beside each other: the settings in which they differ, which differ in the seed alone, and what such seeds reach.

Nothing here needs torch.
"""

from __future__ import annotations

import functools
import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from googlenet.errors import LabError, in_words
from googlenet.language import language, speaking, tr
from googlenet.models.profile import profile_network
from googlenet.runs.overview import file_version
from googlenet.runs.run import Run
from googlenet.runs.steering.taken import STEERING, read_steering

Settings = dict[str, str]  # by what people read beside the field, in English
SEED, NETWORK, STEERED = "seed", "network", "steered"
INSIDE = "network: "  # begins what is a setting of the network's
PARTICULARS = 8  # differences inside networks that are told one by one


@dataclass(frozen=True)
class Group:
    """Runs whose settings are the same but for the seed: their names and seeds, in the order in which they came.

    A run that does not say how it was made is a group by itself.
    """

    runs: tuple[str, ...]
    seeds: tuple[str, ...]

    @property
    def name(self) -> str:
        """The first run, with how many seeds there are: "my-run, 3 seeds"."""
        first, *more = self.runs
        return tr("{run}, {n} seeds", run=first, n=1 + len(more)) if more else first


def settings_of(run: Run, spoken: str = "en") -> Settings:
    """How `run` was made, setting by setting, with what it was steered to; empty where it does not say.

    The names are English, the values in the language `spoken`: a file that is taken out has no reader's.
    Read again only when its files have changed: pages that compare ask once a second.
    """
    return _settings(run.path, spoken, *(file_version(run.path / name) for name in ("config.json", STEERING)))


@functools.lru_cache(maxsize=1024)
def _settings(path: Path, spoken: str, *versions: object) -> Settings:
    with speaking(spoken):
        return _read_settings(path)


def _read_settings(path: Path) -> Settings:
    run = Run(path.parent, path.name)
    try:
        config = run.config()
        params = profile_network(config.network).params
    except LabError:
        return {}
    plain: dict[str, Any] = json.loads(config.to_json())
    network = plain.pop("network")
    found = {in_words(name): _written(value) for name, value in plain.items() if name != "run"}
    found[NETWORK] = tr("{name}, {params:,} parameters", name=network["name"], params=params)
    for part in (*network.pop("layers"), *network.pop("aux")):
        for field, value in part.items():
            if field != "name":
                found[f"{INSIDE}{part['name']} {field}"] = _written(value)
    found |= {INSIDE + in_words(name): _written(value) for name, value in network.items() if name != "name"}
    taken = [one for one in read_steering(run) if one.command and one.command.kind != "keep"]
    found[STEERED] = "; ".join(
        tr("{command} from step {step:,}", command=one.command.words, step=one.step) for one in taken if one.command
    )
    return found


def differences(settings: Mapping[str, Settings]) -> dict[str, dict[str, str]]:
    """Of the `settings` of runs, by name, only those that differ: {setting: {run: value}}, "" where there is none.

    Networks that differ in many places are told apart by name and parameters alone.
    """
    known = [one for one in settings.values() if one]
    names = dict.fromkeys(name for one in known for name in one)
    differ = [name for name in names if len({one.get(name, "") for one in known}) > 1]
    if sum(name.startswith(INSIDE) for name in differ) > PARTICULARS:
        differ = [name for name in differ if not name.startswith(INSIDE)]
    return {name: {run: one.get(name, "") for run, one in settings.items()} for name in differ}


def compare(runs: Sequence[Run]) -> tuple[list[Group], dict[str, dict[str, str]]]:
    """The `runs` in groups of seeds, in the order in which they came; and the `differences` of their settings."""
    settings = {run.name: settings_of(run, language()) for run in runs}
    groups: dict[Any, list[str]] = {}
    for name, one in settings.items():
        alike = tuple(sorted((key, value) for key, value in one.items() if key != SEED))
        groups.setdefault(alike or name, []).append(name)
    found = [Group(tuple(names), tuple(settings[name].get(SEED, "") for name in names)) for names in groups.values()]
    return found, differences(settings)


def other_seeds(run: Run, runs: Iterable[Run]) -> list[str]:
    """The names of those among `runs` whose settings are those of `run` but for the seed."""
    others = [other for other in runs if other.name != run.name]
    group = next(group for group in compare([run, *others])[0] if run.name in group.runs)
    return [name for name in group.runs if name != run.name]


def mean_and_spread(values: Iterable[float]) -> tuple[float, float]:
    """The mean, and the standard deviation of a sample (n−1 in its denominator); 0 of a single value."""
    known = list(values)
    return statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else 0.0


def mean_curve(curves: Sequence[Sequence[tuple[float, float]]]) -> list[tuple[float, float, float, int]]:
    """Of curves with ascending x: x, the mean, the standard deviation, and of how many curves, where two or more go on.

    Between its points a curve is a straight line; beyond them it has no say.
    """
    import numpy

    parts = [numpy.array(curve, dtype=float) for curve in curves if curve]
    if len(parts) < 2:
        return []
    xs = numpy.unique(numpy.concatenate([part[:, 0] for part in parts]))
    ys = numpy.stack([numpy.interp(xs, *part.T, left=numpy.nan, right=numpy.nan) for part in parts])
    counted = (~numpy.isnan(ys)).sum(axis=0)
    xs, ys, counted = xs[counted > 1], ys[:, counted > 1], counted[counted > 1]
    means, spreads = numpy.nanmean(ys, axis=0), numpy.nanstd(ys, axis=0, ddof=1)
    return list(zip(xs.tolist(), means.tolist(), spreads.tolist(), counted.tolist(), strict=True))


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_written, value)) or tr("none")
    return f"{value:g}" if isinstance(value, float) else str(value)
