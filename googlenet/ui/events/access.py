"""What a visitor may name and see of this machine: decided in app.py, for forms, hidden events and API alike."""

from __future__ import annotations

import ipaddress
import re
import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path

import markupsafe

from googlenet.data.datasets import NAMES
from googlenet.errors import LabError
from googlenet.language import tr


@dataclass(frozen=True)
class Access:
    """`data` is what `--data` says; the page is `public` when others than this machine's own users may reach it.

    On one that is `read_only` nothing is started or changed. With `most_runs` each visitor has that many runs of their
    own (rights.py).
    """

    data: str
    public: bool = False
    read_only: bool = False
    most_runs: int | None = None

    @property
    def each_their_own(self) -> bool:
        """Whether visitors are told apart."""
        return self.most_runs is not None and not self.read_only

    @property
    def confined(self) -> bool:
        """Whether visitors can name no folder of this machine, and fetch nothing to it."""
        return self.public or self.read_only or self.each_their_own

    @property
    def may_change(self) -> bool:
        """Whether there are runs that a visitor may rename, delete and so on."""
        return not self.read_only and (self.each_their_own or not self.public)

    @property
    def offered(self) -> str:
        """What the page calls `data`: on a confined page a folder by its name, and not by where it lies."""
        return f"folder {Path(self.data).name}" if self.confined and self.data not in NAMES else self.data

    def check_data(self, source: str | None) -> str | None:
        """The data set that a visitor means by `source`, None for the run's own; opens no folder on a confined page.

        Raises `LabError`, on a confined page for all but CIFAR-10, the shapes and `data`, in the same words whether
        there is such a folder or not.
        """
        if source == self.offered:
            return self.data
        if not self.confined or source is None or source in (*NAMES, self.data):
            return source
        known = ", ".join(dict.fromkeys([*NAMES, self.offered]))
        if self.public:
            sentence = tr(
                "Others can reach this page, so its data must be one of {known}: choose one of them.", known=known
            )
        else:
            sentence = tr(
                "Visitors share this page, so its data must be one of {known}: choose one of them.", known=known
            )
        raise LabError(sentence, "data")


def is_public(host: str, *, login: bool, share: bool) -> bool:
    """Whether a page on `host` is for others than the users of this machine."""
    return share or login or not is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, is this machine's own to itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_hidden: dict[str, str] = {}


def hide_path(path: Path, name: str) -> None:
    """From now on `hide_paths` says `name` for `path`."""
    if len(path.parts) > 1:  # a home of "/" is in every path
        written = (str(path), escape(str(path)), str(markupsafe.escape(str(path))))
        _hidden.update(dict.fromkeys(written, name))


def hide_paths(text: str) -> str:
    """`text`, plain or HTML, without where on this machine its files lie."""
    for path in sorted(_hidden, key=len, reverse=True):
        if path in text:
            text = re.sub(rf"{re.escape(path)}(?![\w-]|\.\w)", lambda _, name=_hidden[path]: name, text)
    return text


hide_path(Path.home(), "~")
for _place in (Path(__file__).parents[3], Path(sys.prefix)):
    hide_path(_place, _place.name)
