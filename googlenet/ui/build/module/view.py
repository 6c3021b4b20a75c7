"""The Build tab's answers as HTML: one module step by step, a whole network layer by layer, a run through torch."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from googlenet.lessons.arithmetic import misfit
from googlenet.models.profile import COUNTING, Profile, Row, Totals
from googlenet.ui.build.module.drawing import READING
from googlenet.ui.common import figures

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from googlenet.models.profile.measure import Measured


def headline(profile: Profile) -> str:
    """HTML: how the picture is read, and the module's figures in large."""
    output = figures.shape(profile.out_shape), "channels × height × width"
    if misfit(profile):
        output = "none", "the branches do not fit"
    cards = figures.cards(
        [
            ("Parameters", figures.count(profile.params), "weights and biases"),
            ("Multiply-adds", figures.si(profile.macs), f"per image of {figures.shape(profile.in_shape[1:])}"),
            ("Activations", figures.size(profile.activation_bytes), f"batch of {profile.batch:,}, every step, float32"),
            ("Output", *output),
        ]
    )
    return f"<p class='gl-note gl-reading'>{READING}</p>{cards}"


def steps_answer(profile: Profile, chosen: str) -> str:
    """HTML: where the multiply-adds go, and the table of steps, each of which can be chosen."""
    macs = {branch: sums.macs for branch, sums in profile.by_branch().items()}
    legend = _legend({branch: figures.percent(part, profile.macs) for branch, part in macs.items()})
    return (
        f"<div class='gl-answer'><div><h4>Where the multiply-adds go</h4>"
        f"{_branch_bar(macs, 'Share of the multiply-adds by branch')}{legend}</div>"
        f"{_steps(profile, chosen)}<p class='gl-note'>{escape(COUNTING)}</p></div>"
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


def _steps(profile: Profile, chosen: str) -> str:
    """The table of steps, under a row of sums for each branch."""
    head = (
        "<thead><tr><th>Step</th><th title='window size, step between windows, zeros added around the map'>"
        "kernel / stride / pad</th><th>channels</th><th>output</th><th class='gl-n'>parameters</th>"
        "<th class='gl-n'>multiply-adds</th><th>share of cost</th></tr></thead>"
    )
    bodies = "".join(
        f"<tbody class='{figures.BRANCH_CLASSES[branch]}'>{_branch_sums(branch, sums, profile)}"
        + "".join(_step(row, profile, chosen) for row in profile.rows if row.branch == branch)
        + "</tbody>"
        for branch, sums in profile.by_branch().items()
    )
    output = "do not fit" if misfit(profile) else figures.shape(profile.out_shape)
    foot = (
        f"<tfoot><tr><th colspan='3'>all branches, concatenated</th><td>{output}</td>"
        f"<td class='gl-n'>{figures.count(profile.params)}</td><td class='gl-n'>{figures.si(profile.macs)}</td>"
        f"<td></td></tr></tfoot>"
    )
    return figures.scroll_box(f"<table class='gl-table'>{head}{bodies}{foot}</table>", "Steps of the module")


def _branch_sums(branch: str, sums: Totals, profile: Profile) -> str:
    return (
        f"<tr class='gl-group'><th colspan='3'><i></i>{branch} branch</th><td>{figures.shape(sums.out_shape)}</td>"
        f"<td class='gl-n'>{figures.count(sums.params)}</td><td class='gl-n'>{figures.si(sums.macs)}</td>"
        f"<td>{figures.percent(sums.macs, profile.macs)}</td></tr>"
    )


def _step(row: Row, profile: Profile, chosen: str) -> str:
    share = figures.percent(row.macs, profile.macs)
    part = (f"{row.label}: {share}", row.macs, figures.BRANCH_COLOURS[row.branch])
    bar = figures.stacked_bar([part], f"{share} of the multiply-adds", full=profile.macs)
    pressed = str(row.name == chosen).lower()
    button = f"<button type='button' data-step='{escape(row.name)}' aria-pressed='{pressed}'>{row.label}</button>"
    return (
        f"<tr><td>{button}</td><td>{row.kernel} / {row.stride} / {row.padding}</td>"
        f"<td>{row.in_channels:,} → {row.out_channels:,}</td><td>{figures.shape(row.out_shape)}</td>"
        f"<td class='gl-n'>{figures.count(row.params)}</td><td class='gl-n'>{figures.si(row.macs)}</td>"
        f"<td>{bar}</td></tr>"
    )


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
