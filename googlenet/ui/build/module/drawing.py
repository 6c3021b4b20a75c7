"""The module as one picture (Szegedy et al. 2015, figure 2): its channels flow from the input through four branches.

Every ribbon is as wide as its channels, all in one scale, so that a 1×1 reduction is seen to narrow what the costly
kernel reads. Each step is a plate on the ribbon, filled the stronger the larger its share of the multiply-adds.
The picture comes in two layouts, downwards for a desk and to the right for a phone; CSS shows the one that fits.
Here everything is placed; `templates/module/picture.html` writes it down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from unicodedata import east_asian_width

from googlenet.language import tr
from googlenet.models.profile import BRANCHES, Profile, Row
from googlenet.ui.common import figures

THINNEST = 2.0  # px: one channel of 4,096 is still seen
FAINTEST, STRONGEST = 0.08, 0.6  # opacity of a step's fill, up to where its text stays legible
TORN = 0.62  # of the way to the concatenation: where a branch ends that does not fit


@dataclass(frozen=True)
class Layout:
    """Lengths in px, along the flow or across it; `down` says whether the flow runs downwards or to the right."""

    name: str
    down: bool
    lane: float  # across: a branch's share of the picture
    widest: float  # across: the tensor with the most channels
    plate: tuple[float, float]  # along, across
    gap: float  # along: between two steps
    fan: float  # along: from the input to the first step
    sweep: float  # along: from the last step to the concatenation
    slab: float  # along: the input
    bar: float  # along: the concatenation
    margin: tuple[float, float]  # along, across: before the first thing


WIDE = Layout("wide", True, 186, 156, (50, 162), 46, 64, 100, 10, 24, (26, 4))
NARROW = Layout("narrow", False, 67, 57, (115, 59), 12, 30, 30, 8, 18, (3, 24))


class Mark(NamedTuple):
    """A shape as an SVG path, with its CSS classes."""

    style: str
    path: str
    opacity: str = ""
    fill: str = ""


class Words(NamedTuple):
    """A line of text, its middle at a point unless an `anchor` says otherwise; `strong` follows in bold."""

    x: str
    y: str
    text: str
    style: str = ""
    anchor: str = ""
    strong: str = ""


class Plate(NamedTuple):
    """Where a step can be clicked, as CSS; `name` is its row's, `label` for those who cannot see."""

    name: str
    label: str
    place: str


@dataclass
class Sheet:
    """One layout of a module, ready to be written down."""

    layout: Layout
    width: float
    height: float
    marks: list[Mark] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    plates: list[Plate] = field(default_factory=list)


def draw_module(profile: Profile, layout: Layout) -> Sheet:
    """The picture of a module's profile. A branch whose map has another size than the first one's is torn off."""
    return _Drawing(profile, layout).draw()


