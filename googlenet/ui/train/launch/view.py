"""What the page says of a training before it starts, as HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from googlenet.language import tr, trn
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
        words = tr("{rate:g} throughout", rate=peak)
    else:
        first, last = curve.points[0][1], curve.points[-1][1]
        words = tr(
            "from {first:.2g} up to {peak:.3g} at {turn:.3g} of {epochs:,} epochs, then down to {last:.2g}",
            first=first,
            peak=peak,
            turn=turn,
            epochs=epochs,
            last=last,
        )
    return render("train/launch/schedule.html", words=words, path=path, peak=f"{peak:.3g}", ticks=ticks, side=SIDE)


def costs_html(costs: Costs, trial: Trial | None, *, stale: bool = False) -> str:
    """Steps, arithmetic and size on disk, and the time and memory that were measured, if they were."""
    figures = [
        (
            tr("Steps"),
            f"{costs.steps:,}",
            tr("{steps:,} an epoch, {images:,} images", steps=costs.steps_per_epoch, images=costs.images),
        ),
        (tr("Arithmetic"), _arithmetic(costs), tr("{flop}FLOP a step", flop=si(costs.pflop * 1e15 / costs.steps))),
        (tr("On disk"), size(costs.disk), tr("at its end")),
    ]
    if trial:
        figures.append((tr("Time"), tr("about {time}", time=time_left(trial.seconds)), _measured(trial)))
        figures.append((tr("Memory"), size(trial.memory) if trial.memory else "–", trial.device))
    else:
        why = tr("measured for other settings") if stale else tr("not measured yet")
        figures += [(tr("Time"), "–", why), (tr("Memory"), "–", why)]
    return render("train/launch/costs.html", figures=figures)


def _measured(trial: Trial) -> str:
    """How fast it was, and what says so."""
    if trial.stand_in:
        return trn(
            "{speed:,.0f} images/s, {n} step measured, random images",
            "{speed:,.0f} images/s, {n} steps measured, random images",
            trial.steps,
            speed=trial.images_per_second,
        )
    return trn(
        "{speed:,.0f} images/s, {n} step measured",
        "{speed:,.0f} images/s, {n} steps measured",
        trial.steps,
        speed=trial.images_per_second,
    )


def line_html(costs: Costs, trial: Trial | None) -> str:
    """The same in a line: 1,760 steps · 0.327 PFLOP · 137.7 MiB on disk · about 1 h 15 min."""
    on_disk = tr("{size} on disk", size=size(costs.disk))
    parts = [tr("{n:,} steps", n=costs.steps), _arithmetic(costs), on_disk]
    if trial:
        parts.append(tr("about {time}", time=time_left(trial.seconds)))
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
    done = [tr("flipped every second epoch")] * config.flip
    done += [tr("shifted by up to {n} pixels", n=config.crop_padding)] * bool(config.crop_padding)
    done += [tr("one of fourteen changes each")] * config.trivial_augment
    done += [tr("a rectangle of another in {share:.0%}", share=config.cutmix)] * bool(config.cutmix)
    done += [tr("a square of {side} blanked", side=config.cutout)] * bool(config.cutout)
    after = tr("normalized by the channels' mean and deviation") if config.normalize else tr("scaled to [0, 1]")
    changes = ", ".join(done or [tr("as they are")])
    return render("train/launch/preview.html", pictures=pictures, epoch=shown.epoch, changes=changes, after=after)
