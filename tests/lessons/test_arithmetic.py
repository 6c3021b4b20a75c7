"""The sums of the Build tab: every number is worked out again, and held against the profile and against torch."""

from __future__ import annotations

import dataclasses
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet.config import InceptionConfig
from googlenet.errors import LabError
from googlenet.lessons import arithmetic
from googlenet.models.googlenet import build_inception
from googlenet.models.presets import INCEPTIONS, NOTE_NAIVE
from googlenet.models.profile import profile_module
from googlenet.models.profile.measure import Timing, concat_error, free_bytes, measure_module, race

THREE_A = INCEPTIONS["3a"]
widths = st.integers(1, 4096)
modules = st.one_of(
    st.builds(InceptionConfig, st.just("m"), *[widths] * 7),
    st.builds(InceptionConfig.make_naive, st.just("m"), *[widths] * 4),
)


def work_out(text: str) -> int:
    """What a sum written for people comes to, with Python's own arithmetic."""
    assert re.fullmatch(r"[0-9,+·−()⌊⌋/ ]+", text), text
    text = text.replace(",", "").replace("·", "*").replace("−", "-")
    return eval(text.replace("⌊", "(").replace("⌋", ")").replace("/", "//"))


@settings(max_examples=60, deadline=None)
@given(modules, st.integers(1, 1024), st.integers(1, 1024), st.integers(1, 4096), st.booleans(), st.booleans())
def test_every_sum_comes_to_what_the_profile_says(config, height, width, batch, batch_norm, forgotten):
    profile = profile_module(config, height, width, batch, batch_norm=batch_norm)
    if forgotten:
        profile = arithmetic.forget_stride(profile)
    for row in profile.rows:
        sums = {found.name: found for found in arithmetic.calculations(profile, row)}
        for found in sums.values():
            assert work_out(found.worked) == found.result, found
        assert sums["Activations"].result == row.activation_bytes
        if row.branch:
            sides = [sums[name].result for name in ("Height and width", "Height", "Width") if name in sums]
            assert set(sides) == set(row.out_shape[1:])
        if row.params:
            assert sums["Parameters"].result == row.params
            assert sums["Multiply-adds of an image"].result == row.macs
            if batch > 1:
                assert sums[f"Multiply-adds of {batch:,} images"].result == batch * row.macs
        else:
            assert sums["Channels"].result == row.out_channels


def test_batch_norm_is_told_from_biases():
    plain, normed = (profile_module(THREE_A, 28, 28, batch_norm=on) for on in (False, True))
    for profile, added in ((plain, "+ 128"), (normed, "+ 2·128")):
        row = arithmetic.find_row(profile, "branch2.1")
        params = next(found for found in arithmetic.calculations(profile, row) if found.name == "Parameters")
        assert params.worked == f"3·3·96·128 {added}"
    told = next(found for found in arithmetic.calculations(plain, plain.rows[2]) if found.name == "Parameters").remark
    assert f"{normed.rows[2].params:,}" in told  # "with batch norm in their place …"


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 64), st.integers(1, 15), st.integers(0, 7), st.integers(1, 8))
def test_a_side_is_what_torch_makes_of_it(side, kernel, padding, stride):
    found = arithmetic.size_after(side, kernel, padding, stride)
    conv = torch.nn.Conv2d(1, 1, kernel, stride, padding, device="meta")
    try:
        assert conv(torch.empty(1, 1, side, side, device="meta")).shape[-1] == found.result
    except RuntimeError:
        assert found.result < 1


@pytest.mark.parametrize("side", [1, 2, 7, 28, 1024])
def test_the_pairs_that_keep_the_size(side):
    for kernel in (1, 3, 5, 7):
        keeping = [pad for pad in range(8) if arithmetic.size_after(side, kernel, pad, 1).result == side]
        assert keeping == [arithmetic.KEEPING[kernel]]


@pytest.mark.parametrize(("values", "field"), [((0, 3, 1, 1), "side"), ((28, 16, 1, 1), "kernel"),
                                               ((28, 3, None, 1), "padding"), ((28, 3, 1, 9), "stride")])  # fmt: skip
def test_a_window_out_of_range_is_refused(values, field):
    with pytest.raises(LabError, match=f"^{field} must be a whole number"):
        arithmetic.size_after(*values)


# --- the forgotten stride ---------------------------------------------------------------------


