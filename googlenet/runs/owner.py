"""Whose a run is, where a page tells its visitors apart: a line in the run's directory, which moves along with it."""

from __future__ import annotations

import re
from pathlib import Path

from googlenet.errors import LabError
from googlenet.files import read_bytes, write_atomically
from googlenet.language import tr
from googlenet.runs.run import Run

OWNER = "owner.txt"
_KNOWN = re.compile(r"[0-9a-f]{32}")


def read_owner(directory: Path) -> str:
    """Who started the run in `directory`; empty for nobody's, an earlier version's, or an edited line."""
    text = read_bytes(directory / OWNER, limit=100).decode(errors="replace").strip()
    return text if _KNOWN.fullmatch(text) else ""


def write_owner(run: Run, owner: str) -> None:
    """Say whose `run` is: 32 hexadecimal digits. Raises `LabError` when the disk refuses."""
    try:
        write_atomically(run.path / OWNER, owner + "\n")
    except OSError as error:
        sentence = tr(
            "{run} has started, but not whose it is could be written ({error}).", run=run.name, error=error.strerror
        )
        raise LabError(sentence) from error
