"""What a run is: a directory that its trainer writes and everyone else reads; and which weights there are. No torch."""

from googlenet.runs.checkpoints import SUFFIX, Checkpoint, find_checkpoint, list_checkpoints
from googlenet.runs.run import (
    METRICS,
    RESUMABLE,
    Diverged,
    Run,
    Status,
    active_run,
    is_alive,
    list_runs,
    now,
    process_started,
)

__all__ = [
    "METRICS",
    "RESUMABLE",
    "SUFFIX",
    "Checkpoint",
    "Diverged",
    "Run",
    "Status",
    "active_run",
    "find_checkpoint",
    "is_alive",
    "list_checkpoints",
    "list_runs",
    "now",
    "process_started",
]
