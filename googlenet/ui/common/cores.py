"""The app's manners beside a trainer on the CPU: its own arithmetic keeps to one core, and idling costs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from googlenet.runs import active_run

if TYPE_CHECKING:
    import gradio as gr


def share_cores(checkpoints: Path) -> None:
    """Set torch's threads in this process, one beside a trainer and all cores otherwise; call before heavy work."""
    import torch

    from googlenet.models.device import usable_cores

    torch.set_num_threads(1 if active_run(checkpoints) else usable_cores())


def poll_less(demo: gr.Blocks) -> None:
    """Let Gradio's queue look for work 20 times a second, as on Windows, instead of 1,000 times.

    With nobody on the page that alone took 4% of a core. A queued event waits 25 ms more on average; what must feel
    immediate (a slider) is not queued. Call after `demo.queue`.
    """
    demo._queue.sleep_when_free = 0.05
