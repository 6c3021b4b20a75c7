"""The arithmetic of the Build tab, held against the paper's table and against torch itself on its meta device."""

from __future__ import annotations

import dataclasses
import json
import re
import statistics
import subprocess
import sys
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from googlenet.config import CH5X5_VARIANTS, ConvConfig, GoogLeNetConfig, InceptionConfig, PoolConfig
from googlenet.errors import LabError
from googlenet.language import speaking
from googlenet.models.googlenet import GoogLeNet, build_inception
from googlenet.models.presets import INCEPTIONS, NOTE_EXAMPLE_SIZE, NOTE_NAIVE, preset
from googlenet.models.profile import BRANCHES, Profile, profile_module, profile_network, profile_partly
from googlenet.models.profile.inspect import inspect_module, inspect_network
from googlenet.models.profile.windows import padding_share, slide

# Szegedy et al. 2015, Table 1, computed: layers, output (C, H, W), parameters with and without biases, M multiply-adds.
TABLE_1 = [
    (("conv1",), (64, 112, 112), 9_472, 9_408, 118.0),
    (("maxpool1",), (64, 56, 56), 0, 0, 0.0),
    (("conv2", "conv3"), (192, 56, 56), 114_944, 114_688, 359.7),
    (("maxpool2",), (192, 28, 28), 0, 0, 0.0),
    (("inception3a",), (256, 28, 28), 163_696, 163_328, 128.0),
    (("inception3b",), (480, 28, 28), 388_736, 388_096, 304.3),
    (("maxpool3",), (480, 14, 14), 0, 0, 0.0),
    (("inception4a",), (512, 14, 14), 376_176, 375_552, 73.6),
    (("inception4b",), (512, 14, 14), 449_160, 448_512, 87.9),
    (("inception4c",), (512, 14, 14), 510_104, 509_440, 99.9),
    (("inception4d",), (528, 14, 14), 605_376, 604_672, 118.5),
    (("inception4e",), (832, 14, 14), 868_352, 867_328, 170.0),
    (("maxpool4",), (832, 7, 7), 0, 0, 0.0),
    (("inception5a",), (832, 7, 7), 1_043_456, 1_042_432, 51.1),
    (("inception5b",), (1024, 7, 7), 1_444_080, 1_442_816, 70.7),
    (("avgpool",), (1024, 1, 1), 0, 0, 0.0),
    (("fc",), (1000, 1, 1), 1_025_000, 1_024_000, 1.0),
]


@pytest.mark.parametrize(("names", "shape", "params", "weights", "mega_macs"), TABLE_1, ids=lambda value: str(value))
def test_every_row_of_the_papers_table(names, shape, params, weights, mega_macs):
    profile = profile_network(preset("imagenet"))
    layers = [profile.by_layer()[name] for name in names]
    biases = sum(row.out_channels for row in profile.rows if row.layer in names and row.params)
    assert layers[-1].out_shape == shape
    assert sum(layer.params for layer in layers) == params
    assert params - biases == weights
    assert round(sum(layer.macs for layer in layers) / 1e6, 1) == mega_macs


def test_the_table_has_no_other_layers_and_these_totals():
    profile = profile_network(preset("imagenet"))
    assert list(profile.by_layer()) == [name for names, *_ in TABLE_1 for name in names]
    assert (profile.params, profile.macs) == (6_998_552, 1_582_671_872)
    assert profile.out_shape == (1000, 1, 1)


def test_the_notes_cifar10_network():
    profile = profile_network(preset("cifar10-truncated"))
    sides = [row.out_shape[1] for row in profile.rows if row.name == "conv1" or row.name.startswith("maxpool")]
    assert sides == [16, 8, 4, 2, 1]
    assert profile.params == 3_494_346
    assert round(profile.macs / 1e6, 1) == 29.8


def test_the_cifar10_network():
    profile = profile_network(preset("cifar10"))
    assert round(profile.params / 1e6, 2) == 5.98
    assert round(profile.macs / 1e6) == 121


