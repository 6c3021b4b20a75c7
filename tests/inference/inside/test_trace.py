"""Every map of a picture: the values that the network computes, under the names of the profile's rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny import tiny_checkpoint, tiny_config
from torch import Tensor

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, LRNConfig, PoolConfig
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.inside.trace import trace
from googlenet.models.presets import preset

STEM = (ConvConfig("conv1", 3, 8, 3, stride=2, padding=1, relu=False), LRNConfig("lrn1"))
NETWORKS: dict[str, GoogLeNetConfig] = {
    "batch norm": tiny_config(),
    "biases": tiny_config(batch_norm=False),
    "norm, ceil-mode pool, no padding": tiny_config(
        layers=(*STEM, PoolConfig("pool", padding=0, ceil_mode=True), InceptionConfig("mixed", 8, 4, 4, 6, 2, 3, 3))
    ),
    "naive": tiny_config(layers=(*STEM, InceptionConfig.make_naive("naive1", 8, 4, 6, 3))),
    "naive, two 3x3": tiny_config(
        layers=(*STEM, replace(InceptionConfig.make_naive("n1", 8, 4, 6, 3), ch5x5_kernel=3, ch5x5_convs=2))
    ),
    "two 3x3": tiny_config(layers=(*STEM, InceptionConfig("i1", 8, 4, 4, 6, 2, 3, 3).with_ch5x5("two 3x3"))),
    "stem alone, no average pool": tiny_config(layers=STEM, average_pool=False),
    "the note's": preset("cifar10-truncated", 3),
}


def pixels(size: int = 32, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_maps_are_those_that_the_network_computes(name: str, tmp_path: Path) -> None:
    classifier = Classifier(tiny_checkpoint(tmp_path / "a.safetensors", config=NETWORKS[name]), "cpu")
    found, heard = trace(classifier, pixels()), {}
    for part, module in classifier.model.named_modules():
        module.register_forward_hook(lambda _, given, y, part=part: heard.__setitem__(part, y.detach()[0].clone()))
    logits = classifier.logits(pixels()[None])[0]
    assert torch.equal(found.logits, logits)
    rows = [row for row in found.profile.rows if row.name != "fc"]
    assert [row.name for row in rows if row.name not in found.maps] == []
    for row in rows:
        y = found.maps[row.name]
        assert (y.dtype, tuple(y.shape)) == (torch.float32, row.out_shape)
        if not row.name.endswith(".concat"):
            assert torch.equal(y, heard[row.name]), row.name
    for layer in classifier.info.network.layers:
        assert torch.equal(found.maps[layer.name], heard[layer.name])
    assert torch.equal(found.maps["input"], classifier.prepared(pixels()[None])[0])
    assert ("avgpool" in found.maps) == classifier.info.network.average_pool
    assert found.probabilities == classifier.shares(logits)


def test_the_shipped_network(shipped_network: Path) -> None:
    classifier = Classifier(shipped_network, "cpu")
    found = trace(classifier, pixels())
    assert torch.equal(found.logits, classifier.logits(pixels()[None])[0])
    assert found.maps["inception4e"] is found.maps["inception4e.concat"]
    assert found.maps["inception5b"].mean((1, 2)) == pytest.approx(found.maps["avgpool"].flatten(), abs=1e-5)


def test_what_cannot_be_traced_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tiny_checkpoint(tmp_path / "a.safetensors")
    classifier = Classifier(path, "cpu")
    with pytest.raises(LabError, match="A picture is 3 × height × width numbers"):
        trace(classifier, pixels()[0])
    with torch.no_grad():
        classifier.model.inception3a.branch1.conv.weight.fill_(float("nan"))
    with pytest.raises(LabError, match="answers with NaN, since its training diverged: choose an earlier epoch"):
        trace(classifier, pixels())
