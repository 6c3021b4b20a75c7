"""A network taken out of the lab, run by the programs that others run it with."""

import dataclasses
import json
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from tiny import CLASSES, tiny_checkpoint, tiny_config

from googlenet.config import AuxConfig, GoogLeNetConfig, LRNConfig
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.models.formats.export import TOLERANCE, export_network
from googlenet.models.presets import preset
from googlenet.models.weights import load_weights, save_weights

HEADED = tiny_config(aux=(AuxConfig("aux1", "inception3a", 16, adaptive=2),))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A trained network with a head and a temperature."""
    return tiny_checkpoint(tmp_path_factory.mktemp("w") / "net.safetensors", config=HEADED, temperature=1.7)


@pytest.fixture(scope="module")
def onnx_file(weights):
    return export_network(weights, weights.with_name("net.onnx"))


@pytest.fixture(scope="module")
def pt2_file(weights):
    return export_network(weights, weights.with_name("net.pt2"))


@pytest.fixture(scope="module")
def pixels() -> torch.Tensor:
    return torch.randint(0, 256, (5, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))


def test_an_onnx_runtime_answers_as_the_classifier_does(weights, onnx_file, pixels):
    session = onnxruntime.InferenceSession(onnx_file.path)
    names = [[value.name for value in side] for side in (session.get_inputs(), session.get_outputs())]
    assert names == [["images"], ["probabilities", "logits"]]
    assert session.get_inputs()[0].shape[1:] == [3, 32, 32]
    classifier = Classifier(weights, "cpu")
    for count in (1, 5):
        images = pixels[:count].numpy().astype(np.float32) / 255
        probabilities, logits = session.run(None, {"images": images})
        np.testing.assert_allclose(probabilities, classifier.probabilities(pixels[:count]), atol=1e-5)
        np.testing.assert_allclose(logits, classifier.logits(pixels[:count]), rtol=1e-4, atol=1e-4)
    assert np.ptp(probabilities) > 0.1  # not the same answer to everything
    metadata = {entry.key: entry.value for entry in onnx.load(onnx_file.path).metadata_props}
    assert json.loads(metadata["classes"]) == list(CLASSES)


def test_torch_alone_answers_as_the_classifier_does(weights, pt2_file, pixels):
    extra = {"classes.json": ""}
    program = torch.export.load(pt2_file.path, extra_files=extra).module()
    classifier = Classifier(weights, "cpu")
    for count in (1, 5):
        probabilities, logits = program(pixels[:count].float() / 255)
        torch.testing.assert_close(probabilities, classifier.probabilities(pixels[:count]), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(logits, classifier.logits(pixels[:count]), rtol=1e-4, atol=1e-4)
    assert json.loads(extra["classes.json"]) == list(CLASSES)


def test_what_was_measured_is_told(onnx_file, pt2_file):
    for exported, form in ((onnx_file, "ONNX"), (pt2_file, "torch.export")):
        assert (exported.format, exported.bytes) == (form, exported.path.stat().st_size)
        assert 0 <= exported.difference < TOLERANCE
    assert pt2_file.difference == 0  # the same kernels on the same numbers
    assert {path.name for path in onnx_file.path.parent.iterdir()} == {"net.safetensors", "net.onnx", "net.pt2"}


def test_local_response_norm_travels_too(tmp_path):
    network = GoogLeNetConfig("lrn", (*preset("cifar10-truncated").layers[:3], LRNConfig("lrn1")), 3, 32)
    weights = tiny_checkpoint(tmp_path / "net.safetensors", config=network)
    assert export_network(weights, tmp_path / "net.onnx").difference < TOLERANCE


# --- refusals -----------------------------------------------------------------------------------


def refused(weights, target, says):
    """The export is refused in a sentence, and leaves nothing behind."""
    before = set(target.parent.iterdir())
    with pytest.raises(LabError, match=says):
        export_network(weights, target)
    assert set(target.parent.iterdir()) == before


def test_the_ending_says_what_to_write(weights):
    for name in ("net.pt", "net", "net.onnx.zip"):
        refused(weights, weights.with_name(name), "must end in .onnx or .pt2")


def test_onnx_asks_for_its_packages(weights, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    refused(weights, tmp_path / "a.onnx", "Writing ONNX takes more packages: pip install onnxscript, or write a .pt2")


def test_a_network_that_answers_with_no_number_is_not_written(weights, tmp_path):
    model, info = load_weights(weights)
    model.fc.bias.data.fill_(float("nan"))
    save_weights(tmp_path / "nan.safetensors", model, info)
    refused(tmp_path / "nan.safetensors", tmp_path / "nan.pt2", "nan.safetensors does not answer as the original does")


def test_what_is_no_weights_file(tmp_path):
    refused(tmp_path / "none.safetensors", tmp_path / "none.pt2", "There is no weights file")
    (tmp_path / "bad.safetensors").write_bytes(b"12345678{")
    refused(tmp_path / "bad.safetensors", tmp_path / "bad.onnx", "bad.safetensors is not a complete safetensors file")
    grey = dataclasses.replace(tiny_config(), in_channels=1).rechained()
    model, info = load_weights(tiny_checkpoint(tmp_path / "colour.safetensors"))
    save_weights(tmp_path / "grey.safetensors", model, dataclasses.replace(info, network=grey))
    refused(tmp_path / "grey.safetensors", tmp_path / "grey.pt2", "grey.safetensors")
