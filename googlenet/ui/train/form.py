"""The form that describes a training: a recipe and a network fill it in, and what a person types over them stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr
from gradio.events import Dependency

from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.models.formats.share import parse_network
from googlenet.recipes import CALLED, OPTIMIZERS, PROMISES, RECIPES, SCHEDULES, parse_epochs, recipe_values
from googlenet.recipes import NETWORKS as NETWORK_OF
from googlenet.ui.common.figures import message
from googlenet.ui.common.layout import html
from googlenet.ui.common.templates import render
from googlenet.ui.events.access import Access, hide_paths
from googlenet.ui.events.long_work import PRIVATE

NETWORKS = ("cifar10", "cifar10-narrow", "cifar10-medium", "cifar10-fine", "cifar10-truncated")
RECIPE_FIELDS = {
    "epochs": mark("Epochs"),
    "batch_size": mark("Batch size"),
    "lr": mark("Learning rate"),
    "validation_fraction": mark("Validation share"),
    "cutout": mark("Cutout"),
    "ema": mark("Averaging"),
    "optimizer": mark("Optimizer"),
    "momentum": mark("Momentum"),
    "weight_decay": mark("Weight decay"),
    "schedule": mark("Schedule"),
    "warmup": mark("Warmup"),
    "label_smoothing": mark("Label smoothing"),
    "crop_padding": mark("Crop padding"),
    "flip": mark("Flip"),
    "normalize": mark("Normalize"),
    "trivial_augment": "TrivialAugment",
    "cutmix": "CutMix",
    "norm_decay": mark("Decay batch norm too"),
    "logit_norm": "LogitNorm",
    "whitening": mark("Whitened first layer"),
    "dirac": mark("Begin like the identity"),
    "checkpoint_epochs": mark("Checkpoint epochs"),  # last: it follows Epochs
}
TICKS = {  # of the deepest settings
    "trivial_augment": mark("one of fourteen changes to each image: turned, sheared, paler, … For long trainings"),
    "norm_decay": mark("weight decay on biases and batch norm too"),
    "whitening": mark("the first filters are not learned, but the principal directions of the images' patches"),
    "dirac": mark("3×3 and 5×5 filters pass their input on until they have learned something else"),
}
OWN = "own"  # beside what was filled in: what of it a person has typed over, which a later recipe leaves alone


class Form:
    """Its components: `fields` by the names of `make_train_config`, in the order of the answers."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.fields: dict[str, Any] = {}
        filled = recipe_fields("default", NETWORKS[0])
        self.filled = gr.State(filled)  # what recipe and network filled in last

        def number(name: str, info: str) -> None:
            self.fields[name] = gr.Number(filled[name], label=tr(RECIPE_FIELDS[name]), info=info, min_width=90)

        def tick(name: str, label: str, info: str) -> None:
            self.fields[name] = gr.Checkbox(filled.get(name, False), label=label, info=info, min_width=90)

        def choice(name: str, choices: Sequence[str], info: str) -> None:
            self.fields[name] = gr.Dropdown(
                list(choices), value=filled[name], label=tr(RECIPE_FIELDS[name]), info=info, min_width=90
            )

        self.fields["network"] = gr.Dropdown(
            list(NETWORKS),
            value=NETWORKS[0],
            label=tr("Network"),
            info=tr("cifar10 and narrow for a CPU; fine, which ships trained, for a GPU; truncated: the note's"),
        )
        self.fields["data"] = gr.Dropdown(
            list(dict.fromkeys([access.offered, "cifar10", "shapes"])),
            value=access.offered,
            label=tr("Data"),
            info=tr("cifar10 (downloaded once, 163 MB) or shapes (synthetic, drawn here)")
            if access.confined
            else tr(
                "cifar10 (downloaded once, 163 MB) or shapes (synthetic, drawn here), or the path of an image folder"
            ),
            allow_custom_value=True,
        )
        self.fields["recipe"] = gr.Radio(
            [(tr(CALLED.get(recipe, recipe)), recipe) for recipe in RECIPES],
            value="default",
            label=tr("Recipe"),
            info=tr("fills in the settings below; change what you like"),
        )
        self.promise = html(_promise("default"))
        with gr.Row(elem_classes="gl-numbers"):
            number("epochs", tr("passes"))
            number("batch_size", tr("images"))
            number("lr", tr("at its peak"))
        with gr.Column(visible=False, elem_classes="gl-own") as self.own:
            self.own_words = gr.HTML(elem_classes="gl-html")
            self.back = gr.Button(tr("Back to the recipe's values"), size="sm")
        in_sight = set(self.fields)
        with gr.Accordion(tr("More settings"), open=False) as self.more:
            hint = tr("lower-case letters, digits, hyphens; empty: the network and the time")
            self.fields["run"] = gr.Textbox(label=tr("Run name"), info=hint, max_lines=1)
            with gr.Row():
                hint = tr("of the training images, held out to judge with; 0 trains on all, as the note does")
                number("validation_fraction", hint)
                self.fields["seed"] = gr.Number(0, label=tr("Seed"), info=tr("same seed, same curve"), min_width=90)
            with gr.Row():
                number("cutout", tr("side in pixels of a square blanked out in each image; 0: none"))
                number("ema", tr("decay per step of averaged weights, such as 0.999; 0: none"))
            self.fields["checkpoint_epochs"] = gr.Textbox(
                label=tr(RECIPE_FIELDS["checkpoint_epochs"]),
                info=tr("keep weights after these epochs, counted from 0, or none; best and last are always kept"),
                placeholder="299, 499",
                max_lines=1,
            )
            self.fields["device"] = gr.Dropdown(
                ["auto", "cuda", "mps", "cpu"],
                value="auto",
                label=tr("Device"),
                info=tr("auto uses CUDA, else MPS, else the CPU; of several GPUs a free one, or cuda:1"),
                allow_custom_value=True,
            )
            hint = tr("on a GPU: a minute or two of compiling, then 1.5 times as fast; for long trainings")
            tick("compiled", tr("Compiled"), hint)
            hint = tr("on a GPU: bit-equal after a resume, but slower; always so on a CPU")
            tick("deterministic", tr("Deterministic"), hint)
            hint = tr("classifiers on 4a and 4d that feed gradient to the early layers")
            tick("aux_heads", tr("Auxiliary heads"), hint)
            with gr.Accordion(tr("Optimizer and augmentation"), open=False) as self.rest:
                shallow = set(self.fields)
                with gr.Row():
                    hint = tr("SGD or Muon for networks with batch norm, Adam for those without")
                    choice("optimizer", OPTIMIZERS, hint)
                    number("momentum", tr("of SGD and Muon, Nesterov's; Adam has its own"))
                with gr.Row():
                    hint = tr("one cycle: up in a line, then down to 0 by a half cosine; a triangle: in a line")
                    choice("schedule", SCHEDULES, hint)
                    number("warmup", tr("share of the steps that one cycle rises"))
                with gr.Row():
                    number("weight_decay", tr("of filters and matrices, not of biases and batch norm"))
                    number("label_smoothing", tr("share of each label that is spread over all classes"))
                with gr.Row():
                    number("crop_padding", tr("pixels that an image is shifted by at most; 0: none"))
                    with gr.Column(min_width=90):
                        tick("flip", tr(RECIPE_FIELDS["flip"]), tr("left to right, each image every second epoch"))
                        hint = tr("by the channels' mean and deviation; off: [0, 1]")
                        tick("normalize", tr(RECIPE_FIELDS["normalize"]), hint)
                with gr.Row():
                    number("cutmix", tr("share of the images in which a rectangle is another's; 0: none"))
                    number("logit_norm", tr("divide logits of length 1 by this in the loss, such as 0.04; 0: not"))
                for name, hint in TICKS.items():
                    tick(name, tr(RECIPE_FIELDS[name]), tr(hint))
        self.folded = self.fields.keys() - in_sight
        self.deep = self.fields.keys() - shallow
        # In English: the form whose events answer is the first, which English was spoken to (`Page`).
        self.hints = {name: field.info for name, field in self.fields.items()}

    def settings(self, filled: dict[str, Any], *answers: Any) -> dict[str, Any]:
        """For `make_train_config`: what is still as `filled` in is left to the recipe; raises `LabError`."""
        typed = dict(zip(self.fields, answers, strict=True))
        typed |= {name: None for name in RECIPE_FIELDS if typed[name] == filled.get(name)}
        typed["data"] = self.access.check_data(typed["data"])
        return {**typed, "checkpoint_epochs": parse_epochs(typed["checkpoint_epochs"])}

    def mark(self, error: LabError | None) -> list[Any]:
        """Updates for `self.marked`: `error` in view and beside its field, unfolded where need be; no older one."""
        sentence = hide_paths(str(error or ""))
        marks = {name: gr.update(info=tr(hint), elem_classes="") for name, hint in self.hints.items()}
        if error and error.field in marks:
            info = f"⚠ {sentence[:1].upper()}{sentence[1:]}"
            marks[error.field] = gr.update(info=info, elem_classes="gl-invalid")
        field = error.field if error else None
        unfold = [gr.update(open=True) if field in inside else gr.skip() for inside in (self.folded, self.deep)]
        return [message(sentence), *unfold, *marks.values()]

    @property
    def filling(self) -> list[Any]:
        """All that changes when the form is filled in from elsewhere."""
        return [self.filled, self.own, self.own_words, *self.fields.values()]

    def marked(self, refused: gr.HTML) -> list[Any]:
        """What `mark` updates, with `refused` as the place in view."""
        return [refused, self.more, self.rest, *self.fields.values()]

    def follow(self, recipe: str, network: str, before: dict[str, Any], *typed: Any) -> list[Any]:
        """Updates for `self.filled`, the words on values of one's own, and the `RECIPE_FIELDS`."""
        filled, own = filled_and_own(recipe, network, before, typed)
        return [*_own_words(filled, own), *({**filled, **own}[name] for name in RECIPE_FIELDS)]

    def notice(self, recipe: str, network: str, before: dict[str, Any], *typed: Any) -> list[Any]:
        """The same while a person types: only checkpoint epochs that were filled in may change, as far as Epochs go."""
        filled, own = filled_and_own(recipe, network, _without_retyped(before, typed), typed)
        follows = typed[-1] == before["checkpoint_epochs"] != filled["checkpoint_epochs"]
        return [*_own_words(filled, own), filled["checkpoint_epochs"] if follows else gr.skip()]

    def wire(self, sent: Dependency) -> list[Dependency]:
        """Have the fields follow recipe and network; the event `sent` chooses a network too.

        Returns the events after which the fields are filled in anew.
        """
        recipe, network = self.fields["recipe"], self.fields["network"]
        typed = [self.fields[name] for name in RECIPE_FIELDS]
        inputs, words = [recipe, network, self.filled, *typed], [self.filled, self.own, self.own_words]
        chosen = recipe.input(network_for, [recipe, network], network, **PRIVATE)
        recipe.change(_promise, recipe, self.promise, **PRIVATE)
        followed = [
            event(self.follow, inputs, [*words, *typed], **PRIVATE) for event in (chosen.then, sent.then, network.input)
        ]
        # None of them one's own: as if each field were empty.
        back = self.back.click(
            lambda recipe, network, before: self.follow(recipe, network, before, *[None] * len(typed)),
            inputs[:3],
            [*words, *typed],
            **PRIVATE,
        )
        gr.on([field.input for field in typed], self.notice, inputs, [*words, typed[-1]], **PRIVATE)
        return [*followed, back]


