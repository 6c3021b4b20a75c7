"""What the Evaluate tab's controls do: each function takes what they hold and returns what the page shows then.

They raise `LabError` for what cannot be done; evaluate.py turns that into a toast and leaves the page as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.runs import Run, find_checkpoint, list_checkpoints, list_runs
from googlenet.ui.classify.view import empty
from googlenet.ui.common.cores import share_cores
from googlenet.ui.common.figures import message
from googlenet.ui.evaluate import checkpoint_view
from googlenet.ui.evaluate import view as evaluate_view
from googlenet.ui.evaluate.answers import AnswerBook, Answers
from googlenet.ui.evaluate.checkpoint_view import Thumbnail

if TYPE_CHECKING:  # they import torch, which the page does not wait for
    from googlenet.data.splits import Progress
    from googlenet.inference.selection import Judged, RunJudgement

OWN = "the run's own"  # the data that a run learned from
GROUP_THUMBNAILS = 12  # of each way to differ
NOTHING = empty(
    "Nothing to evaluate yet", "Train a network in the Train tab, or put a weights file into the checkpoints folder."
)
NOT_JUDGED = empty(
    "Which checkpoint is the best?",
    "Press Evaluate checkpoints: each is asked about images that trained nothing, and the best is proposed.",
)
ALONE = empty(
    "A network on its own",
    "These weights belong to no run here, so there is nothing to choose. Press Evaluate checkpoints to see what they "
    "answer on the test images.",
)
CHOOSE = "<p class='gl-note'>Choose a row of the table to look into that checkpoint.</p>"


def own(data: str | None) -> str | None:
    """The data that was asked for, None for the run's own."""
    return None if not data or data == OWN else str(data)


def source_choices(checkpoints: Path, chosen: str | None) -> Any:
    """The dropdown of runs, newest first, then single weights; `chosen` stays chosen while it is there."""
    runs = [run.name for run in list_runs(checkpoints)]
    alone = [checkpoint.name for checkpoint in list_checkpoints(checkpoints) if "/" not in checkpoint.name]
    names = runs + alone
    choices = [(name, name) for name in runs] + [(f"{name}, shipped weights", name) for name in alone]
    value = chosen if chosen in names else next(iter(names), None)
    return gr.Dropdown(choices, value=value, interactive=bool(names))


def is_run(checkpoints: Path, source: str | None) -> bool:
    """Whether `source` names a run, and not weights of their own; `LabError` when it names neither."""
    if source in [run.name for run in list_runs(checkpoints)]:
        return True
    if not isinstance(source, str) or not source or "/" in source:
        raise LabError(f"There is no run or network {str(source)[:80]!r}: choose one from the list.", "run")
    find_checkpoint(checkpoints, source)
    return False


@dataclass(frozen=True)
class Shown:
    """What the tab shows of a run: None for a judgement that is not made yet, or not needed."""

    source: str | None
    data: str | None
    result: RunJudgement | None = None

    @property
    def judged(self) -> RunJudgement:
        """The judgement; `LabError` when there is none."""
        if self.result is None:
            raise LabError("Evaluate the checkpoints of a run first.", "run")
        return self.result


def judge(checkpoints: Path, source: str | None, data: str | None, progress: Progress | None) -> Shown:
    """Judge every checkpoint of the run `source`; weights of their own have nothing to choose from."""
    if not is_run(checkpoints, source):
        return Shown(source, own(data))
    from googlenet.inference.selection import judge_run  # imports torch

    share_cores(checkpoints)
    return Shown(source, own(data), judge_run(checkpoints, source, data=own(data), progress=progress))


def stored(checkpoints: Path, source: str | None, data: str | None) -> Shown:
    """What is known of `source` without asking a checkpoint."""
    try:
        if source and is_run(checkpoints, source) and (Path(checkpoints) / source / "validation.json").is_file():
            from googlenet.inference.selection import stored_judgement

            return Shown(source, own(data), stored_judgement(checkpoints, source, data=own(data)))
    except LabError:
        pass  # it is said when somebody presses the button
    return Shown(source, own(data))


def stored_view(checkpoints: Path, source: str | None, data: str | None, known: Shown | None) -> list[Any] | None:
    """`run_view` of what is known of `source`, None when that, or something newer, is on the page already."""
    now = stored(checkpoints, source, data)
    if known and (known.source, known.data) == (now.source, now.data) and now.result in (None, known.result):
        return None
    return run_view(checkpoints, now)


