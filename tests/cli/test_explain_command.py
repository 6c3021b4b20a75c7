"""The explain command: its words, its file, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import tiny_checkpoint

from googlenet.cli.main import main


@pytest.fixture
def asked(tmp_path: Path) -> list[str]:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)).save(tmp_path / "a.png")
    weights = tiny_checkpoint(tmp_path / "a.safetensors")
    return ["explain", str(tmp_path / "a.png"), "--checkpoint", str(weights), "--device", "cpu"]


def test_it_says_what_speaks_for_a_class(asked: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*asked, "--class", "cat", "--against", "dog", "--out", str(tmp_path / "map.png")]) == 0
    told = capsys.readouterr().out
    assert told.startswith("cat rather than dog: ")
    assert "taken away in the map's order: area 0." in told
    assert "The logit of cat less dog is" in told
    with Image.open(tmp_path / "map.png") as image:
        assert image.size == (448, 448)
    assert main([*asked, "--json", "--method", "grad-cam"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert (plain["method"], len(plain["map"]), len(plain["map"][0])) == ("grad-cam", 32, 32)
    assert plain["account"]["ledger"]["class"] == plain["class"]


@pytest.mark.parametrize(
    ("more", "words"),
    [(["--class", "lion"], "knows no class 'lion'"), (["--method", "magic"], "There is no method 'magic'"),
     (["--class", "cat", "--against", "cat"], "compared with itself"),
     (["--out", "/nowhere/a.png"], "cannot be written")],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence(
    asked: list[str], more: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*asked, *more]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
