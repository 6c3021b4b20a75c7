"""The panel on auxiliary heads: what it measures, and that its chart draws just that."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markup import Page

from googlenet.models.presets import preset
from googlenet.training.gradients import GradientComparison, Gradients, about, compare_heads
from googlenet.ui.build.lessons import heads as aux_heads

ROOT = Path(__file__).resolve().parents[3]


def comparison(norms: list[float], headed: list[float], step: int = 0) -> GradientComparison:
    layers = ("conv1", "inception3a", "fc")
    sides = (dict(zip(layers, side, strict=True)) for side in (norms, headed))
    return GradientComparison(*(Gradients(step, 2.3, side) for side in sides))


def circles(html: str, kind: str) -> list[float]:
    """Where the marks of that class are drawn; fails where the HTML is not well-formed."""
    drawn = ElementTree.fromstring(html).iter("circle")
    return [float(circle.get("cx", "")) for circle in drawn if circle.get("class") == kind]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return list(aux_heads.compare(tmp_path_factory.mktemp("checkpoints"), "plain", 2))


def test_every_step_is_drawn_anew(drawn):
    assert len(set(drawn)) == len(drawn) == 3
    for html, when in zip(drawn, ("at initialisation", "after 1 step", "after 2 steps"), strict=True):
        assert Page(html).text.startswith(f"Gradient by layer, {when}")
        assert len(circles(html, "gl-plain")) == len(circles(html, "gl-headed")) == 13


def test_the_chart_says_what_was_measured(drawn):
    (measured,) = compare_heads(preset("cifar10", batch_norm=False), 0)
    rows = aux_heads.marks([measured])
    assert [(row.layer, row.without, row.headed) for row in rows] == [
        (layer, norm, measured.with_heads.norms[layer]) for layer, norm in measured.without.norms.items()
    ]
    gained = [row.x_headed - row.x_without for row in rows]
    assert min(gained[:9]) > 20  # up to 4d, which the heads reach
    assert max(map(abs, gained[9:])) < 1
    assert circles(drawn[0], "gl-plain") == [row.x_without for row in rows]
    chart = ElementTree.fromstring(drawn[0])
    assert measured.sentence in chart.findtext(".//svg/title", "")
    assert chart.findtext("p") == measured.sentence
    assert len(chart.findall(".//tbody/tr")) == 13


def test_what_one_run_supports_is_said_and_no_more(drawn):
    """1.1e-06 against 0.22 was told as 205,930×."""
    said = Page(drawn[0]).text
    assert re.search(r"conv1 gets about [1-9]00,000× less gradient .* it gets about \d{1,2}0*× as much", said)
    assert about(205_930) == "200,000"
    assert [row.gain for row in aux_heads.marks([comparison([1e-6, 1e-4, 1], [3.21e-6, 8.456e-3, 1])])] == [
        "3.2",
        "85",
        "1",
    ]
    vanished = comparison([0.0, 1e-4, 1e-2], [1e-3, 1e-3, 1e-2])
    assert vanished.sentence == "At initialisation no gradient at all reaches conv1 without the heads."


def test_the_switch_for_batch_norm_is_honest(tmp_path):
    html = next(aux_heads.compare(tmp_path, "normed", 1))
    assert "the gradient has not faded when it reaches conv1" in html


def test_a_decade_has_one_width():
    steps = [comparison([1e-6, 1e-4, 1e-2], [1e-5, 1e-3, 1e-2])]
    rows = aux_heads.marks(steps)
    decade = (rows[1].x_without - rows[0].x_without) / 2
    assert rows[2].x_without - rows[1].x_without == pytest.approx(2 * decade, abs=0.2)
    assert rows[0].x_headed - rows[0].x_without == pytest.approx(decade, abs=0.2)
    assert rows[2].x_headed == rows[2].x_without
    titles = [title.text for title in ElementTree.fromstring(aux_heads.heads_chart(steps)).iter("title")]
    assert "conv1: 1e-06 without heads, 1e-05 with heads, 10×" in titles


def test_the_scale_holds_all_steps_and_stays():
    steps = [comparison([1e-6, 1e-4, 1e-2], [1e-5, 1e-3, 1e-2]), comparison([1e-5, 1e-4, 1e-2], [1e-3, 1e-3, 1e-2], 1)]
    first, second = aux_heads.marks(steps[:1]), aux_heads.marks(steps)
    assert [row.x_without for row in first[1:]] == [row.x_without for row in second[1:]]
    assert "after 1 step. After 1 step conv1" in aux_heads.heads_chart(steps)


@pytest.mark.parametrize("norms", [[0.0, 1e-4, 1e-2], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
def test_a_gradient_that_vanished_is_drawn_at_the_edge(norms):
    html = aux_heads.heads_chart([comparison(norms, norms)])
    assert all(aux_heads.LEFT <= x <= aux_heads.WIDTH - aux_heads.RIGHT for x in circles(html, "gl-plain"))


@pytest.mark.parametrize(
    ("norm", "steps", "says"),
    [
        ("<b>", 1, "Norm must be one of plain, normed, both, not '<b>'"),
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


def test_both_networks_are_told_side_by_side_and_no_more_than_one_run_supports(tmp_path):
    (first, last) = aux_heads.compare(tmp_path, "both", 1)
    said = Page(last).text
    assert "Without batch norm: gradient by layer, after 1 step" in said
    assert "With batch norm: gradient by layer, after 1 step" in said
    size = "about [1-9]00,000×"
    found = re.search(rf"Gradient of conv1 over 1 step, without the heads: without batch norm {size}(.*)One run", said)
    assert found
    assert re.fullmatch(
        rf"( to {size})? less than the last layer; with batch norm no less than the last layer, or hardly\. ", found[1]
    )
    assert "at initialisation" in Page(first).text


def test_any_step_measured_is_shown_again_in_the_same_scale():
    steps = [comparison([1e-6, 1e-4, 1e-2], [1e-5, 1e-3, 1e-2], n) for n in range(3)]
    steps[2] = comparison([1e-5, 1e-4, 1e-2], [1e-3, 1e-3, 1e-2], 2)
    runs = {"plain": steps}
    assert "after 2 steps" in aux_heads.heads_charts(runs)
    back = aux_heads.scrub(runs, 0)
    assert "at initialisation" in back
    assert circles(back, "gl-plain") != circles(aux_heads.scrub(runs, 2), "gl-plain")
    assert circles(back, "gl-plain")[1:] == circles(aux_heads.scrub(runs, 2), "gl-plain")[1:]
    assert aux_heads.scrub(runs, 99) == aux_heads.scrub(runs, 2)
    assert aux_heads.scrub(runs, None) == back
    assert "__type__" in aux_heads.scrub(None, 1)
