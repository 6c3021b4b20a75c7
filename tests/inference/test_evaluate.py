from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from tiny import CLASSES, tiny_checkpoint, tiny_config

from googlenet.config import AuxConfig, ConvConfig, GoogLeNetConfig, InceptionConfig, LRNConfig, PoolConfig
from googlenet.data.datasets import ImageSet, Split
from googlenet.errors import LabError
from googlenet.inference.calibration import expected_calibration_error, wilson_interval
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import evaluate, evaluate_split
from googlenet.models.fast.folded import fold
from googlenet.models.presets import preset


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier(tiny_checkpoint(tmp_path_factory.mktemp("weights") / "tiny.safetensors"), "cpu")


def random_split(count: int, classes: int = 3, seed: int = 0) -> Split:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 3, 32, 32), generator=generator, dtype=torch.uint8)
    return Split(images, torch.randint(0, classes, (count,), generator=generator))


def image_set(test: Split, classes: tuple[str, ...] = CLASSES) -> ImageSet:
    train = random_split(4, seed=9)
    return ImageSet("somewhere", "folder somewhere", train, test, classes, (0, 0, 0), (1, 1, 1), False)


def plain_loop(classifier: Classifier, split: Split, *, flip: bool) -> tuple[float, float]:
    """Accuracy and mean cross entropy, an image at a time, without the code under test."""
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (classifier.info.mean, classifier.info.std))
    right, loss = 0, 0.0
    for image, label in zip(split.images, split.labels.tolist(), strict=True):
        x = (image.float() / 255 - mean) / std
        with torch.no_grad():
            logits = classifier.model(x[None])[0]
            if flip:
                logits = (logits + classifier.model(x.flip(-1)[None])[0]) / 2
        right += int(logits.argmax()) == label
        loss -= math.log(float(logits.double().softmax(0)[label]))
    return right / len(split.labels), loss / len(split.labels)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("batch_size", [1, 7, 500])
def test_figures_are_those_of_a_plain_loop(
    classifier: Classifier, flip: bool, batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Classifier, "fast_dtype", torch.float32)  # also where bfloat16 is native
    split, classifier = random_split(60), Classifier(classifier.path, "cpu")
    accuracy, loss = plain_loop(classifier, split, flip=flip)
    result = evaluate(classifier, image_set(split), flip=flip, batch_size=batch_size)
    assert result.accuracy == accuracy
    assert result.loss == pytest.approx(loss, abs=1e-4)
    assert result.n == 60
    assert 0 < accuracy < 1


def test_flip_averaging_sees_no_difference_between_an_image_and_its_mirror(classifier: Classifier) -> None:
    split = random_split(20)
    mirrored = Split(split.images.flip(-1), split.labels)
    once, twice = (evaluate_split(classifier, part, flip=True).probabilities for part in (split, mirrored))
    assert torch.allclose(once, twice, atol=1e-5)
    plain = evaluate_split(classifier, split).probabilities
    assert not torch.allclose(once, plain, atol=1e-3)


def test_confusion_and_classes_add_up(classifier: Classifier) -> None:
    split = random_split(80, classes=2)  # no frog
    result = evaluate_split(classifier, split)
    predicted = result.probabilities.argmax(1)
    for true in range(3):
        for guess in range(3):
            expected = int(((split.labels == true) & (predicted == guess)).sum())
            assert result.confusion[true][guess] == expected
    cats = split.labels == 0
    assert result.per_class["cat"] == pytest.approx(float((predicted[cats] == 0).float().mean()))
    assert result.per_class["frog"] is None
    assert result.intervals["frog"] is None
    assert result.intervals["cat"] == wilson_interval(int((predicted[cats] == 0).sum()), int(cats.sum()))
    assert result.interval == wilson_interval(round(result.accuracy * 80), 80)
    assert list(result.per_class) == list(CLASSES)


def test_a_cell_lists_its_images_the_most_confident_first(classifier: Classifier) -> None:
    result = evaluate_split(classifier, random_split(80))
    confidence, guess = result.probabilities.max(1)
    for true in range(3):
        for predicted in range(3):
            found = result.cell(true, predicted)
            inside = ((result.labels == true) & (guess == predicted)).nonzero().flatten().tolist()
            assert sorted(found) == inside
            assert len(found) == result.confusion[true][predicted]
            shares = confidence[found].tolist()
            assert shares == sorted(shares, reverse=True)
    for wrong in ((3, 0), (0, -1), (0, "dog")):
        with pytest.raises(LabError, match="must be a whole number from 0 to 2"):
            result.cell(*wrong)


def test_calibration_is_told_before_and_after_the_temperature(classifier: Classifier, tmp_path: Path) -> None:
    split = random_split(60)
    plain = evaluate_split(classifier, split)
    assert (plain.temperature, plain.scaled_loss) == (1, plain.loss)
    assert plain.scaled_calibration_error == plain.calibration_error
    scaled = evaluate_split(Classifier(tiny_checkpoint(tmp_path / "t.safetensors", temperature=3.0), "cpu"), split)
    assert torch.equal(scaled.logits, plain.logits)
    assert (scaled.loss, scaled.calibration_error) == (plain.loss, plain.calibration_error)
    softer = (plain.logits / 3).softmax(1)
    assert torch.allclose(scaled.probabilities, softer)
    assert scaled.scaled_loss == pytest.approx(-softer.log().gather(1, split.labels[:, None]).mean().item(), rel=1e-5)
    assert scaled.scaled_calibration_error == pytest.approx(expected_calibration_error(softer, split.labels))


