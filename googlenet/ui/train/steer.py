"""Train, Steer this run: what a person asks of the run on view, and the list of when it took effect."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.language import retell, tr
from googlenet.runs import Run, ask, read_steering, waiting
from googlenet.training import launcher
from googlenet.ui.common.figures import message
from googlenet.ui.common.layout import html, refusal_slot
from googlenet.ui.events import rights
from googlenet.ui.events.access import Access, hide_paths
from googlenet.ui.events.long_work import PRIVATE, refusable

MANY = 6  # entries of the list


class SteerRun:
    """The accordion's components, for the run that `wire` is told of."""

    def __init__(self, checkpoints: Path, access: Access) -> None:
        self.checkpoints, self.access = checkpoints, access

        def number(label: str, info: str, button: str) -> tuple[gr.Number, gr.Button]:
            with gr.Column(min_width=170):
                field = gr.Number(None, label=label, info=info, min_width=120)
                return field, gr.Button(button, size="sm", min_width=90)

        with gr.Accordion(tr("Steer this run"), open=False, elem_id="steer", visible=not access.read_only):
            self.said = refusal_slot()
            with gr.Row(elem_classes="gl-numbers"):
                self.rate, self.set_rate = number(
                    tr("New rate"),
                    tr("learning rate from the next step; a one-cycle schedule falls from it"),
                    tr("Set rate"),
                )
                self.patience, self.set_patience = number(
                    tr("Patience"), tr("epochs without better validation that end it; 0: never"), tr("Stop early")
                )
                self.epochs, self.extend = number(
                    tr("Epochs in all"),
                    tr("the schedule is stretched, as if planned so long from the start"),
                    tr("Extend"),
                )
            self.keep = gr.Button(tr("Keep a checkpoint now"), size="sm")
            words = tr(
                "Each takes effect at the next step, on the record, and a resume replays it. Extend a finished or "
                "stopped run and it goes on training."
            )
            html(f"<p class='gl-note'>{words}</p>")

    def wire(self, shown: gr.Textbox, watched: list[Any], view: list[Any]) -> None:
        """Its events; `shown` is the run on view, and a change asks for the news of `watched` into `view`."""
        for button, kind, field in (
            (self.set_rate, "rate", self.rate),
            (self.set_patience, "patience", self.patience),
            (self.extend, "epochs", self.epochs),
            (self.keep, "keep", None),
        ):
            asked = button.click(self._step(kind), [shown, *([field] if field else [])], self.said, **PRIVATE)
            asked.then(None, watched, view, js="googlenet.watchNow")

    def _step(self, kind: str) -> Callable[..., Any]:
        @refusable(1, place=0)
        @rights.needs(self.access, "steer")
        def step(name: str, value: Any = None) -> Any:
            if not name:
                raise LabError(tr("No run is shown yet: start one, or choose one above."), "run")
            rights.check_own(self.access, self.checkpoints, name)
            if kind == "epochs":
                said = extend(self.checkpoints, name, value)
            else:
                asked = ask(self.checkpoints, name, kind, value)
                said = tr("{run}: asked for {command}.", run=name, command=asked.words)
            return message(said, "done")

        return step


def extend(checkpoints: Path, name: str, epochs: Any) -> str:
    """Give the run that many epochs in all and have it go on; what was done, in a sentence."""
    run = launcher.extend(name, checkpoints, epochs)
    return hide_paths(tr("{run} trains on, to {n:,} epochs in all.", run=run.name, n=int(epochs)))


def steering_rows(run: Run) -> list[tuple[str, str, str]]:
    """What was asked of `run` and when it took effect, the newest first: words, when or why not, and a CSS class."""
    rows = []
    for line in reversed(waiting(run)):
        if line.command:
            rows.append((line.command.words, tr("asked; it takes effect at the next step trained"), "waits"))
    for taken in reversed(read_steering(run)):
        if taken.refused or taken.command is None:
            rows.append((tr("Refused"), retell(taken.refused), "refused"))
        else:
            when = tr("from epoch {epoch:,}, step {step:,} in all", epoch=int(taken.epoch), step=taken.step)
            rows.append((taken.command.words, when, "taken"))
    return rows
