"""What a training will take, from a few steps of it: time and memory, measured by the trainer's own loop.

`measure` takes the steps in this process; `measure_apart` has a process of its own do it, so that whoever asks keeps
neither its memory nor its choice of kernels.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from googlenet.data.datasets import (
    ImageSet,
    Progress,
    check_source,
    classes_of,
    images_a_class,
    is_at_hand,
    load_images,
)
from googlenet.errors import LabError
from googlenet.files import parse_json
from googlenet.language import language, tr
from googlenet.recipes import TrainConfig
from googlenet.runs import Run

if TYPE_CHECKING:
    from googlenet.training.engine import Trainer

LONG_ENOUGH, AT_LEAST, AT_MOST = 8.0, 4, 400  # seconds; steps
TOO_LONG = 60.0  # seconds of steps: then fewer must do
JUDGED = 1000  # images of the validation that is measured
LIMIT = 600.0  # seconds for all of it
SPOKEN = "GOOGLENET_LANGUAGE"  # tells a process of ours in which language its progress is read
FIELDS = ("seconds", "seconds_per_epoch", "images_per_second", "memory", "steps", "device", "stand_in")


@dataclass(frozen=True)
class Trial:
    """`seconds` for all of the training, from Start to its last file; `memory` in bytes, at its peak.

    `memory` is the GPU's where one computes, else that of the process. `steps` were measured, of random images where
    the data has yet to be downloaded (`stand_in`).
    """

    seconds: float
    seconds_per_epoch: float
    images_per_second: float
    memory: int
    steps: int
    device: str
    stand_in: bool


def measure(
    config: TrainConfig,
    progress: Progress | None = None,
    *,
    began: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Trial:
    """Take a few steps of `config` and everything else that a training does once; writes nothing that stays.

    `began` is when the process began, by `clock`: what it has taken since is part of a training. By
    `time.process_time` it is the processor's seconds, which other programs do not change.
    Raises `LabError` for what a training would refuse, and for a batch that does not fit into memory.
    """
    began = clock() if began is None else began
    report = progress or (lambda share, text: None)
    check_source(config.data)
    stand_in = not is_at_hand(config.data)
    report(0.02, tr("Loading the data"))
    images = _random_images(config.data) if stand_in else load_images(config.data)
    from googlenet.models.device import lent_torch, pick_device
    from googlenet.training.session import out_of_memory

    try:
        with lent_torch(pick_device(config.device)), tempfile.TemporaryDirectory(prefix="googlenet-") as folder:
            return dataclasses.replace(_measure(config, images, Path(folder), report, began, clock), stand_in=stand_in)
    except Exception as error:
        sentence = out_of_memory(error, config)
        if sentence:
            raise LabError(sentence, "batch_size") from error
        raise


def _measure(
    config: TrainConfig, images: ImageSet, folder: Path, report: Progress, began: float, clock: Callable[[], float]
) -> Trial:
    from googlenet.runs.figure.curves import draw_curves
    from googlenet.training.engine import SAVE_SECONDS, Trainer
    from googlenet.training.reporting.pace import WARM_UP
    from googlenet.training.reporting.reporter import Reporter
    from googlenet.training.signals import StopRequest

    run = Run(folder, config.run)
    run.create(config)
    with StopRequest() as stop:
        trainer = Trainer(config, images, run, Reporter(run), stop)
        watch = _Watch(trainer, clock)
        trainer.record.save()
        ready = clock() - began
        report(0.1, tr("The first steps, which choose kernels and get memory"))
        _, first = watch.steps(WARM_UP)
        report(0.3, tr("Measuring steps"))
        seen, seconds, taken = 0, 0.0, 0
        enough = min(AT_MOST, trainer.steps * config.epochs)  # no more than the training itself
        while taken < enough and (seconds < LONG_ENOUGH or taken < AT_LEAST) and first + seconds < TOO_LONG:
            of_step, more = watch.steps(1 if trainer.device.type == "cpu" else 10)
            seen, seconds, taken = seen + of_step, seconds + more, taken + (1 if trainer.device.type == "cpu" else 10)
            share = min(1.0, max(seconds / LONG_ENOUGH, taken / enough))
            report(0.3 + 0.5 * share, tr("Measuring: {n} steps", n=taken))
        if stop.requested:
            raise KeyboardInterrupt
        if first + seconds < TOO_LONG:
            watch.last_batch()
        an_image = seconds / seen if seen else first / max(1, min(trainer.count, WARM_UP * config.batch_size))
        report(0.85, tr("Measuring what comes after an epoch"))
        judging = watch.judging()
        of_epoch = {"Validation accuracy": 0.0, "Validation loss": 0.0} if judging else {}
        rows = watch.of(lambda: (trainer.batches.plan(trainer.position.epoch + 1), trainer.record.epoch(of_epoch)))
        saving = watch.of(trainer.record.save)
        ending = watch.of(lambda: draw_curves(run))
        epoch = trainer.count * an_image + judging + rows
        warming = max(0.0, first - an_image * min(trainer.count, WARM_UP * config.batch_size))
        total = ready + warming + config.epochs * epoch
        total += total / SAVE_SECONDS * saving + saving + ending
        return Trial(total, epoch, 1 / an_image, _peak(trainer), max(taken, 1), trainer.device_name, stand_in=False)


class _Watch:
    """Takes the trainer's steps and says how long they took, the device's work included."""

    def __init__(self, trainer: Trainer, clock: Callable[[], float]) -> None:
        self.trainer, self.clock = trainer, clock
        self.trainer.model.train()

    def of(self, work: Callable[[], Any]) -> float:
        """Seconds of `work`."""
        start = self.clock()
        work()
        if self.trainer.device.type == "cuda":
            import torch

            torch.cuda.synchronize()
        return self.clock() - start

    def steps(self, count: int) -> tuple[int, float]:
        """Take `count` steps, over the ends of epochs; returns the images in them and the seconds."""
        images = 0

        def step() -> None:
            nonlocal images
            trainer, at = self.trainer, self.trainer.position
            if at.step >= trainer.steps:
                at.epoch, at.step = (at.epoch + 1) % max(1, trainer.config.epochs), 0
            batch = trainer.batches.take(at.epoch, at.step, trainer.team)
            trainer.advance(*batch)
            images += len(batch[1])

        seconds = self.of(lambda: [step() for _ in range(count)])
        return images, seconds

    def last_batch(self) -> None:
        """Take an epoch's last step, whose batch is smaller, and one after it: memory is given out anew for both."""
        self.trainer.position.step = self.trainer.steps - 1
        self.steps(2)

    def judging(self) -> float:
        """Seconds of an epoch's validation, from its first images; 0 without any."""
        batches = self.trainer.batches
        if batches.validation is None:
            return 0.0
        held_out, labels = batches.validation
        batches.validation = held_out[:JUDGED], labels[:JUDGED]
        self.trainer.validate()  # once to get memory
        seconds = self.of(self.trainer.validate)
        self.trainer.model.train()
        return seconds * len(labels) / min(JUDGED, len(labels))


