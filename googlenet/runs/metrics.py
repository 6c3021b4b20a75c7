"""The two histories of a run: metrics.csv, a row an epoch, and steps.jsonl, a row every few steps."""

from __future__ import annotations

import json
from typing import Any

METRICS = (
    "Epoch",
    "Accuracy",
    "Loss",
    "Validation accuracy",
    "Validation loss",
    "Learning rate",
    "Images/s",
    "Seconds",
)


def read_metrics(line: bytes) -> dict[str, float | None] | None:
    """None for the header, and for what is no row."""
    try:
        cells = line.decode().split(",")
        row = {name: float(cell) if cell else None for name, cell in zip(METRICS, cells, strict=True)}
        return row if row["Epoch"] is not None else None
    except ValueError:
        return None


def read_step(line: bytes) -> Any:
    """None where a line is damaged."""
    try:
        return json.loads(line)
    except ValueError:
        return None
