"""Weights for larger pictures are judged on a folder of them, decoded as their file says and a batch at a time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import tiny_checkpoint, tiny_config

from googlenet.cli.main import main
from googlenet.data.pictures import Found
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import evaluate, summarise
from googlenet.inference.streamed import LabelledPictures, class_numbers, evaluate_pictures, find_labelled, is_streamed
from googlenet.language import language, speaking
from googlenet.ui.evaluate import checkpoint_events, checkpoint_view
from googlenet.ui.evaluate.answers import AnswerBook

NAMES = ("Tabby cat", "dog", "tree frog")
SYNSETS = ("n01440764", "n01443537", "n02111889")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.safetensors"
    return tiny_checkpoint(path, NAMES, config=tiny_config(input_size=64), resize=72)


@pytest.fixture(autouse=True)
def _in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Classifier, "fast_dtype", torch.float32)


def draw(folder: Path, names: tuple[str, ...], each: int = 7) -> Path:
    """`each` pictures of several shapes in every one of the folders."""
    rng = np.random.default_rng(0)
    for name in names:
        (folder / name).mkdir(parents=True)
        for number in range(each):
            coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
            coarse.resize((90 + 20 * number, 80)).save(folder / name / f"{number}.png")
    return folder


def by_hand(weights: Path, folder: Path, names: tuple[str, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and labels, a picture at a time, through what answers a visitor."""
    classifier = Classifier(weights, "cpu")
    files = [(label, file) for label, name in enumerate(names) for file in sorted((folder / name).iterdir())]
    answers = [classifier.answer(file).logits for _, file in files]
    return torch.stack(answers), torch.tensor([label for label, _ in files])


@pytest.mark.parametrize("names", [("tabby_cat", "DOG", "Tree_Frog"), SYNSETS])
@pytest.mark.parametrize("under", ["", "val", "test"])
def test_figures_are_those_of_one_picture_at_a_time(weights, tmp_path, names, under):
    draw(tmp_path / under, names)
    if under:
        draw(tmp_path / "train", names, 1)
    logits, labels = by_hand(weights, tmp_path / under, names)
    expected = summarise(Classifier(weights, "cpu"), logits, labels, 1, False)
    heard: list[float] = []
    result = evaluate(
        weights, str(tmp_path), device="cpu", batch_size=4, progress=lambda share, text: heard.append(share)
    )
    assert (result.n, result.accuracy) == (21, expected.accuracy)
    assert torch.equal(result.labels.bincount(), labels.bincount())
    assert result.loss == pytest.approx(expected.loss, abs=1e-4)
    assert np.array_equal(result.confusion, expected.confusion)
    assert (heard, heard[-1]) == (sorted(heard), 1)


def test_a_subset_of_the_classes_is_judged_and_said(weights, tmp_path, capsys):
    draw(tmp_path, ("dog", "tree_frog"), 2)
    (tmp_path / "dog" / "notes.txt").write_text("no picture")
    (tmp_path / "dog" / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    assert main(["evaluate", str(weights), "--data", str(tmp_path), "--device", "cpu", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["data"] == (f"4 test images of folder {tmp_path.name}, of 2 of the 3 classes; 1 could not be read")
    assert (said["n"], said["per_class"]["Tabby cat"]) == (4, None)
    assert main(["evaluate", str(weights), "--data", str(tmp_path), "--device", "cpu", "--flip"]) == 0
    assert "mean of image and mirror image" in capsys.readouterr().out


def test_names_that_fit_no_class_are_refused_in_a_sentence(weights, tmp_path):
    with pytest.raises(LabError, match=r"No class of these weights is called 'car', 'van' \(they know 'Tabby cat'"):
        class_numbers(["car", "dog", "van"], NAMES)
    with pytest.raises(LabError, match="There are 2 folders named like n01440764 and 3 classes"):
        class_numbers(SYNSETS[:2], NAMES)
    assert class_numbers([SYNSETS[2], SYNSETS[0], SYNSETS[1]], NAMES) == [2, 0, 1]
    info = Classifier(weights, "cpu").info
    with pytest.raises(LabError, match="take 64×64 pictures and CIFAR-10 has 32×32: give a folder"):
        is_streamed(info, "cifar10")
    for source, sentence in (
        (tmp_path / "none", "There is no folder"),
        (tmp_path, "has no folders in it"),
        ("a\0b", "There is no folder"),
    ):
        with pytest.raises(LabError, match=sentence):
            find_labelled(str(source), NAMES)
    (tmp_path / "dog").mkdir()
    with pytest.raises(LabError, match="have no pictures"):
        find_labelled(str(tmp_path), NAMES)
    (tmp_path / "train").mkdir()
    with pytest.raises(LabError, match="has no test/ or val/"):
        find_labelled(str(tmp_path), NAMES)


def test_what_cannot_be_read_at_all(weights, tmp_path):
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "cut.png").write_bytes(b"\x89PNG")
    with pytest.raises(LabError, match=r"None of the 1 pictures can be read. The first: dog/cut.png"):
        evaluate(weights, str(tmp_path), device="cpu")


def test_other_threads_speak_the_language_of_who_asked(weights):
    heard = []
    found = Found("dog/a.png", "dog", lambda: heard.append(language()) or b"")
    pictures = LabelledPictures("x", NAMES, (found,), torch.tensor([0]))
    with speaking("ko"), pytest.raises(LabError, match=r"^사진 1장 중 읽을 수 있는 것이 없습니다"):
        evaluate_pictures(Classifier(weights, "cpu"), pictures)
    assert heard == ["ko"]


def test_it_can_be_stopped(weights, tmp_path):
    class Cancelled(Exception):
        pass

    def cancel(share: float, text: str) -> None:
        if share > 0:
            raise Cancelled(text)

    pictures = find_labelled(str(draw(tmp_path, ("dog",))), NAMES)
    with pytest.raises(Cancelled, match="Judged 2 of 7 pictures"):
        evaluate_pictures(Classifier(weights, "cpu"), pictures, batch_size=2, progress=cancel)


def test_the_evaluate_tab_draws_it(weights, tmp_path):
    checkpoints, folder = tmp_path / "checkpoints", draw(tmp_path / "animals", NAMES, 3)
    checkpoints.mkdir()
    for name in ("large", "other"):
        (checkpoints / f"{name}.safetensors").write_bytes(weights.read_bytes())
    book = AnswerBook(checkpoints, "shapes")
    with pytest.raises(LabError, match="take 64×64 pictures"):
        book.ask("large")
    drawn = checkpoint_events.look(book, "large", str(folder), None)
    assert "the 9 test images of folder animals" in drawn[0]
    answers = book.ask("large", str(folder))
    assert answers.image(8).size == (130, 80)  # whole, for Classify
    assert max(answers.thumbnail(8).image.size) <= 96
    checkpoint_events.side_by_side(book, "large", "other", str(folder), None)


def test_a_thousand_classes_show_their_weakest(tmp_path):
    classes = tuple(f"class {number}" for number in range(200))
    path = tiny_checkpoint(tmp_path / "many.safetensors", classes)
    labels = torch.arange(150)
    result = summarise(Classifier(path, "cpu"), torch.randn(150, 200), labels, 1, False)
    bars = checkpoint_view.class_bars(result)
    assert bars.count("<li>") == checkpoint_view.WEAKEST
    assert "20 of 150" in bars
    assert "Without images here: 50 classes" in bars
