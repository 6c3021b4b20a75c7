"""Where many pictures are: files, folders and zips in; a list of them out, and sentences about what is not in it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePath
from types import TracebackType
from zipfile import ZipInfo

from googlenet.data.images import HEIC, MAX_BYTES, image_extensions
from googlenet.data.zips import MAX_ZIPS, ZipOfPictures, folder_of, is_zip
from googlenet.errors import LabError

MAX_NAME = 200  # letters of a stranger's file name
KINDS = 5  # of foreign files that are named
# What systems leave behind in folders and zips: nobody means these.
LITTER = {"thumbs.db", "desktop.ini", "__macosx"}


@dataclass(frozen=True)
class Found:
    """A picture that is there to be read: `name` as people see it, `folder` directly above it ("" where there is none).

    `read` gives its bytes, or raises `LabError` when it is damaged, too large, or gone.
    """

    name: str
    folder: str
    read: Callable[[], bytes]


@dataclass
class Pictures:
    """What was found, in order; `remarks` are sentences about what was left out. Close it after reading."""

    found: list[Found] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    _zips: list[ZipOfPictures] = field(default_factory=list)

    def __enter__(self) -> Pictures:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for archive in self._zips:
            archive.close()


def find_pictures(
    sources: Iterable[Path | str | tuple[Path, str]], limit: int | None = None, foreign: Iterable[str] = ()
) -> Pictures:
    """The pictures in `sources`: files, folders with all below them, and zips; the first `limit` of them.

    A source is a path, or a path and what people call it ("cats/1.jpg"), from which its folder is taken then. A single
    file is always tried; of a folder or zip, those that are named like pictures. Links to folders are not followed, a
    zip in a zip is left out, and names in zips are never used as paths. `foreign` are names of
    files that were left at home and only count as passed over. Raises `LabError` when nothing is left.
    """
    search = _Search(Pictures())
    for source in sources:
        path, name = (source, "") if isinstance(source, (str, Path)) else source
        try:
            search.look_into(Path(path), _shown(name))
        except LabError as error:
            search.pictures.remarks.append(str(error))
    for name in foreign:
        search.is_picture(name)
    pictures = search.pictures
    pictures.remarks += search.sentences()
    if limit is not None and len(pictures.found) > limit:
        pictures.remarks.insert(0, f"Only the first {limit:,} of {len(pictures.found):,} pictures: that is the limit.")
        del pictures.found[limit:]
    if not pictures.found:
        pictures.__exit__(None, None, None)
        reason = " ".join(pictures.remarks) or "There is no file in it."
        raise LabError(f"No pictures to answer. {reason}", "files")
    return pictures


class _Search:
    """One walk through what was given, counting what it passes over."""

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        self.foreign: Counter[str] = Counter()  # by ending
        self.heic: list[str] = []  # their names: somebody means these, too
        self.refused: dict[str, Counter[str]] = {}  # by zip and reason

    def look_into(self, path: Path, name: str) -> None:
        try:
            exists, is_folder = path.exists(), path.is_dir()
        except (OSError, ValueError):  # a name too long, or with a NUL in it
            exists, is_folder = False, False
        if not exists:
            raise LabError(f"There is no file or folder {name or _shown(str(path))!r}.", "files")
        if is_folder:
            self._folder(path)
        elif is_zip(path):
            self._zip(path, name or _shown(path.name))
        elif not name:
            self._add_file(path, _shown(str(path)), _shown(path.absolute().parent.name))
        elif "/" in name:  # of a folder that a browser has sent
            if self.is_picture(name):
                self._add_file(path, name, folder_of(name))
        else:
            self._add_file(path, name, "")

    def sentences(self) -> Iterator[str]:
        """What was passed over, in words."""
        if self.heic:
            what = f"{self.heic[0]} is a HEIC picture" if len(self.heic) == 1 else f"{len(self.heic):,} files are HEIC"
            them = "it" if len(self.heic) == 1 else "them"
            yield f"{what}, which cannot be read here: convert {them} to JPEG."
        if self.foreign:
            total = self.foreign.total()
            kinds = [f"{count:,} {kind}" for kind, count in self.foreign.most_common(KINDS)]
            more = total - sum(count for _, count in self.foreign.most_common(KINDS))
            kinds += [f"{more:,} of other kinds"] if more else []
            yield f"Passed over {total:,} {_files(total)} not named like pictures: {', '.join(kinds)}."
        for name, reasons in self.refused.items():
            yield f"Left out of {name}: {', '.join(f'{n:,} {_files(n)} ({why})' for why, n in reasons.items())}."

    def _folder(self, top: Path) -> None:
        def refuse(error: OSError) -> None:
            self.pictures.remarks.append(f"Folder {_shown(str(error.filename))!r} cannot be read ({error.strerror}).")

        for folder, below, files in os.walk(top, onerror=refuse):
            below[:] = sorted(name for name in below if not _is_litter(name))
            for name in sorted(files):
                path = Path(folder, name)
                if self.is_picture(name):
                    self._add_file(path, _shown(path.relative_to(top).as_posix()), _shown(path.absolute().parent.name))

    def _zip(self, path: Path, name: str) -> None:
        if len(self.pictures._zips) >= MAX_ZIPS:
            raise LabError(f"{name} is one zip too many: give up to {MAX_ZIPS} at once.", "files")
        archive = ZipOfPictures(path, name)
        self.pictures._zips.append(archive)
        for entry, inside, reason in archive.names():
            if reason and not _is_litter(inside):
                self.refused.setdefault(name, Counter())[reason] += 1
            elif self.is_picture(inside):
                self._add_entry(archive, entry, _shown(inside))

    def _add_entry(self, archive: ZipOfPictures, entry: ZipInfo, name: str) -> None:
        self.pictures.found.append(Found(name, folder_of(name), partial(archive.read, entry, name)))

    def _add_file(self, path: Path, name: str, folder: str) -> None:
        self.pictures.found.append(Found(name, folder, partial(_read_file, path, name)))

    def is_picture(self, name: str) -> bool:
        """Whether a file is named like a picture; counts it when it is another one that somebody means."""
        if _is_litter(name):
            return False
        if name.lower().endswith(image_extensions()):
            return True
        if name.lower().endswith(HEIC):
            self.heic.append(_shown(name))
            return False
        self.foreign[_shown(PurePath(name).suffix.lower())[:12] or "without an ending"] += 1
        return False


def _is_litter(name: str) -> bool:
    parts = name.replace("\\", "/").lower().split("/")
    return any(part in LITTER or (part.startswith(".") and part.strip(".")) for part in parts)


def _read_file(path: Path, name: str) -> bytes:
    try:
        if not path.is_file():
            raise LabError(f"{name} is no file: choose a picture.")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise LabError(f"{name} has {size / 1e6:,.1f} MB: the limit is {MAX_BYTES // 1_000_000}, so shrink it.")
        with path.open("rb") as file:
            return file.read(size)
    except (OSError, ValueError) as error:
        if isinstance(error, LabError):
            raise
        raise LabError(f"{name} cannot be opened ({getattr(error, 'strerror', '') or 'its name'}).") from error


def _shown(name: str) -> str:
    """A stranger's name as it may be shown: no control or direction marks, no bytes that are no text, not too long."""
    readable = "".join(letter if letter.isprintable() else "�" for letter in name)
    return readable if len(readable) <= MAX_NAME else f"…{readable[-MAX_NAME + 1 :]}"


def _files(number: int) -> str:
    return "file" if number == 1 else "files"
