"""How the lab writes a file that must never be found half-written, and reads one that may be."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_atomically(path: Path, *parts: bytes | memoryview | str, previous: Path | None = None) -> None:
    """Replace `path` by the `parts` in a row, whole or not at all, even when killed or out of space.

    What was at `path` is kept as `previous` where that is given. Raises `OSError` when nothing could be written;
    `path` is then as before.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            for part in parts:
                file.write(part.encode() if isinstance(part, str) else part)
            file.flush()
            os.fsync(file.fileno())
        if previous is not None and path.exists():
            path.replace(previous)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def clear_unfinished(directory: Path) -> None:
    """Remove what a writer that was killed left in `directory`; only for one that nobody else writes."""
    for left in directory.glob(".*.tmp"):
        left.unlink(missing_ok=True)


def read_bytes(path: Path, start: int = 0, limit: int = -1) -> bytes:
    """What is at `path` from byte `start` (below 0: from the end), at most `limit` bytes; nothing when it is missing.

    Nor is anything else than a plain file read: a pipe would be waited for without end.
    """
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            file.seek(start if start >= 0 else max(0, file.seek(0, os.SEEK_END) + start))
            return file.read(limit)
    except OSError:
        return b""


def parse_json(data: bytes) -> Any:
    """What JSON text says, None for anything else: endless brackets and numbers too."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def read_json(path: Path, kind: type) -> Any:
    """What is at `path` when it is a `kind`, else an empty one: a file may be missing, torn, another's or huge."""
    plain = parse_json(read_bytes(path, limit=16_000_000))
    return plain if isinstance(plain, kind) else kind()


FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how what a spreadsheet would run begins


def spreadsheet_text(value: Any) -> Any:
    """`value` for a cell of a CSV file. A name or a note may be a formula: a ' in front makes it text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
