"""What the Classify tab shows, as HTML from the templates in `templates/classify/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from googlenet.errors import LabError
from googlenet.inference import novelty
from googlenet.language import mark, retell, tr
from googlenet.models.profile import profile_network
from googlenet.runs import Checkpoint
from googlenet.ui.common import figures
from googlenet.ui.common.pictures import data_uri
from googlenet.ui.common.templates import render

if TYPE_CHECKING:
    from googlenet.inference.classifier import Answer

TOP = 5
ACCURACIES = {
    "quoted": mark("Quoted accuracy"),
    "test": mark("Test accuracy"),
    "validation": mark("Validation accuracy"),
    "training": mark("Training accuracy"),
}


def answer(given: Answer, resize: int | None = None) -> Markup:
    """The answer in words, bars of the likeliest classes, the network's input and what was done to get it.

    A picture that looks like no class is told to be that first, and then which class comes closest.
    `resize` is the network's (`WeightsInfo.resize`).
    """
    doubt = given.novelty if given.novelty and given.novelty.unlike_training else None
    return render(
        "classify/answer.html",
        warning=doubt and tr(novelty.WARNING),
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
        return tr("It is the only class that this network knows.")
    if share >= 0.95:
        rest = figures.percent(1 - share, 1) if share < 0.9995 else tr("less than 0.1%")
        if len(others) == 1:
            return tr("Sure, among the classes it knows: {name} gets the other {rest}.", name=others[0][0], rest=rest)
        return tr("Sure, among the classes it knows: the other {n:,} share {rest}.", n=len(others), rest=rest)
    after: dict[str, str] = {"name": others[0][0], "share": figures.percent(others[0][1], 1)}
    if share < 0.5:
        return tr("Undecided: no class gets half, and {name} comes next with {share}.", **after)
    if share < 0.8:
        return tr("Leaning this way: {name} comes next with {share}.", **after)
    return tr("Fairly sure: {name} comes next with {share}.", **after)


def preparation(original: tuple[int, int], size: int, resize: int | None = None) -> str:
    """What was done to a picture of `original` (width, height): "1,024 × 768 → shorter side to 32, centre crop"."""
    given = figures.shape(original)
    if resize is not None:
        return tr("{given} → shorter side to {side}, centre crop {size}", given=given, side=resize, size=size)
    if original == (size, size):
        return tr("{given}, unchanged", given=given)
    if original[0] == original[1]:
        if original[0] > size:
            return tr("{given} → shrunk to {size}", given=given, size=figures.shape((size, size)))
        return tr("{given} → enlarged to {size}", given=given, size=figures.shape((size, size)))
    return tr("{given} → shorter side to {size}, centre crop", given=given, size=size)


def facts(checkpoint: Checkpoint) -> Markup:
    """What the weights file says of itself, and how good its warning is."""
    info = checkpoint.info
    known = novelty.Novelty.of(info)
    warns, wrongly = _errors(known) if known else ("", "")
    misses = [(retell(kind), share) for kind, share in known.misses.items()] if known else []
    return render(
        "classify/facts.html",
        name=checkpoint.name,
        synthetic=checkpoint.synthetic,
        figures=_cards(checkpoint),
        classes=info.classes,
        novelty=known,
        warns=warns,
        wrongly=wrongly,
        misses=misses,
        worst=max(misses, key=lambda kind: kind[1], default=None),
    )


def _errors(known: novelty.Novelty) -> tuple[str, str]:
    """When the warning comes, and how often wrongly; a table of what it missed follows where there is one."""
    when = {"meaning": tr(novelty.MEANING[known.name]), "threshold": f"{known.threshold:.2f}".replace("-", "−")}
    warns = tr("It warns when the {meaning} is above {threshold}.", **when)
    if known.fitted_on:
        on = retell(known.fitted_on)
        warns = tr("It warns when the {meaning} is above {threshold}, fitted on {images}.", images=on, **when)
    share, images = figures.percent(known.false_alarm, 1), retell(known.measured_on) or tr("pictures of its classes")
    if known.misses:
        return warns, tr("It did so wrongly for {share} of {images}, and missed:", share=share, images=images)
    return warns, tr("It did so wrongly for {share} of {images}.", share=share, images=images)


def empty(title: str, hint: str, *, refused: bool = False) -> Markup:
    """Nothing to show yet, and what to do about it; or nothing to show at all, and why."""
    return render("classify/empty.html", title=title, hint=hint, refused=refused)


def waiting() -> Markup:
    """In the answer's place until the page knows its networks."""
    return empty(tr("Looking for trained networks"), tr("This takes a few seconds after a start."))


def no_picture() -> Markup:
    """In the answer's place until there is a picture."""
    return empty(
        tr("What is in your picture?"),
        tr("Drop a picture on the left, paste one, use the camera, or try one of the examples."),
    )


def unanswered() -> Markup:
    """In the answer's place when there was no room to ask, or Gradio failed; a toast has said which."""
    hint = tr("This picture has not been looked at: ask again in a few seconds.")
    return empty(tr("No answer yet"), hint, refused=True)


def quoted_remark(checkpoint: Checkpoint) -> str:
    """Who claims an accuracy that was not measured here."""
    by = str(checkpoint.info.facts.get("quoted_from", tr("the file")))[:80]
    top5 = checkpoint.number("quoted_top5")
    if top5 is None:
        return tr("what {by} says, not measured here", by=by)
    share = figures.percent(top5, 1)
    return tr("what {by} says, not measured here; {share} among the first five", by=by, share=share)


def _cards(checkpoint: Checkpoint) -> list[tuple[str, str, str]]:
    network = checkpoint.info.network
    try:
        parameters = figures.count(profile_network(network).params)
    except LabError:
        parameters = tr("unknown")
    cards = []
    if checkpoint.accuracy:
        value, on = checkpoint.accuracy
        flip = checkpoint.number("test_accuracy_flip")
        remark = {
            "quoted": quoted_remark(checkpoint),
            "test": tr("on the test images")
            if flip is None
            else tr("{share} averaged with mirror images", share=figures.percent(flip, 1)),
            "validation": tr("on images held out of training"),
            "training": tr("on images it learned from: expect less on new ones"),
        }[on]
        cards.append((tr(ACCURACIES[on]), figures.percent(value, 1), remark))
    data = retell(str(checkpoint.info.facts.get("data", tr("not recorded"))))
    cards.append((tr("Network"), network.name, tr("{n} parameters", n=parameters)))
    cards.append((tr("Data set"), data, tr("{n:,} classes", n=len(checkpoint.info.classes))))
    if checkpoint.epoch is not None:
        epochs = checkpoint.number("epochs")
        of = tr("counted from 0") if epochs is None else tr("of {n:,.0f}, counted from 0", n=epochs)
        cards.append((tr("Epoch"), figures.count(checkpoint.epoch), of))
    return cards
