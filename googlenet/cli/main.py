"""The command line: everything the app does, without the app. `python -m googlenet --help`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, NoReturn

from googlenet import __version__
from googlenet.cli import build, classify, estimate, evaluate, explain, queue, runs, train, weights
from googlenet.errors import LabError

BAD_INPUT, FAILED = 2, 1


class _Parser(argparse.ArgumentParser):
    """argparse, with one sentence and exit code 2 for bad input instead of a usage text before it."""

    def error(self, message: str) -> NoReturn:
        raise LabError(f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 2 for bad input, 1 for a training that failed."""
    try:
        options = _parser().parse_args(arguments)
        return options.run_command(options) or 0
    except LabError as error:
        if os.environ.get("RANK", "0") == "0":  # under torchrun, once is enough
            print(f"error: {error}", file=sys.stderr)
        return FAILED if type(error).__name__ == "TrainingFailed" else BAD_INPUT
    except KeyboardInterrupt:
        print("error: Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        sys.stderr.close()
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"error: {place}{error.strerror or error}.", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m googlenet", description="Build, train and use GoogLeNet.")
    parser.add_argument("--version", action="version", version=f"GoogLeNet Lab {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, run: Any, text: str, *other_names: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text, aliases=other_names)
        sub.set_defaults(run_command=run)
        return sub

    for group in (build, train, queue, estimate, runs, evaluate, classify, explain, weights):
        group.add_commands(command)
    return parser
