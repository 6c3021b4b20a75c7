"""What a position sees, held against gradients: a pixel is seen exactly where the step's value depends on it."""

from __future__ import annotations

import pytest
import torch
from test_trace import NETWORKS
from tiny import tiny_config
from torch import Tensor, nn
from torch.nn import functional as F

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, PoolConfig
from googlenet.errors import LabError
from googlenet.inference.inside.fields import Box, branch_fields, branch_steps, field, geometry, spans
from googlenet.inference.inside.trace import walk
from googlenet.models.blocks import MaxPool
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.presets import preset
from googlenet.models.profile import profile_network

MODULES = (
    InceptionConfig("a", 6, 3, 2, 4, 2, 3, 2),
    PoolConfig("p", 3, 2, 1),
    InceptionConfig("b", 12, 2, 2, 2, 2, 2, 2),
)
ODD: dict[str, GoogLeNetConfig] = {
    **{name: NETWORKS[name] for name in ("norm, ceil-mode pool, no padding", "naive, two 3x3", "two 3x3")},
    "much padding": tiny_config(layers=(ConvConfig("c", 3, 6, 7, stride=2, padding=7), *MODULES), batch_norm=False),
    "a stride wider than its window": tiny_config(
        layers=(ConvConfig("c", 3, 6, 1, stride=3, padding=1), *MODULES), input_size=23, batch_norm=False
    ),
    "no padding, no average pool": tiny_config(
        layers=(ConvConfig("c", 3, 6, 3, stride=2), PoolConfig("q", 2, 2, 0), *MODULES),
        input_size=25,
        batch_norm=False,
        average_pool=False,
    ),
}


def positive(config: GoogLeNetConfig) -> GoogLeNet:
    """A network in which every tap inside a map counts: positive weights, no batch norm, sums in place of maxima."""
    model = GoogLeNet(config).eval()
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, MaxPool):
                setattr(module, name, _Sum(child))
            elif isinstance(child, nn.BatchNorm2d | nn.LocalResponseNorm):
                setattr(module, name, nn.Identity() if isinstance(child, nn.LocalResponseNorm) else None)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(0.5, 1.0)
    return model.double()


class _Sum(nn.Module):
    def __init__(self, pool: MaxPool) -> None:
        super().__init__()
        self.window = (pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode)

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, *self.window)


@pytest.mark.parametrize("name", ODD)
def test_a_field_is_where_the_gradient_is_not_zero(name: str) -> None:
    config = ODD[name]
    profile, model = profile_network(config), positive(config)
    x = torch.rand(1, 3, config.input_size, config.input_size, dtype=torch.float64, requires_grad=True)
    for step, y in walk(model, x):
        rows, columns = (None, None) if y.dim() == 2 else spans(profile, step)
        height, width = y.shape[2:] if y.dim() == 4 else (1, 1)
        places = {(0, 0), (height // 2, width // 3), (height - 1, width - 1), (height - 1, 0)}
        for row, column in places:
            value = y[0, ..., row, column].sum() if y.dim() == 4 else y.sum()
            (gradient,) = torch.autograd.grad(value, x, retain_graph=True)
            seen, found = gradient[0].abs().sum(0) > 0, field(profile, step, row, column)
            assert found.rows == tuple(seen.any(1).nonzero().flatten().tolist()), (step, row, column)
            assert found.columns == tuple(seen.any(0).nonzero().flatten().tolist()), (step, row, column)
            assert seen.sum() == len(found.rows) * len(found.columns)
            if found.box is None:
                assert not seen.any()
                continue
            assert seen[found.box.top : found.box.bottom, found.box.left : found.box.right].sum() == seen.sum()
            if rows and columns:
                assert (*rows[row], *columns[column]) == (
                    found.box.top, found.box.bottom, found.box.left, found.box.right
                )  # fmt: skip


def test_sizes_worked_out_by_hand() -> None:
    """The original GoogLeNet has five strides of 2: after each, a window's pixel is twice as wide."""
    profile = profile_network(preset("imagenet"))
    found = {name: geometry(profile, name) for name in ("conv1", "conv3", "inception3a", "inception4a", "inception5b")}
    assert [(place.size, place.jump) for place in found.values()] == [(7, 2), (19, 4), (59, 8), (171, 16), (715, 32)]
    middle = field(profile, "inception3a", 14, 14)
    assert middle.whole == Box(
        *[14 * 8 + found["inception3a"].start] * 2, *[14 * 8 + found["inception3a"].start + 59] * 2
    )
    assert middle.box == middle.whole


def test_what_padding_takes_of_a_window() -> None:
    """The profile's share is the mean over all positions; on 2×2 a 5×5 sees 84% padding everywhere."""
    profile = profile_network(preset("cifar10"))
    row = next(row for row in profile.rows if row.name == "inception5a.branch3.1")
    shares = [field(profile, row.name, y, x).padding_share for y in range(2) for x in range(2)]
    assert shares == pytest.approx([0.84] * 4)
    assert row.padding_share == pytest.approx(0.84)
    for row in profile.rows:
        height, width = row.out_shape[1:]
        if row.kernel and row.layer != "fc":
            shares = [field(profile, row.name, y, x).padding_share for y in range(height) for x in range(width)]
            assert sum(shares) / len(shares) == pytest.approx(row.padding_share)


def test_branches_of_a_module() -> None:
    profile = profile_network(preset("cifar10-fine"))
    fields = branch_fields(profile, "inception3a", 0, 5)
    assert [fields[branch].whole.width for branch in ("1×1", "3×3", "5×5", "pool")] == [3, 5, 7, 5]
    assert [fields[branch].padding_taps for branch in fields] == [0, 3, 10, 3]
    assert field(profile, "inception3a", 0, 5).whole == fields["5×5"].whole
    assert [row.name for row in branch_steps(profile, "inception3a")["pool"]] == [
        "inception3a.branch4.0", "inception3a.branch4.1"
    ]  # fmt: skip
    plain = fields["5×5"].to_dict()
    assert (plain["box"], plain["padding_share"]) == ([2, 0, 9, 4], 0.4)


def test_what_is_not_there_is_refused_in_a_sentence() -> None:
    profile = profile_network(preset("cifar10"))
    with pytest.raises(LabError, match="There is no step 'inception9z' in this network"):
        field(profile, "inception9z", 0, 0)
    with pytest.raises(LabError, match="inception5b has 2 × 2 positions, counted from 0: there is none at 2, 0"):
        field(profile, "inception5b", 2, 0)
    with pytest.raises(LabError, match="'conv1' is no Inception module"):
        branch_fields(profile, "conv1", 0, 0)
