"""The whole network as HTML: headline figures, its drawing, and a row for every layer, to choose it for editing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, Layer, LRNConfig, PoolConfig, Problem
from googlenet.models.draft import edited_layers
from googlenet.models.paper import Quoted, quoted
from googlenet.models.profile import COUNTING, Profile, Row, Totals
from googlenet.ui.common import figures

MOSTLY = 0.5  # of a window's taps on padding: from here on it is marked
_PAPERS_CLASSES = 1000
_PAPERS_KERNELS = {"conv1": 7, "conv2": 1, "conv3": 3}


@dataclass(frozen=True)
class Line:
    """A layer with its rows of the profile, its sums, and the sums of all layers up to it."""

    name: str
    rows: tuple[Row, ...]
    sums: Totals
    params_so_far: int
    macs_so_far: int

    @property
    def aux(self) -> bool:
        """Whether it is an auxiliary head."""
        return self.rows[0].aux

    @property
    def most_padded(self) -> Row:
        """The row whose window sees most padding."""
        return max(self.rows, key=lambda row: row.padding_share)


def lines(profile: Profile) -> Iterator[Line]:
    """The layers of a profile in order."""
    rows: dict[str, list[Row]] = {}
    for row in profile.rows:
        rows.setdefault(row.layer, []).append(row)
    params = macs = 0
    for name, sums in profile.by_layer().items():
        params += sums.params
        macs += 0 if rows[name][0].aux else sums.macs
        yield Line(name, tuple(rows[name]), sums, params, macs)


def summary(config: GoogLeNetConfig, profile: Profile, problems: list[Problem]) -> str:
    """HTML: the headline figures, or what is wrong."""
    if problems:
        first = problems[0].sentence.rstrip(".")
        rest = f" – the first of {len(problems)} such places" if len(problems) > 1 else ""
        return f"<div class='gl-answer'>{figures.message(f'{first}{rest}.')}</div>"
    norm = "with batch norm" if config.batch_norm else "with biases"
    heads = f", {figures.si(profile.aux_params)} of them in heads" if config.aux else ""
    per = f"to classify one image of {figures.shape(profile.in_shape[1:])}"
    last = next(row for row in reversed(profile.rows) if not row.aux and row.name not in ("avgpool", "fc"))
    cards = [
        ("Parameters", figures.count(profile.params), norm + heads),
        ("Multiply-adds", figures.si(profile.macs), per),
        ("Activations", figures.size(profile.activation_bytes), "one image, every step, float32"),
        ("Last map", figures.shape(last.out_shape), "before the classifier"),
    ]
    return f"<div class='gl-answer'>{figures.cards(cards)}</div>"


# --- the table --------------------------------------------------------------------------------


def table(config: GoogLeNetConfig, profile: Profile, problems: list[Problem], selected: str) -> str:
    """HTML: a row for each layer, as far as arithmetic goes. Rows with a `data-layer` can be chosen; `selected` is."""
    known = {line.name: line for line in lines(profile)}
    layers = {layer.name: layer for layer in config.layers}
    wrong = {problem.layer: _told(problem) for problem in problems}
    most = max((line.sums.macs for line in known.values()), default=0)
    edited = set(edited_layers(config))
    order = [*known, *(name for name in (*layers, *wrong) if name not in known)]
    rows = "".join(
        _row(name, layers.get(name), known.get(name), wrong.get(name, ""), most, name in edited, name == selected)
        for name in dict.fromkeys(order)
    )
    foot = "" if problems else _foot(profile)
    html = (
        "<table class='gl-table gl-network'><thead><tr><th>Layer</th><th>output</th>"
        "<th class='gl-n'>parameters<small>so far</small></th><th class='gl-n'>multiply-adds<small>so far</small></th>"
        "<th>share of multiply-adds</th>"
        "<th class='gl-n' title='of the taps of its window, over all positions'>sees<small>padding</small></th>"
        "<th class='gl-n' title='Szegedy et al. 2015, Table 1: its claim, not computed here'>quoted"
        f"<small>from the paper</small></th></tr></thead><tbody>{rows}</tbody>{foot}</table>"
    )
    heads = " Auxiliary heads count as parameters, but classifying does not run them." if config.aux else ""
    note = f"<p class='gl-note'>{escape(COUNTING + heads)}</p>"
    return f"<div class='gl-answer'>{figures.scroll_box(html, 'Layers of the network')}{note}</div>"


def _told(problem: Problem) -> str:
    if problem.field != "in_channels" or problem.given is None:
        return problem.sentence
    return f"expects {problem.wanted:,} channels, {problem.given:,} arrive"


def _row(name: str, layer: Layer | None, line: Line | None, wrong: str, most: int, edited: bool, selected: bool) -> str:
    marks = " ".join(
        key for key, on in (("gl-on", selected), ("gl-wrong", wrong), ("gl-after", not (line or wrong))) if on
    )
    chosen = f" data-layer='{escape(name)}'" if layer else ""
    title = f"<button type='button' aria-pressed='{str(selected).lower()}'>{spoken(name)}</button>" if layer else name
    about = what(layer) if layer else "auxiliary head" if not line or line.aux else line.rows[0].label
    if edited:
        about += " <b class='gl-edited'>edited</b>"
    if wrong:
        cells = f"<td colspan='6' class='gl-why'>{escape(wrong)}</td>"
    elif line is None:
        cells = "<td colspan='6'></td>"
    else:
        cells = _figures(line, most) + _padding(line) + _quote(layer, line)
    return f"<tr class='{marks}'{chosen}><th>{title}<small>{about}</small></th>{cells}</tr>"


def _figures(line: Line, most: int) -> str:
    sums = line.sums
    params = figures.count(sums.params) if sums.params else "–"
    macs = figures.si(sums.macs) if sums.macs else "–"
    so_far = "training only" if line.aux else figures.si(line.macs_so_far)
    return (
        f"<td>{figures.shape(sums.out_shape)}</td>"
        f"<td class='gl-n'>{params}<small>{figures.count(line.params_so_far)}</small></td>"
        f"<td class='gl-n'>{macs}<small>{so_far}</small></td><td>{_bar(line, most)}</td>"
    )


def _bar(line: Line, most: int) -> str:
    """The layer's multiply-adds by branch; the costliest layer spans the column."""
    parts = "".join(
        f"<i class='{figures.BRANCH_CLASSES.get(row.branch, 'gl-b0')}' style='width:{100 * row.macs / most:.2f}%' "
        f"title='{row.branch or row.label}: {figures.si(row.macs)}'></i>"
        for row in line.rows
        if row.macs
    )
    return parts and f"<div class='gl-strip'>{parts}</div>"


