"""Weights files: what goes in comes out, and nothing else is ever taken for one."""

import dataclasses
import json
import math
import pickle
import resource
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny import CLASSES, MEAN, STD, tiny_checkpoint, tiny_config

from googlenet.config import ConvConfig, GoogLeNetConfig
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.presets import preset
from googlenet.models.weights import WeightsInfo, load_weights, read_info, save_weights

INFO = WeightsInfo(tiny_config(), CLASSES, MEAN, STD, {"recipe": "default", "epoch": 3, "versions": {"torch": "2"}})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tiny_checkpoint(tmp_path / "net.safetensors", epoch=3)


def metadata(info: WeightsInfo = INFO, **changes: str) -> dict[str, str]:
    return {**info.to_metadata(), **changes}


def refusal(path: Path) -> str:
    """The sentence with which both ways of reading refuse `path`, or loading alone when the description is sound."""
    with pytest.raises(LabError) as caught:
        load_weights(path)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert path.name in sentence
    assert sentence.endswith(".")
    return sentence


def test_round_trip(tmp_path):
    torch.manual_seed(0)
    model = GoogLeNet(tiny_config())
    model(torch.randn(4, 3, 32, 32))  # moves the running statistics
    path = tmp_path / "net.safetensors"
    save_weights(path, model, INFO)
    again, info = load_weights(path)
    assert info == INFO == read_info(path)
    assert not again.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    image = torch.randn(2, 3, 32, 32)
    assert torch.equal(again(image), model.eval()(image))
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.safetensors"]


def test_names_are_torchvisions(file):
    names = set(load_file(file))
    assert {"conv1.conv.weight", "conv1.bn.running_mean", "inception3a.branch2.0.conv.weight", "fc.bias"} <= names


def test_a_loaded_network_can_be_trained_on(file):
    model, _ = load_weights(file)
    model.train()(torch.randn(4, 3, 32, 32)).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_half_precision_is_half_the_size_and_close(tmp_path, layout):
    torch.manual_seed(0)
    model = GoogLeNet(preset("cifar10")).to(memory_format=layout).eval()
    info = WeightsInfo(model.config, tuple("0123456789"), MEAN, STD)
    save_weights(tmp_path / "half.safetensors", model, info, half=True)
    assert (tmp_path / "half.safetensors").stat().st_size <= 13_000_000
    again, _ = load_weights(tmp_path / "half.safetensors")
    assert {p.dtype for p in again.parameters()} == {torch.float32}
    image = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(again(image), model(image), rtol=1e-2, atol=1e-3)


# --- what is not a weights file ---------------------------------------------------------------


def test_missing(tmp_path):
    assert refusal(tmp_path / "none.safetensors").startswith("There is no weights file")


def test_a_folder(tmp_path):
    (tmp_path / "folder.safetensors").mkdir()
    refusal(tmp_path / "folder.safetensors")


@pytest.mark.parametrize("keep", [0, 4, 8, 200, 0.5, 0.99, -1])
def test_truncated(file, keep):
    data = file.read_bytes()
    file.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    assert "complete safetensors file" in refusal(file)


def test_longer_than_it_says(file):
    file.write_bytes(file.read_bytes() + b"\0" * 64)
    refusal(file)


class Explode:
    def __reduce__(self):
        return Path.write_text, (Path("executed"), "x")


