"""What people read for a branch and for a step, in their language: a profile's rows have them in English."""

from __future__ import annotations

from googlenet.language import mark, tr

# The kinds of steps by the end of a row's label, with the window's size before it where there is one.
_SIZED = {
    "convolution": mark("{size} convolution"),
    "max pool": mark("{size} max pool"),
    "average pool": mark("{size} average pool"),
}
_UNSIZED = (mark("concatenation"), mark("local response norm"), mark("linear"), mark("average pool"))


def branch_name(branch: str) -> str:
    """The branch's name; those that are sizes are the same in every language."""
    return tr("pool") if branch == "pool" else branch


def step_name(label: str) -> str:
    """What a step does, "3×3 convolution", from its row's `label`."""
    size, _, kind = label.partition(" ")
    if kind in _SIZED:
        return tr(_SIZED[kind], size=size)
    return tr(label) if label in _UNSIZED else label
