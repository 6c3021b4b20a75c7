"""What the page says of one module, as HTML from `templates/module/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from googlenet.language import tr
from googlenet.lessons.arithmetic import KEEPING, Calculation, calculations, misfit, savings
from googlenet.models.profile import COUNTING, Profile, Row
from googlenet.ui.build.module.drawing import NARROW, WIDE, draw_module
from googlenet.ui.build.module.form import OWN, Form, name_of, shown_name
from googlenet.ui.common import figures
from googlenet.ui.common.templates import render

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from googlenet.models.profile.measure import Measured, Race


def headline(profile: Profile) -> Markup:
    """The module's figures in large."""
    output = figures.shape(profile.out_shape), tr("channels × height × width")
    if misfit(profile):
        output = tr("none"), tr("the branches do not fit")
    image = tr("per image of {size}", size=figures.shape(profile.in_shape[1:]))
    kept = tr("batch of {n:,}, every step, float32", n=profile.batch)
    cards = [
        (tr("Parameters"), figures.count(profile.params), tr("weights and biases")),
        (tr("Multiply-adds"), figures.si(profile.macs), image),
        (tr("Activations"), figures.size(profile.activation_bytes), kept),
        (tr("Output"), *output),
    ]
    return figures.cards(cards)


def picture(form: Form, profile: Profile, forgotten: bool, step: str) -> Markup:
    """Both layouts of the drawing; `step` is the row that is chosen."""
    config, name = form.config(), name_of(form)
    own = tr("a module of your own, naive,") if config.naive else tr("a module of your own, with 1×1 reductions,")
    widths = (config.in_channels, config.ch1x1, config.ch3x3red, config.ch3x3, config.ch5x5red, config.ch5x5)
    return render(
        "module/picture.html",
        sheets=[draw_module(profile, layout) for layout in (WIDE, NARROW)],
        step=step,
        title=tr("Naive Inception module") if config.naive else tr("Inception module with 1×1 reductions"),
        description=_description(profile),
        file_name="-".join(["inception", *(str(width) for width in (*widths, config.pool_proj) if width)]),
        state=form.link(forgotten),
        shown=own if name == OWN else shown_name(name),
        profile=profile,
    )


def _description(profile: Profile) -> str:
    """The drawing for those who cannot see it."""
    lanes = []
    for branch, totals in profile.by_branch().items():
        steps = [
            tr("{step} {arriving:,} to {leaving:,}", step=row.words, arriving=row.in_channels, leaving=row.out_channels)
            for row in profile.rows
            if row.branch == branch
        ]
        lanes.append(
            tr(
                "{branch} branch: {steps}, {share} of the multiply-adds.",
                branch=tr(branch),
                steps=tr(", then ").join(steps),
                share=figures.percent(totals.macs, profile.macs),
            )
        )
    arriving, leaving = figures.shape(profile.in_shape), figures.shape(profile.out_shape)
    return " ".join([tr("Input {shape}.", shape=arriving), *lanes, tr("Concatenated: {shape}.", shape=leaving)])


def steps(profile: Profile, step: str) -> Markup:
    """Where the multiply-adds go, and the table of steps, each of which can be chosen."""
    shares = [
        (f"{tr(branch)}: {figures.percent(totals.macs, profile.macs)}", totals.macs, figures.BRANCH_COLOURS[branch])
        for branch, totals in profile.by_branch().items()
    ]
    output = tr("do not fit") if misfit(profile) else figures.shape(profile.out_shape)
    return render("module/steps.html", profile=profile, step=step, shares=shares, output=output, counting=tr(COUNTING))


def step_calculations(profile: Profile, row: Row) -> Markup:
    """How the figures of one step are worked out, rule and numbers side by side."""
    return render("module/calculations.html", row=row, found=calculations(profile, row))


def misfit_html(sentence: str) -> Markup:
    """Why the concatenation fails, in our words; nothing when it does not."""
    return render("module/misfit.html", sentence=sentence)


def torch_says(error: str, heading: str) -> Markup:
    """Torch's own words for it, below a heading."""
    return render("module/torch_says.html", error=error, heading=heading)


