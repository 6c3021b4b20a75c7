"""Evaluate's endpoints: judge a run's checkpoints or one of them, and promote one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any, cast

from googlenet.data.datasets import Progress
from googlenet.ui.api.endpoint import Endpoints
from googlenet.ui.api.types.common import CheckpointName, MovedData, RunName, says
from googlenet.ui.api.types.evaluate import Evaluated, Promoted, RunJudged
from googlenet.ui.evaluate.answers import AnswerBook
from googlenet.ui.events import rights
from googlenet.ui.events.cores import share_cores

WORK: dict[str, Any] = {"concurrency_id": "evaluate"}


def publish(endpoints: Endpoints, checkpoints: Path) -> None:
    """Register them. Weights of no run are judged on test images of the lab's data."""
    access = endpoints.access
    book = AnswerBook(checkpoints, access.data)

    def select_run(run: RunName, data: MovedData = "", *, progress: Progress) -> RunJudged:
        """Every checkpoint of a run judged on images that it did not learn from, and the one proposed.

        Minutes for a run that nobody has judged yet, on a CPU; what is judged is kept, also after a cancel.
        """
        from googlenet.inference.selection import judge_run  # imports torch

        share_cores(checkpoints)
        found = judge_run(checkpoints, run, data=access.check_data(data or None), progress=progress)
        return cast(RunJudged, found.to_dict())

    def promote_checkpoint(
        run: RunName,
        checkpoint: Annotated[str, says("a name such as epoch-0299 or my-run/epoch-0299")],
        data: MovedData = "",
        *,
        progress: Progress,
    ) -> Promoted:
        """Make a checkpoint of a run its best, with a temperature and a warning fitted on its held-out images.

        Up to minutes on a CPU. Cancelled, the run has the best that it had.
        """
        from googlenet.inference.selection import promote  # imports torch

        rights.check_own(access, checkpoints, run)
        share_cores(checkpoints)
        fitted = promote(checkpoints, run, checkpoint, data=access.check_data(data or None), progress=progress)
        plain = {"run": run, "checkpoint": checkpoint, **dataclasses.asdict(fitted), "sentence": fitted.sentence}
        return cast(Promoted, plain)

    def evaluate_checkpoint(checkpoint: CheckpointName = "", data: MovedData = "", *, progress: Progress) -> Evaluated:
        """Accuracy, loss, calibration and confusion of a checkpoint on the images that its run is judged on.

        Without a run, the test images judge it. Minutes for 10,000 images on a CPU; asked again, it answers at once.
        """
        answers = book.ask(checkpoint, access.check_data(data or None), progress)
        plain = {"checkpoint": answers.name, "judged_on": answers.on, **answers.result.to_dict()}
        return cast(Evaluated, plain)

    endpoints.add(select_run, **WORK)
    endpoints.add(promote_checkpoint, right="promote", **WORK)
    endpoints.add(evaluate_checkpoint, **WORK)
