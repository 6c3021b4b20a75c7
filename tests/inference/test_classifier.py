from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny import CLASSES, MEAN, STD, tiny_checkpoint, tiny_config

from googlenet.data import images
from googlenet.errors import LabError
from googlenet.inference import classifier
from googlenet.inference.classifier import Classifier, load_classifier
from googlenet.models.googlenet import GoogLeNet


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


def noise(count: int, height: int = 32, width: int = 32) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (count, height, width, 3), np.uint8)


def by_hand(weights: Path, image: np.ndarray) -> dict[str, float]:
    """The answer by a plain forward pass: torch's own loading, arithmetic written out."""
    model = GoogLeNet(tiny_config())
    model.load_state_dict(load_file(weights))
    model.eval()
    x = torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)[None]
    x = (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)
    with torch.no_grad():
        return dict(zip(CLASSES, model(x).softmax(1)[0].tolist(), strict=True))


def test_classify_agrees_with_a_forward_pass_by_hand(weights: Path) -> None:
    image = noise(1)[0]
    answer, expected = Classifier(weights, "cpu").classify(image), by_hand(weights, image)
    assert answer == pytest.approx(expected, abs=1e-5)
    assert max(expected.values()) - min(expected.values()) > 0.05, "the weights must tell classes apart"


def test_the_likeliest_class_comes_first_and_all_sum_to_one(weights: Path) -> None:
    for answer in Classifier(weights, "cpu").classify_many(noise(20)):
        assert list(answer.values()) == sorted(answer.values(), reverse=True)
        assert sum(answer.values()) == pytest.approx(1, abs=1e-5)
        assert set(answer) == set(CLASSES)


def test_the_answer_does_not_depend_on_the_batch(weights: Path) -> None:
    classifier, images = Classifier(weights, "cpu"), list(noise(13))
    alone = [classifier.classify(image) for image in images]
    for size in (1, 4, 13, 64):
        for answer, expected in zip(classifier.classify_many(iter(images), size), alone, strict=True):
            assert answer == pytest.approx(expected, abs=1e-5)
    assert classifier.classify_many([]) == []


def test_nothing_is_left_to_chance_or_gradients(weights: Path) -> None:
    classifier, image = Classifier(weights, "cpu"), noise(1)[0]
    before = {name: tensor.clone() for name, tensor in classifier.model.state_dict().items()}
    assert classifier.classify(image) == classifier.classify(image)
    assert not classifier.logits(torch.zeros(1, 3, 32, 32, dtype=torch.uint8)).requires_grad
    assert all(torch.equal(before[name], tensor) for name, tensor in classifier.model.state_dict().items())


def test_files_bytes_images_and_arrays_get_the_same_answer(weights: Path, tmp_path: Path) -> None:
    classifier, path, array = Classifier(weights, "cpu"), tmp_path / "a.png", noise(1, 40, 60)[0]
    Image.fromarray(array).save(path)
    answers = classifier.classify_many([path, str(path), path.read_bytes(), Image.open(path), array])
    assert all(answer == pytest.approx(answers[0], abs=1e-6) for answer in answers)


def test_input_image_is_what_the_network_sees(weights: Path) -> None:
    classifier, picture = Classifier(weights, "cpu"), Image.fromarray(noise(1, 50, 90)[0])
    seen = classifier.input_image(picture)
    assert (seen.size, seen.mode) == ((32, 32), "RGB")
    assert classifier.classify(picture) == pytest.approx(by_hand(weights, np.asarray(seen)), abs=1e-5)


