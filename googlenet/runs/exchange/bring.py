"""One door for what people bring: weights or a table of metrics, told apart by what is in the file."""

from __future__ import annotations

import re
from pathlib import Path

from googlenet.errors import LabError, check_run_name
from googlenet.language import tr, trn
from googlenet.runs.checkpoints import SUFFIX
from googlenet.runs.exchange.metrics import bring_metrics
from googlenet.runs.exchange.weights import MOST_BYTES, bring_weights

TABLES = (".csv", ".tsv", ".txt")


def bring(path: Path, checkpoints: Path | str, name: str = "", *, shown: str = "", most: int = MOST_BYTES) -> str:
    """Keep the weights or metrics in the file at `path` under `name`; what they are called now and where they are.

    `shown` is what people call the file. Raises `LabError` in one sentence; nothing is kept then.
    """
    shown = shown or path.name
    name = check_run_name((name or "").strip() or name_for(shown))
    if Path(shown).suffix.lower() in TABLES:
        run = bring_metrics(path, checkpoints, name, shown=shown)
        return trn(
            "The run {name} holds {n:,} epoch of {file} now.",
            "The run {name} holds {n:,} epochs of {file} now.",
            len(run.metrics()),
            name=run.name,
            file=shown,
        )
    kept = bring_weights(path, checkpoints, name, shown=shown, most=most)
    return tr("The weights {name} are here now: Classify and Evaluate have them in their lists.", name=kept.stem)


def name_for(shown: str) -> str:
    """A run's name from the name of a file."""
    stem = Path(shown).name.removesuffix(SUFFIX).rsplit(".", 1)[0] if "." in shown else shown
    name = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:64].strip("-")
    if not name:
        raise LabError(tr("This file's name has no letter or digit: give the run a name."), "name")
    return name
