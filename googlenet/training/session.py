"""One trainer at a time: takes the lock, loads the data, trains, and puts every ending into words.

torch is imported only once the run has its name and its first status, so that whoever started it hears back at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from googlenet.data.datasets import Progress, check_source, load_images
from googlenet.errors import LabError
from googlenet.files import clear_unfinished
from googlenet.language import mark, tr
from googlenet.models.places import CPU, candidates
from googlenet.recipes import TrainConfig
from googlenet.runs import Diverged, Run, can_resume, queue, trainer_lock
from googlenet.runs.figure.curves import draw_curves
from googlenet.runs.manage import finish_prune
from googlenet.runs.status import state_words
from googlenet.training.distributed import Team
from googlenet.training.queue.runner import hand_on
from googlenet.training.reporting.reporter import Reporter
from googlenet.training.signals import StopRequest

GRACE = 5.0  # seconds in which two signals are one, for torchrun


class _StoppedWhileLoading(Exception):
    pass


class TrainingFailed(LabError):
    """A training that began and could not go on; the message says why and what to try."""


def train(config: TrainConfig, checkpoints: Path | str, *, console: bool = False, detached: bool = False) -> Run:
    """Train `config` in this process into the new directory `checkpoints/<config.run>`; returns the run.

    SIGTERM and SIGINT save and stop within one step. `console` prints with a progress bar; `detached` sends all output
    of the process to train.log. Raises `LabError` when the name is taken, another training holds `checkpoints` or the
    data is not there, `TrainingFailed` when the training cannot go on. What a training sets in torch for the whole
    process (seeds, choice of kernels) is as before at its end.
    """
    check_source(config.data)
    team = Team.join()
    config = team.broadcast(config)  # a run named by the time has another name on every rank
    run = Run(Path(checkpoints), config.run)
    options = {"resumed": False, "anyway": False, "console": console, "detached": detached}
    return _as_team(team, run, config, (), lambda: run.create(config), **options)


def resume(
    name: str, checkpoints: Path | str, *, anyway: bool = False, console: bool = False, detached: bool = False
) -> Run:
    """Go on with the run `name` from its last save, as if it had never stopped; raises as `train`.

    When its images or settings are no longer those that it was saved with, it raises `LabError` with the field
    "anyway" and leaves the run as it is; with `anyway` it goes on with what there is now, and does an epoch that was
    begun again from its start.
    """
    run = Run(Path(checkpoints), name)
    config = run.config()

    def check() -> None:
        status = run.status()
        if status.state == "diverged":
            sentence = tr(
                "{run} is diverged, and a resume would diverge again. {message}", run=name, message=status.message
            )
            raise LabError(sentence, "run")
        if not can_resume(run, status):
            sentence = tr(
                "{run} is {state}: there is nothing to resume; runs extend gives it more epochs.",
                run=name,
                state=state_words(status.state),
            )
            raise LabError(sentence, "run")

    options = {"resumed": True, "anyway": anyway, "console": console, "detached": detached}
    return _as_team(Team.join(), run, config, (), check, **options)


def take(
    entry: str, checkpoints: Path | str, place: str = CPU, *, console: bool = False, detached: bool = False
) -> Run:
    """Train what waits in the queue under the id `entry`, on the device `place`; returns its run.

    It leaves the queue and becomes a run in one step, once this process holds the device. Raises as `train`.
    """
    config = queue.find(queue.read_queue(checkpoints), entry).config
    if config is None:
        raise LabError(tr("{name} in the queue cannot be read: cancel it.", name=entry), "run")
    options = {"resumed": False, "anyway": False, "console": console, "detached": detached}
    run = Run(Path(checkpoints), config.run)
    return _as_team(Team(), run, config, [place], lambda: queue.take(checkpoints, entry), **options)


def _as_team(
    team: Team,
    run: Run,
    config: TrainConfig,
    places: Sequence[str],
    prepare: Callable[[], object],
    **options: bool,
) -> Run:
    """Rank 0 takes the locks, prepares and writes; the others follow, or fail with its refusal.

    `places` are the devices to choose from; none: as `config` says.
    """
    with contextlib.ExitStack() as stack:
        stack.callback(team.leave)
        refusal, place = None, CPU
        if team.leads:
            try:
                # A device that is not here is refused later, as the run's failure.
                places = places or candidates(config.device) or [CPU]
                every = team.size > 1 and places[0] != CPU  # each rank has a GPU
                held = trainer_lock(run.path.parent, run.name, places[: team.size] if every else places, every=every)
                place = stack.enter_context(held)
                prepare()
            except LabError as error:
                refusal = error
        refusal = team.broadcast(refusal)
        if refusal:
            raise refusal
        if team.leads:
            return _work(team, run, config, place, **options)
        with StopRequest(GRACE) as stop:
            _train(team, run, config, Reporter(None), stop, resumed=options["resumed"], anyway=options["anyway"])
        return run


def _work(
    team: Team, run: Run, config: TrainConfig, place: str, *, resumed: bool, anyway: bool, console: bool, detached: bool
) -> Run:
    """Everything between the lock and its release; the last thing written is a final status."""
    log = run.path / "train.log"
    before, reporter = run.status().state, Reporter(run, console=console)
    if place.startswith("cuda:") and team.size == 1:
        config = dataclasses.replace(config, device=place)  # of several GPUs the one that it holds
    state, message = "failed", mark("The trainer was interrupted.")
    with StopRequest(GRACE if team.size > 1 else 0.0, reporter.stopping) as stop:
        try:
            clear_unfinished(run.path)
            finish_prune(run.path)
            reporter.state("queued", mark("Loading the data"), place=place)
            if detached:
                _redirect_output(log)
            state, message = _train(team, run, config, reporter, stop, resumed=resumed, anyway=anyway)
            if state == "stopped":
                message = mark("Stopped and saved; resume continues from here.")
        except Exception as error:
            state, message = _explain(error, config)
            reporter.console = False  # whoever called says it
            with contextlib.suppress(OSError):  # a full disk must not hide what went wrong
                if not isinstance(error, LabError):
                    with log.open("a", encoding="utf-8") as file:
                        traceback.print_exc(file=file)
            if isinstance(error, LabError) and error.field == "anyway":  # refused, not failed: all is as it was
                state = before
                raise
            raise TrainingFailed(message) from error
        finally:
            reporter.close()
            with contextlib.suppress(OSError):
                reporter.line(message or state)
                draw_curves(run)
            with contextlib.suppress(OSError):
                reporter.state(state, message)
            # Whatever way it ended. At a machine's going down one trainer after another would begin, only to end.
            if not stop.by_system:
                hand_on(run.path.parent)
    return run


def _train(
    team: Team, run: Run, config: TrainConfig, reporter: Reporter, stop: StopRequest, *, resumed: bool, anyway: bool
) -> tuple[str, str]:
    """The state it ends in, and a sentence where there is something to say."""
    from googlenet.models.device import lent_torch, pick_device
    from googlenet.training.engine import Trainer
    from googlenet.training.resume import has_state

    try:
        images = load_images(config.data, progress=_loading_progress(reporter, stop) if team.leads else None)
    except _StoppedWhileLoading:
        images = None
    stopped = team.any(images is None)[0]
    if images is None or stopped:
        return "stopped", ""
    with lent_torch(team.place(pick_device(config.device))):
        trainer = Trainer(config, images, run, reporter, stop, team)
        reporter.line(
            f"{config.network.name} on {images.name}: {trainer.count:,} training images, {trainer.steps} steps an "
            f"epoch, {config.epochs} epochs, {trainer.device_name}, {trainer.precision}"
            + (f", {team.size} processes" if team.size > 1 else "")
        )
        if trainer.batches.validation is None:
            reporter.line("No validation: this recipe trains on all images. Set a validation share to hold some out.")
        if team.broadcast(resumed and bool(has_state(run.path) or run.weights())):
            trainer.record.restore(anyway=anyway)
        else:  # also where a run ended before its first save
            trainer.steering.restore()
            trainer.record.save()
        return trainer.run_to_end(), trainer.steering.ending


def _loading_progress(reporter: Reporter, stop: StopRequest) -> Progress:
    """Puts the progress of loading into the status, and ends the loading when asked to stop."""
    said = 0.0

    def hear(share: float, text: str) -> None:
        nonlocal said
        if stop.requested:
            raise _StoppedWhileLoading
        if time.monotonic() - said > 0.5:
            said = time.monotonic()
            reporter.state("queued", f"{text} ({share:.0%})")

    return hear


def _explain(error: Exception, config: TrainConfig) -> tuple[str, str]:
    """The state that `error` leaves a run in, and the sentence for it."""
    if isinstance(error, Diverged):
        return "diverged", str(error)
    if sentence := out_of_memory(error, config):
        return "out_of_memory", sentence
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "failed", mark("The disk is full; the last save is intact: make room, then resume.")
    if isinstance(error, LabError):
        return "failed", str(error)
    said = str(error).splitlines()[0] if str(error) else ""
    return "failed", tr("The trainer failed ({kind}: {what}).", kind=type(error).__name__, what=said)


def out_of_memory(error: Exception, config: TrainConfig) -> str:
    """What to say of `error` when it means that a batch does not fit into memory; "" for any other."""
    # By name and words, since torch itself may be what could not be loaded.
    words = f"{type(error).__name__} {error}"
    if any(sign in words for sign in ("OutOfMemoryError", "MemoryError", "can't allocate memory", "not enough memory")):
        smaller = max(1, config.batch_size // 2)
        return tr(
            "A batch of {batch:,} does not fit into memory: try {smaller:,}.", batch=config.batch_size, smaller=smaller
        )
    return ""


def _redirect_output(log: Path) -> None:
    """Send whatever this process still prints, a crash in native code included, to the log."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
