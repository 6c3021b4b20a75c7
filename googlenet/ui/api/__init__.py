"""The app's programmatic interface, for gradio_client: typed functions, the same that the tabs call."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api

from googlenet.models.profile.inspect import inspect_module, inspect_network
from googlenet.runs import Run, ask, find_checkpoint, read_steering
from googlenet.training import launcher
from googlenet.ui.classify.shared import classifier, received
from googlenet.ui.evaluate.answers import AnswerBook
from googlenet.ui.events import rights
from googlenet.ui.events.access import Access, hide_paths
from googlenet.ui.events.cores import share_cores
from googlenet.ui.events.refusals import api_errors
from googlenet.ui.train import bring
from googlenet.ui.train.bring import sent_file
from googlenet.ui.train.tab import start_run


def publish(checkpoints: Path, access: Access) -> None:
    """Register the endpoints of Build, Train, Evaluate and See inside.

    Weights of no run are judged on test images of the lab's data.
    """
    book = AnswerBook(checkpoints, access.data)

    def start_training(
        network: str | dict[str, Any] = "cifar10",
        data: str = "cifar10",
        recipe: str = "default",
        epochs: int | None = None,
        batch_size: int | None = None,
        lr: float | None = None,
        seed: int = 0,
        device: str = "auto",
        run: str = "",
        checkpoint_epochs: list[int] | None = None,
        validation_fraction: float | None = None,
        cutout: int | None = None,
        ema: float | None = None,
        aux_heads: bool = False,
        compiled: bool = False,
        deterministic: bool = False,
        optimizer: str | None = None,
        momentum: float | None = None,
        weight_decay: float | None = None,
        schedule: str | None = None,
        warmup: float | None = None,
        label_smoothing: float | None = None,
        flip: bool | None = None,
        crop_padding: int | None = None,
        normalize: bool | None = None,
        norm_decay: bool | None = None,
        logit_norm: float | None = None,
        whitening: bool | None = None,
        dirac: bool | None = None,
        trivial_augment: bool | None = None,
        cutmix: float | None = None,
    ) -> dict[str, Any]:
        """Start a training in a separate process; settings left out are the recipe's. Returns the run's status.

        network is a preset's name, a description as the Build tab's JSON has it, or the text of one of its links.
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
            "norm_decay": norm_decay,
            "logit_norm": logit_norm,
            "whitening": whitening,
            "dirac": dirac,
            "trivial_augment": trivial_augment,
            "cutmix": cutmix,
            "flip": flip,
            "crop_padding": crop_padding,
            "normalize": normalize,
        }
        start = functools.partial(start_run, checkpoints, network, run, aux_heads, **settings)
        return run_summary(rights.start_own(access, checkpoints, start))

    def stop_training(run: str) -> dict[str, Any]:
        """Ask the trainer of a run to save and stop within one step. Returns the run's status."""
        rights.check_own(access, checkpoints, run)
        launcher.stop(run, checkpoints)
        return run_summary(Run(checkpoints, run))

    def extend_run(run: str, epochs: int) -> dict[str, Any]:
        """Give a run that many epochs in all; a finished or stopped one goes on training. Returns the run's status."""
        rights.check_own(access, checkpoints, run)
        return run_summary(launcher.extend(run, checkpoints, epochs))

    def set_rate(run: str, rate: float) -> dict[str, Any]:
        """Give a training another learning rate from its next step on. Returns the run's status."""
        return steered(run, "rate", rate)

    def set_patience(run: str, epochs: int) -> dict[str, Any]:
        """End a training after so many epochs without a better validation accuracy; 0 is never. Returns its status."""
        return steered(run, "patience", epochs)

    def keep_checkpoint(run: str) -> dict[str, Any]:
        """Keep the weights of a training as they are at its next step. Returns the run's status."""
        return steered(run, "keep")

    def steered(run: str, kind: str, value: float | None = None) -> dict[str, Any]:
        rights.check_own(access, checkpoints, run)
        ask(checkpoints, run, kind, value)
        return run_summary(Run(checkpoints, run))

    def bring_run(file: gr.FileData, name: str = "") -> str:
        """Keep weights (.safetensors of a lab like this) or metrics (CSV) from elsewhere; returns what was done.

        file: a file (handle_file in Python). name: what it is called here, its file's name if left out.
        """
        plain = file if isinstance(file, dict) else {}
        path, shown = sent_file(plain.get("path"))
        return bring.bring_run(checkpoints, access, path, name, str(plain.get("orig_name") or shown))

    def run_status(run: str) -> dict[str, Any]:
        """State, progress and newest metrics of a run; problem names what cannot be read of its files."""
        known = Run(checkpoints, run)
        if not known.exists():
            known.config()  # says that there is none
        return run_summary(known)

    def select_run(run: str, data: str = "") -> dict[str, Any]:
        """Every checkpoint of a run judged on images that it did not learn from, and the one proposed.

        data: where the run's images are now, if they were moved.
        """
        from googlenet.inference.selection import judge_run  # imports torch

        share_cores(checkpoints)
        return judge_run(checkpoints, run, data=access.check_data(data or None)).to_dict()

    def promote_checkpoint(run: str, checkpoint: str, data: str = "") -> dict[str, Any]:
        """Make a checkpoint of a run its best, with a temperature and a warning fitted on its held-out images.

        checkpoint: a name such as epoch-0299 or my-run/epoch-0299. temperature is null where none is best; sentence
        says what was done.
        """
        from googlenet.inference.selection import promote  # imports torch

        rights.check_own(access, checkpoints, run)
        share_cores(checkpoints)
        fitted = promote(checkpoints, run, checkpoint, data=access.check_data(data or None))
        return {"run": run, "checkpoint": checkpoint, **dataclasses.asdict(fitted), "sentence": fitted.sentence}

    def evaluate_checkpoint(checkpoint: str = "", data: str = "") -> dict[str, Any]:
        """Accuracy, loss, calibration and confusion of a checkpoint on the images that its run is judged on.

        checkpoint: a name such as my-run/best, the first if left out; without a run, the test images judge it.
        """
        answers = book.ask(checkpoint, access.check_data(data or None))
        return {"checkpoint": answers.name, "judged_on": answers.on, **answers.result.to_dict()}

    def inside(image: gr.FileData, checkpoint: str = "", target: str = "", against: str = "") -> dict[str, Any]:
        """Where the logit of a class comes from, exactly, and which branch of which module carried it.

        image: a file (handle_file in Python); checkpoint: a name such as my-run/best, the first if left out; target: a
        class, the likeliest if left out; against: explains target's lead over this class. Returns {"checkpoint": ...,
        "ledger": {"logit", "bias", "branches", "channels", "places", ...}, "effects": [{"module", "branch", "change",
        "sees"}, ...], "sentence": ...}: bias and branches add up to the logit. effects is null without an index.
        """
        from googlenet.inference.inside.account import account_for  # imports torch

        known = find_checkpoint(checkpoints, checkpoint)
        asked = classifier(checkpoints, known.path)
        return {"checkpoint": known.name, **account_for(asked, received(image), target, against).to_dict()}

    def may(right: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """For an endpoint that needs `right`."""
        return lambda function: api_errors(rights.needs(access, right)(function))

    api(api_errors(inspect_module), api_name="inspect_module")
    api(api_errors(inspect_network), api_name="inspect_network")
    api(may("start")(start_training), api_name="start_training")
    api(may("stop")(stop_training), api_name="stop_training")
    for steering in (extend_run, set_rate, set_patience, keep_checkpoint):
        api(may("steer")(steering), api_name=steering.__name__)
    api(may("bring")(bring_run), api_name="bring_run")
    api(api_errors(run_status), api_name="run_status")
    api(api_errors(select_run), api_name="select_run", concurrency_id="evaluate")
    api(may("promote")(promote_checkpoint), api_name="promote_checkpoint", concurrency_id="evaluate")
    api(api_errors(evaluate_checkpoint), api_name="evaluate_checkpoint", concurrency_id="evaluate")
    api(api_errors(inside), api_name="inside", concurrency_id="classify")


def run_summary(run: Run) -> dict[str, Any]:
    """Plain JSON types."""
    status, metrics = run.status(), run.metrics()
    return {
        "run": run.name,
        "state": status.state,
        "message": hide_paths(status.message),
        "epoch": status.epoch,
        "epochs": status.epochs,
        "progress": status.progress,
        "images_per_second": status.images_per_second,
        "seconds_left": status.seconds_left,
        "metrics": metrics[-1] if metrics else None,
        "problem": hide_paths(run.problem()),
        "steering": [one.to_dict() for one in read_steering(run)],
    }
