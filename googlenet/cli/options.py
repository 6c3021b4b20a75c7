"""Options that several commands share, and the progress line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from googlenet.errors import LabError

DEFAULT = "(default: %(default)s)"  # for argparse to fill in
AddCommand = Callable[..., argparse.ArgumentParser]


def data_option(sub: argparse.ArgumentParser) -> None:
    help_text = f"cifar10, shapes, or a folder with train/ and test/ {DEFAULT}"
    sub.add_argument("--data", default="cifar10", help=help_text)


def device_option(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--device", default="auto", help=f"auto, cuda, cuda:1, mps or cpu {DEFAULT}")


def checkpoints_option(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), help=f"where runs are kept {DEFAULT}")


def json_option(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--json", action="store_true", help="print JSON")


def read_text(file: str) -> str:
    """What is in `file`, or on standard input for "-"; `LabError` when it cannot be read or is no text."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LabError(f"{file} is not text: name a JSON file.", "config") from error
    except OSError as error:
        raise LabError(f"{file} cannot be read ({error.strerror}): name a JSON file.", "config") from error


def progress_line() -> Any:
    """A progress line on a terminal, nothing otherwise."""
    if not sys.stderr.isatty():
        return None

    def show(share: float, text: str) -> None:
        print(f"\r\x1b[K{text} ({share:.0%})", end="\n" if share >= 1 else "", file=sys.stderr, flush=True)

    return show
