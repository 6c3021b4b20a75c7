"""Lesson 0: which branch sees where an object ends, on the activations of the network that ships."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier, load_classifier
from googlenet.inference.inside.scales import look_at_scales, modules_with_scales
from googlenet.models.presets import preset

SHIP = Path(__file__).resolve().parents[3] / "googlenet/ui/static/examples/ship.jpg"


@pytest.fixture
def network(shipped_network: Path) -> Classifier:
    if not shipped_network.exists():
        pytest.skip("no shipped network")
    return load_classifier(shipped_network, "cpu")


@pytest.mark.parametrize("module", ["inception3a", "inception4a"])
@pytest.mark.parametrize("thing", ["square", SHIP])
def test_a_window_that_is_filled_sees_no_end_and_a_larger_one_does(network, module, thing):
    found = look_at_scales(network, thing if isinstance(thing, str) else Image.open(thing), module)
    assert len(found.scales) == 4
    for scale in found.scales:
        reaching = [branch for branch, box in found.windows.items() if box.width > scale.size]
        assert scale.catching == reaching
    assert [len(scale.catching) for scale in found.scales] == [4, 3, 1, 0]
    assert found.sentence.startswith("At ")
    assert "only the 5×5 branch does" in found.sentence
    assert "it fills every window" in found.sentence


def test_the_changes_are_those_of_the_maps(network):
    """By another way: the whole trace of both pictures."""
    from googlenet.inference.inside.scales import GROUNDS, PAINT
    from googlenet.inference.inside.trace import trace

    found = look_at_scales(network, "square", "inception3b")
    scale = found.scales[1]
    place = slice(found.windows["1×1"].left, found.windows["1×1"].right)
    assert (place.stop - place.start) == scale.size == 7
    maps = []
    for ground in GROUNDS:
        pixels = torch.full((3, 32, 32), ground, dtype=torch.uint8)
        pixels[:, place, place] = torch.tensor(PAINT, dtype=torch.uint8).view(3, 1, 1)
        maps.append(trace(network, pixels).maps["inception3b.branch2.1"][:, found.y, found.x])
    size = sum(values.norm().item() for values in maps) / 2
    assert scale.changes["3×3"] == pytest.approx((maps[0] - maps[1]).norm().item() / size, rel=1e-3)


def test_what_is_not_there_is_refused_in_a_sentence(network):
    with pytest.raises(LabError, match="module must be one of inception3a, inception3b"):
        look_at_scales(network, "square", "inception5b")
    with pytest.raises(LabError, match="shape must be one of"):
        look_at_scales(network, "cow", "inception3a")
    assert modules_with_scales(network.info.network) == ["inception3a", "inception3b", "inception4a", "inception4b"]
    assert modules_with_scales(preset("imagenet"))[-1] == "inception4a"
