"""The Train tab: a form that starts a run, and a view that reads it from disk, for every browser the same."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from googlenet.config import LabError
from googlenet.models.presets import PRESETS, preset
from googlenet.recipes import RECIPES, make_train_config, parse_epochs, recipe_values
from googlenet.training import launcher
from googlenet.training.run import RESUMABLE, Run, active_run, list_runs
from googlenet.ui.figures import message
from googlenet.ui.refusals import toast
from googlenet.ui.run_view import charts_html, status_html

NETWORKS = ("cifar10", "cifar10-truncated")
FILLED = ("epochs", "batch_size", "lr", "validation_fraction", "checkpoint_epochs")  # by the recipe
LOOKING = "<p class='gl-note'>Looking for runs …</p>"
NO_RUN = (
    "<p class='gl-note'>No run yet. Press <b>Start</b>: the curves appear here, and go on if you close the page. "
    "Choose the data <b>shapes</b> for a first try without a download.</p>"
)
KEEP_RUN_IN_URL = """(run) => {
  const url = new URL(location);
  if (run) url.searchParams.set('run', run); else url.searchParams.delete('run');
  history.replaceState(null, '', url);
  return run;
}"""
PRIVATE: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}


@dataclass
class _Form:
    """The components, in the order of `start`'s arguments; the names are those of `make_train_config`."""

    fields: dict[str, gr.components.Component]
    hints: dict[str, str]


def _form(default_data: str) -> _Form:
    values = recipe_values("default", preset("cifar10"))
    hints = {
        "network": "cifar10 learns well; cifar10-truncated is the class note's network",
        "data": "cifar10 (downloaded once, 163 MB), shapes (synthetic, drawn here), or the path of an image folder",
        "recipe": "fills in what follows; change what you like",
        "epochs": "passes",
        "batch_size": "images",
        "lr": "at its peak",
        "run": "lower-case letters, digits, hyphens; empty: the network and the time",
        "validation_fraction": "share of the training images held out to judge with; 0 trains on all, as the note does",
        "checkpoint_epochs": "keep weights after these epochs, counted from 0; best and last are always kept",
        "seed": "same seed, same curve",
        "device": "auto takes CUDA, else MPS, else the CPU",
        "aux_heads": "classifiers on 4a and 4d that feed gradient to the early layers",
    }
    choices = list(dict.fromkeys([default_data, "cifar10", "shapes"]))
    fields: dict[str, gr.components.Component] = {
        "network": gr.Dropdown(list(NETWORKS), value="cifar10", label="Network", info=hints["network"]),
        "data": gr.Dropdown(
            choices, value=default_data, label="Data", info=hints["data"], allow_custom_value=True, filterable=True
        ),
        "recipe": gr.Radio(list(RECIPES), value="default", label="Recipe", info=hints["recipe"]),
    }
    with gr.Row():
        fields["epochs"] = _number("Epochs", values["epochs"], hints["epochs"], precision=0)
        fields["batch_size"] = _number("Batch", values["batch_size"], hints["batch_size"], precision=0)
        fields["lr"] = _number("Rate", values["lr"], hints["lr"])
    with gr.Accordion("More settings", open=False):
        fields["run"] = gr.Textbox(label="Run name", info=hints["run"], max_lines=1)
        with gr.Row():
            fields["validation_fraction"] = _number(
                "Validation", values["validation_fraction"], hints["validation_fraction"]
            )
            fields["seed"] = _number("Seed", values["seed"], hints["seed"], precision=0)
        fields["checkpoint_epochs"] = gr.Textbox(
            label="Checkpoint epochs", info=hints["checkpoint_epochs"], placeholder="299, 499", max_lines=1
        )
        fields["device"] = gr.Dropdown(
            ["auto", "cuda", "mps", "cpu"], value="auto", label="Device", info=hints["device"]
        )
        fields["aux_heads"] = gr.Checkbox(label="Auxiliary heads", info=hints["aux_heads"])
    return _Form(fields, hints)


