"""Weights from elsewhere are listed when they are whole; else they are refused in a sentence, and nothing is kept."""

from __future__ import annotations

import json
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save
from tiny import tiny_config

from googlenet.errors import LabError
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.weights import WeightsInfo, read_info, save_weights
from googlenet.runs import Run, list_checkpoints
from googlenet.runs.exchange import bring, bring_weights


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A file as another lab writes it."""
    network = GoogLeNet(tiny_config(num_classes=3))
    info = WeightsInfo(network.config, ("a", "b", "c"), (0.5,) * 3, (0.2,) * 3, {"validation_accuracy": 0.75})
    save_weights(tmp_path / "Theirs 2.safetensors", network, info)
    return tmp_path / "Theirs 2.safetensors"


def changed(path: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(path)
    change(tensors)
    path.write_bytes(save(tensors, metadata=read_info(path).to_metadata()))


def with_header(path: Path, header: bytes, length: int | None = None) -> None:
    path.write_bytes(struct.pack("<Q", len(header) if length is None else length) + header + bytes(16))


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pickle": (lambda path: path.write_bytes(pickle.dumps({"a": 1})), "is a pickle, which can run any program"),
    "torch.save": (lambda path: torch.save({"a": torch.zeros(1)}, path), "is a pickle"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-100]), "is not a complete safetensors file"),
    "empty": (lambda path: path.write_bytes(b""), "is not a complete safetensors file"),
    "text": (lambda path: path.write_text("weights, honestly"), "is not a complete safetensors file"),
    "a header of 2⁶³": (lambda path: with_header(path, b"{}", 2**63), "is not a complete safetensors file"),
    "a long header": (lambda path: with_header(path, b"{" + b" " * 9_000_000 + b"}"), "no network's is so long"),
    "deep brackets": (lambda path: with_header(path, b'{"a":' + b"[" * 500_000), "is not a complete safetensors file"),
    "no description": (
        lambda path: path.write_bytes(save({"a": torch.zeros(2)})),
        "does not say which network and classes",
    ),
    "a wrong shape": (
        lambda path: changed(path, lambda t: t.update({"fc.weight": torch.zeros(3, 5)})),
        "do not fit the network it describes",
    ),
    "a tensor less": (lambda path: changed(path, lambda t: t.pop("fc.bias")), "do not fit"),
    "not numbers": (
        lambda path: changed(path, lambda t: t["fc.bias"].fill_(float("nan"))),
        "are no numbers, in fc.bias",
    ),
    "complex numbers": (
        lambda path: changed(path, lambda t: t.update({"fc.bias": t["fc.bias"].to(torch.complex64)})),
        "as torch.complex64",
    ),
}


def test_they_are_listed_and_a_second_time_another_name_is_asked_for(weights: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    assert bring(weights, folder).startswith("The weights theirs-2 are here now: Classify and Evaluate")
    found = list_checkpoints(folder)
    assert [item.label for item in found] == ["theirs-2, 75.0% validation"]
    assert found[0].path.read_bytes() == weights.read_bytes()
    with pytest.raises(LabError, match="already something called theirs-2: choose another name"):
        bring(weights, folder)
    Run(folder, "taken").path.mkdir()
    for name, sentence in (("taken", "already something"), ("googlenet-cifar10", ""), ("../x", "A run name is")):
        if sentence:
            with pytest.raises(LabError, match=sentence):
                bring(weights, folder, name)
    assert len(list_checkpoints(folder)) == 1


@pytest.mark.parametrize("how", SPOILED)
def test_what_is_wrong_is_one_sentence_and_nothing_is_kept(weights: Path, tmp_path: Path, how: str) -> None:
    spoil, sentence = SPOILED[how]
    spoil(weights)
    folder = tmp_path / "checkpoints"
    with pytest.raises(LabError, match=sentence) as refused:
        bring(weights, folder, "mine")
    assert "Theirs 2.safetensors" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(tmp_path) not in str(refused.value)
    assert not folder.exists() or not list(folder.iterdir())


def test_a_network_of_another_size_in_the_description_allocates_nothing(weights: Path, tmp_path: Path) -> None:
    info = read_info(weights)
    plain = json.loads(info.to_metadata()["network"])
    plain["num_classes"] = 100_000
    metadata = {**info.to_metadata(), "network": json.dumps(plain)}
    metadata["classes"] = json.dumps([str(number) for number in range(100_000)])
    weights.write_bytes(save(load_file(weights), metadata=metadata))
    with pytest.raises(LabError, match="do not fit"):
        bring(weights, tmp_path / "checkpoints", "huge")


def test_a_limit_and_a_full_disk_are_said(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LabError, match="0 MB are the most here"):
        bring_weights(weights, tmp_path / "checkpoints", "mine", most=1000)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(LabError, match=r"cannot be kept \(No space left"):
        bring_weights(weights, tmp_path / "checkpoints", "mine")
