"""The module as one picture (Szegedy et al. 2015, figure 2): its channels flow from the input through four branches.

Every ribbon is as wide as its channels, all in one scale, so that a 1×1 reduction is seen to narrow what the costly
kernel reads. Each step is a plate on the ribbon, filled the stronger the larger its share of the multiply-adds.
The picture comes in two layouts, downwards for a desk and to the right for a phone; CSS shows the one that fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from googlenet.models.profile import BRANCHES, Profile, Row
from googlenet.ui.common import figures

THINNEST = 2.0  # px: one channel of 4,096 is still seen
FAINTEST, STRONGEST = 0.08, 0.6  # opacity of a step's fill, up to where its text stays legible
TORN = 0.62  # of the way to the concatenation: where a branch ends that does not fit
READING = "Ribbons are as wide as their channels, in one scale. A step is filled by its share of the multiply-adds."


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
NARROW = Layout("narrow", False, 67, 57, (108, 59), 14, 36, 36, 8, 18, (3, 24))


@dataclass(frozen=True)
class Drawn:
    """One layout of a module: its SVG, and where its steps are, as (row name, label, CSS box in percent)."""

    svg: str
    plates: tuple[tuple[str, str, str], ...]


def draw_module(profile: Profile, layout: Layout, *, title: str = "Inception module") -> Drawn:
    """The picture of a module's profile. A branch whose map has another size than the first one's is torn off."""
    return _Drawing(profile, layout).draw(title)


class _Drawing:
    """Geometry and marks of one picture. Positions are (along, across) until `point` and `rect` turn them to (x, y)."""

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
        self.width, self.height = bar_end + 3, across + 34
        if layout.down:
            self.width, self.height = across + layout.margin[1], bar_end + 56

    def draw(self, title: str) -> Drawn:
        """Ribbons first, then what stands on them, then the words."""
        name, plates = self.layout.name, []
        marks = [self.gradients(), self.ends_in_words(), self.input()]
        segments = self.segments()
        for lane, (rows, segment) in enumerate(zip(self.lanes, segments, strict=True)):
            first = self.depth - len(rows)  # a short branch stands beside the last steps of the others, as in the paper
            marks.append(self.fan(lane, first))
            for place, row in enumerate(rows, start=first):
                marks.append(self.step(lane, place, row))
                plates.append(self.plate(lane, place, row))
                if place + 1 < self.depth:
                    marks.append(self.passage(lane, place, row))
            marks.append(self.sweep(lane, rows[-1], segment))
            marks += [self.words(lane, place, row) for place, row in enumerate(rows, start=first)]
        marks += [self.sum_row()]
        if not self.torn:
            plates.append(self.concat_plate(segments))
        svg = (
            f"<svg xmlns='http://www.w3.org/2000/svg' class='gl-drawing gl-{name}' role='img' "
            f"viewBox='0 0 {self.width:.0f} {self.height:.0f}' aria-labelledby='gl-{name}-title gl-{name}-desc'>"
            f"<title id='gl-{name}-title'>{escape(title)}</title>"
            f"<desc id='gl-{name}-desc'>{escape(describe(self.profile))}</desc>{''.join(marks)}</svg>"
        )
        return Drawn(svg, tuple(plates))

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

    def point(self, along: float, across: float) -> str:
        return f"{across:.1f} {along:.1f}" if self.layout.down else f"{along:.1f} {across:.1f}"

    def box(self, along: float, middle: float, length: float, breadth: float) -> tuple[float, float, float, float]:
        """(x, y, width, height) of what begins at `along` and has its `middle` across the flow."""
        edge = middle - breadth / 2
        return (edge, along, breadth, length) if self.layout.down else (along, edge, length, breadth)

    def rect(self, along: float, middle: float, length: float, breadth: float, style: str) -> str:
        x, y, width, height = self.box(along, middle, length, breadth)
        return f"<rect x='{x:.1f}' y='{y:.1f}' width='{width:.1f}' height='{height:.1f}' {style}/>"

    def ribbon(self, begin: Sequence[float], end: Sequence[float], style: str) -> str:
        """A band between two (along, middle, breadth), which bends halfway."""
        (a, b, wide), (c, d, narrow) = begin, end
        bend = (a + c) / 2
        corners = [b - wide / 2, d - narrow / 2, d + narrow / 2, b + wide / 2]
        near, far = [self.point(a, y) for y in corners], [self.point(c, y) for y in corners]
        bent = [self.point(bend, y) for y in corners]
        path = f"M{near[0]}C{bent[0]} {bent[1]} {far[1]}L{far[2]}C{bent[2]} {bent[3]} {near[3]}Z"
        return f"<path d='{path}' {style}/>"

    # --- marks ---

    def gradients(self) -> str:
        """From the input's grey into each branch's colour."""
        turn = "x1='0' y1='0' x2='0' y2='1'" if self.layout.down else ""
        return "<defs>" + "".join(
            f"<linearGradient id='gl-{self.layout.name}-{lane}' {turn} class='{figures.BRANCH_CLASSES[branch]}'>"
            "<stop offset='0.1' class='gl-grey'/><stop offset='0.9' class='gl-tint'/></linearGradient>"
            for lane, branch in enumerate(BRANCHES)
        ) + "</defs>"  # fmt: skip

    def input(self) -> str:
        breadth = self.thick(self.profile.in_shape[0])
        return self.rect(self.layout.margin[0], self.middle, self.layout.slab, breadth, "rx='2' class='gl-slab'")

    def fan(self, lane: int, place: int) -> str:
        """Every branch reads all channels of the input."""
        breadth, middle = self.thick(self.profile.in_shape[0]), self.lane_middle(lane)
        style = f"fill='url(#gl-{self.layout.name}-{lane})' class='gl-flow'"
        bent = self.ribbon((self.input_end, self.middle, breadth), (self.step_begin(0), middle, breadth), style)
        if not place:
            return bent
        rest = self.step_begin(place) - self.step_begin(0)
        straight = self.rect(self.step_begin(0), middle, rest, breadth, f"class='gl-flow gl-fill {_colour(lane)}'")
        return bent + straight

    def step(self, lane: int, place: int, row: Row) -> str:
        """The plate, and in it the ribbon from the channels that arrive to those that leave."""
        begin, middle = self.step_begin(place), self.lane_middle(lane)
        length, breadth = self.layout.plate
        share = row.macs / self.profile.macs if self.profile.macs else 0
        strength = FAINTEST + (STRONGEST - FAINTEST) * share if row.macs else 0
        ends = (begin, middle, self.thick(row.in_channels)), (begin + length, middle, self.thick(row.out_channels))
        return (
            self.rect(begin, middle, length, breadth, f"rx='7' class='gl-plate {_colour(lane)}'")
            + self.ribbon(*ends, f"class='gl-fill {_colour(lane)}' fill-opacity='{max(strength, 0.05):.3f}'")
        )  # fmt: skip

    def passage(self, lane: int, place: int, row: Row) -> str:
        begin = self.step_begin(place) + self.layout.plate[0]
        breadth = self.thick(row.out_channels)
        return self.rect(
            begin, self.lane_middle(lane), self.layout.gap, breadth, f"class='gl-flow gl-fill {_colour(lane)}'"
        )

    def sweep(self, lane: int, row: Row, segment: tuple[float, float]) -> str:
        """From the last step into the branch's part of the concatenation, or torn where the map does not fit."""
        begin = self.step_begin(self.depth - 1) + self.layout.plate[0]
        breadth = self.thick(row.out_channels)
        start, end = (begin, self.lane_middle(lane), breadth), (self.bar, *segment)
        joined = f"class='gl-fill {_colour(lane)}'"
        if row.out_shape[1:] == self.ends[0][1:]:
            return self.ribbon(start, end, f"class='gl-flow gl-fill {_colour(lane)}'") + self.rect(
                self.bar, segment[0], self.layout.bar, breadth, joined
            )
        stub = (begin + TORN * (self.bar - begin) / 2, start[1], breadth)
        return (
            self.ribbon(start, stub, f"class='gl-flow gl-fill {_colour(lane)}'")
            + self.ribbon(stub, end, f"class='gl-torn {_colour(lane)}'")
            + self.rect(self.bar, segment[0], self.layout.bar, breadth, f"class='gl-torn {_colour(lane)}'")
        )

    # --- words ---

    def words(self, lane: int, place: int, row: Row) -> str:
        """What a step is and costs, and the shape that leaves it: inside the plate on a phone, else on the ribbon."""
        x, y, width, height = self.box(self.step_begin(place), self.lane_middle(lane), *self.layout.plate)
        middle = x + width / 2
        label = row.label.replace("convolution", "conv")
        share = figures.percent(row.macs, self.profile.macs)
        cost = f"{figures.si(row.macs)} · {share}" if row.macs else "costs nothing"
        below = y + height + (17 if self.layout.down else -9)
        first = y + (height / 2 - 4 if self.layout.down else 19)
        fits = row.out_shape[1:] == self.ends[0][1:]
        return (
            _text(middle, first, label, "gl-strong")
            + _text(middle, first + (17 if self.layout.down else 16), cost, "gl-small")
            + _text(middle, below, _short(row.out_shape), f"gl-small gl-halo{'' if fits else ' gl-wrong'}")
        )

    def ends_in_words(self) -> str:
        """The shapes that arrive and leave: above and below the flow, on a phone at both sides above it."""
        arriving, leaving = figures.shape(self.profile.in_shape), figures.shape(self.profile.out_shape)
        places = [(self.width / 2, 15, "middle"), (self.width / 2, self.height - 6, "middle")]
        names, style = ("input", "output"), ""
        if not self.layout.down:
            places, names = [(self.layout.margin[0], 13, "start"), (self.width - 3, 13, "end")], ("in", "out")
            style = "gl-small"
        shapes = (arriving, "✗" if self.torn else leaving)
        return "".join(
            f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' class='{style}'>{name} "
            f"<tspan class='gl-strong'>{shape}</tspan></text>"
            for (x, y, anchor), name, shape in zip(places, names, shapes, strict=True)
        )

    def sum_row(self) -> str:
        """64 + 128 + 32 + 32 = 256 channels, each term on its branch's colour."""
        channels = [shape[0] for shape in self.ends]
        terms = [f"{number:,}" for number in channels]
        result = f"= {sum(channels):,}" + (" channels" if self.layout.down else "")
        if self.torn:
            result = "✗ " + " ≠ ".join(f"{shape[1]}×{shape[2]}" for shape in (self.torn, self.ends[0]))
        breadths = [7.7 * len(term) + 12 for term in terms]
        room = 16 if self.layout.down else 13
        total = sum(breadths) + 3 * room + 10 + 7.5 * len(result)
        x, y, marks = max(2.0, (self.width - total) / 2), self.height - (32 if self.layout.down else 9), []
        for lane, (term, breadth) in enumerate(zip(terms, breadths, strict=True)):
            if lane:
                marks.append(_text(x - room / 2, y, "+"))
            chip = f"<rect x='{x:.1f}' y='{y - 15:.1f}' width='{breadth:.1f}' height='21' rx='4'"
            marks.append(f"{chip} class='gl-fill {_colour(lane)}'/>")
            marks.append(_text(x + breadth / 2, y, term, f"gl-strong gl-chip {_colour(lane)}"))
            x += breadth + room
        style = "gl-strong gl-wrong" if self.torn else "gl-strong"
        return "".join(marks) + f"<text x='{x - room + 8:.1f}' y='{y:.1f}' class='{style}'>{result}</text>"

    # --- what may be clicked ---

    def plate(self, lane: int, place: int, row: Row) -> tuple[str, str, str]:
        where = self.box(self.step_begin(place), self.lane_middle(lane), *self.layout.plate)
        cost = figures.multiply_adds(row.macs) if row.macs else "no multiply-adds"
        return row.name, f"{row.label}, {row.branch} branch: {cost}", self.percent(where)

    def concat_plate(self, segments: list[tuple[float, float]]) -> tuple[str, str, str]:
        breadth = sum(breadth for _, breadth in segments)
        where = self.box(self.bar, self.middle, self.layout.bar, max(breadth, 24))
        return self.profile.rows[-1].name, "concatenation of the four branches", self.percent(where)

    def percent(self, box: tuple[float, float, float, float]) -> str:
        x, y, width, height = box
        across, down = 100 / self.width, 100 / self.height
        return f"left:{x * across:.3f}%;top:{y * down:.3f}%;width:{width * across:.3f}%;height:{height * down:.3f}%"


def describe(profile: Profile) -> str:
    """The picture in words, for those who cannot see it."""
    ways = []
    for branch, sums in profile.by_branch().items():
        steps = ", then ".join(
            f"{row.label} {row.in_channels:,} to {row.out_channels:,}" for row in profile.rows if row.branch == branch
        )
        ways.append(f"{branch} branch: {steps}, {figures.percent(sums.macs, profile.macs)} of the multiply-adds.")
    return (
        f"Input {figures.shape(profile.in_shape)}. {' '.join(ways)} Concatenated: {figures.shape(profile.out_shape)}."
    )


def _colour(lane: int) -> str:
    return figures.BRANCH_CLASSES[BRANCHES[lane]]


def _short(shape: Sequence[int]) -> str:
    """The shape as figures.shape writes it, closer where it would not fit a plate."""
    written = figures.shape(shape)
    return written if len(written) <= 16 else "×".join(map(str, shape))


def _text(x: float, y: float, words: str, style: str = "") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='middle' class='{style}'>{escape(words)}</text>"
