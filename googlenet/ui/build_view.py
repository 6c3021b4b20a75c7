"""The Build tab's answers as HTML: one module step by step, a whole network layer by layer, a run through torch."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from googlenet.config import GoogLeNetConfig, InceptionConfig
from googlenet.models.profile import BRANCHES, COUNTING, Profile, Row, Sums, profile_module
from googlenet.ui import figures

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from googlenet.models.measure import Measured


def module_answer(config: InceptionConfig, profile: Profile) -> str:
    """HTML: headline figures, the module's drawing with its concatenation, where the cost goes, the table of steps."""
    headline = figures.cards(
        [
            ("Parameters", figures.count(profile.params), "weights and biases"),
            ("Multiply-adds", figures.si(profile.macs), f"per image of {figures.shape(profile.in_shape[1:])}"),
            ("Activations", figures.size(profile.activation_bytes), f"batch of {profile.batch:,}, every step, float32"),
            ("Output", figures.shape(profile.out_shape), "channels × height × width"),
        ]
    )
    return (
        f"<div class='gl-answer'>{headline}{_drawing(config, profile)}{_costs(config, profile)}"
        f"{_steps(profile)}<p class='gl-note'>{escape(COUNTING)}</p></div>"
    )


def _drawing(config: InceptionConfig, profile: Profile) -> str:
    """The module as figure 2 of the paper draws it: input on top, branches side by side, one output."""
    lanes = "".join(
        f"<div class='gl-lane {figures.BRANCH_CLASSES[branch]}'>"
        + "".join(_step_box(row) for row in profile.rows if row.branch == branch)
        + "</div>"
        for branch in BRANCHES
    )
    widths = dict(zip(BRANCHES, config.branch_channels, strict=True))
    terms = " + ".join(
        f"<span class='gl-term {figures.BRANCH_CLASSES[branch]}' title='{branch} branch'>{width:,}</span>"
        for branch, width in widths.items()
    )
    joined = _branch_bar(widths, "Share of the output channels by branch")
    about = escape(f"Inception module: {figures.shape(profile.in_shape)} in, {figures.shape(profile.out_shape)} out")
    return (
        f"<figure class='gl-module'><div role='img' aria-label='{about}'>"
        f"<div class='gl-end'>input <b>{figures.shape(profile.in_shape)}</b></div>"
        f"<div class='gl-lanes'>{lanes}</div>{joined}"
        f"<div class='gl-end'>concatenated <b>{figures.shape(profile.out_shape)}</b></div></div>"
        f"<figcaption class='gl-sum'>{terms} = <b>{config.out_channels:,}</b> channels</figcaption></figure>"
    )


def _step_box(row: Row) -> str:
    label = row.label.replace("convolution", "conv")
    return f"<div class='gl-step'><b>{escape(label)}</b><span>{row.in_channels:,} → {row.out_channels:,}</span></div>"


def _costs(config: InceptionConfig, profile: Profile) -> str:
    """Whose multiply-adds they are, and what the same widths would cost in the other kind of module."""
    branches = profile.by_branch()
    macs = {branch: branches[branch].macs for branch in BRANCHES}
    legend = _legend({branch: figures.percent(part, profile.macs) for branch, part in macs.items()})
    return (
        f"<div class='gl-costs'><h4>Where the multiply-adds go</h4>"
        f"{_branch_bar(macs, 'Share of the multiply-adds by branch')}{legend}"
        f"{_without_reductions(config, profile)}</div>"
    )


def _without_reductions(config: InceptionConfig, profile: Profile) -> str:
    if config.naive:
        return (
            f"<p>The pool branch costs nothing but passes all {config.in_channels:,} channels on, so every module is "
            f"wider than the one before it. A 1×1 projection after the pool cures that.</p>"
        )
    naive = InceptionConfig.make_naive("naive", config.in_channels, config.ch1x1, config.ch3x3, config.ch5x5)
    other = profile_module(naive, *profile.in_shape[1:])
    return (
        f"<p>Without the 1×1 reductions the same widths would take {figures.multiply_adds(other.macs)}, "
        f"<b>{other.macs / profile.macs:.1f}×</b> as many, and give {other.out_shape[0]:,} channels.</p>"
    )


