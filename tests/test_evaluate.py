from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from tiny import CLASSES, tiny_checkpoint, tiny_config

from googlenet.config import LabError
from googlenet.data.datasets import ImageSet, Split
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import evaluate, evaluate_split


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
def test_figures_are_those_of_a_plain_loop(classifier: Classifier, flip: bool, batch_size: int) -> None:
    split = random_split(60)
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
    assert list(result.per_class) == list(CLASSES)


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
    with pytest.raises(LabError, match="batch_size must be a whole number"):
        evaluate_split(classifier, random_split(2), batch_size=0)
    large = Classifier(tiny_checkpoint(tmp_path / "large.safetensors", config=tiny_config(input_size=48)), "cpu")
    with pytest.raises(LabError, match=r"takes 48×48 images but the data has 32×32"):
        evaluate_split(large, random_split(2))
    with pytest.raises(LabError, match=r"gone\.safetensors"):
        evaluate(tmp_path / "gone.safetensors", image_set(random_split(2)))
