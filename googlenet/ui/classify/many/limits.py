"""How much may be sent at once."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Pictures, and bytes of one file and of all files."""

    pictures: int
    file_bytes: int
    total_bytes: int


def limits(public: bool) -> Limits:
    """More on one's own machine than for strangers."""
    return Limits(1_000, 50_000_000, 1_000_000_000) if public else Limits(10_000, 4_000_000_000, 40_000_000_000)
