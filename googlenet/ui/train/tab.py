"""The Train tab: a form that starts a run, and a view that reads it from disk, for every browser the same."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from googlenet.errors import LabError
from googlenet.models.presets import preset, with_variants
from googlenet.models.share import file_stem, parse_network
from googlenet.recipes import RECIPES, make_train_config, parse_epochs, recipe_values
from googlenet.runs import Run
from googlenet.training import launcher
from googlenet.ui.build.network.panel import NetworkPanel
from googlenet.ui.common.figures import message
from googlenet.ui.common.refusals import toast
from googlenet.ui.train.from_build import send_to_training
from googlenet.ui.train.watch import MAX_COMPARED

NETWORKS = ("cifar10", "cifar10-fine", "cifar10-truncated")
FILLED = ("epochs", "batch_size", "lr", "validation_fraction", "cutout", "ema", "checkpoint_epochs")  # by the recipe
LOOKING = "<p class='gl-note'>Looking for runs …</p>"
WATCH = "(run, others) => googlenetWatch(run, others, false)"
WATCH_NOW = "(run, others) => googlenetWatch(run, others, true)"
PRIVATE: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}


@dataclass
class _Form:
    """The components, in the order of `start`'s arguments; the names are those of `make_train_config`."""

    fields: dict[str, gr.components.Component]
    hints: dict[str, str]