def run_view(checkpoints: Path, shown: Shown, chosen: str | None = None, done: str = "") -> list[Any]:
    """Shown, table, whether the steps of a run are there, its checkpoints, what was done, and the test reports."""
    source, result = shown.source, shown.result
    runs = {run.name: run for run in list_runs(checkpoints)}
    problem = message(runs[source].problem()) if source in runs else ""
    if result is None:
        table = NOTHING if not source else NOT_JUDGED if source in runs else ALONE
        return [shown, f"{problem}{table}", gr.Column(visible=False), gr.Dropdown([source], value=source), "", ""]
    row = next((row for row in result.rows if chosen in row.names), result.best)
    choices = [
        (
            f"{evaluate_view.short(row)}, {row.validation_accuracy:.1%}{' ★' * (row is result.best)}",
            evaluate_view.file_of(row),
        )
        for row in result.rows
    ]
    # Its other epochs were judged on the images that it held out.
    run = None if shown.data or result.warning else Run(checkpoints, source)
    return [
        shown,
        f"{problem}{evaluate_view.judgement(result, run, row)}",
        gr.Column(visible=True),
        gr.Dropdown(choices, value=evaluate_view.file_of(row)),
        message(done, "done"),
        reports_of(checkpoints, source),
    ]


def mark(checkpoints: Path, shown: Shown, chosen: str) -> str:
    """HTML of the table with the row of `chosen` marked."""
    return run_view(checkpoints, shown, chosen)[1]


def reports_of(checkpoints: Path, run: str) -> str:
    """HTML: the test reports of a run."""
    from googlenet.inference.selection import test_reports

    return evaluate_view.reports(test_reports(checkpoints, run))


# --- one checkpoint ---------------------------------------------------------------------------


def look(book: AnswerBook, name: str, data: str | None, progress: Progress | None) -> list[str]:
    """HTML of headline, confusion matrix, its first images, accuracy by class and reliability."""
    answers = book.ask(name, own(data), progress)
    result = answers.result
    cell = checkpoint_view.first_cell(result)
    return [
        checkpoint_view.headline(answers.name, result, answers.on),
        checkpoint_view.confusion_matrix(result),
        cell_images(answers, *cell),
        checkpoint_view.class_bars(result),
        _reliability(answers),
    ]


def cell_images(answers: Answers, true: int, predicted: int) -> str:
    """HTML of the images in one cell of the confusion matrix."""
    found = answers.result.cell(true, predicted)
    images = [answers.thumbnail(index) for index in found[: checkpoint_view.MAX_THUMBNAILS]]
    return checkpoint_view.cell_images(answers.classes[true], answers.classes[predicted], images, len(found))


def _reliability(answers: Answers) -> str:
    """With the stored temperature, else with one fitted on these images: but never one fitted on test images."""
    from googlenet.inference.calibration import expected_calibration_error, fit_temperature, reliability

    result, labels = answers.result, answers.result.labels
    before = reliability(result.logits.softmax(1), labels)
    words = f"Calibration error: {result.calibration_error:.2%} as trained"
    stored = result.temperature != 1
    if not stored and "/" not in answers.name:
        return checkpoint_view.reliability_diagram(before, None, 1, f"{words}; it has no temperature.")
    temperature = result.temperature if stored else fit_temperature(result.logits, labels)
    scaled = (result.logits / temperature).softmax(1)
    origin = "which is stored in the file" if stored else "fitted on these images; Promote to best stores it"
    words += f", {expected_calibration_error(scaled, labels):.2%} at temperature {temperature:.2f}, {origin}."
    return checkpoint_view.reliability_diagram(before, reliability(scaled, labels), temperature, words)


# --- deciding ---------------------------------------------------------------------------------


def promotion_question(shown: Shown | None, name: str) -> str:
    """What promoting means, in a sentence."""
    result, row = _row_of(shown, name)
    if f"{result.run}/best" in row.names:
        return (
            f"{evaluate_view.short(row)} is the best of {result.run} already. Fit its temperature and its warning of "
            "strange pictures on the images that judged it, and store them?"
        )
    other = "" if row is result.best else f" The proposal is another: {evaluate_view.short(result.best)}."
    return (
        f"Make {evaluate_view.short(row)} the best of {result.run}, with a temperature and a warning of strange "
        f"pictures fitted on the images that judged it? The best until now is kept as an epoch's file.{other}"
    )


