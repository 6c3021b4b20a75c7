"""A window that slides over a map: where it fits, and how much of what it sees is padding."""

from __future__ import annotations

import functools

from googlenet.errors import LabError
from googlenet.language import tr


def slide(
    name: str, size: tuple[int, int], kernel: int, stride: int, padding: int, ceil_mode: bool = False
) -> tuple[int, int]:
    """(height, width) after a window slides over a (height, width) map; raises `LabError` where it does not fit."""
    height, width = (_positions(side, kernel, stride, padding, ceil_mode) for side in size)
    if min(height, width) < 1:
        raise LabError(
            tr(
                "A {height}×{width} map reaches {layer}, too small for its {kernel}×{kernel} window: use larger "
                "images.",
                height=size[0],
                width=size[1],
                layer=name,
                kernel=kernel,
            )
        )
    return height, width


@functools.lru_cache(maxsize=1024)  # a network's table asks for each window several times
def padding_share(size: tuple[int, int], out: tuple[int, int], kernel: int, stride: int, padding: int) -> float:
    """How many of a window's taps, over all its `out` positions on a map of `size` (height, width), see no pixel.

    From 0 to 1, exact: outside the map are zeros (in a max pool nothing), so those weights see no picture.
    """
    inside = taps = 1
    for side, positions in zip(size, out, strict=True):
        inside *= sum(_positions_inside(side, positions, stride, tap - padding) for tap in range(kernel))
        taps *= positions * kernel
    return (taps - inside) / taps


def _positions(side: int, kernel: int, stride: int, padding: int, ceil_mode: bool) -> int:
    room = side + 2 * padding - kernel
    if not ceil_mode:
        return room // stride + 1
    count = -(-room // stride) + 1
    # torch drops a last window that would start in the right padding, where it would see no pixel at all.
    return count - 1 if (count - 1) * stride >= side + padding else count


def _positions_inside(side: int, positions: int, stride: int, offset: int) -> int:
    """At how many of the `positions`, `stride` apart, the tap that starts at `offset` lies on the map."""
    first, last = max(0, -(offset // stride)), min(positions - 1, (side - 1 - offset) // stride)
    return max(0, last - first + 1)
