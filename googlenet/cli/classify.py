"""The command of Classify: a picture's classes, or a table of many pictures."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from googlenet.cli import options as shared
from googlenet.cli.options import DEFAULT, AddCommand, progress_line
from googlenet.errors import LabError

if TYPE_CHECKING:
    from googlenet.inference.classifier import Classifier
    from googlenet.inference.many import ManyAnswers

BAD_INPUT = 2


def add_commands(command: AddCommand) -> None:
    """Give the command line `classify`."""
    text = "Classify pictures: files one by one; a folder, a zip or --csv as a table, with accuracy by folder names."
    sub = command("classify", _classify, text)
    sub.add_argument(
        "paths", metavar="PATH", nargs="+", type=Path, help="pictures, folders, zips; weights may be first"
    )
    sub.add_argument(
        "--checkpoint", default="", help="a weights file, or a name such as my-run/best (default: shipped)"
    )
    shared.checkpoints_option(sub)
    sub.add_argument("--csv", type=Path, metavar="FILE", help="write the table to this file")
    sub.add_argument("--top", type=int, default=5, help=f"classes to print of a picture {DEFAULT}")
    shared.device_option(sub)
    shared.json_option(sub)


def _classify(options: argparse.Namespace) -> int:
    from googlenet.data.zips import is_zip
    from googlenet.inference.classifier import Classifier

    weights, paths = _weights(options)
    classifier = Classifier(weights, options.device)
    if classifier.info.facts.get("synthetic"):
        print("This network learned synthetic shapes: its answer for a photograph means nothing.", file=sys.stderr)
    if options.csv or any(path.is_dir() or is_zip(path) for path in paths):
        return _table(classifier, paths, options)
    return _one_by_one(classifier, paths, options)


def _weights(options: argparse.Namespace) -> tuple[Path, list[Path]]:
    """Which network, and the pictures: a first path to weights is the network, as it always was."""
    from googlenet.runs import find_checkpoint

    first, *others = options.paths
    if first.suffix == ".safetensors" and not options.checkpoint:
        if not others:
            raise LabError(f"Name a picture, a folder or a zip after {first}.", "paths")
        return first, others
    if options.checkpoint.endswith(".safetensors"):
        return Path(options.checkpoint), options.paths
    return find_checkpoint(options.checkpoints, options.checkpoint).path, options.paths


def _one_by_one(classifier: Classifier, paths: list[Path], options: argparse.Namespace) -> int:
    from googlenet.inference.novelty import WARNING

    answers, bad = [], 0
    for file in paths:
        try:
            answer = classifier.answer(file).to_dict()
            answers.append({"file": str(file), "temperature": classifier.temperature, **answer})
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
        doubt = (
            f"{WARNING} Closest of its {len(answer['probabilities']):,} classes: " if answer["unlike_training"] else ""
        )
        print(answer["file"], doubt + ", ".join(f"{name} {share:.1%}" for name, share in top) + word, sep=": ")
    return bad


def _table(classifier: Classifier, paths: list[Path], options: argparse.Namespace) -> int:
    from googlenet.data.pictures import find_pictures
    from googlenet.inference.many import classify_all

    with find_pictures(paths) as pictures:
        answers = classify_all(classifier, pictures, progress=progress_line())
    if options.csv:
        options.csv.write_text(answers.to_csv(), encoding="utf-8")
    if options.json:
        rows = [row.to_dict() for row in answers.rows]
        found = answers.evaluation
        keys = ("n", "accuracy", "interval", "per_class", "confusion")
        judged: dict[str, Any] | None = found and {key: getattr(found, key) for key in keys}
        print(json.dumps({"rows": rows, "judged": judged, "remarks": answers.remarks}, ensure_ascii=False))
    else:
        print("\n".join(_lines(answers, options.csv)))
    return BAD_INPUT if any(row.error for row in answers.rows) else 0


def _lines(answers: ManyAnswers, csv: Path | None) -> Iterator[str]:
    """For a terminal: the rows unless they are in a file, and what they come to."""
    from googlenet.cli.text import evaluation_lines

    if csv is None:
        width = min(60, max(len(row.name) for row in answers.rows))
        for row in answers.rows:
            second = f", then {row.runner_up} {row.runner_up_probability:.1%}" if row.runner_up else ""
            doubt = "looks like nothing I know; closest: " if row.unlike_training else ""
            said = row.error or f"{doubt}{row.answer} {row.probability:.1%}{second}"
            yield f"{row.name:<{width}}  {said}"
    yield from answers.remarks
    read = [row for row in answers.rows if not row.error]
    warned = sum(bool(row.unlike_training) for row in read)
    failed = len(answers.rows) - len(read)
    unread = f", {failed:,} cannot be read" if failed else ""
    word = "picture" if len(read) == 1 else "pictures"
    yield f"{len(read):,} {word} answered in {answers.seconds:.1f} s, {warned:,} look like nothing it knows{unread}"
    if answers.evaluation:
        count = answers.evaluation.n
        yield from evaluation_lines(answers.evaluation, f"{count:,} pictures in folders named like classes")
    if csv:
        yield f"Written to {csv}"