def with_torchs_default_stride(config: InceptionConfig, height: int, width: int) -> list[tuple[int, ...]]:
    """(C, H, W) that each branch of a real module gives when its pool has no stride=1."""
    with torch.device("meta"):
        module = build_inception(config)
        pool = module.branch4 if config.naive else module.branch4[0]
        pool.stride = torch.nn.MaxPool2d(3).stride
        x = torch.empty(1, config.in_channels, height, width)
        return [tuple(getattr(module, f"branch{n}")(x).shape[1:]) for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("config", [THREE_A, NOTE_NAIVE])
@pytest.mark.parametrize("size", [(28, 28), (100, 7), (2, 1), (1, 1)])
def test_a_forgotten_stride_does_what_torch_does(config, size):
    forgotten = arithmetic.forget_stride(profile_module(config, *size))
    shapes = [sums.out_shape for sums in forgotten.by_branch().values()]
    assert shapes == with_torchs_default_stride(config, *size)
    fits = size == (1, 1)
    assert (arithmetic.misfit(forgotten) == "") == fits
    assert (forgotten.rows[-1].label == "concatenation") == fits
    error = concat_error(config, *size)
    assert (error == "") == fits
    if not fits:
        axis = 1 if shapes[3][1] != size[0] else 2
        assert f"Expected size {size[axis - 1]} but got size {shapes[3][axis]} for tensor number 3" in error
        assert error.startswith("RuntimeError: Sizes of tensors must match")


def test_nothing_is_forgotten_in_a_module_as_it_is():
    assert arithmetic.misfit(profile_module(THREE_A, 28, 28)) == ""


# --- naive against reduced --------------------------------------------------------------------


def test_the_papers_module_saves_what_it_says():
    naive, reduced = (profile_module(config, 28, 28) for config in (arithmetic.naive_twin(THREE_A), THREE_A))
    for branch in ("1×1", "3×3", "5×5"):
        assert naive.by_branch()[branch].out_shape == reduced.by_branch()[branch].out_shape
    assert arithmetic.savings(naive, reduced) == (
        "The 5×5 branch costs 9.7× less",
        "The 3×3 branch costs 1.7× less",
        "The pool branch passes on 32 channels, not all 192",
    )


def test_a_reduction_that_widens_is_said_to_cost_more():
    wide = dataclasses.replace(THREE_A, ch3x3red=384)
    naive, reduced = (profile_module(config, 28, 28) for config in (arithmetic.naive_twin(wide), wide))
    assert "The 3×3 branch costs 2.3× more" in arithmetic.savings(naive, reduced)


def test_where_nothing_is_saved_the_sentences_say_so():
    widest = InceptionConfig("module", *[4096] * 7)
    pair = [profile_module(config, 28, 28) for config in (arithmetic.naive_twin(widest), widest)]
    assert arithmetic.savings(*pair) == (
        "The 5×5 branch costs about the same",
        "The 3×3 branch costs 1.1× more",
        "The pool branch passes on 4,096 channels, as many as arrive",
    )
    wider = dataclasses.replace(THREE_A, pool_proj=256)
    pair = [profile_module(config, 28, 28) for config in (arithmetic.naive_twin(wider), wider)]
    assert arithmetic.savings(*pair)[-1] == "The pool branch passes on 256 channels, more than the 192 that arrive"


def test_both_are_timed_in_turns_with_their_spread():
    raced = race(arithmetic.naive_twin(THREE_A), THREE_A, 14, 14)
    for timing in (raced.naive, raced.reduced):
        assert 0 < timing.low <= timing.median <= timing.high
    assert raced.naive.rounds == raced.reduced.rounds >= 3


def test_a_module_is_run_many_times_and_its_spread_told():
    timing = measure_module(THREE_A, 4, 4).timing
    assert timing.rounds > 10  # in two seconds, however busy the machine
    assert 0 < timing.low <= timing.median <= timing.high


def test_ranges_are_quartiles_of_many_rounds_and_extremes_of_few():
    assert Timing.of([1.0, 2.0, 9.0]) == Timing(2.0, 1.0, 9.0, 3)
    assert Timing.of([float(n) for n in range(1, 10)]) == Timing(5.0, 3.0, 7.0, 9)
    assert Timing(2.0, 1.0, 3.0, 9).overlaps(Timing(4.0, 3.0, 5.0, 9))
    assert not Timing(2.0, 1.0, 2.9, 9).overlaps(Timing(4.0, 3.0, 5.0, 9))


def test_what_would_not_fit_is_refused_before_anything_is_allocated():
    there = free_bytes(torch.device("cpu"))
    with pytest.raises(LabError, match=r"takes [0-9,.]+ GiB \([0-9,]+ bytes\) and [0-9,.]+ GiB \([0-9,]+ bytes\)"):
        measure_module(INCEPTIONS["5b"], 1024, 1024, 4096)
    with pytest.raises(LabError, match="memory are free here"):
        race(arithmetic.naive_twin(THREE_A), THREE_A, 1024, 1024, 4096)
    assert free_bytes(torch.device("cpu")) > 0.5 * there
    with pytest.raises(LabError, match="G multiply-adds, more than the 20 G"):
        measure_module(THREE_A, 28, 28, 500)
