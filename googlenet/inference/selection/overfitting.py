"""What the loss on images held out of training says of a run's later epochs: that it overfits, or what else is seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from googlenet.language import tr

if TYPE_CHECKING:
    from googlenet.inference.selection.judge import Judged


def see_overfitting(rows: Sequence[Judged], classes: int, *, diverged: bool = False) -> tuple[int | None, str]:
    """The epoch after which the run overfits, None where that is not what is seen; and a sentence that says why.

    It overfits when the last checkpoint's loss is above the lowest by more than two standard errors although training
    accuracy has grown. `rows` come in the order of their epochs; `diverged` is what the trainer says.
    """
    rows = [row for row in rows if row.epoch is not None]
    if not rows:
        return None, tr("Overfitting cannot be judged: no checkpoint says after which epoch it was kept.")
    lowest, last = min(rows, key=lambda row: row.validation_loss), rows[-1]
    rises = last.validation_loss - lowest.validation_loss > 2 * math.hypot(last.loss_error, lowest.loss_error)
    before, after, guess = lowest.train_accuracy, last.train_accuracy, math.log(classes)
    if rises and before is not None and after is not None and after > before:
        return lowest.epoch, tr(
            "It overfits: after epoch {epoch:,} the loss on these images rises, from {low:.4g} to {high:.4g}, although "
            "accuracy on the training images still grows, from {before:.1%} to {after:.1%}.",
            **_figures(lowest, last),
        )
    if last.validation_loss > guess:
        return None, _no_better_than_a_guess(lowest, last, classes, diverged, rises)
    if rises and (before is None or after is None):
        return lowest.epoch, tr(
            "It seems to overfit: after epoch {epoch:,} the loss on these images rises, from {low:.4g} to {high:.4g}; "
            "its accuracy on the training images is not recorded.",
            **_figures(lowest, last),
        )
    if rises:
        return None, tr(
            "It became unstable rather than overfitted: after epoch {epoch:,} the loss on these images rises, from "
            "{low:.4g} to {high:.4g}, but accuracy on the training images does not grow either, from {before:.1%} to "
            "{after:.1%}.",
            **_figures(lowest, last),
        )
    if len(rows) == 1:
        return None, tr("Overfitting cannot be judged from one checkpoint: it takes a later one to compare it with.")
    if diverged:
        return None, tr(
            "No overfitting seen, before the training diverged: the last checkpoint's loss on these images is as low "
            "as any, within chance."
        )
    return None, tr("No overfitting seen: the last checkpoint's loss on these images is as low as any, within chance.")


def _figures(lowest: Judged, last: Judged) -> dict[str, Any]:
    return {
        "epoch": lowest.epoch,
        "low": lowest.validation_loss,
        "high": last.validation_loss,
        "before": lowest.train_accuracy,
        "after": last.train_accuracy,
    }


def _no_better_than_a_guess(lowest: Judged, last: Judged, classes: int, diverged: bool, rises: bool) -> str:
    about = {"loss": last.validation_loss, "guess": math.log(classes), "classes": classes}
    if not diverged and not rises:
        return tr(
            "Overfitting cannot be judged: the last checkpoint's loss on these images, {loss:.4g}, is above the "
            "{guess:.2f} of a guess among {classes:,} classes, so it has diverged, or learned nothing yet.",
            **about,
        )
    sentence = tr(
        "Overfitting cannot be judged: the last checkpoint's loss on these images, {loss:.4g}, is above the "
        "{guess:.2f} of a guess among {classes:,} classes, so it has diverged.",
        **about,
    )
    if not rises:
        return sentence
    had = tr("After epoch {epoch:,} it was {loss:.4g}.", epoch=lowest.epoch, loss=lowest.validation_loss)
    return f"{sentence} {had}"
