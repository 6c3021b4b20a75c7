"""The paper's quoted figures, and what is said of them, against the figures computed for the same rows."""

import re

import pytest

from googlenet.models.paper import TABLE_1, Quoted, quoted
from googlenet.models.presets import preset
from googlenet.models.profile import profile_network

PROFILE = profile_network(preset("imagenet"))


def computed(row: Quoted) -> tuple[int, int]:
    """Weights without biases, and multiply-adds, of the layers of a row."""
    rows = [step for step in PROFILE.rows if step.layer in row.layers]
    biases = sum(step.out_channels for step in rows if step.params)
    return sum(step.params for step in rows) - biases, sum(step.macs for step in rows)


def test_every_layer_with_weights_is_quoted_once():
    counted = [name for name, sums in PROFILE.by_layer().items() if sums.params]
    assert [name for row in TABLE_1 for name in row.layers] == counted
    for row in TABLE_1:
        assert all(quoted(layer) is row for layer in row.layers)
    assert quoted("conv2") is quoted("conv3")
    assert quoted("maxpool1") is None
    assert quoted("nothing of the kind") is None


@pytest.mark.parametrize("row", TABLE_1, ids=lambda row: row.layers[0])
def test_the_reason_tells_what_agrees_with_the_computed_figures(row):
    weights, macs = computed(row)
    assert f"{weights:,} weights" in row.reason
    params_agree = float(row.params[:-1]) in (weights // 1024, round(weights / 1024))
    ops_agree = abs(macs / 1e6 - float(row.ops[:-1])) < 1  # the paper rounds down as well as up
    assert params_agree == ("K, where K stands for 1,024" in row.reason)
    assert (ops_agree and not params_agree) == ("The ops agree" in row.reason)
    assert ops_agree or f"{macs / 1e6:.1f} M multiply-adds" in row.reason


def test_the_factored_first_convolution():
    reason = quoted("conv1").reason
    assert "(7 + 7) · 3 · 64 = 2,688 weights" in reason
    assert (7 + 7) * 3 * 64 == 2688
    assert round(2688 * 112 * 112 / 1e6, 1) == 33.7
    assert "33.7 M" in reason


def test_the_quoted_figures_of_5a_fit_each_other():
    (claim,) = re.findall(r"are ([\d.]+) M\.", quoted("inception5a").reason)
    assert round(1072 * 1024 * 49 / 1e6, 1) == float(claim)
    assert round(float(claim)) == 54
