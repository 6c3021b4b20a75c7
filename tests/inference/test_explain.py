"""Explanations: of networks whose evidence is known, their arithmetic, their curves, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import CLASSES, tiny_checkpoint, tiny_config

from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier, to_tensor
from googlenet.inference.explain import METHODS, check_trust, explain
from googlenet.inference.explain import methods as arithmetic
from googlenet.inference.explain.score import Target, judged
from googlenet.inference.explain.trust import POINTS, SQUARES, area, order_of, way


@pytest.fixture
def classifier(tmp_path: Path) -> Classifier:
    return Classifier(tiny_checkpoint(tmp_path / "a.safetensors", config=tiny_config(batch_norm=False)), "cpu")


def picture(seed: int = 0, size: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)


class Corner(torch.nn.Module):
    """Speaks for class 0 by how bright the upper left quarter is, for class 1 by the lower right one."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        half = x.shape[-1] // 2
        brightness = [x[..., :half, :half].mean((1, 2, 3)), x[..., half:, half:].mean((1, 2, 3))]
        return torch.stack([*brightness, torch.zeros_like(brightness[0])], 1) * 6


@pytest.mark.parametrize(("method", "sharp"), [("occlusion", 1.5), ("integrated gradients", 4)])  # windows reach over
def test_a_network_that_looks_at_one_corner(classifier: Classifier, method: str, sharp: float) -> None:
    classifier.model = Corner()  # type: ignore[assignment]
    classifier.__dict__["fast_model"] = classifier.model
    pixels = torch.full((3, 32, 32), 40, dtype=torch.uint8)
    pixels[:, 2:14, 2:14] = 250
    values = METHODS[method](classifier, pixels, Target.of(classifier, 0), None)
    assert values.shape == (32, 32)
    quarters = values[:16, :16].sum(), values[16:, 16:].abs().sum(), values[:16, 16:].abs().sum()
    assert quarters[0] > sharp * max(quarters[1:])
    top, left = divmod(int(values.argmax()), 32)
    assert max(top, left) < 16


def test_integrated_gradients_come_to_the_change_of_the_score(classifier: Classifier) -> None:
    pixels = to_tensor(Image.fromarray(picture())).contiguous()
    target = Target.of(classifier, 0, 1)
    found = arithmetic.integrated_gradients(classifier, pixels, target)
    ends = torch.stack([pixels, arithmetic.baseline(pixels)])
    scores = target.score(classifier.logits(ends) / classifier.temperature)
    assert found.sum().item() == pytest.approx((scores[0] - scores[1]).item(), rel=0.02)


@pytest.mark.parametrize("method", METHODS)
def test_the_difference_of_two_turns_around(classifier: Classifier, method: str) -> None:
    one, other = CLASSES[:2]
    there = explain(classifier, picture(), one, other, method, trust=False)
    back = explain(classifier, picture(), other, one, method, trust=False)
    assert there.values.abs().max() > 0
    assert torch.allclose(there.values, -back.values, atol=1e-4 + 0.01 * float(there.values.abs().max()))
    assert there.share + back.share == pytest.approx(1, abs=1e-4)


def test_grad_cam_is_the_weighted_sum_of_the_last_map(classifier: Classifier) -> None:
    pixels = to_tensor(Image.fromarray(picture())).contiguous()
    found = arithmetic.grad_cam(classifier, pixels, Target.of(classifier, 2))
    assert found.shape == (32, 32)
    assert found.std() > 0


def test_the_curves_begin_and_end_where_they_must(classifier: Classifier) -> None:
    pixels = to_tensor(Image.fromarray(picture())).contiguous()
    target = Target.of(classifier, 0)
    trust = check_trust(classifier, pixels, torch.rand(32, 32), target)
    whole, gone = target.share(judged(classifier, torch.stack([pixels, arithmetic.baseline(pixels)]))).tolist()
    for curve in (trust.deletion, trust.random_deletion):
        assert (curve[0], curve[-1]) == (pytest.approx(whole, abs=1e-3), pytest.approx(gone, abs=1e-3))
    for curve in (trust.insertion, trust.random_insertion):
        assert (curve[0], curve[-1]) == (pytest.approx(gone, abs=1e-3), pytest.approx(whole, abs=1e-3))
    assert trust.points[0] == 0
    assert trust.points[-1] == 1
    json.dumps(trust.to_dict(), allow_nan=False)


def test_squares_go_in_the_maps_order() -> None:
    values = torch.zeros(32, 32)
    values[4:8, 8:12] = 1  # row 1, column 2 of 8 x 8 squares
    order = order_of(values)
    assert order[0] == SQUARES + 2
    pixels = torch.full((3, 32, 32), 7, dtype=torch.uint8)
    pixels[:, ::2] = 200
    steps = way(pixels, order, back=False)
    assert len(steps) == POINTS
    assert torch.equal(steps[0], pixels)
    changed = (steps[1] != pixels).any(0)
    assert changed[4:8, 8:12].any()
    assert changed.sum() <= 32 * 32 / (POINTS - 1)
    assert area((1.0, 0.0)) == 0.5


def test_the_picture_is_kept_at_its_own_size(classifier: Classifier) -> None:
    found = explain(classifier, picture(size=90))
    assert (found.picture.size, found.seen.size, tuple(found.values.shape)) == ((90, 90), (32, 32), (32, 32))
    assert found.target == next(iter(classifier.classify(picture(size=90))))
    json.dumps(found.to_dict(), allow_nan=False)


def test_what_is_refused(classifier: Classifier) -> None:
    with pytest.raises(LabError, match="knows no class 'lion': choose one of"):
        explain(classifier, picture(), "lion")
    with pytest.raises(LabError, match="compared with itself"):
        explain(classifier, picture(), CLASSES[0], CLASSES[0])
    with pytest.raises(LabError, match="choose one of occlusion, grad-cam"):
        explain(classifier, picture(), method="magic")


def test_a_cancelled_explanation_ends(classifier: Classifier) -> None:
    class Enough(Exception):
        pass

    def stop(share: float, text: str) -> None:
        raise Enough

    for method in METHODS:
        with pytest.raises(Enough):
            explain(classifier, picture(), method=method, progress=stop)
