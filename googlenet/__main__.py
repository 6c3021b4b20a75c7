"""`python -m googlenet`: the command line, in a process of the lab's own."""

import sys

from googlenet.cli.main import main
from googlenet.models.memory import reuse_memory


def run() -> int:
    """The command that the process was started with; returns its exit code."""
    reuse_memory()
    return main()


if __name__ == "__main__":
    sys.exit(run())
