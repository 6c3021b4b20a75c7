"""Train, All runs: what its table says of each run, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from googlenet import runs
from googlenet.language import mark, tr
from googlenet.runs import list_checkpoints
from googlenet.runs.status import WORDS

LOOKS = {  # of each column: what it holds, and its width in pixels
    mark("Run"): ("str", 190),
    mark("State"): ("str", 100),
    mark("Network"): ("str", 130),
    mark("Recipe"): ("str", 90),
    mark("Best validation, %"): ("number", 180),
    mark("Epochs"): ("number", 80),
    mark("Planned"): ("number", 85),
    mark("Minutes"): ("number", 85),
    mark("MB"): ("number", 80),
    mark("Note"): ("str", 200),
}
COLUMNS = tuple(LOOKS)
CHOICE = COLUMNS[1:]  # a row is known by its run, so that column stays
WEIGHTS = mark("weights")  # the state of a file that belongs to no run


def table_of(checkpoints: Path, wanted: Callable[[runs.Run | None], bool] = lambda _: True) -> Any:
    """The table as a pandas.DataFrame, newest run first, then weights without one; of what is `wanted`."""
    import pandas

    rows: list[tuple[Any, ...]] = [
        (
            row.run,
            WORDS[row.state],
            row.network,
            row.recipe,
            None if row.best is None else round(100 * row.best, 2),
            row.epochs,
            row.planned,
            round(row.seconds / 60, 1),
            round(row.size / 1e6, 1),
            row.note,
        )
        for row in runs.list_overviews(checkpoints)
        if wanted(runs.Run(checkpoints, row.run))
    ]
    for alone in list_checkpoints(checkpoints):
        if "/" not in alone.name and wanted(None):
            held_out = alone.number("validation_accuracy")
            best = None if held_out is None else round(100 * held_out, 2)
            size = round(alone.path.stat().st_size / 1e6, 1)
            recipe = str(alone.info.facts.get("recipe", ""))[:40]
            rows.append((alone.name, WEIGHTS, alone.info.network.name, recipe, best, None, None, None, size, ""))
    return pandas.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def chosen_columns(names: Any) -> list[str]:
    """The run, and those of the other columns that are in `names`, in the table's order."""
    chosen = names if isinstance(names, list | tuple) else CHOICE
    return [COLUMNS[0], *(name for name in CHOICE if name in chosen)]


def translated(table: Any) -> Any:
    """The table as the reader's language has it: the names of its columns, and what state a run is in."""
    if "State" in table:
        table = table.assign(State=[tr(state) for state in table["State"]])
    return table.set_axis([tr(name) for name in table.columns], axis=1)


def looks(columns: Sequence[str]) -> dict[str, Any]:
    """For a gr.Dataframe with these columns."""
    kinds, widths = zip(*(LOOKS[name] for name in columns), strict=True)
    return {"headers": [tr(name) for name in columns], "datatype": list(kinds), "column_widths": list(widths)}
