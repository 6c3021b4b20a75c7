"""Train, Queue: the list of what waits, and what a visitor may do to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from googlenet.errors import LabError, check_choice
from googlenet.language import tr
from googlenet.runs import queue
from googlenet.training.queue.runner import run_next
from googlenet.ui.common.figures import message
from googlenet.ui.common.layout import html, refusal_slot
from googlenet.ui.events import rights
from googlenet.ui.events.access import Access, hide_paths
from googlenet.ui.events.long_work import PRIVATE, refusable
from googlenet.ui.events.refusals import sent

PRESSED = "googlenet.queue(element, (step) => trigger('move', {step}), (step) => trigger('hold', {step}))"


class QueuePanel:
    """Its components: `list` is filled by whoever watches."""

    def __init__(self, checkpoints: Path, access: Access) -> None:
        self.checkpoints, self.access = checkpoints, access
        self.said = refusal_slot()
        self.list = html("", self._whose(), js_on_load=PRESSED)

    def _whose(self) -> str:
        """The class under which the page's style shows the buttons that this visitor may press."""
        if self.access.read_only:
            return "gl-queue-seen"
        if self.access.each_their_own:
            return "gl-queue-own"
        return "gl-queue-shared" if self.access.public else "gl-queue-all"

    def wire(self, watched: list[Any], view: list[Any]) -> None:
        """Its events; a change asks for the news of `watched` into `view`."""
        moved = self.list.move(self._step(), None, self.said, **PRIVATE)
        held = self.list.hold(self._hold(), None, self.said, **PRIVATE)
        for event in (moved, held):
            event.then(None, watched, view, js="googlenet.watchNow")

    def _step(self) -> Any:
        @refusable(1, place=0)
        @rights.needs(self.access, "queue")
        def step(event: gr.EventData) -> Any:
            what, _, known = str(sent(event, "step")).partition(":")
            return message(act(self.access, self.checkpoints, what, known), "done")

        return step

    def _hold(self) -> Any:
        @refusable(1, place=0)
        @rights.needs(self.access, "hold")
        def hold(event: gr.EventData) -> Any:
            step = check_choice(sent(event, "step"), "step", ("pause", "resume"))
            return message(pause(self.checkpoints, step == "pause"), "done")

        return hold


def act(access: Access, checkpoints: Path, what: str, name: str) -> str:
    """Cancel or move the entry of that id or run name for this visitor; what was done, in a sentence.

    Where each has runs of their own, an entry moves among the visitor's own alone.
    """
    found = queue.read_queue(checkpoints)
    entry = queue.find(found, name)
    rights.check_own_entry(access, entry)
    if what == "cancel":
        gone = queue.cancel(checkpoints, entry.id).name
        return hide_paths(tr("{name} is out of the queue.", name=gone))
    among = {other.id for other in found.entries if rights.is_own_entry(access, other)}
    if what not in queue.MOVES:
        moves = ", ".join(queue.MOVES)
        raise LabError(tr("An entry of the queue moves {moves} or is cancelled.", moves=moves), "move")
    queue.move(checkpoints, entry.id, what, among)
    now = queue.read_queue(checkpoints)
    position = now.position(queue.find(now, entry.id))
    return tr("{name} is number {position} in the queue.", name=entry.name, position=position)


def pause(checkpoints: Path, paused: bool) -> str:
    """Hold the queue, or let it go on; what was done, in a sentence."""
    queue.pause(checkpoints, paused)
    if paused:
        return tr("The queue is paused: what trains goes on, and nothing begins after it.")
    run_next(checkpoints)
    return tr("The queue goes on.")
