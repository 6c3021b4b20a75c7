"""The sum behind a number ends in the number that the network computed."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from test_trace import NETWORKS, pixels
from tiny import tiny_checkpoint, tiny_config

from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.inside.sums import Sum, sum_behind
from googlenet.inference.inside.trace import Trace, trace


def traced(path: Path, config=None) -> tuple[Classifier, Trace]:
    classifier = Classifier(tiny_checkpoint(path / "a.safetensors", config=config), "cpu")
    return classifier, trace(classifier, pixels())


def check(found: Sum) -> None:
    """Its parts add up, grid by grid, to what is told; and that is the map's own number."""
    for part in found.parts:
        if part.weights is not None:
            pairs = [p for lines in zip(part.values, part.weights, strict=True) for p in zip(*lines, strict=True)]
            assert sum(value * weight for value, weight in pairs if value is not None) == pytest.approx(part.total)
    assert found.bias + sum(part.total for part in found.parts) + found.rest == pytest.approx(found.before_relu)
    assert found.value == (max(0.0, found.before_relu) if found.relu else found.before_relu)
    assert found.value == pytest.approx(found.traced, abs=1e-4)
    sizes = [abs(part.total) for part in found.parts]
    assert sizes == sorted(sizes, reverse=True)
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_kind_of_sum_ends_in_the_number_shown(name: str, tmp_path: Path) -> None:
    classifier, found = traced(tmp_path, NETWORKS[name])
    choose = random.Random(0)
    for step, y in found.maps.items():
        if step == "input" or step.startswith("lrn"):
            continue
        _, height, width = y.shape
        for place in ((0, 0), (height - 1, width - 1), (height // 2, choose.randrange(width))):
            channel = choose.randrange(len(y))
            done = sum_behind(classifier, found, step, channel, *place, top=3)
            check(done)
            assert done.traced == y[channel, place[0], place[1]]
    for label in range(3):
        check(sum_behind(classifier, found, "fc", label))


def test_the_shipped_network(shipped_network: Path) -> None:
    classifier = Classifier(shipped_network, "cpu")
    found = trace(classifier, pixels())
    steps = {"conv1": 5, "inception3a.branch1": 3, "inception4e.branch2.1": 17, "inception5b.branch3.1": 100}
    for step, channel in steps.items():
        check(sum_behind(classifier, found, step, channel, 4, 7))
    done = sum_behind(classifier, found, "inception5b.branch3.1", 100, 0, 0)
    assert (done.taps, done.padding_taps, len(done.parts), done.rest_channels) == (25, 16, 12, 48 - 12)
    assert done.parts[0].values[0] == (None,) * 5
    assert done.norm_factor is not None
    wide = sum_behind(classifier, found, "inception3b.branch1", 0, 3, 3)
    assert (len(wide.parts), wide.rest_channels) == (12, 256 - 12)
    assert {part.branch for part in wide.parts} <= {"1×1", "3×3", "5×5", "pool"}
    assert all(part.branch == ("1×1" if part.channel < 64 else part.branch) for part in wide.parts)


def test_a_module_s_channel_is_that_of_its_branch(tmp_path: Path) -> None:
    classifier, found = traced(tmp_path)
    for channel, step in ((0, "branch1"), (4, "branch2.1"), (10, "branch3.1"), (15, "branch4.1")):
        done = sum_behind(classifier, found, "inception3a", channel, 2, 3)
        assert done.step == f"inception3a.{step}"
        assert done.traced == found.maps["inception3a"][channel, 2, 3]
    inner = sum_behind(classifier, found, "inception3a.branch2.1", 0)
    assert {part.branch for part in inner.parts} == {""}  # the reduction's channels belong to no module before


def test_a_max_pool_keeps_its_largest_value(tmp_path: Path) -> None:
    classifier, found = traced(tmp_path, tiny_config(batch_norm=False))
    done = sum_behind(classifier, found, "maxpool1", 2, 0, 0)
    (part,) = done.parts
    assert [[value is None for value in line] for line in part.values] == [
        [True] * 3,
        [True, False, False],
        [True, False, False],
    ]
    assert part.total == done.value == max(v for line in part.values for v in line if v is not None) == done.traced


def test_what_is_no_sum_is_refused_in_a_sentence(tmp_path: Path) -> None:
    classifier, found = traced(tmp_path, NETWORKS["norm, ceil-mode pool, no padding"])
    cases = {
        ("input", 0, 0, 0): "input is the picture itself: choose a convolution or a pool",
        ("lrn1", 0, 0, 0): "lrn1 divides by its neighbours and adds nothing up",
        ("conv1", 8, 0, 0): "conv1 has 8 channels, counted from 0: there is no 8",
        ("mixed", 16, 0, 0): "mixed has 16 channels, counted from 0: there is no 16",
        ("conv1", 0, 16, 0): "conv1 has 16 × 16 positions",
        ("conv9", 0, 0, 0): "There is no step 'conv9'",
        ("conv1", -1, 0, 0): "channel must be",
    }
    for place, sentence in cases.items():
        with pytest.raises(LabError, match=sentence):
            sum_behind(classifier, found, *place)
