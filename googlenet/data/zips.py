"""Pictures in a zip that a stranger has packed: read in memory, one entry at a time, and never unpacked to a path.

A name in a zip is only ever shown. Declared sizes are checked before anything is unpacked and real ones while it is.
"""

from __future__ import annotations

import stat
import struct
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from googlenet.data.images import MAX_BYTES
from googlenet.errors import LabError
from googlenet.language import mark, tr

MAX_ENTRIES = 50_000
MAX_ZIPS = 20  # open at once
MAX_DIRECTORY = 8_000_000  # bytes of a zip's list of entries, all of which `zipfile` reads on opening it
MAX_UNPACKED = 4_000_000_000  # bytes that all entries of a zip may have together
BOMB_RATIO, BOMB_BYTES = 100, 20_000_000  # no photograph shrinks so far; a small drawing may
# What can be unpacked in steps: one step of bzip2 makes gigabytes of four kilobytes.
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENDS = (b"PK\x05\x06", b"PK\x06\x06")  # of the record behind that list, plain and zip64
DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError)
UTF8_NAME, ENCRYPTED = 0x800, 0x1


def is_zip(path: Path) -> bool:
    """Whether the file at `path` is named or made like a zip."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except (OSError, ValueError):
        return False
    return path.suffix.lower() == ".zip" or start in (b"PK\x03\x04", b"PK\x05\x06")


class ZipOfPictures:
    """The zip at `path`, open until `close`; several threads may read its entries at once.

    Raises `LabError` for what is no zip, has too many entries, or would unpack to far more than a zip of pictures.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._left, self._lock = MAX_UNPACKED, threading.Lock()
        try:
            _check_directory(path, name)
            self._zip = zipfile.ZipFile(path)
        except LabError:
            raise
        except Exception as error:  # readers raise nearly any exception on hostile bytes
            raise LabError(tr("{name} is damaged or no zip: nothing in it was read.", name=name), "files") from error
        self.entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        size, unpacked = path.stat().st_size, sum(entry.file_size for entry in self.entries)
        sentence = ""
        if len(self.entries) > MAX_ENTRIES:
            sentence = tr(
                "{name} has {n:,} files in it and the limit is {limit:,}: nothing in it was read.",
                name=name,
                n=len(self.entries),
                limit=MAX_ENTRIES,
            )
        elif unpacked > max(BOMB_BYTES, BOMB_RATIO * size):
            sentence = tr(
                "{name} would unpack from {packed} to {unpacked}, as zip bombs do: nothing in it was read.",
                name=name,
                packed=_bytes(size),
                unpacked=_bytes(unpacked),
            )
        if sentence:
            self.close()
            raise LabError(sentence, "files")

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    def names(self) -> Iterator[tuple[zipfile.ZipInfo, str, str]]:
        """Each entry that is a file, what it is called, and why it is left out ("" for one that is not)."""
        for entry in self.entries:
            name = _decoded(entry)
            yield entry, name, _refusal(entry, name)

    def read(self, entry: zipfile.ZipInfo, name: str) -> bytes:
        """The bytes of `entry`; `LabError`, which calls it `name`, when they are damaged or too many."""
        if entry.file_size > MAX_BYTES:
            sizes = {"size": entry.file_size / 1e6, "limit": MAX_BYTES // 1_000_000}
            raise LabError(tr("{name} has {size:,.1f} MB: the limit is {limit}, so shrink it.", name=name, **sizes))
        with self._lock:  # also when several threads read: together they stay below the limit
            self._left -= entry.file_size
            if self._left < 0:
                said = {"name": name, "zip": self.name, "limit": _bytes(MAX_UNPACKED)}
                raise LabError(tr("{name} was not read: {zip} unpacks to more than {limit}.", **said))
        try:
            with self._zip.open(entry) as stream:
                return stream.read(MAX_BYTES + 1)  # zipfile stops at the declared size, and then compares checksums
        except DAMAGED as error:
            raise LabError(tr("{name} is damaged inside the zip: pack it again.", name=name)) from error


def _refusal(entry: zipfile.ZipInfo, name: str) -> str:
    """Why an entry is not even tried, as "a name that …", in English; "" when it is tried."""
    if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or name[1:2] == ":":
        return mark("a name that leads out of the zip")
    if stat.S_ISLNK(entry.external_attr >> 16):
        return mark("only a link to another file")
    if entry.flag_bits & ENCRYPTED:
        return mark("locked with a password")
    if entry.compress_type not in PACKED:
        return mark("packed in a way that is not read here")
    if entry.file_size > max(BOMB_BYTES, BOMB_RATIO * entry.compress_size):
        return mark("a hundred times its size when unpacked, as zip bombs are")
    return ""


def _decoded(entry: zipfile.ZipInfo) -> str:
    """The entry's name. Many programs write UTF-8 without saying so, which `zipfile` then takes for a PC's of 1981."""
    if entry.flag_bits & UTF8_NAME:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _check_directory(path: Path, name: str) -> None:
    """Refuse a zip by the length of its list of entries, before `zipfile` makes an object of each.

    The record that has the length stands near the file's end. Whatever looks like one there counts.
    """
    with path.open("rb") as file:
        tail = _tail(file, 65_535 + 22 + 20 + 56)  # a comment, the record, and what zip64 puts before it
    for end, place, form in ((ENDS[0], 12, "<L"), (ENDS[1], 40, "<Q")):
        at = tail.find(end)
        while at >= 0:
            field = tail[at + place : at + place + struct.calcsize(form)]
            length = struct.unpack(form, field)[0] if len(field) == struct.calcsize(form) else 0
            if length > MAX_DIRECTORY and length != 0xFFFFFFFF:  # which means: see the zip64 record
                said = {"name": name, "limit": MAX_ENTRIES}
                raise LabError(tr("{name} lists more than {limit:,} files: nothing in it was read.", **said), "files")
            at = tail.find(end, at + 1)


def _tail(file: BinaryIO, count: int) -> bytes:
    size = file.seek(0, 2)
    file.seek(max(0, size - count))
    return file.read(count)


def folder_of(name: str) -> str:
    """The folder directly above a file that is called `name`, "" when there is none."""
    return PurePosixPath(name.replace("\\", "/")).parent.name


def _bytes(number: int) -> str:
    """1.5 GB, 20 MB, 3 kB."""
    for power, unit in ((9, "GB"), (6, "MB")):
        if number >= 10**power:
            return f"{number / 10**power:,.3g} {unit}"
    return f"{number / 1000:,.0f} kB"
