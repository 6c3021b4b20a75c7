"""Pictures of every odd kind, generated here: the right pixels, or one sentence."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from googlenet.data import images
from googlenet.data.images import fit_image, read_image
from googlenet.errors import LabError

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quarters(width: int = 4, height: int = 4) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right."""
    picture = Image.new("RGB", (2, 2))
    picture.putdata([RED, GREEN, BLUE, WHITE])
    return picture.resize((width, height), Image.Resampling.NEAREST)


def encode(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    right, bottom = picture.width - 1, picture.height - 1
    return [picture.getpixel(at) for at in ((0, 0), (right, 0), (0, bottom), (right, bottom))]


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG written by hand, for what Pillow cannot write; `rows` are without filter bytes."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    stride = len(rows) // height if height else 0
    filtered = b"".join(b"\0" + rows[y * stride : (y + 1) * stride] for y in range(height if rows else 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(filtered)) + png_chunk(b"IEND", b"")


def near(actual: tuple[int, ...], expected: tuple[int, ...], tolerance: int) -> bool:
    return max(abs(a - e) for a, e in zip(actual, expected, strict=True)) <= tolerance


def one_sentence(message: str) -> bool:
    return message.endswith(".") and "\n" not in message and ". " not in message and "Traceback" not in message


# --- right answers ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "GIF"])
def test_lossless_formats_keep_every_pixel(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"picture.{kind.lower()}"
    path.write_bytes(encode(quarters(), kind))
    for source in (path, str(path), path.read_bytes()):
        assert np.array_equal(read_image(source), quarters())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_lossy_formats_keep_the_picture(kind: str) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this build of Pillow has no AVIF")
    picture = read_image(encode(quarters(64, 64), kind, quality=95))
    assert picture.mode == "RGB"
    assert all(near(a, e, 12) for a, e in zip(corners(picture), [RED, GREEN, BLUE, WHITE], strict=True))


def test_a_file_is_known_by_its_content_not_its_name(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode(quarters(), "PNG"))
    assert corners(read_image(path)) == [RED, GREEN, BLUE, WHITE]


def test_cmyk_jpeg_with_adobes_inverted_inks() -> None:
    picture = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    content = encode(picture, "JPEG", quality=95)
    assert b"Adobe" in content, "the file must carry the marker that means inverted inks"
    assert near(read_image(content).getpixel((8, 8)), RED, 6)


def test_cmyk_tiff() -> None:
    assert read_image(encode(Image.new("CMYK", (4, 4), (255, 0, 255, 0)), "TIFF")).getpixel((1, 1)) == GREEN


def test_sixteen_bit_grey_png_is_scaled_not_clipped() -> None:
    rows = np.array([[0, 257, 32_896, 65_535]], ">u2")
    content = png(4, 1, 16, 0, rows.tobytes())
    assert np.asarray(read_image(content))[0, :, 0].tolist() == [0, 1, 128, 255]


def test_sixteen_bit_grey_tiff_in_both_byte_orders() -> None:
    values = np.array([[0, 257 * 100, 65_535]], np.uint16)
    for mode, kind in (("I;16", "<u2"), ("I;16B", ">u2")):
        picture = Image.frombytes(mode, (3, 1), values.astype(kind).tobytes())
        assert np.asarray(read_image(encode(picture, "TIFF")))[0, :, 1].tolist() == [0, 100, 255]


def test_sixteen_bit_pgm() -> None:
    content = b"P5 3 1 65535\n" + np.array([0, 257 * 100, 65_535], ">u2").tobytes()
    assert np.asarray(read_image(content))[0, :, 2].tolist() == [0, 100, 255]


def test_sixteen_bit_colour_png() -> None:
    rows = np.array([[[65_535, 0, 257 * 128]]], ">u2")
    assert near(read_image(png(1, 1, 16, 2, rows.tobytes())).getpixel((0, 0)), (255, 0, 128), 1)


def test_a_grey_float_tiff_is_from_0_to_1() -> None:
    picture = Image.fromarray(np.array([[0.0, 0.5, 1.0]], np.float32))
    assert np.asarray(read_image(encode(picture, "TIFF")))[0, :, 0].tolist() == [0, 128, 255]


def test_one_bit_pictures_are_black_and_white() -> None:
    picture = Image.fromarray(np.array([[True, False]]))
    assert corners(read_image(encode(picture, "PNG")))[:2] == [WHITE, (0, 0, 0)]


def test_transparent_pixels_lie_on_white() -> None:
    half_black = Image.new("RGBA", (1, 1), (0, 0, 0, 128))
    assert read_image(encode(half_black, "PNG")).getpixel((0, 0)) == (127, 127, 127)
    clear_red = Image.new("RGBA", (1, 1), (255, 0, 0, 0))
    assert read_image(encode(clear_red, "PNG")).getpixel((0, 0)) == WHITE
    clear_grey = Image.new("LA", (1, 1), (7, 0))
    assert read_image(encode(clear_grey, "PNG")).getpixel((0, 0)) == WHITE


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_palette_with_a_transparent_entry_lies_on_white(kind: str) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([*RED, *BLUE])
    picture.putdata([0, 1])
    read = read_image(encode(picture, kind, transparency=1))
    assert corners(read)[:2] == [RED, WHITE]


def test_a_transparent_colour_of_a_png_lies_on_white() -> None:
    read = read_image(encode(quarters(), "PNG", transparency=BLUE))
    assert corners(read) == [RED, GREEN, WHITE, WHITE]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_back_upright(orientation: int, kind: str) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = quarters(4, 6)
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"lossless": True} if kind == "WEBP" else {}
    read = read_image(encode(stored, kind, exif=exif, **lossless))
    assert read.size == (4, 6)
    assert corners(read) == [RED, GREEN, BLUE, WHITE]


def test_a_rotated_phone_photo_and_a_meaningless_orientation() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encode(quarters(64, 32).transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95)
    assert read_image(content).size == (64, 32)
    exif[0x0112] = 99
    assert read_image(encode(quarters(64, 32), "JPEG", exif=exif)).size == (64, 32)


def test_broken_exif_does_not_spoil_the_picture() -> None:
    content = encode(quarters(), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff broken")
    assert corners(read_image(content)) == [RED, GREEN, BLUE, WHITE]
    assert fit_image(read_image(content), 2).size == (2, 2)


def test_metadata_stays_behind() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    assert read_image(encode(quarters(), "JPEG", exif=exif, comment=b"where I live")).info == {}


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE)]
    lossless = {"lossless": True} if kind == "WEBP" else {}
    content = encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, **lossless)
    assert Image.open(io.BytesIO(content)).n_frames == 3
    assert read_image(content).getpixel((4, 4)) == RED


