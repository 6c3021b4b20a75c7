"""The Classify tab's answers as HTML, and their CSS."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from googlenet.errors import LabError
from googlenet.inference.novelty import MEANING, Novelty, Verdict
from googlenet.inference.novelty import warning as unlike
from googlenet.models.profile import profile_network
from googlenet.runs import Checkpoint
from googlenet.ui.classify.heat_map import data_uri, rests_on
from googlenet.ui.common import figures

if TYPE_CHECKING:
    from PIL import Image

    from googlenet.inference.explain import Occlusion

TOP = 5
_TRIANGLE = (
    "<svg class='gl-triangle' role='img' viewBox='0 0 24 24' aria-label='Warning'><path d='M12 3 22.5 21h-21z'/>"
    "<path class='gl-mark' d='M12 9.5v5.5M12 17.2v1.6'/></svg>"
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
    return (
        f"<section class='gl-classified{' gl-doubted' if doubted else ''}' aria-live='polite'><div>{warning}"
        f"<p class='gl-verdict'>{closest}{escape(best)}<span>, {figures.percent(share, 1)}</span></p>"
        f"<p class='gl-sure'>{escape(sureness(probabilities))}</p>{_bars(probabilities)}</div>"
        f"{_seen(original, seen)}{rests_on(occlusion, seen) if occlusion else ''}</section>"
    )


def sureness(probabilities: dict[str, float]) -> str:
    """What the percentages amount to, in a sentence; `probabilities` come likeliest first."""
    (_, share), *others = probabilities.items()
    if not others:
        return "It is the only class that this network knows."
    if share >= 0.95:
        rest = figures.percent(1 - share, 1) if share < 0.9995 else "less than 0.1%"
        if len(others) == 1:
            return f"Sure, among the classes it knows: {others[0][0]} gets the other {rest}."
        return f"Sure, among the classes it knows: the other {len(others):,} share {rest}."
    after = f"{others[0][0]} comes next with {figures.percent(others[0][1], 1)}."
    if share < 0.5:
        return f"Undecided: no class gets half, and {after}"
    return f"{'Fairly sure' if share >= 0.8 else 'Leaning this way'}: {after}"


def _warning(verdict: Verdict, classes: int) -> str:
    novelty = verdict.novelty
    alarms = figures.percent(novelty.false_alarm, 1)
    return (
        f"<div class='gl-message gl-caution gl-unlike'>{_TRIANGLE}<div><b>{escape(unlike(classes))}</b> "
        f"The percentages only say which of them comes closest."
        f"<p class='gl-note'>{escape(novelty.name.capitalize())} score {_number(verdict.score)}, warning above "
        f"{_number(novelty.threshold)}. Of pictures that are of a class, {alarms} get this warning too."
        f"</p></div></div>"
    )


def _errors(novelty: Novelty | None) -> str:
    """How good the warning is, as measured: folded, for the doubtful reader."""
    if novelty is None:
        return (
            "<p class='gl-note'>The file holds no threshold for pictures of something else: they get no warning. "
            "Promoting it in Evaluate fits one.</p>"
        )
    alarms, shares = figures.percent(novelty.false_alarm, 1), novelty.misses.values()
    reach = f", {figures.percent(min(shares), 1)} to {figures.percent(max(shares), 1)} missed" if shares else ""
    fitted = escape(f", fitted on {novelty.fitted_on}" if novelty.fitted_on else "")
    measured = escape(novelty.measured_on or "pictures of a class")
    return (
        f"<details class='gl-errors'><summary>It warns of pictures of something else, not without errors: "
        f"{alarms} false alarms{reach}</summary>"
        f"<p>It warns when the {escape(MEANING[novelty.name])} is above {_number(novelty.threshold)}{fitted}. "
        f"It did so wrongly for {alarms} of {measured}{', and missed:' if shares else '.'}</p>"
        f"{_misses(novelty.misses) if shares else ''}</details>"
    )


def _misses(misses: dict[str, float]) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td class='gl-n'>{figures.percent(share, 1)}</td></tr>"
        for name, share in misses.items()
    )
    head = "<thead><tr><th>pictures of something else</th><th class='gl-n'>missed</th></tr></thead>"
    table = f"<table class='gl-table gl-layers'>{head}<tbody>{rows}</tbody></table>"
    return figures.scroll_box(table, "Pictures of something else that it missed")


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _bars(probabilities: dict[str, float]) -> str:
    rows = "".join(
        f"<li><b>{escape(name)}</b><i style='--gl-share: {share:.2%}' aria-hidden='true'></i>"
        f"<em>{figures.percent(share, 1)}</em></li>"
        for name, share in list(probabilities.items())[:TOP]
    )
    return f"<ol class='gl-tops' aria-label='The likeliest classes'>{rows}</ol>"


def _seen(original: tuple[int, int], seen: Image.Image) -> str:
    size = figures.shape(seen.size)
    return (
        f"<figure class='gl-seen'><img src='{data_uri(seen)}' alt='The {size} pixels that the network saw'>"
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
        f"{_errors(Novelty.from_facts(info.facts))}</section>"
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
