"""Muon (Jordan et al. 2024): steps for convolutions in which no direction of a filter bank is larger than another.

Not `torch.optim.Muon`: it refuses filters of four dimensions, has no place for the flag that says a loss was not a
number, and waits for the device where the rate is a tensor, so that its steps cannot be part of a CUDA graph.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

# A quintic that drives singular values from (0, 1] to about 1; as in the authors' code, as are three rounds of it.
COEFFICIENTS = 3.4445, -4.7750, 2.0315
ROUNDS = 3


class Muon(torch.optim.Optimizer):
    """Groups with `filters` take orthogonal steps and keep filters at length 1 in the mean; others are SGD's.

    The length of a filter means nothing before a batch norm, and what it stays at makes the rate the share of it that
    a step changes. Both kinds take the same rate, with Nesterov's momentum.
    """

    found_inf: Tensor | None = None  # 1 where this step's loss is not a number: then no weight changes

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, momentum: float) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": 0.0, "filters": False})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  as torch's own
        """One step on the gradients that there are; `closure` is torch's and not used."""
        bad = self.found_inf
        if bad is not None and not bad.is_cuda:
            if bad.item():
                return
            bad = None
        for group in self.param_groups:
            params = [param for param in group["params"] if param.grad is not None]
            if not params:
                continue
            steps = self._with_momentum(params, group, bad)
            rate = group["lr"] if bad is None else group["lr"] * (1 - bad)
            for param, step in zip(params, steps, strict=True):
                if group["filters"]:
                    param.mul_(len(param) ** 0.5 / param.norm())
                    step = orthogonal(step.reshape(len(step), -1)).to(param.dtype).view(param.shape)
                param.sub_(step * rate)

    def _with_momentum(self, params: list[Tensor], group: dict[str, Any], bad: Tensor | None) -> list[Tensor]:
        """Each parameter's gradient, its decay included, after Nesterov's momentum."""
        grads = [param.grad for param in params if param.grad is not None]
        if bad is not None:
            grads = [torch.nan_to_num(grad, 0.0, 0.0, 0.0) for grad in grads]
        if group["weight_decay"] and not group["filters"]:
            grads = torch._foreach_add(grads, params, alpha=group["weight_decay"])  # pyright: ignore[reportPrivateImportUsage]
        for param in params:
            if "momentum_buffer" not in self.state[param]:
                self.state[param]["momentum_buffer"] = torch.zeros_like(param)
        gathered = [self.state[param]["momentum_buffer"] for param in params]
        torch._foreach_mul_(gathered, group["momentum"])  # pyright: ignore[reportPrivateImportUsage]
        torch._foreach_add_(gathered, grads)  # pyright: ignore[reportPrivateImportUsage]
        return list(torch._foreach_add(grads, gathered, alpha=group["momentum"]))  # pyright: ignore[reportPrivateImportUsage]


def orthogonal(matrix: Tensor) -> Tensor:
    """About the nearest matrix with all singular values 1, by Newton and Schulz's iteration in bfloat16."""
    x = matrix.bfloat16()
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    x = x / (x.norm() + 1e-7)
    first, third, fifth = COEFFICIENTS
    for _ in range(ROUNDS):
        gram = x @ x.T
        x = first * x + (third * gram + fifth * (gram @ gram)) @ x
    return x.T if tall else x
