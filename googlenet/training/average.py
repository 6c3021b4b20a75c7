"""An exponential moving average of the weights, which is what is validated and kept when a recipe asks for it."""

from __future__ import annotations

import copy

import torch
from torch import nn


class WeightAverage:
    """Follows `model` at `decay` per step: average ← decay · average + (1 − decay) · weights, batch norm included.

    In its first steps it forgets faster, min(decay, (1 + step)/(10 + step)), so that it does not drag the random start
    along (the schedule of TensorFlow's ExponentialMovingAverage).
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
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
        torch._foreach_lerp_(mine, theirs, 1 - decay)
