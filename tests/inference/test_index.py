"""The index of a weights file: against all maps looked through one by one, and against what a disk may hold."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from tiny import tiny_checkpoint

from googlenet.data import shapes
from googlenet.data.content import content_order
from googlenet.data.datasets import ImageSet
from googlenet.data.splits import Split
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.index import (
    Index,
    compute_index,
    find_images,
    index_path,
    load_bank,
    load_index,
    nearest,
    neighbours_path,
)
from googlenet.inference.index.neighbours import features_of, write_bank
from googlenet.inference.index.packing import pack, unpack
from googlenet.inference.inside.trace import trace, walk
from googlenet.runs import list_checkpoints

COUNT = 100


@pytest.fixture(scope="module")
def data() -> ImageSet:
    train, test, classes = shapes.draw_shapes(COUNT, 20)
    return ImageSet("shapes", "some shapes", train, test, classes, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2), synthetic=True)


@pytest.fixture(scope="module")
def indexed(data: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tiny_checkpoint(tmp_path_factory.mktemp("index") / "shapes.safetensors", data.classes)
    compute_index(path, data, device="cpu")
    return path


@pytest.fixture
def weights(indexed: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    for path in (indexed, index_path(indexed), neighbours_path(indexed)):
        shutil.copy2(path, tmp_path)
    return tmp_path / indexed.name


def _index(weights: Path) -> Index:
    index = load_index(weights)
    assert index is not None
    return index


# --- what is in it ----------------------------------------------------------------------------


def test_it_holds_what_looking_through_all_maps_finds(indexed: Path, data: ImageSet) -> None:
    classifier, order = Classifier(indexed, "cpu"), content_order(data.train)
    ordered = data.train.images[order.positions]
    with torch.inference_mode():
        maps = dict(walk(classifier.fast_model, classifier.prepared(ordered)))
    index = _index(indexed)
    assert index.layers == ("conv1", "inception3a")
    assert list(index.means) == ["conv1", "maxpool1", "inception3a"]
    for layer, means in index.means.items():
        torch.testing.assert_close(means, maps[layer].float().mean((0, 2, 3)), rtol=1e-3, atol=1e-3)
    for layer in index.layers:
        for channel in range(maps[layer].shape[1]):
            own = maps[layer][:, channel].float()
            expected = own.flatten(1).amax(1).sort(descending=True, stable=True).values[:9]
            tops = index.top(layer, channel)
            assert [top.value for top in tops] == pytest.approx(expected.tolist(), rel=1e-2)
            assert len({top.image for top in tops}) == 9
            for top in tops:  # of values that rounding makes equal any may be chosen
                assert own[top.image, top.y, top.x].item() == pytest.approx(top.value, rel=1e-2)
                assert own[top.image].max().item() == pytest.approx(top.value, rel=1e-2)


def test_the_same_images_in_another_order_give_the_same_index(indexed: Path, data: ImageSet, tmp_path: Path) -> None:
    mixed = torch.randperm(COUNT, generator=torch.Generator().manual_seed(1))
    train = Split(data.train.images[mixed], data.train.labels[mixed])
    copy = Path(shutil.copy(indexed, tmp_path))
    again = compute_index(copy, ImageSet(**{**vars(data), "train": train}), device="cpu")
    assert again.about == _index(indexed).about
    for path_of in (index_path, neighbours_path):
        ours, theirs = load_file(path_of(copy)), load_file(path_of(indexed))
        assert {name: values.tolist() for name, values in ours.items()} == {
            name: values.tolist() for name, values in theirs.items()
        }


def test_images_of_a_folder_are_those_of_the_tensors(indexed: Path, data: ImageSet, tmp_path: Path) -> None:
    for split, images in (("train", data.train), ("test", data.test)):
        for number, (image, label) in enumerate(zip(images.images, images.labels.tolist(), strict=True)):
            path = tmp_path / "data" / split / data.classes[label] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(path)
    about, order = _index(indexed).about, content_order(data.train)
    found = find_images(about, [str(tmp_path / "data")], tmp_path / "cache")
    for number in (0, 17, COUNT - 1):
        position = int(order.positions[number])
        assert np.array_equal(np.asarray(found.image(number)).transpose(2, 0, 1), data.train.images[position].numpy())
        assert found.label(number) == data.classes[int(data.train.labels[position])]


def test_images_that_are_not_there_are_one_sentence(indexed: Path, tmp_path: Path) -> None:
    about = _index(indexed).about
    with pytest.raises(LabError, match="not on this machine"):
        find_images(about, [str(tmp_path / "nowhere"), "cifar10"], tmp_path)
    for split in ("train", "test"):
        path = tmp_path / "others" / split / "arrow" / "one.png"
        path.parent.mkdir(parents=True)
        Image.new("RGB", (32, 32)).save(path)
    for _ in range(2):
        with pytest.raises(LabError, match="are not those that are here"):
            find_images(about, [str(tmp_path / "others"), "shapes"], tmp_path)


@pytest.mark.parametrize(("layer", "channel"), [("maxpool1", 0), ("nothing", 0), ("conv1", 8), ("conv1", -1)])
def test_what_it_does_not_have_is_refused(indexed: Path, layer: str, channel: int) -> None:
    with pytest.raises(LabError):
        _index(indexed).top(layer, channel)


def test_a_network_does_not_take_it_for_a_checkpoint(indexed: Path) -> None:
    listed = [checkpoint.path for checkpoint in list_checkpoints(indexed.parent)]
    assert indexed in listed
    assert index_path(indexed) not in listed
    assert neighbours_path(indexed) not in listed


# --- what is near -----------------------------------------------------------------------------


def test_the_nearest_are_those_of_the_exact_cosines(indexed: Path, data: ImageSet) -> None:
    classifier, order = Classifier(indexed, "cpu"), content_order(data.train)
    features = torch.stack([features_of(classifier, image) for image in data.train.images[order.positions]])
    for pixels in data.test.images[:5]:
        exact = features @ features_of(classifier, pixels)
        rows = nearest(classifier, pixels, 5)
        assert [row.similarity for row in rows] == pytest.approx(
            exact.sort(descending=True).values[:5].tolist(), abs=0.02
        )
        for row in rows:
            assert exact[row.image].item() == pytest.approx(row.similarity, abs=0.02)
            assert row.label == data.classes[int(data.train.labels[order.positions[row.image]])]


def test_a_picture_its_pixels_and_its_trace_have_the_same_features(indexed: Path, data: ImageSet) -> None:
    classifier, pixels = Classifier(indexed, "cpu"), data.test.images[3]
    ways = (pixels.permute(1, 2, 0).numpy(), pixels, trace(classifier, pixels))
    for features in [features_of(classifier, way) for way in ways]:
        torch.testing.assert_close(features, features_of(classifier, pixels))


def test_a_training_image_is_nearest_to_itself_in_many_dimensions(data: ImageSet, tmp_path: Path) -> None:
    """More features than are kept: the codes say what the features said."""
    torch.manual_seed(0)
    weights = tiny_checkpoint(tmp_path / "one.safetensors", data.classes)
    features = torch.nn.functional.normalize(torch.randn(COUNT, 16), dim=1)
    compute_index(weights, data, device="cpu")
    about = _index(weights).about
    write_bank(weights, about, features.half(), data.train.labels)
    bank = load_bank(weights)
    assert bank is not None
    for number in range(COUNT):
        torch.testing.assert_close(bank.similarities(features[number]), features @ features[number], atol=0.02, rtol=0)


# --- what a disk may hold ---------------------------------------------------------------------


def test_without_a_file_there_is_none(tmp_path: Path) -> None:
    weights = tiny_checkpoint(tmp_path / "alone.safetensors")
    assert load_index(weights) is load_bank(weights) is load_index(tmp_path / "nothing.safetensors") is None
    with pytest.raises(LabError, match=r"python -m googlenet index alone\.safetensors"):
        nearest(Classifier(weights, "cpu"), torch.zeros(3, 32, 32, dtype=torch.uint8))


def test_other_weights_are_told_by_their_digest(weights: Path, data: ImageSet) -> None:
    tiny_checkpoint(weights, data.classes, seed=1)
    for read in (load_index, load_bank):
        with pytest.raises(LabError, match=r"is of other weights than shapes\.safetensors"):
            read(weights)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _flip_a_header(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[20] ^= 0xFF
    path.write_bytes(content)


def _pad(path: Path) -> None:
    with path.open("ab") as file:
        file.write(bytes(200_000_000 if path.suffix == ".neighbours" else 1_000_000))


@pytest.mark.parametrize("damage", [_cut, _flip_a_header, _pad, lambda path: path.write_bytes(b"no index")])
@pytest.mark.parametrize(("path_of", "read"), [(index_path, load_index), (neighbours_path, load_bank)])
def test_a_damaged_file_is_one_sentence(
    weights: Path, damage: Callable[[Path], None], path_of: Callable[[Path], Path], read: Callable[[Path], object]
) -> None:
    damage(path_of(weights))
    with pytest.raises(LabError, match="is damaged"):
        read(weights)


def _rewrite(path: Path, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    save_file({**tensors, name: change(tensors[name])}, path, metadata)


def _packed(kind: type, shape: tuple[int, ...], change: Callable[[np.ndarray], None]) -> Callable:
    def rewrite(packed: np.ndarray) -> np.ndarray:
        column = unpack(packed, kind, shape).copy()
        change(column)
        return pack(column)

    return rewrite


TABLE = (9, 8 + 16)  # kept, channels of conv1 and inception3a


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("images", _packed(np.uint16, TABLE, lambda column: column.fill(COUNT))),  # past the last image
        ("images", _packed(np.uint16, TABLE, lambda column: column.fill(3))),  # one image nine times
        ("places", _packed(np.uint16, TABLE, lambda column: column.fill(60_000))),  # beside the map
        ("values", _packed(np.uint16, TABLE, lambda column: column.fill(0x7FC0))),  # NaN
        ("values", _packed(np.uint16, TABLE, lambda column: column.fill(1))),  # rising
        ("means", lambda means: means * np.float32("nan")),
        ("means", lambda means: means[:-1]),
        ("means", lambda means: means.astype(np.float64)),
        ("images", lambda packed: pack(np.zeros(50_000_000, np.uint8))),  # a bomb: 50 MB of nothing
        ("images", lambda packed: packed[:-3]),
        ("images", lambda packed: packed.astype(np.uint16)),
    ],
)
def test_numbers_that_cannot_be_are_refused(weights: Path, name: str, change: Callable) -> None:
    _rewrite(index_path(weights), name, change)
    with pytest.raises(LabError, match="is damaged"):
        load_index(weights)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("labels", _packed(np.uint16, (COUNT,), lambda column: column.fill(10))),
        ("mean", lambda values: values * np.float32("nan")),
        ("basis", lambda values: values[:, :-1]),
        ("basis", lambda values: values * np.float16(60_000)),
        ("basis", lambda values: values.astype(np.float32)),
        ("numbers", lambda values: values - 5),
        ("codes", lambda packed: packed[:10]),
    ],
)
def test_features_that_cannot_be_are_refused(weights: Path, name: str, change: Callable) -> None:
    _rewrite(neighbours_path(weights), name, change)
    with pytest.raises(LabError, match="is damaged"):
        load_bank(weights)


# --- how it is written ------------------------------------------------------------------------


def test_cancelled_it_leaves_nothing_and_the_old_one_as_it_was(weights: Path, data: ImageSet) -> None:
    class Cancelled(Exception): ...

    def cancel(share: float, text: str) -> None:
        raise Cancelled

    before = {path.name: path.read_bytes() for path in weights.parent.iterdir()}
    with pytest.raises(Cancelled):
        compute_index(weights, data, device="cpu", progress=cancel)
    assert {path.name: path.read_bytes() for path in weights.parent.iterdir()} == before


def test_killed_between_writing_and_renaming_the_old_one_stays(weights: Path) -> None:
    before = index_path(weights).read_bytes()
    script = """