def _peak(trainer: Trainer) -> int:
    """Bytes: the GPU's, as far as torch asked for them, or this process's."""
    if trainer.device.type == "cuda":
        import torch

        return torch.cuda.max_memory_reserved(trainer.device)
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _random_images(source: str) -> ImageSet:
    """As many images as `source` has: a step takes as long whatever they show."""
    import torch

    from googlenet.data.splits import Split

    counts, classes = images_a_class(source), classes_of(source)
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    pixels = torch.randint(0, 256, (len(labels), 3, 32, 32), dtype=torch.uint8)
    split = Split(pixels, labels)
    return ImageSet(source, source, split, split, classes, (0.5, 0.5, 0.5), (0.3, 0.3, 0.3), synthetic=True)


# --- in a process of its own ----------------------------------------------------------------------


def measure_apart(config: TrainConfig, progress: Progress | None = None) -> Trial:
    """`measure` in a process of its own, which is ended when `progress` raises anything; raises as `measure` does."""
    report = progress or (lambda share, text: None)
    package = Path(__file__).resolve().parents[3]
    path = os.pathsep.join(filter(None, [str(package), os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory(prefix="googlenet-") as folder, tempfile.TemporaryFile() as given:
        given.write(config.to_json().encode())
        given.seek(0)
        # What it writes lies in our folder, and goes with it even where the process is killed.
        environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": folder, SPOKEN: language()}
        environment["PYTHONIOENCODING"] = "utf-8"  # of what it refuses
        command = [sys.executable, "-m", "googlenet", "estimate", "--config", "-", "--detached"]
        options: dict[str, Any] = {"stdin": given, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        said: list[Any] = [[0.0, tr("Starting")]]
        errors: list[bytes] = []
        with subprocess.Popen(command, env=environment, start_new_session=True, **options) as process:
            listeners = [
                threading.Thread(target=lambda: said.extend(map(parse_json, process.stdout or ())), daemon=True),
                threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True),
            ]
            for listener in listeners:
                listener.start()
            try:
                deadline = time.monotonic() + LIMIT
                while process.poll() is None:
                    if time.monotonic() > deadline:
                        sentence = tr("No estimate within {n:.0f} minutes: try a smaller batch.", n=LIMIT / 60)
                        raise LabError(sentence, "batch_size")
                    report(*_newest(said))
                    time.sleep(0.1)
            finally:
                if process.poll() is None:
                    process.kill()
                for listener in listeners:
                    listener.join()
    return _heard(config, process.returncode, said, errors)


def _newest(said: list[Any]) -> tuple[float, str]:
    share, text = next((line for line in reversed(said) if isinstance(line, list)), [0.0, ""])
    return share, text


def _heard(config: TrainConfig, code: int, said: list[Any], errors: list[bytes]) -> Trial:
    if code == 0 and isinstance(said[-1], dict):
        return Trial(**{name: said[-1][name] for name in FIELDS})
    if code == -9:  # nobody else kills it
        smaller = max(1, config.batch_size // 2)
        sentence = tr(
            "A batch of {batch:,} does not fit into memory: try {smaller:,}.", batch=config.batch_size, smaller=smaller
        )
        raise LabError(sentence, "batch_size")
    last = errors[-1].decode(errors="replace").strip() if errors else tr("it said nothing")
    raise LabError(last.removeprefix("error: ") if code == 2 else tr("The estimate failed ({why}).", why=last[:200]))


def to_line(trial: Trial) -> str:
    """For `measure_apart` to hear."""
    return json.dumps(dataclasses.asdict(trial))
