"""What a position of any step sees of the picture: its receptive field, by arithmetic alone.

A window at position p of a map starts at p · stride − padding of the map before and covers `kernel` of its rows or
columns. Followed back to the picture, step by step along the step's own branch, that is the receptive field. The
windows of a module's branches are centred on the same position, so they lie inside one another: what the concatenation
sees is what its widest branch sees. No torch needed: a page can ask for every position that the pointer passes.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.models.profile import BRANCHES, Profile, Row

INPUT = "input"


class Box(NamedTuple):
    """Pixels from `left` and `top` up to, and without, `right` and `bottom`."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top


@dataclass(frozen=True)
class Geometry:
    """Where the fields of a step lie: position p sees the pixels from p · `jump` + `start` on, `size` of them.

    The same holds for rows and for columns. Nothing is cut off at the picture's edge here.
    """

    jump: int
    start: int
    size: int


@dataclass(frozen=True)
class Field:
    """What position (y, x) of `step` sees of the picture.

    `whole` is the receptive field as if the picture had no edge, `box` the part of it that holds pixels: None where
    the position sees nothing but padding. `rows` and `columns` are the pixels that are seen, which are all of the box
    unless some stride is wider than its window. `taps` are those of the step's own window (0 where it has none), of
    which `padding_taps` lie beside the map that the step reads.
    """

    step: str
    y: int
    x: int
    whole: Box
    box: Box | None
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    taps: int
    padding_taps: int

    @property
    def padding_share(self) -> float:
        """How much of the own window sees padding here, from 0 to 1; a profile's row has the mean of all positions."""
        return self.padding_taps / self.taps if self.taps else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; boxes are [left, top, right, bottom]."""
        plain = {**asdict(self), "padding_share": self.padding_share}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def field(profile: Profile, step: str, y: int, x: int) -> Field:
    """What position (y, x) of `step`, any name of `Trace.maps` or "fc", sees; `LabError` where there is none such.

    A module's name, and its concatenation's, stand for all branches together.
    """
    chain = _chain(profile, step)
    _check_place(profile, chain, step, y, x)
    (top, bottom, rows), (left, right, columns) = (_follow(chain, at, axis) for axis, at in ((1, y), (2, x)))
    box = None
    if rows and columns:
        box = Box(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    else:  # beside the picture in one direction is beside it
        rows = columns = ()
    own = chain[0] if chain else None
    taps, padding_taps = _taps(own, y, x) if own else (0, 0)
    return Field(step, y, x, Box(left, top, right, bottom), box, rows, columns, taps, padding_taps)


def branch_fields(profile: Profile, module: str, y: int, x: int) -> dict[str, Field]:
    """What each branch (1×1, 3×3, 5×5, pool) of `module` sees at its position (y, x): of the step that ends it.

    Its taps are those of the branch's last window wider than a pixel: of the pool, say, not of its 1×1 projection.
    """
    fields = {}
    for branch, rows in branch_steps(profile, module).items():
        seen = field(profile, rows[-1].name, y, x)
        window = next((row for row in reversed(rows) if row.kernel > 1), rows[-1])
        taps, padding_taps = _taps(window, y, x)
        fields[branch] = Field(**{**seen.__dict__, "taps": taps, "padding_taps": padding_taps})
    return fields


def branch_steps(profile: Profile, module: str) -> dict[str, list[Row]]:
    """The rows of each branch of `module`, in the order in which they run; `LabError` where it is no module."""
    rows = [row for row in profile.rows if row.layer == module and row.branch]
    if not rows:
        raise LabError(tr("{layer!r} is no Inception module of this network.", layer=str(module)[:40]), "layer")
    return {branch: [row for row in rows if row.branch == branch] for branch in BRANCHES}


def reads(profile: Profile, step: str) -> str:
    """The name, in `Trace.maps`, of the map that `step` reads."""
    chain = _chain(profile, step)
    return chain[1].name if len(chain) > 1 else INPUT


def module_behind(profile: Profile, step: str) -> str:
    """The module whose channels are those of the map that `step` reads, "" where they are no module's.

    Pools and local response norms between the two keep the channels apart.
    """
    for row in _chain(profile, step)[1:]:
        if row.name.endswith(".concat"):
            return row.layer
        if row.macs:  # a convolution mixes the channels
            break
    return ""


def spans(profile: Profile, step: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """From which pixel up to (and without) which each row of positions of `step` sees the picture; and each column.

    All boxes at once, for a page that draws the one under the pointer; (0, 0) where nothing but padding is seen.
    """
    chain = _chain(profile, step)
    sizes = chain[0].out_shape[1:] if chain else profile.in_shape[1:]
    pixels = [[_follow(chain, at, axis)[2] for at in range(size)] for axis, size in zip((1, 2), sizes, strict=True)]
    rows, columns = ([(seen[0], seen[-1] + 1) if seen else (0, 0) for seen in along] for along in pixels)
    return rows, columns


def geometry(profile: Profile, step: str) -> Geometry:
    """Where the fields of all positions of `step` lie; for the average pool and the linear layer that is one field."""
    first = _follow(_chain(profile, step), 0, 1)
    jump = 1
    for row in _chain(profile, step):
        jump *= row.stride or 1
    return Geometry(jump, first[0], first[1] - first[0])


@functools.lru_cache(maxsize=512)
def _chain(profile: Profile, step: str) -> tuple[Row, ...]:
    """The rows from `step` back to the picture: through modules along their widest branch."""
    if step == INPUT:
        return ()
    rows = [row for row in profile.rows if not row.aux]
    names = {row.name: row for row in rows}
    row = names.get(step) or names.get(f"{step}.concat")
    if row is None:
        raise LabError(tr("There is no step {step!r} in this network.", step=str(step)[:40]), "step")
    layers = list(dict.fromkeys(row.layer for row in rows))
    before = layers[: layers.index(row.layer)]
    chain = [row, *_before_in_module(rows, row)]
    for layer in reversed(before):
        (last,) = [row for row in rows if row.layer == layer][-1:]
        chain += [last, *_before_in_module(rows, last)]
    return tuple(chain)


def _before_in_module(rows: list[Row], row: Row) -> list[Row]:
    """The steps of the row's own branch before it, the last first; before a concatenation, of its widest branch."""
    inside = [other for other in rows if other.layer == row.layer and other.branch]
    if row.branch:
        own = [other for other in inside if other.branch == row.branch]
        return own[: own.index(row)][::-1]
    branches = [[other for other in inside if other.branch == branch] for branch in BRANCHES]
    return max(branches, key=lambda steps: sum(step.kernel - 1 for step in steps))[::-1]


