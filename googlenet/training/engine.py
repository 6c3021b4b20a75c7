"""The training loop. One engine, whoever starts it: `python -m googlenet train`, the Train tab or `googlenet.train`.

What is drawn at random depends on (seed, epoch) alone (googlenet/data/augment.py), so the state of a training is the
weights, the optimizer, torch's generators and a position: resume continues as if nothing had happened.
"""

from __future__ import annotations

import dataclasses
import os
import time

import torch
from torch import Tensor
from torch.nn import functional as F

from googlenet.data.augment import normalize
from googlenet.data.datasets import ImageSet
from googlenet.language import mark
from googlenet.models.device import autocast, choose_kernels, describe_device, has_fast_bf16, pick_device
from googlenet.models.googlenet import GoogLeNet
from googlenet.recipes import TrainConfig
from googlenet.runs import Run
from googlenet.training.batches import Batches
from googlenet.training.distributed import Team
from googlenet.training.methods.initial import set_first_weights
from googlenet.training.optim import WeightAverage, make_optimizer
from googlenet.training.reporting.pace import Pace
from googlenet.training.reporting.record import Position, Record
from googlenet.training.reporting.reporter import Reporter
from googlenet.training.signals import StopRequest
from googlenet.training.steering import Steering
from googlenet.training.step import TrainStep

SAVE_SECONDS = float(os.environ.get("GOOGLENET_SAVE_SECONDS", "45"))  # a kill costs less than a minute of work
STATUS_SECONDS = 1.0