def test_an_answer_takes_one_decoding_and_one_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks: the class, the command line, the endpoint and the tab."""
    from googlenet.cli.main import main
    from googlenet.ui.classify.tab import answer_for, classify_upload

    folder, photo = tmp_path / "checkpoints", tmp_path / "photo.png"
    path = tiny_checkpoint(
        folder / "told.safetensors", novelty={"score": "energy", "threshold": 0.0, "false_alarm": 0.05}
    )
    Image.fromarray(noise(1, 60, 90)[0]).save(photo)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    decodes: list[str] = []
    passes: list[int] = []
    opened, forward = images._open, GoogLeNet.forward
    monkeypatch.setattr(images, "_open", lambda content, name: (decodes.append(name), opened(content, name))[1])
    monkeypatch.setattr(GoogLeNet, "forward", lambda self, x: (passes.append(len(x)), forward(self, x))[1])
    with_features = classifier.pooled
    monkeypatch.setattr(classifier, "pooled", lambda model, x: (passes.append(len(x)), with_features(model, x))[1])

    def counted() -> tuple[list[str], list[int]]:
        seen = decodes[:], passes[:]
        decodes.clear()
        passes.clear()
        return seen

    answer = Classifier(path, "cpu").answer(photo)
    assert counted() == (["photo.png"], [1])
    assert answer.novelty is not None
    assert (answer.picture.size, answer.seen.size) == ((90, 60), (32, 32))
    assert answer.probabilities == by_hand_ordered(answer.logits)
    Classifier(path, "cpu").classify(photo)
    assert counted() == (["photo.png"], [1])
    assert main(["classify", str(path), str(photo), "--device", "cpu"]) == 0
    assert counted() == (["photo.png"], [1])
    upload = {"path": str(photo)}
    classify_upload(folder, upload, "told")
    assert counted() == (["photo.png"], [1])
    answer_for(folder, upload, "told")
    assert counted() == (["photo.png"], [1])


def by_hand_ordered(logits: torch.Tensor) -> dict[str, float]:
    shares = dict(zip(CLASSES, logits.softmax(0).tolist(), strict=True))
    return dict(sorted(shares.items(), key=lambda pair: -pair[1]))


def test_input_size_comes_from_the_file(tmp_path: Path) -> None:
    path = tiny_checkpoint(tmp_path / "w.safetensors", config=tiny_config(input_size=48))
    assert Classifier(path, "cpu").input_image(noise(1)[0]).size == (48, 48)


def test_a_bad_picture_among_good_ones_is_named(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "words.png").write_text("words")
    with pytest.raises(LabError, match=r"words\.png"):
        Classifier(weights, "cpu").classify_many([noise(1)[0], tmp_path / "words.png"])


# --- weights files ----------------------------------------------------------------------------


def test_bad_weights_files_get_one_sentence_with_their_name(weights: Path, tmp_path: Path) -> None:
    whole = weights.read_bytes()
    contents = {
        "short.safetensors": whole[: len(whole) // 2],
        "header.safetensors": whole[:40],
        "empty.safetensors": b"",
        "words.safetensors": b"not weights at all\n" * 9,
        "pickle.safetensors": pickle.dumps({"weights": [1, 2, 3]}),
    }
    for name, content in contents.items():
        path = tmp_path / name
        path.write_bytes(content)
        for load in (Classifier, load_classifier):
            with pytest.raises(LabError, match=name):
                load(path)
    for load in (Classifier, load_classifier):
        with pytest.raises(LabError, match="gone"):
            load(tmp_path / "gone.safetensors")
        with pytest.raises(LabError):
            load(tmp_path)
        with pytest.raises(LabError):
            load("nul\0byte")


def test_a_pickle_is_never_executed(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "executed"),)

    path = tmp_path / "trap.safetensors"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(LabError):
        Classifier(path)
    assert not (tmp_path / "executed").exists()


def test_foreign_safetensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(3)}, path, metadata={"format": "pt"})
    with pytest.raises(LabError, match=r"foreign\.safetensors was not written by this lab"):
        Classifier(path)


def test_a_network_for_other_channels_is_refused(tmp_path: Path) -> None:
    config = tiny_config(in_channels=1).rechained()
    model = GoogLeNet(config)
    from googlenet.models.weights import WeightsInfo, save_weights

    save_weights(tmp_path / "grey.safetensors", model, WeightsInfo(config, CLASSES, MEAN, STD))
    with pytest.raises(LabError, match="takes 1 channel"):
        Classifier(tmp_path / "grey.safetensors")


def test_a_diverged_network_says_so(tmp_path: Path, weights: Path) -> None:
    from safetensors import safe_open

    tensors = load_file(weights)
    tensors["fc.bias"][:] = float("nan")
    with safe_open(weights, "pt") as file:
        save_file(tensors, tmp_path / "diverged.safetensors", metadata=file.metadata())
    with pytest.raises(LabError, match="diverged"):
        Classifier(tmp_path / "diverged.safetensors", "cpu").classify(noise(1)[0])


def test_load_classifier_keeps_the_file_until_it_changes(tmp_path: Path) -> None:
    path = tiny_checkpoint(tmp_path / "w.safetensors", seed=1)
    first = load_classifier(path, "cpu")
    assert load_classifier(str(path), "cpu") is first
    tiny_checkpoint(path, seed=2)
    second = load_classifier(path, "cpu")
    assert second is not first
    image = noise(1)[0]
    assert second.classify(image) != pytest.approx(first.classify(image), abs=1e-3)