def _follow(chain: tuple[Row, ...], position: int, axis: int) -> tuple[int, int, tuple[int, ...]]:
    """From where to where the position sees along `axis` (1: rows, 2: columns) without an edge; and the pixels seen.

    What lies beside a map is dropped at each step: padding there stands for nothing, though pixels may lie behind it.
    """
    low, high, seen = position, position, {position}
    for row, before in itertools.zip_longest(chain, chain[1:]):
        side = before.out_shape[axis] if before else row.in_shape[axis]  # a linear layer's own has been flattened
        if row.kernel:
            low, high = low * row.stride - row.padding, high * row.stride - row.padding + row.kernel - 1
            starts = (at * row.stride - row.padding for at in seen)
            seen = {at for start in starts for at in range(start, start + row.kernel) if 0 <= at < side}
        elif row.layer in ("avgpool", "fc"):  # they read a map as a whole
            low, high, seen = 0, side - 1, set(range(side))
    return low, high + 1, tuple(sorted(seen))


def _taps(row: Row, y: int, x: int) -> tuple[int, int]:
    """How many taps the row's window has, and how many of them lie beside its map at position (y, x)."""
    inside = 1
    for position, side in zip((y, x), row.in_shape[1:], strict=True):
        start = position * row.stride - row.padding
        inside *= sum(0 <= at < side for at in range(start, start + row.kernel))
    return row.kernel**2, row.kernel**2 - inside if row.kernel else 0


def _check_place(profile: Profile, chain: tuple[Row, ...], step: str, y: int, x: int) -> None:
    height, width = chain[0].out_shape[1:] if chain else profile.in_shape[1:]
    if not (0 <= y < height and 0 <= x < width):
        sentence = tr(
            "{step} has {height} × {width} positions, counted from 0: there is none at {y}, {x}.",
            step=step,
            height=height,
            width=width,
            y=y,
            x=x,
        )
        raise LabError(sentence, "place")
