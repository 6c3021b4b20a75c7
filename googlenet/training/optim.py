"""The optimizer and the learning rate of a `TrainConfig`."""

from __future__ import annotations

import math

import torch
from torch import nn

from googlenet.recipes import TrainConfig


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum, or Adam. Weight decay acts on filters and matrices, not on biases and batch norm."""
    groups = [
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in model.parameters() if p.dim() <= 1], "weight_decay": 0.0},
    ]
    if config.optimizer == "adam":
        on_gpu = next(model.parameters()).is_cuda  # there the step is part of a graph
        return torch.optim.Adam(groups, lr=config.lr, fused=True, capturable=on_gpu)
    nesterov = config.momentum > 0
    return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, nesterov=nesterov, fused=True)


def learning_rate(config: TrainConfig, step: int, steps: int) -> float:
    """The rate of step `step` (from 0) of `steps`: constant, or up in a line and down by a half cosine (one cycle)."""
    if config.schedule == "constant":
        return config.lr
    peak = config.warmup * steps
    if step < peak:
        return config.lr * (step + 1) / (math.ceil(peak) + 1)
    return config.lr * (1 + math.cos(math.pi * (step - peak) / max(1.0, steps - peak))) / 2
