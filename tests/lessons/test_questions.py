"""Any builder state is a question, answered as torch would answer it."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from googlenet.errors import LabError
from googlenet.lessons.design import ModuleDesign, read_design
from googlenet.lessons.exercise import check
from googlenet.lessons.questions import ask, kinds
from googlenet.models.blocks import Inception, InceptionNaive
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.profile.measure import concat_error

MODULES = ("reduced-192-1-28-28-64-96-128-16-32-32", "naive-64-8-12-7-32-96-32-16-32-32",
           "reduced-5-1-1-1-1-1-1-1-1-1")  # fmt: skip
NETWORKS = ("cifar10", "imagenet", "cifar10-truncated", "cifar10~unchained~inception4a.pool_proj.32")


@pytest.mark.parametrize("text", [*MODULES, *(f"{text}-forgotten" for text in MODULES)])
def test_a_modules_questions_are_answered_by_torch(text):
    design = read_design(text)
    assert isinstance(design, ModuleDesign)
    config = design.config
    with torch.device("meta"):
        module = (InceptionNaive if config.naive else Inception)(config.in_channels, *config.widths)
        pool = next(part for part in module.branch4.modules() if isinstance(part, nn.MaxPool2d))
        if design.forgotten:
            pool.stride = pool.kernel_size
        x = torch.empty(1, config.in_channels, design.height, design.width)
        ends = [getattr(module, f"branch{number}")(x) for number in range(1, 5)]
        after_pool = pool(x).shape[2]
    fit = len({end.shape[2:] for end in ends}) == 1
    offered = kinds(design)
    assert ask(design, "fits").answer == (1 if fit else 5)
    assert fit == (not (design.forgotten and concat_error(config, design.height, design.width)))
    assert ask(design, "pool_side").answer == after_pool
    assert ("channels" in offered) == fit
    if fit:
        assert ask(design, "channels").answer == sum(end.shape[1] for end in ends)
    steps = {sum(part.numel() for part in c.parameters()) for c in module.modules() if isinstance(c, nn.Conv2d)}
    assert ask(design, "params").answer in steps


@pytest.mark.parametrize("text", NETWORKS)
def test_a_networks_questions(text):
    network = read_design(text)
    assert not isinstance(network, ModuleDesign)
    if network.problems():
        assert list(kinds(network)) == ["misfit"]
        exercise = ask(network, "misfit")
        assert "inception4b: 512" in exercise.choices[int(exercise.answer) - 1]
        return
    with torch.device("meta"):
        model = GoogLeNet(network)
    assert ask(network, "features").answer == model.fc.in_features
    channels = getattr(network.layers[-1], "out_channels", 832)
    side = ask(network, "last_side").answer
    assert network.average_pool or channels * side * side == model.fc.in_features


@pytest.mark.parametrize("text", [*MODULES, *(f"{text}-forgotten" for text in MODULES), *NETWORKS])
def test_a_right_answer_is_right_and_no_slip_is(text):
    design = read_design(text)
    for kind in kinds(design):
        exercise = ask(design, kind)
        assert check(exercise, str(exercise.answer)).right
        assert exercise.answer not in [slip.number for slip in exercise.mistakes]
        assert exercise.state == text or exercise.network == text


def test_what_cannot_be_asked_is_refused():
    design = read_design(f"{MODULES[0]}-forgotten")
    with pytest.raises(LabError, match="question must be one of params, macs, fits, pool_side"):
        ask(design, "channels")
    assert isinstance(design, ModuleDesign)
    written = dict(ask(design, "fits").given)["pool"]
    assert written == "nn.MaxPool2d(kernel_size=3, padding=1), then 1×1 → 32"
    whole = dict(ask(dataclasses.replace(design, forgotten=False), "fits").given)["pool"]
    assert "stride=1" in whole
