"""The modules and networks: against torchvision's GoogLeNet, against the paper's and the note's figures."""

import dataclasses
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.googlenet import BasicConv2d, InceptionAux, googlenet
from torchvision.models.googlenet import Inception as TorchvisionInception

from googlenet import AuxiliaryClassifier, ConvBlock, GoogLeNet, Inception, InceptionNaive
from googlenet.config import (
    CH5X5_VARIANTS,
    AuxConfig,
    ConvConfig,
    GoogLeNetConfig,
    InceptionConfig,
    LRNConfig,
    PoolConfig,
)
from googlenet.errors import LabError
from googlenet.models.draft import common_variant
from googlenet.models.googlenet import GoogLeNetOutput, build_inception
from googlenet.models.presets import INCEPTIONS, PRESETS, preset, with_variants

THREE_A = (192, 64, 96, 128, 16, 32, 32)


def randomise(model: nn.Module, seed: int = 0) -> nn.Module:
    """Weights and batch statistics that are not the initial ones, in a scale at which logits stay of order 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name.endswith("running_var") or name.endswith("bn.weight"):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
            elif tensor.dim() > 1:
                scale = (2 / tensor[0].numel()) ** 0.5
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * scale)
            elif tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.1)
    return model


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


# --- torchvision as an oracle -------------------------------------------------------------------


def as_torchvision(*, aux: bool) -> GoogLeNetConfig:
    """`imagenet` with all that torchvision does otherwise: BN, ReLU in the stem, 3 for 5, pools that round up."""
    layers = []
    for layer in preset("imagenet").layers:
        match layer:
            case ConvConfig():
                layer = dataclasses.replace(layer, relu=True)
            case PoolConfig():
                kernel = 2 if layer.name == "maxpool4" else 3
                layer = PoolConfig(layer.name, kernel, stride=2, padding=0, ceil_mode=True)
            case InceptionConfig():
                layer = dataclasses.replace(layer, ch5x5_kernel=3)
        layers.append(layer)
    heads = (
        AuxConfig("aux1", "inception4a", 512, dropout=0, adaptive=4),
        AuxConfig("aux2", "inception4d", 528, dropout=0, adaptive=4),
    )
    return GoogLeNetConfig("torchvision", tuple(layers), 1000, 224, batch_norm=True, aux=heads if aux else ())


def torchvision_googlenet(*, aux: bool) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return googlenet(
            weights=None, init_weights=False, aux_logits=aux, transform_input=False, dropout=0.0, dropout_aux=0.0
        )


@pytest.mark.parametrize("training", [False, True])
def test_imagenet_equals_torchvisions_googlenet(training):
    theirs = randomise(torchvision_googlenet(aux=True)).train(training)
    ours = GoogLeNet(as_torchvision(aux=True)).train(training)
    ours.load_state_dict(theirs.state_dict())  # same names, same shapes, nothing left over
    x = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, answer = theirs(x), ours(x)
    if training:
        assert isinstance(answer, GoogLeNetOutput)
        torch.testing.assert_close(answer.aux[0], expected.aux_logits1, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(answer.aux[1], expected.aux_logits2, rtol=1e-4, atol=1e-4)
        expected, answer = expected.logits, answer.logits
        assert torch.equal(ours.conv1.bn.num_batches_tracked, torch.tensor(1))
    assert expected.std() > 0.05  # not two times nothing
    torch.testing.assert_close(answer, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ours.inception5b.branch3[1].bn.running_var, theirs.inception5b.branch3[1].bn.running_var)


def test_the_oracle_has_the_parameter_counts_it_is_known_for():
    with torch.device("meta"):
        assert count(GoogLeNet(as_torchvision(aux=False))) == count(torchvision_googlenet(aux=False)) == 6_624_904
        assert count(GoogLeNet(as_torchvision(aux=True))) == count(torchvision_googlenet(aux=True)) == 13_004_888


@pytest.mark.parametrize("training", [False, True])
def test_modules_equal_torchvisions(training):
    x = torch.randn(2, 192, 13, 11)
    pairs = [
        (TorchvisionInception(*THREE_A), Inception(*THREE_A, batch_norm=True, ch5x5_kernel=3)),
        (
            BasicConv2d(192, 8, kernel_size=3, stride=2),
            ConvBlock(192, 8, batch_norm=True, kernel_size=3, stride=2),
        ),
        (
            InceptionAux(192, 7, dropout=0.0),
            AuxiliaryClassifier(192, 7, adaptive=4, dropout=0.0, batch_norm=True),
        ),
    ]
    for theirs, ours in pairs:
        randomise(theirs).train(training)
        ours.train(training).load_state_dict(theirs.state_dict())
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-5)


def test_gradients_equal_torchvisions():
    theirs = randomise(TorchvisionInception(*THREE_A)).train()
    ours = Inception(*THREE_A, batch_norm=True, ch5x5_kernel=3).train()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 192, 9, 9)
    for model in (theirs, ours):
        model(x).square().mean().backward()
    for (name, mine), their in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, their.grad, rtol=1e-4, atol=1e-6, msg=name)


# --- modules ------------------------------------------------------------------------------------


def test_the_notes_naive_example():
    module = InceptionNaive(192, 64, 128, 32)
    with torch.no_grad():
        image = torch.randn(192, 100, 100)
        assert [tuple(branch(image).shape) for branch in module.children()] == [
            (64, 100, 100),
            (128, 100, 100),
            (32, 100, 100),
            (192, 100, 100),
        ]
        assert module(image).shape == (416, 100, 100)
    assert module.to("meta")(torch.empty(32, 192, 100, 100, device="meta")).shape == (32, 416, 100, 100)


def test_the_notes_example_with_reductions():
    module = Inception(*THREE_A)
    with torch.no_grad():
        image = torch.randn(192, 100, 100)
        assert [branch(image).shape[0] for branch in module.children()] == [64, 128, 32, 32]
        assert module(image).shape == (256, 100, 100)
    assert module.to("meta")(torch.empty(32, 192, 100, 100, device="meta")).shape == (32, 256, 100, 100)


def test_a_module_is_its_branches_side_by_side():
    """By hand, from the functional operations, with 5×5 a real 5×5."""
    module, x = Inception(6, 3, 4, 5, 2, 3, 2), torch.randn(2, 6, 8, 7)

    def conv(block: ConvBlock, x: torch.Tensor, padding: int) -> torch.Tensor:
        return F.relu(F.conv2d(x, block.conv.weight, block.conv.bias, padding=padding))

    one, three, five, pool = module.children()
    expected = torch.cat(
        [
            conv(one, x, 0),
            conv(three[1], conv(three[0], x, 0), 1),
            conv(five[1], conv(five[0], x, 0), 2),
            conv(pool[1], F.max_pool2d(x, 3, stride=1, padding=1), 0),
        ],
        dim=1,
    )
    assert module.branch3[1].conv.kernel_size == (5, 5)
    torch.testing.assert_close(module(x), expected)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_an_image_without_a_batch_axis_is_a_batch_of_one(batch_norm, training):
    modules = [
        ConvBlock(6, 4, batch_norm=batch_norm, kernel_size=3),
        InceptionNaive(6, 3, 4, 2, batch_norm=batch_norm),
        Inception(6, 3, 4, 5, 2, 3, 2, batch_norm=batch_norm),
        AuxiliaryClassifier(6, 5, channels=4, hidden=8, dropout=0, batch_norm=batch_norm),
    ]
    for module in modules:
        randomise(module).train(training)
        image = torch.randn(6, 14, 14)
        torch.testing.assert_close(module(image), module(image[None])[0])


def test_a_network_takes_one_image_too():
    network = preset("cifar10", aux_heads=True)
    model = GoogLeNet(dataclasses.replace(network, aux=tuple(dataclasses.replace(h, dropout=0) for h in network.aux)))
    image = torch.randn(3, 32, 32)
    model.eval()
    assert model(image).shape == (10,)
    torch.testing.assert_close(model(image), model(image[None])[0])
    bare = GoogLeNet.from_preset("cifar10-truncated").train()
    torch.testing.assert_close(bare(image), bare(image[None])[0])
    training = GoogLeNet.from_preset("cifar10-truncated", aux_heads=True).train()(image)
    assert [t.shape for t in (training.logits, *training.aux)] == [(10,)] * 3


@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 32, 32), (1, 2, 3, 32, 32), (32, 32, 3)])
def test_other_shapes_are_named(shape):
    with pytest.raises(LabError, match=r"takes images of shape \(N, 3, H, W\) or \(3, H, W\), not \("):
        GoogLeNet.from_preset("cifar10-truncated")(torch.zeros(shape))


# --- networks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "params", "shape"),
    [
        ("imagenet", {}, 6_998_552, (32, 1000)),
        ("imagenet-torchvision", {}, 6_624_904, (32, 1000)),
        ("cifar10-truncated", {}, 3_494_346, (32, 10)),
        ("cifar10", {}, 5_983_402, (32, 10)),
    ],
)
def test_parameters_and_shapes(name, options, params, shape):
    with torch.device("meta"):
        model = GoogLeNet.from_preset(name, **options)
        assert count(model) == params
        size = model.config.input_size
        assert model(torch.empty(32, 3, size, size)).shape == shape


def test_the_notes_cifar_network_ends_in_832_features():
    model = GoogLeNet.from_preset("cifar10-truncated")
    assert (model.fc.in_features, model.fc.out_features) == (832, 10)
    with torch.no_grad():
        assert model(torch.randn(2, 3, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize("name", PRESETS)
def test_other_class_counts(name):
    with torch.device("meta"):
        model = GoogLeNet.from_preset(name, num_classes=7, aux_heads=True).train()
        output = model(torch.empty(2, 3, model.config.input_size, model.config.input_size))
    assert [t.shape for t in (output.logits, *output.aux)] == [(2, 7)] * 3


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_convolutions_have_a_bias_exactly_without_batch_norm(name, batch_norm):
    with torch.device("meta"):
        model = GoogLeNet.from_preset(name, batch_norm=batch_norm)
    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(norms) == (len(convolutions) if batch_norm else 0)
    assert all((module.bias is None) == batch_norm for module in convolutions)


def test_auxiliary_heads_answer_only_while_training():
    model = GoogLeNet.from_preset("imagenet", num_classes=5, aux_heads=True)
    assert model.aux1.fc1.in_features == 128 * 4 * 4  # 14×14 → 4×4 by the paper's 5×5 pool at stride 3
    assert model.aux1.fc2.in_features == 1024
    assert (model.aux1.dropout.p, model.config.aux_weight) == (0.7, 0.3)
    with torch.no_grad():
        x = torch.randn(1, 3, 224, 224)
        assert model.eval()(x).shape == (1, 5)
        output = model.train()(x)
        # The heads look at 4a and 4d, and nothing after them.
        x = model.maxpool2(model.conv3(model.conv2(model.maxpool1(model.conv1(x)))))
        x = model.inception4a(model.maxpool3(model.inception3b(model.inception3a(x))))
        model.aux1.dropout.p = 0.0
        torch.manual_seed(0)
        again = model.aux1(x)
    assert [t.shape for t in output.aux] == [(1, 5)] * 2
    assert again.shape == (1, 5)


def test_the_papers_options():
    network = preset("imagenet", paper=True)
    names = [layer.name for layer in network.layers]
    assert names[:7] == ["conv1", "maxpool1", "lrn1", "conv2", "conv3", "lrn2", "maxpool2"]
    assert (network.dropout, len(network.aux)) == (0.4, 2)
    assert all(layer.relu for layer in network.layers if isinstance(layer, ConvConfig))
    with torch.device("meta"):
        assert isinstance(GoogLeNet(network).lrn1, nn.LocalResponseNorm)
    plain = preset("imagenet")
    assert not any(isinstance(layer, LRNConfig) or getattr(layer, "relu", False) for layer in plain.layers)
    assert (plain.dropout, plain.aux) == (0.0, ())


def test_local_response_norm_is_krizhevskys():
    model = GoogLeNet(GoogLeNetConfig("lrn", (LRNConfig("lrn1"),), 2, 4, average_pool=False))
    x = torch.randn(1, 3, 4, 4)
    energy = x.square().sum(1, keepdim=True)  # a window of 5 covers all three channels
    torch.testing.assert_close(model.lrn1(x), x / (1 + 1e-4 / 5 * energy) ** 0.75)


def test_dropout_acts_in_training_only():
    model = GoogLeNet.from_preset("cifar10-truncated", dropout=0.5)
    x = torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        assert not torch.equal(model.train()(x), model(x))
        assert torch.equal(model.eval()(x), model(x))


@pytest.mark.parametrize("name", [f"inception{key}" for key in INCEPTIONS])
def test_any_module_can_be_swapped(name):
    network = preset("cifar10")
    layer = next(layer for layer in network.layers if layer.name == name)
    for swap in (
        dataclasses.replace(layer, ch1x1=layer.ch1x1 + 8, ch5x5_kernel=3),
        InceptionConfig.make_naive(name, layer.in_channels, 16, 24, 8),
    ):
        with torch.device("meta"):
            model = GoogLeNet(network.with_layer(swap))
            assert model(torch.empty(2, 3, 32, 32)).shape == (2, 10)
        assert type(getattr(model, name)) is (InceptionNaive if swap.naive else Inception)


def test_swapping_keeps_auxiliary_heads_fitting():
    network = preset("cifar10", aux_heads=True).with_layer(dataclasses.replace(INCEPTIONS["4a"], ch1x1=100))
    assert network.aux[0].in_channels == 512 - 192 + 100
    with torch.device("meta"):
        assert len(GoogLeNet(network).train()(torch.empty(2, 3, 32, 32)).aux) == 2


def test_swapping_a_layer_that_is_not_there_is_refused():
    with pytest.raises(LabError, match="has no layer 'inception9z'"):
        preset("cifar10").with_layer(dataclasses.replace(INCEPTIONS["3a"], name="inception9z"))


def test_layers_that_do_not_meet_are_named():
    layers = (ConvConfig("conv1", 3, 8, 3), ConvConfig("conv2", 16, 8, 3))
    with pytest.raises(LabError, match="conv2 expects 16 channels but conv1 gives 8: set its channels in to 8"):
        GoogLeNet(GoogLeNetConfig("broken", layers, 10, 32))


@pytest.mark.parametrize("name", ["forward", "training", "config", "_heads", "state_dict"])
def test_a_layer_cannot_take_the_name_of_something_else(name):
    with pytest.raises(LabError, match="cannot name a layer"):
        GoogLeNet(GoogLeNetConfig("clash", (ConvConfig(name, 3, 8, 3),), 10, 32))


def test_images_that_get_too_small_are_refused():
    network = dataclasses.replace(preset("imagenet", aux_heads=True), input_size=32)
    with pytest.raises(LabError, match="aux1"):
        GoogLeNet(network)


@pytest.mark.parametrize("variant", CH5X5_VARIANTS)
def test_the_5x5_branch_of_a_whole_network(variant):
    network = preset("imagenet", ch5x5=variant)
    weights = sum(module.ch5x5red * module.ch5x5 for module in INCEPTIONS.values())
    second = sum(9 * module.ch5x5**2 + module.ch5x5 for module in INCEPTIONS.values())
    params = 6_998_552 + {"5x5": 0, "3x3": -16 * weights, "two 3x3": second - 16 * weights}[variant]
    assert {layer.ch5x5_variant for layer in network.layers if isinstance(layer, InceptionConfig)} == {variant}
    with torch.device("meta"):
        assert count(GoogLeNet(network)) == params
    assert with_variants(network, ch5x5="5x5") == preset("imagenet")


@pytest.mark.parametrize("name", PRESETS)
def test_switching_variants_of_a_network_gives_the_preset_with_them(name):
    plain, switched = preset(name), preset(name, batch_norm=True, aux_heads=True, ch5x5="two 3x3")
    assert with_variants(plain, batch_norm=True, aux_heads=True, ch5x5="two 3x3") == switched
    assert with_variants(switched, batch_norm=plain.batch_norm, aux_heads=False, ch5x5=common_variant(plain)) == plain
    assert with_variants(plain) == plain
    changed = switched.with_layer(InceptionConfig.make_naive("inception4a", 480, 8, 8, 8))
    assert with_variants(changed, aux_heads=True) == changed  # heads that are there stay as they are
    assert with_variants(with_variants(changed, aux_heads=False), aux_heads=True) == changed


def test_variants_that_cannot_be():
    with pytest.raises(LabError, match="ch5x5 must be one of 5x5, 3x3, two 3x3, not '7x7'"):
        preset("cifar10", ch5x5="7x7")
    with pytest.raises(LabError, match="there is no inception4a"):
        with_variants(GoogLeNetConfig("c", (ConvConfig("conv1", 3, 8, 3),), 10, 32), aux_heads=True)


def test_a_preset_that_is_not_there():
    with pytest.raises(
        LabError, match="no preset 'resnet': choose one of imagenet, imagenet-torchvision, cifar10-truncated"
    ):
        GoogLeNet.from_preset("resnet")


def test_build_inception_follows_its_configuration():
    reduced = build_inception(InceptionConfig("m", *THREE_A, ch5x5_kernel=3), batch_norm=True)
    assert reduced.branch3[1].conv.kernel_size == (3, 3)
    assert reduced.branch1.bn.eps == 1e-3
    naive = build_inception(InceptionConfig.make_naive("n", 6, 3, 4, 2))
    assert naive(torch.randn(6, 5, 5)).shape == (15, 5, 5)


def test_two_3x3_see_what_one_5x5_sees():
    five, two = InceptionConfig("m", *THREE_A), InceptionConfig("m", *THREE_A).with_ch5x5("two 3x3")
    model = build_inception(two)
    assert [block.conv.weight.shape for block in model.branch3] == [(16, 192, 1, 1), (32, 16, 3, 3), (32, 32, 3, 3)]
    assert [fields_of_view(build_inception(config).branch3) for config in (five, two)] == [(5, 5)] * 2
    naive = build_inception(InceptionConfig.make_naive("n", 6, 3, 4, 2).with_ch5x5("two 3x3"), batch_norm=True)
    assert fields_of_view(naive.branch3.eval()) == (5, 5)
    assert naive(torch.randn(6, 5, 5)).shape == (15, 5, 5)


def fields_of_view(branch: nn.Module) -> tuple[int, int]:
    """Height and width of the input pixels that reach the middle output pixel of `branch`."""
    x = torch.ones(1, next(branch.parameters()).shape[1], 11, 11, requires_grad=True)
    for parameter in branch.parameters():
        nn.init.constant_(parameter, 0.1)
    branch(x)[..., 5, 5].sum().backward()
    seen = x.grad.abs().sum((0, 1)) > 0
    return int(seen.any(1).sum()), int(seen.any(0).sum())