def _legend(remarks: dict[str, str]) -> str:
    """Each branch's colour, name and remark."""
    items = "".join(
        f"<li class='{figures.BRANCH_CLASSES[branch]}'><i></i>{branch} <b>{remark}</b></li>"
        for branch, remark in remarks.items()
    )
    return f"<ul class='gl-legend'>{items}</ul>"


def _branch_bar(amounts: dict[str, int], title: str) -> str:
    total = sum(amounts.values())
    parts = [
        (f"{branch}: {figures.percent(amount, total)}", amount, figures.BRANCH_COLOURS[branch])
        for branch, amount in amounts.items()
    ]
    return figures.stacked_bar(parts, title)


def _steps(profile: Profile) -> str:
    """The table of steps, under a row of sums for each branch."""
    head = (
        "<thead><tr><th>Step</th><th title='window size, step between windows, zeros added around the map'>"
        "kernel / stride / pad</th><th>channels</th><th>output</th><th class='gl-n'>parameters</th>"
        "<th class='gl-n'>multiply-adds</th><th>share of cost</th></tr></thead>"
    )
    bodies = "".join(
        f"<tbody class='{figures.BRANCH_CLASSES[branch]}'>{_branch_sums(branch, sums, profile)}"
        + "".join(_step(row, profile) for row in profile.rows if row.branch == branch)
        + "</tbody>"
        for branch, sums in profile.by_branch().items()
    )
    end = profile.rows[-1]
    foot = (
        f"<tfoot><tr><th colspan='3'>all branches, concatenated</th><td>{figures.shape(end.out_shape)}</td>"
        f"<td class='gl-n'>{figures.count(profile.params)}</td><td class='gl-n'>{figures.si(profile.macs)}</td>"
        f"<td></td></tr></tfoot>"
    )
    return figures.scroll_box(f"<table class='gl-table'>{head}{bodies}{foot}</table>", "Steps of the module")


def _branch_sums(branch: str, sums: Sums, profile: Profile) -> str:
    return (
        f"<tr class='gl-group'><th colspan='3'><i></i>{branch} branch</th><td>{figures.shape(sums.out_shape)}</td>"
        f"<td class='gl-n'>{figures.count(sums.params)}</td><td class='gl-n'>{figures.si(sums.macs)}</td>"
        f"<td>{figures.percent(sums.macs, profile.macs)}</td></tr>"
    )


def _step(row: Row, profile: Profile) -> str:
    share = figures.percent(row.macs, profile.macs)
    part = (f"{row.label}: {share}", row.macs, figures.BRANCH_COLOURS[row.branch])
    bar = figures.stacked_bar([part], f"{share} of the multiply-adds", full=profile.macs)
    return (
        f"<tr><td>{row.label}</td><td>{row.kernel} / {row.stride} / {row.padding}</td>"
        f"<td>{row.in_channels:,} → {row.out_channels:,}</td><td>{figures.shape(row.out_shape)}</td>"
        f"<td class='gl-n'>{figures.count(row.params)}</td><td class='gl-n'>{figures.si(row.macs)}</td>"
        f"<td>{bar}</td></tr>"
    )


