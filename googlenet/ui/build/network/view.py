"""The whole network as HTML: headline figures, a row for every layer, and what is remarkable about the chosen one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, Layer, LRNConfig, PoolConfig, Problem
from googlenet.language import mark, tr
from googlenet.models.draft import edited_layers
from googlenet.models.paper import Quoted, quoted
from googlenet.models.profile import COUNTING, Profile, Row, Totals
from googlenet.ui.common import figures
from googlenet.ui.common.templates import render

MOSTLY = 0.5  # of a window's taps on padding: from here on it is marked
_PAPERS_CLASSES = 1000
# What modules are called by the windows of their 5×5 branch; layers without and with a stride.
_MODULES = {"5x5": mark("module"), "3x3": mark("module, 3×3"), "two 3x3": mark("module, two 3×3")}
_CONVOLUTIONS = mark("{kernel}×{kernel} convolution"), mark("{kernel}×{kernel} convolution, stride {stride}")
_POOLS = mark("{kernel}×{kernel} max pool"), mark("{kernel}×{kernel} max pool, stride {stride}")
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
        if len(problems) > 1:
            return figures.message(tr("{problem} – the first of {n} such places.", problem=first, n=len(problems)))
        return figures.message(f"{first}.")
    per = tr("to classify one image of {size}", size=figures.shape(profile.in_shape[1:]))
    last = next(row for row in reversed(profile.rows) if not row.aux and row.name not in ("avgpool", "fc"))
    return figures.cards(
        [
            (tr("Parameters"), figures.count(profile.params), _about_params(config, profile)),
            (tr("Multiply-adds"), figures.si(profile.macs), per),
            (tr("Activations"), figures.size(profile.activation_bytes), tr("one image, every step, float32")),
            (tr("Last map"), figures.shape(last.out_shape), tr("before the classifier")),
        ]
    )


def _about_params(config: GoogLeNetConfig, profile: Profile) -> str:
    if not config.aux:
        return tr("with batch norm") if config.batch_norm else tr("with biases")
    heads = figures.si(profile.aux_params)
    if config.batch_norm:
        return tr("with batch norm, {heads} of them in heads", heads=heads)
    return tr("with biases, {heads} of them in heads", heads=heads)


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
    notes = [tr(COUNTING)]
    if config.aux:
        notes.append(tr("Auxiliary heads count as parameters, but classifying does not run them."))
    return render(
        "network/table.html",
        rows=rows,
        total=None if problems else profile,
        most=max((row.found.totals.macs for row in rows if row.found), default=0),
        mostly=MOSTLY,
        spaced=spaced,
        branch_classes={"": "", **figures.BRANCH_CLASSES},
        note=" ".join(notes),
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
        part = found.rows[0].words if found and not found.aux else tr("auxiliary head")
        about = describe(layer) if layer else part
        return TableRow(name, layer, found, about, wrong.get(name, ""), name in edited, name == selected, quote)

    return [row(name) for name in dict.fromkeys([*known, *layers, *wrong])]


def _in_short(problem: Problem) -> str:
    if problem.field != "in_channels" or problem.given is None:
        return problem.sentence
    return tr("expects {wanted:,} channels, {given:,} arrive", wanted=problem.wanted, given=problem.given)


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
            return tr("naive module")
        case InceptionConfig():
            return tr(_MODULES[layer.ch5x5_variant])
        case ConvConfig() | PoolConfig():
            kind = _CONVOLUTIONS if isinstance(layer, ConvConfig) else _POOLS
            return tr(kind[layer.stride > 1], kernel=layer.kernel, stride=layer.stride)
        case LRNConfig():
            return tr("local response norm")


# --- beside the chosen layer ------------------------------------------------------------------


def remarks(layer: Layer, profile: Profile) -> str:
    """HTML: which windows of `layer` see padding, and what the paper quotes for it and why that differs."""
    padded = [row for row in profile.rows if row.layer == layer.name and row.padding_share]
    return render(
        "network/remarks.html",
        padded=", ".join(f"{tr(row.branch) or row.words} {100 * row.padding_share:.0f}%" for row in padded),
        size=figures.shape(padded[0].in_shape[1:]) if padded else "",
        quote=quote_for(layer, layer.name),
    )
