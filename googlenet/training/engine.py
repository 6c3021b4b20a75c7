"""The training loop. One engine, whoever starts it: `python -m googlenet train`, the Train tab or `googlenet.train`.

What is drawn at random depends on (seed, epoch) alone (googlenet/data/augment.py), so the state of a training is the
weights, the optimizer, torch's generators and a position: resume continues as if nothing had happened.
"""

from __future__ import annotations

import dataclasses
import math
import os
import time
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import Tensor
from torch.nn import functional as F

import googlenet
from googlenet.data.augment import normalize
from googlenet.data.datasets import ImageSet
from googlenet.models.device import autocast, describe_device, has_fast_bf16, pick_device, reuse_memory
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.weights import WeightsInfo, save_weights
from googlenet.recipes import TrainConfig
from googlenet.runs import Diverged, Run, Status, now, process_started
from googlenet.training.average import WeightAverage
from googlenet.training.batches import Batches
from googlenet.training.distributed import Team
from googlenet.training.optim import learning_rate, make_optimizer
from googlenet.training.reporter import Reporter
from googlenet.training.resume import load_state, save_state
from googlenet.training.signals import StopRequest
from googlenet.training.step import TrainStep

SAVE_SECONDS = float(os.environ.get("GOOGLENET_SAVE_SECONDS", "45"))  # a kill costs less than a minute of work
STATUS_SECONDS = 1.0
ROWS_PER_EPOCH = 25  # of steps.jsonl


def _choose_kernels(device: torch.device, deterministic: bool) -> None:
    """The fastest for these shapes, or those that give the same bits every time. On a CPU torch's always do."""
    on_gpu = device.type != "cpu"
    torch.backends.cudnn.benchmark = not deterministic
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS's own condition for it
    torch.use_deterministic_algorithms(deterministic and on_gpu)


@dataclass
class Position:
    """How far a training is: `step` steps, `seconds` long, into `epoch` (from 0); `total` steps in all."""

    epoch: int = 0
    step: int = 0
    total: int = 0
    seconds: float = 0.0


