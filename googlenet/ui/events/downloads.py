"""What may be taken home of a run, and the address that serves it: nothing else under `checkpoints` leaves it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.runs import Run
from googlenet.runs.exchange.tensorboard import event_file, file_name
from googlenet.ui.events.access import hide_paths
from googlenet.ui.events.gradio_private import may_see

LOG = "train.log"
EVENTS = "tensorboard"  # not a file: written when it is asked for


def downloads(run: Run) -> list[Path]:
    """The files of `run` that are offered: metrics, curves, weights and log; no link out of its directory."""
    paths = [run.path / "metrics.csv", run.path / "curves.png", *run.weights(), run.path / LOG]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def address(run: Run, path: Path) -> str:
    """Where the page finds it; relative, so that it also holds behind a proxy."""
    return f"download/{run.name}/{quote(path.name)}"


def _events(run: Run) -> Response:
    """The run for TensorBoard, in a file of a name that it looks for; a sentence where that cannot be."""
    try:
        content = event_file(run)
    except LabError as error:
        return PlainTextResponse(hide_paths(str(error)), status_code=404)
    disposition = f'attachment; filename="{file_name(run)}"'
    return Response(content, media_type="application/octet-stream", headers={"Content-Disposition": disposition})


def download_route(checkpoints: Path) -> Route:
    """For the app: `download/RUN/FILE`, to those who may see the page."""

    def gone() -> Response:
        return PlainTextResponse(tr("There is no such file to download."), status_code=404)

    def find(name: str, file: str) -> Response:
        try:
            offered = {path.name: path for path in downloads(Run(checkpoints, name))}
        except LabError:
            offered = {}
        if file == EVENTS:
            return _events(Run(checkpoints, name)) if offered else gone()
        if file not in offered:
            return gone()
        if file == LOG:  # it may hold a traceback
            response = PlainTextResponse(hide_paths(offered[file].read_text(encoding="utf-8", errors="replace")))
            response.headers["Content-Disposition"] = f'attachment; filename="{LOG}"'
        else:
            response = FileResponse(offered[file], filename=file)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    async def answer(request: Request) -> Response:
        if not may_see(request):
            return Response(status_code=401)
        return await run_in_threadpool(find, request.path_params["run"], request.path_params["file"])

    return Route("/download/{run}/{file}", answer)