def _form(default_data: str) -> _Form:
    values = recipe_values("default", preset("cifar10"))
    hints = {
        "network": "cifar10 for a CPU; cifar10-fine, which ships trained, for a GPU; cifar10-truncated: the note's",
        "data": "cifar10 (downloaded once, 163 MB), shapes (synthetic, drawn here), or the path of an image folder",
        "recipe": "fills in what follows; change what you like",
        "epochs": "passes",
        "batch_size": "images",
        "lr": "at its peak",
        "run": "lower-case letters, digits, hyphens; empty: the network and the time",
        "validation_fraction": "share of the training images held out to judge with; 0 trains on all, as the note does",
        "cutout": "pixels a side of a square blanked in each image; 0: none",
        "ema": "decay per step of averaged weights, such as 0.999; 0: none",
        "checkpoint_epochs": "keep weights after these epochs, counted from 0; best and last are always kept",
        "seed": "same seed, same curve",
        "device": "auto takes CUDA, else MPS, else the CPU",
        "compiled": "on a GPU: a minute or two of compiling, then half as fast again; for long trainings",
        "deterministic": "on a GPU: every bit the same after a resume, but slower; a CPU always is",
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
        with gr.Row():
            fields["cutout"] = _number("Cutout", values["cutout"], hints["cutout"], precision=0)
            fields["ema"] = _number("Averaging", values["ema"], hints["ema"])
        fields["checkpoint_epochs"] = gr.Textbox(
            label="Checkpoint epochs", info=hints["checkpoint_epochs"], placeholder="299, 499", max_lines=1
        )
        fields["device"] = gr.Dropdown(
            ["auto", "cuda", "mps", "cpu"], value="auto", label="Device", info=hints["device"]
        )
        fields["compiled"] = gr.Checkbox(label="Compiled", info=hints["compiled"])
        fields["deterministic"] = gr.Checkbox(label="Deterministic", info=hints["deterministic"])
        fields["aux_heads"] = gr.Checkbox(label="Auxiliary heads", info=hints["aux_heads"])
    return _Form(fields, hints)


def _number(label: str, value: float, hint: str, **options: Any) -> gr.Number:
    return gr.Number(value=value, label=label, info=hint, min_width=90, **options)


def start_run(
    checkpoints: Path, network: Any, run: str | None = "", aux_heads: bool | None = False, **changes: Any
) -> Run:
    """Start a training in a process of its own from what a form or a client says; raises `LabError`.

    `network` is a preset's name, or one of the Build tab's as JSON or as the text of its link.
    """
    built = parse_network(network)
    if aux_heads:
        built = with_variants(built, aux_heads=True)
    name = (run or "").strip() or f"{file_stem(built)[:40]}-{time.strftime('%Y%m%d-%H%M%S')}"
    config = make_train_config(name, built, **changes)
    return launcher.start(config, checkpoints)


def training_tab(
    demo: gr.Blocks, tab: gr.Tab, timer: gr.Timer, now: gr.HTML, built: NetworkPanel, checkpoints: Path, data: str
) -> None:
    """Build `tab`. Whenever `timer` ticks, it and the header's `now` show what is new on the disk (ui/watch.py).

    The network of `built`, the Build tab's, can be sent into the form.
    """
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            form = _form(data)
            refused = gr.HTML(elem_classes=["gl-html", "gl-slot"])
            with gr.Row():
                start = gr.Button("Start", variant="primary", min_width=90)
                stop = gr.Button("Stop", min_width=90, interactive=False)
                resume = gr.Button("Resume", min_width=90, interactive=False)
        with gr.Column(scale=2, min_width=320):
            with gr.Row():
                chosen = gr.Dropdown([], label="Run", info="newest first", elem_id="run", min_width=240)
                compared = gr.Dropdown(
                    [],
                    label="Compare with",
                    info="up to four other runs",
                    multiselect=True,
                    max_choices=MAX_COMPARED,
                    min_width=240,
                )
            status = gr.HTML(LOOKING, elem_classes="gl-html")
            charts = gr.HTML(elem_classes="gl-html")
            with gr.Accordion("Log", open=False):
                log = gr.Textbox(show_label=False, lines=8, max_lines=12, elem_classes="gl-log", container=False)
            with gr.Accordion("Files", open=False):
                files = gr.HTML(elem_classes="gl-html")
    shown = gr.Textbox(visible=False)  # the run on view: the server does not know the choices of `chosen`
    watched = [shown, compared]
    view = [shown, chosen, compared, now, status, charts, log, files, stop, resume]  # in the order of watch.js

    def begin(*answers: Any) -> list[Any]:
        said = dict(zip(form.fields, answers, strict=True))
        try:
            said["checkpoint_epochs"] = parse_epochs(said["checkpoint_epochs"])
            run = start_run(checkpoints, **said)
        except LabError as error:
            return [gr.skip(), message(str(error)), *_marks(form, error)]
        return [run.name, "", *_marks(form, None)]

    fields = list(form.fields.values())
    started = start.click(begin, fields, [shown, refused, *fields], api_visibility="private", show_progress="minimal")
    stopped = stop.click(_toasted(lambda name: launcher.stop(name, checkpoints)), shown, None, **PRIVATE)
    resumed = resume.click(
        _toasted(lambda name: launcher.resume(name, checkpoints)), shown, None, api_visibility="private"
    )
    for acted in (started, stopped, resumed):
        acted.then(None, watched, view, js=WATCH_NOW)
    recipe, network = form.fields["recipe"], form.fields["network"]
    filled = [form.fields[name] for name in FILLED]
    recipe.input(_network_of, [recipe, network], network, **PRIVATE).then(_fill, [recipe, network], filled, **PRIVATE)
    network.input(_fill, [recipe, network], filled, **PRIVATE)
    send_to_training(built, network).then(_fill, [recipe, network], filled, **PRIVATE)
    chosen.input(None, [chosen, compared], view, js=WATCH_NOW)
    gr.on([compared.input, tab.select, demo.load], None, watched, view, js=WATCH_NOW)
    timer.tick(None, watched, view, js=WATCH)


def _network_of(recipe: str, network: str) -> Any:
    """The note's recipe belongs to the note's network, unless a network of one's own is chosen."""
    return "cifar10-truncated" if recipe == "note" and network in NETWORKS else gr.skip()


def _fill(recipe: str, network: str) -> list[Any]:
    values = recipe_values(recipe, parse_network(network))
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