def test_the_notes_module_examples():
    naive = profile_module(NOTE_NAIVE, NOTE_EXAMPLE_SIZE, NOTE_EXAMPLE_SIZE)
    reduced = profile_module(INCEPTIONS["3a"], NOTE_EXAMPLE_SIZE, NOTE_EXAMPLE_SIZE)
    assert (naive.in_shape, naive.out_shape) == ((192, 100, 100), (416, 100, 100))
    assert [sums.out_shape[0] for sums in naive.by_branch().values()] == [64, 128, 32, 192]
    assert (reduced.in_shape, reduced.out_shape) == ((192, 100, 100), (256, 100, 100))
    assert reduced.macs == 163_328 * 100 * 100


def test_branches_add_up_to_the_module():
    profile = profile_module(INCEPTIONS["3a"], 28, 28, batch=32)
    branches = profile.by_branch()
    assert tuple(branches) == BRANCHES
    assert sum(branch.params for branch in branches.values()) == profile.params
    assert sum(branch.macs for branch in branches.values()) == profile.macs
    steps_out = 64 + 96 + 128 + 16 + 32 + 192 + 32 + 256
    assert profile.activation_bytes == 4 * 32 * steps_out * 28 * 28


# --- against torch ----------------------------------------------------------------------------


def assert_like_torch(profile: Profile, model: nn.Module) -> None:
    """Every row's shapes, parameters and multiply-adds are those of the torch module of that name; none is missed."""
    rows = {row.name.removesuffix(".concat") if row.name != "concat" else "": row for row in profile.rows}
    modules = {name: module for name, module in model.named_modules() if name in rows}
    seen: dict[str, tuple[torch.Size, torch.Size]] = {}
    for name, module in model.named_modules():
        leaf = not any(module.children()) and not isinstance(module, (nn.Dropout, nn.Identity))
        assert not leaf or name in rows or name.rpartition(".")[0] in rows, f"{name} has no row"
    for name, module in modules.items():
        module.register_forward_hook(
            lambda m, inputs, out, name=name: seen.update({name: (inputs[0].shape, out.shape)})
        )
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(torch.empty(profile.batch, *profile.in_shape, device="meta"))
    flops = {name.partition(".")[2]: sum(ops.values()) for name, ops in counter.get_flop_counts().items()}
    unseen = {name for name in rows if name not in seen}
    assert unseen <= {f"{row.layer}.avgpool" for row in profile.rows if row.aux}  # functional in torch
    for name, (arrives, leaves) in seen.items():
        row = rows[name]
        assert leaves == (profile.batch, *row.out_shape)[: len(leaves)], name
        if row.label == "concatenation":
            continue
        assert arrives == (profile.batch, *row.in_shape)[: len(arrives)], name
        assert row.params == sum(p.numel() for p in modules[name].parameters()), name
        assert 2 * row.macs * profile.batch == flops.get(name, 0), name
    assert profile.params == sum(p.numel() for p in model.parameters())
    assert 2 * (profile.macs + profile.aux_macs) * profile.batch == counter.get_total_flops()


channels = st.integers(1, 512)
reduced_modules = st.builds(
    InceptionConfig,
    st.just("module"), channels, channels, channels, channels, channels, channels, channels,
)  # fmt: skip
naive_modules = st.builds(InceptionConfig.make_naive, st.just("module"), channels, channels, channels, channels)


@settings(max_examples=300, deadline=None)
@given(
    config=st.one_of(reduced_modules, naive_modules),
    ch5x5=st.sampled_from(list(CH5X5_VARIANTS)),
    height=st.integers(1, 65),
    width=st.integers(1, 65),
    batch=st.integers(1, 5),
    batch_norm=st.booleans(),
)
def test_any_module_is_as_torch_has_it(config, ch5x5, height, width, batch, batch_norm):
    config = config.with_ch5x5(ch5x5)
    with torch.device("meta"):
        model = build_inception(config, batch_norm=batch_norm).eval()
    assert_like_torch(profile_module(config, height, width, batch, batch_norm=batch_norm), model)


