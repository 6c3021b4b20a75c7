"""Processes without root's powers: in a container of CI everybody is root, whom no permission stops."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path


def powerless(command: Sequence[str]) -> list[str]:
    """`command` as an ordinary user would run it: of root's capabilities none is left, so permissions hold."""
    if os.geteuid() != 0:
        return [*command]
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise RuntimeError("This needs setpriv (util-linux), or not to be run as root.")
    return [setpriv, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", *command]


def lock_down(folder: Path, *, but: Sequence[Path] = ()) -> None:
    """Let nobody write under `folder`, `but` in these folders of it."""
    for path in [*folder.rglob("*"), folder]:
        if not any(path == free or free in path.parents for free in but):
            path.chmod(path.stat().st_mode & ~0o222)


def unlock(folder: Path) -> None:
    """Let the owner write there again."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
