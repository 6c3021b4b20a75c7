"""What the strip of one picture over the epochs shows, as HTML from `templates/classify/over_epochs/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from googlenet.language import tr
from googlenet.ui.common.charts import Series, curve_chart
from googlenet.ui.common.templates import render
from googlenet.ui.events.access import hide_paths
from googlenet.ui.train.view import TRAIN

if TYPE_CHECKING:
    from googlenet.inference.over_epochs import AtEpoch, OverEpochs


def strip(found: OverEpochs, label: str) -> Markup:
    """The curve of the class `label` over the epochs, and a card for every checkpoint."""
    answered = [answer for answer in found.answers if answer.probabilities]
    curve = found.curve(label)
    return render(
        "classify/over_epochs/strip.html",
        run=found.run,
        label=label,
        chart=curve_chart(tr("Probability of {name}", name=label), [Series(label, curve, TRAIN)], unit="%", top=1.0),
        cards=[card(answer, label) for answer in answered],
        failed=[(answer.names[0], hide_paths(answer.error)) for answer in found.answers if not answer.probabilities],
        left_out=found.left_out,
    )


def card(answer: AtEpoch, label: str) -> dict[str, Any]:
    """One checkpoint: when, its answer, how sure; and what it gave the class `label`."""
    name, share = answer.top or ("", 0.0)
    return {
        "when": ", ".join(answer.names) if answer.epoch is None else tr("epoch {n:,}", n=answer.epoch),
        "names": ", ".join(name for name in answer.names if answer.epoch is not None and name in ("best", "last")),
        "top": name,
        "share": share,
        "chosen": name == label,
        "of_chosen": answer.probabilities.get(label, 0.0),
    }


def said(sentence: str) -> Markup:
    """A sentence in the strip's place."""
    return render("classify/over_epochs/said.html", sentence=hide_paths(sentence))


def stale() -> Markup:
    """What stands there until it is looked at: the page's JavaScript asks for the strip when this comes into view."""
    return render("classify/over_epochs/said.html", sentence="", stale=True)
