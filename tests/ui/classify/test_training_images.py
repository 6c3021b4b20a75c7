"""The cards of training images: what a channel looks for, what is near a picture, what they say of what is missing."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import tiny_checkpoint, tiny_config

from googlenet.data import datasets, shapes
from googlenet.data.datasets import load_images
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.index import compute_index, images, index_path, load_index, neighbours_path
from googlenet.models.profile import profile_network
from googlenet.runs import find_checkpoint
from googlenet.ui.classify.inside import training_images
from googlenet.ui.classify.inside.channel import channel_card, in_words, looked_up, seen_step, tiles
from googlenet.ui.classify.inside.neighbours import neighbours_card
from googlenet.ui.events.access import Access

ACCESS = Access("shapes")
NAME = "net"


@pytest.fixture(scope="module", autouse=True)
def _few_shapes(request: pytest.FixtureRequest) -> Any:
    """Drawing all of them takes seconds."""
    patch = pytest.MonkeyPatch()
    patch.setattr(shapes.draw_shapes, "__defaults__", (120, 20, 0))
    images._kept.clear()
    yield
    patch.undo()
    images._kept.clear()


@pytest.fixture(scope="module")
def folder(_few_shapes: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    compute_index(tiny_checkpoint(folder / f"{NAME}.safetensors", shapes.CLASSES), "shapes", device="cpu")
    return folder


def _labels(html: str) -> list[str]:
    return re.findall(r'aria-label="(\w+), ', html)


def test_a_channel_has_nine_images_their_labels_and_what_it_saw(folder: Path) -> None:
    html = channel_card(folder, ACCESS, NAME, "inception3a", 5)
    index = load_index(folder / f"{NAME}.safetensors")
    assert index is not None
    tops = index.top("inception3a", 5)
    found = images.find_images(index.about, ["shapes"])
    assert _labels(html) == [found.label(top.image) for top in tops]
    assert re.findall(r"value ([\d.]+)", html) == [f"{top.value:#.3g}" for top in tops]
    assert html.count("data:image/png;base64,") == 1  # one sheet, however many images
    assert "3×3 branch" in html
    assert str(folder) not in html


def test_loading_the_images_is_told_once(folder: Path) -> None:
    images._kept.clear()
    heard: list[str] = []
    grey = torch.zeros(3, 32, 32, dtype=torch.uint8)
    for _ in range(2):
        channel_card(folder, ACCESS, NAME, "inception3a", 5, lambda share, words: heard.append(words))
        neighbours_card(folder, ACCESS, NAME, grey, lambda share, words: heard.append(words))
    assert heard == ["Loaded 120 training and 20 test images"]


def test_what_it_saw_is_its_own_branchs_field(folder: Path) -> None:
    network = find_checkpoint(folder, NAME).info.network
    profile = profile_network(network)
    index = load_index(folder / f"{NAME}.safetensors")
    assert index is not None
    found = images.find_images(index.about, ["shapes"])
    for channel, side in ((0, 1), (5, 3), (11, 5), (14, 3)):  # of maxpool1's map, twice as coarse as the picture
        step, _ = seen_step(profile, "inception3a", channel)
        assert step.startswith("inception3a.branch")
        for tile in tiles(profile, "inception3a", channel, index.top("inception3a", channel), found):
            assert max(tile.box.width, tile.box.height) <= 2 * side + 4
            assert tile.box.left <= 2 * tile.x + 1 <= tile.box.right
            assert tile.box.top <= 2 * tile.y + 1 <= tile.box.bottom


@pytest.mark.parametrize(
    ("step", "channel", "expected"),
    [
        ("conv1", 3, ("conv1", 3)),
        ("maxpool1", 3, ("conv1", 3)),  # a pool keeps its channels
        ("inception3a", 15, ("inception3a", 15)),
        ("inception3a.concat", 15, ("inception3a", 15)),
        ("inception3a.branch1", 1, ("inception3a", 1)),
        ("inception3a.branch2.1", 1, ("inception3a", 5)),
        ("inception3a.branch3.1", 0, ("inception3a", 10)),
        ("inception3a.branch4.1", 2, ("inception3a", 15)),
        ("inception3a.branch2.0", 1, None),
        ("inception3a.branch4.0", 1, None),
        ("avgpool", 7, None),
        ("fc", 1, None),
        ("input", 0, None),
        ("../../etc", 0, None),
    ],
)
def test_a_step_is_looked_up_in_the_index(folder: Path, step: str, channel: int, expected: Any) -> None:
    profile = profile_network(find_checkpoint(folder, NAME).info.network)
    assert looked_up(profile, step, channel) == expected
    html = channel_card(folder, ACCESS, NAME, step, channel)
    assert ("The index keeps" in html) == (expected is None)


def test_a_channel_that_there_is_not_is_refused(folder: Path) -> None:
    with pytest.raises(LabError):
        channel_card(folder, ACCESS, NAME, "conv1", 8)


def test_the_nearest_have_their_labels(folder: Path) -> None:
    classifier = Classifier(folder / f"{NAME}.safetensors", "cpu")
    pixels = load_images("shapes").train.images[7]
    html = neighbours_card(folder, ACCESS, NAME, pixels)
    assert len(_labels(html)) == 9
    assert _labels(html)[0] == shapes.CLASSES[7]  # it is itself among them
    assert classifier.info.classes == shapes.CLASSES


def test_without_the_images_there_is_a_sentence_and_the_labels_stay(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_images, "sources", lambda *_: [])
    monkeypatch.setattr(images, "NAMES", {})
    images._kept.clear()
    html = channel_card(folder, ACCESS, NAME, "conv1", 3)
    assert "not on this machine" in html
    assert "<ol" not in html
    html = neighbours_card(folder, ACCESS, NAME, torch.zeros(3, 32, 32, dtype=torch.uint8))
    assert "not on this machine" in html
    assert html.count("<li>") == 9


def test_without_an_index_there_is_a_button_where_the_images_are(tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "shapes.safetensors", shapes.CLASSES)
    tiny_checkpoint(tmp_path / "other.safetensors", ("cat", "dog", "frog"))
    for draw in (
        lambda name: channel_card(tmp_path, ACCESS, name, "conv1", 3),
        lambda name: neighbours_card(tmp_path, ACCESS, name, torch.zeros(3, 32, 32, dtype=torch.uint8)),
    ):
        assert re.search(r"<button[^>]* data-compute=[^>]*>Compute it \(about \d+ s\)", draw("shapes"))
        assert f"python -m googlenet index {tmp_path.name}/shapes.safetensors" in draw("shapes")
        assert "<button" not in draw("other")
        assert "not on this machine" in draw("other")
        assert f"python -m googlenet index {tmp_path.name}/other.safetensors --data FOLDER" in draw("other")


def test_a_network_for_larger_pictures_gets_no_button(tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "large.safetensors", shapes.CLASSES, config=tiny_config(10, input_size=64))
    html = channel_card(tmp_path, ACCESS, "large", "conv1", 3)
    assert "<button" not in html
    assert "none can be computed here" in html


def test_a_damaged_index_is_a_sentence_with_the_button(tmp_path: Path) -> None:
    weights = tiny_checkpoint(tmp_path / "shapes.safetensors", shapes.CLASSES)
    index_path(weights).write_bytes(b"nothing")
    neighbours_path(weights).write_bytes(b"nothing")
    for html in (
        channel_card(tmp_path, ACCESS, "shapes", "conv1", 3),
        neighbours_card(tmp_path, ACCESS, "shapes", torch.zeros(3, 32, 32, dtype=torch.uint8)),
    ):
        assert "is damaged" in html
        assert "data-compute" in html


def test_the_shipped_index_is_of_the_shipped_network(shipped_network: Path) -> None:
    index = load_index(shipped_network)
    assert index is not None
    assert (index.about.count, index.about.data) == (50_000, datasets.NAMES["cifar10"])
    assert index.layers[0] == "conv1"
    assert index.layers[-1] == "inception5b"
    assert len(index.top("inception4b", 37)) == 9
    assert index_path(shipped_network).stat().st_size < 300_000
    assert neighbours_path(shipped_network).stat().st_size < 2_000_000


def test_labels_in_words() -> None:
    assert in_words(Counter(["truck"] * 6 + ["car"] * 2 + ["ship"])) == "truck (6), car (2) and ship"
    assert in_words(Counter(["truck"] * 9)) == "all truck"
    assert in_words(Counter(["truck"])) == "truck"
