"""What a run is: a directory that its trainer writes and everyone else reads; and which weights there are. No torch."""

from googlenet.runs.checkpoints import SUFFIX, Checkpoint, find_checkpoint, list_checkpoints
from googlenet.runs.lock import trainer_lock, while_not_trained
from googlenet.runs.metrics import METRICS
from googlenet.runs.run import Run, active_run, list_runs
from googlenet.runs.status import RESUMABLE, Diverged, Status, is_alive, process_started

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
    "process_started",
    "trainer_lock",
    "while_not_trained",
]
