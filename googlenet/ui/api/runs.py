"""Train's endpoints that only look: runs, and the networks that they left."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

from googlenet.errors import check_whole
from googlenet.runs import Run, read_steering
from googlenet.runs import list_checkpoints as found_checkpoints
from googlenet.runs import list_runs as found_runs
from googlenet.ui.api.endpoint import Endpoints
from googlenet.ui.api.types.common import RunName, says
from googlenet.ui.api.types.runs import CheckpointList, RunList, RunSummary, SteeringTaken
from googlenet.ui.events.access import hide_paths

MOST_RUNS = 200


def publish(endpoints: Endpoints, checkpoints: Path) -> None:
    """Register the endpoints about what is under `checkpoints`."""

    def run_status(run: RunName) -> RunSummary:
        """State, progress and newest metrics of a run. Ask again in a few seconds to follow it."""
        known = Run(checkpoints, run)
        if not known.exists():
            known.config()  # says that there is none
        return run_summary(known)

    def list_runs(most: Annotated[int, says("runs to tell of, from 1 to 200", ge=1, le=MOST_RUNS)] = 20) -> RunList:
        """The newest runs, with state, progress and newest metrics of each."""
        found = found_runs(checkpoints)
        told = found[: check_whole(most, "most", 1, MOST_RUNS)]
        return {"runs": [run_summary(run) for run in told], "total": len(found)}

    def list_checkpoints() -> CheckpointList:
        """The trained networks that can be asked, with the classes that each knows."""
        return {
            "checkpoints": [
                {
                    "checkpoint": one.name,
                    "label": one.label,
                    "classes": list(one.info.classes),
                    "accuracy": one.accuracy[0] if one.accuracy else None,
                    "accuracy_on": one.accuracy[1] if one.accuracy else "",
                }
                for one in found_checkpoints(checkpoints)
            ]
        }

    for endpoint in (run_status, list_runs, list_checkpoints):
        endpoints.add(endpoint)


def run_summary(run: Run) -> RunSummary:
    """Plain JSON types."""
    status, metrics = run.status(), run.metrics()
    summary = {
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
        "steering": [cast(SteeringTaken, one.to_dict()) for one in read_steering(run)],
    }
    return cast(RunSummary, summary)
