"""Untrusted pictures in, upright RGB out: the one place where a file, an upload or an array becomes an image.

What is classified and what a network learns from both come through here, so that they are the same pixels. Decoders
are run on a short list of formats only, and on nothing whose header announces more than `MAX_SIDE` or `MAX_PIXELS`.
"""

from __future__ import annotations

import functools
import io
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, features

from googlenet.errors import LabError
from googlenet.language import tr

MAX_BYTES = 50_000_000
MAX_SIDE = 65_535  # JPEG's own limit. Pillow keeps some 24 bytes a row: 60,000,000 rows of one pixel took 2 GB
MAX_PIXELS = 64_000_000  # 256 MB once decoded, since Pillow keeps RGB in four bytes a pixel
BAND = 256  # rows that are converted at a time
# EPS and PDF would start Ghostscript; an ICO may hide a picture far larger than its header says; a TGA is known by its
# name alone; JPEG 2000 is a large decoder in C, and no data set or camera needs it. A folder with one is told so.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", *(("AVIF",) if features.check("avif") else ()))
# What some telephones keep photographs in; Pillow does not decode it.
HEIC = (".heic", ".heif", ".hif")
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}

# Icons and what holds no image: such files may lie about in a folder.
_NOT_IMAGES = {"BUFR", "EPS", "GRIB", "HDF5", "ICNS", "ICO", "MPEG", "WMF"}

Source = Path | str | bytes | Image.Image | np.ndarray


def read_image(source: Source, name: str = "", *, at_least: int | None = None) -> Image.Image:
    """Return `source` as an upright RGB picture without metadata; of an animation, the first frame.

    `source` is a file (its path), a file's bytes, a Pillow image, or an array: (H, W), (H, W, 3) or (H, W, 4);
    8-bit values or any integers from 0 to 255, uint16 over its full range, floats from 0 to 1, or booleans.
    EXIF orientation is applied, transparent pixels are laid on white, 16-bit greys are scaled to 8. Greys and floats
    beyond these ranges are refused, not clipped: where a file means another range, its pixels would come out all white,
    and a network would learn from them without a word.
    With `at_least`, a JPEG file may come back smaller, halved up to three times but with no side below `at_least`: its
    decoder then skips most of the work. Scaled to a third of that, no pixel of a photograph was off by more than 1 of
    255, and by 2 at the sharpest edges.
    Raises `LabError`, which calls the picture `name`, for what is not a picture, is damaged, or exceeds `MAX_BYTES`,
    `MAX_SIDE` or `MAX_PIXELS`.
    """
    if isinstance(source, (str, Path)):
        path = Path(source)
        name = name or path.name[:80] or str(source)
        return _convert(_open(_read_bytes(path, name), name), name, at_least)
    if isinstance(source, (bytes, bytearray, memoryview)):
        name = name or tr("The picture")
        return _convert(_open(bytes(source), name), name, at_least)
    if isinstance(source, np.ndarray):
        return _from_array(source, name or tr("The array"))
    if isinstance(source, Image.Image):
        return _convert(source, name or tr("The picture"))
    kind = type(source).__name__
    raise LabError(tr("A picture must be a file's path, bytes, a Pillow image or an array, not {kind}.", kind=kind))


def pixels_to_decode(content: bytes, at_least: int | None = None) -> int:
    """How many pixels `read_image` will hold in memory by the file's header, at no cost; 0 for what is no picture.

    Of a progressive JPEG they are all held, however small it comes back.
    """
    try:
        image = _open(content, "")
    except LabError:
        return 0
    if at_least and not image.info.get("progressive"):
        image.draft(None, (at_least, at_least))
    return image.width * image.height


@functools.cache
def image_extensions() -> tuple[str, ...]:
    """Those of all that may hold an image, also where `read_image` refuses the format: naming beats passing over."""
    known = Image.registered_extensions()  # and fills OPEN
    return tuple(extension for extension, kind in known.items() if kind in Image.OPEN and kind not in _NOT_IMAGES)


def fit_image(image: Image.Image, size: int, resize: int | None = None) -> Image.Image:
    """Return the `size`×`size` picture that a network sees of an upright RGB one, when it learns and when it answers.

    With `resize`, at least `size`, it is torchvision's preparation for ImageNet: shorter side to `resize`, bilinear
    with antialiasing, then the centre. Otherwise:

    The largest centred square is scaled with antialiasing (shorter side to `size`, then centre crop). Bicubic, since
    box leaves small pictures softer than the photographs of CIFAR-10 and Lanczos rings at edges. A picture that has
    the size already comes back pixel for pixel.
    """
    if resize is not None:
        return _resize_and_crop(image, size, resize)
    if image.size == (size, size):
        return image.copy()
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    # Cropping while scaling, not after it: a 1-pixel-high banner scaled whole would need gigabytes.
    return image.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))


def _resize_and_crop(image: Image.Image, size: int, resize: int) -> Image.Image:
    """Only the part that stays is computed: of a banner, the rest could be gigabytes."""
    shorter = min(image.size)
    whole = [int(resize * side / shorter) for side in image.size]  # cut off like torchvision's
    corner = [round((side - size) / 2) for side in whole]
    left, top, right, bottom = (
        given * place / scaled
        for place_by_axis in (corner, [start + size for start in corner])
        for given, scaled, place in zip(image.size, whole, place_by_axis, strict=True)
    )
    return image.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, right, bottom))


