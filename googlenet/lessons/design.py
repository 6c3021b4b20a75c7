"""What somebody has built, as the builder's address keeps it: a module on its map, forgotten stride included, or a
network. A design is what a challenge is answered with, and what a question can be made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from googlenet.config import GoogLeNetConfig, InceptionConfig
from googlenet.errors import LabError, check_choice, check_whole
from googlenet.language import mark, tr
from googlenet.lessons.arithmetic import forget_stride
from googlenet.models.formats.share import from_link_text, to_link_text
from googlenet.models.presets import INCEPTIONS
from googlenet.models.profile import Profile, profile_module

MODULES = ("reduced", "naive")
FORGOTTEN = "forgotten"
MAX_DESIGN = 2_000  # characters: they travel inside a class's link and inside the code that a student hands in
_NUMBERS = 10
_NONE = mark("This is no design: copy the page's address while the builder shows it.")


@dataclass(frozen=True)
class ModuleDesign:
    """An Inception module on a map; `forgotten` leaves out the stride of its pool."""

    config: InceptionConfig
    height: int
    width: int
    batch: int = 1
    forgotten: bool = False

    @property
    def text(self) -> str:
        """As the address keeps it, reduced-192-1-28-…; a naive module carries 3a's reductions along."""
        spare = INCEPTIONS["3a"] if self.config.naive else self.config
        numbers = (
            self.config.in_channels, self.batch, self.height, self.width, self.config.ch1x1, spare.ch3x3red,
            self.config.ch3x3, spare.ch5x5red, self.config.ch5x5, spare.pool_proj,
        )  # fmt: skip
        kind = "naive" if self.config.naive else "reduced"
        return "-".join([kind, *map(str, numbers), *([FORGOTTEN] if self.forgotten else [])])

    @property
    def profile(self) -> Profile:
        """What it costs and gives, the forgotten stride at work."""
        profile = profile_module(self.config, self.height, self.width, self.batch)
        return forget_stride(profile) if self.forgotten else profile


Design = ModuleDesign | GoogLeNetConfig


def design_text(design: Design) -> str:
    """The short text that `read_design` makes the same design of."""
    return design.text if isinstance(design, ModuleDesign) else to_link_text(design)


def read_design(text: str) -> Design:
    """The design in a text of `design_text`, or in an address of the builder; raises `LabError` for anything else."""
    text = str(text).strip()
    if not text:
        said = tr("There is no design yet: build one, then copy the page's address while the builder shows it.")
        raise LabError(said, "design")
    if "?" in text or "=" in text:
        text = _of_address(text)
    if len(text) > MAX_DESIGN:
        said = tr("A design is up to {n:,} characters: start from a preset and change less.", n=MAX_DESIGN)
        raise LabError(said, "design")
    if text.split("-")[0] in MODULES:
        return _module(text)
    try:
        return from_link_text(text)
    except LabError as error:
        raise LabError(tr(_NONE), "design") from error


def _of_address(text: str) -> str:
    """The part of a page's address that describes what it shows; it may describe a module and a network."""
    found = {name: values[-1] for name, values in parse_qs(urlsplit(text).query or text.lstrip("?")).items()}
    names = ("network", "module") if found.get("view") == "network" else ("module", "network")
    chosen = next((found[name] for name in names if name in found), "")
    if not chosen:
        said = mark(
            "This address describes no module and no network: copy the page's address while the builder shows it."
        )
        raise LabError(tr(said), "design")
    return chosen


def _module(text: str) -> ModuleDesign:
    kind, *numbers = text.split("-")
    forgotten = bool(numbers) and numbers[-1] == FORGOTTEN
    numbers = numbers[:-1] if forgotten else numbers
    if len(numbers) != _NUMBERS or not all(number.isascii() and number.isdigit() for number in numbers):
        said = mark(
            "This module was cut off or changed on its way: copy the page's address while the builder shows it."
        )
        raise LabError(tr(said), "design")
    arriving, batch, height, width, *widths = map(int, numbers)
    if check_choice(kind, "kind", MODULES) == "naive":
        config = InceptionConfig.make_naive("module", arriving, widths[0], widths[2], widths[4])
    else:
        ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, pool_proj = widths
        config = InceptionConfig("module", arriving, ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, pool_proj)
    profile_module(config, height, width, check_whole(batch, "batch", 1, 4096))  # says so where a side is out of range
    return ModuleDesign(config, height, width, batch, forgotten)