@pytest.mark.parametrize("kind", ["pickle", "torch.save", "zip", "text"])
def test_foreign_files_are_never_executed(tmp_path, kind, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.safetensors"
    match kind:
        case "pickle":
            path.write_bytes(pickle.dumps(Explode()))
        case "torch.save":
            torch.save(Explode(), path)
        case "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("data.pkl", pickle.dumps(Explode()))
        case "text":
            path.write_text("not a network " * 100)
    refusal(path)
    assert not Path("executed").exists()


def test_safetensors_of_somebody_else(tmp_path):
    path = tmp_path / "theirs.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    assert "not written by this lab" in refusal(path)


@pytest.mark.parametrize("broken", ["missing", "surplus", "shape", "integers"])
def test_tensors_that_do_not_fit(tmp_path, file, broken):
    tensors = load_file(file)
    match broken:
        case "missing":
            del tensors["fc.bias"]
        case "surplus":
            tensors["fc.more"] = torch.zeros(1)
        case "shape":
            tensors["fc.bias"] = torch.zeros(4)
        case "integers":
            tensors["fc.bias"] = torch.zeros(3, dtype=torch.int64)
    path = tmp_path / "other.safetensors"
    save_file(tensors, path, metadata=metadata())
    assert "do not fit the network it describes" in refusal(path)


NESTED = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "changes",
    [
        {"network": "{"},
        {"network": "[]"},
        {"network": NESTED},
        {"network": json.dumps({**tiny_config().to_dict(), "layers": [{"kind": "os.system"}]})},
        {"network": json.dumps({**tiny_config().to_dict(), "surprise": 1})},
        {"network": json.dumps({**tiny_config().to_dict(), "num_classes": "many"})},
        {"classes": '["a", "b"]'},
        {"classes": "7"},
        {"mean": "[0, 0]"},
        {"std": "[1, 1, 0]"},
        {"std": "[1, 1, NaN]"},
        {"mean": "[Infinity, 0, 0]"},
        {"mean": '["x", 0, 0]'},
        {"facts": "3"},
    ],
    ids=lambda changes: "-".join(f"{k}={v[:12]}" for k, v in changes.items()),
)
def test_a_description_that_makes_no_sense(tmp_path, file, changes):
    path = tmp_path / "odd.safetensors"
    save_file(load_file(file), path, metadata=metadata(**changes))
    with pytest.raises(LabError) as caught:
        read_info(path)
    assert str(caught.value) == refusal(path)


def test_a_description_without_a_part(tmp_path, file):
    for key in ("network", "classes", "mean", "std", "facts"):
        path = tmp_path / f"no-{key}.safetensors"
        save_file(load_file(file), path, metadata={k: v for k, v in metadata().items() if k != key})
        refusal(path)


