"""What open pages ask once a second, and the one reading of the disk that answers them all.

An event of Gradio's costs some 10 ms of the processor each, which a trainer on the same cores would pay for; so pages
ask a plain address instead (`watch.js`), whose answer is read and drawn once a second, whoever asks, and holds only
what the page does not have yet.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from googlenet.errors import LabError
from googlenet.language import LANGUAGES, language, speaking, tr
from googlenet.models.places import candidates
from googlenet.runs import Run, Status, active_runs, can_resume, list_runs, room_for
from googlenet.runs.comparison import Group, compare
from googlenet.runs.queue import Queue, read_queue
from googlenet.training.queue.forecast import expect, speeds
from googlenet.ui.common.figures import message
from googlenet.ui.common.header import now_html
from googlenet.ui.common.templates import render
from googlenet.ui.events.access import hide_paths
from googlenet.ui.events.gradio_private import may_see
from googlenet.ui.events.rights import visitor_of
from googlenet.ui.train.compare.lines import MOST, Compared, compared_lines, curves_asked
from googlenet.ui.train.compare.view import comparison_html
from googlenet.ui.train.curves import Points, heads_of, lines_of, plan_of
from googlenet.ui.train.feed import Feed, History
from googlenet.ui.train.queue.view import TAG, queue_html
from googlenet.ui.train.view import NOTHING, alerts_part, files_html, samples_part, status_html

log = logging.getLogger(__name__)
FRESH_SECONDS = 0.9
STEP = 0.001  # seconds between two readings, at least
MAX_VIEWS = 32  # choices of run, comparison and language remembered


class Choice(NamedTuple):
    """What a page shows: a run and, with the `curves` of all of them, others; or the mean of `seeds` in their place.

    In the language that is spoken where it is made: pages in another have a reading of their own, while there are any.
    """

    run: str
    others: tuple[str, ...] = ()
    curves: tuple[str, ...] = ()
    seeds: bool = False
    language: str = "en"

    @classmethod
    def of(cls, run: str, others: Sequence[str], curves: Sequence[str], *, seeds: bool) -> Choice:
        """Of what was asked, as much as is looked at."""
        found = tuple(other for other in dict.fromkeys(others) if other != run)[:MOST]
        return cls(run, found, curves_asked(curves) if found else (), seeds and bool(found), language())


class _View:
    """One reading for one choice: its parts, each with the moment since which it has been as it is."""

    def __init__(self, parts: dict[str, Any], drawn: Compared, before: _View | None) -> None:
        self.at = max(time.time(), before.at + STEP if before else 0.0)  # whoever sets the clock back
        self.read = time.monotonic()
        self.drawn = drawn
        self.points = before.points if before else Points()
        self.points.take(drawn.sources, self.at, drawn.only)
        known = before.parts if before else {}
        self.parts = {
            name: known[name] if name in known and known[name][1] == value else (self.at, value)
            for name, value in parts.items()
        }
        self._ready: dict[float, bytes] = {}

    def is_fresh(self) -> bool:
        """Whether the disk need not be asked again yet."""
        return time.monotonic() - self.read < FRESH_SECONDS

    def has_ready(self, seen: float) -> bool:
        """Whether `since` has nothing to compute."""
        return seen in self._ready

    def since(self, seen: float) -> bytes:
        """JSON of what changed after the moment `seen`, and of the moment to ask from next time.

        For one thread at a time, where it is not ready. A page that knows a later moment than this one had its answer
        before the clock was set back, so it is told everything.
        """
        if seen not in self._ready:
            if len(self._ready) > MAX_VIEWS:
                self._ready.clear()
            known = seen if seen <= self.at else 0.0
            news = {name: value for name, (changed, value) in self.parts.items() if changed > known}
            if points := self.points.since(known):
                news["points"] = points
            self._ready[seen] = json.dumps({"at": self.at, **news}, separators=(",", ":")).encode()
        return self._ready[seen]


class Watcher:
    """Reads the runs under `checkpoints` for every page that watches them; `read_only` pages start none."""

    def __init__(self, checkpoints: Path, *, read_only: bool = False) -> None:
        self.checkpoints, self.read_only = checkpoints, read_only
        self._feed = Feed()
        self._views: dict[Choice, _View] = {}
        self._lock = threading.Lock()

    def route(self) -> Route:
        """For the app: `watch?run=NAME&seen=MOMENT`, `&now` for what was just changed.

        Beside others with `&compare=NAME&compare=…`, `&curves=NAME&curves=…` and `&seeds=1`. `&language=ko` for a page
        that was built in that language: what it has seen is in it, whatever the visitor has switched to elsewhere.
        """
        return Route("/watch", self._answer)

    def look(
        self,
        run: str,
        others: Sequence[str] = (),
        seen: float = 0.0,
        *,
        curves: Sequence[str] = (),
        seeds: bool = False,
        now: bool = False,
    ) -> bytes:
        """JSON for a page that shows `run` beside `others` as they were at `seen`; `now` reads the disk anyway."""
        key = Choice.of(run, others, curves, seeds=seeds)
        with self._lock:
            view = self._views.get(key)  # somebody else may have read it while we waited
            if view is None or now or not view.is_fresh():
                view = self._read(key, view)
            return view.since(seen)

    async def _answer(self, request: Request) -> Response:
        if not may_see(request):
            return Response(status_code=401)
        asked = request.query_params
        built = asked.get("language", "")
        with speaking(built if built in LANGUAGES else language()):
            return await self._news(request)

    async def _news(self, request: Request) -> Response:
        asked = request.query_params
        chosen = asked.get("run", ""), asked.getlist("compare")
        beside: dict[str, Any] = {"curves": asked.getlist("curves"), "seeds": asked.get("seeds") == "1"}
        try:
            seen = float(asked.get("seen", 0))
        except ValueError:
            return Response(status_code=400)
        view = self._views.get(Choice.of(*chosen, **beside))
        if view is not None and view.is_fresh() and view.has_ready(seen) and "now" not in asked:
            body = view.since(seen)
        else:
            body = await run_in_threadpool(self.look, *chosen, seen, **beside, now="now" in asked)
        # By which a page knows its own entries of the queue.
        headers = {"Cache-Control": "no-store", "X-Visitor": visitor_of(request.cookies)[:TAG]}
        return Response(body, media_type="application/json", headers=headers)

    def _read(self, key: Choice, before: _View | None) -> _View:
        names = [run.name for run in list_runs(self.checkpoints)]
        active, queue = active_runs(self.checkpoints), read_queue(self.checkpoints)
        busy = next(iter(active), None)
        name = key.run if key.run in names else busy[0].name if busy else next(iter(names), "")
        others = [other for other in key.others if other in names and other != name]
        parts: dict[str, Any] = {
            "now": now_html(active, len(queue.entries)),
            "active": busy is not None,
            "runs": [name, names, others],
        }
        parts |= {"queue": self._of_queue(queue, active), "start": start_words(queue, active)}
        parts |= {"status": "", "log": "", "files": "", "stop": False, "resume": False}
        parts |= {"lines": [], "plan": {}, "alerts": NOTHING, "samples": None, "answers": []}
        parts |= {"comparison": ""}
        drawn = Compared(())
        if name:
            try:
                of_run, drawn = self._of_run(key, name, others, active, before.drawn if before else None)
                parts |= of_run
            except Exception as error:  # whatever its files hold, the page goes on with the other runs
                log.error("run %s cannot be shown", name, exc_info=before is None)
                parts["status"] = message(tr("The run {run} cannot be shown ({error}).", run=name, error=error))
        else:
            parts["status"] = render("train/no_run.html", read_only=self.read_only)
        if len(self._views) >= MAX_VIEWS and key not in self._views:
            self._views.pop(min(self._views, key=lambda known: self._views[known].read))
        parts = {name: hide_paths(part) if isinstance(part, str) else part for name, part in parts.items()}
        parts["alerts"] = {name: hide_paths(part) for name, part in parts["alerts"].items()}
        view = self._views[key] = _View(parts, drawn, before)
        return view

    def _of_run(
        self, key: Choice, name: str, others: list[str], active: list[tuple[Run, Status]], before: Compared | None
    ) -> tuple[dict[str, Any], Compared]:
        """The parts that are about the run `name`, and what is drawn: its history, or those of the `others` too."""
        run = Run(self.checkpoints, name)
        status = next((status for busy, status in active if busy.name == name), None) or run.status()
        history = self._feed.read(run)
        histories = {name: history} | {other: read for other in others if (read := self._history_of(other))}
        drawn, comparison = Compared(()), ""
        if len(histories) > 1:
            runs = [Run(self.checkpoints, one) for one in histories]
            groups, differ = compare(runs)
            if not key.seeds:
                groups = [Group((one,), ()) for one in histories]
            drawn = compared_lines(histories, groups, key.curves, before.sources if before else {})
            comparison = comparison_html(groups, differ, histories, drawn.colours)
        else:
            drawn.sources, drawn.lines = {name: history}, lines_of(name, history, heads_of(run))
        return {
            "status": status_html(run, status, history.rows, history.problem),
            "alerts": alerts_part(status, history.rows, room_for(run) if status.active else None),
            "plan": plan_of(run, status, (Run(self.checkpoints, other) for other in others if other in histories)),
            "lines": drawn.lines,
            "comparison": comparison,
            "samples": samples_part(run),
            "answers": history.answers(),
            "log": run.log_tail(),
            "files": files_html(run),
            "stop": status.active and status.state != "stopping",
            "resume": can_resume(run, status) and not _takes_all(active, run),
        }, drawn

    def _of_queue(self, queue: Queue, active: list[tuple[Run, Status]]) -> str:
        """HTML of the queue; whatever is wrong with it, the runs are shown."""
        try:
            expected = expect(queue, active, speeds(self.checkpoints) if queue.entries else [])
            return queue_html(queue, active, expected)
        except Exception as error:
            log.exception("the queue cannot be shown")
            return message(tr("The queue cannot be shown ({error}).", error=error))

    def _history_of(self, name: str) -> History | None:
        """That of a run to compare with; None when it cannot be read."""
        try:
            return self._feed.read(Run(self.checkpoints, name))
        except Exception:
            log.error("run %s cannot be compared with", name)
            return None


def start_words(queue: Queue, active: list[tuple[Run, Status]]) -> str:
    """What the button says that starts a training: it waits where a device is taken."""
    waits = bool(queue.entries) and not queue.paused
    waits = waits or all(place in _taken(active) for place in candidates("auto"))
    return tr("Add to queue") if waits else tr("Start")


def _takes_all(active: list[tuple[Run, Status]], run: Run) -> bool:
    """Whether trainings are under way on every device that `run` could take."""
    if not active:
        return False
    try:
        return all(place in _taken(active) for place in candidates(run.config().device))
    except LabError:
        return True


def _taken(active: list[tuple[Run, Status]]) -> set[str]:
    return {status.place or "cpu" for _, status in active}
