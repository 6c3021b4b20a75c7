from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from googlenet.errors import LabError
from googlenet.inference.calibration import (
    expected_calibration_error,
    fit_temperature,
    reliability,
    wilson_interval,
)


def answers(count: int = 4000, classes: int = 5, temperature: float = 1.0, seed: int = 0) -> tuple[torch.Tensor, ...]:
    """Logits, and labels drawn by softmax(logits / temperature): at that temperature they are calibrated."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(count, classes, generator=generator) * 3
    return logits, torch.multinomial((logits / temperature).softmax(1), 1, generator=generator)[:, 0]


def test_bins_hold_every_image_once() -> None:
    logits, labels = answers()
    bins = reliability(logits.softmax(1), labels, 10)
    confidence, guess = logits.softmax(1).max(1)
    assert [(b.low, b.high) for b in bins] == [(i / 10, (i + 1) / 10) for i in range(10)]
    assert sum(b.count for b in bins) == len(labels)
    for b in bins:
        inside = (confidence > b.low) & (confidence <= b.high)
        assert b.count == int(inside.sum())
        if b.count:
            assert b.confidence == pytest.approx(float(confidence[inside].mean()), abs=1e-6)
            assert b.accuracy == pytest.approx(float((guess == labels)[inside].float().mean()), abs=1e-6)
    assert (bins[0].count, bins[0].confidence, bins[0].accuracy) == (0, None, None)  # five classes: above 1/5


def test_a_certain_answer_belongs_to_the_last_bin() -> None:
    bins = reliability(torch.eye(3), torch.tensor([0, 1, 0]), 4)
    assert [b.count for b in bins] == [0, 0, 0, 3]
    assert (bins[3].confidence, bins[3].accuracy) == (1, pytest.approx(2 / 3))


def test_the_error_is_the_distance_of_confidence_and_accuracy() -> None:
    sure, unsure = [0.9, 0.1], [0.6, 0.4]
    probabilities = torch.tensor([sure] * 10 + [unsure] * 30)
    labels = torch.tensor([0] * 5 + [1] * 5 + [0] * 15 + [1] * 15)  # half of each is right
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.25 * 0.4 + 0.75 * 0.1)


def test_calibrated_answers_have_a_small_error_and_scaled_ones_a_large_one() -> None:
    logits, labels = answers(20_000)
    assert expected_calibration_error(logits.softmax(1), labels) < 0.01
    assert expected_calibration_error((logits * 3).softmax(1), labels) > 0.05


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_drew_the_labels_is_found(temperature: float) -> None:
    logits, labels = answers(20_000, temperature=temperature)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.05)


def test_no_other_temperature_has_a_lower_loss() -> None:
    logits, labels = answers(500, temperature=1.7)
    best = fit_temperature(logits, labels)

    def loss(temperature: float) -> float:
        return torch.nn.functional.cross_entropy(logits.double() / temperature, labels).item()

    assert all(loss(best) <= loss(best * factor) for factor in (0.9, 0.99, 0.999, 1.001, 1.01, 1.1))


def test_logits_twice_as_large_want_twice_the_temperature() -> None:
    logits, labels = answers(500)
    assert fit_temperature(logits * 2, labels) == pytest.approx(2 * fit_temperature(logits, labels), rel=1e-6)


def test_where_the_loss_falls_to_the_end_of_the_range_there_is_no_temperature() -> None:
    logits = torch.eye(4) * 5
    assert fit_temperature(logits, torch.arange(4)) is None  # all right: the colder, the better
    assert fit_temperature(logits, torch.arange(4).roll(1)) is None  # all wrong: the hotter, the better
    sure, labels = answers(temperature=2.0)
    assert fit_temperature(sure * 10, labels) is None
    assert fit_temperature(sure * 4.9, labels) == pytest.approx(9.8, rel=0.05)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),  # from Brown, Cai and DasGupta's formula, by hand
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (8933, 10_000, 0.8871, 0.8992)],
)
def test_wilson_intervals(right: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(right, n) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_and_stays_within_0_and_1(case: tuple[int, int]) -> None:
    right, n = case
    low, high = wilson_interval(right, n)
    assert 0 <= low <= right / n + 1e-12
    assert right / n - 1e-12 <= high <= 1
    assert low < high


def test_what_cannot_be_calibrated_is_refused() -> None:
    logits, labels = answers(10)
    for wrong in (labels[:5], labels[:, None]):
        with pytest.raises(LabError, match=r"answers \(n, classes\) and labels \(n,\)"):
            expected_calibration_error(logits.softmax(1), wrong)
    with pytest.raises(LabError, match="at least one image"):
        fit_temperature(logits[:0], labels[:0])
    with pytest.raises(LabError, match="diverged"):
        fit_temperature(logits * math.nan, labels)
    with pytest.raises(LabError, match="bins must be a whole number from 1"):
        reliability(logits.softmax(1), labels, 0)
    for right, n in ((0, 0), (-1, 5), (6, 5)):
        with pytest.raises(LabError, match="is not a valid share"):
            wilson_interval(right, n)