def note(text: str) -> Markup:
    """A remark in small print."""
    return render("module/note.html", text=text)


def padding(found: Calculation, side: int, kernel: int, padding: int, stride: int) -> Markup:
    """The side after a window, and which padding would have kept it."""
    kept = found.result == side
    if found.result < 1:
        remark = tr("The window is larger than the padded map: torch refuses it.")
    elif kept:
        remark = tr("The size stays: a branch like this can be concatenated.")
    else:
        change = side - found.result
        if change > 0:
            remark = tr("Smaller by {n:,}: it does not fit beside the others.", n=change)
        else:
            remark = tr("Larger by {n:,}: it does not fit beside the others.", n=-change)
        if kernel in KEEPING and stride == 1:
            keeping = {"kernel": kernel, "padding": KEEPING[kernel]}
            remark += " " + tr("A {kernel}×{kernel} window keeps the size with padding {padding}.", **keeping)
    here = kernel if KEEPING.get(kernel) == padding else None
    return render("module/padding.html", found=found, kept=kept, remark=remark, keeping=KEEPING, here=here)


def twins(naive: Profile, reduced: Profile) -> Markup:
    """Both kinds of module with the same 1×1, 3×3 and 5×5 channels, as bars and sentences."""
    rows = []
    for name, field, write in (
        (tr("Parameters"), "params", figures.count),
        (tr("Multiply-adds"), "macs", figures.si),
        (tr("Activations"), "activation_bytes", figures.size),
    ):
        one, two = getattr(naive, field), getattr(reduced, field)
        bars = [_bar(profile, field, name, max(one, two)) for profile in (naive, reduced)]
        rows.append((name, bars, (write(one), write(two)), _change(one, two)))
    return render("module/twins.html", rows=rows, sentences=savings(naive, reduced))


def _change(before: float, after: float) -> str:
    ratio = before / after
    if 0.95 < ratio < 1.05:
        return tr("about the same")
    return tr("{times:.1f}× less", times=ratio) if ratio > 1 else tr("{times:.1f}× more", times=1 / ratio)


def _bar(profile: Profile, field: str, name: str, full: float) -> Markup:
    """A bar of one of the profile's amounts, split as the branches split it."""
    amount = getattr(profile, field)
    parts = {branch: getattr(totals, field) for branch, totals in profile.by_branch().items()}
    parts["concatenation"] = amount - sum(parts.values())  # its own copy
    split = [
        (f"{tr(part)}: {figures.percent(size, amount)}", size, figures.BRANCH_COLOURS.get(part, "var(--gl-quiet)"))
        for part, size in parts.items()
    ]
    title = tr("{name}: {share} of the larger", name=name, share=figures.percent(amount, full))
    return figures.stacked_bar(split, title, full=full)


def measured_answer(measured: Measured, profile: Profile) -> Markup:
    """What torch gave, each figure marked with whether the arithmetic said the same."""
    arriving, leaving = (profile.batch, *profile.in_shape), (profile.batch, *profile.out_shape)
    pairs = (
        (tr("Input"), figures.shape(measured.in_shape), figures.shape(arriving)),
        (tr("Output"), figures.shape(measured.out_shape), figures.shape(leaving)),
        (tr("Parameters"), figures.count(measured.params), figures.count(profile.params)),
    )
    rows = [(name, got, "" if got == said else said) for name, got, said in pairs]
    speed = profile.macs * profile.batch / measured.timing.median
    return render("module/measured.html", rows=rows, timing=measured.timing, device=measured.device, speed=speed)


def race_answer(race: Race) -> Markup:
    """What a forward pass of each took, and how they compare, where that can be told."""
    ratio = race.naive.median / race.reduced.median
    if race.naive.overlaps(race.reduced):
        words = tr("too noisy to tell which is faster: the ranges overlap")
    elif ratio >= 1:
        words = tr("the reduced module is {times:.2f}× as fast", times=ratio)
    else:
        words = tr("the reduced module takes {times:.2f}× as long", times=1 / ratio)
    return render("module/race.html", race=race, words=words)