def _number(label: str, value: float, hint: str, **options: Any) -> gr.Number:
    return gr.Number(value=value, label=label, info=hint, min_width=90, **options)


def start_run(
    checkpoints: Path, network: str, run: str | None = "", aux_heads: bool | None = False, **changes: Any
) -> Run:
    """Start a training in a process of its own from what a form or a client says; raises `LabError`."""
    name = (run or "").strip() or f"{network}-{time.strftime('%Y%m%d-%H%M%S')}"
    if network not in PRESETS:
        raise LabError(f"network must be one of {', '.join(NETWORKS)}, not {str(network)[:40]!r}.", "network")
    config = make_train_config(name, preset(network, aux_heads=bool(aux_heads)), **changes)
    return launcher.start(config, checkpoints)


def training_tab(demo: gr.Blocks, checkpoints: Path, default_data: str) -> None:
    """Build the tab inside `demo`, which tells it when a page opens."""
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            form = _form(default_data)
            refused = gr.HTML(elem_classes=["gl-html", "gl-slot"])
            with gr.Row():
                start = gr.Button("Start", variant="primary", min_width=90)
                stop = gr.Button("Stop", min_width=90, interactive=False)
                resume = gr.Button("Resume", min_width=90, interactive=False)
        with gr.Column(scale=2, min_width=320):
            with gr.Row():
                chosen = gr.Dropdown([], label="Run", info="newest first", allow_custom_value=False, elem_id="run")
                compared = gr.Dropdown(
                    [], label="Compare with", info="up to four other runs", multiselect=True, max_choices=4
                )
            status = gr.HTML(LOOKING, elem_classes="gl-html")
            charts = gr.HTML(elem_classes="gl-html")
            with gr.Accordion("Log", open=False):
                log = gr.Textbox(show_label=False, lines=8, max_lines=12, elem_classes="gl-log", container=False)
            with gr.Accordion("Files", open=False):
                files = gr.File(label="Metrics, figure and weights", file_count="multiple", interactive=False)
                gr.HTML("<p class='gl-note'>Weights appear when the run has stopped or finished.</p>")
    seen = gr.State({})  # what this page shows already, so that nothing is sent twice
    view = [chosen, compared, status, charts, log, files, stop, resume, seen]

    def refresh(name: str | None, others: list[str] | None, known: dict[str, Any]) -> list[Any]:
        return _refresh(checkpoints, name, others or [], known)

    def opened(request: gr.Request) -> list[Any]:
        wanted = request.query_params.get("run")
        busy = active_run(checkpoints)
        names = [run.name for run in list_runs(checkpoints)]
        name = wanted if wanted in names else busy[0].name if busy else next(iter(names), None)
        return _refresh(checkpoints, name, [], {})

    def begin(*answers: Any) -> list[Any]:
        said = dict(zip(form.fields, answers, strict=True))
        try:
            said["checkpoint_epochs"] = parse_epochs(said["checkpoint_epochs"])
            run = start_run(checkpoints, **said)
        except LabError as error:
            return [gr.skip(), message(str(error)), *_marks(form, error)]
        names = [known.name for known in list_runs(checkpoints)]
        return [gr.update(choices=names, value=run.name), "", *_marks(form, None)]

    fields = list(form.fields.values())
    start.click(begin, fields, [chosen, refused, *fields], api_visibility="private", show_progress="minimal").then(
        refresh, [chosen, compared, seen], view, **PRIVATE
    )
    stop.click(_toasted(lambda name: launcher.stop(name, checkpoints)), chosen, None, **PRIVATE)
    resume.click(
        _toasted(lambda name: launcher.resume(name, checkpoints)), chosen, None, api_visibility="private"
    ).then(refresh, [chosen, compared, seen], view, **PRIVATE)
    form.fields["recipe"].input(_network_of, form.fields["recipe"], form.fields["network"], **PRIVATE).then(
        _fill, [form.fields["recipe"], form.fields["network"]], [form.fields[name] for name in FILLED], **PRIVATE
    )
    form.fields["network"].input(
        _fill, [form.fields["recipe"], form.fields["network"]], [form.fields[name] for name in FILLED], **PRIVATE
    )
    gr.on([chosen.input, compared.input], refresh, [chosen, compared, seen], view, **PRIVATE)
    chosen.change(None, chosen, None, js=KEEP_RUN_IN_URL)
    gr.Timer(1.0).tick(refresh, [chosen, compared, seen], view, trigger_mode="once", **PRIVATE)
    demo.load(opened, None, view, **PRIVATE)


