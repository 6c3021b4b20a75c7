"""The one call that loads a data set, and the validation split."""

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet.data.datasets import check_source, load_images, split_validation
from googlenet.data.shapes import draw_shapes
from googlenet.errors import LabError


def test_a_form_can_check_the_source_without_torch():
    code = (
        "import sys; from googlenet.data.datasets import check_source; check_source('cifar10');"
        "assert not {'torch', 'PIL', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("source", ["", "  ", None, 3])
def test_no_source_is_explained(source):
    with pytest.raises(LabError, match="Choose the data") as caught:
        check_source(source)
    assert caught.value.field == "data"


@pytest.mark.parametrize("source", ["CIFAR10", "no/such/folder", "nul\0byte", "x" * 5000, "~nobody-of-that-name/x"])
def test_an_unknown_source_is_named(source, tmp_path):
    with pytest.raises(LabError, match="There is no folder") as caught:
        load_images(source, tmp_path)
    assert caught.value.field == "data"
    assert source.strip("~")[:7].replace("\0", "\\x00") in str(caught.value)
    assert not list(tmp_path.iterdir())


# --- shapes -----------------------------------------------------------------------------------


def test_shapes_come_with_all_that_a_training_needs(tmp_path):
    heard = []
    images = load_images("shapes", tmp_path, lambda share, sentence: heard.append((share, sentence)))
    assert (images.source, images.name, images.synthetic) == ("shapes", "shapes (synthetic)", True)
    assert images.train.images.shape == (5000, 3, 32, 32)
    assert images.train.images.dtype == torch.uint8
    assert images.train.images.is_contiguous()
    assert images.train.labels.bincount().tolist() == [500] * 10
    assert images.test.labels.bincount().tolist() == [100] * 10
    assert len(set(images.classes)) == 10
    pixels = images.train.images.double() / 255
    assert images.mean == pytest.approx(pixels.mean((0, 2, 3)).tolist(), abs=1e-5)
    assert images.std == pytest.approx(pixels.std((0, 2, 3)).tolist(), abs=1e-5)
    assert heard[-1] == (1.0, "Loaded 5,000 training and 1,000 test images")


def test_shapes_are_the_same_for_one_seed_only():
    first, again, other = (draw_shapes(50, 20, seed) for seed in (1, 1, 2))
    assert torch.equal(first[0].images, again[0].images)
    assert torch.equal(first[1].images, again[1].images)
    assert not torch.equal(first[0].images, other[0].images)
    assert not torch.equal(first[0].images[:20], first[1].images)


def test_shapes_are_learnable_yet_not_trivial():
    torch.manual_seed(0)
    train, test, classes = draw_shapes(3000, 500)
    inputs, held_out = train.images.float() / 127.5 - 1, test.images.float() / 127.5 - 1
    net = torch.nn.Sequential(
        *(torch.nn.Conv2d(3, 16, 5, 2, 2), torch.nn.BatchNorm2d(16), torch.nn.ReLU()),
        *(torch.nn.Conv2d(16, 32, 3, 2, 1), torch.nn.BatchNorm2d(32), torch.nn.ReLU()),
        *(torch.nn.Conv2d(32, 48, 3, 1, 1), torch.nn.BatchNorm2d(48), torch.nn.ReLU()),
        *(torch.nn.AdaptiveMaxPool2d(1), torch.nn.Flatten(), torch.nn.Linear(48, len(classes))),
    )
    convolved = _accuracy_after_training(net, inputs, train.labels, held_out, test.labels, epochs=4)
    linear = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3072, len(classes)))
    flat = _accuracy_after_training(linear, inputs, train.labels, held_out, test.labels, epochs=4)
    assert convolved > 0.5
    assert flat < 0.3


def _accuracy_after_training(net, inputs, labels, held_out, held_out_labels, epochs):
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(labels)).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(inputs[rows]), labels[rows]).backward()
            optimizer.step()
    net.eval()
    with torch.inference_mode():
        return (net(held_out).argmax(1) == held_out_labels).float().mean().item()


# --- validation split -------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=120).map(torch.tensor),
    fraction=st.floats(0, 0.5),
    seed=st.integers(0, 2**31 - 1),
)
def test_a_validation_split_is_a_stratified_partition(labels, fraction, seed):
    train, validation = split_validation(labels, fraction, seed)
    assert torch.equal(torch.cat([train, validation]).sort().values, torch.arange(len(labels)))
    assert torch.equal(train, train.sort().values)
    assert torch.equal(validation, validation.sort().values)
    for label in labels.unique():
        total, held_out = int((labels == label).sum()), int((labels[validation] == label).sum())
        assert held_out < total
        if fraction == 0 or total == 1:
            assert held_out == 0
        else:
            assert held_out >= 1
            assert abs(held_out - fraction * total) <= 1


def test_a_validation_split_follows_its_seed():
    labels = torch.arange(1000) % 10
    first, again, other = (split_validation(labels, 0.1, seed)[1] for seed in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert labels[first].bincount().tolist() == [10] * 10


@pytest.mark.parametrize("fraction", [-0.1, 0.6, float("nan"), "much"])
def test_an_impossible_validation_fraction_is_refused(fraction):
    with pytest.raises(LabError, match="validation share must be"):
        split_validation(torch.zeros(10, dtype=torch.long), fraction, 0)
