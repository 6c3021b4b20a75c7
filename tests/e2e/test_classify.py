"""Classify a file, and hand in files that are no pictures."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect
from shapes_network import shapes_checkpoint

from googlenet.inference.classifier import Classifier


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


FIELD = ".gl-controls [data-testid=image] img"


def test_a_refusal_stands_in_the_answers_place(visit: object, weights: str, tmp_path: Path) -> None:
    Image.effect_noise((300, 200), 80).convert("RGB").save(tmp_path / "noise.png")
    (tmp_path / "notes.png").write_text("not a picture")
    page = visit.open("?tab=classify")
    expect(page.get_by_text("What is in your picture?")).to_be_visible(timeout=60_000)
    page.locator("input[type=file]").first.set_input_files(tmp_path / "noise.png")
    expect(page.get_by_text("300 × 200").first).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Remove Image").click()
    page.locator("input[type=file]").first.set_input_files(tmp_path / "notes.png")
    refusal = page.get_by_role("alert").filter(has_text="notes.png is not a picture that can be read")
    expect(refusal).to_be_visible(timeout=60_000)
    expect(page.locator(FIELD)).to_have_count(0)
    page.wait_for_timeout(12_000)  # longer than a toast stays
    expect(refusal).to_be_visible()
    expect(page.locator(".gl-verdict")).to_have_count(0)
    page.locator("input[type=file]").first.set_input_files(tmp_path / "noise.png")
    expect(page.get_by_text("300 × 200").first).to_be_visible()
    expect(refusal).not_to_be_visible()


def test_the_answer_is_of_the_picture_shown(visit: object, weights: str, tmp_path: Path) -> None:
    """A slow picture that no browser can draw is answered when another one stands there already: that one stays."""
    Image.linear_gradient("L").resize((5000, 4000)).save(tmp_path / "large.tif", compression="tiff_deflate")
    Image.effect_noise((120, 90), 80).convert("RGB").save(tmp_path / "next.png")
    page = visit.open("?tab=classify")
    expect(page.get_by_text("What is in your picture?")).to_be_visible(timeout=60_000)
    page.locator("input[type=file]").first.set_input_files(tmp_path / "large.tif")
    page.get_by_role("button", name="Remove Image").click()
    page.locator("input[type=file]").first.set_input_files(tmp_path / "next.png")
    expect(page.get_by_text("120 × 90").first).to_be_visible(timeout=60_000)
    page.wait_for_timeout(3_000)
    expect(page.get_by_text("120 × 90").first).to_be_visible()
    expect(page.locator(FIELD)).to_have_js_property("naturalWidth", 120)

    page.get_by_role("button", name="Remove Image").click()
    page.locator("input[type=file]").first.set_input_files(tmp_path / "large.tif")
    expect(page.get_by_text("5,000 × 4,000").first).to_be_visible(timeout=60_000)
    expect(page.locator(FIELD)).to_have_js_property("naturalWidth", 5000)


@pytest.fixture
def told(lab: object, tmp_path: Path) -> Iterator[dict[str, Path]]:
    """A network that knows four shapes, in the list as told/best; the shape it finds oddest, and the clearest."""
    path, _, shapes = shapes_checkpoint(lab.checkpoints / "told" / "best.safetensors")
    classifier = Classifier(path, "cpu")
    scores = classifier.judged(shapes.images)[1][:, 0]
    pictures = {"odd": tmp_path / "odd.png", "clear": tmp_path / "clear.png"}
    for name, index in (("odd", scores.argmax()), ("clear", scores.argmin())):
        Image.fromarray(shapes.images[index].permute(1, 2, 0).numpy()).save(pictures[name])
    yield pictures
    shutil.rmtree(path.parent)


def test_an_odd_picture_is_warned_of_and_a_fitting_one_is_not(visit: object, told: dict[str, Path]) -> None:
    page = visit.open("?tab=classify")
    expect(page.get_by_text("What is in your picture?")).to_be_visible(timeout=60_000)
    page.get_by_role("combobox", name="Network").click()
    page.get_by_role("option", name="told/best").click()
    page.locator("input[type=file]").first.set_input_files(told["odd"])
    warning = page.get_by_text("This looks like nothing I know.")
    expect(warning).to_be_visible(timeout=60_000)
    expect(page.get_by_role("img", name="Warning")).to_be_visible()

    page.get_by_role("button", name="Remove Image").click()
    expect(warning).not_to_be_visible()
    page.locator("input[type=file]").first.set_input_files(told["clear"])
    expect(page.locator(".gl-verdict")).to_be_visible()
    expect(page.get_by_text("Sure, among the classes it knows: the other 3 share").first).to_be_visible()
    expect(warning).not_to_be_visible()
