"""Classify a file, and hand in files that are no pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect


@pytest.fixture
def weights(lab: object) -> str:
    """The name of a network to ask: the shipped one."""
    names = sorted(path.stem for path in lab.checkpoints.glob("*.safetensors"))
    assert names, "the repository ships no weights"
    return names[0]


def test_a_picture_gets_its_classes(visit: object, weights: str, tmp_path: Path) -> None:
    Image.effect_noise((300, 200), 80).convert("RGB").save(tmp_path / "noise.png")
    page = visit.open("?tab=classify")
    expect(page.get_by_text("What is in your picture?")).to_be_visible(timeout=60_000)
    page.locator("input[type=file]").first.set_input_files(tmp_path / "noise.png")
    expect(page.get_by_text("300 × 200").first).to_be_visible(timeout=60_000)
    expect(page.locator(".gl-tops li")).to_have_count(5)


def test_a_text_named_png_is_one_sentence(visit: object, weights: str, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("not a picture")
    page = visit.open("?tab=classify")
    expect(page.get_by_text("What is in your picture?")).to_be_visible(timeout=60_000)
    page.locator("input[type=file]").first.set_input_files(tmp_path / "notes.png")
    expect(page.get_by_text("is not a picture").first).to_be_visible(timeout=60_000)
