"""Several processes as one trainer, started by torchrun: each takes its share of every batch, rank 0 alone writes.

    torchrun --nproc-per-node 2 -m googlenet train --preset cifar10 --data cifar10

A batch is the same images as in a single process, and its gradient their mean, so the curve is the same within
rounding; batch norm needs SyncBatchNorm for that, which torch has for CUDA only: on CPUs each rank normalises its own
share. All ranks read `checkpoints/` from one file system.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

PATIENCE = timedelta(minutes=30)  # for a rank that does not answer: it may be downloading the data


@dataclass(frozen=True)
class Team:
    """The processes of one training. A team of one does nothing and costs nothing."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @classmethod
    def join(cls) -> Team:
        """The team that torchrun's environment describes, once all ranks are there; a team of one without torchrun."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        import torch
        import torch.distributed as dist

        # Tensors on a GPU go through NCCL, everything else through gloo.
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
        return cls(int(os.environ["RANK"]), size, int(os.environ.get("LOCAL_RANK", "0")))

    def leave(self) -> None:
        """Take the connections down."""
        if self.size > 1:
            import torch.distributed as dist

            dist.destroy_process_group()

    @property
    def leads(self) -> bool:
        """Whether this process writes the run."""
        return self.rank == 0

    def broadcast(self, value: Any) -> Any:
        """Rank 0's `value`, on every rank; returns after all have arrived."""
        if self.size == 1:
            return value
        import torch
        import torch.distributed as dist

        box = [value]
        dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        return box[0]

    def place(self, device: torch.device) -> torch.device:
        """This rank's own of several GPUs."""
        import torch

        return torch.device("cuda", self.local_rank) if self.size > 1 and device.type == "cuda" else device

    def wrap(self, model: nn.Module, device: torch.device) -> nn.Module:
        """`model` with gradients averaged over the ranks during backward."""
        if self.size == 1:
            return model
        from torch.nn import SyncBatchNorm
        from torch.nn.parallel import DistributedDataParallel

        if device.type == "cuda":
            model = SyncBatchNorm.convert_sync_batchnorm(model)
        return DistributedDataParallel(model)

    def align(self, model: nn.Module) -> None:
        """Give every rank rank 0's batch statistics, which on CPUs differ."""
        if self.size > 1:
            import torch.distributed as dist

            for buffer in model.buffers():
                dist.broadcast(buffer, src=0)

    def share(self, start: int, stop: int) -> tuple[int, int]:
        """This rank's part of positions [start, stop): contiguous, even to one; at least one, which two may share."""
        first, last = self._part(start, stop)
        return first, max(last, first + 1)

    def weight(self, start: int, stop: int) -> float:
        """What this rank's mean over its share counts, so that the mean over ranks is the mean over [start, stop)."""
        first, last = self._part(start, stop)
        return (last - first) * self.size / (stop - start)

    def _part(self, start: int, stop: int) -> tuple[int, int]:
        first, last = (start + (stop - start) * rank // self.size for rank in (self.rank, self.rank + 1))
        return first, last

    def total(self, tensor: Tensor) -> Tensor:
        """The sum over the ranks; `tensor` stays as it is."""
        if self.size == 1:
            return tensor
        import torch.distributed as dist

        total = tensor.clone()
        dist.all_reduce(total)
        return total

    def any(self, *flags: bool) -> list[bool]:
        """For each flag, whether it is up on any rank: the ranks stop and save at the same step, or wait for ever."""
        if self.size == 1:
            return list(flags)
        import torch

        return [bool(value) for value in self.total(torch.tensor(flags, dtype=torch.int32)).tolist()]
