"""What a training leaves in its run directory: rows, weights, and the exact state to go on from."""

from __future__ import annotations

import dataclasses
import functools
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import torch
from torch import Tensor

import googlenet
from googlenet.data.datasets import ImageSet
from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.models.weights import WeightsInfo, save_weights
from googlenet.recipes import RECIPES, recipe_values
from googlenet.runs import Diverged, Run
from googlenet.runs.metrics import AUXILIARY
from googlenet.training.reporting.samples import sample_answers
from googlenet.training.resume import differences, fingerprint, in_words, load_state, save_state
from googlenet.training.steering import rate_to_try

if TYPE_CHECKING:
    from googlenet.training.engine import Trainer

ROWS_PER_EPOCH = 25  # of steps.jsonl


@dataclass
class Position:
    """How far a training is: `step` steps, `seconds` long, into `epoch` (from 0), and `total` steps in all."""

    epoch: int = 0
    step: int = 0
    total: int = 0
    seconds: float = 0.0


class Record:
    """The files of `trainer`'s run. Every rank has one and calls it alike; only the first writes."""

    def __init__(self, trainer: Trainer, run: Run, images: ImageSet) -> None:
        self.trainer, self.run, self.images = trainer, run, images
        # Of the epoch: loss, right answers; since the last row: loss, objective; of the epoch: each head's loss.
        self.sums = trainer.train_step.sums
        self.answers = sample_answers(trainer, run, images)
        self._heard_all = True  # of the auxiliary losses of this epoch
        self.best, self.best_epoch = -1.0, -1
        self.rate = 0.0  # of the last step
        self.last_row: dict[str, float | None] = {}  # the newest of metrics.csv
        self.last_save = time.monotonic()
        self._window = 0  # steps since the last row
        self._row_every = max(1, trainer.steps // ROWS_PER_EPOCH)
        self._pending: list[tuple[int, float, float, Tensor]] = []

    # --- rows ---

    def step(self, rate: float) -> None:
        """A step was taken at `rate`: queue a row for steps.jsonl if it is time. Its numbers stay on the device."""
        trainer, at = self.trainer, self.trainer.position
        self.rate = rate
        self._window += 1
        if self._window == self._row_every or at.step == trainer.steps:
            means = trainer.team.total(self.sums[2:4] / self._window)
            self._pending.append((at.total, trainer.done / trainer.steps, rate, means))
            self.sums[2:4] = 0
            self._window = 0

    def flush(self) -> None:
        """Write the queued rows."""
        rows = []
        for step, epoch, rate, means in self._pending:
            self.check_finite(means.sum())
            loss, objective = (round(mean, 6) for mean in means.tolist())
            # The objective is what the optimizer sees: smoothed labels, auxiliary heads and all.
            row = {"step": step, "epoch": round(epoch, 4), "loss": loss, "objective": objective}
            rows.append({**row, "lr": float(f"{rate:.6g}")})
        self._pending.clear()
        if rows and self.trainer.team.leads:
            self.run.append_steps(rows)

    def epoch(self, validation: dict[str, float]) -> None:
        """The epoch is over: write its row, and its weights if they are to be kept."""
        self._check_state()
        trainer, at = self.trainer, self.trainer.position
        loss, correct, _, _, *heads = trainer.team.total(self.sums).tolist()
        row: dict[str, float | None] = {
            "Epoch": at.epoch,
            "Accuracy": round(correct / trainer.count, 6),
            "Loss": round(loss / trainer.count, 6),
            "Learning rate": float(f"{self.rate:.6g}"),
            "Images/s": round(trainer.count / max(at.seconds, 1e-9), 1),
            "Seconds": round(at.seconds, 2),
            **validation,
            **trainer.reporter.usage.epoch(),
        }
        if self._heard_all:
            row |= {name: round(head / trainer.count, 6) for name, head in zip(AUXILIARY, heads, strict=False)}
        self._heard_all = True
        if at.epoch in trainer.config.checkpoint_epochs:
            self.weights(f"epoch-{at.epoch:04d}", row)
        if validation and validation["Validation accuracy"] > self.best:
            self.best, self.best_epoch = validation["Validation accuracy"], at.epoch
            self.weights("best", row)
        if trainer.team.leads:
            self.run.append_metrics(row)
        if self.answers:
            self.answers.write(at.epoch)
        self.last_row = row
        self.sums.zero_()
        trainer.reporter.epoch(row, trainer.steering.plan.epochs)

    def keep(self) -> None:
        """Write the weights as they are now, under the number of steps in all; the epoch under way has no figures."""
        self._check_state()
        at = self.trainer.position
        done = at.epoch + (at.step == self.trainer.steps)
        self.weights(f"step-{at.total:06d}", {"Epoch": done - 1 if done else None})

    def weights(self, name: str, row: dict[str, float | None]) -> None:
        """Write NAME.safetensors with everything that classifying with it needs."""
        trainer = self.trainer
        if not trainer.team.leads:
            return
        facts = {
            "run": self.run.name,
            "recipe": trainer.config.recipe,
            "data": self.images.name,
            "synthetic": self.images.synthetic,
            "seed": trainer.config.seed,
            "split_by": trainer.config.split_by,
            "epoch": row.get("Epoch"),
            "epochs": trainer.steering.plan.epochs,
            "train_accuracy": row.get("Accuracy"),
            "train_loss": row.get("Loss"),
            "validation_accuracy": row.get("Validation accuracy"),
            "validation_loss": row.get("Validation loss"),
            "versions": {"googlenet": googlenet.__version__, "torch": torch.__version__},
        }
        info = WeightsInfo(trainer.model.config, self.images.classes, *trainer.batches.mean_std, facts)
        save_weights(self.run.path / f"{name}.safetensors", trainer.judged, info)

    # --- what is no number ---

    def check_finite(self, loss: Tensor) -> None:
        """Raise `Diverged` for a loss that is not a number; waits for the device."""
        if not math.isfinite(loss.item()):
            self._give_up(tr("The loss became {loss}", loss=loss.item()))

    def _check_state(self) -> None:
        """Refuse to write weights that are not numbers: a loss can be finite and its gradient not."""
        floats = [tensor for tensor in self.trainer.model.state_dict().values() if tensor.is_floating_point()]
        largest = torch.nn.utils.get_total_norm([*floats, self.sums], math.inf)
        if not torch.isfinite(largest):
            self._give_up(tr("The weights or the loss became infinite"))

    def _give_up(self, what: str) -> NoReturn:
        at, config = self.trainer.position, self.trainer.config
        recipe = recipe_values(config.recipe, config.network) if config.recipe in RECIPES else {}
        usual = recipe["lr"] if recipe.get("optimizer") == config.optimizer else None
        advice = rate_to_try(self.trainer.steering.plan.rate or config.lr, usual)
        sentence = tr(
            "{what} in epoch {epoch}, step {step}: {advice}; the best weights so far are untouched.",
            what=what,
            epoch=at.epoch,
            step=at.step,
            advice=advice,
        )
        raise Diverged(sentence)

    # --- exact state ---

    @functools.cached_property
    def made_of(self) -> dict[str, Any]:
        """What a resume must find unchanged."""
        return fingerprint(self.trainer.config, self.images, self.trainer.batches.held_out)

    def save(self) -> None:
        """Write resume.pt and last.safetensors: whatever happens next, the run goes on from here."""
        self.flush()
        self._check_state()
        self.last_save = time.monotonic()
        trainer = self.trainer
        sums = trainer.team.total(self.sums)
        if not trainer.team.leads:
            return
        state: dict[str, Any] = {
            "model": trainer.model.state_dict(),
            "optimizer": trainer.optimizer.state_dict(),
            "average": trainer.average.model.state_dict() if trainer.average else {},
            "position": dataclasses.asdict(trainer.position),
            "best": self.best,
            "best_epoch": self.best_epoch,
            "rate": self.rate,
            "steering": trainer.steering.to_save(),
            "sums": sums,
            "window": self._window,
            "last_row": self.last_row,
            "rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all() if trainer.device.type == "cuda" else [],
            "made_of": self.made_of,
        }
        save_state(self.run.path, state)
        self.weights("last", self.last_row)
        self.last_save = time.monotonic()  # a slow disk must not make the training save all the time

    def restore(self, *, anyway: bool = False) -> None:
        """Take up the state that `save` left, and drop from metrics.csv and steps.jsonl what came after it.

        Raises `LabError` with the field "anyway", and leaves the run as it is, when the training was saved with other
        images or settings. `anyway` goes on with those that there are now: an epoch that was begun is then done again
        from its start, so that its mean is over each image once.
        """
        trainer = self.trainer
        state, complaint = load_state(self.run.path)
        if complaint:
            trainer.reporter.line(complaint)
        at = Position(**state["position"])
        changed = differences(state, self.made_of, trainer.steps)
        if changed and not anyway:
            sentence = tr(
                "{run} was saved with {what}: put that back, or resume it anyway with what there is now.",
                run=self.run.name,
                what=in_words(changed),
            )
            raise LabError(sentence, "anyway")
        try:
            trainer.model.load_state_dict(state["model"])
        except RuntimeError as error:
            message = tr(
                "{run} was saved with another network or classes: put them back, or start a new run.",
                run=self.run.name,
            )
            raise LabError(message, "run") from error
        # Its settings are the configuration's; what it has gathered is another optimizer's where that was changed.
        gathered = {} if "optimizer" in changed else state["optimizer"]["state"]
        trainer.optimizer.load_state_dict({**trainer.optimizer.state_dict(), "state": gathered})
        if trainer.average:
            trainer.average.model.load_state_dict(state["average"] or state["model"])
        self.best, self.last_row = state["best"], state["last_row"]
        self.best_epoch = state.get("best_epoch", -1)  # of earlier versions: early stopping waits from its command
        self.sums.zero_()
        if changed:
            at = Position(at.epoch, 0, at.total - at.step)
            trainer.reporter.line(
                f"It was saved with {in_words(changed)}: it continues anyway, from the start of epoch {at.epoch}."
            )
        else:
            self._window = state["window"]
        trainer.position = at
        trainer.steering.restore(state.get("steering", ()))
        self.rate = state["rate"] if "rate" in state else trainer.rate(max(0, trainer.done - 1))
        if trainer.team.leads:
            if not changed:  # the others' shares are in rank 0's sums
                known = len(state["sums"])  # earlier versions did not sum the auxiliary losses
                self.sums[:known] += state["sums"].to(trainer.device)
                self._heard_all = known == len(self.sums) or not at.step
            torch.set_rng_state(state["rng"])
            if state["cuda_rng"]:
                torch.cuda.set_rng_state_all(state["cuda_rng"])
            if moved := self.run.rewind(at.epoch, at.total):
                trainer.reporter.line(moved)
        trainer.reporter.line(f"Resumed in epoch {at.epoch}, step {at.step} of {trainer.steps}.")
