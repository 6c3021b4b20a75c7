"""Trainings in processes of their own: started, stopped and resumed from the app, and outliving it.

The two sides meet only on disk (googlenet/runs/run.py). Nothing here needs torch.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from googlenet.data.datasets import check_source
from googlenet.errors import LabError
from googlenet.language import retell, tr
from googlenet.models.places import candidates
from googlenet.recipes import TrainConfig
from googlenet.runs import Busy, Run, active_runs, ask
from googlenet.runs.lock import busy_sentence
from googlenet.runs.queue import read_queue
from googlenet.runs.status import state_words
from googlenet.training.signals import STOP_SIGNAL

START_SECONDS = 60.0
LOAD_SECONDS = 600.0  # that a resume waits for its answer: a large folder takes minutes until it is in the cache
BUSY = "A training is already running"  # as a trainer says it, in English
REFUSED = 2  # the exit code of a trainer that would rather not begin


def start(config: TrainConfig, checkpoints: Path) -> Run:
    """Start training `config` in a detached process and return its run once the trainer has taken it up.

    Raises `Busy` when a training is already running on its device, `LabError` when the name is taken or the data is
    not there.
    """
    check_source(config.data)
    _refuse_second(checkpoints, config.device)
    run = Run(checkpoints, config.run)
    if run.exists():
        sentence = tr("There is already a run called {run}: resume it or choose another name.", run=run.name)
        raise LabError(sentence, "run")
    if any(entry.name == run.name for entry in read_queue(checkpoints).entries):
        sentence = tr("A training called {run} waits in the queue: choose another name.", run=run.name)
        raise LabError(sentence, "run")
    spawn(run, ["train", "--config", "-"], config.to_json())
    return run


def resume(name: str, checkpoints: Path, *, anyway: bool = False) -> Run:
    """Go on with the run `name` in a detached process; raises `LabError` when it cannot be.

    The field of the error is "anyway" when the run's images or settings are no longer those that it was saved with:
    all is then as before, and `anyway=True` goes on with what there is now. This is known once the data is loaded, for
    which it waits up to ten minutes; a trainer that needs longer puts such a refusal into the run's status.
    """
    run = Run(checkpoints, name)
    _refuse_second(checkpoints, run.config().device)
    process = spawn(run, ["resume", name, *(["--anyway"] if anyway else [])], "")
    deadline = time.monotonic() + LOAD_SECONDS
    while run.last_status().state not in ("running", "stopping") and time.monotonic() < deadline:
        if process.returncode is not None:
            break
        time.sleep(0.05)
    if process.returncode == REFUSED:
        raise LabError(retell(run.last_status().message), "anyway")
    return run


def stop(name: str, checkpoints: Path) -> None:
    """Ask the trainer of `name` to save and stop within one step; `LabError` when it is not being trained."""
    run = Run(checkpoints, name)
    run.config()
    status = run.status()
    if not status.active:
        sentence = tr("{run} is not being trained: it is {state}.", run=name, state=state_words(status.state))
        raise LabError(sentence, "run")
    try:
        os.kill(status.pid, STOP_SIGNAL)
    except ProcessLookupError as error:
        raise LabError(tr("{run} has just ended.", run=name), "run") from error
    except PermissionError as error:
        sentence = tr("{run} is being trained by another user, and only they can stop it.", run=name)
        raise LabError(sentence, "run") from error


def extend(name: str, checkpoints: Path, epochs: int) -> Run:
    """Give the run `name` that many epochs in all, and have it go on where no trainer is at work on it.

    Raises `LabError` when that makes no sense, and when it cannot go on now: it is extended then, for a resume.
    """
    ask(checkpoints, name, "epochs", epochs)
    run = Run(checkpoints, name)
    if run.status().active:
        return run
    try:
        return resume(name, checkpoints)
    except LabError as error:
        sentence = tr(
            "{run} will train for {n:,} epochs in all once it is resumed. {error}", run=name, n=int(epochs), error=error
        )
        raise LabError(sentence, "run") from error


def _refuse_second(checkpoints: Path, device: str) -> None:
    # For a quick answer only: the lock, which the trainer takes, is what counts.
    busy = [status.place for _, status in active_runs(checkpoints)]
    wanted = candidates(device)
    if busy and all(place in busy or "" in busy for place in wanted):
        raise Busy(busy_sentence(checkpoints, wanted), "run")


def environment() -> dict[str, str]:
    """For a process of the lab that is started by this one, wherever the lab lies."""
    package = Path(__file__).resolve().parents[2]
    path = os.pathsep.join(filter(None, [str(package), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def spawn(run: Run, command: list[str], stdin: str) -> subprocess.Popen[bytes]:
    """Start the lab's `command`, and return once it has taken up the run."""
    arguments = [*command, "--checkpoints", str(run.path.parent.absolute()), "--detached"]
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as errors:
        given.write(stdin.encode())
        given.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-m", "googlenet", *arguments],
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=environment(),
            start_new_session=True,  # it must not die with the app, nor hear the terminal's Ctrl+C
        )
        # Somebody has to collect the exit code, or a zombie stays for as long as the app lives.
        threading.Thread(target=process.wait, daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while run.last_status().pid != process.pid:
            if process.returncode is not None:
                errors.seek(0)
                lines = errors.read().decode(errors="replace").strip().splitlines()
                said = lines[-1].removeprefix("error: ") if lines else tr("The trainer did not start.")
                busy = said.startswith(BUSY)
                raise (Busy if busy else LabError)(retell(said), "run" if busy else None)
            if time.monotonic() > deadline:
                process.terminate()
                sentence = tr("The trainer did not start within {n:.0f} seconds: try again.", n=START_SECONDS)
                raise LabError(sentence)
            time.sleep(0.05)
    return process
