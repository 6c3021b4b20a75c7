"""The form of the Build tab: what its controls hold, what it can start from, and how the page's address keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from googlenet.config import MAX_BATCH, MAX_CHANNELS, MAX_SIZE, InceptionConfig
from googlenet.errors import check_choice, check_whole
from googlenet.language import mark, tr
from googlenet.models.presets import INCEPTIONS, NOTE_EXAMPLE_SIZE, NOTE_NAIVE, preset
from googlenet.models.profile import profile_network

KINDS = ("reduced", "naive")
OWN = mark("your own")
OF_GOOGLENET = mark("{module} of GoogLeNet")
# Each field as the page labels it, in English.
LABELS = {
    "in_channels": mark("Channels in (in_channels)"),
    "batch": mark("Batch"),
    "height": mark("Height"),
    "width": mark("Width"),
    "ch1x1": "1×1 (ch1x1)",
    "ch3x3red": mark("1×1 reduction before it (ch3x3red)"),
    "ch3x3": "3×3 (ch3x3)",
    "ch5x5red": mark("1×1 reduction before it (ch5x5red)"),
    "ch5x5": "5×5 (ch5x5)",
    "pool_proj": mark("1×1 after the pool (pool_proj)"),
}
LIMITS = dict.fromkeys(LABELS, MAX_CHANNELS) | {"batch": MAX_BATCH, "height": MAX_SIZE, "width": MAX_SIZE}


@dataclass(frozen=True)
class Form:
    """What the controls hold, in their order on the page."""

    kind: str
    in_channels: int
    batch: int
    height: int
    width: int
    ch1x1: int
    ch3x3red: int
    ch3x3: int
    ch5x5red: int
    ch5x5: int
    pool_proj: int

    def config(self) -> InceptionConfig:
        """The module described; `LabError` naming the field that is out of range, as the page does."""
        check_choice(self.kind, "kind", KINDS)
        for field, label in LABELS.items():
            check_whole(getattr(self, field), tr(label), 1, LIMITS[field], field=field)
        if self.kind == "naive":
            return InceptionConfig.make_naive("The module's", self.in_channels, self.ch1x1, self.ch3x3, self.ch5x5)
        widths = (self.ch1x1, self.ch3x3red, self.ch3x3, self.ch5x5red, self.ch5x5, self.pool_proj)
        return InceptionConfig("The module's", self.in_channels, *widths)

    def link(self, forgotten: bool = False) -> str:
        """The state in the page's address, reduced-192-1-28-…: `static/build/module.js` reads it."""
        numbers = (str(int(value)) for value in self.values[1:])
        return "-".join([self.kind, *numbers, *(["forgotten"] if forgotten else [])])

    @property
    def values(self) -> tuple[Any, ...]:
        """One value a control."""
        return tuple(vars(self).values())


def form_of(config: InceptionConfig, height: int, width: int) -> Form:
    """A preset's form; a naive module keeps 3a's reductions behind the scenes, for switching back."""
    spare = INCEPTIONS["3a"] if config.naive else config
    return Form(
        "naive" if config.naive else "reduced", config.in_channels, 1, height, width,
        config.ch1x1, spare.ch3x3red, config.ch3x3, spare.ch5x5red, config.ch5x5, spare.pool_proj,
    )  # fmt: skip


def _starts() -> dict[str, Form]:
    rows = profile_network(preset("imagenet")).rows
    arriving = {row.layer: row.in_shape for row in reversed(rows)}  # of each layer's first row
    starts = {OF_GOOGLENET.format(module=key): form_of(c, *arriving[c.name][1:]) for key, c in INCEPTIONS.items()}
    side = NOTE_EXAMPLE_SIZE
    return {
        **starts,
        mark("the note's example, naive"): form_of(NOTE_NAIVE, side, side),
        mark("the note's example, with reductions"): form_of(INCEPTIONS["3a"], side, side),
    }


STARTS = _starts()
DEFAULT = next(iter(STARTS))


def _place(form: Form) -> tuple[InceptionConfig, int, int]:
    return form.config(), form.height, form.width


NAMES = {_place(form): name for name, form in reversed(STARTS.items())}  # the first of two alike is told


def name_of(form: Form) -> str:
    """The start that describes the same module on the same map, whatever the batch; else "your own"."""
    return NAMES.get(_place(form), OWN)


def shown_name(name: str) -> str:
    """What the page calls a start or "your own", in the reader's language; events know it by its English name."""
    module = next((key for key in INCEPTIONS if name == OF_GOOGLENET.format(module=key)), "")
    return tr(OF_GOOGLENET, module=module) if module else tr(name)


def load_start(name: str, *values: Any) -> tuple[Any, ...]:
    """Every control's value for a named module; the values as they are for "your own"."""
    return STARTS[name].values if name in STARTS else values
