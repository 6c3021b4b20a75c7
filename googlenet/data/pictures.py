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
from googlenet.language import mark, tr, trn

MAX_NAME = 200  # letters of a stranger's file name
KINDS = 5  # of foreign files that are named
NO_ENDING = mark("without an ending")
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
        said = {"limit": limit, "n": len(pictures.found)}
        pictures.remarks.insert(0, tr("Only the first {limit:,} of {n:,} pictures: that is the limit.", **said))
        del pictures.found[limit:]
    if not pictures.found:
        pictures.__exit__(None, None, None)
        reason = " ".join(pictures.remarks) or tr("There is no file in it.")
        raise LabError(tr("No pictures to answer. {why}", why=reason), "files")
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
            named = name or _shown(str(path))
            raise LabError(tr("There is no file or folder {name!r}.", name=named), "files")
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
        if len(self.heic) == 1:
            yield tr("{name} is a HEIC picture, which cannot be read here: convert it to JPEG.", name=self.heic[0])
        elif self.heic:
            n = len(self.heic)
            yield tr("{n:,} files are HEIC, which cannot be read here: convert them to JPEG.", n=n)
        if self.foreign:
            total = self.foreign.total()
            kinds = [f"{count:,} {tr(kind)}" for kind, count in self.foreign.most_common(KINDS)]
            more = total - sum(count for _, count in self.foreign.most_common(KINDS))
            kinds += [tr("{n:,} of other kinds", n=more)] if more else []
            yield trn(
                "Passed over {n:,} file not named like pictures: {kinds}.",
                "Passed over {n:,} files not named like pictures: {kinds}.",
                total,
                kinds=", ".join(kinds),
            )
        for name, reasons in self.refused.items():
            files = (trn("{n:,} file ({why})", "{n:,} files ({why})", n, why=tr(why)) for why, n in reasons.items())
            yield tr("Left out of {name}: {files}.", name=name, files=", ".join(files))

    def _folder(self, top: Path) -> None:
        def refuse(error: OSError) -> None:
            said = {"folder": _shown(str(error.filename)), "why": error.strerror}
            self.pictures.remarks.append(tr("Folder {folder!r} cannot be read ({why}).", **said))

        for folder, below, files in os.walk(top, onerror=refuse):
            below[:] = sorted(name for name in below if not _is_litter(name))
            for name in sorted(files):
                path = Path(folder, name)
                if self.is_picture(name):
                    self._add_file(path, _shown(path.relative_to(top).as_posix()), _shown(path.absolute().parent.name))

    def _zip(self, path: Path, name: str) -> None:
        if len(self.pictures._zips) >= MAX_ZIPS:
            said = {"name": name, "most": MAX_ZIPS}
            raise LabError(tr("{name} is one zip too many: give up to {most} at once.", **said), "files")
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
        self.foreign[_shown(PurePath(name).suffix.lower())[:12] or NO_ENDING] += 1
        return False


def _is_litter(name: str) -> bool:
    parts = name.replace("\\", "/").lower().split("/")
    return any(part in LITTER or (part.startswith(".") and part.strip(".")) for part in parts)


def _read_file(path: Path, name: str) -> bytes:
    try:
        if not path.is_file():
            raise LabError(tr("{name} is no file: choose a picture.", name=name))
        size = path.stat().st_size
        if size > MAX_BYTES:
            sizes = {"size": size / 1e6, "limit": MAX_BYTES // 1_000_000}
            raise LabError(tr("{name} has {size:,.1f} MB: the limit is {limit}, so shrink it.", name=name, **sizes))
        with path.open("rb") as file:
            return file.read(size)
    except (OSError, ValueError) as error:
        if isinstance(error, LabError):
            raise
        why = getattr(error, "strerror", "") or tr("its name")
        raise LabError(tr("{name} cannot be opened ({why}).", name=name, why=why)) from error


def _shown(name: str) -> str:
    """A stranger's name as it may be shown: no control or direction marks, no bytes that are no text, not too long."""
    readable = "".join(letter if letter.isprintable() else "�" for letter in name)
    return readable if len(readable) <= MAX_NAME else f"…{readable[-MAX_NAME + 1 :]}"
