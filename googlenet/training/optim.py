"""The optimizer of a `TrainConfig`, its learning rate, and the averaged weights that follow it."""

from __future__ import annotations

import copy
import math

import torch
from torch import nn

from googlenet.models.googlenet import GoogLeNet
from googlenet.recipes import TrainConfig
from googlenet.training.methods.muon import Muon


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum, Adam, or Muon with SGD for what is no filter.

    Weight decay acts on filters and matrices, and with `norm_decay` on biases and batch norm too.
    """
    learned = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learned if p.dim() > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in learned if p.dim() <= 1], "weight_decay": config.weight_decay * config.norm_decay},
    ]
    if config.optimizer == "muon":
        matrices = groups[0]["params"]
        groups[0]["params"] = [p for p in matrices if p.dim() == 2]
        groups.append({"params": [p for p in matrices if p.dim() > 2], "filters": True})
        return Muon(groups, config.lr, config.momentum)
    if config.optimizer == "adam":
        on_gpu = next(model.parameters()).is_cuda  # there the step is part of a graph
        return torch.optim.Adam(groups, lr=config.lr, fused=True, capturable=on_gpu)
    nesterov = config.momentum > 0
    return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, nesterov=nesterov, fused=True)


def learning_rate(config: TrainConfig, step: int, steps: int) -> float:
    """The rate of step `step` (from 0) of `steps`: constant, or up in a line and down by a half cosine (one cycle).

    A triangle comes down in a line too.
    """
    if config.schedule == "constant":
        return config.lr
    peak = config.warmup * steps
    if step < peak:
        return config.lr * (step + 1) / (math.ceil(peak) + 1)
    return config.lr * _falling(config, (step - peak) / max(1.0, steps - peak))


def falling_rate(config: TrainConfig, rate: float, step: float, steps: float) -> float:
    """The rate of step `step` of `steps` since `rate` was commanded: where the schedule is not constant, down to 0.

    As the schedule falls from its peak; it does not rise first, so no rate is above the commanded one.
    """
    if config.schedule == "constant":
        return rate
    return rate * _falling(config, max(0.0, step) / max(1.0, steps))


def _falling(config: TrainConfig, done: float) -> float:
    """What is left of a rate when `done` of its way down, from 0 to 1, is gone."""
    return 1 - done if config.schedule == "triangle" else (1 + math.cos(math.pi * done)) / 2


class WeightAverage:
    """Follows `model` at `decay` per step: average ← decay · average + (1 − decay) · weights, batch norm included.

    In its first steps it forgets faster, min(decay, (1 + step)/(10 + step)), so that it does not drag the random start
    along (the schedule of TensorFlow's ExponentialMovingAverage).

    Not `optim.swa_utils.AveragedModel`, which does the same: it lists, groups and detaches all tensors anew at each
    step and copies its counter to the device (2.3 ms a step for cifar10, this 0.6 ms), averages either no buffers or
    integer ones too, and puts another prefix before the names in resume.pt.
    """

    def __init__(self, model: GoogLeNet, decay: float) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False)
        self.decay = decay
        self._pairs = [
            (mine, theirs)
            for mine, theirs in zip(self.model.state_dict().values(), model.state_dict().values(), strict=True)
            if mine.is_floating_point()
        ]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights as they are after step `step` (from 1)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        mine, theirs = map(list, zip(*self._pairs, strict=True))
        torch._foreach_lerp_(mine, theirs, 1 - decay)  # pyright: ignore[reportPrivateImportUsage]  as torch.optim does
