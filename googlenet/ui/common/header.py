"""The line above all tabs: device, data set, and the training that is going on."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from pathlib import Path

from googlenet import __version__
from googlenet.data.datasets import NAMES, check_source
from googlenet.errors import LabError
from googlenet.language import LANGUAGES, language, retell, tr
from googlenet.runs import Run, Status
from googlenet.ui.common.figures import time_left
from googlenet.ui.common.templates import render

# What the switch says of itself, to those who read that language.
SWITCHES = {"en": "Read this page in English", "ko": "이 페이지를 한국어로 보기"}


# torch's import takes the processor for seconds, and made the page as much later: it begins when a page is up and asks
# for news, or so many seconds after the app's start, so that the first picture need not wait for it.
_PAGE_IS_UP, LATER = threading.Event(), 8.0


@functools.cache
def _device() -> list[str]:
    """A list of one once torch has been asked; the page does not wait for it."""
    found: list[str] = []

    def ask() -> None:
        _PAGE_IS_UP.wait(LATER)
        from googlenet.models.device import describe_device, pick_device

        found.append(describe_device(pick_device()))

    threading.Thread(target=ask, name="device", daemon=True).start()
    return found


def header_html(data: str) -> str:
    """HTML of the line's part that stays as it is."""
    return render("common/header.html", data=describe_data(data), version=__version__)


def languages_html() -> str:
    """HTML of the switch to another language."""
    return render("common/languages.html", languages=LANGUAGES, about=SWITCHES, spoken=language())


def now_html(active: Sequence[tuple[Run, Status]], waiting: int = 0, *, page_is_up: bool = True) -> str:
    """HTML of the line's part that changes: the runs being trained, of which it names the first, and what waits."""
    training = None
    if page_is_up:
        _PAGE_IS_UP.set()
    if active:
        run, status = active[0]
        left = "" if status.seconds_left is None else time_left(status.seconds_left)
        training = {"run": run.name, "progress": status.progress, "left": left}
    return render(
        "common/now.html",
        device=retell(next(iter(_device()), "")) or tr("looking …"),
        training=training,
        more=len(active) - 1,
        waiting=waiting,
    )


def describe_data(source: str) -> str:
    """For people, without loading it."""
    try:
        check_source(source)
    except LabError as error:
        return tr("not found: {why}", why=error)
    return tr(NAMES[source]) if source in NAMES else tr("folder {name}", name=Path(source).name)
