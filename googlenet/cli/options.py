"""Options that several commands share, and the progress line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

AddCommand = Callable[[str, Any, str], argparse.ArgumentParser]


def data_option(sub: argparse.ArgumentParser, default: str) -> None:
    sub.add_argument("--data", default=default, help="cifar10, shapes, or a folder with train/ and test/")


def checkpoints_option(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), help="where runs are kept")


def json_option(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--json", action="store_true", help="print JSON")


def progress_line() -> Any:
    """A progress line on a terminal, nothing otherwise."""
    if not sys.stderr.isatty():
        return None

    def show(share: float, text: str) -> None:
        print(f"\r\x1b[K{text} ({share:.0%})", end="\n" if share >= 1 else "", file=sys.stderr, flush=True)

    return show
