"""Train, All runs: a table of every run, and what can be done to the one chosen in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from googlenet import runs
from googlenet.errors import LabError, check_run_name
from googlenet.files import spreadsheet_text
from googlenet.ui.common.figures import message, size
from googlenet.ui.common.layout import html, refusal_slot
from googlenet.ui.events.access import Access
from googlenet.ui.events.long_work import PRIVATE, Question, refusable
from googlenet.ui.events.refusals import sent

COLUMNS = ("Run", "State", "Network", "Recipe", "Best validation, %", "Epochs", "Planned", "Minutes", "MB", "Note")
KINDS = ("str", "str", "str", "str", "number", "number", "number", "number", "number", "str")
WIDTHS = (190, 100, 130, 90, 180, 80, 85, 85, 80, 200)
NEEDS_RUN = "No run is chosen: choose a row of the table."


def table_of(checkpoints: Path) -> Any:
    """The table as a pandas.DataFrame, newest run first."""
    import pandas

    rows = [
        (
            row.run,
            row.state.replace("_", " "),
            row.network,
            row.recipe,
            None if row.best is None else round(100 * row.best, 2),
            row.epochs,
            row.planned,
            round(row.seconds / 60, 1),
            round(row.size / 1e6, 1),
            row.note,
        )
        for row in runs.list_overviews(checkpoints)
    ]
    return pandas.DataFrame(rows, columns=list(COLUMNS))


class AllRuns:
    """The accordion's components; `chosen` is the name of the run that the steps are about."""

    def __init__(self, checkpoints: Path, access: Access) -> None:
        self.checkpoints, self.access = checkpoints, access
        with gr.Accordion("All runs", open=False, elem_id="all-runs") as self.accordion:
            html("<p class='gl-note'>Choose a row to show that run; a heading sorts.</p>")
            self.said = refusal_slot()
            self.table = gr.Dataframe(
                headers=list(COLUMNS),
                datatype=list(KINDS),
                column_widths=list(WIDTHS),
                label="Runs",
                show_label=False,
                interactive=False,
                show_search="filter",
                max_height=360,
                wrap=False,
            )
            self.save = gr.Button("Download the table (CSV)", size="sm")
            self.file = gr.Textbox("", visible="hidden")
            with gr.Column(visible=not access.public):
                self.chosen = gr.Textbox(label="Chosen run", placeholder="choose a row", interactive=False)
                with gr.Row():
                    self.name = gr.Textbox(label="New name", max_length=64, min_width=160)
                    self.rename = gr.Button("Rename", size="sm", min_width=90, scale=0)
                with gr.Row():
                    self.text = gr.Textbox(label="Note", max_length=runs.LONGEST_NOTE, min_width=160)
                    self.note = gr.Button("Save note", size="sm", min_width=90, scale=0)
                with gr.Row():
                    self.delete = gr.Button("Delete", size="sm", min_width=90)
                    self.undo = gr.Button("Undo delete", size="sm", min_width=90)
                    self.prune = gr.Button("Prune", size="sm", min_width=90)
                    self.empty = gr.Button("Empty trash", size="sm", min_width=90)
                self.resume_too = gr.Checkbox(
                    label="Prune what a resume needs too", info="of a finished run only", value=False
                )
                self.prune_question = Question.lay_out(self.prune, "Erase them")
                self.empty_question = Question.lay_out(self.empty, "Erase for good")
                self.trash = html("")
                self.asked: gr.State = gr.State(None)  # the run that Prune asked about, whatever is chosen since

    def wire(self, shown: gr.Textbox, watched: list[Any], view: list[Any]) -> None:
        """Its events; `shown` is the run on view, and `watch` asks for the news of `watched` into `view`."""

        def look_again(event: Dependency) -> None:
            event.then(None, watched, view, js="googlenet.watchNow")

        self.accordion.expand(self._open, None, [self.table, self.trash], **PRIVATE)
        look_again(self.table.select(self._choose, None, [self.chosen, self.text, shown], **PRIVATE))
        saved = self.save.click(self._as_file, None, self.file, **PRIVATE)
        saved.then(None, self.file, None, js="googlenet.saveFile")
        changed = [self.said, self.table, self.trash, self.chosen, shown]
        for button, step, inputs in (
            (self.rename, self._rename, [self.chosen, self.name]),
            (self.note, self._note, [self.chosen, self.text]),
            (self.delete, self._delete, [self.chosen]),
            (self.undo, self._undo, []),
            (self.prune_question.yes, self._prune, [self.asked]),
            (self.empty_question.yes, self._empty, []),
        ):
            look_again(button.click(self._step(step), inputs, changed, **PRIVATE))
        self.prune_question.ask(self._ask_prune, [self.chosen, self.resume_too], self.asked)
        self.empty_question.ask(self._ask_empty, [])

    def _step(self, step: Callable[..., tuple[str, str]]) -> Callable[..., Any]:
        """`step`, which says what it did and to which run, then the table as it is now; refused on a public page."""

        @refusable(5, place=0)
        def run(*values: Any) -> list[Any]:
            self._check_owner()
            said, name = step(*values)
            return [message(said, "done"), table_of(self.checkpoints), self._trash(), name, name or gr.skip()]

        return run

    def _check_owner(self) -> None:
        if self.access.public:
            raise LabError("Others can reach this page, so runs are changed on the owner's command line only.")

    def _open(self) -> list[Any]:
        return [table_of(self.checkpoints), self._trash()]

    def _choose(self, event: gr.EventData) -> list[Any]:
        row = sent(event, "row_value")  # not gr.SelectData, which fails on what no page sends
        name = check_run_name(str(row[0]) if isinstance(row, list) and row else "")
        return [name, runs.read_note(runs.Run(self.checkpoints, name)), name]

    def _as_file(self) -> str:
        return json.dumps(
            {"name": "runs.csv", "text": table_of(self.checkpoints).map(spreadsheet_text).to_csv(index=False)}
        )

    def _trash(self) -> str:
        gone = runs.list_deleted(self.checkpoints)
        if not gone:
            return "<p class='gl-note'>The trash is empty.</p>"
        held = f"{len(gone)} deleted {'run' if len(gone) == 1 else 'runs'}, {size(runs.trash_size(self.checkpoints))}"
        return f"<p class='gl-note'>In the trash: {held}. Deleted last: {gone[0].name}.</p>"

    def _rename(self, name: str, to: str) -> tuple[str, str]:
        other = runs.rename(self.checkpoints, _named(name), (to or "").strip()).name
        return f"{name} is called {other} now.", other

    def _note(self, name: str, text: str) -> tuple[str, str]:
        runs.write_note(self.checkpoints, _named(name), text)
        return f"The note on {name} is saved.", name

    def _delete(self, name: str) -> tuple[str, str]:
        runs.delete(self.checkpoints, _named(name))
        return f"{name} is in the trash: Undo delete brings it back.", ""

    def _undo(self) -> tuple[str, str]:
        name = runs.undelete(self.checkpoints).name
        return f"{name} is back.", name

    def _ask_prune(self, name: str, resume: bool) -> str:
        self._check_owner()
        files = runs.prunable(runs.Run(self.checkpoints, _named(name)), resume=bool(resume))
        if not files:
            raise LabError(f"{name} has nothing to prune: it holds best and last only.")
        freed = size(sum(path.lstat().st_size for path in files))
        return f"Erase {len(files)} files of {name}, {freed}? Best and last stay; the others do not come back."

    def _prune(self, asked: Any) -> tuple[str, str]:
        if not isinstance(asked, list | tuple) or len(asked) != 2:
            raise LabError("Nothing was asked yet: press Prune first.", "run")
        name, resume = asked
        freed = runs.prune(self.checkpoints, _named(name), resume=bool(resume))
        return f"{name} keeps best and last; {size(freed)} are free again.", name

    def _ask_empty(self) -> str:
        self._check_owner()
        count, held = len(runs.list_deleted(self.checkpoints)), size(runs.trash_size(self.checkpoints))
        return f"Erase what is in the trash for good ({count} deleted, {held})? There is no way back."

    def _empty(self) -> tuple[str, str]:
        return f"The trash is empty; {size(runs.empty_trash(self.checkpoints))} are free again.", ""


def _named(name: str) -> str:
    if not name:
        raise LabError(NEEDS_RUN, "run")
    return name
