"""A run as an event file of TensorBoard's, written by the protobuf writer that torch.utils.tensorboard brings.

Epochs are numbered from 0, as everywhere here; `steps/…` are over the steps of the whole training.
"""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet.errors import LabError
from googlenet.files import write_atomically
from googlenet.language import tr
from googlenet.runs.comparison import settings_of
from googlenet.runs.run import Run

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

PACKAGE = "tensorboard"
TAGS = {  # of the columns of metrics.csv
    "Loss": "loss/train",
    "Validation loss": "loss/validation",
    "Auxiliary loss 1": "loss/auxiliary 1",
    "Auxiliary loss 2": "loss/auxiliary 2",
    "Accuracy": "accuracy/train",
    "Validation accuracy": "accuracy/validation",
    "Learning rate": "training/learning rate",
    "Images/s": "training/images a second",
    "CPU": "machine/cores busy",
    "Memory": "machine/memory",
    "GPU": "machine/GPU busy",
    "GPU memory": "machine/GPU memory",
}
STEP_TAGS = {"loss": "steps/loss", "lr": "steps/learning rate"}
MOST_STEPS = 20_000  # rows of steps.jsonl; of more, evenly many are left out


def has_tensorboard() -> bool:
    """Whether the package that the writer needs is there."""
    return importlib.util.find_spec(PACKAGE) is not None


def event_file(run: Run) -> bytes:
    """All that was measured of `run`, as the content of an event file; raises `LabError`.

    The times are those of the training: seconds after it began, as metrics.csv has them.
    """
    if not run.exists():
        run.config()  # says that there is none
    if not has_tensorboard():
        raise LabError(tr("Event files need the package {package}: pip install {package}.", package=PACKAGE), "run")
    rows = run.metrics()
    if not rows:
        raise LabError(tr("{name} has no finished epoch yet: there is nothing to write.", name=run.name), "run")
    from torch.utils.tensorboard import SummaryWriter  # imports torch

    with tempfile.TemporaryDirectory() as folder:
        with SummaryWriter(folder) as writer:
            _write(writer, run, rows)
        return next(Path(folder).glob("*tfevents*")).read_bytes()


def write_event_file(run: Run, folder: Path | str) -> Path:
    """Write it to `folder`/RUN, where TensorBoard finds it under the run's name; one of before is replaced."""
    content = event_file(run)
    target = Path(folder).expanduser() / run.name / file_name(run)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, content)
    except OSError as error:
        raise LabError(
            tr("{folder} cannot be written ({why}): choose another folder.", folder=target.parent, why=error.strerror),
            "tensorboard",
        ) from error
    return target


def file_name(run: Run) -> str:
    """Always the same for a run: TensorBoard would draw what was written twice twice."""
    return f"events.out.tfevents.{int(_began(run))}.{run.name}"


def _began(run: Run) -> float:
    """When the training was planned, in seconds since 1970."""
    for name in ("config.json", "metrics.csv"):
        try:
            return (run.path / name).stat().st_mtime
        except OSError:
            continue
    return 0.0


def _write(writer: SummaryWriter, run: Run, rows: list[dict[str, float | None]]) -> None:
    began, seconds = _began(run), 0.0
    ends = {-1: 0.0}  # seconds at the end of each epoch
    for row in rows:
        epoch, seconds = int(row["Epoch"] or 0), seconds + (row["Seconds"] or 0.0)
        ends[epoch] = seconds
        for column, tag in TAGS.items():
            if (value := row[column]) is not None:
                writer.add_scalar(tag, value, epoch, began + seconds)
    steps = run.steps()
    for row in steps[:: 1 + len(steps) // MOST_STEPS]:
        done = int(row["epoch"])
        before = ends.get(done - 1, seconds)
        at = before + (row["epoch"] - done) * (ends.get(done, before) - before)
        for name, tag in STEP_TAGS.items():
            if isinstance(value := row.get(name), (int, float)):
                writer.add_scalar(tag, value, int(row["step"]), began + at)
    settings = settings_of(run)
    if settings:
        table = "\n".join(f"| {name} | {value} |" for name, value in settings.items())
        writer.add_text("settings", f"| setting | value |\n|---|---|\n{table}", 0, began)
