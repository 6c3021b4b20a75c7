"""The form of the Build tab: what its controls hold, what it can start from, and how the page's address keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from googlenet.config import InceptionConfig
from googlenet.errors import check_choice
from googlenet.models.presets import INCEPTIONS, NOTE_EXAMPLE_SIZE, NOTE_NAIVE, preset
from googlenet.models.profile import profile_network

KINDS = ("reduced", "naive")
OWN = "your own"
# The page's address holds the form, ?module=reduced-192-1-28-…, so that a reload or a shared link opens it again.
# The browser alone reads it: an answer from the server could overwrite what a quick hand has set meanwhile.
READ_FORM = """const readForm = (state, values) => {
    const [kind, ...numbers] = (state ?? "").split("-");
    const known = ["reduced", "naive"].includes(kind) && numbers.every((number) => /^[0-9]{1,5}$/.test(number));
    return known && numbers.length + 1 === values.length ? [kind, ...numbers.map(Number)] : values;
};"""
READ_URL = f"""(...values) => {{
    {READ_FORM}
    const form = readForm(new URL(location).searchParams.get("module"), values);
    window.glNow = form.join("-");  // what the first edit can be undone to
    return form;
}}"""
# Browsers refuse an address that changes at every step of a drag, hence the pause. What was there before can be undone.
WRITE_URL = """(...values) => {
    clearTimeout(window.glRemember);
    window.glRemember = setTimeout(() => {
        const url = new URL(location), state = values.join("-");
        if (window.glNow && window.glNow !== state) (window.glPast ??= []).push(window.glNow);
        window.glNow = state;
        url.searchParams.set("module", state);
        history.replaceState(history.state, "", url);
    }, 400);
}"""
UNDO = f"""(...values) => {{
    {READ_FORM}
    if (window.glNow === undefined || window.glNow === values.join("-"))
        window.glNow = window.glPast?.pop() ?? window.glNow;
    return readForm(window.glNow, values);
}}"""


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
        """The module described; `LabError` naming the field that is out of range."""
        check_choice(self.kind, "kind", KINDS)
        if self.kind == "naive":
            return InceptionConfig.make_naive("The module's", self.in_channels, self.ch1x1, self.ch3x3, self.ch5x5)
        widths = (self.ch1x1, self.ch3x3red, self.ch3x3, self.ch5x5red, self.ch5x5, self.pool_proj)
        return InceptionConfig("The module's", self.in_channels, *widths)

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
    starts = {f"{key} of GoogLeNet": form_of(c, *arriving[c.name][1:]) for key, c in INCEPTIONS.items()}
    side = NOTE_EXAMPLE_SIZE
    return {
        **starts,
        "the note's example, naive": form_of(NOTE_NAIVE, side, side),
        "the note's example, with reductions": form_of(INCEPTIONS["3a"], side, side),
    }


STARTS = _starts()
DEFAULT = next(iter(STARTS))


def name_of(form: Form) -> str:
    """The start that describes the same module on the same map, whatever the batch; else "your own"."""
    config, size = form.config(), (form.height, form.width)
    return next((name for name, it in STARTS.items() if (it.config(), (it.height, it.width)) == (config, size)), OWN)


def load_start(name: str, *values: Any) -> tuple[Any, ...]:
    """Every control's value for a named module; the values as they are for "your own"."""
    return STARTS[name].values if name in STARTS else values
