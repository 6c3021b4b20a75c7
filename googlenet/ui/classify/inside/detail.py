"""One channel of a step, chosen on the page: how strong it is, what it sees, and the sum behind one of its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from googlenet.errors import LabError, check_whole
from googlenet.inference.inside.fields import INPUT
from googlenet.ui.classify.inside import stage
from googlenet.ui.classify.inside.channel import looked_up
from googlenet.ui.common.figures import BRANCH_CLASSES
from googlenet.ui.common.templates import render

if TYPE_CHECKING:
    from googlenet.inference.classifier import Classifier
    from googlenet.inference.inside.trace import Trace

SHOWN = 8  # products told one by one
MAX_DIGITS = 6  # of a channel in an address


def parse(traced: Trace, step: Any, channel: Any, place: Any) -> tuple[str, int, tuple[int, int]]:
    """The step, channel and place (y, x) that a page sent; where no place came, that of the largest value.

    Raises `LabError` for what the trace does not have.
    """
    if not isinstance(step, str) or step not in traced.maps or step == INPUT:
        raise LabError("This network has no such step: choose one of its maps.", "step")
    count, height, width = traced.maps[step].shape
    channel = check_whole(channel, "channel", 0, count - 1)
    if place is None:
        return step, channel, stage.strongest_place(traced, step, channel)
    if not isinstance(place, list) or len(place) != 2:
        raise LabError("A place is a row and a column.", "place")
    return step, channel, (check_whole(place[0], "row", 0, height - 1), check_whole(place[1], "column", 0, width - 1))


def asked_channel(traced: Trace, stop: str, asked: Any) -> tuple[str, int] | None:
    """The step and the channel that an address asks for, "inception3a.branch2.1-5", where `stop` shows that map.

    None for anything else: an address may be of another network, cut off, or written by anybody.
    """
    step, _, number = str(asked or "").rpartition("-")
    if step not in stage.shown_steps(traced.profile, stop) or not (number.isascii() and number.isdigit()):
        return None
    if len(number) > MAX_DIGITS or int(number) >= len(traced.maps[step]):
        return None
    return step, int(number)


def joined_channel(traced: Trace, step: str, channel: int) -> int | None:
    """Which channel of its module's concatenation `channel` of `step` is; None where the step does not end a branch.

    The ledger and the card of training images count channels there, the tiles within their branch.
    """
    row = traced.rows.get(step)
    if row is None or not row.branch:
        return None
    found = looked_up(traced.profile, step, channel)
    return found[1] if found and found[0] == row.layer else None


def detail_html(classifier: Classifier, traced: Trace, step: str, channel: int, place: tuple[int, int]) -> Markup:
    """What `channel` of `step` does, and number by number the sum that gives its value at `place`."""
    from googlenet.inference.inside.sums import sum_behind

    values = traced.maps[step][channel]
    row = traced.rows.get(step) or next(row for row in traced.profile.rows if row.layer == step)
    told, problem = None, ""
    try:
        told = sum_behind(classifier, traced, step, channel, *place, top=SHOWN)
    except LabError as error:
        problem = str(error)
    shown = told.products[:SHOWN] if told else ()
    taps = told.taps if told else 0
    return render(
        "classify/inside/detail.html",
        step=step,
        channel=channel,
        row=row,
        joined=joined_channel(traced, step, channel),
        colour=BRANCH_CLASSES.get(row.branch, ""),
        place=place,
        sizes=tuple(values.shape),
        mean=values.mean().item(),
        largest=values.max().item(),
        strongest=stage.strongest_place(traced, step, channel),
        silent=not bool((values != 0).any()),
        sees=stage.seen_words(traced, step, *place),
        told=told,
        shown=shown,
        rest=told.before_relu - told.bias - sum(product.product for product in shown) if told else 0.0,
        products=taps * row.in_channels,
        problem=problem,
    )
