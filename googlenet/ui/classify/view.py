"""What the Classify tab shows, as HTML from the templates in `templates/classify/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from googlenet.errors import LabError
from googlenet.inference import novelty
from googlenet.models.profile import profile_network
from googlenet.runs import Checkpoint
from googlenet.ui.common import figures
from googlenet.ui.common.pictures import data_uri
from googlenet.ui.common.templates import render

if TYPE_CHECKING:
    from googlenet.inference.classifier import Answer

TOP = 5


def answer(given: Answer, resize: int | None = None) -> Markup:
    """The answer in words, bars of the likeliest classes, the network's input and what was done to get it.

    A picture that looks like no class is told to be that first, and then which class comes closest.
    `resize` is the network's (`WeightsInfo.resize`).
    """
    doubt = given.novelty if given.novelty and given.novelty.unlike_training else None
    return render(
        "classify/answer.html",
        warning=doubt and novelty.WARNING,
        classes=len(given.probabilities),
        doubt=doubt,
        tops=list(given.probabilities.items())[:TOP],
        sureness=sureness(given.probabilities),
        seen=data_uri(given.seen),
        size=given.seen.size,
        preparation=preparation(given.picture.size, given.seen.width, resize),
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


def preparation(original: tuple[int, int], size: int, resize: int | None = None) -> str:
    """What was done to a picture of `original` (width, height): "1,024 × 768 → shorter side to 32, centre crop"."""
    given = figures.shape(original)
    if resize is not None:
        return f"{given} → shorter side to {resize}, centre crop {size}"
    if original == (size, size):
        return f"{given}, unchanged"
    if original[0] == original[1]:
        return f"{given} → {'shrunk' if original[0] > size else 'enlarged'} to {figures.shape((size, size))}"
    return f"{given} → shorter side to {size}, centre crop"


def facts(checkpoint: Checkpoint) -> Markup:
    """What the weights file says of itself, and how good its warning is."""
    info = checkpoint.info
    known = novelty.Novelty.of(info)
    return render(
        "classify/facts.html",
        name=checkpoint.name,
        synthetic=checkpoint.synthetic,
        figures=_cards(checkpoint),
        classes=info.classes,
        novelty=known,
        meaning=known and novelty.MEANING[known.name],
        worst=known and max(known.misses.items(), key=lambda kind: kind[1], default=None),
    )


def empty(title: str, hint: str, *, refused: bool = False) -> Markup:
    """Nothing to show yet, and what to do about it; or nothing to show at all, and why."""
    return render("classify/empty.html", title=title, hint=hint, refused=refused)


def unanswered() -> Markup:
    """In the answer's place when there was no room to ask, or Gradio failed; a toast has said which."""
    return empty("No answer yet", "This picture has not been looked at: ask again in a few seconds.", refused=True)


def quoted_remark(checkpoint: Checkpoint) -> str:
    """Who claims an accuracy that was not measured here."""
    by = str(checkpoint.info.facts.get("quoted_from", "the file"))[:80]
    top5 = checkpoint.number("quoted_top5")
    first = f"what {by} says, not measured here"
    return first if top5 is None else f"{first}; {figures.percent(top5, 1)} among the first five"


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
            "quoted": quoted_remark(checkpoint),
            "test": "on the test images" if flip is None else f"{figures.percent(flip, 1)} averaged with mirror images",
            "validation": "on images held out of training",
            "training": "on images it learned from: expect less on new ones",
        }[on]
        cards.append((f"{on.capitalize()} accuracy", figures.percent(value, 1), remark))
    data = str(checkpoint.info.facts.get("data", "not recorded"))
    cards.append(("Network", network.name, f"{parameters} parameters"))
    cards.append(("Data set", data, f"{len(checkpoint.info.classes):,} classes"))
    if checkpoint.epoch is not None:
        epochs = checkpoint.number("epochs")
        of = "" if epochs is None else f"of {epochs:,.0f}, "
        cards.append(("Epoch", figures.count(checkpoint.epoch), f"{of}counted from 0"))
    return cards
