"""The app's programmatic interface, for gradio_client, HTTP and MCP: typed functions, the same that the tabs call."""

from __future__ import annotations

from pathlib import Path

from googlenet.ui.api import build, classify, evaluate, queue, runs, train
from googlenet.ui.api.endpoint import Endpoints
from googlenet.ui.events.access import Access


def publish(checkpoints: Path, access: Access) -> Endpoints:
    """Register all endpoints, with what is under `checkpoints`, in the page that is being laid out."""
    endpoints = Endpoints(access)
    build.publish(endpoints)
    runs.publish(endpoints, checkpoints)
    train.publish(endpoints, checkpoints)
    queue.publish(endpoints, checkpoints)
    evaluate.publish(endpoints, checkpoints)
    classify.publish(endpoints, checkpoints)
    return endpoints
