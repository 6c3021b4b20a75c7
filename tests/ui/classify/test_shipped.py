"""The network that ships with the lab, with runs kept in a folder of their own that is still empty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gradio.media import get_image

from googlenet.ui.classify import tab as classify
from googlenet.ui.evaluate import run_events

NAME = "googlenet-cifar10"


@pytest.fixture(autouse=True)
def _put_back(shipped_network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("googlenet.runs.checkpoints.SHIPPED", shipped_network)


def test_classify_and_evaluate_offer_it(tmp_path: Path) -> None:
    choices: Any = classify.network_choices(tmp_path, None)
    assert (choices.choices, choices.value) == ([(f"{NAME}, 96.3% test", NAME)], NAME)
    choices = run_events.source_choices(tmp_path, None)
    assert ([name for _, name in choices.choices], choices.value) == ([NAME], NAME)
    assert run_events.parts(tmp_path, run_events.stored(tmp_path, NAME, None))[2] == run_events.alone()


def test_a_client_that_names_no_checkpoint_is_answered_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classify, "received", Path)  # the upload folder is another test's
    answer = classify.classify_upload(tmp_path, get_image("lion.jpg"))
    assert answer["checkpoint"] == NAME
    assert answer["top"][0]["class"] == "dog"