def ceil_mode_pools(config: GoogLeNetConfig, padding: int) -> GoogLeNetConfig:
    layers = tuple(
        dataclasses.replace(layer, ceil_mode=True, padding=padding) if isinstance(layer, PoolConfig) else layer
        for layer in config.layers
    )
    return dataclasses.replace(config, layers=layers)


NETWORKS = {
    "imagenet": preset("imagenet"),
    "imagenet-torchvision": preset("imagenet-torchvision", aux_heads=True),
    "imagenet, everything the paper has": preset("imagenet", paper=True),
    "imagenet with batch norm and heads": preset("imagenet", 7, batch_norm=True, aux_heads=True),
    "imagenet, pools round up": ceil_mode_pools(preset("imagenet"), 0),
    "imagenet, padded pools round up": ceil_mode_pools(preset("imagenet"), 1),
    "cifar10-truncated": preset("cifar10-truncated"),
    "cifar10-truncated with heads": preset("cifar10-truncated", 100, aux_heads=True),
    "cifar10": preset("cifar10"),
    "cifar10 with heads": preset("cifar10", aux_heads=True, dropout=0.2),
    "cifar10, a naive 3a": preset("cifar10").with_layer(InceptionConfig.make_naive("inception3a", 192, 32, 48, 8)),
    "cifar10, torchvision's 5×5": preset("cifar10").with_layer(dataclasses.replace(INCEPTIONS["4b"], ch5x5_kernel=3)),
    "imagenet, two 3×3 for a 5×5": preset("imagenet", ch5x5="two 3x3"),
    "cifar10, a strided stem": preset("cifar10").with_layer(ConvConfig("conv1", 3, 48, 5, stride=2, padding=1)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_any_network_is_as_torch_has_it(name):
    config = NETWORKS[name]
    with torch.device("meta"):
        model = GoogLeNet(config)  # in training mode, so that it runs its heads
    assert_like_torch(profile_network(config, batch=2), model)


@settings(max_examples=30, deadline=None)
@given(height=st.integers(33, 260), width=st.integers(33, 260), padding=st.integers(0, 1))
def test_an_average_pooled_network_takes_any_size(height, width, padding):
    config = ceil_mode_pools(preset("imagenet"), padding)
    with torch.device("meta"):
        model = GoogLeNet(config)
    assert_like_torch(profile_network(config, height, width), model)


@settings(max_examples=200, deadline=None)
@given(
    side=st.integers(1, 40), kernel=st.integers(1, 9), stride=st.integers(1, 8), ceil_mode=st.booleans(), data=st.data()
)
def test_a_pool_fits_exactly_where_torch_says_so(side, kernel, stride, ceil_mode, data):
    padding = data.draw(st.integers(0, kernel // 2))
    pool = PoolConfig("pool", kernel, stride, padding, ceil_mode)
    config = GoogLeNetConfig("one pool", (pool,), num_classes=2, input_size=side)
    try:
        expected = nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil_mode)(torch.zeros(1, 3, side, side)).shape[1:]
    except RuntimeError:
        with pytest.raises(LabError, match=f"{side}×{side} map reaches pool"):
            profile_network(config)
    else:
        assert profile_network(config).rows[0].out_shape == expected


def test_heads_count_in_the_parameters_but_not_in_the_cost_of_classifying():
    plain, headed = profile_network(preset("imagenet")), profile_network(preset("imagenet", aux_heads=True))
    assert headed.macs == plain.macs
    assert headed.activation_bytes == plain.activation_bytes
    assert headed.params == plain.params + headed.aux_params
    assert headed.aux_params > 0
    assert headed.aux_macs > 0


# --- padding ----------------------------------------------------------------------------------


def taps_on_the_map(side: int, positions: int, kernel: int, stride: int, padding: int) -> int:
    starts = [position * stride - padding for position in range(positions)]
    return sum(0 <= start + tap < side for start in starts for tap in range(kernel))


@settings(max_examples=300, deadline=None)
@given(
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    kernel=st.integers(1, 15), stride=st.integers(1, 8), ceil_mode=st.booleans(), data=st.data(),
)  # fmt: skip
def test_the_taps_that_see_padding_are_those_counted_one_by_one(size, kernel, stride, ceil_mode, data):
    padding = data.draw(st.integers(0, kernel // 2))
    try:
        out = slide("window", size, kernel, stride, padding, ceil_mode)
    except LabError:
        return
    inside = [taps_on_the_map(side, n, kernel, stride, padding) for side, n in zip(size, out, strict=True)]
    taps = kernel * kernel * out[0] * out[1]
    assert padding_share(size, out, kernel, stride, padding) == (taps - inside[0] * inside[1]) / taps


def test_on_a_small_map_a_large_window_sees_mostly_padding():
    shares = {row.name: row.padding_share for row in profile_network(preset("cifar10-truncated")).rows}
    assert shares["inception4a.branch3.1"] == 1 - (4 / 10) ** 2  # a 5×5 on 2×2 pixels
    assert shares["inception4a.branch2.1"] == pytest.approx(1 - (4 / 6) ** 2)
    assert shares["inception4a.branch1"] == shares["fc"] == 0
    assert profile_network(preset("imagenet")).rows[0].padding_share < 0.03


# --- networks that do not fit together --------------------------------------------------------


def unchained() -> GoogLeNetConfig:
    """`cifar10` with heads, 3b and the second head wrong."""
    config = preset("cifar10", aux_heads=True)
    layers = tuple(
        dataclasses.replace(layer, in_channels=100) if layer.name == "inception3b" else layer for layer in config.layers
    )
    heads = (config.aux[0], dataclasses.replace(config.aux[1], in_channels=7))
    return dataclasses.replace(config, layers=layers, aux=heads)


def test_every_problem_is_told_where_it_arises():
    first, second = unchained().problems()
    assert (first.layer, first.field, first.wanted, first.given) == ("inception3b", "in_channels", 100, 256)
    assert first.sentence.startswith("inception3b expects 100 channels but inception3a gives 256")
    assert (second.layer, second.field, second.wanted, second.given) == ("aux2", "in_channels", 7, 528)
    assert unchained().rechained() == preset("cifar10", aux_heads=True)
    assert preset("imagenet", paper=True).problems() == []


def test_a_broken_network_is_profiled_up_to_the_break():
    whole = profile_network(preset("cifar10", aux_heads=True))
    part, problems = profile_partly(unchained())
    assert problems == unchained().problems()
    assert part.rows == tuple(row for row in whole.rows[: len(part.rows)])
    assert list(part.by_layer())[-1] == "inception3a"
    assert part.out_shape == (256, 8, 8)
    with pytest.raises(LabError, match="inception3b expects 100") as refusal:
        profile_network(unchained())
    assert refusal.value.field == "inception3b"


def test_a_head_that_does_not_fit_lacks_its_own_rows_only():
    config = preset("cifar10", aux_heads=True)
    config = dataclasses.replace(config, aux=tuple(dataclasses.replace(head, adaptive=0) for head in config.aux))
    part, problems = profile_partly(config)
    assert [(problem.layer, problem.field, problem.wanted, problem.given) for problem in problems] == [
        ("aux1", "adaptive", 5, 4),
        ("aux2", "adaptive", 5, 4),
    ]
    assert part.rows == profile_network(preset("cifar10")).rows


def test_a_map_that_gets_too_small_is_a_problem_of_the_layer():
    layers = (ConvConfig("conv1", 3, 8, 3, stride=2), ConvConfig("conv2", 8, 8, 7, padding=1))
    part, (problem,) = profile_partly(GoogLeNetConfig("small", layers, 10, 8))
    assert [row.name for row in part.rows] == ["conv1"]
    assert (problem.layer, problem.field, problem.wanted, problem.given) == ("conv2", "input_size", 5, 3)
    assert "3×3 map reaches conv2" in problem.sentence


# --- refusals ---------------------------------------------------------------------------------


def test_an_image_too_small_names_the_layer_and_the_size():
    no_padding = ConvConfig("conv1", 3, 8, 7)
    config = GoogLeNetConfig("tiny", (no_padding,), num_classes=2, input_size=32)
    with pytest.raises(LabError, match=r"6×40 map reaches conv1, too small for its 7×7 window"):
        profile_network(config, 6, 40)


def test_a_head_too_small_for_its_pool_is_named():
    with pytest.raises(LabError, match=r"4×4 map reaches aux1\.avgpool, too small for its 5×5 window"):
        profile_network(preset("imagenet", aux_heads=True), 64, 64)


def test_a_flattened_network_keeps_to_its_size():
    with pytest.raises(LabError, match=r"fc takes .* 32×32 images give, but 224×224 images give .*use 32×32 images"):
        profile_network(preset("cifar10-truncated"), 224, 224)
    with pytest.raises(LabError, match=r"aux1\.fc1 takes 2,048 features"):
        profile_network(preset("imagenet", aux_heads=True), 448, 448)


@pytest.mark.parametrize(
    ("size", "field"),
    [((0, 8, 1), "height"), ((8, 1025, 1), "width"), ((8, 8, 4097), "batch"), ((8.5, 8, 1), "height"),
     ((8, None, 1), "width"), ((8, "8", 1), "width"), ((8, 8, True), "batch")],
)  # fmt: skip
def test_sizes_out_of_range_are_refused(size, field):
    with pytest.raises(LabError) as refusal:
        profile_module(INCEPTIONS["3a"], *size)
    assert refusal.value.field == field


def test_the_limits_themselves_are_allowed():
    profile = profile_module(InceptionConfig("widest", *[4096] * 7), 1024, 1024, 4096)
    assert profile.out_shape == (4 * 4096, 1024, 1024)
    assert profile_module(InceptionConfig("least", *[1] * 7), 1, 1, 1).macs == 1 + 1 + 9 + 1 + 25 + 1


# --- the programmatic face --------------------------------------------------------------------


def test_inspection_is_plain_json():
    module = inspect_module()
    assert json.loads(json.dumps(module))["out_shape"] == [256, 28, 28]
    assert module["params"] == 163_696
    assert module["rows"][2]["padding_share"] == profile_module(INCEPTIONS["3a"], 28, 28).rows[2].padding_share > 0
    assert module["branches"]["3×3"]["macs"] == (192 * 96 + 9 * 96 * 128) * 28 * 28
    assert inspect_module(naive=True, height=100, width=100)["out_shape"] == (416, 100, 100)
    network = inspect_network()
    assert json.loads(json.dumps(network))["layers"]["fc"]["params"] == 1_025_000
    assert inspect_network("cifar10", size=64)["in_shape"] == (3, 64, 64)


def test_nothing_imports_torch():
    code = "import sys, googlenet.models.profile.inspect; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_step_is_called_something_in_korean():
    rows = [
        row
        for network in (preset("imagenet", paper=True), preset("cifar10", aux_heads=True))
        for row in profile_network(network).rows
    ]
    assert [row.words for row in rows] == [row.label for row in rows]
    with speaking("ko"):
        words = {row.words for row in rows}
    assert {"3×3 합성곱", "3×3 최대 풀링", "5×5 평균 풀링", "2×2로 평균 풀링", "연결"} <= words
    assert not [name for name in words if re.search("[a-z]", name)]


def test_a_slider_drag_can_afford_it():
    def median_ms(call) -> float:
        times = []
        for _ in range(15):
            start = time.perf_counter()
            call()
            times.append(1e3 * (time.perf_counter() - start))
        return statistics.median(times)

    assert median_ms(lambda: profile_module(INCEPTIONS["3a"], 28, 28)) < 1
    config = preset("imagenet", paper=True)
    assert median_ms(lambda: profile_network(config)) < 10
