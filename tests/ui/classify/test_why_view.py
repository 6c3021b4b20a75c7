"""The explanation in the page: where the map lies on the picture, and the words about its trust."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import tiny_checkpoint

from googlenet.inference.classifier import Classifier
from googlenet.inference.explain import Trust, explain
from googlenet.inference.explain.draw import AGAINST, FOR, heat_map
from googlenet.ui.classify.why.view import crop_of, explanation_html, trust_words


def test_the_map_lies_on_the_networks_part_of_the_picture() -> None:
    assert crop_of((400, 200), (32, 32), None) == {"left": 25.0, "top": 0.0, "width": 50.0, "height": 100.0}
    found = crop_of((256, 512), (224, 224), 256)
    assert found["width"] == pytest.approx(87.5)
    assert found["height"] == pytest.approx(43.75)
    assert found["left"] == pytest.approx(6.25)


def trust(deletion: float, insertion: float) -> Trust:
    flat = {"random_deletion": (0.5,) * 9, "random_insertion": (0.5,) * 9, "points": tuple(n / 8 for n in range(9))}
    return Trust(deletion=(deletion,) * 9, insertion=(insertion,) * 9, **flat)


@pytest.mark.parametrize(
    ("deletion", "insertion", "verdict"),
    [(0.1, 0.9, "So the map holds"), (0.1, 0.2, "So trust it half"), (0.9, 0.2, "So do not trust the map")],
)
def test_the_words_follow_the_curves(deletion: float, insertion: float, verdict: str) -> None:
    words = trust_words(trust(deletion, insertion), "cat")
    assert words[-1].startswith(verdict)
    assert f"from {deletion:.1%} to {deletion:.1%}; blurring a quarter at random leaves 50.0%" in words[0]


def test_orange_is_for_and_blue_against() -> None:
    image = heat_map(torch.tensor([[2.0, -1.0, 0.0]]))
    assert [image.getpixel((x, 0))[:3] for x in range(2)] == [FOR, AGAINST]
    assert image.getpixel((0, 0))[3] > image.getpixel((1, 0))[3] > image.getpixel((2, 0))[3] == 0


def test_a_class_name_cannot_become_markup(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    network = Classifier(tiny_checkpoint(tmp_path / "a.safetensors", (evil, f"{evil}2", f"{evil}3")), "cpu")
    html = explanation_html(explain(network, np.zeros((40, 60, 3), np.uint8), evil, f"{evil}2"), None)
    assert evil not in html