def test_a_multi_picture_jpeg_gives_its_first() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE)]
    content = encode(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert near(read_image(content).getpixel((8, 8)), RED, 6)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_pillow_images_of_every_mode(mode: str) -> None:
    picture = Image.new("L", (3, 2), 255).convert("RGB").convert(mode) if mode == "HSV" else Image.new("L", (3, 2), 255)
    read = read_image(picture if picture.mode == mode else picture.convert("RGB").convert(mode))
    assert read.mode == "RGB"
    assert read.size == (3, 2)
    assert near(read.getpixel((1, 1)), WHITE, 1)


def test_the_result_is_the_callers_own() -> None:
    picture = quarters()
    read_image(picture).putpixel((0, 0), BLUE)
    assert picture.getpixel((0, 0)) == RED


# --- arrays -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.full((2, 3), 7, np.uint8), (7, 7, 7)),
        (np.full((2, 3, 1), 7, np.uint8), (7, 7, 7)),
        (np.full((2, 3, 3), 7, np.int64), (7, 7, 7)),
        (np.full((2, 3), 65_535, np.uint16), WHITE),
        (np.full((2, 3, 3), 257, ">u2"), (1, 1, 1)),
        (np.full((2, 3), 0.5, np.float32), (128, 128, 128)),
        (np.ones((2, 3, 3), np.float16), WHITE),
        (np.ones((2, 3), bool), WHITE),
        (np.zeros((2, 3, 4), np.float64), WHITE),
        (np.full((4, 6, 3), 9, np.uint8)[::2, ::2], (9, 9, 9)),
    ],
)
def test_arrays(values: np.ndarray, expected: tuple[int, int, int]) -> None:
    read = read_image(values)
    assert read.size == (3, 2)
    assert read.getpixel((2, 1)) == expected


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (np.zeros((3, 8, 8)), "shape"),
        (np.zeros((8, 8, 2)), "shape"),
        (np.zeros(8), "shape"),
        (np.zeros((0, 8, 3)), "no pixels"),
        (np.full((2, 2), np.nan), "nan"),
        (np.full((2, 2), 1.5), "1.5"),
        (np.full((2, 2), -1), "-1"),
        (np.full((2, 2), 256), "256"),
        (np.full((2, 2), 1j), "complex"),
        (np.full((2, 2), "x"), "whole numbers"),
    ],
)
def test_arrays_that_are_no_picture(values: np.ndarray, word: str) -> None:
    with pytest.raises(LabError, match=word) as refusal:
        read_image(values)
    assert one_sentence(str(refusal.value).replace("1.5", ""))


