"""One channel of a step, chosen on the page: how strong it is, what it sees, and the sum behind one of its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from googlenet.errors import LabError, check_whole
from googlenet.inference.inside.fields import INPUT
from googlenet.language import tr
from googlenet.ui.classify.inside import maps, stage
from googlenet.ui.classify.inside.channel import looked_up
from googlenet.ui.classify.inside.shown import adding_up, decimals
from googlenet.ui.common.figures import BRANCH_CLASSES
from googlenet.ui.common.templates import render

if TYPE_CHECKING:
    from googlenet.inference.classifier import Classifier
    from googlenet.inference.inside.sums import Sum
    from googlenet.inference.inside.trace import Trace

SHOWN = 8  # products told one by one, until all are asked for
EVERY = 2_000  # of a sum: a 3×3 over 192 channels has 1,728
MAX_DIGITS = 6  # of a channel in an address


def parse(traced: Trace, step: Any, channel: Any, place: Any) -> tuple[str, int, tuple[int, int]]:
    """The step, channel and place (y, x) that a page sent; where no place came, that of the largest value.

    Raises `LabError` for what the trace does not have.
    """
    if not isinstance(step, str) or step not in traced.maps or step == INPUT:
        raise LabError(tr("This network has no such step: choose one of its maps."), "step")
    count, height, width = traced.maps[step].shape
    channel = check_whole(channel, "channel", 0, count - 1)
    if place is None:
        return step, channel, stage.strongest_place(traced, step, channel)
    if not isinstance(place, list) or len(place) != 2:
        raise LabError(tr("A place is a row and a column."), "place")
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


def detail_html(
    classifier: Classifier, traced: Trace, step: str, channel: int, place: tuple[int, int], *, every: bool = False
) -> Markup:
    """What `channel` of `step` does, its map, and number by number the sum that gives its value at `place`.

    `every` tells all products that are not 0, else the largest few.
    """
    from googlenet.inference.inside.sums import sum_behind

    values = traced.maps[step][channel]
    row = traced.rows.get(step) or next(row for row in traced.profile.rows if row.layer == step)
    told, problem = None, ""
    try:
        told = sum_behind(classifier, traced, step, channel, *place, top=EVERY if every else SHOWN)
    except LabError as error:
        problem = str(error)
    largest = values.max().item()
    return render(
        "classify/inside/detail.html",
        step=step,
        channel=channel,
        layer=row.layer,
        branch=tr(row.branch),
        name=row.words,
        joined=joined_channel(traced, step, channel),
        colour=BRANCH_CLASSES.get(row.branch, ""),
        map=maps.one(values, row.branch),
        place=place,
        here=values[place].item(),
        sizes=tuple(values.shape),
        mean=values.mean().item(),
        largest=largest,
        digits=decimals([largest, values.min().item()]),
        strongest=stage.strongest_place(traced, step, channel),
        silent=not bool((values != 0).any()),
        sees=stage.seen_words(traced, step, *place),
        told=told,
        sum=_table(told, told.taps * row.in_channels) if told and told.kind != "max pool" else None,
        problem=problem,
    )


def _table(told: Sum, count: int) -> dict[str, Any]:
    """The sum's lines, of `count` products in all, as they are shown: the last column adds up to what stands below."""
    shown = told.products
    rest = told.before_relu - told.bias - sum(product.product for product in shown)
    column = [*(product.product for product in shown), rest, told.bias]
    digits = decimals([*column, told.before_relu])
    parts = adding_up(column, told.before_relu, digits)
    return {
        "digits": digits,
        "value_digits": decimals(product.value for product in shown),
        "lines": list(zip(shown, parts, strict=False)),
        "others": count - len(shown),
        "more": len(shown) == SHOWN < count,
        "rest": parts[-2],
        "bias": parts[-1],
    }
