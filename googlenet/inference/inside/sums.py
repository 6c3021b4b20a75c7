"""The sum behind one number of a map, number by number: what a convolution, a pool or the linear layer really does.

A batch norm with fixed statistics multiplies and shifts each channel, so its factor is part of the weights shown and
its shift is the bias: value = ReLU(bias + Σ input · weight).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from googlenet.errors import LabError, check_whole
from googlenet.inference.classifier import Classifier
from googlenet.inference.inside.fields import field, module_behind, reads
from googlenet.inference.inside.trace import Trace, bands, inception
from googlenet.language import mark, tr
from googlenet.models.blocks import ConvBlock, MaxPool
from googlenet.models.profile import Row

TOP = 12
_PICTURE = mark("{step} is the picture itself: choose a convolution or a pool.")
_DIVIDES = mark("{step} divides by its neighbours and adds nothing up: choose a convolution or a pool.")
_NO_CHANNEL = mark("{layer} has {n:,} channels, counted from 0: there is no {channel:,}.")
Grid = tuple[tuple[float | None, ...], ...]


class Part(NamedTuple):
    """What one channel of the map that is read adds: the grid that the window covers, times the weights' grid.

    Where a tap lies in padding, `values` has None. `weights` is None for a max pool, whose `total` is the largest
    value. `branch` is the one of the module before that gave the channel, "" where none did.
    """

    channel: int
    branch: str
    values: Grid
    weights: Grid | None
    total: float


class Product(NamedTuple):
    """One tap: value · weight, at row and column (`i`, `j`) of the window."""

    channel: int
    i: int
    j: int
    value: float
    weight: float
    product: float


@dataclass(frozen=True)
class Sum:
    """How number (`channel`, `y`, `x`) of `step` comes about from the map `reads`.

    `kind` is convolution, max pool, average pool or linear. `parts` are the channels that count most, by |total|;
    the other `rest_channels` add `rest`. `products` are the largest single ones of all, by size. `bias` + the parts +
    the rest is `before_relu`; `value` is what the ReLU leaves of it (`relu`: whether there is one). `norm_factor` is
    what a batch norm multiplies the stored weights by, None without one. `traced` is the map's own number.
    """

    step: str
    channel: int
    y: int
    x: int
    kind: str
    reads: str
    parts: tuple[Part, ...]
    rest_channels: int
    rest: float
    products: tuple[Product, ...]
    bias: float
    norm_factor: float | None
    before_relu: float
    relu: bool
    value: float
    traced: float
    taps: int
    padding_taps: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        plain = asdict(self)
        return {**plain, "parts": [part._asdict() for part in self.parts],
                "products": [product._asdict() for product in self.products]}  # fmt: skip


@torch.inference_mode()
def sum_behind(
    classifier: Classifier, traced: Trace, step: str, channel: int, y: int = 0, x: int = 0, top: int = TOP
) -> Sum:
    """The sum behind one number of `traced`, which is `classifier`'s: of a step's map, or a logit as "fc".

    In a concatenation, or a module, it is the sum of the step that gave the channel. The `top` channels and products
    are told one by one. Raises `LabError` where there is no such number, or no sum behind it.
    """
    step, channel = origin(traced, step, check_whole(channel, "channel", 0, 10**6))
    seen = field(traced.profile, step, y, x)
    row = traced.rows.get(step)
    if row is None or row.label == "local response norm":
        raise LabError(tr(_PICTURE if row is None else _DIVIDES, step=step), "step")
    if channel >= row.out_channels:
        raise LabError(tr(_NO_CHANNEL, layer=step, n=row.out_channels, channel=channel), "channel")
    terms = _terms(classifier, traced, row, channel, y, x)
    branches = _branches(traced, step)
    products = terms.values * terms.weights if terms.weights is not None else terms.values.amax((1, 2), keepdim=True)
    totals = products.sum((1, 2))
    order = totals.abs().argsort(descending=True)[:top].tolist()
    parts = tuple(
        Part(
            channel=terms.first + c,
            branch=branches[terms.first + c],
            values=_grid(terms.values[c], terms.inside),
            weights=None if terms.weights is None else _grid(terms.weights[c]),
            total=totals[c].item(),
        )
        for c in order
    )
    total = totals.sum().item()
    before = terms.bias + total
    numbers = traced.logits if step == "fc" else traced.maps[step][:, y, x]
    return Sum(
        step=step,
        channel=channel,
        y=y,
        x=x,
        kind=terms.kind,
        reads=reads(traced.profile, step),
        parts=parts,
        rest_channels=len(totals) - len(order),
        rest=total - sum(part.total for part in parts),
        products=_largest(terms, top),
        bias=terms.bias,
        norm_factor=terms.norm_factor,
        before_relu=before,
        relu=terms.relu,
        value=max(0.0, before) if terms.relu else before,
        traced=numbers[channel].item(),
        taps=seen.taps,
        padding_taps=seen.padding_taps,
    )


class _Terms(NamedTuple):
    """What is multiplied: `values` (C, k, k), −∞ in a max pool's padding, else 0, by `weights` of that shape.

    The first channel of both is the map's number `first`; `inside` (k, k) says which taps lie on it.
    """

    kind: str
    values: Tensor
    weights: Tensor | None
    inside: Tensor
    first: int = 0
    bias: float = 0.0
    norm_factor: float | None = None
    relu: bool = False


def _terms(classifier: Classifier, traced: Trace, row: Row, channel: int, y: int, x: int) -> _Terms:
    module = classifier.model.get_submodule(row.name)
    given = traced.maps[reads(traced.profile, row.name)].double()
    everywhere = torch.ones(given.shape[1:], dtype=torch.bool)
    if isinstance(module, ConvBlock):
        weights, bias, factor = folded(module, channel)
        values, inside = _window(given, y, x, row)
        return _Terms("convolution", values, weights, inside, 0, bias, factor, module.relu)
    if isinstance(module, nn.Linear):
        weights = module.weight[channel].double().cpu().view_as(given)
        return _Terms("linear", given, weights, everywhere, bias=module.bias[channel].item())
    own = given[channel : channel + 1]
    if isinstance(module, MaxPool):
        values, inside = _window(own, y, x, row)
        return _Terms("max pool", values.masked_fill(~inside, -torch.inf), None, inside, channel)
    return _Terms("average pool", own, torch.full_like(own, 1 / own.numel()), everywhere, channel)


def origin(traced: Trace, step: str, channel: int) -> tuple[str, int]:
    """The step that gave this channel of a module's concatenation, and the channel's number there; others stay."""
    layer = step.removesuffix(".concat")
    module = inception(traced.config, layer)
    if module is None:
        return step, channel
    for branch, band in bands(module).items():
        if channel < band.stop:
            row = [row for row in traced.profile.rows if row.layer == layer and row.branch == branch][-1]
            return row.name, channel - band.start
    raise LabError(tr(_NO_CHANNEL, layer=layer, n=module.out_channels, channel=channel), "channel")


def folded(block: ConvBlock, channel: int) -> tuple[Tensor, float, float | None]:
    """Weights (in, k, k), float64 on the CPU, and bias of one channel as in evaluation; and its batch norm's factor."""
    weights = block.conv.weight[channel].double().cpu()
    if block.bn is None:
        return weights, 0.0 if block.conv.bias is None else block.conv.bias[channel].item(), None
    names = ("weight", "bias", "running_mean", "running_var")
    scale, shift, mean, variance = (getattr(block.bn, name)[channel].item() for name in names)
    factor = scale / (variance + block.bn.eps) ** 0.5
    return weights * factor, shift - mean * factor, factor


