"""Augmentation: the same images as the plain operations give, from a plan that depends on the seed alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F
from torchvision.transforms import Compose, Normalize, ToTensor

from googlenet.data.augment import EpochPlan, epoch_generator, normalize, shift

CPU = torch.device("cpu")


def random_images(count: int, height: int = 32, width: int = 32, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, height, width), generator=generator, dtype=torch.uint8)


def plan(count: int = 100, seed: int = 0, epoch: int = 0, *, flip: bool = True, padding: int = 4) -> EpochPlan:
    return EpochPlan.draw(count, seed, epoch, flip=flip, padding=padding, device=CPU)


# --- shift ------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 12), st.integers(2, 12), st.integers(1, 11), st.integers(0, 2**31))
def test_a_shift_is_a_crop_from_a_reflected_border(height, width, padding, seed):
    padding = min(padding, height - 1, width - 1)
    images = random_images(5, height, width, seed)
    offsets = torch.randint(0, 2 * padding + 1, (5, 2), generator=torch.Generator().manual_seed(seed))
    padded = F.pad(images.float(), (padding,) * 4, mode="reflect").byte()
    crops = [
        image[:, row : row + height, column : column + width]
        for image, (row, column) in zip(padded, offsets.tolist(), strict=True)
    ]
    assert torch.equal(shift(images, offsets, padding), torch.stack(crops))


def test_a_shift_by_the_padding_changes_nothing():
    images = random_images(3)
    assert torch.equal(shift(images, torch.full((3, 2), 4), 4), images)


def test_a_shift_wider_than_the_image_allows_is_cut_back():
    images = random_images(4, 3, 3)
    shifted = shift(images, torch.tensor([[0, 0], [32, 32], [5, 0], [16, 16]]), 16)
    assert shifted.shape == images.shape


def test_each_image_has_a_shift_of_its_own():
    images = random_images(1).expand(200, -1, -1, -1)
    batch, _ = plan(200, flip=False).batch(images, torch.zeros(200, dtype=torch.long), 0, 200)
    assert len({image.numpy().tobytes() for image in batch}) > 70  # of 81 crops


# --- plans ------------------------------------------------------------------------------------


def test_the_same_seed_and_epoch_plan_the_same():
    first, again = plan(seed=3, epoch=5), plan(seed=3, epoch=5)
    assert all(torch.equal(getattr(first, part), getattr(again, part)) for part in ("order", "flips", "shifts"))


@pytest.mark.parametrize(("seed", "epoch"), [(3, 6), (4, 5), (4, 4)])
def test_another_seed_or_epoch_plans_otherwise(seed, epoch):
    first, other = plan(seed=3, epoch=5), plan(seed=seed, epoch=epoch)
    assert not any(torch.equal(getattr(first, part), getattr(other, part)) for part in ("order", "flips", "shifts"))


def test_no_two_epochs_of_neighbouring_seeds_share_their_numbers():
    states = {
        epoch_generator(seed, epoch, s).initial_seed() for seed in range(9) for epoch in range(99) for s in (0, 1)
    }
    assert len(states) == 9 * 99 * 2
    epoch_generator(2**31 - 1, 99_999, 1)


def test_turning_one_part_off_leaves_the_order_alone():
    bare = plan(flip=False, padding=0)
    assert bare.flips is None
    assert bare.shifts is None
    assert torch.equal(bare.order, plan().order)


def test_an_epoch_shows_each_image_once():
    images, labels = random_images(50), torch.arange(50)
    drawn = plan(50, flip=False, padding=0)
    batches = [drawn.batch(images, labels, start, min(50, start + 16)) for start in range(0, 50, 16)]
    seen = torch.cat([label for _, label in batches])
    assert sorted(seen.tolist()) == list(range(50))
    assert seen.tolist() != list(range(50))
    assert torch.equal(torch.cat([batch for batch, _ in batches]), images[seen])


def test_a_batch_made_again_is_the_same_batch():
    images, labels = random_images(64), torch.arange(64)
    whole, _ = plan(64).batch(images, labels, 0, 64)
    part, part_labels = plan(64).batch(images, labels, 32, 48)
    assert torch.equal(part, whole[32:48])
    assert torch.equal(part_labels, plan(64).order[32:48])


def test_half_of_the_images_are_mirrored():
    images, labels = random_images(1000, 4, 4), torch.arange(1000)
    drawn = plan(1000, padding=0)
    batch, order = drawn.batch(images, labels, 0, 1000)
    assert 430 < int(drawn.flips.sum()) < 570
    for image, label, flipped in zip(batch, order, drawn.flips, strict=True):
        assert torch.equal(image, images[label].flip(-1) if flipped else images[label])


def test_shifts_reach_every_offset_alike():
    counts = plan(8100).shifts.flatten().bincount(minlength=9)
    assert len(counts) == 9
    assert (counts - 1800).abs().max() < 200


def test_a_batch_stays_uint8_and_leaves_its_source_alone():
    images = random_images(8)
    copy = images.clone()
    batch, _ = plan(8).batch(images, torch.arange(8), 0, 8)
    assert batch.dtype == torch.uint8
    assert torch.equal(images, copy)


# --- normalisation ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "std"), [((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)), ((0.0,) * 3, (1.0,) * 3)]
)
def test_normalisation_is_torchvisions(mean, std):
    images = random_images(4)
    prepare = Compose([ToTensor(), Normalize(mean, std)])
    expected = torch.stack([prepare(image.permute(1, 2, 0).numpy()) for image in images])
    ours = normalize(images, torch.tensor(mean), torch.tensor(std))
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-6)
    assert ours.is_contiguous(memory_format=torch.channels_last)


# --- flips and holes --------------------------------------------------------------------------


def test_an_image_is_turned_over_from_epoch_to_epoch():
    """Half of them in the first, the other half in the second, and so on: alternating flip."""
    flipped = []
    for epoch in range(3):
        drawn = plan(1000, epoch=epoch)
        by_image = torch.empty(1000, dtype=torch.bool)
        by_image[drawn.order] = drawn.flips
        flipped.append(by_image)
    assert torch.equal(flipped[1], ~flipped[0])
    assert torch.equal(flipped[2], flipped[0])
    assert 400 < flipped[0].sum() < 600


def test_a_hole_is_a_square_of_one_colour_cut_off_at_the_edges():
    images = random_images(300) // 2 + 100  # never the hole's colour
    options = {"flip": False, "padding": 0, "device": CPU, "cutout": 9}
    drawn = EpochPlan.draw(300, 0, 0, **options)
    colour = torch.tensor([1, 2, 3], dtype=torch.uint8)
    batch, _ = drawn.batch(images, torch.zeros(300, dtype=torch.long), 0, 300, colour)
    for image, before, (row, column) in zip(batch, images[drawn.order], drawn.holes.tolist(), strict=True):
        rows, columns = (slice(max(0, centre - 4), centre + 5) for centre in (row, column))
        wanted = before.clone()
        wanted[:, rows, columns] = colour[:, None, None]
        assert torch.equal(image, wanted)
    assert drawn.holes.min() == 0
    assert drawn.holes.max() == 31


def test_holes_leave_order_shifts_and_flips_as_they_were():
    with_holes = EpochPlan.draw(50, 1, 2, flip=True, padding=4, device=CPU, cutout=8)
    without = plan(50, 1, 2)
    assert without.holes is None
    assert all(torch.equal(getattr(with_holes, part), getattr(without, part)) for part in ("order", "flips", "shifts"))