def test_a_description_of_a_huge_network_allocates_nothing(tmp_path, file):
    """400 layers of 4,096 → 4,096 channels and 15×15 windows would be 6 terabytes."""
    layers = [ConvConfig("first", 3, 4096, 15, padding=7)]
    layers += [ConvConfig(f"conv{i}", 4096, 4096, 15, padding=7) for i in range(399)]
    network = GoogLeNetConfig("huge", tuple(layers), 3, 32)
    path = tmp_path / "huge.safetensors"
    save_file(load_file(file), path, metadata=metadata(dataclasses.replace(INFO, network=network)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "do not fit" in refusal(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_a_description_of_endless_layers_is_refused(tmp_path, file):
    plain = tiny_config().to_dict()
    plain["layers"] += [{"kind": "lrn", "name": f"lrn{i}", "size": 5} for i in range(10_000)]
    path = tmp_path / "endless.safetensors"
    save_file(load_file(file), path, metadata=metadata(network=json.dumps(plain)))
    assert "at most 500 layers" in refusal(path)


def test_a_header_that_claims_exabytes(tmp_path):
    path = tmp_path / "claim.safetensors"
    path.write_bytes(struct.pack("<Q", 2**62) + b"{}")
    refusal(path)
    header = json.dumps({"w": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    refusal(path)


def layout(path: Path, header: dict[str, object], data: bytes, description: dict[str, str] | None = None) -> Path:
    """A safetensors file put together by hand."""
    text = json.dumps({"__metadata__": metadata() if description is None else description, **header}).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


@pytest.mark.parametrize(
    "offsets",
    [
        ([0, 4], [0, 4]),  # two tensors share their bytes
        ([0, 4], [2, 6]),
        ([0, 4], [8, 12]),  # a hole
        ([4, 0], [0, 4]),
        ([-4, 0], [0, 4]),
        ([0, 4], [4, 2**63]),
        ([0, 4], [4, 2**70]),
    ],
    ids=str,
)
def test_tensors_that_overlap_or_lie_outside(tmp_path, offsets):
    header = {
        name: {"dtype": "F32", "shape": [1], "data_offsets": place} for name, place in zip("ab", offsets, strict=True)
    }
    refusal(layout(tmp_path / "overlap.safetensors", header, b"\0" * 12))


@pytest.mark.parametrize("shape", [[2**32, 2**32], [2**63], [-1], [0, 2**62], ["1"], [1.0], None], ids=str)
def test_a_shape_that_overflows(tmp_path, shape):
    header = {"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, 4]}}
    refusal(layout(tmp_path / "shape.safetensors", header, b"\0" * 4))


@pytest.mark.parametrize("bomb", ["long", "deep", "many"])
def test_a_header_that_is_a_bomb_costs_little(tmp_path, bomb):
    """Headers of up to 100 MB are read by safetensors itself, so what one can cost is what it holds."""
    path = tmp_path / "bomb.safetensors"
    match bomb:
        case "long":  # 200 MB that are one sparse hole on the disk
            with path.open("wb") as file:
                file.write(struct.pack("<Q", 200_000_000) + b'{"a":"')
                file.truncate(200_000_100)
        case "deep":
            text = b'{"a":' * 200_000
            path.write_bytes(struct.pack("<Q", len(text)) + text)
        case "many":
            tensors = {f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(50_000)}
            layout(path, tensors, b"")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refusal(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB


def test_a_git_lfs_pointer_says_what_to_do(tmp_path):
    path = tmp_path / "pointer.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 11893944\n")
    assert refusal(path) == "pointer.safetensors is a Git LFS pointer, not the weights: run git lfs pull."


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_are_no_numbers_answer_in_a_sentence(tmp_path, value):
    tensors = load_file(tiny_checkpoint(tmp_path / "net.safetensors"))
    tensors["fc.weight"][:] = value
    save_file(tensors, tmp_path / "nan.safetensors", metadata=metadata())
    with pytest.raises(LabError, match=r"nan\.safetensors answers with NaN, since its training diverged"):
        Classifier(tmp_path / "nan.safetensors").classify(Image.new("RGB", (32, 32), "white"))


def test_an_info_that_cannot_be_is_refused_when_it_is_made():
    with pytest.raises(LabError, match="2 class names cannot label 3 outputs"):
        WeightsInfo(tiny_config(), ("a", "b"), MEAN, STD)
    for mean, std in (((0, 0), STD), (MEAN, (1, 1, 0)), (MEAN, (1, 1, math.nan)), ((math.inf, 0, 0), STD)):
        with pytest.raises(LabError, match="three means and three standard deviations above 0"):
            WeightsInfo(tiny_config(), CLASSES, mean, std)


# --- writing ----------------------------------------------------------------------------------


def test_a_full_disk_leaves_the_old_file_whole(tmp_path):
    """In a process that may not write files of over 20 kB: the system's own refusal, in the middle of a write."""
    path = tiny_checkpoint(tmp_path / "net.safetensors")
    before = path.read_bytes()
    code = """
import resource, sys
from pathlib import Path
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.presets import preset
from googlenet.models.weights import WeightsInfo, save_weights
model = GoogLeNet(preset("cifar10-truncated"))
info = WeightsInfo(model.config, tuple("0123456789"), (0.5,) * 3, (0.5,) * 3)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    save_weights(Path(sys.argv[1]), model, info)
except OSError as error:
    sys.exit(f"errno {error.errno}")
"""
    result = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=120)
    assert result.stderr.strip() == "errno 27"  # EFBIG
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.safetensors"]


def test_a_folder_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        save_weights(tmp_path / "none" / "net.safetensors", GoogLeNet(tiny_config()), INFO)