def _network_of(recipe: str) -> Any:
    """The note's recipe belongs to the note's network."""
    return "cifar10-truncated" if recipe == "note" else gr.skip()


def _fill(recipe: str, network: str) -> list[Any]:
    values = recipe_values(recipe, preset(network))
    values["checkpoint_epochs"] = ", ".join(map(str, values["checkpoint_epochs"]))
    return [values[name] for name in FILLED]


def _marks(form: _Form, error: LabError | None) -> list[Any]:
    """Updates that explain `error` beside the field it is about, and take earlier explanations away.

    The sentence also stands above the buttons, since the field may lie in the closed accordion.
    """
    return [gr.update(info=f"⚠ {error}" if error and error.field == name else form.hints[name]) for name in form.fields]


def _toasted(action: Any) -> Any:
    """`action`, with a refusal shown as a toast."""

    def run(*arguments: Any) -> None:
        try:
            action(*arguments)
        except LabError as error:
            toast(error)

    return run


def _refresh(checkpoints: Path, name: str | None, others: list[str], known: dict[str, Any]) -> list[Any]:
    """New values for the view, and `gr.skip()` for what this page (`known`) shows already."""
    names = [run.name for run in list_runs(checkpoints)]
    if name not in names:
        name = next(iter(names), None)
    fresh: dict[str, Any] = {"name": name, "names": names}
    choices = gr.skip() if _same(fresh, known, "name", "names") else gr.update(choices=names, value=name)
    others = [other for other in others if other in names and other != name]
    rest = [other for other in names if other != name]
    comparable = gr.skip() if _same(fresh, known, "name", "names") else gr.update(choices=rest, value=others)
    if name is None:
        blank = [choices, comparable, NO_RUN, "", "", None, *[gr.update(interactive=False)] * 2, fresh]
        return [gr.skip()] * len(blank) if fresh == known else blank
    run = Run(checkpoints, name)
    now = run.status()
    sizes = [
        _size(Run(checkpoints, one).path / file) for one in (name, *others) for file in ("metrics.csv", "steps.jsonl")
    ]
    fresh |= {
        "status": (name, now),
        "curves": (name, others, sizes),
        "log": (name, _size(run.path / "train.log")),
        "files": (name, now.epoch, now.active),
        "stop": now.active and now.state != "stopping",
        "resume": now.state in RESUMABLE and active_run(checkpoints) is None,
    }

    def unless_seen(key: str, make: Any) -> Any:
        return gr.skip() if fresh[key] == known.get(key) else make()

    return [
        choices,
        comparable,
        unless_seen("status", lambda: status_html(run, now)),
        unless_seen("curves", lambda: charts_html(run, [Run(checkpoints, other) for other in others])),
        unless_seen("log", run.log_tail),
        unless_seen("files", lambda: _files(run, now.active)),
        unless_seen("stop", lambda: gr.update(interactive=fresh["stop"])),
        unless_seen("resume", lambda: gr.update(interactive=fresh["resume"])),
        gr.skip() if fresh == known else fresh,
    ]


def _same(fresh: dict[str, Any], known: dict[str, Any], *keys: str) -> bool:
    return all(key in known and fresh[key] == known[key] for key in keys)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _files(run: Run, active: bool) -> list[str] | None:
    """What can be downloaded; weights only when nobody writes them, since each look copies them."""
    paths = [run.path / "metrics.csv", run.path / "curves.png", *([] if active else run.weights())]
    return [str(path) for path in paths if path.is_file()] or None
