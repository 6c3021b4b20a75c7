"""The Classify tab's answers as HTML, and their CSS."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

from googlenet.config import LabError
from googlenet.inference.checkpoints import Checkpoint
from googlenet.inference.novelty import MEANING, Novelty, Verdict
from googlenet.inference.novelty import warning as unlike
from googlenet.models.profile import profile_network
from googlenet.ui import figures

if TYPE_CHECKING:
    from PIL import Image

    from googlenet.inference.explain import Occlusion

TOP = 5
FOR, AGAINST = "#E69F00", "#0072B2"  # orange and blue, told apart by colour-blind eyes too
FAINT = 0.05  # an effect on the probability that is not worth a deep colour
ZOOM = 8
_TRIANGLE = (
    "<svg class='gl-triangle' role='img' viewBox='0 0 24 24' aria-label='Warning'><path d='M12 3 22.5 21h-21z'/>"
    "<path class='gl-mark' d='M12 9.5v5.5M12 17.2v1.6'/></svg>"
)

CLASSIFY_CSS = (
    f".gl-for {{ background: {FOR}; }} .gl-against {{ background: {AGAINST}; }}"
    + """
.gl-network input { text-overflow: ellipsis; padding-right: 1.6rem !important; }
.gl-verdict { margin: 0; font-size: 1.9rem; font-weight: 600; line-height: 1.2; overflow-wrap: anywhere;
  font-variant-numeric: tabular-nums; }
.gl-verdict span { font-weight: 400; }
.gl-classified { display: grid; color: var(--body-text-color);
  grid-template-columns: minmax(0, 1fr) 13rem; gap: var(--spacing-xxl) 2.5rem; }
.gl-classified > div { display: flex; flex-direction: column; gap: var(--spacing-xl); min-width: 0; }
.gl-tops { display: grid; grid-template-columns: fit-content(45%) minmax(4rem, 1fr) max-content; margin: 0; padding: 0;
  gap: 0.6rem var(--spacing-lg); align-items: center; list-style: none; font-variant-numeric: tabular-nums; }
.gl-tops li { display: contents; }
.gl-tops b { font-weight: 400; overflow-wrap: anywhere; }
.gl-tops li:first-child b, .gl-tops li:first-child em { font-weight: 600; }
.gl-tops em { font-style: normal; text-align: right; }
.gl-tops i { display: block; height: 14px; border-radius: var(--radius-sm); overflow: hidden;
  background: var(--background-fill-secondary); box-shadow: inset 0 0 0 1px var(--border-color-primary); }
.gl-tops i::before { content: ""; display: block; height: 100%; width: var(--gl-share); min-width: 1px;
  background: var(--body-text-color-subdued); }
.gl-tops li:first-child i::before { background: var(--color-accent); }
.gl-seen { margin: 0; }
.gl-seen img { display: block; width: 13rem; height: 13rem; image-rendering: pixelated;
  border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg); }
.gl-classified > .gl-pictures { gap: var(--spacing-xxl); }
.gl-sure { margin: 0; }
.gl-doubted .gl-verdict { font-weight: 500; font-size: 1.5rem; }
.gl-doubted .gl-tops li:first-child i::before { background: var(--body-text-color-subdued); }
.gl-message.gl-unlike { display: flex; gap: var(--spacing-lg); align-items: flex-start; border-width: 2px 2px 2px 6px;
  border-style: solid; }
