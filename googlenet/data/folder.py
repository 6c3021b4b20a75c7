"""An image folder, `train/<class>/…` and `test/<class>/…`, as 32×32 RGB tensors.

Every image is decoded once; the tensors are then kept in a cache whose name changes with the files' names, sizes and
times.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from googlenet.data.splits import SIZE, Progress, Split, read_cache, write_cache
from googlenet.errors import LabError

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

RULE = 1  # raise it when `square_rgb` changes, so that caches by the older rule are left aside
LAYOUT = "put the images into train/CLASS/ and test/CLASS/"
CHUNK = 128  # images that a thread decodes before it reports

# EPS would start an outside program, an icon may hide a picture larger than it says, the others hold none.
_NOT_IMAGES = {"BUFR", "EPS", "GRIB", "HDF5", "ICNS", "ICO", "MPEG", "WMF"}


class _File(NamedTuple):
    path: str
    label: int


# --- what is in the folder --------------------------------------------------------------------


def class_names(root: Path) -> tuple[str, ...]:
    """The classes of an image folder in label order, which is alphabetical; reads folder names only.

    Raises `LabError` when `root`, its train/ or test/ is missing or without classes, or when the classes of the two
    differ.
    """
    if not _is_folder(root):
        raise LabError(
            f"There is no folder {str(root)!r}: write cifar10, shapes, or the path of a folder with train/ and test/.",
            "data",
        )
    found = {}
    for split in ("train", "test"):
        if not _is_folder(root / split):
            raise LabError(f"Folder {str(root)!r} has no {split}/ in it: {LAYOUT}.", "data")
        names = [entry.name for entry in _entries(root / split) if entry.is_dir()]
        if not names:
            raise LabError(f"Folder {str(root / split)!r} has no class folders: {LAYOUT}.", "data")
        found[split] = set(names)
    for here, there in (("train", "test"), ("test", "train")):
        lonely = sorted(found[here] - found[there])
        if lonely:
            shown = ", ".join(map(repr, lonely[:5])) + (" and more" if len(lonely) > 5 else "")
            raise LabError(
                f"Folder {str(root)!r} has {shown} in {here}/ but not in {there}/: both need the same classes.", "data"
            )
    return tuple(sorted(found["train"]))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name too long, or with a NUL in it
        return False


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    """What `folder` holds, hidden files left out."""
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise LabError(f"Folder {str(folder)!r} cannot be read ({error.strerror}).", "data") from error


@functools.cache
def _image_extensions() -> tuple[str, ...]:
    from PIL import Image

    known = Image.registered_extensions()
    return tuple(extension for extension, kind in known.items() if kind in _formats())


@functools.cache
def _formats() -> tuple[str, ...]:
    from PIL import Image

    Image.init()
    return tuple(kind for kind in Image.OPEN if kind not in _NOT_IMAGES)


def _image_files(folder: Path | str) -> Iterator[tuple[str, os.stat_result]]:
    """Path and status of each image in `folder` and below; links to folders are not followed, they may form a ring."""
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _image_files(entry.path)
        elif entry.name.lower().endswith(_image_extensions()):
            try:
                yield entry.path, entry.stat()
            except OSError as error:
                raise _unreadable(entry.path, error) from error


def _list_split(folder: Path, classes: tuple[str, ...], digest: hashlib._Hash) -> list[_File]:
    """The images of one split, by class and path; feeds `digest` with what would change if a file did."""
    files, prefix = [], len(str(folder.parent))
    for label, name in enumerate(classes):
        found = sorted(_image_files(folder / name))
        if not found:
            raise LabError(f"Folder {str(folder / name)!r} has no images: add some or remove the class.", "data")
        for path, status in found:
            relative = os.fsencode(path[prefix:])
            digest.update(b"%s\0%d\0%d\n" % (relative, status.st_size, status.st_mtime_ns))
            files.append(_File(path, label))
    return files


# --- the images -------------------------------------------------------------------------------


def load_folder(root: Path, cache_dir: Path, progress: Progress) -> tuple[Split, Split, tuple[str, ...]]:
    """The training split, the test split and the classes of the image folder `root`.

    Raises `LabError` for what `class_names` refuses, an empty class, or an image that cannot be decoded.
    """
    progress(0.0, f"Looking through folder {root.name}")
    classes = class_names(root)
    digest = hashlib.sha256(b"rule %d\n" % RULE)
    train_files = _list_split(root / "train", classes, digest)
    test_files = _list_split(root / "test", classes, digest)
    cache = cache_dir / f"{digest.hexdigest()[:32]}.safetensors"
    splits = read_cache(cache, len(classes))
    if splits is None:
        splits = _decode(train_files, test_files, progress)
        write_cache(cache, *splits)
    return *splits, classes


def _decode(train_files: list[_File], test_files: list[_File], progress: Progress) -> tuple[Split, Split]:
    import numpy as np
    import torch

    files = train_files + test_files
    images = np.empty((len(files), 3, SIZE, SIZE), np.uint8)

    def decode_chunk(start: int) -> int:
        for index in range(start, min(start + CHUNK, len(files))):
            images[index] = read_image(files[index].path)
        return min(start + CHUNK, len(files))

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for done in pool.map(decode_chunk, range(0, len(files), CHUNK)):
            progress(done / len(files), f"Decoded {done:,} of {len(files):,} images")
    tensor = torch.from_numpy(images)
    labels = torch.tensor([file.label for file in files])
    cut = len(train_files)
    return Split(tensor[:cut], labels[:cut]), Split(tensor[cut:], labels[cut:])


def read_image(path: str) -> np.ndarray:
    """The image file at `path` as uint8 (3, 32, 32), by the rule of `square_rgb`; `LabError` when it is damaged."""
    import numpy as np
    from PIL import Image

    try:
        with Image.open(path, formats=_formats()) as image:
            return np.asarray(square_rgb(image)).transpose(2, 0, 1)
    except Image.DecompressionBombError as error:
        raise LabError(
            f"Image {path!r} has too many pixels: make it smaller or remove it, the lab uses {SIZE}×{SIZE}.", "data"
        ) from error
    except Exception as error:  # on damaged bytes Pillow's decoders raise nearly anything
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: Exception) -> LabError:
    reason = getattr(error, "strerror", None) or "it is damaged or not an image"
    return LabError(f"Image {path!r} cannot be read ({reason}): replace or remove it.", "data")


def square_rgb(image: Image.Image, size: int = SIZE) -> Image.Image:
    """The rule by which any picture becomes a `size`×`size` RGB one.

    Turned as its EXIF orientation says, transparency laid on white, then the largest centred square scaled with
    antialiasing (shorter side to `size`, centre crop). A picture of that size already keeps its pixels; of an
    animation the first frame is taken.
    """
    from PIL import Image

    image = _rgb(_upright(image))
    if image.size == (size, size):
        return image
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    # Cropping while scaling, not after it: a 1-pixel-high banner scaled whole would need gigabytes.
    return image.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))


def _upright(image: Image.Image) -> Image.Image:
    from PIL import ImageOps

    image.load()  # damaged pixels must be told, damaged EXIF need not be
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image


def _rgb(image: Image.Image) -> Image.Image:
    import numpy as np
    from PIL import Image

    if image.mode.startswith("I"):  # Pillow would clip 16 bits to 8, not scale them
        values = np.asarray(image).clip(0, 65_535).astype(np.uint32)
        image = Image.fromarray(((values + 128) // 257).astype(np.uint8))
    elif image.mode == "F":
        image = Image.fromarray(np.rint(np.asarray(image).clip(0, 1) * 255).astype(np.uint8))
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    page = Image.new("RGB", image.size, "white")
    page.paste(image, mask=image.getchannel("A"))
    return page
