"""What Table 1 of the paper quotes for each of its rows, beside which the profile computes its own figures.

Szegedy et al., "Going deeper with convolutions" (2015). The paper calls multiply-adds "ops", counts no biases and
rounds. Its ops follow from the channels it prints, except in conv1 and 5a; its parameters do so in three rows only,
with K for 1,024: `reason` says for each row what is known of the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from googlenet.language import mark, tr


@dataclass(frozen=True)
class Quoted:
    """A row of Table 1 as printed; every figure is the paper's claim, not computed here.

    `layers` are this lab's layers in that row: conv2 and conv3 share one. `params` and `ops` are as printed (159K,
    128M), and so is `row`. `said` is what `reason` says of the `weights` that the row's channels give.
    """

    layers: tuple[str, ...]
    row: str
    params: str
    ops: str
    said: str
    weights: int = 0

    @property
    def reason(self) -> str:
        """A sentence or two for people: why the figures are, or are not, what the row's channels give."""
        return tr(self.said, weights=self.weights, kilo=self.weights / 1024)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {name: getattr(self, name) for name in ("layers", "row", "params", "ops", "reason")}


def quoted(layer: str) -> Quoted | None:
    """The row of Table 1 that `layer` (conv1, inception3a, fc) belongs to; None where the paper quotes nothing."""
    return _ROWS.get(layer)


_AGREES = mark("The row's channels give {weights:,} weights: {kilo:,.1f}K, where K stands for 1,024.")
_DIFFERS = mark(
    "The row's channels give {weights:,} weights, {kilo:,.1f}K even where K stands for 1,024. "
    "The ops agree; what the parameters count the paper does not say."
)
TABLE_1: tuple[Quoted, ...] = (
    Quoted(
        ("conv1",), mark("convolution 7×7/2"), "2.7K", "34M", mark(
        "A 7×7 convolution has 9,408 weights and 118.0 M multiply-adds. Both quoted figures fit (7 + 7) · 3 · 64 = "
        "2,688 weights and their 33.7 M, as if a 7×1 and a 1×7 convolution stood in its place."),
    ),
    Quoted(("conv2", "conv3"), mark("convolution 3×3/1, with its 1×1 reduction"), "112K", "360M", _AGREES, 114_688),
    Quoted(("inception3a",), "inception (3a)", "159K", "128M", _AGREES, 163_328),
    Quoted(("inception3b",), "inception (3b)", "380K", "304M", _DIFFERS, 388_096),
    Quoted(("inception4a",), "inception (4a)", "364K", "73M", _DIFFERS, 375_552),
    Quoted(("inception4b",), "inception (4b)", "437K", "88M", _DIFFERS, 448_512),
    Quoted(("inception4c",), "inception (4c)", "463K", "100M", _DIFFERS, 509_440),
    Quoted(("inception4d",), "inception (4d)", "580K", "119M", _DIFFERS, 604_672),
    Quoted(("inception4e",), "inception (4e)", "840K", "170M", _DIFFERS, 867_328),
    Quoted(
        ("inception5a",), "inception (5a)", "1072K", "54M", mark(
        "The row's channels give 1,042,432 weights and 51.1 M multiply-adds. The quoted figures fit each other, not "
        "the channels: 1,072 · 1,024 weights at 7×7 places are 53.8 M."),
    ),
    Quoted(("inception5b",), "inception (5b)", "1388K", "71M", _DIFFERS, 1_442_816),
    Quoted(("fc",), mark("linear"), "1000K", "1M", _AGREES, 1_024_000),
)  # fmt: skip
_ROWS = {layer: row for row in TABLE_1 for layer in row.layers}