.gl-unlike p { margin: var(--spacing-sm) 0 0; }
.gl-triangle { flex: none; width: 1.6rem; height: 1.6rem; fill: #f0b429; stroke: #7a4b00; stroke-width: 1.2; }
.gl-triangle .gl-mark { stroke: #3b2600; stroke-width: 2.4; fill: none; }
.gl-for, .gl-against { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.35em; border-radius: 3px; }
.gl-errors summary { cursor: pointer; color: var(--gl-quiet); font-size: var(--text-sm); }
.gl-errors p { margin: var(--spacing-md) 0; font-size: var(--text-sm); }
.gl-errors .gl-scroll { width: fit-content; max-width: 100%; }
.gl-seen figcaption { margin-top: var(--spacing-md); font-size: var(--text-sm); }
.gl-facts { display: flex; flex-direction: column; gap: var(--spacing-lg); color: var(--body-text-color);
  padding-top: var(--spacing-xl); border-top: 1px solid var(--border-color-primary); }
.gl-facts h4, .gl-facts p { margin: 0; }
.gl-facts .gl-card dd { white-space: normal; overflow-wrap: anywhere; font-size: 1.15rem; }
.gl-message.gl-caution { border-color: var(--color-yellow-500, #eab308); background: var(--background-fill-secondary); }
.gl-empty { padding: 3.5rem var(--spacing-xxl); border: 1px dashed var(--border-color-primary); text-align: center;
  border-radius: var(--radius-lg); color: var(--body-text-color); }
.gl-empty h3 { margin: 0 0 var(--spacing-sm); font-weight: 600; }
.gl-empty p { margin: 0 auto; max-width: 34rem; }
@media (max-width: 640px) {
  .gl-classified { grid-template-columns: minmax(0, 1fr); }
  .gl-empty { padding: 2rem var(--spacing-lg); }
}
"""
)


def answer(
    probabilities: dict[str, float],
    seen: Image.Image,
    original: tuple[int, int],
    verdict: Verdict | None = None,
    occlusion: Occlusion | None = None,
) -> str:
    """HTML: the answer in words, bars of the likeliest classes, the network's input beside what was done to it.

    `probabilities` come likeliest first; `seen` is the input, `original` the (width, height) of the upright picture.
    A `verdict` may doubt the answer; an `occlusion` is drawn below the input.
    """
    best, share = next(iter(probabilities.items()))
    doubted = verdict is not None and verdict.unlike_training
    warning = _warning(verdict, len(probabilities)) if doubted else ""
    closest = "<span>closest: </span>" if doubted else ""
    figures_html = _seen(original, seen) + (_rests_on(occlusion, seen) if occlusion else "")
    return (
        f"<section class='gl-classified{' gl-doubted' if doubted else ''}' aria-live='polite'><div>{warning}"
        f"<p class='gl-verdict'>{closest}{escape(best)}<span>, {figures.percent(share, 1)}</span></p>"
        f"<p class='gl-sure'>{escape(sureness(probabilities))}</p>{_bars(probabilities)}</div>"
        f"<div class='gl-pictures'>{figures_html}</div></section>"
    )


def sureness(probabilities: dict[str, float]) -> str:
    """What the percentages amount to, in a sentence; `probabilities` come likeliest first."""
    (_, share), *others = probabilities.items()
    if not others:
        return "It is the only class that this network knows."
    if share >= 0.95:
        rest = f"share {figures.percent(1 - share, 1)}" if share < 0.9995 else "share less than 0.1%"
        return f"Sure: the other {len(others):,} classes {rest}." if len(others) > 1 else "Sure."
    after = f"{others[0][0]} comes next with {figures.percent(others[0][1], 1)}."
    if share < 0.5:
        return f"Undecided: no class gets half, and {after}"
    return f"{'Fairly sure' if share >= 0.8 else 'Leaning this way'}: {after}"


def _warning(verdict: Verdict, classes: int) -> str:
    novelty = verdict.novelty
    return (
        f"<div class='gl-message gl-caution gl-unlike'>{_TRIANGLE}<div><b>{escape(unlike(classes))}</b> "
        f"The percentages only say which of them comes closest."
        f"<p class='gl-note'>{escape(novelty.name.capitalize())} score {verdict.score:.2f}, warning above "
        f"{novelty.threshold:.2f}. {figures.percent(novelty.false_alarm, 1)} of pictures that are of a class get this "
        f"warning too.</p></div></div>"
    )


def _warnings_errors(novelty: Novelty | None) -> str:
    """How good the warning is, as measured: folded, since it matters to the doubtful reader."""
    if novelty is None:
        return "<p class='gl-note'>The file holds no threshold for pictures of something else: they get no warning.</p>"
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td class='gl-n'>{figures.percent(share, 1)}</td></tr>"
        for name, share in novelty.misses.items()
    )
    table = (
        f"<table class='gl-table'><thead><tr><th>pictures of something else</th><th class='gl-n'>missed</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )
    fitted = f", fitted on {novelty.fitted_on}" if novelty.fitted_on else ""
    measured = f" {novelty.measured_on}" if novelty.measured_on else " pictures of a class"
    return (
        f"<details class='gl-errors'><summary>How far to trust its warning of pictures of something else</summary>"
        f"<p>It warns when the {escape(MEANING[novelty.name])} is above {novelty.threshold:.2f}{escape(fitted)}. "
        f"It did so wrongly for {figures.percent(novelty.false_alarm, 1)} of{escape(measured)}"
        f"{', and missed:' if rows else '.'}</p>{figures.scroll_box(table, 'Missed') if rows else ''}</details>"
    )


def _rests_on(occlusion: Occlusion, seen: Image.Image) -> str:
    """A figure of `occlusion` over its picture, and what covering the weightiest square does."""
    left, top, right, bottom = occlusion.box
    square = f"{figures.shape((right - left, bottom - top))} square"
    label, before, after = (
        escape(occlusion.label),
        figures.percent(occlusion.probability, 1),
        figures.percent(occlusion.covered, 1),
    )
    if abs(occlusion.drops).max() < FAINT:
        words = f"No part decides alone: cover any square, and {label} keeps at least {after}."
    else:
        words = f"Covering the outlined {square} takes {label} from {before} to {after}."
    key = (
        "<i class='gl-for'></i>covering it lowers the answer <i class='gl-against'></i>raises it"
        "<br>Occlusion sensitivity, 81 squares covered in turn"
    )
    return (
        f"<figure class='gl-seen'><img src='{_source(heat_map(occlusion, seen))}' alt='{words}'>"
        f"<figcaption>What the answer rests on<br><span class='gl-note'>{words}<br>{key}</span></figcaption></figure>"
    )


def heat_map(occlusion: Occlusion, seen: Image.Image) -> Image.Image:
    """`seen` in grey, each pixel tinted by what covering it costs the answer; enlarged, the weightiest square outlined.

    The deepest tint is the largest effect, but never less than `FAINT`: noise is not blown up.
    """
    import numpy as np
    from PIL import Image, ImageDraw

    drops = occlusion.drops[..., None]
    tint = np.where(drops > 0, _rgb(FOR), _rgb(AGAINST))
    weight = 0.85 * np.abs(drops) / max(FAINT, np.abs(drops).max())
    grey = np.asarray(seen.convert("L"), np.float32)[..., None]
    pixels = np.rint(grey * (1 - weight) + tint * weight).astype(np.uint8)
    picture = Image.fromarray(pixels).resize((ZOOM * seen.width, ZOOM * seen.height), Image.Resampling.NEAREST)
    if np.abs(drops).max() >= FAINT:
        left, top, right, bottom = (ZOOM * edge for edge in occlusion.box)
        draw = ImageDraw.Draw(picture)
        draw.rectangle((left, top, right - 1, bottom - 1), outline="black", width=3)
        draw.rectangle((left + 1, top + 1, right - 2, bottom - 2), outline="white", width=1)
    return picture


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def _bars(probabilities: dict[str, float]) -> str:
    rows = "".join(
        f"<li><b>{escape(name)}</b><i style='--gl-share: {share:.2%}' aria-hidden='true'></i>"
        f"<em>{figures.percent(share, 1)}</em></li>"
        for name, share in list(probabilities.items())[:TOP]
    )
    return f"<ol class='gl-tops' aria-label='The likeliest classes'>{rows}</ol>"


def _source(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _seen(original: tuple[int, int], seen: Image.Image) -> str:
    size = figures.shape(seen.size)
    return (
        f"<figure class='gl-seen'><img src='{_source(seen)}' alt='The {size} pixels that the network saw'>"
        f"<figcaption>What the network saw<br><span class='gl-note'>{preparation(original, seen.width)}</span>"
        f"</figcaption></figure>"
    )


def preparation(original: tuple[int, int], size: int) -> str:
    """What was done to a picture of `original` (width, height): "1,024 × 768 → shorter side to 32, centre crop"."""
    given = figures.shape(original)
    if original == (size, size):
        return f"{given}, unchanged"
    if original[0] == original[1]:
        return f"{given} → {'shrunk' if original[0] > size else 'enlarged'} to {figures.shape((size, size))}"
    return f"{given} → shorter side to {size}, centre crop"


def facts(checkpoint: Checkpoint) -> str:
    """HTML: what the weights file says of itself."""
    info = checkpoint.info
    labels = info.classes
    known = ", ".join(labels[:20]) + (f" and {len(labels) - 20:,} more" if len(labels) > 20 else "")
    warning = (
        "<p class='gl-message gl-caution'>This network learned drawn shapes, not photographs: what it says of a "
        "photograph means nothing.</p>"
        if checkpoint.synthetic
        else ""
    )
    return (
        f"<section class='gl-facts'><h4>{escape(checkpoint.name)}</h4>{warning}{figures.cards(_cards(checkpoint))}"
        f"<p class='gl-note'>It knows {len(labels):,} classes and always answers with one of them: {escape(known)}.</p>"
        f"{_warnings_errors(Novelty.from_facts(info.facts))}</section>"
    )


def _cards(checkpoint: Checkpoint) -> list[tuple[str, str, str]]:
    network = checkpoint.info.network
    try:
        parameters = figures.count(profile_network(network).params)
    except LabError:
        parameters = "unknown"
    cards = []
    if checkpoint.accuracy:
        value, on = checkpoint.accuracy
        flip = checkpoint.number("test_accuracy_flip")
        remark = {
            "test": "on the test images" if flip is None else f"{figures.percent(flip, 1)} averaged with mirror images",
            "validation": "on images held out of training",
            "training": "on images it learned from: expect less on new ones",
        }[on]
        cards.append((f"{on.capitalize()} accuracy", figures.percent(value, 1), remark))
    cards.append(("Network", network.name, f"{parameters} parameters"))
    cards.append(
        ("Data set", str(checkpoint.info.facts.get("data", "not said")), f"{len(checkpoint.info.classes):,} classes")
    )
    if checkpoint.epoch is not None:
        epochs = checkpoint.number("epochs")
        of = "" if epochs is None else f"of {epochs:,.0f}, "
        cards.append(("Epoch", figures.count(checkpoint.epoch), f"{of}counted from 0"))
    return cards


def empty(title: str, hint: str) -> str:
    """HTML: nothing to show yet, and what to do about it."""
    return f"<div class='gl-empty'><h3>{escape(title)}</h3><p>{escape(hint)}</p></div>"