def network_answer(config: GoogLeNetConfig, profile: Profile) -> str:
    """HTML: headline figures of a network and its table of layers, Inception modules split by branch colour."""
    headline = figures.cards(
        [
            (
                "Parameters",
                figures.count(profile.params),
                "with batch norm" if config.batch_norm else "with biases",
            ),
            ("Multiply-adds", figures.si(profile.macs), f"per image of {figures.shape(profile.in_shape[1:])}"),
            ("Layers", str(len(config.layers)), "stem, pools and Inception modules"),
            ("Classes", f"{config.num_classes:,}", "outputs of the last linear layer"),
        ]
    )
    layers = profile.by_layer()
    most = max(sums.macs for sums in layers.values())
    rows = "".join(_layer(name, sums, profile, most) for name, sums in layers.items())
    table = (
        "<table class='gl-table gl-layers'><thead><tr><th>Layer</th><th>what it is</th><th>output</th>"
        "<th class='gl-n'>parameters</th><th class='gl-n'>multiply-adds</th>"
        "<th>share of multiply-adds</th></tr></thead>"
        f"<tbody>{rows}</tbody><tfoot><tr><th>total</th><td></td><td></td>"
        f"<td class='gl-n'>{figures.count(profile.params)}</td><td class='gl-n'>{figures.si(profile.macs)}</td>"
        "<td></td></tr></tfoot></table>"
    )
    return (
        f"<div class='gl-answer'>{headline}{_legend(dict.fromkeys(BRANCHES, ''))}"
        f"{figures.scroll_box(table, 'Layers of the network')}"
        f"<p class='gl-note'>{escape(COUNTING)}</p></div>"
    )


def _layer(name: str, sums: Sums, profile: Profile, most: int) -> str:
    """A row; `most` is the multiply-adds of the costliest layer, whose bar spans the column."""
    rows = [row for row in profile.rows if row.layer == name]
    module = len(rows) > 1
    parts = [(f"{row.branch or row.label}: {figures.multiply_adds(row.macs)}", row.macs, _colour(row)) for row in rows]
    bar = figures.stacked_bar(parts, f"{name}: {figures.multiply_adds(sums.macs)}", full=most)
    params = figures.count(sums.params) if sums.params else ""
    macs, share = (figures.si(sums.macs), figures.percent(sums.macs, profile.macs)) if sums.macs else ("", "")
    return (
        f"<tr><th>{escape(name.replace('inception', 'inception '))}</th>"
        f"<td>{'Inception module' if module else _what(rows[0])}</td>"
        f"<td>{figures.shape(sums.out_shape)}</td><td class='gl-n'>{params}</td><td class='gl-n'>{macs}</td>"
        f"<td class='gl-share'>{bar}<span>{share}</span></td></tr>"
    )


def _colour(row: Row) -> str:
    return figures.BRANCH_COLOURS.get(row.branch, "var(--gl-quiet)")


def _what(row: Row) -> str:
    return row.label + (f", stride {row.stride}" if row.stride > 1 else "")


NOT_MEASURED = (
    "<p class='gl-note'>Torch builds exactly this module, passes a batch of random images through it, "
    "and its figures are held against those above.</p>"
)


def measured_answer(measured: Measured, profile: Profile) -> str:
    """HTML: what torch gave, each figure marked with whether the arithmetic said the same."""
    pairs = (
        ("Input", measured.in_shape, (profile.batch, *profile.in_shape), figures.shape),
        ("Output", measured.out_shape, (profile.batch, *profile.out_shape), figures.shape),
        ("Parameters", measured.params, profile.params, figures.count),
    )
    rows = "".join(
        f"<li class='{'gl-agrees' if got == said else 'gl-differs'}'><span>{name}</span> <b>{write(got)}</b> "
        + ("<em>✓ as calculated</em>" if got == said else f"<em>✗ calculated: {write(said)}</em>")
        + "</li>"
        for name, got, said, write in pairs
    )
    speed = figures.multiply_adds(profile.macs * profile.batch / measured.seconds)
    return (
        f"<ul class='gl-measured'>{rows}<li><span>Time</span> <b>{figures.duration(measured.seconds)}</b> "
        f"<em>one forward pass of the batch on {escape(measured.device)}: {speed} per second</em></li></ul>"
    )
