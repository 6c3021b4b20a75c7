"""Challenges: what is asked can be done, torch agrees with what is judged, and a miss says by how much."""

from __future__ import annotations

import dataclasses
from random import Random

import pytest
import torch

from googlenet.config import GoogLeNetConfig, InceptionConfig
from googlenet.errors import LabError
from googlenet.lessons.challenges import CHALLENGES, Challenge, challenge_of, judge
from googlenet.lessons.design import ModuleDesign, design_text, read_design
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.presets import preset

SEEDS = range(25)
START = "reduced-192-1-28-28-64-96-128-16-32-32"


def drawn(key: str, seed: int) -> Challenge:
    return challenge_of(key, Random(f"test {seed}") if seed else None)


def start_of(key: str, seed: int = 0) -> GoogLeNetConfig:
    start = drawn(key, seed).start
    assert isinstance(start, GoogLeNetConfig)
    return start


def said(key: str, design: str, seed: int = 0) -> str:
    verdict = judge(drawn(key, seed), design)
    return " ".join(condition.sentence for condition in verdict.conditions if not condition.holds)


@pytest.mark.parametrize("key", CHALLENGES)
def test_every_challenge_can_be_solved_and_its_start_does_not_solve_it(key):
    for seed in SEEDS:
        challenge = drawn(key, seed)
        assert not judge(challenge, design_text(challenge.start)).right
        assert judge(challenge, design_text(challenge.example)).right
    assert len({design_text(drawn(key, seed).start) for seed in SEEDS}) > 3


@pytest.mark.parametrize(
    ("design", "misses"),
    [
        (START, "128.0 M multiply-adds: 28.0 M too many."),
        ("reduced-192-1-28-28-64-64-128-16-32-16", "240 channels: 16 too few."),
        ("reduced-192-1-28-28-253-1-1-1-1-1", "2 channels: 158 too few."),  # a 1×1 alone would be cheap
        ("reduced-192-1-14-14-64-64-128-16-32-32", "It takes 192 × 14 × 14: set 192 × 28 × 28."),
        ("reduced-192-1-28-28-64-64-128-16-32-32-forgotten", "The pool branch gives a 10×10 map, the others 28×28"),
        # One multiply-add for every pair of channels at every place: 100,000,000 itself is not fewer than that.
        ("naive-192-1-28-28-64-96-128-16-32-32", "multiply-adds: "),
    ],
)
def test_a_budget_that_is_missed_says_by_how_much(design, misses):
    assert misses in said("budget", design)


@pytest.mark.parametrize(
    "design",
    ["reduced-192-1-28-28-64-64-128-16-32-32", "reduced-192-1-28-28-64-48-120-24-48-24",
     "reduced-192-1-28-28-96-40-112-16-48-1"],
)  # fmt: skip
def test_several_modules_are_within_their_means(design):
    assert judge(drawn("budget", 0), design).right


def test_several_repairs_are_right_and_torch_runs_them():
    start = start_of("repair")
    assert design_text(start) == "cifar10~unchained~inception4a.pool_proj.32"
    for change in ({"pool_proj": 64}, {"ch1x1": 224}, {"ch5x5": 80, "ch3x3red": 80}):
        layers = tuple(
            dataclasses.replace(layer, **change) if layer.name == "inception4a" else layer for layer in start.layers
        )
        repaired = dataclasses.replace(start, layers=layers)
        assert judge(drawn("repair", 0), design_text(repaired)).right
        assert GoogLeNet(repaired).eval()(torch.zeros(1, 3, 32, 32)).shape == (1, 10)


def test_a_repair_of_the_wrong_layer_is_named():
    challenge = drawn("repair", 0)
    assert said("repair", design_text(challenge.start)) == (
        "inception4b takes 512 channels and 480 reach it: 32 too few."
    )
    fixed_by_the_button = design_text(start_of("repair").rechained())
    assert said("repair", fixed_by_the_button) == "inception4b changed as well: put it back."
    assert "put them back" in said("repair", "cifar10~inception4a.pool_proj.64~inception3a.ch1x1.80")
    dear = "cifar10~unchained~inception4a.pool_proj.32~inception4a.ch3x3.240"
    assert said("repair", dear).startswith("inception4a has ")
    assert said("repair", dear).endswith(" too many.")
    assert "It has not the same layers" in said("repair", "cifar10-truncated")


def test_a_mistaken_padding_is_told_by_sizes_and_never_named_before_it_is_found():
    for seed in SEEDS:
        challenge = drawn("padding_mistake", seed)
        pairs = zip(start_of("padding_mistake", seed).layers, preset("imagenet").layers, strict=True)
        (wrong,) = [layer.name for layer, meant in pairs if layer != meant]
        told = said("padding_mistake", design_text(challenge.start), seed)
        assert "too few a side" in told
        assert wrong not in told
        assert wrong not in str((challenge.question, challenge.given, challenge.hint))
    assert said("padding_mistake", "imagenet~conv3.kernel.1~conv3.padding.0") == "conv3 changed as well: put it back."


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "There is no design yet"),
        ("hello", "This is no design"),
        ("reduced-192-1-28", "This module was cut off"),
        ("reduced-192-1-28-28-0-96-128-16-32-32", "must be a whole number from 1"),
        ("reduced-192-1-28-99999-64-96-128-16-32-32", "must be a whole number from 1"),
        ("http://127.0.0.1:7860/?tab=train", "describes no module and no network"),
        ("cifar10", "is answered with a module"),
        ("packed." + "A" * 3000, "A design is up to 2,000 characters"),
    ],
)
def test_what_is_no_design_is_refused_in_a_sentence(text, says):
    with pytest.raises(LabError, match=says):
        judge(drawn("budget", 0), text)


def test_a_design_is_read_from_an_address_and_written_again():
    address = f"http://127.0.0.1:7860/?tab=build&view=module&module={START}-forgotten&network=cifar10"
    assert read_design(address) == ModuleDesign(
        InceptionConfig("module", 192, 64, 96, 128, 16, 32, 32), 28, 28, forgotten=True
    )
    assert read_design(address.replace("view=module", "view=network")) == preset("cifar10")
    for text in (START, f"{START}-forgotten", "naive-64-8-12-7-32-96-32-16-32-32", "cifar10~batch_norm.0"):
        assert design_text(read_design(text)) == text
