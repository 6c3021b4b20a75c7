"""The ledger of an answer adds up to the logit; replacing a branch does what replacing it by hand does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from test_trace import NETWORKS, pixels
from tiny import CLASSES, tiny_checkpoint, tiny_config
from torch import Tensor

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, PoolConfig
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.inside.effects import Effect, Effects, branch_effects
from googlenet.inference.inside.ledger import Ledger, ledger
from googlenet.inference.inside.trace import Trace, bands, inception, trace

MODULE = InceptionConfig("inception3a", 8, 4, 4, 6, 2, 3, 3)
STEM = ConvConfig("conv1", 3, 8, 3, stride=2, padding=1)
TWO = (STEM, MODULE, PoolConfig("maxpool3"), InceptionConfig("inception4a", 16, 4, 4, 6, 2, 3, 3))
LAST = {
    "a pool after the module": tiny_config(layers=(STEM, MODULE, PoolConfig("maxpool3"))),
    "a convolution after the module": tiny_config(layers=(STEM, MODULE, ConvConfig("conv9", 16, 5, 1))),
}


def traced(path: Path, config: GoogLeNetConfig | None = None, seed: int = 0) -> tuple[Classifier, Trace]:
    classifier = Classifier(tiny_checkpoint(path / "a.safetensors", config=config), "cpu")
    return classifier, trace(classifier, pixels(seed=seed))


def check(found: Ledger) -> None:
    """Bias and parts come to the logit, whichever way they are added up."""
    for parts in (found.values, found.channels, found.places):
        assert found.bias + parts.sum().item() == pytest.approx(found.logit, abs=1e-4)
    if found.bands:
        assert found.bias + sum(found.branches.values()) == pytest.approx(found.logit, abs=1e-4)
        assert torch.allclose(sum(found.branch_places.values(), torch.zeros(())), found.places)
    plain = found.to_dict(top=4)
    told = sum(entry["value"] for entry in plain["channels"]) + plain["other_channels"]
    assert found.bias + told == pytest.approx(found.logit, abs=1e-4)
    json.dumps(plain, allow_nan=False)


@pytest.mark.parametrize("name", [*NETWORKS, *LAST])
def test_the_parts_add_up_to_the_logit(name: str, tmp_path: Path) -> None:
    classifier, found = traced(tmp_path, {**NETWORKS, **LAST}[name])
    for number, label in enumerate(CLASSES):
        one = ledger(classifier, found, label)
        assert one.logit == found.logits[number].item()
        check(one)
    check(ledger(classifier, found, "cat", "frog"))
    assert ledger(classifier, found, 0, 2).logit == pytest.approx((found.logits[0] - found.logits[2]).item())


def test_the_shipped_network(shipped_network: Path) -> None:
    classifier = Classifier(shipped_network, "cpu")
    found = trace(classifier, pixels())
    for against in (None, "dog"):
        done = ledger(classifier, found, "cat", against)
        check(done)
        assert (done.module, tuple(done.values.shape), done.note) == ("inception5b", (1024, 8, 8), "")
    weights = classifier.model.fc.weight.double()[3]
    by_hand = found.maps["inception5b"][384:768].double().mean((1, 2)) @ weights[384:768]
    assert ledger(classifier, found, "cat").branches["3×3"] == pytest.approx(by_hand.item(), abs=1e-6)
    first = ledger(classifier, found, "cat").strongest(1)[0]
    assert first.branch == ledger(classifier, found, "cat").branch_of(first.channel)


def test_what_cannot_be_split_by_branch_is_said(tmp_path: Path) -> None:
    pooled = ledger(*traced(tmp_path, LAST["a pool after the module"]), "cat")
    assert (pooled.layer, pooled.module, sorted(pooled.bands)) == ("maxpool3", "inception3a", sorted(bands(MODULE)))
    assert pooled.note == "The places are those of maxpool3, which keeps inception3a's channels apart."
    mixed = ledger(*traced(tmp_path, LAST["a convolution after the module"]), "cat")
    assert (mixed.module, mixed.branches) == ("", {})
    assert mixed.note.startswith("conv9 is no Inception module: its channels belong to no branch")


def test_an_effect_is_that_of_a_branch_replaced_by_hand(tmp_path: Path) -> None:
    classifier, found = traced(tmp_path, tiny_config(layers=TWO))
    means = {name: torch.rand(16) for name in ("inception3a", "inception4a")}
    done = branch_effects(classifier, pixels(), "cat", means, "dog")
    asked = [(effect.module, effect.branch) for effect in done.effects]
    assert asked == [(name, branch) for name in means for branch in ("1×1", "3×3", "5×5", "pool")]
    for effect in done.effects:
        band = bands(inception(found.config, effect.module))[effect.branch]  # type: ignore[arg-type]

        def replace(module: object, given: object, y: Tensor, band: slice = band, name: str = effect.module) -> None:
            y[:, band] = means[name][band, None, None]

        hook = classifier.model.get_submodule(effect.module).register_forward_hook(replace)
        logits = classifier.logits(pixels()[None])[0]
        hook.remove()
        assert effect.change == pytest.approx((logits[0] - logits[1]).item() - done.logit, abs=1e-4)
    assert done.logit == pytest.approx((found.logits[0] - found.logits[1]).item(), abs=1e-4)
    json.dumps(done.to_dict(), allow_nan=False)


def test_after_the_last_module_the_effect_is_the_ledger_s(shipped_network: Path) -> None:
    """There is nothing but a linear layer behind it: the change is what the means add less what the picture adds."""
    classifier = Classifier(shipped_network, "cpu")
    found = trace(classifier, pixels())
    means = {name: maps.mean((1, 2)) for name, maps in trace(classifier, pixels(seed=1)).maps.items()}
    told, steps = [], ledger(classifier, found, "cat").branches
    done = branch_effects(classifier, pixels(), "cat", means, progress=lambda share, name: told.append((share, name)))
    assert len(done.effects) == 36
    assert told[0] == (0.0, "conv1")
    weights = classifier.model.fc.weight.double()[3]
    for effect in done.effects[-4:]:
        band = bands(inception(found.config, "inception5b"))[effect.branch]  # type: ignore[arg-type]
        expected = (means["inception5b"][band].double() @ weights[band]).item() - steps[effect.branch]
        assert effect.change == pytest.approx(expected, abs=1e-4)


def test_the_sentence() -> None:
    effects = (Effect("inception3a", "5×5", 0.4, 9), Effect("inception4e", "3×3", -2.13, 29))
    assert Effects("cat", None, 5.0, 32, effects).sentence == (
        "The 3×3 branch of inception4e, which sees 29 × 29 pixels, carried cat most: without it the logit falls by 2.1."
    )
    assert Effects("cat", "dog", 5.0, 29, effects).sentence == (
        "The 3×3 branch of inception4e, which sees windows of 29 × 29 pixels, up to the whole picture, carried cat "
        "against dog most: without it cat's lead over dog falls by 2.1."
    )
    assert Effects("cat", None, 5.0, 32, effects[:1]).sentence == (
        "No single branch carried cat: the logit of cat falls by less than 0.05 without any of them."
    )
    assert Effects("cat", None, 5.0, 32, ()).sentence.startswith("This network has no Inception module")


def test_refusals_are_sentences(tmp_path: Path) -> None:
    classifier, found = traced(tmp_path)
    means = {"inception3a": torch.zeros(16)}
    with pytest.raises(LabError, match="knows no class 'lion': choose one of cat, dog, frog"):
        ledger(classifier, found, "lion")
    with pytest.raises(LabError, match="cat cannot be compared with itself"):
        ledger(classifier, found, "cat", 0)
    with pytest.raises(LabError, match="cat cannot be compared with itself"):
        branch_effects(classifier, pixels(), "cat", means, "cat")
    for wrong in ({}, {"inception3a": torch.zeros(15)}):
        with pytest.raises(LabError, match="no means for the 16 channels of inception3a: make the index anew"):
            branch_effects(classifier, pixels(), "cat", wrong)
    classifier = Classifier(classifier.path, "cpu")
    with torch.no_grad():
        classifier.model.fc.bias.fill_(float("nan"))
    with pytest.raises(LabError, match="answers with NaN"):
        branch_effects(classifier, pixels(), "cat", means)