class Trainer:
    """A training in memory: build it, `restore()` it or not, and `run_to_end()`.

    Every rank of a `team` has one, and they take every step together; only the first writes.
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
        self.config, self.run, self.reporter, self.stop, self.images = config, run, reporter, stop, images
        self.team = team
        self.device = team.place(pick_device(config.device))
        self.device_name = describe_device(self.device)
        self.precision = "bfloat16" if has_fast_bf16(self.device) else "float32"
        torch.manual_seed(config.seed)
        _choose_kernels(self.device, config.deterministic)
        reuse_memory()
        network = dataclasses.replace(config.network, num_classes=len(images.classes))
        self.model = GoogLeNet(network).to(self.device, memory_format=torch.channels_last)
        self.optimizer = make_optimizer(self.model, config)
        self.average = WeightAverage(self.model, config.ema) if config.ema else None
        self.judged = self.average.model if self.average else self.model  # what is validated and kept
        torch.manual_seed(config.seed + team.rank)  # from here on it draws dropout, which must differ between ranks
        self.batches = Batches(images, config, self.device)
        self.count, self.steps = self.batches.count, self.batches.steps
        self.row_every = max(1, self.steps // ROWS_PER_EPOCH)
        mean_std = self.batches.mean, self.batches.std
        self.train_step = TrainStep(self.model, self.optimizer, config, mean_std, team, compiled=config.compiled)
        self.sums = self.train_step.sums  # of the epoch: loss, right answers; since the last row: loss, objective
        self.position = Position()
        self.best = -1.0
        self.last_row: dict[str, float | None] = {}  # the newest of metrics.csv
        self.window = 0
        self.pending: list[tuple[int, float, Tensor]] = []
        self.last_save = self.last_status = time.monotonic()
        self.speed = 0.0

    # --- the loop ---

    def run_to_end(self) -> str:
        """Train until the last epoch or a stop; returns the state reached, "finished" or "stopped"."""
        while self.position.epoch < self.config.epochs:
            stopped = self.train_epoch()
            validation = {} if stopped else self.validate()
            if stopped or validation is None:  # a validation that was cut short is done again after the resume
                self.report("stopping", "Saving")
                self.save()
                return "stopped"
            self.finish_epoch(validation)
        self.save()
        return "finished"

    def train_epoch(self) -> bool:
        """The rest of the current epoch; returns whether a stop was requested, with all counters in place."""
        at = self.position
        self.model.train()
        started, done_before = time.monotonic() - at.seconds, at.step
        resumed_at = time.monotonic()
        stop = self.team.any(self.stop.requested)[0]
        while at.step < self.steps and not stop:
            self.advance(*self.batches.take(at.epoch, at.step, self.team))
            at.seconds = time.monotonic() - started
            self.reporter.step(at.epoch, at.step, self.steps)
            clock = time.monotonic()
            stop, tell, save = self.team.any(
                self.stop.requested,
                self.team.leads and clock - self.last_status > STATUS_SECONDS,
                self.team.leads and clock - self.last_save > SAVE_SECONDS,
            )
            if tell:
                self._flush()
                self.speed = (at.step - done_before) * self.config.batch_size / max(clock - resumed_at, 1e-9)
                self.report("running")
            if save:
                self.save()
        self.batches.plan(at.epoch + 1)  # drawn while the device still works
        self._flush()
        at.seconds = time.monotonic() - started
        return stop

    def advance(self, images: Tensor, labels: Tensor, weight: float = 1.0) -> None:
        """Take a step on a batch (see `TrainStep`) and count it.

        A loss that is no number raises `Diverged`: at once on a CPU, within a second on a GPU.
        """
        at = self.position
        loss = self.train_step(images, labels, self.rate(), weight)
        if loss is not None and self.device.type == "cpu":  # elsewhere a look would wait for the device
            self._check_finite(loss)
        at.step, at.total = at.step + 1, at.total + 1
        if self.average:
            self.average.update(at.total)
        self.window += 1
        if self.window == self.row_every or at.step == self.steps:
            self._close_window()

    def rate(self) -> float:
        """The learning rate of the next step."""
        return learning_rate(self.config, self.position.total, self.steps * self.config.epochs)

    def finish_epoch(self, validation: dict[str, float]) -> None:
        """Write the epoch's row and weights, and move on to the next."""
        self._check_state()
        at = self.position
        loss, correct, *_ = self.team.total(self.sums).tolist()
        row: dict[str, float | None] = {
            "Epoch": at.epoch,
            "Accuracy": round(correct / self.count, 6),
            "Loss": round(loss / self.count, 6),
            "Learning rate": float(f"{learning_rate(self.config, at.total - 1, self.steps * self.config.epochs):.6g}"),
            "Images/s": round(self.count / max(at.seconds, 1e-9), 1),
            "Seconds": round(at.seconds, 2),
            **validation,
        }
        if at.epoch in self.config.checkpoint_epochs:
            self.save_weights(f"epoch-{at.epoch:04d}", row)
        if validation and validation["Validation accuracy"] > self.best:
            self.best = validation["Validation accuracy"]
            self.save_weights("best", row)
        if self.team.leads:
            self.run.append_metrics(row)
        self.last_row = row
        self.reporter.epoch(row, self.config.epochs)
        self.position = Position(epoch=at.epoch + 1, total=at.total)
        self.sums.zero_()
        self.report("running")

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
            sums += torch.stack(
                [(logits.argmax(1) == truth).sum().float(), F.cross_entropy(logits, truth, reduction="sum")]
            )
        accuracy, loss = (self.team.total(sums) / len(labels)).tolist()
        if self.team.any(self.stop.requested)[0]:
            return None
        return {"Validation accuracy": round(accuracy, 6), "Validation loss": round(loss, 6)}

    # --- what is written ---

    def _close_window(self) -> None:
        """Queue a row for steps.jsonl; its numbers stay on the device until `_flush`."""
        rate = learning_rate(self.config, self.position.total - 1, self.steps * self.config.epochs)
        self.pending.append((self.position.total, rate, self.team.total(self.sums[2:] / self.window)))
        self.sums[2:] = 0
        self.window = 0

    def _flush(self) -> None:
        rows = []
        for step, rate, means in self.pending:
            self._check_finite(means.sum())
            loss, objective = (round(mean, 6) for mean in means.tolist())
            # The objective is what the optimizer sees: smoothed labels, auxiliary heads and all.
            row = {"step": step, "epoch": round(step / self.steps, 4), "loss": loss, "objective": objective}
            rows.append({**row, "lr": float(f"{rate:.6g}")})
        self.pending.clear()
        if rows and self.team.leads:
            self.run.append_steps(rows)

    def _check_finite(self, loss: Tensor) -> None:
        if not math.isfinite(loss.item()):
            self._give_up(f"The loss became {loss.item()}")

    def _check_state(self) -> None:
        """Refuse to write weights that are not numbers: a loss can be finite and its gradient not."""
        floats = [tensor for tensor in self.model.state_dict().values() if tensor.is_floating_point()]
        largest = torch._foreach_norm([*floats, self.sums], math.inf)
        if not torch.isfinite(torch.stack(largest)).all():
            self._give_up("The weights or the loss became infinite")

    def _give_up(self, what: str) -> NoReturn:
        at = self.position
        raise Diverged(
            f"{what} in epoch {at.epoch}, step {at.step}: "
            f"start again with a rate below {self.config.lr:g}; the best weights so far are untouched."
        )

    def report(self, state: str, message: str = "") -> None:
        """Replace status.json."""
        self.last_status = time.monotonic()
        if not self.team.leads:
            return
        at, steps_left = self.position, self.config.epochs * self.steps - self.position.total
        left = steps_left * self.config.batch_size / self.speed if self.speed else None
        self.run.write_status(
            Status(
                state=state,
                epoch=at.epoch,
                epochs=self.config.epochs,
                step=at.step,
                steps_per_epoch=self.steps,
                pid=os.getpid(),
                pid_started=process_started(os.getpid()),
                heartbeat=now(),
                message=message,
                device=self.device_name,
                data=self.images.name,
                images_per_second=round(self.speed, 1),
                seconds_left=None if left is None or state != "running" else round(left),
            )
        )

    def save_weights(self, name: str, row: dict[str, float | None]) -> None:
        """Write NAME.safetensors with everything that classifying with it needs."""
        if not self.team.leads:
            return
        facts = {
            "run": self.run.name,
            "recipe": self.config.recipe,
            "data": self.images.name,
            "synthetic": self.images.synthetic,
            "seed": self.config.seed,
            "split_by": self.config.split_by,
            "epoch": row.get("Epoch"),
            "epochs": self.config.epochs,
            "train_accuracy": row.get("Accuracy"),
            "train_loss": row.get("Loss"),
            "validation_accuracy": row.get("Validation accuracy"),
            "validation_loss": row.get("Validation loss"),
            "versions": {"googlenet": googlenet.__version__, "torch": torch.__version__},
        }
        info = WeightsInfo(self.model.config, self.images.classes, *self.batches.mean_std, facts)
        save_weights(self.run.path / f"{name}.safetensors", self.judged, info)

    # --- exact state ---

    def save(self) -> None:
        """Write resume.pt and last.safetensors: whatever happens next, the run goes on from here."""
        self._flush()
        self._check_state()
        self.last_save = time.monotonic()
        sums = self.team.total(self.sums)
        if not self.team.leads:
            return
        state: dict[str, Any] = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.model.state_dict() if self.average else {},
            "position": dataclasses.asdict(self.position),
            "best": self.best,
            "sums": sums,
            "window": self.window,
            "last_row": self.last_row,
            "rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all() if self.device.type == "cuda" else [],
        }
        save_state(self.run.path, state)
        self.save_weights("last", self.last_row)
        self.last_save = time.monotonic()  # a slow disk must not make the training save all the time

    def restore(self) -> None:
        """Take up the state that `save` left, and drop from metrics.csv and steps.jsonl what came after it."""
        state, complaint = load_state(self.run.path)
        if complaint:
            self.reporter.line(complaint)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average:
            self.average.model.load_state_dict(state["average"])
        self.position = Position(**state["position"])
        self.best, self.window, self.last_row = state["best"], state["window"], state["last_row"]
        self.sums.zero_()
        if self.team.leads:  # the others' shares are in rank 0's sums
            self.sums += state["sums"].to(self.device)
            torch.set_rng_state(state["rng"])
            if state["cuda_rng"]:
                torch.cuda.set_rng_state_all(state["cuda_rng"])
            self.run.rewind(self.position.epoch, self.position.total)
        self.reporter.line(f"Resumed in epoch {self.position.epoch}, step {self.position.step} of {self.steps}.")
