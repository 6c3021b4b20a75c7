"""The one call that loads a data set, and the validation split."""

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet.data.datasets import Split, check_source, load_images, split_validation
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


def numbered(labels: torch.Tensor, copies: int = 1) -> Split:
    """Images that differ, except that each comes `copies` times in a row."""
    pixels = torch.arange(len(labels)) // copies
    return Split(torch.stack([pixels % 251, pixels // 251], 1).to(torch.uint8).view(-1, 2, 1, 1), labels)


def shuffled(split: Split, seed: int) -> Split:
    order = torch.randperm(len(split.labels), generator=torch.Generator().manual_seed(seed))
    return Split(split.images[order], split.labels[order])


def held_out_images(split: Split, *rule) -> list[tuple[int, ...]]:
    """What is held out, as sorted values: the same list, the same images."""
    chosen = split_validation(split, *rule)[1]
    return sorted(map(tuple, torch.cat([split.images[chosen].flatten(1), split.labels[chosen, None]], 1).tolist()))


@settings(deadline=None, max_examples=50)
@given(
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=120).map(torch.tensor),
    fraction=st.floats(0, 0.5),
    seed=st.integers(0, 2**31 - 1),
    by=st.sampled_from(("content", "position")),
)
def test_a_validation_split_is_a_stratified_partition(labels, fraction, seed, by):
    train, validation = split_validation(numbered(labels), fraction, seed, by)
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


@pytest.mark.parametrize("by", ["content", "position"])
def test_a_validation_split_follows_its_seed(by):
    split = numbered(torch.arange(1000) % 10)
    first, again, other = (split_validation(split, 0.1, seed, by)[1] for seed in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert split.labels[first].bincount().tolist() == [10] * 10


@settings(deadline=None, max_examples=30)
@given(
    labels=st.lists(st.integers(0, 2), min_size=1, max_size=80).map(torch.tensor),
    copies=st.integers(1, 4),
    seed=st.integers(0, 2**31 - 1),
)
def test_the_same_images_in_another_order_are_held_out_again(labels, copies, seed):
    split = numbered(labels, copies)
    assert held_out_images(shuffled(split, 1), 0.3, seed) == held_out_images(split, 0.3, seed)


def test_copies_of_an_image_are_not_on_both_sides():
    split = shuffled(numbered(torch.zeros(300, dtype=torch.long), copies=3), 2)
    train, validation = split_validation(split, 0.1, 0)
    assert len(validation) == 30
    sides = [set(map(tuple, split.images[rows].flatten(1).tolist())) for rows in (train, validation)]
    assert not sides[0] & sides[1]
    # Where there are copies of one image only, some of them still have to judge.
    assert len(split_validation(numbered(torch.zeros(9, dtype=torch.long), copies=9), 0.3, 0)[1]) == 3


def test_an_image_fewer_moves_one_other_at_most():
    split = numbered(torch.zeros(200, dtype=torch.long))
    before = set(held_out_images(split, 0.2, 3))
    for gone in range(200):
        rest = torch.arange(200) != gone
        after = set(held_out_images(Split(split.images[rest], split.labels[rest]), 0.2, 3))
        assert len(after - before) <= 1


def test_earlier_runs_hold_out_what_they_held_out():
    """By position; these numbers stand in the weights files and reports of runs made before."""
    labels = torch.arange(60) % 3
    assert split_validation(numbered(labels), 0.1, 5, "position")[1].tolist() == [0, 17, 22, 28, 33, 59]


@pytest.mark.parametrize("fraction", [-0.1, 0.6, float("nan"), "much"])
def test_an_impossible_validation_fraction_is_refused(fraction):
    with pytest.raises(LabError, match="validation share must be"):
        split_validation(numbered(torch.zeros(10, dtype=torch.long)), fraction, 0)
