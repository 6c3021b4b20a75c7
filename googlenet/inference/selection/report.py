"""The deliberate look at images that neither trained nor chose anything, and the record of every such look."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from googlenet.data.datasets import Progress
from googlenet.files import read_json, write_atomically
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import Evaluation, check_classes, evaluate_split
from googlenet.inference.selection.judges import load_judges
from googlenet.inference.selection.store import weights_digest
from googlenet.runs import Run

REPORTS = "test-reports.json"


def report_on_test(
    checkpoints: Path | str,
    name: str,
    *,
    data: str | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> Evaluation:
    """The checkpoint `name` ("run/best") on images that neither trained nor chose anything, noted in the run.

    Do it once, when all choices are made: `test_reports` tells how often it was done. Raises `LabError` as `judge_run`.
    """
    run = Run(checkpoints, name.partition("/")[0])
    config = run.config()
    checkpoint = run.find(name)
    judges = load_judges(config, data, progress)
    classifier = Classifier(checkpoint.path, device)
    check_classes(classifier, judges.images.classes, judges.images.name)
    result = evaluate_split(classifier, judges.report, progress=progress)
    report = {
        "when": time.strftime("%Y-%m-%d %H:%M:%S"),
        "checkpoint": checkpoint.name,
        "sha256": weights_digest(checkpoint.path),
        "data": judges.images.name,
        "reported_on": judges.reported_on,
        "n": result.n,
        "accuracy": result.accuracy,
        "loss": result.loss,
        "calibration_error": result.calibration_error,
    }
    path, before = run.path / REPORTS, test_reports(checkpoints, run.name)
    if not before and path.is_file():  # it cannot be read, and a record of looks at test images is not thrown away
        path.replace(path.with_stem(f"{path.stem}-unreadable"))
    write_atomically(path, json.dumps([*before, report], indent=1) + "\n")
    return result


def test_reports(checkpoints: Path | str, run: str) -> list[dict[str, Any]]:
    """Every `report_on_test` of `run`, the first one first."""
    return [report for report in read_json(Run(checkpoints, run).path / REPORTS, list) if isinstance(report, dict)]


vars(test_reports)["__test__"] = False  # pytest would take it for a test
