"""The panel on auxiliary heads: what it measures, and that its chart draws just that."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

from googlenet.models.presets import preset
from googlenet.training.gradients import GradientComparison, Gradients, compare_heads
from googlenet.ui.build.lessons import heads as aux_heads

ROOT = Path(__file__).resolve().parents[2]


def comparison(norms: list[float], headed: list[float], step: int = 0) -> GradientComparison:
    layers = ("conv1", "inception3a", "fc")
    sides = (dict(zip(layers, side, strict=True)) for side in (norms, headed))
    return GradientComparison(*(Gradients(step, 2.3, side) for side in sides))


def marks(html: str, kind: str) -> list[float]:
    return [float(x) for x in re.findall(rf"<circle class='{kind}' cx='([0-9.]+)'", html)]


def sound(html: str) -> None:
    ElementTree.fromstring(html)  # well-formed, so that nothing leaks out of it


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return list(aux_heads.compare(tmp_path_factory.mktemp("checkpoints"), "plain", 2))


def test_every_step_is_drawn_anew(drawn):
    assert len(drawn) == 3
    assert len(set(drawn)) == 3
    for html, when in zip(drawn, ("at initialisation", "after 1 step", "after 2 steps"), strict=True):
        sound(html)
        assert f"Gradient by layer, {when}" in html
        assert len(marks(html, "gl-plain")) == len(marks(html, "gl-headed")) == 13


def test_the_chart_says_what_was_measured(drawn):
    (measured,) = compare_heads(preset("cifar10", batch_norm=False), 0)
    assert measured.sentence in drawn[0]
    gained = [
        with_heads - plain
        for plain, with_heads in zip(marks(drawn[0], "gl-plain"), marks(drawn[0], "gl-headed"), strict=True)
    ]
    assert min(gained[:9]) > 20  # up to 4d, which the heads reach
    assert max(map(abs, gained[9:])) < 1
    title = ElementTree.fromstring(drawn[0]).find(".//svg/title").text
    assert measured.sentence in title
    assert drawn[0].count("<tr>") == 14


def test_the_switch_for_batch_norm_is_honest(tmp_path):
    html = next(aux_heads.compare(tmp_path, "normed", 1))
    assert "the gradient has not faded when it reaches conv1" in html


def test_a_decade_has_one_width():
    html = aux_heads.heads_chart([comparison([1e-6, 1e-4, 1e-2], [1e-5, 1e-3, 1e-2])])
    plain, headed = marks(html, "gl-plain"), marks(html, "gl-headed")
    decade = (plain[1] - plain[0]) / 2
    assert plain[2] - plain[1] == pytest.approx(2 * decade, abs=0.2)
    assert headed[0] - plain[0] == pytest.approx(decade, abs=0.2)
    assert headed[2] == plain[2]
    assert "conv1: 1e-06 without heads, 1e-05 with heads, 10×" in html


def test_the_scale_holds_all_steps_and_stays():
    steps = [comparison([1e-6, 1e-4, 1e-2], [1e-5, 1e-3, 1e-2]), comparison([1e-5, 1e-4, 1e-2], [1e-3, 1e-3, 1e-2], 1)]
    first, second = aux_heads.heads_chart(steps[:1]), aux_heads.heads_chart(steps)
    assert marks(second, "gl-plain")[1:] == marks(first, "gl-plain")[1:]
    assert "after 1 step. After 1 step conv1" in second


@pytest.mark.parametrize("norms", [[0.0, 1e-4, 1e-2], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
def test_a_gradient_that_vanished_is_drawn_at_the_edge(norms):
    html = aux_heads.heads_chart([comparison(norms, norms)])
    sound(html)
    assert all(aux_heads.LEFT <= x <= aux_heads.WIDTH - aux_heads.RIGHT for x in marks(html, "gl-plain"))


@pytest.mark.parametrize(
    ("norm", "steps", "says"),
    [
        ("<b>", 1, "Norm must be one of plain, normed, not '<b>'"),
        ("plain", 0, "Steps must be a whole number from 1 to 50, not 0"),
        ("plain", 1e9, "Steps must be a whole number from 1 to 50"),
        ("plain", None, "Steps must be a whole number from 1 to 50"),
    ],
)
def test_a_refusal_is_one_sentence(tmp_path, norm, steps, says):
    (html,) = aux_heads.compare(tmp_path, norm, steps)
    assert says in unescape(html)
    assert "<b>" not in html
    assert "gl-message" in html


def test_the_page_does_not_wait_for_torch():
    code = "import sys; from googlenet.ui.build.lessons import heads, panel; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=ROOT)
