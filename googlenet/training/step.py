"""One step of the optimizer: forward, loss, backward, update. On a GPU it is recorded as a CUDA graph and replayed.

Captured or not, compiled or not, the maths is the same: tests hold the loss curve to a textbook loop's.
"""

from __future__ import annotations

import collections
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from googlenet.data.augment import normalize
from googlenet.models.device import autocast
from googlenet.models.googlenet import GoogLeNet, GoogLeNetOutput
from googlenet.recipes import TrainConfig
from googlenet.training.distributed import Team
from googlenet.training.methods.objective import likeliest, objective

WARM_UP = 2  # steps of a batch size before it is captured: kernels are chosen and buffers made in them


@dataclass(frozen=True)
class _Captured:
    """A recorded step and the memory that it reads its batch from."""

    graph: torch.cuda.CUDAGraph
    images: Tensor
    labels: Tensor


class TrainStep:
    """Call it with a batch. `sums` (4 + heads,) on the device grows by the batch's plain loss, right answers, mean loss
    and objective, and each auxiliary head's plain loss; third and fourth are one value a step, the others sums over
    images."""

    def __init__(
        self,
        model: GoogLeNet,
        optimizer: torch.optim.Optimizer,
        config: TrainConfig,
        mean_std: tuple[Tensor, Tensor],
        team: Team,
    ) -> None:
        self.device = next(model.parameters()).device
        self.optimizer, self.config, self.team = optimizer, config, team
        self.mean, self.std = mean_std
        self.eager: nn.Module = team.wrap(model, self.device)
        # Only for full batches: an epoch's last one, of another size, would be compiled for once more.
        self.on_gpu = self.device.type == "cuda"
        self.compiled = torch.compile(self.eager, dynamic=False) if config.compiled and self.on_gpu else self.eager
        self.sums = torch.zeros(4 + len(config.network.aux), device=self.device)
        # A graph reads the rate from the device.
        self.rate = torch.zeros((), device=self.device) if self.on_gpu else None
        self._graphs: dict[int, _Captured] = {}
        self._pool = None
        self._seen: collections.Counter[int] = collections.Counter()

    def __call__(self, images: Tensor, labels: Tensor, rate: float, weight: float = 1.0) -> Tensor | None:
        """Train on uint8 images (n, C, H, W) and labels (n,), this rank's share of a batch, at learning rate `rate`.

        Of mixed images, labels are shares (n, classes). `weight` is what their mean counts in the batch's. Returns the
        batch's loss, None where the step was replayed. A loss that is not a number changes no weight.
        """
        self._set_rate(rate)
        size = len(labels)
        self._seen[size] += 1
        if not self.on_gpu or self.team.size > 1 or self._seen[size] <= WARM_UP:
            return self._run(images, labels, weight)
        if size not in self._graphs:
            self._graphs[size] = self._capture(images, labels, weight)
        captured = self._graphs[size]
        captured.images.copy_(images)
        captured.labels.copy_(labels)
        captured.graph.replay()
        return None

    def _set_rate(self, rate: float) -> None:
        if self.rate is not None:
            self.rate.fill_(rate)
        for group in self.optimizer.param_groups:
            group["lr"] = rate if self.rate is None else self.rate

    def _capture(self, images: Tensor, labels: Tensor, weight: float) -> _Captured:
        """Record the step on a batch like this one; nothing is computed."""
        captured = _Captured(torch.cuda.CUDAGraph(), images.clone(), labels.clone())
        with torch.cuda.graph(captured.graph, pool=self._pool):
            self._run(captured.images, captured.labels, weight)
        self._pool = captured.graph.pool()  # graphs run one after the other, so they may share scratch memory
        return captured

    def _run(self, images: Tensor, labels: Tensor, weight: float) -> Tensor:
        forward = self.compiled if len(labels) == self.config.batch_size else self.eager
        with autocast(self.device):
            output = forward(normalize(images, self.mean, self.std))
        logits, aux = output if isinstance(output, GoogLeNetOutput) else (output, ())
        logits = logits.float()
        loss = objective(logits, labels, self.config)
        for head in aux:
            loss = loss + self.config.network.aux_weight * objective(head.float(), labels, self.config)
        loss = loss * weight
        mean_loss = self.team.total(loss.detach()) / self.team.size
        # The fused optimizers skip the update where this flag is 1: on a GPU nothing has to wait for the loss.
        self.optimizer.found_inf = (~torch.isfinite(mean_loss)).float()  # pyright: ignore[reportAttributeAccessIssue]
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            counted = weight > 0  # a rank without a share borrows an image for the step to be in step
            plain = F.cross_entropy(logits, labels, reduction="sum") * counted  # without smoothing, for people
            correct = (logits.argmax(1) == likeliest(labels)).sum() * counted
            shown = plain / len(labels) * weight / self.team.size
            heads = [F.cross_entropy(head.float(), labels, reduction="sum") * counted for head in aux]
            self.sums += torch.stack([plain, correct.float(), shown, loss.detach() / self.team.size, *heads])
        return mean_loss
