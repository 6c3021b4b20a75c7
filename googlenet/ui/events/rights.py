"""What visitors may do with runs: on any page, on one that is read only, and where each has runs of their own.

A right is checked in the function that needs it, so an event that the page hides is refused as well.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from googlenet.errors import LabError
from googlenet.language import mark, tr, trn
from googlenet.runs import Run, list_runs
from googlenet.runs.owner import read_owner, write_owner
from googlenet.runs.queue import Entry, read_queue
from googlenet.ui.events.access import Access
from googlenet.ui.events.gradio_private import known_cookie, visitor_cookie

# What a page does not do when it is read only, by the right that is missing.
REFUSED = {
    "start": mark("starts no training"),
    "stop": mark("stops no training"),
    "resume": mark("resumes no training"),
    "queue": mark("changes no queue"),
    "hold": mark("holds no queue"),
    "steer": mark("changes no training"),
    "promote": mark("promotes no checkpoint"),
    "report": mark("records no test report"),
    "bring": mark("takes no weights and no metrics"),
    "change": mark("renames, notes, deletes and prunes no run"),
    "trash": mark("erases nothing"),
    "fetch": mark("downloads nothing"),
    "index": mark("computes no index"),
}
FOR_THE_OWNER = ("change", "trash", "hold", "bring")  # on a page for others, unless each has runs of their own
READ_ONLY = mark("This page is for watching, building, evaluating and classifying")
T = TypeVar("T")
_starting = threading.Lock()


def only_watched(refused: str) -> str:
    """The sentence of a page that is read only; `refused` is what "it …", a text that is marked for the catalogue."""
    return tr("{page}: it {refused}.", page=tr(READ_ONLY), refused=tr(refused))


def check(access: Access, right: str) -> None:
    """Raise `LabError` where this page gives nobody, or not this visitor, the `right`."""
    if access.read_only:
        raise LabError(only_watched(REFUSED[right]))
    if access.each_their_own:
        if right == "trash":
            raise LabError(tr("Others have runs here too, so the trash is emptied on the owner's command line only."))
        if right == "hold":
            raise LabError(tr("Others wait here too, so the queue is paused on the owner's command line only."))
        if not visitor():
            raise LabError(
                tr("This page knows its visitors by a cookie, and none has come: open it in a browser with them.")
            )
    elif access.public and right in FOR_THE_OWNER:
        if right == "hold":
            raise LabError(tr("Others can reach this page, so the queue is paused on the owner's command line only."))
        raise LabError(tr("Others can reach this page, so runs are changed on the owner's command line only."))


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
    return _hashed(visitor_cookie())


def visitor_of(cookies: Mapping[str, str]) -> str:
    """The same of a request with these `cookies`, which is not Gradio's."""
    return _hashed(known_cookie(cookies))


def _hashed(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()[:32] if cookie else ""


def is_own(access: Access, directory: Path) -> bool:
    """Whether this visitor may change the run in `directory`: where each has their own, those that they started."""
    return not access.each_their_own or (bool(visitor()) and read_owner(directory) == visitor())


def check_own(access: Access, checkpoints: Path, name: str) -> None:
    """Raise `LabError` where each has runs of their own and the run `name` is another's."""
    run = Run(checkpoints, name)
    if run.exists() and not is_own(access, run.path):
        sentence = tr("{run} is not a run of yours: each visitor stops and changes only their own.", run=run.name)
        raise LabError(sentence, "run")


def is_own_entry(access: Access, entry: Entry) -> bool:
    """Whether this visitor may cancel and move `entry`: where each has runs of their own, what they asked for."""
    return not access.each_their_own or (bool(visitor()) and entry.owner == visitor())


def check_own_entry(access: Access, entry: Entry) -> None:
    """Raise `LabError` where each has runs of their own and another visitor asked for `entry`."""
    if not is_own_entry(access, entry):
        sentence = tr("{run} is not yours: each visitor moves and cancels only what they asked for.", run=entry.name)
        raise LabError(sentence, "run")


def start_own(access: Access, checkpoints: Path, start: Callable[[str], T], count: int = 1) -> T:
    """`start` so many runs, or put them into the queue, for the visitor whom it is told of; "" where all are alike.

    Raises `LabError` where they have as many as each may have; what waits counts too.
    """
    if not access.each_their_own:
        return start("")
    with _starting:  # two starts at once count each other
        own = [run.name for run in list_runs(checkpoints) if is_own(access, run.path)]
        own += [entry.name for entry in read_queue(checkpoints).entries if is_own_entry(access, entry)]
        if len(own) + count > (access.most_runs or 0):
            raise LabError(_too_many(own, access.most_runs or 0, count), "run")
        started = start(visitor())
        if isinstance(run := getattr(started, "run", started), Run):
            write_owner(run, visitor())
        return started


def _too_many(own: list[str], most: int, count: int) -> str:
    have = trn("You have {own} of {n} run", "You have {own} of {n} runs", most, own=len(own))
    have = f"{have} ({', '.join(own[:3])})" if own else have
    if count == 1:
        return tr("{have}: delete or cancel one before you start another.", have=have)
    return tr("{have}: {n} more are too many.", have=have, n=count)
