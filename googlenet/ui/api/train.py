"""Train's endpoints that change something: start, stop and steer a training."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Any

import gradio as gr

from googlenet.runs import Run, ask
from googlenet.training import launcher
from googlenet.ui.api.endpoint import Endpoints
from googlenet.ui.api.runs import run_summary
from googlenet.ui.api.types.common import RunName, says
from googlenet.ui.api.types.runs import Brought, Data, Network, Rate, Recipe, RunSummary
from googlenet.ui.events import rights
from googlenet.ui.train import bring
from googlenet.ui.train.bring import sent_file
from googlenet.ui.train.tab import start_run

Own = "the recipe's if left out"


def publish(endpoints: Endpoints, checkpoints: Path) -> None:
    """Register the endpoints for runs under `checkpoints`."""
    access = endpoints.access

    def start_training(
        network: Network = "cifar10",
        data: Data = "cifar10",
        recipe: Recipe = "default",
        epochs: Annotated[int | None, says(f"from 1 to 100,000; {Own}")] = None,
        batch_size: Annotated[int | None, says(f"images a step; {Own}")] = None,
        lr: Annotated[float | None, says(f"highest learning rate, above 0; {Own}")] = None,
        seed: int = 0,
        device: Annotated[str, says("auto, cpu, cuda or mps")] = "auto",
        run: Annotated[
            str, says("a new name: 1 to 64 lower-case letters, digits and hyphens; made up if left out")
        ] = "",
        checkpoint_epochs: Annotated[
            list[int] | None, says(f"epochs, from 0, after which weights are kept; {Own}")
        ] = None,
        validation_fraction: Annotated[float | None, says(f"share of the training images to hold out; {Own}")] = None,
        cutout: Annotated[int | None, says(f"side of the square to blank, in pixels; {Own}")] = None,
        ema: Annotated[float | None, says(f"decay of the averaged weights, below 1; {Own}")] = None,
        aux_heads: Annotated[bool, says("whether to train the paper's auxiliary heads too")] = False,
        compiled: Annotated[bool, says("torch.compile: worth it for long trainings on a GPU")] = False,
        deterministic: Annotated[bool, says("the same bits again, at the price of speed")] = False,
        optimizer: Annotated[str | None, says(f"such as sgd or adam; {Own}")] = None,
        momentum: Annotated[float | None, says(f"from 0 to 1; {Own}")] = None,
        weight_decay: Annotated[float | None, says(f"from 0 to 1; {Own}")] = None,
        schedule: Annotated[str | None, says(f"of the learning rate, one-cycle or constant; {Own}")] = None,
        warmup: Annotated[float | None, says(f"share of the training; {Own}")] = None,
        label_smoothing: Annotated[float | None, says(f"from 0 to 1; {Own}")] = None,
        flip: Annotated[bool | None, says(f"whether images are mirrored at random; {Own}")] = None,
        crop_padding: Annotated[int | None, says(f"pixels by which crops are shifted; {Own}")] = None,
        normalize: Annotated[bool | None, says(f"whether pixels are normalised; {Own}")] = None,
        norm_decay: Annotated[bool | None, says(f"weight decay of biases and batch norm too; {Own}")] = None,
        logit_norm: Annotated[float | None, says(f"from 0 to 10: divides logits of length 1; {Own}")] = None,
        whitening: Annotated[bool | None, says(f"a first convolution that is not learned; {Own}")] = None,
        dirac: Annotated[bool | None, says(f"whether filters begin by passing their input on; {Own}")] = None,
        trivial_augment: Annotated[bool | None, says(f"one of fourteen changes to each image; {Own}")] = None,
        cutmix: Annotated[float | None, says(f"share of the images with a rectangle of another, 0 to 1; {Own}")] = None,
    ) -> RunSummary:
        """Start a training in a process of its own, and return at once with the run's status: follow it by run_status.

        A device trains one run at a time: where it is busy this is refused, and queue_training waits. Ten epochs of
        cifar10 take over an hour on two CPU cores.
        """
        settings: dict[str, Any] = {
            "data": access.check_data(data),
            "recipe": recipe,
            "epochs": epochs,
            "batch_size": batch_size,
            "lr": lr,
            "seed": seed,
            "device": device,
            "checkpoint_epochs": None if checkpoint_epochs is None else tuple(checkpoint_epochs),
            "validation_fraction": validation_fraction,
            "cutout": cutout,
            "ema": ema,
            "compiled": compiled,
            "deterministic": deterministic,
            "optimizer": optimizer,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "schedule": schedule,
            "warmup": warmup,
            "label_smoothing": label_smoothing,
            "flip": flip,
            "crop_padding": crop_padding,
            "normalize": normalize,
            "norm_decay": norm_decay,
            "logit_norm": logit_norm,
            "whitening": whitening,
            "dirac": dirac,
            "trivial_augment": trivial_augment,
            "cutmix": cutmix,
        }
        start = functools.partial(start_run, checkpoints, network, run, aux_heads, **settings)
        return run_summary(rights.start_own(access, checkpoints, lambda _: start()))

    def stop_training(run: RunName) -> RunSummary:
        """Ask the trainer of a run to save and stop within one step; it can be resumed. Returns the run's status."""
        rights.check_own(access, checkpoints, run)
        launcher.stop(run, checkpoints)
        return run_summary(Run(checkpoints, run))

    def extend_run(run: RunName, epochs: Annotated[int, says("in all, more than now", ge=1)]) -> RunSummary:
        """Give a run that many epochs in all; a finished or stopped one goes on training. Returns the run's status."""
        rights.check_own(access, checkpoints, run)
        return run_summary(launcher.extend(run, checkpoints, epochs))

    def set_rate(run: RunName, rate: Rate) -> RunSummary:
        """Give a training another learning rate from its next step on. Returns the run's status."""
        return steered(run, "rate", rate)

    def set_patience(
        run: RunName, epochs: Annotated[int, says("without a better validation accuracy; 0 is never", ge=0)]
    ) -> RunSummary:
        """End a training after so many epochs without a better validation accuracy. Returns its status."""
        return steered(run, "patience", epochs)

    def keep_checkpoint(run: RunName) -> RunSummary:
        """Keep the weights of a training as they are at its next step. Returns the run's status."""
        return steered(run, "keep")

    def steered(run: str, kind: str, value: float | None = None) -> RunSummary:
        rights.check_own(access, checkpoints, run)
        ask(checkpoints, run, kind, value)
        return run_summary(Run(checkpoints, run))

    def bring_run(
        file: Annotated[gr.FileData, says("weights (.safetensors of a lab like this) or metrics (CSV)")],
        name: Annotated[str, says("what it is called here: a run's name; its file's if left out")] = "",
    ) -> Brought:
        """Keep weights or metrics from elsewhere as a run."""
        plain = file if isinstance(file, dict) else {}
        path, shown = sent_file(plain.get("path"))
        return {"sentence": bring.bring_run(checkpoints, access, path, name, str(plain.get("orig_name") or shown))}

    endpoints.add(bring_run, right="bring")
    endpoints.add(start_training, right="start")
    endpoints.add(stop_training, right="stop")
    for steering in (extend_run, set_rate, set_patience, keep_checkpoint):
        endpoints.add(steering, right="steer")
