"""The command line: everything the app does, without the app. `python -m googlenet --help`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from googlenet.cli.build import add_commands, add_network_options, read_network
from googlenet.errors import LabError
from googlenet.models.presets import PRESETS, preset
from googlenet.recipes import RECIPES, TrainConfig, make_train_config, parse_epochs

BAD_INPUT, FAILED = 2, 1


class _Parser(argparse.ArgumentParser):
    """argparse, with one sentence and exit code 2 for bad input instead of a usage text before it."""

    def error(self, message: str) -> None:
        raise LabError(f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 2 for bad input, 1 for a training that failed."""
    try:
        options = _parser().parse_args(arguments)
        return options.run_command(options) or 0
    except LabError as error:
        if os.environ.get("RANK", "0") == "0":  # under torchrun, once is enough
            print(f"error: {error}", file=sys.stderr)
        return FAILED if type(error).__name__ == "TrainingFailed" else BAD_INPUT
    except KeyboardInterrupt:
        print("error: Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        sys.stderr.close()
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"error: {place}{error.strerror or error}.", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    formatter = argparse.ArgumentDefaultsHelpFormatter
    parser = _Parser(prog="python -m googlenet", description="Build, train and ask GoogLeNet.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text, formatter_class=formatter)
        sub.set_defaults(run_command=run)
        return sub

    add_commands(command)

    _add_train(command("train", _train, "Train a network; Ctrl+C saves and stops, resume goes on."))

    sub = command("gradients", _gradients, "Compare each layer's gradient with and without auxiliary heads.")
    add_network_options(sub)
    sub.add_argument("--steps", type=int, default=20, help="of SGD on drawn shapes, after the initialisation")
    sub.add_argument("--seed", type=int, default=0, help="same seed, same figures")
    _json_option(sub)

    sub = command("resume", _resume, "Go on with a run from its last save, as if it had never stopped.")
    sub.add_argument("name", metavar="NAME", help="the run")
    _checkpoints_option(sub)
    sub.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)

    sub = command("runs", _runs, "List the runs and what became of them.")
    _checkpoints_option(sub)
    _json_option(sub)

    sub = command("evaluate", _evaluate, "Accuracy, loss and calibration of a weights file on a data set.")
    sub.add_argument("weights", metavar="WEIGHTS", type=Path, help="a .safetensors file of this lab")
    _data_option(sub, "cifar10")
    sub.add_argument("--split", choices=("test", "train"), default="test", help="which part of the data")
    sub.add_argument("--flip", action="store_true", help="average the logits of each image and its mirror image")
    sub.add_argument("--device", default="auto", help="auto, cuda, mps or cpu")
    _json_option(sub)

    sub = command("select", _select, "Judge every checkpoint of a run on images that it did not learn from.")
    sub.add_argument("name", metavar="RUN", help="the run")
    sub.add_argument("--data", help="where its images are now (default: where they were)")
    chosen = {"nargs": "?", "const": "", "metavar": "CHECKPOINT"}
    sub.add_argument("--promote", **chosen, help="make the proposed one, or this, best.safetensors")
    sub.add_argument("--report-on-test", **chosen, help="evaluate it on test images, once, and record that")
    _checkpoints_option(sub)
    sub.add_argument("--device", default="auto", help="auto, cuda, mps or cpu")
    _json_option(sub)

    sub = command("classify", _classify, "What a weights file sees in pictures.")
    sub.add_argument("weights", metavar="WEIGHTS", type=Path, help="a .safetensors file of this lab")
    sub.add_argument("files", metavar="FILE", nargs="+", type=Path, help="pictures")
    sub.add_argument("--top", type=int, default=5, help="classes to print")
    sub.add_argument("--device", default="auto", help="auto, cuda, mps or cpu")
    _json_option(sub)

    sub = command("export", _export, "Copy a weights file as float16, with temperature and test figures written in.")
    sub.add_argument("weights", metavar="WEIGHTS", type=Path, help="a .safetensors file of this lab")
    sub.add_argument("target", metavar="TARGET", type=Path, help="the file to write")
    _data_option(sub, "cifar10")
    sub.add_argument("--device", default="auto", help="auto, cuda, mps or cpu")
    return parser


def _add_train(sub: argparse.ArgumentParser) -> None:
    # No defaults here: what is not given is the recipe's. A test holds these texts against googlenet/config.py.
    sub.add_argument("--preset", choices=tuple(PRESETS), help="the network (default: cifar10; note: cifar10-truncated)")
    _data_option(sub, "cifar10")
    sub.add_argument("--recipe", choices=tuple(RECIPES), default="default", help="sets all that follows")
    sub.add_argument("--epochs", type=int, help="(default: 10; note: 1000)")
    sub.add_argument("--batch-size", type=int, help="(default: 256; note: 2048)")
    sub.add_argument("--lr", type=float, help="its peak (default: 0.2; without batch norm: 0.001; note: 0.0001)")
    sub.add_argument("--cutout", type=int, help="side in pixels of a square blanked in each image (default: 0)")
    sub.add_argument("--ema", type=float, help="decay per step of averaged weights, 0 for none (default: 0)")
    sub.add_argument("--validation", type=float, help="share of train held out (default: 0.1; note: 0)")
    sub.add_argument("--checkpoint-epochs", help="after which to keep weights, from 0, as 299,499 (default: none)")
    sub.add_argument("--aux-heads", action="store_true", help="train with the auxiliary classifiers on 4a and 4d")
    sub.add_argument("--seed", type=int, default=0, help="same seed, same curve")
    sub.add_argument("--device", default="auto", help="auto, cuda, mps or cpu")
    sub.add_argument("--compiled", action="store_true", help="by torch.compile: for long trainings on a GPU")
    sub.add_argument("--deterministic", action="store_true", help="bit-equal results on a GPU too; slower")
    sub.add_argument("--run", help="name of the run (default: the network and the time)")
    _checkpoints_option(sub)
    sub.add_argument(
        "--config", metavar="FILE", help="a run's config.json, in place of all that; - reads it from stdin"
    )
    sub.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)


