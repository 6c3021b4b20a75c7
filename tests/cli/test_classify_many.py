"""`classify` of folders and zips: a table, a file, an exit code."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import tiny_checkpoint

from googlenet.cli.main import main


@pytest.fixture
def weights(tmp_path: Path) -> str:
    return str(tiny_checkpoint(tmp_path / "checkpoints" / "tiny.safetensors"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed, name in enumerate(("cat/1.png", "dog/=2.png", "dog/3.png")):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (40, 40, 3), np.uint8)).save(path)
    (tmp_path / "photos" / "notes.txt").write_text("words")
    return tmp_path / "photos"


def test_a_folder_gives_a_table_and_accuracy(weights: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", str(folder), "--checkpoint", weights, "--device", "cpu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["cat/1.png", "dog/3.png", "dog/=2.png"]
    assert lines[3] == "Passed over 1 file not named like pictures: 1 .txt."
    assert lines[4].startswith("3 pictures answered in ")
    assert "on 3 pictures in folders named like classes" in lines[5]


def test_csv_and_json(weights: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "table.csv"
    assert main(["classify", weights, str(folder), "--csv", str(out), "--json", "--device", "cpu"]) == 0
    said = json.loads(capsys.readouterr().out)
    written = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert [row["answer"] for row in written] == [row["answer"] for row in said["rows"]]
    assert said["judged"]["n"] == 3


def test_a_network_by_its_name_and_a_zip_with_a_damaged_picture(
    weights: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        archive.write(folder / "cat" / "1.png", "1.png")
        archive.writestr("cut.png", b"\x89PNG")
    named = ["--checkpoint", "tiny", "--checkpoints", str(Path(weights).parent), "--device", "cpu"]
    assert main(["classify", str(tmp_path / "some.zip"), *named]) == 2
    out = capsys.readouterr().out
    assert "cut.png is not a picture that can be read" in out
    assert "1 pictures answered" not in out
    assert "1 picture answered" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere/", "--csv", "x.csv"], "There is no file or folder"),
        (["x.safetensors"], "Name a picture, a folder or a zip after x.safetensors"),
        (["x.png", "--checkpoint", "nobody", "--checkpoints", "nowhere"], "There is no trained network"),
    ],
)
def test_bad_input_is_one_sentence(
    weights: str, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    if "--csv" in arguments:
        arguments = [weights, *arguments]
    assert main(["classify", *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