class Trainer:
    """A training in memory: build it, `record.restore()` it or not, and `run_to_end()`.

    Every rank of a `team` has one, and they take every step together; only the first writes. It seeds torch and
    chooses its kernels for the whole process: `lent_torch` gives them back.
    """

    def __init__(
        self,
        config: TrainConfig,
        images: ImageSet,
        run: Run,
        reporter: Reporter,
        stop: StopRequest,
        team: Team = Team(),  # noqa: B008  frozen
    ) -> None:
        self.config, self.reporter, self.stop, self.team = config, reporter, stop, team
        self.device = team.place(pick_device(config.device))
        self.device_name = describe_device(self.device)
        self.precision = "bfloat16" if has_fast_bf16(self.device) else "float32"
        torch.manual_seed(config.seed)
        choose_kernels(self.device, deterministic=config.deterministic)
        network = dataclasses.replace(config.network, num_classes=len(images.classes))
        self.model = GoogLeNet(network).to(self.device).to(memory_format=torch.channels_last)
        self.batches = Batches(images, config, self.device)
        set_first_weights(self.model, config, self.batches)
        self.optimizer = make_optimizer(self.model, config)
        self.average = WeightAverage(self.model, config.ema) if config.ema else None
        self.judged = self.average.model if self.average else self.model  # what is validated and kept
        torch.manual_seed(config.seed + team.rank)  # from here on it draws dropout, which must differ between ranks
        self.count, self.steps = self.batches.count, self.batches.steps
        mean_std = self.batches.mean, self.batches.std
        self.train_step = TrainStep(self.model, self.optimizer, config, mean_std, team)
        self.position = Position()
        self.pace = Pace()
        self.record = Record(self, run, images)
        self.steering = Steering(self, run)
        self.last_status = time.monotonic()

    def run_to_end(self) -> str:
        """Train until the last epoch, early stopping or a stop; returns the state reached, "finished" or "stopped"."""
        self.report()
        while not self.is_over():
            stopped = self.train_epoch()
            validation = {} if stopped else self.validate()
            if stopped or validation is None:  # a validation that was cut short is done again after the resume
                self.report("stopping", mark("Saving"))
                self.record.save()
                return "stopped"
            self.finish_epoch(validation)
        self.record.save()
        return "finished"

    def is_over(self) -> bool:
        """Whether there is no epoch to train, now that what was asked meanwhile is taken."""
        at = self.position
        if at.step < self.steps and self.team.any(self.steering.is_asked())[0]:
            self.steering.take()
        return self.position.epoch >= self.steering.plan.epochs or bool(self.steering.ending)

    def train_epoch(self) -> bool:
        """The rest of the current epoch; returns whether a stop was requested, with all counters in place."""
        at = self.position
        self.model.train()
        started, counted = time.monotonic() - at.seconds, at.step
        stop = self.team.any(self.stop.requested)[0]
        while at.step < self.steps and not stop:
            self.advance(*self.batches.take(at.epoch, at.step, self.team))
            at.seconds = time.monotonic() - started
            self.reporter.step(at.epoch, at.step, self.steps)
            clock = time.monotonic()
            stop, asked, report, save = self.team.any(
                self.stop.requested,
                self.steering.is_asked(),
                self.team.leads and clock - self.last_status > STATUS_SECONDS,
                self.team.leads and clock - self.record.last_save > SAVE_SECONDS,
            )
            if asked and at.step < self.steps:  # else once the epoch is judged: at the same step, in one way
                self.steering.take()
            if report:
                self.record.flush()
                self.pace.steps(at.step - counted)
                counted = at.step
                self.report()
            if save:
                self.record.save()
        self.batches.plan(at.epoch + 1)  # drawn while the device still works
        self.record.flush()
        self.pace.steps(at.step - counted)
        at.seconds = time.monotonic() - started
        return stop

    def advance(self, images: Tensor, labels: Tensor, weight: float = 1.0) -> None:
        """Take a step on a batch (see `TrainStep`) and count it.

        A loss that is not a number raises `Diverged`: at once on a CPU, within a second on a GPU.
        """
        at = self.position
        rate = self.rate(self.done)
        loss = self.train_step(images, labels, rate, weight)
        if loss is not None and self.device.type == "cpu":  # elsewhere a look would wait for the device
            self.record.check_finite(loss)
        at.step, at.total = at.step + 1, at.total + 1
        if self.average:
            self.average.update(at.total)
        self.record.step(rate)

    @property
    def done(self) -> int:
        """Steps up to the position, all epochs having as many as this one."""
        return self.position.epoch * self.steps + self.position.step

    def rate(self, step: int) -> float:
        """The learning rate of step `step` of the training."""
        return self.steering.rate(step)

    def finish_epoch(self, validation: dict[str, float]) -> None:
        """Write the epoch's row and weights, and move on to the next."""
        at = self.position
        self.record.epoch(validation)
        self.position = Position(epoch=at.epoch + 1, total=at.total)
        self.pace.validated()
        self.report()

    @torch.inference_mode()
    def validate(self) -> dict[str, float] | None:
        """Accuracy and mean cross entropy on the validation images; {} without any, None when asked to stop."""
        if self.batches.validation is None:
            return {}
        self.judged.eval()
        self.team.align(self.judged)
        images, labels = self.batches.validation
        sums = torch.zeros(2, device=self.device)
        first, last = self.team.share(0, len(labels)) if self.team.weight(0, len(labels)) else (0, 0)
        size = 500 if self.device.type == "cpu" else 2500
        for start in range(first, last, size):
            if self.stop.requested:
                break
            batch, truth = images[start : min(start + size, last)], labels[start : min(start + size, last)]
            with autocast(self.device):
                logits = self.judged(normalize(batch, self.batches.mean, self.batches.std)).float()
            if start == 0 and self.record.answers:
                self.record.answers.hear(logits)
            sums += torch.stack(
                [(logits.argmax(1) == truth).sum().float(), F.cross_entropy(logits, truth, reduction="sum")]
            )
        accuracy, loss = (self.team.total(sums) / len(labels)).tolist()
        if self.team.any(self.stop.requested)[0]:
            return None
        return {"Validation accuracy": round(accuracy, 6), "Validation loss": round(loss, 6)}

    def report(self, state: str = "running", message: str = "") -> None:
        """Replace status.json."""
        self.last_status = time.monotonic()
        at, config, step, epochs = self.position, self.config, self.pace.seconds_per_step, self.steering.plan.epochs
        held_out = 0 if self.batches.validation is None else len(self.batches.validation[1])
        left = self.pace.left(
            max(0, epochs * self.steps - self.done),
            max(0, epochs - at.epoch),
            guess=held_out / config.batch_size / 3,  # forward alone: a third of a step's arithmetic
        )
        self.reporter.state(
            state,
            message,
            epoch=at.epoch,
            epochs=epochs,
            step=at.step,
            steps_per_epoch=self.steps,
            device=self.device_name,
            data=self.record.images.name,
            images_per_second=round(config.batch_size / step, 1) if step else 0.0,
            seconds_left=None if left is None or state != "running" else round(left),
        )
