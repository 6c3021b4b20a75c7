"""An image folder, `train/<class>/…` and `test/<class>/…`, as 32×32 RGB tensors.

Every image is decoded once; the tensors are then kept in a cache whose name changes with the files' names, sizes and
times.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from googlenet.config import DATA_SIZE
from googlenet.data.splits import Progress, Split, read_cache, write_cache
from googlenet.errors import LabError
from googlenet.language import carried, tr

if TYPE_CHECKING:
    import numpy as np

RULE = 2  # raise it when `data.images` gives other pixels or refuses others: older caches are then left aside
CHUNK = 128  # images that a thread decodes before it reports


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
            tr(
                "There is no folder {folder!r}: write cifar10, shapes, or the path of a folder with train/ and test/.",
                folder=str(root),
            ),
            "data",
        )
    found = {}
    for split in ("train", "test"):
        if not _is_folder(root / split):
            missing = tr(
                "Folder {folder!r} has no {split}/ in it: put the images into train/CLASS/ and test/CLASS/.",
                folder=str(root),
                split=split,
            )
            raise LabError(missing, "data")
        names = [entry.name for entry in _entries(root / split) if entry.is_dir()]
        if not names:
            missing = tr(
                "Folder {folder!r} has no class folders: put the images into train/CLASS/ and test/CLASS/.",
                folder=str(root / split),
            )
            raise LabError(missing, "data")
        found[split] = set(names)
    for here, there in (("train", "test"), ("test", "train")):
        lonely = sorted(found[here] - found[there])
        if lonely:
            shown = ", ".join(map(repr, lonely[:5]))
            shown = tr("{names} and more", names=shown) if len(lonely) > 5 else shown
            sentence = tr(
                "Folder {folder!r} has {names} in {here}/ but not in {there}/: both need the same classes.",
                folder=str(root),
                names=shown,
                here=here,
                there=there,
            )
            raise LabError(sentence, "data")
    return tuple(sorted(found["train"]))


def count_images(root: Path) -> tuple[int, ...]:
    """How many training images each class of an image folder has, in label order; opens none of them."""
    return tuple(sum(1 for _ in _image_files(root / "train" / name)) for name in class_names(root))


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
        sentence = tr("Folder {folder!r} cannot be read ({why}).", folder=str(folder), why=error.strerror)
        raise LabError(sentence, "data") from error


def _image_files(folder: Path | str) -> Iterator[tuple[str, os.stat_result]]:
    """Path and status of each image in `folder` and below; links to folders are not followed, they may form a ring."""
    from googlenet.data.images import image_extensions

    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _image_files(entry.path)
        elif entry.name.lower().endswith(image_extensions()):
            try:
                yield entry.path, entry.stat()
            except OSError as error:
                why = tr("Image {file!r} cannot be read ({why}): remove it.", file=entry.path, why=error.strerror)
                raise LabError(why, "data") from error


def _list_split(folder: Path, classes: tuple[str, ...], digest: hashlib._Hash) -> list[_File]:
    """The images of one split, by class and path; feeds `digest` with what would change if a file did."""
    files, prefix = [], len(str(folder.parent))
    for label, name in enumerate(classes):
        found = sorted(_image_files(folder / name))
        if not found:
            empty = str(folder / name)
            raise LabError(tr("Folder {folder!r} has no images: add some or remove the class.", folder=empty), "data")
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
    progress(0.0, tr("Looking through folder {name}", name=root.name))
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
    images = np.empty((len(files), 3, DATA_SIZE, DATA_SIZE), np.uint8)

    def decode_chunk(start: int) -> int:
        for index in range(start, min(start + CHUNK, len(files))):
            images[index] = _decode_file(files[index].path)
        return min(start + CHUNK, len(files))

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for done in pool.map(carried(decode_chunk), range(0, len(files), CHUNK)):
            progress(done / len(files), tr("Decoded {done:,} of {n:,} images", done=done, n=len(files)))
    tensor = torch.from_numpy(images)
    labels = torch.tensor([file.label for file in files])
    cut = len(train_files)
    return Split(tensor[:cut], labels[:cut]), Split(tensor[cut:], labels[cut:])


def _decode_file(path: str) -> np.ndarray:
    """The image file at `path` as uint8 (3, 32, 32), through the decoder that classified pictures go through too."""
    import numpy as np

    from googlenet.data.images import fit_image, read_image

    try:
        return np.asarray(fit_image(read_image(path, tr("Image {path!r}", path=path)), DATA_SIZE)).transpose(2, 0, 1)
    except LabError as error:
        raise LabError(str(error), "data") from error
