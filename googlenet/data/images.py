"""Untrusted pictures in, upright RGB out: the one place where a file, an upload or an array becomes an image.

Decoders are run on a short list of formats only, and on nothing whose header announces more than `MAX_PIXELS`.
"""

from __future__ import annotations

import io
import threading
import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, features

from googlenet.data.folder import square_rgb
from googlenet.errors import LabError

MAX_BYTES = 50_000_000
MAX_PIXELS = 64_000_000  # 256 MB once decoded, since Pillow keeps RGB in four bytes a pixel
# EPS and PDF would start Ghostscript; an ICO may hide a picture far larger than its header says.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", *(("AVIF",) if features.check("avif") else ()))
_FORMAT_WORDS = ", ".join(FORMATS[:-1]) + f" or {FORMATS[-1]}"

Source = Path | str | bytes | Image.Image | np.ndarray

# `warnings.catch_warnings` swaps process-wide state, so two decodings may not overlap.
_decoding = threading.Lock()


def read_image(source: Source) -> Image.Image:
    """Return `source` as an upright RGB picture without metadata; of an animation, the first frame.

    `source` is a file (its path), a file's bytes, a Pillow image, or an array: (H, W), (H, W, 3) or (H, W, 4);
    8-bit values or any integers from 0 to 255, uint16 over its full range, floats from 0 to 1, or booleans.
    EXIF orientation is applied, transparent pixels are laid on white, 16-bit greys are scaled to 8.
    Raises `LabError` for what is not a picture, is damaged, or exceeds `MAX_BYTES` or `MAX_PIXELS`.
    """
    if isinstance(source, (str, Path)):
        path = Path(source)
        image = _decode(_read_bytes(path), path.name or str(source))
    elif isinstance(source, (bytes, bytearray, memoryview)):
        image = _decode(bytes(source), "The picture")
    elif isinstance(source, np.ndarray):
        image = _from_array(source)
    elif isinstance(source, Image.Image):
        image = _convert(source, "The picture")
    else:
        kind = type(source).__name__
        raise LabError(f"A picture must be a file's path, bytes, a Pillow image or an array, not {kind}.")
    image.info.clear()  # EXIF would turn it again, and may tell where it was taken
    return image


def fit_image(image: Image.Image, size: int) -> Image.Image:
    """Return the `size`×`size` picture that a network sees, by the rule that its training images went through.

    The centre square is resized with antialiasing, which is: shorter side to `size`, then centre crop. Bicubic, since
    box leaves small pictures softer than the photographs of CIFAR-10 and Lanczos rings at edges. A picture that has
    the size already comes back pixel for pixel.
    """
    return square_rgb(image, size)


def _read_bytes(path: Path) -> bytes:
    """The file's bytes, refused by its size before it is read. A pipe or device is not a file."""
    try:
        if not path.is_file():
            raise LabError(f"There is no file {path.name or str(path)!r}: choose a picture.")
        _check_bytes(path.stat().st_size, path.name)
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, LabError):
            raise
        reason = getattr(error, "strerror", None) or "its name is not valid"
        raise LabError(f"{path.name[:80]!r} cannot be opened ({reason}): choose another picture.") from error


def _check_bytes(count: int, name: str) -> None:
    if count == 0:
        raise LabError(f"{name} is empty: choose another picture.")
    if count > MAX_BYTES:
        raise LabError(f"{name} has {count / 1e6:.1f} MB: a picture may have {MAX_BYTES // 1_000_000}, so shrink it.")


def _check_pixels(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        raise LabError(f"{name} has {width:,} × {height:,} pixels: the limit is {limit} megapixels, so shrink it.")
    if width * height == 0:
        raise LabError(f"{name} has no pixels: choose another picture.")


def _decode(content: bytes, name: str) -> Image.Image:
    """The picture in a file's bytes. Decoders raise nearly any exception on hostile bytes, hence the wide nets."""
    _check_bytes(len(content), name)
    with _decoding, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the size is checked here, and a decoder's murmur is no news to the user
        try:
            image = Image.open(io.BytesIO(content), formats=FORMATS)
        except Image.DecompressionBombError as error:
            raise LabError(f"{name} has over {MAX_PIXELS // 1_000_000} megapixels: shrink it.") from error
        except Exception as error:
            raise LabError(f"{name} is not a picture that can be read: use a {_FORMAT_WORDS} file.") from error
        with image:
            return _convert(image, name)


def _convert(image: Image.Image, name: str) -> Image.Image:
    """Any mode to upright RGB."""
    _check_pixels(image, name)
    try:
        image.load()
    except Exception as error:
        raise LabError(f"{name} is damaged or cut short: save it again or choose another picture.") from error
    image = _upright(image)
    if image.mode == "F" or image.mode.startswith("I"):
        return _from_deep_grey(image, name)
    try:
        if image.has_transparency_data:
            image = image.convert("RGBA")
            page = Image.new("RGB", image.size, "white")
            page.paste(image, mask=image.getchannel("A"))
            return page
        return image.convert("RGB")
    except Exception as error:
        raise LabError(f"{name} has colours in mode {image.mode}, which cannot be read: save it as RGB.") from error


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; a picture with unreadable EXIF stays as it is."""
    try:
        turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
        return ImageOps.exif_transpose(image) if turned else image
    except Exception:
        return image


def _from_deep_grey(image: Image.Image, name: str) -> Image.Image:
    """Greys of 16 bits (mode I;16, or I from PPM and TIFF) or floats, which `convert` would clip at 255."""
    values = np.asarray(image)
    if image.mode == "I":
        if values.min() < 0 or values.max() > 65_535:
            raise LabError(f"{name} has greys outside 0 to 65,535: save it with 8 or 16 bits.")
        values = values.astype(np.uint16)
    return _from_array(values, name)


def _from_array(values: np.ndarray, name: str = "The array") -> Image.Image:
    """An array as RGB; see `read_image` for shapes and ranges."""
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim != 2 and (values.ndim != 3 or values.shape[2] not in (3, 4)):
        raise LabError(f"{name} has the shape {values.shape}: a picture is (H, W), (H, W, 3) or (H, W, 4).")
    if values.size == 0 or values.shape[0] * values.shape[1] > MAX_PIXELS:
        raise LabError(f"{name} has the shape {values.shape}: a picture has 1 to {MAX_PIXELS:,} pixels.")
    return _convert(Image.fromarray(np.ascontiguousarray(_eight_bits(values, name))), name)


def _eight_bits(values: np.ndarray, name: str) -> np.ndarray:
    """Values of any allowed type as uint8."""
    kind = values.dtype.kind
    if values.dtype == np.uint8:
        return values
    if kind == "b":
        return values.astype(np.uint8) * 255
    if values.dtype.newbyteorder("=") == np.uint16:
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if kind not in "iuf":
        raise LabError(f"{name} holds {values.dtype}: a picture needs whole numbers or floats.")
    low, high = values.min(), values.max()
    limit = 1 if kind == "f" else 255
    if not (low >= 0 and high <= limit):  # also true when a value is not a number
        raise LabError(f"{name} has values from {low:g} to {high:g}: {values.dtype} must be from 0 to {limit}.")
    return np.rint(values * 255.0).astype(np.uint8) if kind == "f" else values.astype(np.uint8)
