"""The app's manners beside a trainer on the CPU: its own arithmetic keeps to one core."""

from __future__ import annotations

from pathlib import Path

from googlenet.runs import active_run


def share_cores(checkpoints: Path) -> None:
    """Set torch's threads in this process, one beside a trainer and all cores otherwise; call before heavy work."""
    import torch

    from googlenet.models.places import usable_cores

    torch.set_num_threads(1 if active_run(checkpoints) else usable_cores())
