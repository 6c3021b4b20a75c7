"""What the Build tab explains, as HTML: the sums of a step, a stride forgotten, and naive held against reduced."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from googlenet.lessons.arithmetic import KEEPING, Calculation, calculations, savings
from googlenet.models.profile import BRANCHES, Profile, Row
from googlenet.ui.common import figures

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from googlenet.models.profile.measure import Race


def step_html(profile: Profile, row: Row) -> str:
    """HTML: the sums of one step, rule and numbers side by side."""
    where = f"{row.label}, {row.branch} branch" if row.branch else row.label
    shapes = f"{figures.shape(row.in_shape)} → {figures.shape(row.out_shape)}" if row.branch else ""
    sums = "".join(calculation_html(found) for found in calculations(profile, row))
    colour = figures.BRANCH_CLASSES.get(row.branch, "gl-no-branch")
    return (
        f"<section class='gl-sums {colour}' aria-live='polite'><h4><i></i>{escape(where)} <span>{shapes}</span></h4>"
        f"<dl>{sums}</dl></section>"
    )


def calculation_html(found: Calculation) -> str:
    """HTML of one sum, for a `<dl>` inside `.gl-sums`."""
    result = f"{found.result:,}"
    if found.unit in ("bytes", "channels"):
        result += f" {found.unit}"
    readable = f" ({figures.size(found.result)})" if found.unit == "bytes" and found.result >= 1024 else ""
    remark = f"<small>{escape(found.remark)}</small>" if found.remark else ""
    return (
        f"<div><dt>{found.name}<small>{escape(found.rule)}</small></dt>"
        f"<dd><code>{escape(found.worked)}</code> = <b>{result}</b>{readable}{remark}</dd></div>"
    )


def misfit_html(sentence: str) -> str:
    """HTML of why the concatenation fails, in our words; nothing when it does not."""
    if not sentence:
        return ""
    return f"<div class='gl-message gl-misfit' role='status'><b>The concatenation fails.</b> {escape(sentence)}</div>"


def torch_says_html(error: str) -> str:
    """HTML of torch's own words for it."""
    return f"<div class='gl-torch-says'><span>torch says</span><code>{escape(error)}</code></div>" if error else ""


def padding_html(found: Calculation, side: int, kernel: int, padding: int, stride: int) -> str:
    """HTML: the side after a window, and which padding would have kept it."""
    pairs = " ".join(
        f"<span class='gl-pair{' gl-here' if (kernel, padding) == pair else ''}'>{pair[0]}:{pair[1]}</span>"
        for pair in KEEPING.items()
    )
    kept = found.result == side
    if found.result < 1:
        verdict = "The window is larger than the padded map: torch refuses it."
    elif kept:
        verdict = "The size stays: a branch like this can be concatenated."
    else:
        change = side - found.result
        verdict = f"{'Smaller' if change > 0 else 'Larger'} by {abs(change):,}: it does not fit beside the others."
        if kernel in KEEPING and stride == 1:
            verdict += f" A {kernel}×{kernel} window keeps the size with padding {KEEPING[kernel]}."
    mark = "gl-agrees" if kept else "gl-differs"
    return (
        f"<div class='gl-padding {mark}'><p><code>{escape(found.worked)}</code> = <b>{found.result:,}</b></p>"
        f"<p>{verdict}</p><p class='gl-note'>kernel:padding that keep the size at stride 1: {pairs}</p></div>"
    )


def twins_html(naive: Profile, reduced: Profile) -> str:
    """HTML: both kinds of module with the same 1×1, 3×3 and 5×5 channels, as bars and sentences."""
    amounts = (
        ("Parameters", naive.params, reduced.params, figures.count),
        ("Multiply-adds", naive.macs, reduced.macs, figures.si),
        ("Activations", naive.activation_bytes, reduced.activation_bytes, figures.size),
    )
    rows = "".join(
        f"<tbody><tr><th rowspan='2'>{name}</th><td>naive</td><td>{_bar(naive, one, max(one, two), name)}</td>"
        f"<td class='gl-n'>{write(one)}</td></tr><tr><td>reduced</td><td>{_bar(reduced, two, max(one, two), name)}</td>"
        f"<td class='gl-n'>{write(two)} <b>{_change(one, two)}</b></td></tr></tbody>"
        for name, one, two, write in amounts
    )
    said = "".join(f"<li>{escape(sentence)}.</li>" for sentence in savings(naive, reduced))
    memory = "Activations are every step's output, those of the reductions too; grey is the concatenation's own copy."
    return (
        f"<div class='gl-twins'><table aria-label='naive against reduced'>{rows}</table><ul>{said}</ul>"
        f"<p class='gl-note'>Both give the same channels from their 1×1, 3×3 and 5×5 branches on the same input; the "
        f"naive pool branch hands on all channels that arrive. {memory}</p></div>"
    )


def _change(before: float, after: float) -> str:
    ratio = before / after
    if 0.95 < ratio < 1.05:
        return "about the same"
    return f"{ratio:.1f}× less" if ratio > 1 else f"{1 / ratio:.1f}× more"


def _bar(profile: Profile, amount: float, full: float, name: str) -> str:
    """A bar of `amount`, split as the branches split it."""
    branches = profile.by_branch()
    attribute = {"Parameters": "params", "Multiply-adds": "macs", "Activations": "activation_bytes"}[name]
    parts = {branch: getattr(branches[branch], attribute) for branch in BRANCHES}
    rest = amount - sum(parts.values())  # the concatenation's own copy
    split = [
        (f"{branch}: {figures.percent(part, amount)}", part, figures.BRANCH_COLOURS[branch])
        for branch, part in parts.items()
    ]
    split.append((f"concatenation: {figures.percent(rest, amount)}", rest, "var(--gl-quiet)"))
    return figures.stacked_bar(split, f"{name}: {figures.percent(amount, full)} of the larger", full=full)


NOT_TIMED = ""


def race_html(race: Race) -> str:
    """HTML: what a forward pass of each took, and how they compare."""
    ratio = race.naive / race.reduced
    word = f"is {ratio:.2f}× as fast" if ratio >= 1 else f"takes {1 / ratio:.2f}× as long"
    return (
        f"<p class='gl-raced'>naive <b>{figures.duration(race.naive)}</b>, reduced "
        f"<b>{figures.duration(race.reduced)}</b>: the reduced module <b>{word}</b>. <span>Median of {race.rounds} "
        f"forward passes each, in turns, on {escape(race.device)}.</span></p>"
    )
