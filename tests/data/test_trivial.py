"""TrivialAugment in batches is torchvision's, image by image."""

import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.autoaugment import TrivialAugmentWide, _apply_op

from googlenet.data.trivial import CHANGES, STRENGTHS, change, draw_changes

SPACE = TrivialAugmentWide()._augmentation_space(STRENGTHS)


def pictures(count: int) -> torch.Tensor:
    """Noise on slopes of several contrasts: whatever a change looks at is there."""
    generator = torch.Generator().manual_seed(3)
    noise = torch.randint(0, 60, (count, 3, 32, 32), generator=generator)
    slope = torch.linspace(20, 150, 32).long() * torch.randint(0, 2, (count, 3, 1, 1), generator=generator)
    return (noise + slope).to(torch.uint8)


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_is_torchvisions(name: str) -> None:
    strengths, signed = SPACE[name]
    number, some = list(CHANGES).index(name), [0, 4, 10, 17, 21, 26, 30]
    changes = torch.tensor([[number, strength, sign] for strength in some for sign in (0, 1)])
    images = pictures(len(changes))
    ours = change(images, changes)
    same = 0.0
    for image, (_, strength, sign), mine in zip(images, changes.tolist(), ours, strict=True):
        size = float(strengths[strength]) if strengths.ndim else 0.0
        size *= -1 if signed and sign else 1
        theirs = _apply_op(image, name, size, interpolation=InterpolationMode.NEAREST, fill=None)
        same += ((mine.int() - theirs.int()).abs() <= 1).float().mean().item() / len(images)
    # A sample that falls between two pixels may be rounded to the other one.
    assert same > (0.97 if name in ("ShearX", "ShearY", "Rotate") else 0.999)


def test_images_are_changed_each_by_its_own_row() -> None:
    images = pictures(200)
    changes = draw_changes(200, torch.Generator().manual_seed(1))
    assert set(changes[:, 0].tolist()) == set(range(len(CHANGES)))
    together = change(images, changes)
    alone = torch.cat([change(images[n : n + 1], changes[n : n + 1]) for n in range(200)])
    assert torch.equal(together, alone)
    assert together.dtype == torch.uint8
    assert not torch.equal(together, images)
