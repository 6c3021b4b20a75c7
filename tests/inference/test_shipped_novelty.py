"""What the shipped network says of things it was never taught, and of an older file of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from trainings import ROOT

from benchmarks.foreign import GRADIO, SKIMAGE, installed
from googlenet.inference.classifier import Classifier
from googlenet.inference.novelty import FACT, Novelty
from googlenet.language import retell, speaking
from googlenet.models.weights import add_facts, read_info
from googlenet.ui.classify import view

SHIPPED = ROOT / "checkpoints" / "googlenet-cifar10.safetensors"


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(SHIPPED, "cpu")


MISSED = pytest.mark.xfail(strict=True, reason="measured: the shipped network takes it for one of its classes")


@pytest.mark.parametrize(
    "name",
    [
        GRADIO + "cheetah.jpg",
        *(SKIMAGE + name for name in ("retina.jpg", "page.png", "astronaut.png", "coffee.png")),
        *(pytest.param(name, marks=MISSED) for name in (GRADIO + "lion.jpg", SKIMAGE + "rocket.jpg")),
    ],
)
def test_what_it_was_never_taught_looks_like_nothing_it_knows(classifier: Classifier, name: str) -> None:
    found = installed([name])
    if not found:
        pytest.skip(f"{name} comes with a package that is not installed")
    answer = classifier.answer(found[0])
    assert answer.unlike_training
    page, said = view.answer(answer), "If I had to choose a class:"
    closest = next(iter(answer.probabilities))
    assert page.index("This looks like nothing I know.") < page.index(said) < page.index(closest)


def test_what_it_needs_is_small_and_its_errors_were_measured() -> None:
    info = read_info(SHIPPED)
    novelty = Novelty.of(info)
    assert novelty is not None
    assert novelty.name == "features and textures"
    assert len(str(info.facts[FACT])) < 300_000
    assert novelty.false_alarm < 0.06
    assert {"CIFAR-100", "drawn shapes", "lines of text"} <= set(novelty.misses)
    assert novelty.misses["lines of text"] <= 0.02
    assert novelty.misses["photographs of other things"] <= 0.2


def test_a_file_of_the_older_format_keeps_its_warning(classifier: Classifier, tmp_path: Path) -> None:
    older = {"score": "energy", "threshold": -3.4565277099609375, "false_alarm": 0.0444, "misses": {"pixel noise": 0.0}}
    add_facts(SHIPPED, tmp_path / "older.safetensors", **{FACT: older})
    before = Classifier(tmp_path / "older.safetensors", "cpu")
    noise = torch.randint(0, 256, (4, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    logits, scores = before.judged(noise)
    assert torch.equal(logits, classifier.judged(noise)[0])
    assert torch.equal(scores[:, 0], -logits.logsumexp(1))
    answer = before.answer(noise[0].permute(1, 2, 0).numpy())
    assert (answer.novelty.novelty.name, answer.unlike_training) == ("energy", True)


def test_what_its_file_says_of_its_warning_is_told_in_korean_too() -> None:
    known = Novelty.of(read_info(SHIPPED))
    assert known is not None
    said = [known.fitted_on, known.measured_on, *(kind for kind in known.misses if kind != "CIFAR-100")]
    with speaking("ko"):
        told = [retell(text) for text in said]
    assert len(said) == 12
    assert all(re.search("[가-힣]", text) and not re.search("image|folder", text) for text in told), told
