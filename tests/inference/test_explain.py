from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import MEAN, tiny_checkpoint, tiny_config

from googlenet.inference.classifier import Classifier
from googlenet.inference.explain import Occlusion
from googlenet.ui.classify import heat_map


def picture(seed: int = 0, size: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)


def test_every_drop_is_that_of_a_picture_covered_by_hand(tmp_path: Path) -> None:
    classifier, image = Classifier(tiny_checkpoint(tmp_path / "a.safetensors"), "cpu"), picture()
    found = classifier.answer(image, explain=True).occlusion
    before = classifier.classify(image)
    assert (found.label, found.probability) == (next(iter(before)), pytest.approx(max(before.values()), abs=1e-5))

    colour = np.rint(np.array(MEAN) * 255).astype(np.uint8)
    total, count, least = np.zeros((32, 32)), np.zeros((32, 32)), (2.0, None)
    for top in range(-4, 32, 4):
        for left in range(-4, 32, 4):
            covered = image.copy()
            place = slice(max(0, top), top + 8), slice(max(0, left), left + 8)
            covered[place] = colour
            share = classifier.classify(covered)[found.label]
            total[place] += found.probability - share
            count[place] += 1
            box = (max(0, left), max(0, top), min(32, left + 8), min(32, top + 8))
            least = min(least, (share, box), key=lambda pair: pair[0])
    assert (count == 4).all()
    assert found.drops == pytest.approx(total / 4, abs=1e-5)
    assert (found.covered, found.box) == (pytest.approx(least[0], abs=1e-5), least[1])


@pytest.mark.parametrize("size", [7, 33, 64])
def test_other_sizes_are_covered_evenly_too(tmp_path: Path, size: int) -> None:
    path = tiny_checkpoint(tmp_path / "a.safetensors", config=tiny_config(input_size=size))
    found = Classifier(path, "cpu").answer(picture(size=50), explain=True).occlusion
    assert found.drops.shape == (size, size)
    assert np.isfinite(found.drops).all()
    left, top, right, bottom = found.box
    assert 0 <= left < right <= size
    assert 0 <= top < bottom <= size


# --- drawn -----------------------------------------------------------------------------------------


def occlusion(drops: np.ndarray, covered: float = 0.2, label: str = "dog") -> Occlusion:
    return Occlusion(label, 0.9, drops.astype(np.float32), (8, 0, 16, 8), covered)


def test_the_drawing_tints_for_orange_against_blue_and_nothing_grey() -> None:
    drops = np.zeros((32, 32))
    drops[:8, 8:16], drops[24:, 24:] = 0.5, -0.5
    drawn = np.asarray(heat_map.heat_map(occlusion(drops), Image.new("RGB", (32, 32), (100, 100, 100))))
    assert drawn.shape == (256, 256, 3)
    assert drawn[128, 32].tolist() == [100, 100, 100]
    orange, blue = drawn[32, 96].astype(int), drawn[240, 240].astype(int)
    assert orange[0] > orange[1] > orange[2]
    assert blue[2] > blue[1] > blue[0]
    assert drawn[0, 100].tolist() == [0, 0, 0]  # the outline of the box
    assert drawn[1, 100].tolist() == [255, 255, 255]


def test_noise_is_not_blown_up() -> None:
    drops = torch.randn(32, 32, generator=torch.Generator().manual_seed(0)).numpy() * 0.001
    grey = Image.new("RGB", (32, 32), (100, 100, 100))
    drawn = np.asarray(heat_map.heat_map(occlusion(drops, covered=0.899), grey)).astype(int)
    assert abs(drawn - 100).max() < 20
    assert heat_map.rests_on(occlusion(drops, covered=0.899)) == (
        "No part decides alone: whichever square is covered, dog keeps at least 89.9%."
    )


def test_the_words_say_what_covering_does() -> None:
    words = "Covering the outlined 8 × 8 pixels takes dog from 90.0% to 20.0%."
    assert heat_map.rests_on(occlusion(np.full((32, 32), 0.3))) == words
