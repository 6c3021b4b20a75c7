"""The runs that are compared as a table: what each reached, and the settings in which they differ, only those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from googlenet.language import mark, tr
from googlenet.runs.comparison import INSIDE, SEED, STEERED, Group, mean_and_spread
from googlenet.ui.common.templates import render
from googlenet.ui.train.feed import History

DASH = "–"
COLUMNS = ((mark("Best validation"), "Validation accuracy"), (mark("Best training"), "Accuracy"))


def comparison_html(
    groups: Sequence[Group],
    differ: Mapping[str, Mapping[str, str]],
    histories: Mapping[str, History],
    colours: Mapping[str, str],
) -> str:
    """A row a group; `differ` are the settings that differ among all runs."""
    settings = [name for name in differ if name != SEED or any(len(group.runs) == 1 for group in groups)]
    rows = []
    for group in groups:
        values = [_setting(differ[name], group) for name in settings]
        found = [_reached([histories[run] for run in group.runs], column) for _, column in COLUMNS]
        epochs = sorted({len(histories[run].rows) for run in group.runs})
        least, most = f"{epochs[0]:,}", f"{epochs[-1]:,}"
        done = least if len(epochs) == 1 else tr("{first} to {last}", first=least, last=most)
        rows.append((colours[group.runs[0]], _name(group), values, [*found, done]))
    columns = [*(tr(name) for name, _ in COLUMNS), tr("Epochs done")]
    return render("train/comparison.html", settings=[_heading(name) for name in settings], rows=rows, columns=columns)


def _heading(setting: str) -> str:
    """What people read above the column of a setting; a layer's keep torchvision's words."""
    if setting.startswith(INSIDE):
        return tr("network: {setting}", setting=tr(setting.removeprefix(INSIDE)))
    return tr("steered") if setting == STEERED else tr(setting)


def _name(group: Group) -> str:
    if len(group.runs) == 1:
        return group.runs[0]
    return f"{group.name} ({', '.join(group.seeds)})"


def _setting(values: Mapping[str, str], group: Group) -> str:
    return " / ".join(dict.fromkeys(values[run] or DASH for run in group.runs))


def _reached(histories: Sequence[History], column: str) -> str:
    """The highest value of a run, or their mean and spread."""
    best = [
        max(known) for history in histories if (known := [y for row in history.rows if (y := row[column]) is not None])
    ]
    if not best:
        return DASH
    mean, spread = mean_and_spread(best)
    return f"{mean:.2%}" if len(best) == 1 else f"{mean:.2%} ± {100 * spread:.2f}, n = {len(best)}"
