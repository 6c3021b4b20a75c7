"""The note's first idea, measured: gradient fades on its way back, and heads feed it again."""

import dataclasses
import itertools

import pytest
import torch

from googlenet.config import ConvConfig, GoogLeNetConfig
from googlenet.errors import LabError
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.presets import INCEPTIONS, preset
from googlenet.training.gradients import compare_heads, gradient_norms


@pytest.fixture(scope="module")
def plain():
    """The first three comparisons of the full network for 32×32, without batch norm."""
    return list(compare_heads(preset("cifar10", batch_norm=False), steps=2))


def test_every_layer_with_weights_is_there_in_order(plain):
    layers = ["conv1", "conv2", "conv3", *(f"inception{name}" for name in INCEPTIONS), "fc"]
    assert [comparison.step for comparison in plain] == [0, 1, 2]
    for gradients in itertools.chain(*((comparison.without, comparison.with_heads) for comparison in plain)):
        assert list(gradients.norms) == layers
        assert min(gradients.norms.values()) > 0


def test_without_heads_the_gradient_fades_and_heads_bring_it_back(plain):
    for comparison in plain:
        assert comparison.without.fading > 10_000
        assert comparison.gains["conv1"] > 50
        assert comparison.with_heads.fading < comparison.without.fading / 50
        assert "× less gradient than the last layer; with the heads it gets" in comparison.sentence
    assert plain[0].sentence.startswith("At initialisation conv1 gets ")
    assert plain[2].sentence.startswith("After 2 steps conv1 gets ")


def test_both_start_from_the_same_weights(plain):
    first = plain[0]
    assert first.without.loss == first.with_heads.loss
    after_the_heads = ("inception4e", "inception5a", "inception5b", "fc")
    assert [first.gains[layer] for layer in after_the_heads] == pytest.approx([1] * 4, rel=1e-4)
    assert first.gains["inception4d"] > 1.5


def test_batch_norm_needs_no_heads():
    (first,) = compare_heads(preset("cifar10"), steps=0)
    assert first.without.fading < 10
    assert first.gains["conv1"] < 2
    assert first.sentence.startswith(
        "At initialisation the gradient has not faded when it reaches conv1; with the heads"
    )


def test_the_norms_are_those_of_torchs_gradient():
    """Read from the network itself, after its first batch."""
    network = preset("cifar10-truncated", aux_heads=True)
    seen = {}

    class Spy(GoogLeNet):
        def forward(self, x):
            seen["model"], seen["images"] = self, x
            return super().forward(x)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("googlenet.training.gradients.GoogLeNet", Spy)
        first = next(gradient_norms(network, 0, with_heads=False))
    grads = [parameter.grad for parameter in seen["model"].inception3a.parameters()]
    assert first.norms["inception3a"] == pytest.approx(
        torch.cat([grad.flatten() for grad in grads]).norm().item(), rel=1e-4
    )
    assert seen["images"].shape == (16, 3, 32, 32)
    assert seen["model"].aux1.fc1.weight.grad is None


def test_a_seed_gives_the_same_figures_and_leaves_other_draws_alone():
    network = preset("cifar10-truncated")
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    first = [list(gradient_norms(network, 1, seed=seed)) for seed in (0, 0, 1)]
    assert torch.equal(torch.rand(4), expected)
    assert first[0] == first[1] != first[2]


def test_what_cannot_be_compared():
    small = preset("cifar10")
    wide = small.with_layer(dataclasses.replace(INCEPTIONS["3a"], ch3x3red=2000, ch3x3=2000))
    headless = GoogLeNetConfig("c", (ConvConfig("conv1", 3, 8, 3),), 10, 32)
    for network, says in (
        (preset("imagenet"), "imagenet takes 224×224 images, but the drawn shapes have 32×32"),
        (headless, "there is no inception4a"),
        (wide, "G multiply-adds"),
    ):
        with pytest.raises(LabError, match=says):
            compare_heads(network)
    with pytest.raises(LabError, match="steps must be a whole number from 0 to 200, not 201"):
        gradient_norms(small, 201)
