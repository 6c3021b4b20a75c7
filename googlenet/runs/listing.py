"""The runs under a folder."""

from __future__ import annotations

import os
from pathlib import Path

from googlenet.errors import LabError
from googlenet.runs.run import Run
from googlenet.runs.status import Status


def list_runs(checkpoints: Path) -> list[Run]:
    """The runs under `checkpoints`, newest first. Foreign files and half-deleted directories are passed over."""
    found = []
    try:
        entries = list(os.scandir(checkpoints))
    except OSError:
        return []
    for entry in entries:
        try:
            run = Run(Path(checkpoints), entry.name)
            found.append(((run.path / "config.json").stat().st_mtime, run))
        except (LabError, OSError):
            continue
    return [run for _, run in sorted(found, key=lambda pair: (-pair[0], pair[1].name))]


def active_run(checkpoints: Path) -> tuple[Run, Status] | None:
    """The run that is being trained now, if any."""
    for run in list_runs(checkpoints):
        status = run.status()
        if status.active:
            return run, status
    return None