def _data_option(sub: argparse.ArgumentParser, default: str) -> None:
    sub.add_argument("--data", default=default, help="cifar10, shapes, or a folder with train/ and test/")


def _checkpoints_option(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), help="where runs are kept")


def _json_option(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--json", action="store_true", help="print JSON")


def _gradients(options: argparse.Namespace) -> None:
    from googlenet.training.gradients import compare_heads

    network = read_network(options)
    for comparison in compare_heads(network, options.steps, options.seed):
        if options.json:
            print(json.dumps({**dataclasses.asdict(comparison), "gains": comparison.gains}), flush=True)
        elif comparison.step in (0, options.steps):
            print(comparison.sentence, flush=True)
            for layer, norm in comparison.without.norms.items():
                headed = comparison.with_heads.norms[layer]
                print(f"  {layer:<14}{norm:>10.1e} without, {headed:.1e} with heads ({comparison.gains[layer]:,.1f}×)")


def _train_config(options: argparse.Namespace) -> TrainConfig:
    if options.config:
        text = sys.stdin.read() if options.config == "-" else Path(options.config).read_text(encoding="utf-8")
        return TrainConfig.from_json(text)
    name = options.preset or ("cifar10-truncated" if options.recipe == "note" else "cifar10")
    return make_train_config(
        options.run or f"{name}-{time.strftime('%Y%m%d-%H%M%S')}",
        preset(name, aux_heads=options.aux_heads),
        options.recipe,
        data=options.data,
        epochs=options.epochs,
        batch_size=options.batch_size,
        lr=options.lr,
        cutout=options.cutout,
        ema=options.ema,
        validation_fraction=options.validation,
        checkpoint_epochs=parse_epochs(options.checkpoint_epochs),
        seed=options.seed,
        device=options.device,
        compiled=options.compiled or None,
        deterministic=options.deterministic or None,
    )


def _train(options: argparse.Namespace) -> None:
    from googlenet.training.session import train

    config = _train_config(options)
    run = train(config, options.checkpoints, console=not options.detached, detached=options.detached)
    if os.environ.get("RANK", "0") == "0":
        print(f"{run.name}: {run.status().state}, in {run.path}")


def _resume(options: argparse.Namespace) -> None:
    from googlenet.training.session import resume

    run = resume(options.name, options.checkpoints, console=not options.detached, detached=options.detached)
    if os.environ.get("RANK", "0") == "0":
        print(f"{run.name}: {run.status().state}, in {run.path}")


def _runs(options: argparse.Namespace) -> None:
    from googlenet.runs import list_runs

    rows = []
    for run in list_runs(options.checkpoints):
        status, metrics = run.status(), run.metrics()
        accuracies = [row["Validation accuracy"] for row in metrics if row["Validation accuracy"] is not None]
        best = max(accuracies, default=None)
        rows.append(
            {"run": run.name, "state": status.state, "epoch": status.epoch, "epochs": status.epochs, "best": best}
        )
    if options.json:
        print(json.dumps(rows))
    elif not rows:
        print(f"No runs in {options.checkpoints} yet: start one with python -m googlenet train.")
    for row in [] if options.json else rows:
        best = "" if row["best"] is None else f"  best validation accuracy {row['best']:.4f}"
        print(f"{row['run']}  {row['state']}  {row['epoch']}/{row['epochs']} epochs{best}")


def _evaluate(options: argparse.Namespace) -> None:
    from googlenet.cli.text import evaluation_lines
    from googlenet.data.datasets import load_images
    from googlenet.inference.evaluate import evaluate
    from googlenet.models.weights import read_info

    read_info(options.weights)  # before minutes of loading
    images = load_images(options.data, progress=_progress())
    result = evaluate(
        options.weights, images, options.split, flip=options.flip, device=options.device, progress=_progress()
    )
    if options.json:
        print(json.dumps({"data": images.name, "split": options.split, **result.to_dict()}))
        return
    for line in evaluation_lines(result, f"{result.n:,} {options.split} images of {images.name}"):
        print(line)


def _select(options: argparse.Namespace) -> None:
    from googlenet.cli.text import calibration_line, evaluation_lines, judgement_lines
    from googlenet.inference.selection import select

    where = {"data": options.data, "device": options.device, "progress": _progress()}
    judged = select.judge_run(options.checkpoints, options.name, **where)
    answer: dict[str, Any] = judged.to_dict()
    lines = list(judgement_lines(judged))
    if options.promote is not None:
        name = _within(options.name, options.promote or judged.proposed)
        select.promote(options.checkpoints, options.name, name)
        fitted = select.calibrate(options.checkpoints, f"{options.name}/best", **where)
        answer["promoted"] = {"checkpoint": name, **dataclasses.asdict(fitted)}
        lines.append(f"best.safetensors is {name} now; {calibration_line(fitted)}.")
    if options.report_on_test is not None:
        name = _within(options.name, options.report_on_test or options.promote or judged.proposed)
        for earlier in select.test_reports(options.checkpoints, options.name)[-1:]:
            seen = f"last on {earlier.get('when')} for {earlier.get('checkpoint')}"
            print(f"Its test images were used before, {seen}: do not choose by them.", file=sys.stderr)
        result = select.report_on_test(options.checkpoints, name, **where)
        answer["test"] = {"checkpoint": name, **result.to_dict()}
        lines += [f"{name} on test, recorded:", *evaluation_lines(result, judged.reported_on)]
    print(json.dumps(answer) if options.json else "\n".join(lines))


def _within(run: str, name: str) -> str:
    """A checkpoint's full name, written as "best" or "run/best"."""
    return name if "/" in name else f"{run}/{name}"


def _classify(options: argparse.Namespace) -> int:
    from googlenet.inference.classifier import Classifier
    from googlenet.inference.novelty import judge, warning

    classifier = Classifier(options.weights, options.device)
    if classifier.info.facts.get("synthetic"):
        print("This network learned synthetic shapes: what it says of a photograph means nothing.", file=sys.stderr)
    answers, bad = [], 0
    for file in options.files:
        try:
            verdict = judge(classifier, file)
            answers.append(
                {
                    "file": str(file),
                    "probabilities": classifier.classify(file),
                    "temperature": classifier.temperature,
                    "unlike_training": verdict and verdict.unlike_training,
                    "novelty": verdict and verdict.to_dict(),
                }
            )
        except LabError as error:  # the other pictures still get their answer
            answers.append({"file": str(file), "error": str(error)})
            bad = BAD_INPUT
    if options.json:
        print(json.dumps(answers, ensure_ascii=False))
    for answer in [] if options.json else answers:
        if "error" in answer:
            print(f"error: {answer['error']}", file=sys.stderr)
            continue
        top = list(answer["probabilities"].items())[: max(1, options.top)]
        word = " (calibrated)" if classifier.calibrated else ""
        print(answer["file"], ", ".join(f"{name} {share:.1%}" for name, share in top) + word, sep=": ")
        if answer["unlike_training"]:
            print(f"  {warning(len(answer['probabilities']))}")
    return bad


def _export(options: argparse.Namespace) -> None:
    from googlenet.cli.text import calibration_line
    from googlenet.data.datasets import load_images
    from googlenet.inference.selection.export import export
    from googlenet.models.weights import read_info

    read_info(options.weights)  # before minutes of loading
    images = load_images(options.data, progress=_progress())
    done = export(options.weights, options.target, images, device=options.device, progress=_progress())
    views = f"test accuracy {done.test.accuracy:.2%}, with flip averaging {done.flip.accuracy:.2%}"
    print(f"{options.target}: {views}, calibration error {done.test.scaled_calibration_error:.2%}")
    print(calibration_line(done.calibration) if done.calibration else done.note)


def _progress() -> Any:
    """A progress line on a terminal, nothing otherwise."""
    if not sys.stderr.isatty():
        return None

    def show(share: float, text: str) -> None:
        print(f"\r\x1b[K{text} ({share:.0%})", end="\n" if share >= 1 else "", file=sys.stderr, flush=True)

    return show


if __name__ == "__main__":
    sys.exit(main())
