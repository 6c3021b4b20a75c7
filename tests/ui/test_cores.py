"""The app gives the cores to a trainer, and takes them back."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import gradio as gr
import pytest
import torch
from trainings import training, wait_for

from googlenet.models.places import usable_cores
from googlenet.runs import active_run
from googlenet.training import launcher
from googlenet.ui.events.cores import share_cores
from googlenet.ui.events.gradio_private import poll_less


def threads_for_work(checkpoints: Path) -> int:
    """What a worker thread of the app's, new or not, computes with."""
    found = []

    def work() -> None:
        share_cores(checkpoints)
        found.append(torch.get_num_threads())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return found[0]


def test_threads_are_capped_beside_a_real_trainer_and_given_back(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = torch.get_num_threads()
    checkpoints = tmp_path / "runs"
    try:
        assert threads_for_work(checkpoints) == usable_cores()
        run = launcher.start(training("busy", folder, epochs=100_000), checkpoints)
        assert threads_for_work(checkpoints) == 1
        os.kill(run.status().pid, signal.SIGKILL)
        wait_for(lambda: active_run(checkpoints) is None, 5)
        assert threads_for_work(checkpoints) == usable_cores()
    finally:
        torch.set_num_threads(before)


def test_an_app_that_nobody_looks_at_hardly_wakes_up() -> None:
    """Gradio's own 1,000 looks a second at an empty queue would be paid by the trainer."""
    with gr.Blocks() as demo:
        gr.HTML("quiet")
    demo.queue()
    demo.launch(prevent_thread_lock=True, quiet=True)
    try:
        time.sleep(1)
        before = _switches_in(1.5)
        poll_less(demo)
        after = _switches_in(1.5)
    finally:
        demo.close()
    assert after < before / 3


def _switches_in(seconds: float) -> int:
    """How often threads of this process gave up their core of themselves."""

    def count() -> int:
        if not Path("/proc/self/task").is_dir():
            pytest.skip("counts the threads' waking through /proc")
        lines = (line for path in Path("/proc/self/task").glob("*/status") for line in path.read_text().splitlines())
        return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))

    before = count()
    time.sleep(seconds)
    return count() - before
