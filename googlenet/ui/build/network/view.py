"""The whole network as HTML: headline figures, a row for every layer, and what is remarkable about the chosen one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, Layer, LRNConfig, PoolConfig, Problem
from googlenet.models.draft import edited_layers
from googlenet.models.paper import Quoted, quoted
from googlenet.models.profile import COUNTING, Profile, Row, Totals
from googlenet.ui.common import figures
from googlenet.ui.common.templates import render

MOSTLY = 0.5  # of a window's taps on padding: from here on it is marked
_PAPERS_CLASSES = 1000
_PAPERS_KERNELS = {"conv1": 7, "conv2": 1, "conv3": 3}


@dataclass(frozen=True)
class LayerTotals:
    """A layer with its rows of the profile, their totals, and the totals of all layers up to it."""

    name: str
    rows: tuple[Row, ...]
    totals: Totals
    params_so_far: int
    macs_so_far: int
    aux: bool  # an auxiliary head
    most_padded: Row  # whose window sees most padding


def layer_totals(profile: Profile) -> Iterator[LayerTotals]:
    """The layers of a profile in order."""
    params = macs = 0
    totals = profile.by_layer()
    for name, group in itertools.groupby(profile.rows, key=lambda row: row.layer):
        rows = tuple(group)
        params += totals[name].params
        macs += 0 if rows[0].aux else totals[name].macs
        padded = max(rows, key=lambda row: row.padding_share)
        yield LayerTotals(name, rows, totals[name], params, macs, rows[0].aux, padded)


def summary(config: GoogLeNetConfig, profile: Profile, problems: list[Problem]) -> str:
    """HTML: the headline figures, or what is wrong."""
    if problems:
        first = problems[0].sentence.rstrip(".")
        rest = f" – the first of {len(problems)} such places" if len(problems) > 1 else ""
        return figures.message(f"{first}{rest}.")
    norm = "with batch norm" if config.batch_norm else "with biases"
    heads = f", {figures.si(profile.aux_params)} of them in heads" if config.aux else ""
    per = f"to classify one image of {figures.shape(profile.in_shape[1:])}"
    last = next(row for row in reversed(profile.rows) if not row.aux and row.name not in ("avgpool", "fc"))
    return figures.cards(
        [
            ("Parameters", figures.count(profile.params), norm + heads),
            ("Multiply-adds", figures.si(profile.macs), per),
            ("Activations", figures.size(profile.activation_bytes), "one image, every step, float32"),
            ("Last map", figures.shape(last.out_shape), "before the classifier"),
        ]
    )


# --- the table --------------------------------------------------------------------------------


@dataclass(frozen=True)
class TableRow:
    """A line of the table. `found` ends where arithmetic does, at the first `wrong` layer; a head has no `layer`."""

    name: str
    layer: Layer | None
    found: LayerTotals | None
    about: str
    wrong: str
    edited: bool
    selected: bool
    quote: Quoted | None


def table(config: GoogLeNetConfig, profile: Profile, problems: list[Problem], selected: str) -> str:
    """HTML: a row for each layer, as far as arithmetic goes. Rows with a `data-layer` can be chosen; `selected` is."""
    rows = table_rows(config, profile, problems, selected)
    heads = " Auxiliary heads count as parameters, but classifying does not run them." if config.aux else ""
    return render(
        "network/table.html",
        rows=rows,
        total=None if problems else profile,
        most=max((row.found.totals.macs for row in rows if row.found), default=0),
        mostly=MOSTLY,
        spaced=spaced,
        branch_classes={"": "", **figures.BRANCH_CLASSES},
        note=COUNTING + heads,
    )


def table_rows(
    config: GoogLeNetConfig, profile: Profile, problems: list[Problem], selected: str = ""
) -> list[TableRow]:
    """What `table` shows."""
    known = {found.name: found for found in layer_totals(profile)}
    layers = {layer.name: layer for layer in config.layers}
    wrong = {problem.layer: _in_short(problem) for problem in problems}
    edited = set(edited_layers(config))

    def row(name: str) -> TableRow:
        layer, found, quote = layers.get(name), known.get(name), quote_for(layers.get(name), name)
        if name == "fc" and found and found.totals.out_shape[0] != _PAPERS_CLASSES:
            quote = None
        about = describe(layer) if layer else "auxiliary head" if not found or found.aux else found.rows[0].label
        return TableRow(name, layer, found, about, wrong.get(name, ""), name in edited, name == selected, quote)

    return [row(name) for name in dict.fromkeys([*known, *layers, *wrong])]


def _in_short(problem: Problem) -> str:
    if problem.field != "in_channels" or problem.given is None:
        return problem.sentence
    return f"expects {problem.wanted:,} channels, {problem.given:,} arrive"


def quote_for(layer: Layer | None, name: str) -> Quoted | None:
    """What the paper quotes for the layer of that name, where it is the paper's kind of layer."""
    if isinstance(layer, ConvConfig) and layer.kernel != _PAPERS_KERNELS.get(name):
        return None
    return quoted(name)


def spaced(name: str) -> str:
    """inception4c → inception 4c."""
    return name.replace("inception", "inception ", 1)


def describe(layer: Layer) -> str:
    """A layer in a few words."""
    match layer:
        case InceptionConfig(naive=True):
            return "naive module"
        case InceptionConfig():
            return "module" if layer.ch5x5_variant == "5x5" else f"module, {layer.ch5x5_variant.replace('x', '×')}"
        case ConvConfig() | PoolConfig():
            kind = "convolution" if isinstance(layer, ConvConfig) else "max pool"
            stride = f", stride {layer.stride}" if layer.stride > 1 else ""
            return f"{layer.kernel}×{layer.kernel} {kind}{stride}"
        case LRNConfig():
            return "local response norm"


# --- beside the chosen layer ------------------------------------------------------------------


def remarks(layer: Layer, profile: Profile) -> str:
    """HTML: which windows of `layer` see padding, and what the paper quotes for it and why that differs."""
    padded = [row for row in profile.rows if row.layer == layer.name and row.padding_share]
    return render("network/remarks.html", padded=padded, quote=quote_for(layer, layer.name))
