"""The picture of a module: its widths are to scale, its words are the profile's, and any XML reader takes it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet.config import InceptionConfig
from googlenet.lessons.arithmetic import forget_stride
from googlenet.models.presets import INCEPTIONS, NOTE_NAIVE
from googlenet.models.profile import Profile, profile_module
from googlenet.ui.build.module.drawing import NARROW, THINNEST, WIDE, Layout, describe, draw_module
from googlenet.ui.build.module.picture import picture_html
from googlenet.ui.common import channels, figures

THREE_A = profile_module(INCEPTIONS["3a"], 28, 28)
SVG = "{http://www.w3.org/2000/svg}"


def read(profile: Profile, layout: Layout) -> ElementTree.Element:
    return ElementTree.fromstring(draw_module(profile, layout).svg)


def words(svg: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in svg.iter(f"{SVG}text")]


def concatenated(svg: ElementTree.Element, layout: Layout) -> list[float]:
    """The breadths of the stacked bar's parts: the filled, square rectangles as long as the bar is."""
    length, breadth = ("height", "width") if layout.down else ("width", "height")
    bars = [
        rect for rect in svg.iter(f"{SVG}rect")
        if float(rect.get(length)) == layout.bar and rect.get("rx") is None and "gl-flow" not in rect.get("class")
    ]  # fmt: skip
    return [float(bar.get(breadth)) for bar in bars]


@pytest.mark.parametrize("layout", [WIDE, NARROW])
@pytest.mark.parametrize("config", [INCEPTIONS["3a"], INCEPTIONS["5b"], NOTE_NAIVE])
def test_the_stacked_bar_is_to_scale(layout, config):
    profile = profile_module(config, 28, 28)
    parts = concatenated(read(profile, layout), layout)
    most = max(row.in_channels for row in profile.rows[:-1])
    assert parts == pytest.approx([layout.widest / most * width for width in config.branch_channels], abs=0.06)


@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_every_step_says_what_it_costs_and_gives(layout):
    said = words(read(THREE_A, layout))
    for row in THREE_A.rows[:-1]:
        assert figures.shape(row.out_shape) in said
        assert not row.macs or f"{figures.si(row.macs)} · {figures.percent(row.macs, THREE_A.macs)}" in said
    assert {"64", "128", "32"} <= set(said)
    assert any("192 × 28 × 28" in text for text in said)
    assert any("256 × 28 × 28" in text for text in said)


def test_the_costliest_step_is_filled_strongest():
    fills = [float(path.get("fill-opacity")) for path in read(THREE_A, WIDE).iter(f"{SVG}path")
             if path.get("fill-opacity")]  # fmt: skip
    costs = [row.macs for row in THREE_A.rows[:-1]]
    assert fills.index(max(fills)) == costs.index(max(costs))
    assert max(fills) <= 0.6


def test_the_text_alternative_tells_the_whole_module():
    svg = read(THREE_A, WIDE)
    assert svg.get("role") == "img"
    named = {node.get("id"): node.text for node in svg if node.tag in (f"{SVG}title", f"{SVG}desc")}
    assert set(svg.get("aria-labelledby").split()) == set(named)
    said = describe(THREE_A)
    assert said in named.values()
    assert "3×3 branch: 1×1 convolution 192 to 96, then 3×3 convolution 96 to 128, 79.0% of the multiply-adds." in said
    assert said.startswith("Input 192 × 28 × 28.")
    assert said.endswith("Concatenated: 256 × 28 × 28.")


@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_a_branch_that_does_not_fit_is_torn_off(layout):
    svg = draw_module(forget_stride(THREE_A), layout).svg
    assert svg.count("gl-torn") == 2
    assert "✗ 10×10 ≠ 28×28" in svg
    assert "concatenation" not in "".join(label for _, label, _ in draw_module(forget_stride(THREE_A), layout).plates)
    assert "gl-torn" not in draw_module(THREE_A, layout).svg


sizes = st.integers(1, 4096)
modules = st.one_of(
    st.builds(InceptionConfig, st.just("m"), *[sizes] * 7, ch5x5_kernel=st.sampled_from([3, 5])),
    st.builds(InceptionConfig.make_naive, st.just("m"), *[sizes] * 4),
)


@settings(max_examples=60, deadline=None)
@given(modules, st.integers(1, 1024), st.integers(1, 1024), st.sampled_from([WIDE, NARROW]), st.booleans())
def test_any_module_stays_inside_its_picture(config, height, width, layout, forgotten):
    profile = profile_module(config, height, width)
    drawn = draw_module(forget_stride(profile) if forgotten else profile, layout)
    svg = ElementTree.fromstring(drawn.svg)
    _, _, across, down = map(float, svg.get("viewBox").split())
    for rect in svg.iter(f"{SVG}rect"):
        x, y, wide, high = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
        assert wide >= THINNEST - 0.06
        assert high >= THINNEST - 0.06
        assert x >= -0.1
        assert y >= -0.1
        assert x + wide <= across + 0.1
        assert y + high <= down + 0.1
    for _, _, box in drawn.plates:
        left, top, wide, high = (float(part) for part in re.findall(r"[0-9.]+(?=%)", box))
        assert left + wide <= 100.1
        assert top + high <= 100.1


def test_both_kinds_of_module_have_a_picture_of_one_size():
    for layout in (WIDE, NARROW):
        boxes = {
            read(profile_module(config, 28, 28), layout).get("viewBox") for config in (INCEPTIONS["3a"], NOTE_NAIVE)
        }
        assert len(boxes) == 1


def test_two_3x3_in_place_of_a_5x5_have_a_plate_each():
    config = InceptionConfig("m", 192, 64, 96, 128, 16, 32, 32, ch5x5_kernel=3, ch5x5_convs=2)
    names = [name for name, _, _ in draw_module(profile_module(config, 28, 28), WIDE).plates]
    assert [name for name in names if name.startswith("branch3")] == ["branch3.0", "branch3.1", "branch3.2"]


def test_the_page_can_choose_every_step_once_a_layout():
    html = picture_html(INCEPTIONS["3a"], THREE_A, "branch3.1")
    chosen = re.findall(r"data-step='([^']+)' aria-pressed='(true|false)'", html)
    assert sorted(chosen) == sorted([(row.name, str(row.name == "branch3.1").lower()) for row in THREE_A.rows] * 2)


# --- the sliders that slide over octaves ------------------------------------------------------


def test_slider_stops_are_exact_and_reach_every_width_of_the_paper():
    stops = [channels.number_of_stop(stop) for stop in range(channels.LAST_STOP + 1)]
    assert stops == sorted(set(stops))
    assert (stops[0], stops[-1]) == (1, 4096)
    assert [channels.stop_of_number(number) for number in stops] == list(range(channels.LAST_STOP + 1))
    for config in INCEPTIONS.values():
        assert {*config.branch_channels, config.ch3x3red, config.ch5x5red} <= set(stops)


@given(st.integers(1, 4096))
def test_the_slider_stands_at_the_nearest_stop(number):
    stop = channels.stop_of_number(number)
    near = [abs(channels.number_of_stop(other) - number) for other in (stop - 1, stop, stop + 1)
            if 0 <= other <= channels.LAST_STOP]  # fmt: skip
    assert abs(channels.number_of_stop(stop) - number) == min(near)