# --- refusals ---------------------------------------------------------------------------------

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("drawing.svg", SVG),
        ("drawing.png", SVG),
        ("notes.png", b"these are only words\n" * 20),
        ("page.html", b"<!doctype html><title>x</title>"),
        ("paper.pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF"),
        ("figure.eps", EPS),
        ("figure.jpg", EPS),
        ("icon.ico", encode(Image.new("RGB", (16, 16)), "ICO")),
        ("short.png", b"\x89PNG\r\n\x1a\n"),
        ("short.jpg", b"\xff\xd8\xff"),
        ("zeros.bmp", bytes(64)),
    ],
)
def test_what_is_not_a_picture_is_named_in_one_sentence(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(LabError, match="is not a picture that can be read") as refusal:
        read_image(path)
    assert name in str(refusal.value)
    assert str(tmp_path) not in str(refusal.value)
    assert one_sentence(str(refusal.value).replace(name, ""))


def test_ghostscript_is_never_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ghost = tmp_path / "gs"
    ghost.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
    ghost.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(LabError):
        read_image(EPS)
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM"])
def test_a_picture_cut_short(kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    content = encode(noise, kind)
    with pytest.raises(LabError) as refusal:
        read_image(content[: len(content) // 2])
    assert one_sentence(str(refusal.value))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_file_gives_a_picture_or_one_sentence(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM"]))
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"exif": exif} if kind in ("PNG", "JPEG", "WEBP", "TIFF") else {}
    content = bytearray(encode(quarters(16, 16), kind, **options))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    refusal = ""
    try:
        mode = read_image(bytes(content)).mode
    except LabError as error:
        mode, refusal = "", str(error)
    assert mode == "RGB" or one_sentence(refusal)


def test_empty_and_missing_files(tmp_path: Path) -> None:
    empty = tmp_path / "empty.png"
    empty.touch()
    with pytest.raises(LabError, match=r"empty\.png is empty"):
        read_image(empty)
    with pytest.raises(LabError, match="The picture is empty"):
        read_image(b"")
    with pytest.raises(LabError, match=r"no file 'gone\.png'"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(LabError, match="no file"):
        read_image(tmp_path)
    with pytest.raises(LabError, match="no file"):
        read_image("")
    with pytest.raises(LabError):
        read_image("x" * 5000)
    with pytest.raises(LabError):
        read_image("nul\0byte.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(LabError, match="no file"):
        read_image(tmp_path / "pipe.png")


def test_other_types_are_refused() -> None:
    with pytest.raises(LabError, match="not int"):
        read_image(3)
    with pytest.raises(LabError, match="no pixels"):
        read_image(Image.new("RGB", (0, 5)))


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(images.MAX_BYTES + 1)  # sparse: takes no disk
    with pytest.raises(LabError, match=r"huge\.png has 50\.0 MB"):
        read_image(path)
    with pytest.raises(LabError, match="the limit is 50"):
        read_image(bytes(images.MAX_BYTES + 1))


@pytest.mark.parametrize("side", [8_001, 11_000, 20_000])
@pytest.mark.parametrize("pillow_limit", [Image.MAX_IMAGE_PIXELS, None])
def test_a_bomb_is_refused_by_its_header_without_pillows_help(
    side: int, pillow_limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", pillow_limit)
    bomb = png(side, side, 8, 2, b"")  # no pixel data: decoding it would say "damaged"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(LabError, match=r"pixels: a picture may have 65,535 on a side and 64 million in all"):
            read_image(bomb)


def tall_png(path: Path, channels: int, colour: int) -> Path:
    """A PNG of 1 × 60,000,000 pixels, packed a piece at a time: some 120 or 290 kB."""
    packer, piece = zlib.compressobj(9), bytes((1 + channels) * 1_000_000)
    packed = b"".join([packer.compress(piece) for _ in range(60)]) + packer.flush()
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 60_000_000, 8, colour, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b""))
    return path


PEAK = """
import resource, sys
from googlenet.data.folder import _decode_file
from googlenet.data.images import read_image
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for read in (read_image, _decode_file):
    try:
        print(read(sys.argv[1]))
    except ValueError as error:
        print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // (1024 if sys.platform != "darwin" else 1 << 20))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no getrusage")
@pytest.mark.parametrize(("channels", "colour"), [(1, 0), (4, 6)], ids=["grey", "RGBA"])
def test_a_thread_of_pixels_takes_no_memory(channels: int, colour: int, tmp_path: Path) -> None:
    path = tall_png(tmp_path / "tall.png", channels, colour)
    assert path.stat().st_size < 300_000
    ran = subprocess.run([sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True, timeout=60)
    upload, folder, peak = ran.stdout.splitlines()
    size = "1 × 60,000,000 pixels: a picture may have 65,535 on a side and 64 million in all, so shrink it."
    assert (upload, folder) == (f"tall.png has {size}", f"Image {str(path)!r} has {size}")
    assert int(peak) < 50, "MB on top of what importing takes; decoding takes 2,000"


@pytest.mark.skipif(sys.platform == "win32", reason="no getrusage")
def test_a_large_photograph_is_held_twice_at_most(tmp_path: Path) -> None:
    """As decoded and as upright RGB, 192 MB each: nothing in between is a whole picture."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8000, 6000), GREEN).save(tmp_path / "large.jpg", exif=exif)
    ran = subprocess.run(
        [sys.executable, "-c", PEAK, tmp_path / "large.jpg"], capture_output=True, text=True, check=True, timeout=120
    )
    assert "size=6000x8000" in ran.stdout.splitlines()[0]
    assert int(ran.stdout.splitlines()[-1]) < 480


def test_the_side_limit_itself_is_allowed() -> None:
    assert read_image(Image.new("L", (images.MAX_SIDE, 1))).size == (65_535, 1)
    for size in ((65_536, 1), (1, 65_536)):
        with pytest.raises(LabError, match="65,536"):
            read_image(Image.new("L", size))
        with pytest.raises(LabError, match="65,536"):
            read_image(np.zeros(size, np.uint8))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK", "F", "I;16"])
def test_bands_meet_without_a_seam(mode: str) -> None:
    """A picture of more rows than one band, each row of its own grey, comes back row for row."""
    rows = np.arange(images.BAND * 2 + 7) % 256
    if mode == "F":
        picture = Image.fromarray(np.repeat(rows[:, None], 3, 1).astype(np.float32) / 255)
    elif mode == "I;16":
        picture = Image.fromarray(np.repeat(rows[:, None], 3, 1).astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(np.repeat(rows[:, None], 3, 1).astype(np.uint8)).convert("RGB").convert(mode)
    assert np.array_equal(np.asarray(read_image(picture))[:, 1, 2], rows)


def test_the_pixel_limit_itself_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 16)
    assert read_image(encode(quarters(4, 4), "PNG")).size == (4, 4)
    with pytest.raises(LabError, match="4 × 5 pixels"):
        read_image(encode(quarters(4, 5), "PNG"))
    with pytest.raises(LabError, match="pixels"):
        read_image(quarters(4, 5))
    with pytest.raises(LabError, match="pixels"):
        read_image(np.zeros((5, 4)))


# --- the network's input ----------------------------------------------------------------------


def test_a_picture_of_the_right_size_is_unchanged() -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8))
    fitted = fit_image(noise, 32)
    assert np.array_equal(fitted, noise)
    assert fitted is not noise


def test_the_centre_is_kept() -> None:
    wide = Image.new("RGB", (96, 32), RED)
    wide.paste(GREEN, (32, 0, 64, 32))
    assert np.array_equal(fit_image(wide, 32), Image.new("RGB", (32, 32), GREEN))
    tall = wide.transpose(Image.Transpose.ROTATE_90)
    assert np.array_equal(fit_image(tall, 32), Image.new("RGB", (32, 32), GREEN))


def test_shrinking_averages_instead_of_picking_pixels() -> None:
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    inner = np.asarray(fit_image(Image.fromarray(stripes), 32))[4:-4, 4:-4]
    assert abs(inner.astype(int) - 127.5).max() < 4


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (33, 31), (31, 33)])
def test_odd_shapes_fit(size: tuple[int, int]) -> None:
    fitted = fit_image(Image.new("RGB", size, (10, 20, 30)), 32)
    assert fitted.size == (32, 32)
    assert (np.asarray(fitted) == (10, 20, 30)).all()


def test_fitting_is_shorter_side_then_centre_crop() -> None:
    ramp = np.linspace(0, 255, 120)[None, :, None] * np.ones((80, 1, 3))
    picture = Image.fromarray(ramp.astype(np.uint8))
    slowly = picture.resize((48, 32), Image.Resampling.BICUBIC).crop((8, 0, 40, 32))
    difference = np.abs(np.asarray(slowly, int) - np.asarray(fit_image(picture, 32), int))
    assert difference.max() <= 4


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_a_heic_picture_says_what_to_do(brand: bytes) -> None:
    header = b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic"
    with pytest.raises(LabError, match=r"^IMG_1 is a HEIC picture, which cannot be read here: convert it to JPEG\.$"):
        read_image(header + bytes(200), "IMG_1")
