"""An app with a run, the shipped network and a slow one, for tests of what programs and agents call."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import torch
from examples import SHIPPED
from trainings import training

from googlenet.data import shapes
from googlenet.inference.index import index_path
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.presets import preset
from googlenet.models.weights import WeightsInfo, save_weights
from googlenet.training.session import train
from googlenet.ui.api.agents.server import add_mcp
from googlenet.ui.app import LabPage, build_app
from googlenet.ui.page import launch_options

Serve = Callable[..., AbstractContextManager[tuple[LabPage, str]]]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """Checkpoints: the run `tried`, the shipped network with its index, and `slow`, which has learned nothing."""
    checkpoints = tmp_path_factory.mktemp("lab") / "checkpoints"
    train(training("tried", folder, epochs=1, validation_fraction=0.25), checkpoints)
    for file in (SHIPPED, index_path(SHIPPED)):
        shutil.copy(file, checkpoints)
    torch.manual_seed(0)
    model = GoogLeNet(preset("cifar10", num_classes=len(shapes.CLASSES)))
    info = WeightsInfo(model.config, shapes.CLASSES, (0.5, 0.5, 0.5), (0.3, 0.3, 0.3), {})
    save_weights(checkpoints / "slow.safetensors", model, info)
    return checkpoints


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Opens an app: the page and its address. `mcp` is None, or whether agents may write."""

    @contextlib.contextmanager
    def opened(
        checkpoints: Path, data: str = "shapes", mcp: bool | None = None, auth: Any = None, **options: Any
    ) -> Iterator[tuple[LabPage, str]]:
        demo = build_app(checkpoints, data, public=auth is not None, **options)
        launch = launch_options(checkpoints)
        if mcp is not None:
            add_mcp(launch, demo, write=mcp)
        _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, auth=auth, **launch)
        try:
            yield demo, url
        finally:
            demo.close()

    return opened
