from __future__ import annotations

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from shapes_network import SCORE, shapes_checkpoint
from tiny import CLASSES, tiny_checkpoint
from torch import Tensor
from trainings import ROOT, make_folder

from benchmarks import foreign
from benchmarks.novelty import Answers, auroc, check_held_out, false_positives, main, store
from googlenet.cli.main import main as command_line
from googlenet.data.splits import Split
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.novelty import FACT, SCORES, Novelty, fit
from googlenet.models.weights import read_info
from googlenet.runs import find_checkpoint
from googlenet.ui.classify import view

SHIPPED = sorted((ROOT / "checkpoints").glob("*.safetensors"))


def logits(count: int, seed: int = 0, classes: int = 5) -> Tensor:
    return torch.randn(count, classes, generator=torch.Generator().manual_seed(seed)) * 3


NONE = torch.zeros(0)  # the features, for a score that needs none


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small sets of foreign images: drawing them takes longer than asking about them."""
    monkeypatch.setattr(foreign, "COUNT", 100)
    monkeypatch.setattr(foreign, "CROPS", 5)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Split, Split]:
    return shapes_checkpoint(tmp_path_factory.mktemp("told") / "shapes.safetensors")


# --- the scores and the threshold ---------------------------------------------------------------


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize(("count", "share"), [(1000, 0.05), (997, 0.05), (100, 0.01), (20, 0.5), (7, 0.0)])
def test_a_threshold_keeps_to_its_false_alarms_on_the_images_it_was_fitted_on(name, count, share):
    sample = logits(count)
    novelty = fit(sample, name, share)
    warned = novelty.warns(sample, NONE).sum().item()
    assert warned == math.floor(count * share + 1e-6)  # never more, and one more would be too many
    assert novelty.false_alarm == pytest.approx(warned / count)


def test_scores_are_those_of_their_definitions():
    z = [2.0, -1.0, 0.5]
    parts = [math.exp(value) for value in z]
    shares = [part / sum(parts) for part in parts]
    expected = {
        "energy": -math.log(sum(parts)),
        "max logit": -2.0,
        "max softmax": 1 - max(shares),
        "entropy": -sum(share * math.log(share) for share in shares),
    }
    assert {name: score(torch.tensor(z)).item() for name, score in SCORES.items()} == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", SCORES)
def test_an_undecided_answer_scores_higher_than_a_sure_one(name):
    sure, undecided = torch.tensor([12.0, 0.0, 0.0]), torch.zeros(3)
    assert SCORES[name](undecided) > SCORES[name](sure)


@pytest.mark.parametrize(
    ("sample", "options", "sentence"),
    [
        (torch.zeros(0, 3), {}, "needs images to be fitted on"),
        (torch.full((9, 3), math.nan), {}, "the training diverged"),
        (logits(9), {"name": "magic"}, "score must be one of energy"),
        (logits(9), {"false_alarm": 0.9}, "false alarm must be a number from 0 to 0.5"),
    ],
)
def test_what_cannot_be_fitted_is_one_sentence(sample, options, sentence):
    with pytest.raises(LabError, match=sentence):
        fit(sample, **options)


def test_auroc_counts_pairs():
    familiar, foreign = torch.randint(0, 9, (2, 40), generator=torch.Generator().manual_seed(1)).float()
    pairs = [(b > a) + (a == b) / 2 for a in familiar.tolist() for b in foreign.tolist()]
    assert auroc(familiar, foreign) == pytest.approx(sum(pairs) / len(pairs))


def test_false_positives_are_counted_where_95_of_100_familiar_ones_pass():
    familiar = torch.arange(100.0)
    assert false_positives(familiar, torch.tensor([0.0, 94.0, 94.5, 200.0])) == 0.5
    assert false_positives(familiar, familiar) == 0.95


# --- a network that has learned ------------------------------------------------------------------


def test_shapes_are_told_from_plain_colours(told):
    path, fitting, measuring = told
    classifier = Classifier(path, "cpu")
    novelty = Novelty.from_facts(classifier.info.facts)
    known = classifier.logits(measuring.images)
    assert (known.argmax(1) == measuring.labels).float().mean() > 0.85
    assert novelty.warns(classifier.logits(fitting.images), NONE).float().mean() == pytest.approx(0.05, abs=0.001)
    assert novelty.warns(known, NONE).float().mean() < 0.12  # 400 images: 5% and 6 standard deviations
    plain = foreign.foreign_sets(measuring.images)["plain colours"]
    # A network this small takes noise for a very clear shape; in plain colours it finds none.
    assert auroc(novelty.score(known, NONE), novelty.score(classifier.logits(plain), NONE)) > 0.7


def test_one_picture_is_judged_as_its_batch_is(told):
    path, _, measuring = told
    classifier = Classifier(path, "cpu")
    novelty = Novelty.from_facts(classifier.info.facts)
    scores = novelty.score(classifier.logits(measuring.images[:20]), NONE).tolist()
    for image, score in zip(measuring.images, scores, strict=False):
        verdict = classifier.answer(image.permute(1, 2, 0).numpy()).novelty
        assert verdict.score == pytest.approx(score, abs=1e-4)
        assert verdict.unlike_training == (verdict.score > novelty.threshold)
        assert verdict.to_dict() == {"score": SCORE, "value": verdict.score, "threshold": novelty.threshold}


@pytest.mark.skipif(not SHIPPED, reason="no weights ship yet")
def test_the_shipped_file_errs_as_often_as_it_says():
    classifier = Classifier(SHIPPED[0], "cpu")
    novelty = Novelty.from_facts(classifier.info.facts)
    if novelty is None:
        pytest.skip("the shipped file has no threshold")
    sets = foreign.foreign_sets(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
    for name in ("pixel noise", "plain colours", "lines of text"):
        scores = classifier.judged(sets[name])[1]
        missed = (scores <= novelty.threshold).float().mean().item()
        said = novelty.misses[name]
        assert missed == pytest.approx(said, abs=0.02 + 5 * math.sqrt(said * (1 - said) / 100))


# --- in the weights file --------------------------------------------------------------------------


def test_a_threshold_survives_the_file(tmp_path: Path):
    path = tiny_checkpoint(tmp_path / "a.safetensors", epoch=3)
    before = load_file(path)
    novelty = fit(logits(50), fitted_on="50 images").measured(
        logits(40, 1)[:, 0], {"noise": logits(30, 2)[:, 0]}, "40 others"
    )
    store(path, novelty)
    info = read_info(path)
    assert Novelty.from_facts(info.facts) == novelty
    assert info.facts["epoch"] == 3
    after = load_file(path)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) and before[name].dtype == after[name].dtype for name in before)


def test_halves_stay_halves(tmp_path: Path):
    from googlenet.models.weights import load_weights, save_weights

    path = tiny_checkpoint(tmp_path / "a.safetensors")
    save_weights(path, *load_weights(path), half=True)
    before = load_file(path)
    store(path, fit(logits(50)))
    after = load_file(path)
    assert torch.float16 in {tensor.dtype for tensor in after.values()}
    assert all(torch.equal(before[name], after[name]) and before[name].dtype == after[name].dtype for name in before)


GOOD = {"score": "energy", "threshold": -2.5, "false_alarm": 0.05, "misses": {"noise": 0.1}, "fitted_on": "x"}


@pytest.mark.parametrize(
    "said",
    [
        None,
        7,
        [],
        {},
        {**GOOD, "score": "magic"},
        {**GOOD, "score": ["energy"]},
        {**GOOD, "threshold": math.nan},
        {**GOOD, "threshold": math.inf},
        {**GOOD, "threshold": "-2.5"},
        {**GOOD, "threshold": True},
        {**GOOD, "false_alarm": 2},
        {**GOOD, "false_alarm": None},
    ],
)
def test_what_a_strangers_file_says_is_used_only_when_it_is_sound(said: Any, tmp_path: Path):
    assert Novelty.from_facts({FACT: said}) is None
    path = tiny_checkpoint(tmp_path / "a.safetensors", **{FACT: said})
    assert Classifier(path, "cpu").answer(np.zeros((32, 32, 3), np.uint8)).novelty is None
    assert "holds no threshold" in view.facts(find_checkpoint(tmp_path))


def test_unsound_details_are_left_out():
    odd = {"noise": 0.1, "bad": math.nan, "worse": "0.2", "long" * 100: 0.3, **{f"set {n}": 0.5 for n in range(99)}}
    novelty = Novelty.from_facts({FACT: {**GOOD, "misses": odd, "fitted_on": ["<b>"], "extra": 1}})
    assert novelty.misses["noise"] == 0.1
    assert {"bad", "worse"}.isdisjoint(novelty.misses)
    assert len(novelty.misses) <= 20
    assert max(map(len, novelty.misses)) <= 200
    assert json.loads(json.dumps(novelty.to_facts())) == novelty.to_facts()
    assert Novelty.from_facts({FACT: {**GOOD, "misses": 3}}).misses == {}


# --- by command ------------------------------------------------------------------------------------


def test_the_benchmark_fits_measures_and_stores(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = make_folder(tmp_path / "colours", 60, 40)
    path = tiny_checkpoint(tmp_path / "a.safetensors", ("blue", "green", "red"), seed=5)
    # This network has learned nothing, so it cannot have learned the held-out images either.
    near = tmp_path / "near.zip"
    with zipfile.ZipFile(near, "w") as archive:
        for number in range(6):
            picture = io.BytesIO()
            Image.new("RGB", (32, 32), (40 * number, 0, 0)).save(picture, "PNG")
            archive.writestr(f"reds/{number}.png", picture.getvalue())
    arguments = [str(path), "--data", str(data), "--device", "cpu", "--store", "--score", "entropy"]
    arguments += ["--near", str(near)]
    assert main([*arguments, "--validation", "0.2", "--false-alarm", "0.1"]) == 0
    printed = capsys.readouterr().out
    assert "photographs of other things" in printed
    assert "CIFAR-100                            3 images" in printed  # the reporting half
    assert "far, the mean of" in printed
    assert "\nentropy: warning above" in printed
    novelty = Novelty.from_facts(read_info(path).facts)
    assert (novelty.name, novelty.fitted_on) == ("entropy", "36 validation images of folder colours")
    assert f"false alarms {novelty.false_alarm:.1%} on 120 test images" in printed
    assert set(novelty.misses) >= {"drawn shapes", "pixel noise", "photographs near a class"}

    assert main([*arguments, "--fit-on", "test"]) == 0
    assert Novelty.from_facts(read_info(path).facts).fitted_on == "60 test images of folder colours"

    (tmp_path / "no.zip").write_bytes(b"PK")
    assert main([*arguments, "--near", str(tmp_path / "no.zip")]) == 2
    assert "no.zip is no zip file that can be read" in capsys.readouterr().err
    assert main([*arguments, "--validation", "0"]) == 2
    assert "needs held-out images" in capsys.readouterr().err
    for split in ("train", "test"):
        (data / split / "red").rename(data / split / "crimson")
    assert main([str(path), "--data", str(data)]) == 2
    assert capsys.readouterr().err.startswith("error: Class 1 is 'green' in a.safetensors but 'crimson'")


def test_learned_images_are_no_held_out_images():
    """Right on 1,000 of 1,000 images to fit on, but on 900 of 1,000 others: no threshold from such images."""
    labels = torch.arange(1000) % 5
    right = torch.nn.functional.one_hot(labels, 5).float()
    some = torch.where((torch.arange(1000) % 10 == 0)[:, None], right.roll(1, 1), right)
    images = Split(torch.zeros(1000, 3, 32, 32, dtype=torch.uint8), labels)
    learned, new = Answers(right, right), Answers(some, some)
    check_held_out(new, images, new, images)
    check_held_out(new, images, learned, images)
    with pytest.raises(LabError, match=r"accuracy 100\.0% there, 90\.0% on the test images\): use --fit-on test"):
        check_held_out(learned, images, new, images)


def test_the_command_line_warns(told, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path, _, measuring = told
    classifier = Classifier(path, "cpu")
    scores = Novelty.from_facts(classifier.info.facts).score(classifier.logits(measuring.images), NONE)
    for name, index in (("odd", scores.argmax()), ("clear", scores.argmin())):
        Image.fromarray(measuring.images[index].permute(1, 2, 0).numpy()).save(tmp_path / f"{name}.png")
    files = [str(tmp_path / "odd.png"), str(tmp_path / "clear.png")]
    assert command_line(["classify", str(path), *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    doubt = ": This looks like nothing I know. Closest of its 4 classes: "
    assert [doubt in line for line in lines] == [True, False]
    assert lines[0].startswith(f"{tmp_path / 'odd.png'}{doubt}")
    assert command_line(["classify", str(path), *files, "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert [answer["unlike_training"] for answer in answers] == [True, False]
    assert answers[0]["novelty"]["value"] == pytest.approx(scores.max().item(), abs=1e-4)

    plain = tiny_checkpoint(tmp_path / "plain.safetensors", CLASSES)
    assert command_line(["classify", str(plain), files[0], "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)[0]
    assert (answer["unlike_training"], answer["novelty"]) == (None, None)
