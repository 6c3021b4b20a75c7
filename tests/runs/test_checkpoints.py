from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny import tiny_checkpoint

from googlenet.errors import LabError
from googlenet.runs import find_checkpoint, list_checkpoints


def aged(path: Path, seconds: float) -> Path:
    os.utime(path, (time.time() - seconds,) * 2)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b-shipped", "a-shipped"):
        tiny_checkpoint(tmp_path / f"{name}.safetensors", data="CIFAR-10", epoch=39, test_accuracy=0.9312)
    for name in ("epoch-0012", "last", "epoch-0002", "best"):
        path = tiny_checkpoint(tmp_path / "old" / f"{name}.safetensors", epoch=12, validation_accuracy=0.873)
        aged(path, 1000)
    tiny_checkpoint(tmp_path / "new" / "last.safetensors", epoch=1, train_accuracy=0.5, synthetic=True)
    return tmp_path


def names(folder: Path) -> list[str]:
    return [checkpoint.name for checkpoint in list_checkpoints(folder)]


def test_shipped_first_then_the_latest_run_and_of_a_run_best_last_epochs(folder: Path) -> None:
    expected = ["a-shipped", "b-shipped", "new/last", "old/best", "old/last", "old/epoch-0002", "old/epoch-0012"]
    assert names(folder) == expected


def test_labels_say_run_epoch_accuracy_and_synthetic(folder: Path) -> None:
    labels = {checkpoint.name: checkpoint.label for checkpoint in list_checkpoints(folder)}
    assert labels["a-shipped"] == "a-shipped, 93.1% test"
    assert labels["old/best"] == "old/best, epoch 12, 87.3% validation"
    assert labels["old/epoch-0012"] == "old/epoch-0012, 87.3% validation"
    assert labels["new/last"] == "new/last, epoch 1, 50.0% training, synthetic shapes"


def test_foreign_half_written_and_odd_files_are_passed_over(folder: Path) -> None:
    before = names(folder)
    whole = (folder / "a-shipped.safetensors").read_bytes()
    (folder / "short.safetensors").write_bytes(whole[:200])
    (folder / "empty.safetensors").touch()
    (folder / "words.safetensors").write_text("words " * 50)
    (folder / ".writing.safetensors").write_bytes(whole)
    (folder / "notes.txt").write_text("words")
    save_file({"weight": torch.zeros(2)}, folder / "foreign.safetensors")
    (folder / "folder.safetensors").mkdir()
    (folder / "Not A Run").mkdir()
    (folder / "Not A Run" / "best.safetensors").write_bytes(whole)
    (folder / "empty-run").mkdir()
    (folder / "gone.safetensors").symlink_to(folder / "nowhere")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.safetensors")
    assert names(folder) == before


def test_a_missing_folder_is_an_empty_one(tmp_path: Path) -> None:
    assert list_checkpoints(tmp_path / "nowhere") == []
    (tmp_path / "file").touch()
    assert list_checkpoints(tmp_path / "file") == []


def test_a_file_written_anew_is_read_anew(tmp_path: Path) -> None:
    path = tiny_checkpoint(tmp_path / "w.safetensors", validation_accuracy=0.25)
    assert list_checkpoints(tmp_path)[0].accuracy == (0.25, "validation")
    tiny_checkpoint(path, validation_accuracy=0.5)
    assert list_checkpoints(tmp_path)[0].accuracy == (0.5, "validation")


@pytest.mark.parametrize("number", [10**400, float("inf"), float("nan"), -1e300])
def test_facts_of_any_type_are_survived(tmp_path: Path, number: float) -> None:
    facts = {"epoch": number, "test_accuracy": [1], "validation_accuracy": True, "train_accuracy": number}
    tiny_checkpoint(tmp_path / "odd.safetensors", **facts)
    checkpoint = list_checkpoints(tmp_path)[0]
    assert (checkpoint.accuracy, checkpoint.epoch, checkpoint.label) == (None, None, "odd")


def test_only_headers_are_read(tmp_path: Path) -> None:
    path = tiny_checkpoint(tmp_path / "w.safetensors")
    content = bytearray(path.read_bytes())
    content[-400:] = b"\xff" * 400  # the tensors are nonsense, the header is whole
    path.write_bytes(content)
    assert names(tmp_path) == ["w"]


def test_find_by_name(folder: Path) -> None:
    assert find_checkpoint(folder, "old/epoch-0002").path == folder / "old" / "epoch-0002.safetensors"
    assert find_checkpoint(folder).name == "a-shipped"


@pytest.mark.parametrize(
    "name", ["../old/best", "old/../old/best", "old//best", "old/best.safetensors", "/etc/passwd", "x"]
)
def test_a_name_is_never_a_path(folder: Path, name: str) -> None:
    with pytest.raises(LabError, match="There is no checkpoint"):
        find_checkpoint(folder, name)
    with pytest.raises(LabError, match="There is no checkpoint"):
        find_checkpoint(folder / "old", str(folder / "a-shipped"))


def test_without_any_checkpoint_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="train one"):
        find_checkpoint(tmp_path)


# --- the network that comes with the lab ------------------------------------------------------


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tiny_checkpoint(tmp_path / "lab" / "googlenet-cifar10.safetensors", test_accuracy=0.9)
    monkeypatch.setattr("googlenet.runs.checkpoints.SHIPPED", path)
    return path


def test_it_is_in_the_lab(shipped_network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("googlenet.runs.checkpoints.SHIPPED", shipped_network)
    assert find_checkpoint("nowhere").name == "googlenet-cifar10"
    assert find_checkpoint("nowhere").accuracy == (pytest.approx(0.95, abs=0.03), "test")


def test_the_shipped_network_is_listed_whichever_folder_the_runs_are_in(shipped: Path, folder: Path) -> None:
    assert names(folder)[:4] == ["a-shipped", "b-shipped", "googlenet-cifar10", "new/last"]
    for empty in (folder / "nowhere", folder / "old"):
        assert find_checkpoint(empty, "googlenet-cifar10").path == shipped
    assert find_checkpoint(folder / "nowhere").path == shipped
    assert names(shipped.parent) == ["googlenet-cifar10"]


def test_a_file_of_its_name_in_the_folder_is_listed_in_its_place(shipped: Path, tmp_path: Path) -> None:
    mine = tiny_checkpoint(tmp_path / "mine" / shipped.name, test_accuracy=0.5)
    assert [c.path for c in list_checkpoints(mine.parent)] == [mine]
    mine.write_bytes(b"no weights")
    assert [c.path for c in list_checkpoints(mine.parent)] == [shipped]


def test_names_that_are_no_text_are_passed_over(tmp_path: Path) -> None:
    path = tiny_checkpoint(tmp_path / "w.safetensors")
    try:
        path.with_name(os.fsdecode(b"caf\xe9.safetensors")).write_bytes(path.read_bytes())
    except OSError:
        pytest.skip("this file system has no such names")
    assert names(tmp_path) == ["w"]
