"""What the page says of a training before it starts, as HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from googlenet.recipes import TrainConfig
from googlenet.training.planning.costs import Costs
from googlenet.training.planning.schedule import RateCurve
from googlenet.ui.common.figures import si, size, time_left
from googlenet.ui.common.templates import render

if TYPE_CHECKING:
    from googlenet.training.planning.preview import Preview
    from googlenet.training.planning.trial import Trial

SIDE = 1000  # units of the drawing, both ways
NEAR = 0.15  # share of the width below which two labels would touch


def schedule_html(config: TrainConfig, curve: RateCurve) -> str:
    """The learning rate over the epochs, drawn and in words."""
    epochs, (turn, peak) = config.epochs, curve.peak
    places = [(SIDE * x / epochs, SIDE * (1 - y / peak)) for x, y in curve.points]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in [*places, (SIDE, places[-1][1])])
    ticks = [(0.0, "0"), (100.0, f"{epochs:,}")]
    if NEAR < turn / epochs < 1 - NEAR:
        ticks.insert(1, (round(100 * turn / epochs, 2), f"{turn:,.3g}"))
    if config.schedule == "constant":
        words = f"{peak:g} throughout"
    else:
        first, last = curve.points[0][1], curve.points[-1][1]
        words = f"from {first:.2g} up to {peak:.3g} at {turn:.3g} of {epochs:,} epochs, then down to {last:.2g}"
    return render("train/launch/schedule.html", words=words, path=path, peak=f"{peak:.3g}", ticks=ticks, side=SIDE)


def costs_html(costs: Costs, trial: Trial | None, *, stale: bool = False) -> str:
    """Steps, arithmetic and size on disk, and the time and memory that were measured, if they were."""
    figures = [
        ("Steps", f"{costs.steps:,}", f"{costs.steps_per_epoch:,} an epoch, {costs.images:,} images"),
        ("Arithmetic", _arithmetic(costs), f"{si(costs.pflop * 1e15 / costs.steps)}FLOP a step"),
        ("On disk", size(costs.disk), "at its end"),
    ]
    if trial:
        measured = f"{trial.steps} {'step' if trial.steps == 1 else 'steps'} measured"
        what = f"{measured}, random images" if trial.stand_in else measured
        figures.append(
            ("Time", f"about {time_left(trial.seconds)}", f"{trial.images_per_second:,.0f} images/s, {what}")
        )
        figures.append(("Memory", size(trial.memory) if trial.memory else "–", trial.device))
    else:
        why = "measured for other settings" if stale else "not measured yet"
        figures += [("Time", "–", why), ("Memory", "–", why)]
    return render("train/launch/costs.html", figures=figures)


def line_html(costs: Costs, trial: Trial | None) -> str:
    """The same in a line: 1,760 steps · 0.327 PFLOP · 137.7 MiB on disk · about 1 h 15 min."""
    parts = [f"{costs.steps:,} steps", _arithmetic(costs), f"{size(costs.disk)} on disk"]
    if trial:
        parts.append(f"about {time_left(trial.seconds)}")
    return f"<p>{' · '.join(parts)}</p>"


def _arithmetic(costs: Costs) -> str:
    return f"{costs.pflop:.3g} PFLOP" if costs.pflop >= 0.01 else f"{si(costs.pflop * 1e15)}FLOP"


def preview_html(shown: Preview, config: TrainConfig) -> str:
    """The images as they are after augmentation, with their classes, and what was done to them."""
    from PIL import Image

    from googlenet.ui.common.pictures import data_uri

    pictures = [
        (data_uri(Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())), name)
        for pixels, name in zip(shown.images, shown.classes, strict=True)
    ]
    done = ["flipped every second epoch"] * config.flip
    done += [f"shifted by up to {config.crop_padding} pixels"] * bool(config.crop_padding)
    done += ["one of fourteen changes each"] * config.trivial_augment
    done += [f"a rectangle of another in {config.cutmix:.0%}"] * bool(config.cutmix)
    done += [f"a square of {config.cutout} blanked"] * bool(config.cutout)
    after = "normalized by the channels' mean and deviation" if config.normalize else "scaled to [0, 1]"
    return render(
        "train/launch/preview.html", pictures=pictures, epoch=shown.epoch, done=done or ["as they are"], after=after
    )
