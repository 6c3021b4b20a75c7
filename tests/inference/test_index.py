"""The index of a weights file: against all maps looked through one by one, and against what a disk may hold."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny import tiny_checkpoint

from googlenet.data import shapes
from googlenet.data.content import content_order
from googlenet.data.datasets import ImageSet
from googlenet.inference.classifier import Classifier
from googlenet.inference.index import Index, compute_index, load_index
from googlenet.inference.inside.trace import walk

COUNT = 100


@pytest.fixture(scope="module")
def data() -> ImageSet:
    train, test, classes = shapes.draw_shapes(COUNT, 20)
    return ImageSet("shapes", "some shapes", train, test, classes, (0.5,) * 3, (0.2,) * 3, synthetic=True)


@pytest.fixture(scope="module")
def weights(data: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tiny_checkpoint(tmp_path_factory.mktemp("index") / "shapes.safetensors", data.classes)
    compute_index(path, data, device="cpu")
    return path


def _index(weights: Path) -> Index:
    index = load_index(weights)
    assert index is not None
    return index


def test_it_holds_what_looking_through_all_maps_finds(weights: Path, data: ImageSet) -> None:
    classifier, order = Classifier(weights, "cpu"), content_order(data.train)
    ordered = data.train.images[order.positions]
    with torch.inference_mode():
        maps = dict(walk(classifier.fast_model, classifier.prepared(ordered)))
    index = _index(weights)
    assert index.layers == ("conv1", "inception3a")
    assert list(index.means) == ["conv1", "maxpool1", "inception3a"]
    for layer in index.layers:
        torch.testing.assert_close(index.means[layer], maps[layer].float().mean((0, 2, 3)), rtol=1e-3, atol=1e-3)
        for channel in range(maps[layer].shape[1]):
            own = maps[layer][:, channel].float()
            expected = own.flatten(1).amax(1).sort(descending=True, stable=True).values[:9]
            tops = index.top(layer, channel)
            assert [top.value for top in tops] == pytest.approx(expected.tolist(), rel=1e-2)
            for top in tops:  # of values that rounding makes equal any may be chosen
                assert own[top.image, top.y, top.x].item() == pytest.approx(top.value, rel=1e-2)
                assert own[top.image].max().item() == pytest.approx(top.value, rel=1e-2)