class _Drawing:
    """Geometry and marks of one picture. Positions are (along, across) until they are turned to (x, y)."""

    def __init__(self, profile: Profile, layout: Layout) -> None:
        self.profile, self.layout = profile, layout
        self.lanes = [[row for row in profile.rows if row.branch == branch] for branch in BRANCHES]
        self.ends = [lane[-1].out_shape for lane in self.lanes]
        self.torn = next((shape for shape in self.ends if shape[1:] != self.ends[0][1:]), None)
        most = max(profile.in_shape[0], *(row.out_channels for lane in self.lanes for row in lane))
        self.scale = layout.widest / most
        self.depth = max(map(len, self.lanes))
        self.input_end = layout.margin[0] + layout.slab
        # A naive module has one step a branch: it stands in the middle of a picture of the same size.
        self.spare = max(0, 2 - self.depth) * (layout.plate[0] + layout.gap) / 2
        self.bar = self.step_begin(self.depth - 1) + layout.plate[0] + layout.sweep + self.spare
        self.middle = layout.margin[1] + 2 * layout.lane
        across, bar_end = layout.margin[1] + 4 * layout.lane, self.bar + layout.bar
        width, height = bar_end + 3, across + 34
        if layout.down:
            width, height = across + layout.margin[1], bar_end + 56
        self.sheet = Sheet(layout, width, height)

    def draw(self) -> Sheet:
        """The sheet, from the input to the concatenation; its words lie on top of all."""
        breadth = self.thick(self.profile.in_shape[0])
        self.rect("gl-slab", self.layout.margin[0], self.middle, self.layout.slab, breadth, 2)
        segments = self.segments()
        for lane, (rows, segment) in enumerate(zip(self.lanes, segments, strict=True)):
            first = self.depth - len(rows)  # a short branch stands beside the last steps of the others, as in the paper
            self.fan(lane, first)
            for place, row in enumerate(rows, start=first):
                self.step(lane, place, row)
                self.describe(lane, place, row)
                if place + 1 < self.depth:
                    begin = self.step_begin(place) + self.layout.plate[0]
                    breadth = self.thick(row.out_channels)
                    self.rect(_flow(lane), begin, self.lane_middle(lane), self.layout.gap, breadth)
            self.sweep(lane, rows[-1], segment)
        self.describe_ends()
        self.describe_sum()
        if not self.torn:
            breadth = max(sum(breadth for _, breadth in segments), 24)
            place = self.bar, self.middle, self.layout.bar, breadth
            self.plate(self.profile.rows[-1].name, tr("concatenation of the four branches"), *place)
        return self.sheet

    # --- geometry ---

    def step_begin(self, place: int) -> float:
        layout = self.layout
        return self.input_end + layout.fan + self.spare + place * (layout.plate[0] + layout.gap)

    def lane_middle(self, lane: int) -> float:
        return self.layout.margin[1] + (lane + 0.5) * self.layout.lane

    def thick(self, channels: int) -> float:
        return max(THINNEST, channels * self.scale)

    def segments(self) -> list[tuple[float, float]]:
        """(middle, breadth) of each branch's part of the concatenation."""
        breadths = [self.thick(shape[0]) for shape in self.ends]
        edge, placed = self.middle - sum(breadths) / 2, []
        for breadth in breadths:
            placed.append((edge + breadth / 2, breadth))
            edge += breadth
        return placed

    def box(self, along: float, middle: float, length: float, breadth: float) -> tuple[float, float, float, float]:
        """(x, y, width, height) of what begins at `along` and has its `middle` across the flow."""
        edge = middle - breadth / 2
        return (edge, along, breadth, length) if self.layout.down else (along, edge, length, breadth)

    def rect(self, style: str, along: float, middle: float, length: float, breadth: float, corner: float = 0) -> None:
        self.mark_rect(style, *self.box(along, middle, length, breadth), corner)

    def mark_rect(self, style: str, x: float, y: float, width: float, height: float, corner: float) -> None:
        if corner:
            corner = min(corner, width / 2, height / 2)
            r, across, down = f"{corner:.1f}", f"{width - 2 * corner:.1f}", f"{height - 2 * corner:.1f}"
            turn = f"a{r} {r} 0 0 1"
            path = (
                f"M{x + corner:.1f} {y:.1f}h{across}{turn} {r} {r}v{down}{turn}-{r} {r}"
                f"h-{across}{turn}-{r}-{r}v-{down}{turn} {r}-{r}z"
            )
        else:
            path = f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z"
        self.sheet.marks.append(Mark(style, path))

    def ribbon(self, style: str, begin: Sequence[float], end: Sequence[float], **more: str) -> None:
        """A band between two (along, middle, breadth), which bends halfway."""
        (a, b, wide), (c, d, narrow) = begin, end
        near, bend, far = f"{a:.1f}", f"{(a + c) / 2:.1f}", f"{c:.1f}"
        sides = [f"{side:.1f}" for side in (b - wide / 2, d - narrow / 2, d + narrow / 2, b + wide / 2)]
        corners = [(near, 0), (bend, 0), (bend, 1), (far, 1), (far, 2), (bend, 2), (bend, 3), (near, 3)]
        if self.layout.down:
            points = [f"{sides[side]} {along}" for along, side in corners]
        else:
            points = [f"{along} {sides[side]}" for along, side in corners]
        path = "M{}C{} {} {}L{}C{} {} {}Z".format(*points)
        self.sheet.marks.append(Mark(style, path, **more))

    # --- marks ---

    def fan(self, lane: int, place: int) -> None:
        """Every branch reads all channels of the input."""
        breadth, middle, begin = self.thick(self.profile.in_shape[0]), self.lane_middle(lane), self.step_begin(0)
        ends = (self.input_end, self.middle, breadth), (begin, middle, breadth)
        self.ribbon("gl-flow", *ends, fill=f"url(#gl-{self.layout.name}-{lane})")
        if place:
            self.rect(_flow(lane), begin, middle, self.step_begin(place) - begin, breadth)

    def step(self, lane: int, place: int, row: Row) -> None:
        """The plate, and in it the ribbon from the channels that arrive to those that leave."""
        begin, middle = self.step_begin(place), self.lane_middle(lane)
        length, breadth = self.layout.plate
        share = row.macs / self.profile.macs if self.profile.macs else 0
        strength = FAINTEST + (STRONGEST - FAINTEST) * share if row.macs else 0.05
        ends = (begin, middle, self.thick(row.in_channels)), (begin + length, middle, self.thick(row.out_channels))
        self.rect(f"gl-plate {_colour(lane)}", begin, middle, length, breadth, 7)
        self.ribbon(f"gl-fill {_colour(lane)}", *ends, opacity=f"{strength:.3f}")
        cost = figures.multiply_adds(row.macs) if row.macs else tr("no multiply-adds")
        label = tr("{step}, {branch} branch: {cost}", step=row.words, branch=tr(row.branch), cost=cost)
        self.plate(row.name, label, begin, middle, length, breadth)

    def sweep(self, lane: int, row: Row, segment: tuple[float, float]) -> None:
        """From the last step into the branch's part of the concatenation, or torn where the map does not fit."""
        begin = self.step_begin(self.depth - 1) + self.layout.plate[0]
        breadth = self.thick(row.out_channels)
        start, end, joined = (begin, self.lane_middle(lane), breadth), (self.bar, *segment), f"gl-fill {_colour(lane)}"
        if row.out_shape[1:] == self.ends[0][1:]:
            self.ribbon(_flow(lane), start, end)
        else:
            stub, joined = (begin + TORN * (self.bar - begin) / 2, start[1], breadth), f"gl-torn {_colour(lane)}"
            self.ribbon(_flow(lane), start, stub)
            self.ribbon(joined, stub, end)
        self.rect(joined, self.bar, segment[0], self.layout.bar, breadth)

    def plate(self, name: str, label: str, *place: float) -> None:
        x, y, width, height = self.box(*place)
        across, down = 100 / self.sheet.width, 100 / self.sheet.height
        css = f"left:{x * across:.3f}%;top:{y * down:.3f}%;width:{width * across:.3f}%;height:{height * down:.3f}%"
        self.sheet.plates.append(Plate(name, label, css))

    # --- words ---

    def write(self, x: float, y: float, text: str, style: str = "", anchor: str = "", strong: str = "") -> None:
        self.sheet.words.append(Words(f"{x:.1f}", f"{y:.1f}", text, style, anchor, strong))

    def describe(self, lane: int, place: int, row: Row) -> None:
        """What a step is and costs, and the shape that leaves it: inside the plate on a phone, else on the ribbon."""
        x, y, width, height = self.box(self.step_begin(place), self.lane_middle(lane), *self.layout.plate)
        middle, down = x + width / 2, self.layout.down
        share = figures.percent(row.macs, self.profile.macs)
        cost = f"{figures.si(row.macs)} · {share}" if row.macs else tr("costs nothing")
        first = y + (height / 2 - 4 if down else 19)
        fits = row.out_shape[1:] == self.ends[0][1:]
        self.write(middle, first, row.words.replace("convolution", "conv"), "gl-strong")
        self.write(middle, first + (17 if down else 16), cost, "gl-small")
        shape, style = _short(row.out_shape), f"gl-small gl-halo{'' if fits else ' gl-wrong'}"
        self.write(middle, y + height + (17 if down else -9), shape, style)

    def describe_ends(self) -> None:
        """The shapes that arrive and leave: above and below the flow, on a phone at both sides above it."""
        sheet = self.sheet
        arriving = figures.shape(self.profile.in_shape)
        leaving = "✗" if self.torn else figures.shape(self.profile.out_shape)
        if self.layout.down:
            self.write(sheet.width / 2, 15, tr("input"), strong=arriving)
            self.write(sheet.width / 2, sheet.height - 6, tr("output"), strong=leaving)
        else:
            self.write(self.layout.margin[0], 13, tr("in"), "gl-small", "start", arriving)
            self.write(sheet.width - 3, 13, tr("out"), "gl-small", "end", leaving)

    def describe_sum(self) -> None:
        """64 + 128 + 32 + 32 = 256 channels, each term on its branch's colour."""
        channels = [shape[0] for shape in self.ends]
        terms = [f"{number:,}" for number in channels]
        result, style = f"= {sum(channels):,}", "gl-strong"
        if self.layout.down:
            result = tr("= {n:,} channels", n=sum(channels))
        if self.torn:
            result = "✗ " + " ≠ ".join(f"{shape[1]}×{shape[2]}" for shape in (self.torn, self.ends[0]))
            style = "gl-strong gl-wrong"
        breadths = [7.7 * len(term) + 12 for term in terms]
        room = 16 if self.layout.down else 13
        total = sum(breadths) + 3 * room + 10 + 7.5 * sum(2 if east_asian_width(sign) == "W" else 1 for sign in result)
        x, y = max(2.0, (self.sheet.width - total) / 2), self.sheet.height - (32 if self.layout.down else 9)
        for lane, (term, breadth) in enumerate(zip(terms, breadths, strict=True)):
            if lane:
                self.write(x - room / 2, y, "+")
            self.mark_rect(f"gl-fill {_colour(lane)}", x, y - 15, breadth, 21, 4)
            self.write(x + breadth / 2, y, term, f"gl-strong gl-chip {_colour(lane)}")
            x += breadth + room
        self.write(x - room + 8, y, result, style, "start")


def _colour(lane: int) -> str:
    return figures.BRANCH_CLASSES[BRANCHES[lane]]


def _flow(lane: int) -> str:
    return f"gl-flow gl-fill {_colour(lane)}"


def _short(shape: Sequence[int]) -> str:
    """The shape as figures.shape writes it, closer where it would not fit a plate."""
    written = figures.shape(shape)
    return written if len(written) <= 16 else "×".join(map(str, shape))