def _read_bytes(path: Path, name: str) -> bytes:
    """The file's bytes, refused by its size before it is read. A pipe or device is not a file."""
    try:
        if not path.is_file():
            raise LabError(tr("There is no file {name!r}: choose a picture.", name=name))
        size = path.stat().st_size
        _check_bytes(size, name)
        with path.open("rb") as file:
            return file.read(size)
    except (OSError, ValueError) as error:
        if isinstance(error, LabError):
            raise
        reason = getattr(error, "strerror", None) or tr("its name is not valid")
        sentence = tr("{name!r} cannot be opened ({why}): choose another picture.", name=name, why=reason)
        raise LabError(sentence) from error


def _check_bytes(count: int, name: str) -> None:
    if count == 0:
        raise LabError(tr("{name} is empty: choose another picture.", name=name))
    if count > MAX_BYTES:
        sizes = {"size": count / 1e6, "limit": MAX_BYTES // 1_000_000}
        raise LabError(tr("{name} has {size:.1f} MB: the limit is {limit}, so shrink it.", name=name, **sizes))


def _check_size(width: int, height: int, name: str) -> None:
    if width * height == 0:
        raise LabError(tr("{name} has no pixels: choose another picture.", name=name))
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise LabError(
            tr(
                "{name} has {width:,} × {height:,} pixels: a picture may have {side:,} on a side and {millions} "
                "million in all, so shrink it.",
                name=name,
                width=width,
                height=height,
                side=MAX_SIDE,
                millions=MAX_PIXELS // 1_000_000,
            )
        )


def _open(content: bytes, name: str) -> Image.Image:
    """The picture in a file's bytes, not yet decoded. Readers raise nearly any exception on hostile bytes."""
    _check_bytes(len(content), name)
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise LabError(
            tr(
                "{name} has far too many pixels: a picture may have {side:,} on a side and {millions} million in all, "
                "so shrink it.",
                name=name,
                side=MAX_SIDE,
                millions=MAX_PIXELS // 1_000_000,
            )
        ) from error
    except Exception as error:
        if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
            heic = tr("{name} is a HEIC picture, which cannot be read here: convert it to JPEG.", name=name)
            raise LabError(heic) from error
        said = {"name": name, "formats": ", ".join(FORMATS[:-1]), "last": FORMATS[-1]}
        unknown = tr("{name} is not a picture that can be read: use a {formats} or {last} file.", **said)
        raise LabError(unknown) from error


def _convert(image: Image.Image, name: str, at_least: int | None = None) -> Image.Image:
    """Any mode to upright RGB, on a page of its own: none of the file's metadata is on it.

    Band by band, since whole copies for colours, transparency and greys would add up to the picture's memory thrice.
    """
    _check_size(*image.size, name)
    try:
        if at_least:
            image.draft(None, (at_least, at_least))  # for JPEG; of the others none but PhotoCD knows it
        image.load()
    except Exception as error:
        damaged = tr("{name} is damaged or cut short: save it again or choose another picture.", name=name)
        raise LabError(damaged) from error
    image = _upright(image)
    page = Image.new("RGB", image.size, "white")
    for top in range(0, image.height, BAND):
        band = image.crop((0, top, image.width, min(top + BAND, image.height)))
        if band.mode == "F" or band.mode.startswith("I"):  # `convert` would clip them at 255
            band = _from_array(np.asarray(band), name, 65_535 if band.mode == "I" else None)  # I of PPM has 16 bits
        try:
            if band.has_transparency_data:
                band = band.convert("RGBA")
                page.paste(band, (0, top), band.getchannel("A"))
            else:
                page.paste(band.convert("RGB"), (0, top))
        except Exception as error:
            said = {"name": name, "mode": image.mode}
            strange = tr("{name} has colours in mode {mode}, which cannot be read: save it as RGB.", **said)
            raise LabError(strange) from error
    return page


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; a picture with unreadable EXIF stays as it is."""
    try:
        turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
        return ImageOps.exif_transpose(image) if turned else image
    except Exception:
        return image


def _from_array(values: np.ndarray, name: str, limit: int | None = None) -> Image.Image:
    """An array as RGB; see `read_image` for shapes and ranges. `limit` is its white, where its type does not say."""
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim != 2 and (values.ndim != 3 or values.shape[2] not in (3, 4)):
        said = {"name": name, "shape": str(values.shape)}
        raise LabError(tr("{name} has the shape {shape}: a picture is (H, W), (H, W, 3) or (H, W, 4).", **said))
    _check_size(values.shape[1], values.shape[0], name)
    return _convert(Image.fromarray(np.ascontiguousarray(_eight_bits(values, name, limit))), name)


def _eight_bits(values: np.ndarray, name: str, limit: int | None) -> np.ndarray:
    """Values of any allowed type as uint8; `limit` becomes 255."""
    kind = values.dtype.kind
    if values.dtype == np.uint8:
        return values
    if kind not in "biuf":
        said = {"name": name, "type": str(values.dtype)}
        raise LabError(tr("{name} holds {type}: a picture needs whole numbers or floats.", **said))
    deep = values.dtype.newbyteorder("=") == np.uint16
    limit = limit or (1 if kind in "bf" else 65_535 if deep else 255)
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= limit):  # also true when a value is not a number
        said = {"name": name, "low": low, "high": high, "type": str(values.dtype), "limit": limit}
        raise LabError(tr("{name} has values from {low:g} to {high:g}: {type} must be from 0 to {limit:,}.", **said))
    return np.rint(values * (255.0 / limit)).astype(np.uint8)
