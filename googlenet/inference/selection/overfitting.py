"""What the loss on images held out of training says of a run's later epochs: that it overfits, or what else is seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from googlenet.inference.selection.judge import Judged


def see_overfitting(rows: Sequence[Judged], classes: int, *, diverged: bool = False) -> tuple[int | None, str]:
    """The epoch after which the run overfits, None where that is not what is seen; and a sentence that says why.

    It overfits when the last checkpoint's loss is above the lowest by more than two standard errors although training
    accuracy has grown. `rows` come in the order of their epochs; `diverged` is what the trainer says.
    """
    rows = [row for row in rows if row.epoch is not None]
    if not rows:
        return None, "Overfitting cannot be judged: no checkpoint says after which epoch it was kept."
    lowest, last = min(rows, key=lambda row: row.validation_loss), rows[-1]
    rises = last.validation_loss - lowest.validation_loss > 2 * math.hypot(last.loss_error, lowest.loss_error)
    begins = f"after epoch {lowest.epoch:,} the loss on these images rises, from {lowest.validation_loss:.4g} to "
    begins += f"{last.validation_loss:.4g}"
    before, after, guess = lowest.train_accuracy, last.train_accuracy, math.log(classes)
    training = "" if before is None or after is None else f"from {before:.1%} to {after:.1%}"
    if rises and before is not None and after is not None and after > before:
        return lowest.epoch, f"It overfits: {begins}, although accuracy on the training images still grows, {training}."
    if last.validation_loss > guess:
        had = f" After epoch {lowest.epoch:,} it was {lowest.validation_loss:.4g}." if rises else ""
        return None, (
            f"Overfitting cannot be judged: the last checkpoint's loss on these images, {last.validation_loss:.4g}, is "
            f"above the {guess:.2f} of a guess among {classes:,} classes, so it has "
            f"{'diverged' if diverged or rises else 'diverged, or learned nothing yet'}.{had}"
        )
    if rises and not training:
        return lowest.epoch, f"It seems to overfit: {begins}; its accuracy on the training images is not recorded."
    if rises:
        return None, (
            f"It became unstable rather than overfitted: {begins}, but accuracy on the training images does not grow "
            f"either, {training}."
        )
    if len(rows) == 1:
        return None, "Overfitting cannot be judged from one checkpoint: it takes a later one to compare it with."
    until = ", before the training diverged" if diverged else ""
    return None, (
        f"No overfitting seen{until}: the last checkpoint's loss on these images is as low as any, within chance."
    )
