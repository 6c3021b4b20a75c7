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
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from googlenet.runs import RESUMABLE, Run, Status, active_run, list_runs
from googlenet.ui.common.figures import message
from googlenet.ui.common.header import now_html
from googlenet.ui.common.templates import render
from googlenet.ui.events.access import hide_paths
from googlenet.ui.events.gradio_private import may_see
from googlenet.ui.train.feed import Feed, History
from googlenet.ui.train.view import charts_html, files_html, status_html

log = logging.getLogger(__name__)
FRESH_SECONDS = 0.9
MAX_VIEWS = 32  # choices of run and comparison remembered
MAX_COMPARED = 4


class _View:
    """One reading for one choice of runs: its parts, each with the moment since which it has been as it is."""

    def __init__(self, parts: dict[str, Any], drawn: object, before: _View | None) -> None:
        self.at = time.time()
        self.drawn = drawn  # what the charts show
        known = before.parts if before else {}
        self.parts = {
            name: known[name] if name in known and known[name][1] == value else (self.at, value)
            for name, value in parts.items()
        }
        self._ready: dict[float, bytes] = {}

    def is_fresh(self) -> bool:
        """Whether the disk need not be asked again yet."""
        return 0 <= time.time() - self.at < FRESH_SECONDS

    def since(self, seen: float) -> bytes:
        """JSON of what changed after the moment `seen`, and of the moment to ask from next time."""
        if seen not in self._ready:
            if len(self._ready) > MAX_VIEWS:
                self._ready.clear()
            news = {name: value for name, (changed, value) in self.parts.items() if changed > seen}
            self._ready[seen] = json.dumps({"at": self.at, **news}, separators=(",", ":")).encode()
        return self._ready[seen]


class Watcher:
    """Reads the runs under `checkpoints` for every page that watches them."""

    def __init__(self, checkpoints: Path) -> None:
        self.checkpoints = checkpoints
        self._feed = Feed()
        self._views: dict[tuple[str, ...], _View] = {}
        self._lock = threading.Lock()

    def route(self) -> Route:
        """For the app: `watch?run=NAME&compare=NAME&compare=…&seen=MOMENT`, and `&now` for what was just changed."""
        return Route("/watch", self._answer)

    def look(self, run: str, others: Sequence[str] = (), seen: float = 0.0, *, now: bool = False) -> bytes:
        """JSON for a page that shows `run` beside `others` as they were at `seen`; `now` reads the disk anyway."""
        key = (run, *others[:MAX_COMPARED])
        with self._lock:
            view = self._views.get(key)  # somebody else may have read it while we waited
            if view is None or now or not view.is_fresh():
                view = self._read(key, view)
        return view.since(seen)

    async def _answer(self, request: Request) -> Response:
        if not may_see(request):
            return Response(status_code=401)
        asked = request.query_params
        run, others = asked.get("run", ""), asked.getlist("compare")
        try:
            seen = float(asked.get("seen", 0))
        except ValueError:
            return Response(status_code=400)
        view = self._views.get((run, *others[:MAX_COMPARED]))
        if view is not None and view.is_fresh() and "now" not in asked:
            body = view.since(seen)
        else:
            body = await run_in_threadpool(self.look, run, others, seen, now="now" in asked)
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})

    def _read(self, key: tuple[str, ...], before: _View | None) -> _View:
        names = [run.name for run in list_runs(self.checkpoints)]
        busy = active_run(self.checkpoints)
        name = key[0] if key[0] in names else busy[0].name if busy else next(iter(names), "")
        others = [other for other in dict.fromkeys(key[1:]) if other in names and other != name]
        parts: dict[str, Any] = {"now": now_html(busy), "active": busy is not None, "runs": [name, names, others]}
        parts |= {"status": "", "charts": "", "log": "", "files": "", "stop": False, "resume": False}
        drawn = None
        if name:
            try:
                of_run, drawn = self._of_run(name, others, busy, before)
                parts |= of_run
            except Exception as error:  # whatever its files hold, the page goes on with the other runs
                log.error("run %s cannot be shown", name, exc_info=before is None)
                parts["status"] = message(f"The run {name} cannot be shown ({error}).")
        else:
            parts["status"] = render("train/no_run.html")
        if len(self._views) >= MAX_VIEWS and key not in self._views:
            self._views.pop(min(self._views, key=lambda known: self._views[known].at))
        parts = {name: hide_paths(part) if isinstance(part, str) else part for name, part in parts.items()}
        view = self._views[key] = _View(parts, drawn, before)
        return view

    def _of_run(
        self, name: str, others: list[str], busy: tuple[Run, Status] | None, before: _View | None
    ) -> tuple[dict[str, Any], object]:
        """The parts that are about the run `name`, and which state of which runs its charts show."""
        run = Run(self.checkpoints, name)
        status = busy[1] if busy and busy[0].name == name else run.status()
        history = self._feed.read(run)
        compared = {other: read for other in others if (read := self._history_of(other))}
        drawn = [history.version, *((other, theirs.version) for other, theirs in compared.items())]
        charts = before.parts["charts"][1] if before and before.drawn == drawn else charts_html(history, compared)
        return {
            "status": status_html(run, status, history.rows, history.problem),
            "charts": charts,
            "log": run.log_tail(),
            "files": files_html(run),
            "stop": status.active and status.state != "stopping",
            "resume": status.state in RESUMABLE and busy is None,
        }, drawn

    def _history_of(self, name: str) -> History | None:
        """That of a run to compare with; None when it cannot be read."""
        try:
            return self._feed.read(Run(self.checkpoints, name))
        except Exception:
            log.error("run %s cannot be compared with", name)
            return None
