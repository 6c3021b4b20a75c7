"""The picture of a module: its widths are to scale, its words are the profile's, and any XML reader takes it."""

from __future__ import annotations

import dataclasses
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet.config import InceptionConfig
from googlenet.lessons.arithmetic import forget_stride
from googlenet.models.presets import INCEPTIONS, NOTE_NAIVE
from googlenet.models.profile import Profile, profile_module
from googlenet.ui.build.module import view
from googlenet.ui.build.module.drawing import NARROW, THINNEST, WIDE, Mark, Sheet, draw_module
from googlenet.ui.build.module.form import DEFAULT, STARTS
from googlenet.ui.common import channels, figures

THREE_A = profile_module(INCEPTIONS["3a"], 28, 28)
SVG = "{http://www.w3.org/2000/svg}"


def words(sheet: Sheet) -> list[str]:
    return [f"{line.text} {line.strong}".strip() for line in sheet.words]


def boxes(marks: list[Mark]) -> list[tuple[float, float, float, float]]:
    """(x, y, width, height) of the rectangles among some marks."""
    number = r"([0-9.-]+)"
    plain = re.compile(rf"M{number} {number}h{number}v{number}h-[0-9.]+z")
    return [tuple(map(float, found.groups())) for mark in marks if (found := plain.fullmatch(mark.path))]


def written(profile: Profile) -> ElementTree.Element:
    """The figure as any XML reader takes it."""
    return ElementTree.fromstring(view.picture(STARTS[DEFAULT], profile, False, "branch2.1"))


@pytest.mark.parametrize("layout", [WIDE, NARROW])
@pytest.mark.parametrize("config", [INCEPTIONS["3a"], INCEPTIONS["5b"], NOTE_NAIVE])
def test_the_stacked_bar_is_to_scale(layout, config):
    profile = profile_module(config, 28, 28)
    sheet = draw_module(profile, layout)
    sides = [
        box[2:] if layout.down else box[:1:-1] for box in boxes([m for m in sheet.marks if "gl-flow" not in m.style])
    ]
    parts = [breadth for breadth, length in sides if length == layout.bar]
    most = max(row.in_channels for row in profile.rows[:-1])
    assert parts == pytest.approx([layout.widest / most * width for width in config.branch_channels], abs=0.06)


@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_every_step_says_what_it_costs_and_gives(layout):
    said = words(draw_module(THREE_A, layout))
    for row in THREE_A.rows[:-1]:
        assert figures.shape(row.out_shape) in said
        assert not row.macs or f"{figures.si(row.macs)} · {figures.percent(row.macs, THREE_A.macs)}" in said
    assert {"64", "128", "32"} <= set(said)
    assert any("192 × 28 × 28" in text for text in said)
    assert any("256 × 28 × 28" in text for text in said)


def test_the_costliest_step_is_filled_strongest():
    fills = [float(mark.opacity) for mark in draw_module(THREE_A, WIDE).marks if mark.opacity]
    costs = [row.macs for row in THREE_A.rows[:-1]]
    assert fills.index(max(fills)) == costs.index(max(costs))
    assert max(fills) <= 0.6


def test_the_text_alternative_tells_the_whole_module():
    for svg in written(THREE_A).iter(f"{SVG}svg"):
        assert svg.get("role") == "img"
        named = {node.get("id"): node.text for node in svg if node.tag in (f"{SVG}title", f"{SVG}desc")}
        assert svg.get("aria-labelledby").split() == list(named)
        title, description = (" ".join(text.split()) for text in named.values())
        assert title == "Inception module with 1×1 reductions"
        assert description.startswith("Input 192 × 28 × 28. 1×1 branch: 1×1 convolution 192 to 64, 7.5% of the")
        step = "3×3 branch: 1×1 convolution 192 to 96, then 3×3 convolution 96 to 128, 79.0% of the multiply-adds."
        assert step in description
        assert description.endswith("Concatenated: 256 × 28 × 28.")