def _padding(line: Line) -> str:
    row = line.most_padded
    if not row.padding_share:
        return "<td class='gl-n'>–</td>"
    share = f"{100 * row.padding_share:.0f}%"
    mark = " gl-mostly" if row.padding_share > MOSTLY else ""
    window = f"{row.kernel}×{row.kernel}"
    return f"<td class='gl-n'><b class='gl-pad{mark}'>{share}</b><small>of its {window}</small></td>"


def quote_for(layer: Layer | None, name: str) -> Quoted | None:
    """What the paper quotes for the layer of that name, where it is the paper's kind of layer."""
    if isinstance(layer, ConvConfig) and layer.kernel != _PAPERS_KERNELS.get(name):
        return None
    return quoted(name)


def _quote(layer: Layer | None, line: Line) -> str:
    quote = quote_for(layer, line.name)
    if quote is None or (line.name == "fc" and line.sums.out_shape[0] != _PAPERS_CLASSES):
        return "<td></td>"
    if line.name != quote.layers[-1]:
        return f"<td class='gl-n gl-quote'><small>with {quote.layers[-1]}</small></td>"
    return f"<td class='gl-n gl-quote' title='{escape(quote.reason)}'>{quote.params}<small>{quote.ops} ops</small></td>"


def _foot(profile: Profile) -> str:
    return (
        f"<tfoot><tr><th>total</th><td></td><td class='gl-n'>{figures.count(profile.params)}</td>"
        f"<td class='gl-n'>{figures.si(profile.macs)}</td><td></td><td></td><td></td></tr></tfoot>"
    )


def spoken(name: str) -> str:
    """inception4c → inception 4c; escaped."""
    return escape(name.replace("inception", "inception ", 1))


def what(layer: Layer) -> str:
    """A layer in a few words."""
    match layer:
        case InceptionConfig(naive=True):
            return "naive module"
        case InceptionConfig():
            return "module" if layer.ch5x5_variant == "5x5" else f"module, {layer.ch5x5_variant.replace('x', '×')}"
        case ConvConfig():
            return f"{layer.kernel}×{layer.kernel} convolution{_stride(layer.stride)}"
        case PoolConfig():
            return f"{layer.kernel}×{layer.kernel} max pool{_stride(layer.stride)}"
        case LRNConfig():
            return "local response norm"


def _stride(stride: int) -> str:
    return f", stride {stride}" if stride > 1 else ""


# --- beside the chosen layer ------------------------------------------------------------------


def remarks(layer: Layer, profile: Profile) -> str:
    """HTML: which windows of `layer` see padding, and what the paper quotes for it and why that differs."""
    rows = [row for row in profile.rows if row.layer == layer.name and row.padding_share]
    shares = ", ".join(f"{row.branch or row.label} {100 * row.padding_share:.0f}%" for row in rows)
    told = f"<p>Taps on padding: {shares}, on a map of {figures.shape(rows[0].in_shape[1:])}.</p>" if rows else ""
    quote = quote_for(layer, layer.name)
    if quote:
        told += (
            f"<p><b>Quoted</b> from the paper, {escape(quote.row)}: {quote.params} parameters, {quote.ops} ops "
            f"at 224×224. {escape(quote.reason)}</p>"
        )
    return f"<div class='gl-answer gl-remarks'>{told}</div>"
