"""The line above all tabs: device, data set, and the training that is going on."""

from __future__ import annotations

import functools
import threading
from html import escape
from pathlib import Path

from googlenet.data.datasets import NAMES, check_source
from googlenet.errors import LabError
from googlenet.runs import Run, Status
from googlenet.ui.common.figures import duration


@functools.cache
def _device() -> list[str]:
    """A list of one once torch, whose import takes seconds, has been asked; the page does not wait for it."""
    found: list[str] = []

    def ask() -> None:
        from googlenet.models.device import describe_device, pick_device

        found.append(describe_device(pick_device()))

    threading.Thread(target=ask, name="device", daemon=True).start()
    return found


def header_html(data: str) -> str:
    """HTML of the line's part that stays as it is."""
    return f"<strong class='gl-title'>GoogLeNet Lab</strong><span><b>Data</b> {escape(describe_data(data))}</span>"


def now_html(busy: tuple[Run, Status] | None) -> str:
    """HTML of the line's part that changes; `busy` is the run being trained."""
    device = _device()
    return (
        f"<span><b>Device</b> {escape(device[0] if device else 'looking …')}</span>"
        f"<span class='gl-progress'>{_training(busy)}</span>"
    )


def describe_data(source: str) -> str:
    """For people, without loading it."""
    try:
        check_source(source)
    except LabError as error:
        return f"not found: {error}"
    return NAMES.get(source) or f"folder {Path(source).name}"


def _training(busy: tuple[Run, Status] | None) -> str:
    if busy is None:
        return "<b>Training</b> none running"
    run, status = busy
    left = f", {duration(status.seconds_left)} left" if status.seconds_left else ""
    share, name = f"{100 * status.progress:.0f}%", escape(run.name)
    return (
        f"<b>Training</b> {name} {share}{left} "
        f"<progress max='1' value='{status.progress:.4f}' aria-label='progress of {name}'>{share}</progress>"
    )