import os, pathlib, signal, sys
from googlenet.inference.index.index import KIND, index_path
from googlenet.inference.index.packing import About, write_packed
import numpy as np
pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
path = index_path(pathlib.Path(sys.argv[1]))
write_packed(path, KIND, About("0" * 64, "0" * 32, "x", 1), {"means": np.zeros(3)})
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(weights)], env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    )
    assert done.returncode == -signal.SIGKILL
    assert index_path(weights).read_bytes() == before
    assert load_index(weights) is not None
    assert len(list_checkpoints(weights.parent)) >= 1


def test_progress_ends_at_all_of_it(weights: Path, data: ImageSet) -> None:
    heard: list[tuple[float, str]] = []
    compute_index(weights, data, device="cpu", progress=lambda share, text: heard.append((share, text)))
    assert [share for share, _ in heard] == sorted(share for share, _ in heard)
    assert heard[-1] == (1, f"Looked at {COUNT} of {COUNT} images")


@pytest.mark.parametrize("source", ["other classes", "NaN", "size"])
def test_what_cannot_be_indexed_is_one_sentence(source: str, data: ImageSet, tmp_path: Path) -> None:
    classes = data.classes if source != "other classes" else ("cat", "dog", "frog")
    weights = tiny_checkpoint(tmp_path / "one.safetensors", classes)
    if source == "NaN":
        from googlenet.models.weights import load_weights, save_weights

        model, info = load_weights(weights)
        with torch.no_grad():
            next(model.parameters()).fill_(float("nan"))
        save_weights(weights, model, info)
    wide = Split(data.train.images.repeat(1, 1, 2, 2), data.train.labels)
    images = ImageSet(**{**vars(data), "train": wide}) if source == "size" else data
    with pytest.raises(LabError):
        compute_index(weights, images, device="cpu")
    assert [path.name for path in tmp_path.iterdir()] == ["one.safetensors"]
