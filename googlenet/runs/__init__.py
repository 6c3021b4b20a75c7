"""What a run is: a directory that its trainer writes and everyone else reads; and which weights there are. No torch."""

from googlenet.runs.alerts import Alert, alerts, alerts_of, room_for
from googlenet.runs.checkpoints import SUFFIX, Checkpoint, find_checkpoint, list_checkpoints
from googlenet.runs.lock import Busy, trainer_lock, while_not_trained
from googlenet.runs.manage import (
    LONGEST_NOTE,
    delete,
    disk_size,
    empty_trash,
    list_deleted,
    prunable,
    prune,
    read_note,
    rename,
    trash_size,
    undelete,
    write_note,
)
from googlenet.runs.metrics import METRICS
from googlenet.runs.overview import Overview, list_overviews
from googlenet.runs.run import Run, active_run, active_runs, list_runs
from googlenet.runs.status import RESUMABLE, Diverged, Status, is_alive, process_born, process_started
from googlenet.runs.steering.taken import ask, can_resume, planned, read_steering, waiting

__all__ = [
    "LONGEST_NOTE",
    "METRICS",
    "RESUMABLE",
    "SUFFIX",
    "Alert",
    "Busy",
    "Checkpoint",
    "Diverged",
    "Overview",
    "Run",
    "Status",
    "active_run",
    "active_runs",
    "alerts",
    "alerts_of",
    "ask",
    "can_resume",
    "delete",
    "disk_size",
    "empty_trash",
    "find_checkpoint",
    "is_alive",
    "list_checkpoints",
    "list_deleted",
    "list_overviews",
    "list_runs",
    "planned",
    "process_born",
    "process_started",
    "prunable",
    "prune",
    "read_note",
    "read_steering",
    "rename",
    "room_for",
    "trainer_lock",
    "trash_size",
    "undelete",
    "waiting",
    "while_not_trained",
    "write_note",
]
