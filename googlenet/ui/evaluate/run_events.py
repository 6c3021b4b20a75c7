"""What the Evaluate tab's controls do with a run: each function takes what they hold and returns what is shown then.

They raise `LabError` for what cannot be done; tab.py says it on the page and leaves the rest as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.runs import Run, find_checkpoint, list_checkpoints, list_runs
from googlenet.ui.classify.view import empty
from googlenet.ui.common.figures import message
from googlenet.ui.evaluate import run_view
from googlenet.ui.events.access import hide_paths
from googlenet.ui.events.cores import share_cores

if TYPE_CHECKING:  # they import torch, which the page does not wait for
    from googlenet.data.splits import Progress
    from googlenet.inference.selection import Judged, RunJudgement


def nothing() -> str:
    """HTML for a lab without a run or weights."""
    hint = tr("Train a network in the Train tab, or put a weights file into the checkpoints folder.")
    return empty(tr("Nothing to evaluate yet"), hint)


def not_judged() -> str:
    """HTML for a run that nobody has judged yet."""
    hint = tr("Press Evaluate checkpoints: each is judged on images held out of training, and the best is proposed.")
    return empty(tr("Which checkpoint is the best?"), hint)


def alone() -> str:
    """HTML for weights that no run has made."""
    return empty(
        tr("Weights without a run"),
        tr(
            "These weights belong to no run here, so there is nothing to choose. Press Evaluate checkpoints to judge "
            "them on the test images."
        ),
    )


@dataclass(frozen=True)
class Shown:
    """What the tab shows of a run; `result` is None for a judgement that is not made yet, not needed or impossible."""

    source: str | None
    data: str | None
    result: RunJudgement | None = None
    problem: str = ""  # why nothing can be judged

    def opens(self, name: str | None) -> bool:
        """Whether the checkpoint `name` is one to look into now: of a run that was judged, or weights of no run."""
        return bool(name) and (self.result is not None or name == self.source)

    def row(self, source: str | None, name: str) -> tuple[RunJudgement, Judged]:
        """The judgement and its row of the checkpoint `name`; `LabError` when it has none, or is not of `source`."""
        if self.result is None or self.source != source:
            raise LabError(tr("Evaluate the checkpoints of this run first."), "run")
        for row in self.result.rows:
            if name in row.names:
                return self.result, row
        said = {"run": self.result.run, "name": str(name)[:80]}
        raise LabError(tr("{run} has no checkpoint {name!r}: choose one from the table.", **said), "checkpoint")


NONE = Shown(None, None)


def source_choices(checkpoints: Path, chosen: str | None) -> Any:
    """The dropdown of runs, newest first, then single weights; `chosen` stays chosen while it is there.

    Runs that came as a table of metrics have nothing to judge.
    """
    runs = [run.name for run in list_runs(checkpoints) if not run.was_brought()]
    alone = [checkpoint.name for checkpoint in list_checkpoints(checkpoints) if "/" not in checkpoint.name]
    choices = [(name, name) for name in runs] + [(tr("{name}, weights", name=name), name) for name in alone]
    value = chosen if chosen in runs + alone else next(iter(runs + alone), None)
    if chosen and value != chosen:
        gr.Warning(tr("There is no run {name!r} here: choose one from the list.", name=str(chosen)[:80]))
    return gr.Dropdown(choices, value=value, interactive=bool(choices))


def is_run(checkpoints: Path, source: str | None) -> bool:
    """Whether `source` names a run, and not weights that belong to no run; `LabError` when it names neither."""
    if source in [run.name for run in list_runs(checkpoints)]:
        return True
    if not isinstance(source, str) or not source or "/" in source:
        named = str(source)[:80]
        raise LabError(tr("There is no run or network {name!r}: choose one from the list.", name=named), "run")
    find_checkpoint(checkpoints, source)
    return False


def judge_and_show(checkpoints: Path, source: str | None, data: str | None, progress: Progress | None) -> Shown:
    """Judge every checkpoint of the run `source`; weights that belong to no run have nothing to choose from."""
    if source is None or not is_run(checkpoints, source):
        return Shown(source, data)
    from googlenet.inference.selection import judge_run  # imports torch

    share_cores(checkpoints)
    return Shown(source, data, judge_run(checkpoints, source, data=data, progress=progress))


def stored(checkpoints: Path, source: str | None, data: str | None) -> Shown:
    """What is known of `source` without asking a checkpoint."""
    try:
        if source and is_run(checkpoints, source):
            run = Run(checkpoints, source)
            run.config()
            if (run.path / "validation.json").is_file():
                from googlenet.inference.selection import stored_judgement

                return Shown(source, data, stored_judgement(checkpoints, source, data=data))
            return Shown(source, data, problem=run.problem())
    except LabError as error:
        return Shown(source, data, problem=str(error))
    return Shown(source, data)


def stored_parts(checkpoints: Path, source: str | None, data: str | None, known: Shown | None) -> list[Any] | None:
    """`parts` of what is known of `source`, None when that, or something newer, is on the page already."""
    now = stored(checkpoints, source, data)
    if known and (known.source, known.data) == (now.source, now.data) and now.result in (None, known.result):
        return None
    return parts(checkpoints, now)


def parts(checkpoints: Path, shown: Shown, chosen: str | None = None, done: str = "") -> list[Any]:
    """Shown, what was done, table, whether the steps of a run are there, its checkpoints, and the test reports."""
    source, result = shown.source, shown.result
    if result is None or source is None:
        judgeable = source in [run.name for run in list_runs(checkpoints)]
        state = nothing() if not source else not_judged() if judgeable else alone()
        weights = None if judgeable else source  # what is looked into at once
        single = gr.Dropdown([weights] if weights else [], value=weights)
        return [shown, message(hide_paths(shown.problem)), state, gr.Column(visible=False), single, ""]
    row = next((row for row in result.rows if chosen in row.names), result.best)
    choices = [
        (f"{row.short}, {row.validation_accuracy:.1%}{' ★' * (row is result.best)}", run_view.file_of(row))
        for row in result.rows
    ]
    return [
        shown,
        message(done, "done"),
        table(checkpoints, shown, row),
        gr.Column(visible=True),
        gr.Dropdown(choices, value=run_view.file_of(row)),
        reports_of(checkpoints, result.run),
    ]


def table(checkpoints: Path, shown: Shown, chosen: Judged) -> str:
    """HTML of the judgement with the row `chosen` marked."""
    result = shown.result
    if result is None:
        return not_judged()
    # Its other epochs were judged on the images that it held out.
    run = None if shown.data or result.warning else Run(checkpoints, result.run)
    return run_view.judgement(result, run, chosen)


def reports_of(checkpoints: Path, run: str) -> str:
    """HTML: the test reports of a run."""
    from googlenet.inference.selection import test_reports

    return run_view.reports(test_reports(checkpoints, run))


# --- deciding ---------------------------------------------------------------------------------


def promotion_question(shown: Shown | None, name: str, source: str | None) -> str:
    """What promoting means, in a sentence."""
    result, row = (shown or NONE).row(source, name)
    about = {"name": row.short, "run": result.run, "images": result.judged_on}
    if f"{result.run}/best" in row.names:
        return tr(
            "{name} is the best of {run} already. Give it a temperature and a warning for unfamiliar pictures, fitted "
            "on {images}?",
            **about,
        )
    question = tr(
        "Make {name} the best of {run}, with a temperature and a warning for unfamiliar pictures, fitted on {images}? "
        "The present best is kept as an epoch's file.",
        **about,
    )
    other = "" if row is result.best else tr("The proposal is another: {name}.", name=result.best.short)
    return f"{question} {other}".strip()


def promote_and_show(
    checkpoints: Path, shown: Shown, name: str, source: str | None, progress: Progress | None
) -> list[Any]:
    """Make `name` the run's best; the parts of the run then."""
    from googlenet.inference import selection

    result, row = shown.row(source, name)
    share_cores(checkpoints)
    fitted = selection.promote(checkpoints, result.run, row.name, data=shown.data, progress=progress)
    # From here on nothing can end it: what is shown is what has happened.
    again = stored(checkpoints, source, shown.data)
    done = tr("{name} is the best of {run} now; {fitted}.", name=row.short, run=result.run, fitted=fitted.sentence)
    return parts(checkpoints, again if again.result else shown, row.name, done)


def report_question(checkpoints: Path, shown: Shown | None, name: str, source: str | None) -> str:
    """Why a report is made once, and when it was made already."""
    from googlenet.inference.selection import test_reports

    result, row = (shown or NONE).row(source, name)
    done = test_reports(checkpoints, result.run)
    if not done:
        return tr(
            "Evaluate {name} on {images} now? Do it once, when every choice is made: looking again and again means "
            "choosing by them.",
            name=row.short,
            images=result.reported_on,
        )
    return tr(
        "The test images of {run} were used already, the last time on {when} for {checkpoint}. Use them again, for "
        "{name}? It will be recorded too.",
        run=result.run,
        when=str(done[-1].get("when", "?"))[:40],
        checkpoint=str(done[-1].get("checkpoint", "?"))[:80],
        name=row.short,
    )


def report(checkpoints: Path, shown: Shown, name: str, source: str | None, progress: Progress | None) -> str:
    """Report the checkpoint `name` on test, and record it; HTML of all reports."""
    from googlenet.inference.selection import report_on_test

    result, _ = shown.row(source, name)
    share_cores(checkpoints)
    report_on_test(checkpoints, name, data=shown.data, progress=progress)
    return reports_of(checkpoints, result.run)