@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_a_branch_that_does_not_fit_is_torn_off(layout):
    torn, whole = (draw_module(profile, layout) for profile in (forget_stride(THREE_A), THREE_A))
    assert [len([mark for mark in sheet.marks if "gl-torn" in mark.style]) for sheet in (torn, whole)] == [2, 0]
    assert "✗ 10×10 ≠ 28×28" in words(torn)
    ends = [sheet.plates[-1].label == "concatenation of the four branches" for sheet in (torn, whole)]
    assert ends == [False, True]


sizes = st.integers(1, 4096)
modules = st.one_of(
    st.builds(InceptionConfig, st.just("m"), *[sizes] * 7, ch5x5_kernel=st.sampled_from([3, 5])),
    st.builds(InceptionConfig.make_naive, st.just("m"), *[sizes] * 4),
)


@settings(max_examples=60, deadline=None)
@given(modules, st.integers(1, 1024), st.integers(1, 1024), st.sampled_from([WIDE, NARROW]), st.booleans())
def test_any_module_stays_inside_its_picture(config, height, width, layout, forgotten):
    profile = profile_module(config, height, width)
    sheet = draw_module(forget_stride(profile) if forgotten else profile, layout)
    for x, y, wide, high in boxes(sheet.marks):
        assert wide >= THINNEST - 0.06
        assert high >= THINNEST - 0.06
        assert x >= -0.1
        assert y >= -0.1
        assert x + wide <= sheet.width + 0.1
        assert y + high <= sheet.height + 0.1
    for plate in sheet.plates:
        left, top, wide, high = (float(part) for part in re.findall(r"[0-9.]+(?=%)", plate.place))
        assert left + wide <= 100.1
        assert top + high <= 100.1


def test_both_kinds_of_module_have_a_picture_of_one_size():
    for layout in (WIDE, NARROW):
        sheets = [draw_module(profile_module(config, 28, 28), layout) for config in (INCEPTIONS["3a"], NOTE_NAIVE)]
        assert len({(sheet.width, sheet.height) for sheet in sheets}) == 1


def test_two_3x3_in_place_of_a_5x5_have_a_plate_each():
    config = InceptionConfig("m", 192, 64, 96, 128, 16, 32, 32, ch5x5_kernel=3, ch5x5_convs=2)
    names = [plate.name for plate in draw_module(profile_module(config, 28, 28), WIDE).plates]
    assert [name for name in names if name.startswith("branch3")] == ["branch3.0", "branch3.1", "branch3.2"]


def test_the_page_can_choose_every_step_once_a_layout():
    html = view.picture(STARTS[DEFAULT], THREE_A, False, "branch3.1")
    chosen = re.findall(r'data-step="([^"]+)" aria-pressed="(true|false)"', html)
    assert sorted(chosen) == sorted([(row.name, str(row.name == "branch3.1").lower()) for row in THREE_A.rows] * 2)


def test_the_picture_says_which_form_and_size_it_is_of():
    form = dataclasses.replace(STARTS[DEFAULT], height=40, ch1x1=65.0)
    profile = profile_module(form.config(), form.height, form.width)
    figure = ElementTree.fromstring(view.picture(form, profile, True, "branch1"))
    assert figure.get("data-state") == "reduced-192-1-40-28-65-96-128-16-32-32-forgotten"
    stale = next(node.text for node in figure.iter("p") if node.get("class") == "gl-stale")
    assert "a module of your own, with 1×1 reductions, on 192 × 40 × 28, batch of 1" in stale


# --- the sliders that slide over octaves ------------------------------------------------------


def test_slider_stops_are_exact_and_reach_every_width_of_the_paper():
    stops = channels.STOPS
    assert list(stops) == sorted(set(stops))
    assert (stops[0], stops[-1], len(stops)) == (1, 4096, 256)
    assert [channels.stop_of_number(number) for number in stops] == list(range(len(stops)))
    for config in INCEPTIONS.values():
        assert {*config.branch_channels, config.ch3x3red, config.ch5x5red} <= set(stops)


@given(st.integers(1, 4096))
def test_the_slider_stands_at_the_nearest_stop(number):
    stop = channels.stop_of_number(number)
    assert abs(channels.STOPS[stop] - number) == min(abs(other - number) for other in channels.STOPS)
