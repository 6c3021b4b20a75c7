"""What the page says of one module, as HTML from `templates/module/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from googlenet.lessons.arithmetic import KEEPING, Calculation, calculations, misfit, savings
from googlenet.models.profile import COUNTING, Profile, Row
from googlenet.ui.build.module.drawing import NARROW, WIDE, draw_module
from googlenet.ui.build.module.form import OWN, Form, name_of
from googlenet.ui.common import figures
from googlenet.ui.common.templates import render

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from googlenet.models.profile.measure import Measured, Race


def headline(profile: Profile) -> Markup:
    """The module's figures in large."""
    output = figures.shape(profile.out_shape), "channels × height × width"
    if misfit(profile):
        output = "none", "the branches do not fit"
    cards = [
        ("Parameters", figures.count(profile.params), "weights and biases"),
        ("Multiply-adds", figures.si(profile.macs), f"per image of {figures.shape(profile.in_shape[1:])}"),
        ("Activations", figures.size(profile.activation_bytes), f"batch of {profile.batch:,}, every step, float32"),
        ("Output", *output),
    ]
    return figures.cards(cards)


def picture(form: Form, profile: Profile, forgotten: bool, step: str) -> Markup:
    """Both layouts of the drawing; `step` is the row that is chosen."""
    config, name = form.config(), name_of(form)
    kind = "naive" if config.naive else "with 1×1 reductions"
    widths = (config.in_channels, config.ch1x1, config.ch3x3red, config.ch3x3, config.ch5x5red, config.ch5x5)
    return render(
        "module/picture.html",
        sheets=[draw_module(profile, layout) for layout in (WIDE, NARROW)],
        step=step,
        title="Naive Inception module" if config.naive else f"Inception module {kind}",
        file_name="-".join(["inception", *(str(width) for width in (*widths, config.pool_proj) if width)]),
        state=form.link(forgotten),
        shown=f"a module of your own, {kind}," if name == OWN else name,
        profile=profile,
    )


def steps(profile: Profile, step: str) -> Markup:
    """Where the multiply-adds go, and the table of steps, each of which can be chosen."""
    shares = [
        (f"{branch}: {figures.percent(totals.macs, profile.macs)}", totals.macs, figures.BRANCH_COLOURS[branch])
        for branch, totals in profile.by_branch().items()
    ]
    output = "do not fit" if misfit(profile) else figures.shape(profile.out_shape)
    return render("module/steps.html", profile=profile, step=step, shares=shares, output=output, counting=COUNTING)


def step_calculations(profile: Profile, row: Row) -> Markup:
    """How the figures of one step are worked out, rule and numbers side by side."""
    return render("module/calculations.html", row=row, found=calculations(profile, row))


def misfit_html(sentence: str) -> Markup:
    """Why the concatenation fails, in our words; nothing when it does not."""
    return render("module/misfit.html", sentence=sentence)


def torch_says(error: str, stead: str = "") -> Markup:
    """Torch's own words for it, `stead` being what they stand in place of."""
    return render("module/torch_says.html", error=error, stead=stead)


def padding(found: Calculation, side: int, kernel: int, padding: int, stride: int) -> Markup:
    """The side after a window, and which padding would have kept it."""
    kept = found.result == side
    if found.result < 1:
        remark = "The window is larger than the padded map: torch refuses it."
    elif kept:
        remark = "The size stays: a branch like this can be concatenated."
    else:
        change = side - found.result
        remark = f"{'Smaller' if change > 0 else 'Larger'} by {abs(change):,}: it does not fit beside the others."
        if kernel in KEEPING and stride == 1:
            remark += f" A {kernel}×{kernel} window keeps the size with padding {KEEPING[kernel]}."
    here = kernel if KEEPING.get(kernel) == padding else None
    return render("module/padding.html", found=found, kept=kept, remark=remark, keeping=KEEPING, here=here)


def twins(naive: Profile, reduced: Profile) -> Markup:
    """Both kinds of module with the same 1×1, 3×3 and 5×5 channels, as bars and sentences."""
    rows = []
    for name, field, write in (
        ("Parameters", "params", figures.count),
        ("Multiply-adds", "macs", figures.si),
        ("Activations", "activation_bytes", figures.size),
    ):
        one, two = getattr(naive, field), getattr(reduced, field)
        bars = [_bar(profile, field, name, max(one, two)) for profile in (naive, reduced)]
        rows.append((name, bars, (write(one), write(two)), _change(one, two)))
    return render("module/twins.html", rows=rows, sentences=savings(naive, reduced))


def _change(before: float, after: float) -> str:
    ratio = before / after
    if 0.95 < ratio < 1.05:
        return "about the same"
    return f"{ratio:.1f}× less" if ratio > 1 else f"{1 / ratio:.1f}× more"


def _bar(profile: Profile, field: str, name: str, full: float) -> Markup:
    """A bar of one of the profile's amounts, split as the branches split it."""
    amount = getattr(profile, field)
    parts = {branch: getattr(totals, field) for branch, totals in profile.by_branch().items()}
    parts["concatenation"] = amount - sum(parts.values())  # its own copy
    split = [
        (f"{part}: {figures.percent(size, amount)}", size, figures.BRANCH_COLOURS.get(part, "var(--gl-quiet)"))
        for part, size in parts.items()
    ]
    return figures.stacked_bar(split, f"{name}: {figures.percent(amount, full)} of the larger", full=full)


def measured_answer(measured: Measured, profile: Profile) -> Markup:
    """What torch gave, each figure marked with whether the arithmetic said the same."""
    arriving, leaving = (profile.batch, *profile.in_shape), (profile.batch, *profile.out_shape)
    pairs = (
        ("Input", figures.shape(measured.in_shape), figures.shape(arriving)),
        ("Output", figures.shape(measured.out_shape), figures.shape(leaving)),
        ("Parameters", figures.count(measured.params), figures.count(profile.params)),
    )
    rows = [(name, got, "" if got == said else said) for name, got, said in pairs]
    speed = profile.macs * profile.batch / measured.timing.median
    return render("module/measured.html", rows=rows, timing=measured.timing, device=measured.device, speed=speed)


def race_answer(race: Race) -> Markup:
    """What a forward pass of each took, and how they compare, where that can be told."""
    ratio = race.naive.median / race.reduced.median
    if race.naive.overlaps(race.reduced):
        words = "too noisy to tell which is faster: the ranges overlap"
    elif ratio >= 1:
        words = f"the reduced module is {ratio:.2f}× as fast"
    else:
        words = f"the reduced module takes {1 / ratio:.2f}× as long"
    return render("module/race.html", race=race, words=words)
