"""The Classify tab's answers as HTML, and their CSS."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

from googlenet.config import LabError
from googlenet.inference.checkpoints import Checkpoint
from googlenet.models.profile import profile_network
from googlenet.ui import figures

if TYPE_CHECKING:
    from PIL import Image

TOP = 5

CLASSIFY_CSS = """
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


def answer(probabilities: dict[str, float], seen: Image.Image, original: tuple[int, int]) -> str:
    """HTML: the answer in words, bars of the likeliest classes, the network's input beside what was done to it.

    `probabilities` come likeliest first; `seen` is the input, `original` the (width, height) of the upright picture.
    """
    best, share = next(iter(probabilities.items()))
    return (
        f"<section class='gl-classified' aria-live='polite'>"
        f"<div><p class='gl-verdict'>{escape(best)}<span>, {figures.percent(share, 1)}</span></p>"
        f"{_bars(probabilities)}</div>{_seen(original, seen)}</section>"
    )


def _bars(probabilities: dict[str, float]) -> str:
    rows = "".join(
        f"<li><b>{escape(name)}</b><i style='--gl-share: {share:.2%}' aria-hidden='true'></i>"
        f"<em>{figures.percent(share, 1)}</em></li>"
        for name, share in list(probabilities.items())[:TOP]
    )
    return f"<ol class='gl-tops' aria-label='The likeliest classes'>{rows}</ol>"


def _seen(original: tuple[int, int], seen: Image.Image) -> str:
    buffer = io.BytesIO()
    seen.save(buffer, "PNG")
    source = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    size = figures.shape(seen.size)
    return (
        f"<figure class='gl-seen'><img src='{source}' alt='The {size} pixels that the network saw'>"
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
        f"</section>"
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
