"""Train, before Start: the schedule, what it costs, the images, the command, and settings as a file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.recipes import TrainConfig
from googlenet.runs import Run, active_run
from googlenet.training.planning.command import command_line
from googlenet.training.planning.costs import costs_of
from googlenet.training.planning.schedule import rate_curve
from googlenet.training.planning.trial import Trial, measure_apart
from googlenet.ui.common.figures import message
from googlenet.ui.common.layout import LIVE, html, refusal_slot
from googlenet.ui.events.access import Access, hide_paths
from googlenet.ui.events.long_work import PRIVATE, Cancellation, refusable
from googlenet.ui.train.form import Form
from googlenet.ui.train.launch.planned import costs_alike, fill, planned, read_settings
from googlenet.ui.train.launch.view import costs_html, line_html, preview_html, schedule_html

PROGRESS = gr.Progress()
# One trial at a time: two would disturb each other.
WORK: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "trial", "show_progress": "full"}
CHANGED = mark("The settings have changed since: show the images again.")
SEEN_BY = ("data", "seed", "validation_fraction", "flip", "crop_padding", "cutout", "normalize")
SEEN_BY += ("trivial_augment", "cutmix")


class LaunchPanel:
    """The accordion between the form and Start. It describes the training that Start would begin."""

    def __init__(self, form: Form, checkpoints: Path, access: Access) -> None:
        self.form, self.checkpoints, self.access = form, checkpoints, access
        self.cancellation = Cancellation()
        with gr.Accordion(tr("Before you start"), open=True, elem_id="before-start"):
            self.schedule = html(_note(tr("Looking …")))
            self.costs = html("")
            self.refused = refusal_slot()
            with gr.Row():
                self.measure = gr.Button(tr("Measure time and memory"), size="sm", min_width=160)
                self.anyway = gr.Button(tr("Measure anyway"), size="sm", min_width=120, visible=False)
                self.cancel = gr.Button(tr("Cancel"), size="sm", min_width=80, visible=False, scale=0)
            with gr.Accordion(tr("Images as the network sees them"), open=False):
                self.images = html(_note(tr("Augmented as the recipe says, new in each epoch.")))
                self.show = gr.Button(tr("Show 16 images"), size="sm")
            with gr.Accordion(tr("Command line and settings file"), open=False):
                self.command = gr.Textbox(
                    "",
                    label=tr("Command"),
                    info=tr("does what Start does, in a terminal in the lab's folder"),
                    interactive=False,
                    lines=3,
                    max_lines=6,
                    buttons=["copy"],
                    elem_classes="gl-command",
                )
                with gr.Row():
                    self.save = gr.Button(tr("Save settings"), size="sm", min_width=120)
                    self.load = gr.UploadButton(
                        tr("Load settings"), file_types=[".json"], type="binary", size="sm", min_width=120
                    )
                self.file = gr.Textbox("", visible="hidden")
        self.trial: gr.State = gr.State(None)  # what was measured, and of which training
        self.drawn: gr.State = gr.State(None)  # which images were shown last, and of which training
        self.answers = [form.filled, *form.fields.values()]

    def lay_out_in_sight(self) -> None:
        """Place beside Start, where it is always seen, the plan in a line and what was filled in."""
        self.line = html("", "gl-plan-line")
        self.said = html("", "gl-slot")

    # --- what it says ---

    def look(self, trial: Any, drawn: Any, filled: dict[str, Any], *answers: Any) -> list[Any]:
        """HTML of schedule, costs and their line, the command, and the images where they are of other settings now."""
        try:
            config = self.config(filled, *answers)
            costs = costs_of(config)
            curve = rate_curve(config, costs.steps_per_epoch)
        except LabError as error:
            return [message(hide_paths(tr("No plan yet: {error}", error=error))), "", "", "", gr.skip(), gr.skip()]
        named = bool((dict(zip(self.form.fields, answers, strict=True))["run"] or "").strip())
        known = self._known(trial, config)
        stale = drawn is not None and drawn[1:] != _seen_by(config)
        return [
            schedule_html(config, curve),
            costs_html(costs, known, stale=trial is not None),
            line_html(costs, known),
            self._command(config, named=named),
            *([_note(tr(CHANGED)), None] if stale else [gr.skip(), gr.skip()]),
        ]

    def _command(self, config: TrainConfig, *, named: bool) -> str:
        """The command line; on a page for others without where this machine keeps what."""
        usual = self.access.confined or self.checkpoints == Path("checkpoints").absolute()
        if self.access.confined and config.data == self.access.data:
            config = dataclasses.replace(config, data=self.access.offered)
        command = command_line(config, None if usual else self.checkpoints, name=None if named else "")
        return hide_paths(command) if self.access.confined else command

    def config(self, filled: dict[str, Any], *answers: Any) -> TrainConfig:
        """The training that Start would begin; raises `LabError`."""
        return planned(**self.form.settings(filled, *answers))

    def _known(self, trial: tuple[TrainConfig, Trial] | None, config: TrainConfig) -> Trial | None:
        """What was measured, for as many epochs as there are now; None where it was of another training."""
        if trial is None or costs_alike(trial[0]) != costs_alike(config):
            return None
        measured, more = trial[1], config.epochs - trial[0].epochs
        return Trial(**{**vars(measured), "seconds": measured.seconds + more * measured.seconds_per_epoch})

    # --- what its buttons do ---

    def measured(self, report: Any, anyway: bool, filled: dict[str, Any], *answers: Any) -> list[Any]:
        """What stands in the way, whether to offer it anyway, the costs, and what was measured."""
        config = self.config(filled, *answers)
        costs, busy = costs_of(config), active_run(self.checkpoints)
        if busy and not anyway:
            sentence = tr(
                "Now {name} is being trained: it would disturb the estimate, and be slowed down by it. Wait until it "
                "has ended, or measure anyway.",
                name=busy[0].name,
            )
            return [message(sentence), gr.update(visible=True), *[gr.skip()] * 3]
        trial = measure_apart(config, report)
        disturbed = ""
        if busy:
            sentence = tr("Disturbed by {name}, which is being trained: too long.", name=busy[0].name)
            disturbed = message(sentence, "done")
        hidden = gr.update(visible=False)
        return [disturbed, hidden, costs_html(costs, trial), line_html(costs, trial), (config, trial)]

    def previewed(self, drawn: Any, filled: dict[str, Any], *answers: Any) -> list[Any]:
        """The next sixteen images, and which they are."""
        from googlenet.training.planning.preview import preview  # imports torch

        config = self.config(filled, *answers)
        draw = drawn[0] + 1 if drawn else 0
        seen = preview(config, draw)
        return [preview_html(seen, config), (draw, *_seen_by(config)), "", gr.update(value=tr("Next draw"))]

    def saved(self, filled: dict[str, Any], *answers: Any) -> list[Any]:
        """A file for the browser to write."""
        config = self.config(filled, *answers)
        if self.access.confined and config.data == self.access.data:
            raise LabError(tr("On a page for others, folders of this machine are not written into a file."), "data")
        return ["", json.dumps({"name": f"{config.run}-settings.json", "text": config.to_json()})]

    def filled(self, config: TrainConfig, what: str) -> list[Any]:
        """Updates for `said` and `form.filling`."""
        said = tr("Filled in from {what}: Start begins a new run with these settings.", what=what)
        return [message(said, "done"), *fill(self.form, config, self.access)]

    def repeated(self, name: str) -> list[Any]:
        """The same from the run `name`."""
        if not name:
            raise LabError(tr("There is no run whose settings could be taken: fill in the form."), "run")
        return self.filled(Run(self.checkpoints, name).config(), name)

    # --- events ---

    def wire(self, tab: gr.Tab, changes: list[Dependency], again: gr.Button, shown: gr.Textbox) -> None:
        """Its events; after `changes` the form is another, `again` takes the settings of the run `shown`."""
        looked = [self.trial, self.drawn, *self.answers]
        outputs = [self.schedule, self.costs, self.line, self.command, self.images, self.drawn]
        for change in changes:
            change.then(self.look, looked, outputs, **LIVE)
        plain = [field for name, field in self.form.fields.items() if name not in ("network", "recipe")]
        tab.select(self.look, looked, outputs, **LIVE)
        texts = [field.change for field in plain if isinstance(field, gr.Textbox)]  # at `input` some are as before
        edited = [*(field.input for field in plain if not isinstance(field, gr.Textbox)), *texts]
        gr.on(edited, self.look, looked, outputs, **LIVE)
        self._wire_trial()

        drawn = refusable(4, place=2)(self.previewed)
        self.show.click(
            drawn,
            [self.drawn, *self.answers],
            [self.images, self.drawn, self.refused, self.show],
            api_visibility="private",
            show_progress="minimal",
        )
        written = self.save.click(refusable(2, place=0)(self.saved), self.answers, [self.refused, self.file], **PRIVATE)
        written.then(None, self.file, None, js="googlenet.saveFile")
        filling = [self.said, *self.form.filling]
        loaded = refusable(len(filling), place=0)(lambda file: self.filled(read_settings(file), tr("the file")))
        repeated = refusable(len(filling), place=0)(self.repeated)
        for event, handler, source in ((self.load.upload, loaded, self.load), (again.click, repeated, shown)):
            done = event(handler, source, filling, **PRIVATE)
            done.then(self.look, looked, outputs, **LIVE).then(None, self.said, None, js="googlenet.showForm")

    def _wire_trial(self) -> None:
        cancellation = self.cancellation
        self.cancel.click(cancellation.cancel, None, None, **PRIVATE)
        outputs = [self.refused, self.anyway, self.costs, self.line, self.trial]

        def work(anyway: bool) -> Any:
            @refusable(len(outputs), place=0, cancelled=mark("Cancelled: nothing was measured."))
            def run(request: gr.Request, progress: gr.Progress = PROGRESS, *answers: Any) -> Any:
                return self.measured(cancellation.listen(request, progress), anyway, *answers)

            return run

        for button, anyway in ((self.measure, False), (self.anyway, True)):
            begin = cancellation.at_start(lambda: [gr.update(visible=True), gr.update(interactive=False)])
            begun = button.click(begin, None, [self.cancel, self.measure], **PRIVATE)
            done = begun.then(work(anyway), self.answers, outputs, show_progress_on=self.costs, **WORK)
            done.then(
                lambda: [gr.update(visible=False), gr.update(interactive=True)],
                None,
                [self.cancel, self.measure],
                **PRIVATE,
            )


def _note(text: str) -> str:
    return f"<p class='gl-note'>{text}</p>"


def _seen_by(config: TrainConfig) -> tuple[Any, ...]:
    """What the images of an epoch depend on."""
    return tuple(getattr(config, name) for name in SEEN_BY)