def recipe_fields(recipe: str, network: str, epochs: Any = None) -> dict[str, Any]:
    """What `recipe` fills in for `network`; its checkpoint epochs only as far as a person's own `epochs` go."""
    values = recipe_values(recipe, parse_network(network))
    end = epochs if isinstance(epochs, (int, float)) else values["epochs"]
    values["checkpoint_epochs"] = ", ".join(str(epoch) for epoch in values["checkpoint_epochs"] if epoch < end)
    return {name: values[name] for name in RECIPE_FIELDS}


def filled_and_own(
    recipe: str, network: str, before: dict[str, Any], typed: Sequence[Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `recipe` fills in for `network`, and what was `typed` over what they filled in `before`.

    What was typed before counts as typed also where a recipe chosen since says the same.
    """
    kept = before.get(OWN, {})
    own = {
        name: value
        for name, value in zip(RECIPE_FIELDS, typed, strict=True)
        if value is not None and value != "" and (value != before[name] or name in kept)
    }
    return {**recipe_fields(recipe, network, own.get("epochs")), OWN: own}, own


def _without_retyped(before: dict[str, Any], typed: Sequence[Any]) -> dict[str, Any]:
    """`before`, with no value of one's own that was just typed back to the recipe's."""
    now = dict(zip(RECIPE_FIELDS, typed, strict=True))
    return {**before, OWN: {name: value for name, value in before.get(OWN, {}).items() if now[name] == value}}


def network_for(recipe: str, network: str) -> Any:
    """A recipe comes with its network, and takes it along when it goes, unless one of one's own is chosen."""
    if network not in NETWORKS:
        return gr.skip()
    alone = NETWORK_OF["hour"]  # made for one recipe
    return NETWORK_OF.get(recipe, "cifar10" if network == alone else gr.skip())


def _promise(recipe: str) -> str:
    """What to expect of it."""
    promise = tr(PROMISES[recipe]) if recipe in PROMISES else ""
    return render("train/promise.html", promise=promise[:1].lower() + promise[1:])


def _own_words(filled: dict[str, Any], own: dict[str, Any]) -> list[Any]:
    differ = [(name, filled[name]) for name, value in own.items() if value != filled[name]]
    words = [
        tr("{label} (recipe: {value})", label=tr(RECIPE_FIELDS[name]), value=_in_words(value) or tr("none"))
        for name, value in differ
    ]
    return [filled, gr.update(visible=bool(words)), render("train/own.html", settings=", ".join(words))]


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    return value if isinstance(value, str) else f"{value:,}"
