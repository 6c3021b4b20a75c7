"""The commands of Evaluate: evaluate, select, export."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from googlenet.cli import options as shared
from googlenet.cli.options import DEFAULT, AddCommand, progress_line
from googlenet.errors import LabError

if TYPE_CHECKING:
    from googlenet.data.datasets import ImageSet


def add_commands(command: AddCommand) -> None:
    """Give the command line `evaluate`, `select` and `export`."""
    sub = command("evaluate", _evaluate, "Accuracy, loss and calibration of a weights file on a data set.")
    sub.add_argument("weights", metavar="WEIGHTS", type=Path, help="a .safetensors file of this lab")
    shared.data_option(sub)
    sub.add_argument("--split", choices=("test", "train"), default="test", help=f"which part of the data {DEFAULT}")
    sub.add_argument("--flip", action="store_true", help="average the logits of each image and its mirror image")
    shared.device_option(sub)
    shared.json_option(sub)

    sub = command("select", _select, "Judge every checkpoint of a run on images that it did not learn from.")
    sub.add_argument("name", metavar="RUN", help="the run")
    sub.add_argument("--data", help="where its images are now (default: where they were)")
    chosen: dict[str, Any] = {"nargs": "?", "const": "", "metavar": "CHECKPOINT"}
    sub.add_argument("--promote", **chosen, help="make this one (default: the proposed one) best.safetensors")
    sub.add_argument("--report-on-test", **chosen, help="evaluate it on the test images, once, and record the result")
    shared.checkpoints_option(sub)
    shared.device_option(sub)
    shared.json_option(sub)

    text = (
        "Export a trained network in the format of TARGET's ending: .safetensors copies the weights as float16, with "
        "temperature and test figures written in; .onnx and .pt2 (torch.export) run without the lab, and are checked."
    )
    sub = command("export", _export, text, "convert")
    sub.add_argument("weights", metavar="WEIGHTS", type=Path, help="a .safetensors file of this lab")
    sub.add_argument("target", metavar="TARGET", type=Path, help="the file to write: .safetensors, .onnx or .pt2")
    shared.data_option(sub)
    shared.device_option(sub)
    shared.json_option(sub)


def _evaluate(options: argparse.Namespace) -> None:
    from googlenet.cli.text import evaluation_lines
    from googlenet.inference.evaluate import evaluate
    from googlenet.inference.streamed import is_streamed
    from googlenet.models.weights import read_info

    if is_streamed(read_info(options.weights), options.data):
        return _evaluate_streamed(options)
    images, how = _load_images(options), {"device": options.device, "progress": progress_line()}
    result = evaluate(options.weights, images, options.split, flip=options.flip, **how)
    lines = evaluation_lines(result, f"{result.n:,} {options.split} images of {images.name}")
    answer = {"data": images.name, "split": options.split, **result.to_dict()}
    print(json.dumps(answer) if options.json else "\n".join(lines))


def _evaluate_streamed(options: argparse.Namespace) -> None:
    """Weights that see larger pictures than the data sets have."""
    from googlenet.cli.text import evaluation_lines
    from googlenet.inference.classifier import Classifier
    from googlenet.inference.streamed import evaluate_pictures, find_labelled

    classifier = Classifier(options.weights, options.device)
    pictures = find_labelled(options.data, classifier.info.classes, options.split)
    result, judged = evaluate_pictures(classifier, pictures, flip=options.flip, progress=progress_line())
    where = judged.sentence(options.split)
    answer = {"data": where, "split": options.split, **result.to_dict()}
    print(json.dumps(answer) if options.json else "\n".join(evaluation_lines(result, where)))


def _load_images(options: argparse.Namespace) -> ImageSet:
    from googlenet.data.datasets import load_images
    from googlenet.models.weights import read_info

    read_info(options.weights)  # before minutes of loading
    return load_images(options.data, progress=progress_line())


def _select(options: argparse.Namespace) -> None:
    from googlenet.cli.text import evaluation_lines, judgement_lines
    from googlenet.inference import selection

    where = {"data": options.data, "device": options.device, "progress": progress_line()}
    judged = selection.judge_run(options.checkpoints, options.name, **where)
    answer: dict[str, Any] = judged.to_dict()
    lines = list(judgement_lines(judged))
    if options.promote is not None:
        name = _within(options.name, options.promote or judged.proposed)
        fitted = selection.promote(options.checkpoints, options.name, name, **where)
        answer["promoted"] = {"checkpoint": name, **dataclasses.asdict(fitted)}
        lines.append(f"best.safetensors is {name} now; {fitted.sentence}.")
    if options.report_on_test is not None:
        name = _within(options.name, options.report_on_test or options.promote or judged.proposed)
        for earlier in selection.test_reports(options.checkpoints, options.name)[-1:]:
            seen = f"last on {earlier.get('when')} for {earlier.get('checkpoint')}"
            print(f"Its test images were used before, {seen}: do not choose by them.", file=sys.stderr)
        result = selection.report_on_test(options.checkpoints, name, **where)
        answer["test"] = {"checkpoint": name, **result.to_dict()}
        lines += [f"{name} on test, recorded:", *evaluation_lines(result, judged.reported_on)]
    print(json.dumps(answer) if options.json else "\n".join(lines))


def _within(run: str, name: str) -> str:
    """A checkpoint's full name, written as "best" or "run/best"."""
    return name if "/" in name else f"{run}/{name}"


def _export(options: argparse.Namespace) -> None:
    if options.target.suffix not in (".safetensors", ".onnx", ".pt2"):
        message = f"{options.target.name} must end in .safetensors, .onnx or .pt2: rename the target."
        raise LabError(message, "target")
    publishes = options.target.suffix == ".safetensors"
    answer, lines = (_publish if publishes else _export_program)(options)
    print(json.dumps({"path": str(options.target), **answer}) if options.json else "\n".join(lines))


def _publish(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from googlenet.inference.selection import publish_weights
    from googlenet.models.weights import read_info

    images = _load_images(options)
    done = publish_weights(options.weights, options.target, images, device=options.device, progress=progress_line())
    views = f"test accuracy {done.test.accuracy:.2%}, with flip averaging {done.flip.accuracy:.2%}"
    first = f"{options.target}: {views}, calibration error {done.test.scaled_calibration_error:.2%}"
    second = done.calibration.sentence if done.calibration else done.note
    return {"facts": read_info(options.target).facts}, [first, second]


def _export_program(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from googlenet.models.formats.export import export_network

    done = export_network(options.weights, options.target)
    line = (
        f"{done.path}: {done.format}, {done.bytes / 1e6:,.1f} MB; run beside the original on random images, its logits "
        f"differ by at most {done.difference:.1e} of the largest."
    )
    return {**dataclasses.asdict(done), "path": str(done.path)}, [line]
