"""What See inside shows of one layer: its maps branch by branch, and what the browser needs to answer a pointer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from PIL import Image

from googlenet.errors import LabError
from googlenet.inference.inside.fields import INPUT, branch_steps, field, reads, spans
from googlenet.language import tr
from googlenet.models.profile import Profile, Row
from googlenet.ui.classify.inside import maps
from googlenet.ui.common import figures
from googlenet.ui.common.pictures import data_uri
from googlenet.ui.common.templates import render

if TYPE_CHECKING:  # torch takes over a second to import: the page comes first
    from torch import Tensor

    from googlenet.inference.inside.trace import Trace

PICTURE, ANSWER = "picture", "answer"
TILES = 6  # of a step inside a branch
WIDE_TILES = 8  # of the map that arrives, and of a layer without branches
PLACES = 32  # of a side: what the browser keeps of a strength map


@dataclass(frozen=True)
class Step:
    """A step with its strongest maps; `share` is how wide its ribbon is, 1 for the most channels of the module."""

    row: Row
    sheet: maps.Sheet
    share: float
    before: float

    @property
    def name(self) -> str:
        """What it does, for people."""
        return self.row.words


@dataclass(frozen=True)
class Lane:
    """A branch: its steps, and all that it gives, as a grid. `colour` is the CSS class of the branch."""

    branch: str
    colour: str
    steps: list[Step]
    grid: maps.Grid

    @property
    def name(self) -> str:
        """The branch for people, "" where there is none."""
        return tr(self.branch)


def stops(profile: Profile) -> list[str]:
    """The places one can look at, in the picture's order: the picture, every layer, the answer."""
    layers = dict.fromkeys(row.layer for row in profile.rows if not row.aux)
    return [PICTURE, *(name for name in layers if name not in ("fc", "avgpool")), ANSWER]


def fitting_stop(profile: Profile, asked: str | None) -> str:
    """`asked` where the network has such a layer, else its first Inception module, else the answer."""
    found = stops(profile)
    if asked in found:
        return str(asked)
    return next((row.layer for row in profile.rows if row.name.endswith(".concat")), ANSWER)


def short(stop: str) -> str:
    """ "3a" for inception3a, as in the paper's table."""
    return named(stop).removeprefix("inception").replace("maxpool", "pool")


def named(stop: str) -> str:
    """What people read for a stop: a layer's name is the same in every language."""
    return {PICTURE: tr("picture"), ANSWER: tr("answer")}.get(stop, stop)


def path(profile: Profile, stop: str) -> Markup:
    """The way through the network, a button for each stop."""
    branched = {row.layer for row in profile.rows if row.branch}
    return render(
        "classify/inside/path.html",
        stops=[(name, named(name), short(name), name in branched) for name in stops(profile)],
        current=stop,
    )


def shown_steps(profile: Profile, stop: str) -> set[str]:
    """The steps whose maps a stop shows: its own, and the one that arrives."""
    rows = [row for row in profile.rows if row.layer == stop and not row.aux]
    arrives = {reads(profile, row.name).removesuffix(".concat") for row in rows[:1]}
    return {row.name for row in rows if row.name != f"{stop}.concat"} | arrives - {INPUT}


def stage(traced: Trace, stop: str, picked: tuple[str, int] | None = None) -> Markup:
    """The stop's maps, of which `picked`, a step and its channel, is chosen already.

    Raises `LabError` for a stop that the network does not have.
    """
    if stop not in stops(traced.profile):
        raise LabError(tr("This network has no such layer: choose one of its path."), "layer")
    picture = data_uri(Image.fromarray(traced.pixels.permute(1, 2, 0).numpy()))
    common = {"stop": stop, "picture": picture, "sides": tuple(traced.pixels.shape[1:])}
    if stop in (PICTURE, ANSWER):
        return render("classify/inside/picture.html", answer=list(traced.probabilities.items())[:5], **common)
    lanes = _lanes(traced, stop)
    arriving = _arriving(traced, stop)
    given = traced.maps[stop]
    return render(
        "classify/inside/stage.html",
        title=stop,
        lanes=lanes,
        simple=not lanes[0].branch,
        arriving=arriving and maps.strongest(traced.maps[arriving], WIDE_TILES),
        arrives=arriving.removesuffix(".concat"),
        aligned=bool(arriving) and traced.maps[arriving].shape[1:] == given.shape[1:],
        in_shape=traced.maps[reads(traced.profile, lanes[0].steps[0].row.name)].shape,
        out_shape=given.shape,
        largest=max(lane.grid.channels for lane in lanes),
        picked=picked,
        data=json.dumps(_for_browser(traced, stop, lanes), separators=(",", ":")),
        **common,
    )


