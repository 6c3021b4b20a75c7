"""Image folders: what is in them, how a picture becomes 32×32, what is refused, and the cache."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from googlenet.data import folder
from googlenet.data.datasets import check_source, load_images
from googlenet.data.folder import _decode_file
from googlenet.data.images import FORMATS, fit_image, read_image
from googlenet.errors import LabError

COLOURS = {"cat": (200, 10, 10), "dog": (10, 200, 10)}


@pytest.fixture
def root(tmp_path):
    """A data set of two classes with three training images and one test image each, every image of one colour."""
    for name, colour in COLOURS.items():
        for index in range(3):
            _save(tmp_path / "set" / "train" / name / f"{index}.png", colour)
        _save(tmp_path / "set" / "test" / name / "0.png", colour)
    return tmp_path / "set"


def _save(path: Path, colour=(1, 2, 3), size=(32, 32), **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path, **options)
    return path


def _noise(mode: str, width: int = 50, height: int = 40) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 4), dtype=np.uint8)
    if mode.startswith("I;16"):
        deep = values.astype(np.uint16)[..., 0] * 257
        return Image.frombytes(mode, (width, height), deep.astype(">u2" if mode == "I;16B" else "<u2").tobytes())
    if mode == "F":
        return Image.fromarray(values[..., 0].astype(np.float32) / 255)
    return Image.fromarray(values, "RGBA").convert(mode)


def _refusal(source: Path, data_dir: Path) -> str:
    with pytest.raises(LabError) as caught:
        load_images(str(source), data_dir)
    assert caught.value.field == "data"
    message = str(caught.value)
    assert "\n" not in message
    assert "Traceback" not in message
    assert message.endswith(".")
    return message


# --- what is in the folder --------------------------------------------------------------------


def test_labels_follow_the_sorted_class_folders(root, tmp_path):
    images = load_images(str(root), tmp_path / "data")
    assert images.classes == ("cat", "dog")
    assert images.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert images.test.labels.tolist() == [0, 1]
    assert images.train.images[4, :, 5, 5].tolist() == [10, 200, 10]
    assert (images.name, images.source, images.synthetic) == ("folder set", str(root), False)
    assert images.train.images.is_contiguous()
    assert images.test.images.is_contiguous()


def test_nested_images_count_and_other_files_do_not(root, tmp_path):
    _save(root / "train" / "cat" / "more" / "deep" / "x.JPG", (0, 0, 255))
    _save(root / "train" / "cat" / ".hidden.png")
    _save(root / "train" / ".cache" / "x.png")
    for name in ("notes.txt", "Thumbs.db", ".DS_Store", "png"):
        (root / "train" / "cat" / name).write_text("no image")
    (root / "train" / "README.md").write_text("no class")
    images = load_images(str(root), tmp_path / "data")
    assert images.train.labels.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert images.train.images[3, 2].float().mean() > 240  # after 0.png, 1.png, 2.png comes more/deep/x.JPG


def test_a_ring_of_links_ends(root, tmp_path):
    (root / "train" / "cat" / "again").symlink_to(root / "train" / "cat")
    assert len(load_images(str(root), tmp_path / "data").train.labels) == 6


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_missing_split_is_named(root, tmp_path, split):
    (root / split).rename(root / "other")
    message = _refusal(root, tmp_path)
    assert f"{str(root)!r} has no {split}/" in message
    with pytest.raises(LabError):
        check_source(str(root))


def test_a_split_without_classes_is_named(tmp_path):
    for split in ("train", "test"):
        _save(tmp_path / split / "loose.png")
    assert f"{str(tmp_path / 'train')!r} has no class folders" in _refusal(tmp_path, tmp_path / "data")


def test_an_empty_class_is_named(root, tmp_path):
    (root / "test" / "dog" / "0.png").rename(root / "test" / "dog" / "0.txt")
    assert f"{str(root / 'test' / 'dog')!r} has no images" in _refusal(root, tmp_path / "data")


def test_classes_that_differ_are_named(root, tmp_path):
    _save(root / "train" / "emu" / "0.png")
    assert "has 'emu' in train/ but not in test/" in _refusal(root, tmp_path / "data")
    (root / "train" / "emu").rename(root / "test" / "yak")
    assert "has 'yak' in test/ but not in train/" in _refusal(root, tmp_path / "data")


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_an_undecodable_image_is_named(root, tmp_path, content):
    bad = root / "train" / "dog" / "1.png"
    bad.write_bytes(content)
    assert str(bad) in _refusal(root, tmp_path / "data")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "bmp"])
def test_a_truncated_image_is_named(root, tmp_path, suffix):
    whole = root / "train" / "dog" / f"whole.{suffix}"
    _noise("RGB").save(whole)
    cut = root / "train" / "dog" / f"cut\n.{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert repr(str(cut)) in _refusal(root, tmp_path / "data")


def test_a_broken_link_is_named(root, tmp_path):
    (root / "train" / "dog" / "gone.png").symlink_to(tmp_path / "nowhere")
    message = _refusal(root, tmp_path / "data")
    assert "gone.png" in message
    assert "No such file" in message


def test_a_decompression_bomb_is_named(root, tmp_path):
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = root / "train" / "cat" / "bomb.png"
    bomb.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    message = _refusal(root, tmp_path / "data")
    assert str(bomb) in message
    assert "far too many pixels: a picture may have 65,535 on a side" in message


# --- how a picture becomes 32×32 --------------------------------------------------------------


def test_an_image_of_the_right_size_keeps_its_pixels(tmp_path):
    image = _noise("RGB", 32, 32)
    image.save(tmp_path / "x.png")
    assert np.array_equal(_decode_file(str(tmp_path / "x.png")), np.asarray(image).transpose(2, 0, 1))


def test_a_wide_image_is_cut_to_its_centre_and_antialiased():
    pixels = np.zeros((64, 192, 3), np.uint8)
    pixels[:, 64:128] = 100  # the centre square
    pixels[1::2, 64:128] = 200  # finer than the target: must come out as the average
    pixels[:, :64] = pixels[:, 128:] = 255
    result = np.asarray(fit_image(Image.fromarray(pixels), 32))
    assert result.shape == (32, 32, 3)
    assert np.abs(result[2:-2, 2:-2].astype(int) - 150).max() <= 3


def test_an_extreme_banner_is_read_quickly():
    assert fit_image(Image.new("RGB", (65_535, 1), (9, 9, 9)), 32).getpixel((3, 3)) == (9, 9, 9)


def test_exif_orientation_is_applied(tmp_path):
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:32] = 255  # light on top
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise: the top goes to the right
    Image.fromarray(pixels).save(tmp_path / "x.jpg", exif=exif)
    result = _decode_file(str(tmp_path / "x.jpg"))
    assert result[:, :, 20:].min() > 240
    assert result[:, :, :12].max() < 15


def test_transparency_is_laid_on_white(tmp_path):
    image = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    image.paste((200, 0, 0, 255), (0, 0, 16, 32))
    image.save(tmp_path / "x.png")
    result = _decode_file(str(tmp_path / "x.png"))
    assert result[:, 5, 5].tolist() == [200, 0, 0]
    assert result[:, 5, 25].tolist() == [255, 255, 255]


def test_of_an_animation_the_first_frame_is_taken(tmp_path):
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert _decode_file(str(tmp_path / "x.gif"))[:, 0, 0].tolist() == [255, 0, 0]


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    Image.fromarray(np.full((32, 32), 257 * 99, np.uint16)).save(tmp_path / "x.png")
    assert _decode_file(str(tmp_path / "x.png"))[:, 0, 0].tolist() == [99, 99, 99]


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [(mode, "png") for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")]
    + [("CMYK", "jpg"), ("L", "jpg"), ("RGB", "bmp"), ("RGBA", "webp"), ("P", "gif"), ("CMYK", "tif")]
    + [("F", "tif"), ("I", "tif"), ("I;16", "tif"), ("I;16B", "tif")],
)
def test_training_and_classifying_see_the_same_pixels(tmp_path, mode, suffix):
    path = tmp_path / f"x.{suffix}"
    _noise(mode).save(path)
    classified = fit_image(read_image(path), 32)
    assert np.array_equal(_decode_file(str(path)), np.asarray(classified).transpose(2, 0, 1))


@pytest.mark.parametrize("values", [np.float32([[0, 255]]), np.float32([[0.5, np.nan]]), np.int32([[0, 70_000]])])
def test_greys_of_an_unknown_range_are_refused_not_clipped_to_white(root, tmp_path, values):
    """Clipped, all but the blackest pixels of such a file are white, and training goes on with that."""
    path = root / "train" / "cat" / "0.tif"
    Image.fromarray(values).save(path)
    message = _refusal(root, tmp_path / "data")
    assert str(path) in message
    with pytest.raises(LabError) as uploaded:
        read_image(path)
    assert message == str(uploaded.value).replace("0.tif", f"Image {str(path)!r}", 1)


def test_a_picture_in_a_format_that_is_not_read_is_named_not_passed_over(root, tmp_path):
    path = root / "train" / "cat" / "9.tga"
    Image.new("RGB", (32, 32)).save(path)
    assert "TGA" not in FORMATS
    assert f"Image {str(path)!r} is not a picture that can be read: use a PNG, JPEG" in _refusal(
        root, tmp_path / "data"
    )


# --- the cache --------------------------------------------------------------------------------


def test_a_second_load_opens_no_image(root, tmp_path):
    first = load_images(str(root), tmp_path / "data")
    (cache,) = (tmp_path / "data" / "cache").iterdir()
    _swap_content_unseen(root / "train" / "cat" / "0.png")
    second = load_images(str(root), tmp_path / "data")
    assert torch.equal(first.train.images, second.train.images)
    assert torch.equal(first.test.labels, second.test.labels)
    assert second.train.images.is_contiguous()
    cache.unlink()
    assert str(root / "train" / "cat" / "0.png") in _refusal(root, tmp_path / "data")


def _swap_content_unseen(path: Path) -> None:
    """Damage a file but keep its size and time: who still loads it has not opened it."""
    status = path.stat()
    path.write_bytes(b"x" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_changed_added_or_renamed_image_is_noticed(root, tmp_path):
    load_images(str(root), tmp_path / "data")
    path = _save(root / "train" / "cat" / "0.png", (0, 0, 77))
    assert load_images(str(root), tmp_path / "data").train.images[0, 2, 0, 0] == 77
    path.rename(root / "train" / "dog" / "9.png")
    images = load_images(str(root), tmp_path / "data")
    assert images.train.labels.tolist() == [0, 0, 1, 1, 1, 1]
    assert images.train.images[5, 2, 0, 0] == 77


def test_a_new_rule_leaves_old_caches_aside(root, tmp_path, monkeypatch):
    load_images(str(root), tmp_path / "data")
    monkeypatch.setattr(folder, "RULE", folder.RULE + 1)
    load_images(str(root), tmp_path / "data")
    assert len(list((tmp_path / "data" / "cache").iterdir())) == 2


@pytest.mark.parametrize("damage", ["empty", "cut", "garbage", "other tensors", "labels out of range"])
def test_a_broken_cache_is_rebuilt(root, tmp_path, damage):
    from safetensors.torch import load_file, save_file

    first = load_images(str(root), tmp_path / "data")
    (cache,) = (tmp_path / "data" / "cache").iterdir()
    whole, tensors = cache.read_bytes(), load_file(cache)
    if damage == "other tensors":
        save_file({"train_images": torch.zeros(3)}, cache)
    elif damage == "labels out of range":
        save_file({**tensors, "train_labels": torch.full((6,), 2)}, cache)
    else:
        cache.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "garbage": b"\xff" * len(whole)}[damage])
    second = load_images(str(root), tmp_path / "data")
    assert torch.equal(first.train.images, second.train.images)
    assert torch.equal(first.train.labels, second.train.labels)
    assert cache.read_bytes() == whole


def test_without_a_place_for_the_cache_images_load_all_the_same(root, tmp_path):
    (tmp_path / "data").write_text("a file where the folder should be")
    assert len(load_images(str(root), tmp_path / "data").train.labels) == 6


def test_progress_only_rises(root, tmp_path):
    heard = []
    load_images(str(root), tmp_path / "data", lambda share, sentence: heard.append((share, sentence)))
    shares = [share for share, _ in heard]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert any("Decoded 8 of 8 images" in sentence for _, sentence in heard)