def _row_of(shown: Shown | None, name: str) -> tuple[RunJudgement, Judged]:
    result = (shown or Shown(None, None)).judged
    for row in result.rows:
        if name in row.names:
            return result, row
    raise LabError(f"{result.run} has no checkpoint {str(name)[:80]!r}: choose one from the table.", "checkpoint")


def promote(checkpoints: Path, shown: Shown | None, name: str, progress: Progress | None) -> list[Any]:
    """Make `name` the run's best; the view of the run then."""
    from googlenet.inference import selection

    result, row = _row_of(shown, name)
    share_cores(checkpoints)
    fitted = selection.promote(checkpoints, result.run, row.name, data=shown.data, progress=progress)
    # From here on nothing can end it: what is shown is what has happened.
    again = stored(checkpoints, shown.source, shown.data)
    done = f"{evaluate_view.short(row)} is the best of {result.run} now; {fitted.sentence}."
    return run_view(checkpoints, again if again.result else shown, row.name, done)


def report_question(checkpoints: Path, shown: Shown | None, name: str) -> str:
    """Why a report is made once, and when it was made already."""
    from googlenet.inference.selection import test_reports

    result, row = _row_of(shown, name)
    done = test_reports(checkpoints, result.run)
    if not done:
        return (
            f"Evaluate {evaluate_view.short(row)} on {result.reported_on} now? Do it once, when every choice is made: "
            "who looks again and again ends up choosing by them."
        )
    return (
        f"The test images of {result.run} were used already, the last time on {done[-1].get('when', '?')} for "
        f"{done[-1].get('checkpoint', '?')}. Use them again, for {evaluate_view.short(row)}? It will be recorded too."
    )


def report(checkpoints: Path, shown: Shown | None, name: str, progress: Progress | None) -> str:
    """Report the checkpoint `name` on test, and record it; HTML of all reports."""
    from googlenet.inference.selection import report_on_test

    result, _ = _row_of(shown, name)
    share_cores(checkpoints)
    report_on_test(checkpoints, name, data=shown.data, progress=progress)
    return reports_of(checkpoints, result.run)


# --- two checkpoints --------------------------------------------------------------------------


def compared_choices(checkpoints: Path, shown: Shown | None, name: str) -> Any:
    """The dropdown of what `name` can be compared with: the other weights of its run first."""
    rows = shown.result.rows if shown and shown.result else ()
    own_rows = [(evaluate_view.file_of(row), evaluate_view.file_of(row)) for row in rows if name not in row.names]
    listed = [item for item in list_checkpoints(checkpoints) if item.name != name]
    others = [(item.label, item.name) for item in listed if not any(item.name in row.names for row in rows)]
    return gr.Dropdown(own_rows + others, value=None, interactive=bool(own_rows or others))


def side_by_side(book: AnswerBook, name: str, other: str, data: str | None, progress: Progress | None) -> list[str]:
    """HTML of two checkpoints' figures, and of images on which their answers differ."""
    import torch

    from googlenet.inference.compare import compare

    first, second = (book.ask(one, own(data), progress) for one in (name, other))
    if not torch.equal(first.images.images, second.images.images):
        raise LabError(
            f"{name} is judged on {first.on}, {other} on other images: choose two checkpoints of one run, or of runs "
            f"with the same data, seed and validation share."
        )
    names = (first.name, second.name)
    result = compare(first.result, second.result, names)
    groups = (
        (f"Only {names[0]} is right", result.first_only),
        (f"Only {names[1]} is right", result.second_only),
        ("Both are wrong, each in its way", result.both_wrong),
    )
    galleries = "".join(_differing(first, second, words, found) for words, found in groups if found)
    return [evaluate_view.comparison(result, names, first.result.n), f"<div class='gl-answer'>{galleries}</div>"]


def _differing(first: Answers, second: Answers, words: str, found: Sequence[int]) -> str:
    images: list[Thumbnail] = [first.thumbnail(index, second.result) for index in found[:GROUP_THUMBNAILS]]
    order = f"first line {first.name}, second line {second.name}"
    return checkpoint_view.gallery(f"{words}: {len(found):,}", images, len(found), order)