def _lanes(traced: Trace, stop: str) -> list[Lane]:
    """The branches of a module; a layer without any is one lane of one step."""
    profile = traced.profile
    if any(row.layer == stop and row.branch for row in profile.rows):
        lanes = branch_steps(profile, stop)
    else:
        lanes = {"": [next(row for row in profile.rows if row.layer == stop)]}
    most = max(max(row.in_channels, row.out_channels) for rows in lanes.values() for row in rows)
    count = TILES if len(lanes) > 1 else 2 * WIDE_TILES
    return [
        Lane(
            branch,
            figures.BRANCH_CLASSES.get(branch, ""),
            [
                Step(row, maps.strongest(traced.maps[row.name], count, branch),
                     row.out_channels / most, row.in_channels / most)
                for row in rows
            ],
            maps.grid(traced.maps[rows[-1].name], branch),
        )
        for branch, rows in lanes.items()
    ]  # fmt: skip


def _arriving(traced: Trace, stop: str) -> str:
    """The map that the layer reads, by name; "" where that is the picture."""
    rows = [row for row in traced.profile.rows if row.layer == stop]
    name = reads(traced.profile, rows[0].name)
    return "" if name == INPUT else name


def _for_browser(traced: Trace, stop: str, lanes: list[Lane]) -> dict[str, Any]:
    """What a pointer's position is answered with, without asking the server: each branch's strength there (its mean
    over channels, in thousandths of the layer's largest), where its field lies, and its window, for the taps in
    padding."""
    height, width = traced.maps[stop].shape[1:]
    strengths = [_places(traced.maps[lane.steps[-1].row.name].mean(0)) for lane in lanes]
    top = max(float(strength.max()) for strength in strengths) or 1.0
    return {
        "map": [height, width],
        "side": list(traced.pixels.shape[1:]),
        "lanes": [
            {
                "branch": lane.name or stop,
                "colour": lane.colour,
                "mean": np.rint(1000 * np.maximum(0, strength) / top).astype(int).tolist(),
                "spans": spans(traced.profile, lane.steps[-1].row.name),
                "window": _window([step.row for step in lane.steps]),
            }
            for lane, strength in zip(lanes, strengths, strict=True)
        ],
    }


def _places(strength: Tensor) -> np.ndarray:
    from torch.nn import functional as F

    height, width = strength.shape
    return F.adaptive_avg_pool2d(strength[None], (min(PLACES, height), min(PLACES, width)))[0].numpy()


def _window(rows: list[Row]) -> dict[str, int]:
    """The branch's last window wider than a pixel, on the map that it reads."""
    row = next((row for row in reversed(rows) if row.kernel > 1), rows[-1])
    _, height, width = row.in_shape
    return {"kernel": row.kernel, "stride": row.stride, "padding": row.padding, "height": height, "width": width}


def strongest_place(traced: Trace, step: str, channel: int) -> tuple[int, int]:
    """(y, x) of a map's largest value."""
    values = traced.maps[step][channel]
    return tuple(int(at) for at in np.unravel_index(int(values.argmax()), tuple(values.shape)))  # type: ignore[return-value]


def seen_words(traced: Trace, step: str, y: int, x: int) -> str:
    """ "12 × 12 pixels of the picture; 3 of the window's 9 taps lie in padding (33.3%)"; rows first, as in maps."""
    seen = field(traced.profile, step, y, x)
    box = tr("nothing but padding")
    if seen.box:
        box = tr("{height} × {width} pixels of the picture", height=seen.box.height, width=seen.box.width)
    if not seen.padding_taps:
        return box
    return tr(
        "{box}; {n} of the window's {taps} taps lie in padding ({share})",
        box=box,
        n=seen.padding_taps,
        taps=seen.taps,
        share=figures.percent(seen.padding_taps, seen.taps),
    )