@pytest.mark.parametrize("said", [0, -1, "2", None, True, math.inf, [2]])
def test_a_temperature_that_is_none_counts_as_not_said(said: object, tmp_path: Path) -> None:
    assert Classifier(tiny_checkpoint(tmp_path / "odd.safetensors", temperature=said), "cpu").temperature == 1


def test_a_path_will_do_and_the_split_is_chosen(classifier: Classifier) -> None:
    data = image_set(random_split(10))
    assert evaluate(str(classifier.path), data, device="cpu").n == 10
    assert evaluate(classifier.path, data, "train", device="cpu").n == 4
    with pytest.raises(LabError, match="split must be one of test, train"):
        evaluate(classifier, data, "validation")


def test_figures_are_plain_json(classifier: Classifier) -> None:
    result = evaluate_split(classifier, random_split(10))
    plain = json.loads(json.dumps(result.to_dict()))
    assert plain["n"] == 10
    assert plain["images_per_second"] == pytest.approx(10 / plain["seconds"])


def test_progress_reaches_the_end(classifier: Classifier) -> None:
    heard: list[tuple[float, str]] = []
    evaluate_split(classifier, random_split(10), batch_size=4, progress=lambda *told: heard.append(told))
    assert [round(share, 1) for share, _ in heard] == [0.4, 0.8, 1.0]
    assert heard[-1][1] == "Judged 10 of 10 images"


@pytest.mark.parametrize(
    ("classes", "difference"),
    [
        (("cat", "dog"), "knows 3 classes but folder somewhere has 2"),
        (("cat", "frog", "dog"), "Class 1 is 'dog' in tiny.safetensors but 'frog' in folder somewhere"),
        (("Cat", "dog", "frog"), "Class 0 is 'cat' in tiny.safetensors but 'Cat' in folder somewhere"),
    ],
)
def test_other_classes_are_named(classifier: Classifier, classes: tuple[str, ...], difference: str) -> None:
    with pytest.raises(LabError) as refusal:
        evaluate(classifier, image_set(random_split(4), classes))
    assert difference in str(refusal.value)


def test_what_cannot_be_evaluated_is_refused(classifier: Classifier, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no images"):
        evaluate_split(classifier, random_split(0))
    with pytest.raises(LabError, match="batch size must be a whole number"):
        evaluate_split(classifier, random_split(2), batch_size=0)
    large = Classifier(tiny_checkpoint(tmp_path / "large.safetensors", config=tiny_config(input_size=48)), "cpu")
    with pytest.raises(LabError, match=r"takes 48×48 images but the data has 32×32"):
        evaluate_split(large, random_split(2))
    with pytest.raises(LabError, match=r"gone\.safetensors"):
        evaluate(tmp_path / "gone.safetensors", image_set(random_split(2)))


# --- folded batch norm ------------------------------------------------------------------------


NETWORKS = {
    "batch norm": tiny_config(),
    "biases": tiny_config(batch_norm=False),
    "heads": tiny_config(aux=(AuxConfig("aux1", "inception3a", 16, channels=8, hidden=16, adaptive=2),)),
    "all layers": GoogLeNetConfig(
        "all",
        (
            ConvConfig("conv1", 3, 8, 7, stride=2, padding=3, relu=False),
            LRNConfig("norm1"),
            InceptionConfig.make_naive("naive", 8, 4, 6, 3),
            PoolConfig("pool", ceil_mode=True),
            InceptionConfig("three", 21, 4, 4, 6, 2, 3, 3, ch5x5_kernel=3),
        ),
        num_classes=3,
        input_size=32,
        batch_norm=True,
        average_pool=False,
    ),
    "cifar10": preset("cifar10", 3),
}


@pytest.mark.parametrize("config", NETWORKS.values(), ids=NETWORKS)
def test_a_folded_network_answers_as_the_network(config: GoogLeNetConfig, tmp_path: Path) -> None:
    model = Classifier(tiny_checkpoint(tmp_path / "w.safetensors", config=config), "cpu").model
    images = torch.randn(16, 3, 32, 32)
    with torch.inference_mode():
        plain, exact, half = model(images), fold(model)(images), fold(model, torch.bfloat16)(images)
        assert torch.allclose(plain, exact, rtol=1e-4, atol=1e-4 * float(plain.abs().max()))
        assert half.dtype == torch.float32
        assert float((plain - half).abs().max()) < 0.03 * float(plain.abs().max())
        assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in fold(model).modules())
        assert torch.equal(model(images), plain)  # the network itself is as it was


@pytest.mark.skipif(not torch.cuda.is_available(), reason="fused convolutions are a GPU's")
def test_a_gpu_answers_as_the_processor(classifier: Classifier) -> None:
    split = random_split(60)
    here, there = (evaluate_split(Classifier(classifier.path, device), split) for device in ("cpu", "cuda"))
    scale = float(here.logits.abs().max())
    assert float((here.logits - there.logits).abs().max()) < (0.03 if there.precision == "bfloat16" else 0.003) * scale


def test_a_batch_that_does_not_fit_is_halved_until_it_does(classifier: Classifier, tmp_path: Path) -> None:
    """Memory runs out for real on a GPU alone; here a hook on the first layer runs out above five images."""

    def refuse(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if len(inputs[0]) > 5:
            raise torch.OutOfMemoryError

    small = Classifier(classifier.path, "cpu")
    split = random_split(13)
    next(small.fast_model.children()).register_forward_pre_hook(refuse)
    heard: list[str] = []
    result = evaluate_split(small, split, batch_size=16, progress=lambda share, text: heard.append(text))
    assert heard == [
        "Judged 4 of 13 images",
        "Judged 8 of 13 images",
        "Judged 12 of 13 images",
        "Judged 13 of 13 images",
    ]
    assert torch.allclose(result.logits, evaluate_split(classifier, split).logits, atol=1e-4)
