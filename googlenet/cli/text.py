"""Evaluations as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from googlenet.inference.evaluate import Evaluation
from googlenet.inference.inside.account import Account
from googlenet.inference.selection import Judged, RunJudgement

MAX_CLASSES, WEAKEST = 100, 20  # of more classes, only the weakest have a line


def evaluation_lines(result: Evaluation, where: str) -> Iterator[str]:
    """`where` says on which images."""
    view = ", mean of image and mirror image" if result.flip else ""
    yield f"accuracy {result.accuracy:.2%} (95% interval {_span(result.interval)}) on {where}{view}"
    yield f"negative log likelihood {result.loss:.4f}, calibration error {result.calibration_error:.2%}"
    if result.temperature != 1:
        yield (
            f"calibrated by its temperature {result.temperature:.3f}: "
            f"negative log likelihood {result.scaled_loss:.4f}, calibration error {result.scaled_calibration_error:.2%}"
        )
    shown = list(result.per_class)
    if len(shown) > MAX_CLASSES:
        there = {name: share for name, share in result.per_class.items() if share is not None}
        shown = sorted(there, key=lambda name: there[name])[:WEAKEST]
        yield f"the {len(shown)} weakest of {len(there):,} classes that have images here (--json says all):"
    for name in shown:
        accuracy, interval = result.per_class[name], result.intervals[name]
        yield f"  {name:<20} " + (f"{accuracy:.1%}  ({_span(interval)})" if interval else "–")


def judgement_lines(judged: RunJudgement) -> Iterator[str]:
    """A table of the run's checkpoints, and what follows from it."""
    width = max(len(_names(row)) for row in judged.rows)
    line = "{:<2}{:<{width}}{:>7}{:>9}{:>12}{:>19}{:>12}{:>13}".format
    yield line("", "checkpoint", "epoch", "train", "validation", "95% interval", "loss", "calibration", width=width)
    for row in judged.rows:
        yield line(
            "→" if row is judged.best else "",
            _names(row),
            "–" if row.epoch is None else row.epoch,
            "–" if row.train_accuracy is None else f"{row.train_accuracy:.2%}",
            f"{row.validation_accuracy:.2%}",
            _span(row.interval),
            f"{row.validation_loss:.4f}",
            f"{row.calibration_error:.2%}",
            width=width,
        )
    yield f"Judged on {judged.judged_on}."
    yield judged.overfitting
    yield f"Proposed: {judged.proposed}{', ' if judged.lead else ''}{judged.lead}."
    for name, sentence in judged.refused.items():
        yield f"Left out: {name}. {sentence}"
    if judged.warning:
        yield f"Warning: {judged.warning}"


def account_lines(account: Account) -> Iterator[str]:
    """Where a logit comes from: by branch, by channel, and which branch of which module carried it."""
    ledger, effects = account.ledger, account.effects
    what = f"{ledger.target} less {ledger.against}" if ledger.against else ledger.target
    yield f"The logit of {what} is {ledger.logit:.3f}: bias {ledger.bias:+.3f}, and of the channels of {ledger.layer}"
    for branch, value in ledger.branches.items():
        yield f"  {branch + ' branch':<14}{value:+9.3f}"
    strongest = ledger.strongest(5)
    yield "  most: " + ", ".join(f"channel {e.channel} ({e.branch or '–'}) {e.value:+.3f}" for e in strongest)
    if ledger.note:
        yield ledger.note
    yield account.sentence
    for effect in sorted(effects.effects if effects else (), key=lambda effect: effect.change)[:5]:
        yield f"  without {effect.module}'s {effect.branch} branch: {effect.change:+.3f}"


def _names(row: Judged) -> str:
    """ "run/epoch-0009, best": the run is said once."""
    return ", ".join([row.name, *(name.rpartition("/")[2] for name in row.names[1:])])


def _span(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.1%} to {interval[1]:.1%}"