def _branches(traced: Trace, step: str) -> list[str]:
    """The branch of the module before that gave each channel of the map that `step` reads; "" where none did."""
    behind = inception(traced.config, module_behind(traced.profile, step))
    if behind is None:
        return [""] * traced.maps[reads(traced.profile, step)].shape[0]
    return [branch for branch, band in bands(behind).items() for _ in range(band.stop - band.start)]


def _window(given: Tensor, y: int, x: int, row: Row) -> tuple[Tensor, Tensor]:
    """What the window at (y, x) covers of `given` (C, H, W): (C, k, k), 0 in padding; and which taps (k, k) are not."""
    rows, columns = (torch.arange(row.kernel) + at * row.stride - row.padding for at in (y, x))
    height, width = given.shape[1:]
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    values = given[:, rows.clamp(0, height - 1)][:, :, columns.clamp(0, width - 1)]
    return values * inside, inside


def _grid(values: Tensor, inside: Tensor | None = None) -> Grid:
    """Rows of numbers (H, W), None where a tap is not `inside` the map."""
    if inside is None:
        return tuple(tuple(line) for line in values.tolist())
    pairs = zip(values.tolist(), inside.tolist(), strict=True)
    return tuple(tuple(v if there else None for v, there in zip(*pair, strict=True)) for pair in pairs)


def _largest(terms: _Terms, top: int) -> tuple[Product, ...]:
    if terms.weights is None:
        return ()
    products = terms.values * terms.weights
    found = products.abs().flatten().topk(min(top, products.numel())).indices
    places = torch.stack(torch.unravel_index(found, products.shape), 1).tolist()
    triples = [[numbers[c, i, j].item() for numbers in (terms.values, terms.weights, products)] for c, i, j in places]
    named = zip(places, triples, strict=True)
    return tuple(Product(terms.first + c, i, j, *numbers) for (c, i, j), numbers in named if numbers[-1])
