"""What several test files share: an image folder that a tiny network learns in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest
from trainings import make_folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes that differ in colour, 20 training and 6 test images each."""
    return make_folder(tmp_path_factory.mktemp("data") / "colours", 20, 6)
