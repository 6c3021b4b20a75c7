"""Train, All runs: a table of every run, and what can be done to the one chosen in it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from googlenet import runs
from googlenet.errors import LabError, check_run_name
from googlenet.files import spreadsheet_text
from googlenet.language import mark, tr, trn
from googlenet.runs import list_checkpoints
from googlenet.runs.comparison import other_seeds
from googlenet.ui.common.figures import message, size
from googlenet.ui.common.layout import html, refusal_slot
from googlenet.ui.events.access import Access
from googlenet.ui.events.long_work import PRIVATE, Question, refusable
from googlenet.ui.events.refusals import sent
from googlenet.ui.events.rights import check_own, is_own, needs
from googlenet.ui.train.bring import Bring
from googlenet.ui.train.runs_table import CHOICE, COLUMNS, chosen_columns, looks, table_of, translated

NEEDS_RUN = mark("No run is chosen: choose a row of the table.")


class AllRuns:
    """The accordion's components; `chosen` is the name of the run that the steps are about."""

    def __init__(self, checkpoints: Path, access: Access) -> None:
        self.checkpoints, self.access = checkpoints, access
        with gr.Accordion(tr("All runs"), open=False, elem_id="all-runs") as self.accordion:
            html(_note(tr("Choose a row to show that run; a heading sorts.")))
            self.said = refusal_slot()
            self.mine = gr.Checkbox(
                label=tr("Mine only"), info=tr("runs that this browser started"), visible=access.each_their_own
            )
            self.table = gr.Dataframe(
                **looks(COLUMNS),
                label=tr("Runs"),
                show_label=False,
                interactive=False,
                show_search="filter",
                max_height=360,
                wrap=False,
            )
            self.columns = gr.Dropdown(
                [(tr(name), name) for name in CHOICE],
                value=list(CHOICE),
                multiselect=True,
                label=tr("Columns"),
                info=tr("of the table and its CSV"),
            )
            self.chosen = gr.Textbox(label=tr("Chosen run"), placeholder=tr("choose a row"), interactive=False)
            with gr.Row():
                self.beside = gr.Button(tr("Compare it"), size="sm", min_width=90)
                self.seeds = gr.Button(tr("Compare its other seeds"), size="sm", min_width=160)
                self.save = gr.Button(tr("Download the table (CSV)"), size="sm", min_width=160)
            self.file = gr.Textbox("", visible="hidden")
            self.more = gr.Textbox("", visible="hidden")  # runs to compare, as JSON
            with gr.Column(visible=access.may_change):
                with gr.Row():
                    self.name = gr.Textbox(label=tr("New name"), max_length=64, min_width=160)
                    self.rename = gr.Button(tr("Rename"), size="sm", min_width=90, scale=0)
                with gr.Row():
                    self.text = gr.Textbox(label=tr("Note"), max_length=runs.LONGEST_NOTE, min_width=160)
                    self.note = gr.Button(tr("Save note"), size="sm", min_width=90, scale=0)
                with gr.Row():
                    self.delete = gr.Button(tr("Delete"), size="sm", min_width=90)
                    self.undo = gr.Button(tr("Undo delete"), size="sm", min_width=90)
                    self.prune = gr.Button(tr("Prune"), size="sm", min_width=90)
                    self.empty = gr.Button(
                        tr("Empty trash"), size="sm", min_width=90, visible=not access.each_their_own
                    )
                self.resume_too = gr.Checkbox(
                    label=tr("Prune what a resume needs too"), info=tr("of a finished run only"), value=False
                )
                self.prune_question = Question.lay_out(self.prune, tr("Erase them"))
                self.empty_question = Question.lay_out(self.empty, tr("Erase for good"))
                self.trash = html("")
                self.bring = Bring(checkpoints, access)
            self.asked: gr.State = gr.State(None)  # the run that Prune asked about, whatever is chosen since

    def wire(self, shown: gr.Textbox, watched: list[Any], view: list[Any]) -> None:
        """Its events; `shown` is the run on view, and `watch` asks for the news of `watched` into `view`."""

        def look_again(event: Dependency) -> None:
            event.then(None, watched, view, js="googlenet.watchNow")

        seen = [self.mine, self.columns]
        kept = f"() => [googlenet.keptColumns({json.dumps(CHOICE)})]"
        opened = self.accordion.expand(None, None, self.columns, js=kept)
        opened.then(self._open, seen, [self.table, self.trash], **PRIVATE)
        self.columns.input(None, self.columns, None, js="googlenet.keepColumns")
        gr.on([self.mine.input, self.columns.input], self._table, seen, self.table, **PRIVATE)
        look_again(self.table.select(self._choose, None, [self.said, self.chosen, self.text, shown], **PRIVATE))
        self.bring.wire(self._table, seen, [self.table])
        compared = watched[1]
        self._wire_comparing(shown, compared, look_again)
        saved = self.save.click(self._as_file, seen, self.file, **PRIVATE)
        saved.then(None, self.file, None, js="googlenet.saveFile")
        changed = [self.said, self.table, self.trash, self.chosen, shown]
        for button, step, inputs, right in (
            (self.rename, self._rename, [self.chosen, self.name], "change"),
            (self.note, self._note, [self.chosen, self.text], "change"),
            (self.delete, self._delete, [self.chosen], "change"),
            (self.undo, self._undo, [], "change"),
            (self.prune_question.yes, self._prune, [self.asked], "change"),
            (self.empty_question.yes, self._empty, [], "trash"),
        ):
            look_again(button.click(self._step(step, right), [*seen, *inputs], changed, **PRIVATE))
        self.prune_question.ask(
            needs(self.access, "change")(self._ask_prune), [self.chosen, self.resume_too], self.asked
        )
        self.empty_question.ask(needs(self.access, "trash")(self._ask_empty), [])

    def _step(self, step: Callable[..., tuple[str, str]], right: str) -> Callable[..., Any]:
        """`step`, which says what it did and to which run, then the table as it is now; refused without the `right`."""

        @refusable(5, place=0)
        @needs(self.access, right)
        def run(mine: Any, columns: Any, *values: Any) -> list[Any]:
            said, name = step(*values)
            return [message(said, "done"), self._table(mine, columns), self._trash(), name, name or gr.skip()]

        return run

    def _wire_comparing(self, shown: gr.Textbox, compared: gr.Dropdown, look_again: Callable[..., None]) -> None:
        """The buttons that lay other runs beside the one on view."""
        add = "(...names) => googlenet.comparing.add(...names)"
        look_again(self.beside.click(None, [self.chosen, shown, compared], compared, js=add))
        found = self.seeds.click(self._other_seeds, self.chosen, [self.said, self.more], **PRIVATE)
        look_again(found.success(None, [self.more, shown, compared], compared, js=add))

    @refusable(2, place=0)
    def _other_seeds(self, name: str) -> list[Any]:
        if not name:
            raise LabError(tr(NEEDS_RUN), "run")
        found = other_seeds(runs.Run(self.checkpoints, name), runs.list_runs(self.checkpoints))
        if not found:
            sentence = tr("No run here has the settings of {name} with another seed: start one first.", name=name)
            raise LabError(sentence, "run")
        return ["", json.dumps(found)]

    def _rows(self, mine: Any, columns: Any) -> Any:
        """The table; of this visitor's own runs alone where `mine` is ticked."""
        table = table_of(self.checkpoints, lambda run: not mine or (run is not None and is_own(self.access, run.path)))
        return table[chosen_columns(columns)]

    def _table(self, mine: Any = False, columns: Any = CHOICE) -> Any:
        return gr.Dataframe(translated(self._rows(mine, columns)), **looks(chosen_columns(columns)))

    def _open(self, mine: Any = False, columns: Any = CHOICE) -> list[Any]:
        return [self._table(mine, columns), self._trash()]

    def _own(self, name: str) -> str:
        """`name` of a run that this visitor may change; `LabError` for another's, and for none."""
        if not name:
            raise LabError(tr(NEEDS_RUN), "run")
        check_own(self.access, self.checkpoints, name)
        return name

    def _choose(self, event: gr.EventData) -> list[Any]:
        row = sent(event, "row_value")  # not gr.SelectData, which fails on what no page sends
        name = str(row[0]) if isinstance(row, list) and row else ""
        if name in {alone.name for alone in list_checkpoints(self.checkpoints)}:
            said = tr("{name} is weights without a run: Classify and Evaluate have it in their lists.", name=name)
            return [message(said, "done"), "", "", gr.skip()]
        return ["", check_run_name(name), runs.read_note(runs.Run(self.checkpoints, name)), name]

    def _as_file(self, mine: Any = False, columns: Any = CHOICE) -> str:
        table, text = self._rows(mine, columns), io.StringIO()
        writer = csv.writer(text, lineterminator="\n")  # pandas makes 3 epochs 3.0 where a row has none
        writer.writerow(table.columns)
        writer.writerows(map(spreadsheet_text, row) for row in table.itertuples(index=False))
        return json.dumps({"name": "runs.csv", "text": text.getvalue()})

    def _trash(self) -> str:
        gone = runs.list_deleted(self.checkpoints)
        if not gone:
            return _note(tr("The trash is empty."))
        held = trn(
            "In the trash: {n} deleted run, {size}. Deleted last: {last}.",
            "In the trash: {n} deleted runs, {size}. Deleted last: {last}.",
            len(gone),
            size=size(runs.trash_size(self.checkpoints)),
            last=gone[0].name,
        )
        return _note(held)

    def _rename(self, name: str, to: str) -> tuple[str, str]:
        other = runs.rename(self.checkpoints, self._own(name), (to or "").strip()).name
        return tr("{name} is called {other} now.", name=name, other=other), other

    def _note(self, name: str, text: str) -> tuple[str, str]:
        runs.write_note(self.checkpoints, self._own(name), text)
        return tr("The note on {name} is saved.", name=name), name

    def _delete(self, name: str) -> tuple[str, str]:
        runs.delete(self.checkpoints, self._own(name))
        return tr("{name} is in the trash: Undo delete brings it back.", name=name), ""

    def _undo(self) -> tuple[str, str]:
        name = ""
        if self.access.each_their_own:
            newest: dict[str, Path] = {}  # what undelete would bring back, by name
            for gone in runs.list_deleted(self.checkpoints):
                newest.setdefault(gone.name, gone.path)
            name = next((name for name, path in newest.items() if is_own(self.access, path)), "")
            if not name:
                raise LabError(tr("No run of yours is in the trash: nothing can be brought back."), "run")
        name = runs.undelete(self.checkpoints, name).name
        return tr("{name} is back.", name=name), name

    def _ask_prune(self, name: str, resume: bool) -> str:
        files = runs.prunable(runs.Run(self.checkpoints, self._own(name)), resume=bool(resume))
        if not files:
            raise LabError(tr("{name} has nothing to prune: it holds best and last only.", name=name))
        freed = size(sum(path.lstat().st_size for path in files))
        return tr(
            "Erase {n} files of {name}, {freed}? Best and last stay; the others do not come back.",
            n=len(files),
            name=name,
            freed=freed,
        )

    def _prune(self, asked: Any) -> tuple[str, str]:
        if not isinstance(asked, list | tuple) or len(asked) != 2:
            raise LabError(tr("Nothing was asked yet: press Prune first."), "run")
        name, resume = asked
        freed = runs.prune(self.checkpoints, self._own(name), resume=bool(resume))
        return tr("{name} keeps best and last; {size} are free again.", name=name, size=size(freed)), name

    def _ask_empty(self) -> str:
        count, held = len(runs.list_deleted(self.checkpoints)), size(runs.trash_size(self.checkpoints))
        return tr(
            "Erase what is in the trash for good ({count} deleted, {held})? There is no way back.",
            count=count,
            held=held,
        )

    def _empty(self) -> tuple[str, str]:
        freed = size(runs.empty_trash(self.checkpoints))
        return tr("The trash is empty; {size} are free again.", size=freed), ""


def _note(text: str) -> str:
    return f"<p class='gl-note'>{text}</p>"
