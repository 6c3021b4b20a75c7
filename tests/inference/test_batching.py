"""Pictures of several threads in one forward pass: each gets its own answer, or its own error."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from tiny import tiny_checkpoint
from torch import Tensor

from googlenet.errors import LabError
from googlenet.inference.batching import MOST, Batcher
from googlenet.inference.classifier import Classifier


class Doubler:
    """Doubles; refuses 13; the first pass waits until it is let go, so that others gather behind it."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.threads: set[int] = set()
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, pictures: Tensor) -> Tensor:
        self.sizes.append(len(pictures))
        self.threads.add(threading.get_ident())
        self.begun.set()
        assert self.go.wait(10)
        if (pictures == 13).any():
            raise LabError("13 is refused.")
        return 2 * pictures


def asked(batcher: Batcher, double: Doubler, numbers: range) -> list[float | str]:
    """What each thread gets that asks while an earlier question is being answered."""

    def ask(number: int) -> float | str:
        try:
            return batcher(torch.tensor([float(number)])).item()
        except LabError as error:
            return str(error)

    with ThreadPoolExecutor(len(numbers) + 1) as threads:
        first = threads.submit(ask, 1000)
        assert double.begun.wait(10)
        answers = [threads.submit(ask, number) for number in numbers]
        while len(batcher._waiting) < len(numbers):
            pass
        double.go.set()
        assert first.result(10) == 2000
        return [answer.result(10) for answer in answers]


def test_those_who_wait_share_a_pass_and_each_gets_its_own_answer() -> None:
    double = Doubler()
    assert asked(Batcher(double), double, range(20, 33)) == [2 * number for number in range(20, 33)]
    assert double.sizes == [1, 8, 4, 1]  # few sizes: each is prepared for once
    assert len(double.threads) == 1


def test_a_pass_takes_no_more_than_its_most() -> None:
    double = Doubler()
    numbers = range(100, 100 + MOST + 1)
    assert asked(Batcher(double), double, numbers) == [2 * number for number in numbers]
    assert double.sizes == [1, MOST, 1]


def test_a_picture_that_fails_harms_no_other() -> None:
    double = Doubler()
    expected = [2 * number if number != 13 else "13 is refused." for number in range(10, 18)]
    batcher = Batcher(double)
    assert asked(batcher, double, range(10, 18)) == expected
    assert batcher(torch.tensor([0.0])).item() == 0  # and it goes on


def test_answers_of_a_crowd_are_those_of_one_by_one(tmp_path: Path) -> None:
    classifier = Classifier(tiny_checkpoint(tmp_path / "w.safetensors"), "cpu")
    pictures = torch.randint(0, 256, (24, 32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with ThreadPoolExecutor(24) as threads:
        together = list(threads.map(classifier.answer, pictures.numpy()))
    for picture, answer in zip(pictures, together, strict=True):
        alone = classifier.logits(picture.permute(2, 0, 1)[None])[0]
        assert torch.allclose(answer.logits, alone, rtol=1e-4, atol=1e-5)
