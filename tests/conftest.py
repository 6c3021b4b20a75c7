"""What several test files share: an image folder that a tiny network learns in seconds."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from trainings import make_folder

from googlenet.runs import checkpoints

# A shell starts what runs in its background deaf to Ctrl+C; the tests and the trainers they start must hear it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes that differ in colour, 20 training and 6 test images each."""
    return make_folder(tmp_path_factory.mktemp("data") / "colours", 20, 6)


@pytest.fixture(autouse=True)
def shipped_network(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The weights file that the lab ships. Until a test puts it back, it sees only those that it makes."""
    path = checkpoints.SHIPPED
    monkeypatch.setattr(checkpoints, "SHIPPED", Path("nowhere.safetensors"))
    return path
