"""What visitors may do with runs: on any page, on one that is read only, and where each has runs of their own.

A right is checked in the function that needs it, so an event that the page hides is refused as well.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from googlenet.errors import LabError
from googlenet.runs import Run, list_runs
from googlenet.runs.owner import read_owner, write_owner
from googlenet.ui.events.access import Access
from googlenet.ui.events.gradio_private import visitor_cookie

# What a page does not do when it is read only, by the right that is missing.
REFUSED = {
    "start": "starts no training",
    "stop": "stops no training",
    "resume": "resumes no training",
    "steer": "changes no training",
    "promote": "promotes no checkpoint",
    "report": "records no test report",
    "bring": "takes no weights and no metrics",
    "change": "renames, notes, deletes and prunes no run",
    "trash": "erases nothing",
    "fetch": "downloads nothing",
    "index": "computes no index",
}
FOR_THE_OWNER = ("change", "trash", "bring")  # on a page for others, unless each has runs of their own
READ_ONLY = "This page is for watching, building, evaluating and classifying"
_starting = threading.Lock()


def check(access: Access, right: str) -> None:
    """Raise `LabError` where this page gives nobody, or not this visitor, the `right`."""
    if access.read_only:
        raise LabError(f"{READ_ONLY}: it {REFUSED[right]}.")
    if access.each_their_own:
        if right == "trash":
            raise LabError("Others have runs here too, so the trash is emptied on the owner's command line only.")
        if not visitor():
            raise LabError(
                "This page knows its visitors by a cookie, and none has come: open it in a browser with them."
            )
    elif access.public and right in FOR_THE_OWNER:
        raise LabError("Others can reach this page, so runs are changed on the owner's command line only.")


def needs(access: Access, right: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For a handler that needs `right`: it raises the refusal before anything else. `.right` says which it was."""

    def decorate(handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def run(*arguments: Any, **options: Any) -> Any:
            check(access, right)
            return handler(*arguments, **options)

        vars(run)["right"] = right
        return run

    return decorate


def visitor() -> str:
    """Who sent the request that is being answered, as 32 hexadecimal digits; empty without a cookie.

    Of the cookie only a hash is ever written: a run's directory is no key to its owner's runs.
    """
    cookie = visitor_cookie()
    return hashlib.sha256(cookie.encode()).hexdigest()[:32] if cookie else ""


def is_own(access: Access, directory: Path) -> bool:
    """Whether this visitor may change the run in `directory`: where each has their own, those that they started."""
    return not access.each_their_own or (bool(visitor()) and read_owner(directory) == visitor())


def check_own(access: Access, checkpoints: Path, name: str) -> None:
    """Raise `LabError` where each has runs of their own and the run `name` is another's."""
    run = Run(checkpoints, name)
    if run.exists() and not is_own(access, run.path):
        raise LabError(f"{run.name} is not a run of yours: each visitor stops and changes only their own.", "run")


def start_own(access: Access, checkpoints: Path, start: Callable[[], Run]) -> Run:
    """`start` a run, which is this visitor's then; `LabError` where they have as many as each may have."""
    if not access.each_their_own:
        return start()
    with _starting:  # two starts at once count each other
        own = [run.name for run in list_runs(checkpoints) if is_own(access, run.path)]
        if len(own) >= (access.most_runs or 0):
            raise LabError(
                f"You have {len(own)} of {access.most_runs} {'run' if access.most_runs == 1 else 'runs'} "
                f"({', '.join(own[:3])}): delete one before you start another.",
                "run",
            )
        run = start()
        write_owner(run, visitor())
        return run
