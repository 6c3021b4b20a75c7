"""A network small enough for tests, with weights and batch statistics that are not the initial ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, PoolConfig
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.weights import WeightsInfo, save_weights

CLASSES = ("cat", "dog", "frog")
MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.3, 0.25)


def tiny_config(num_classes: int = 3, **changes: Any) -> GoogLeNetConfig:
    layers = (
        ConvConfig("conv1", 3, 8, 3, padding=1),
        PoolConfig("maxpool1"),
        InceptionConfig("inception3a", 8, 4, 4, 6, 2, 3, 3),
    )
    return GoogLeNetConfig(
        **{
            "name": "tiny",
            "layers": layers,
            "num_classes": num_classes,
            "input_size": 32,
            "batch_norm": True,
            "dropout": 0.5,
            **changes,
        }
    )


def tiny_checkpoint(
    path: Path,
    classes: tuple[str, ...] = CLASSES,
    *,
    seed: int = 0,
    config: GoogLeNetConfig | None = None,
    **facts: Any,
) -> Path:
    """A weights file at `path`, whose folders are made."""
    torch.manual_seed(seed)
    model = GoogLeNet(config or tiny_config(len(classes)))
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(8, 3, 32, 32))  # moves the running statistics
        model.fc.weight.mul_(20)  # answers that differ from class to class
    path.parent.mkdir(parents=True, exist_ok=True)
    save_weights(path, model, WeightsInfo(model.config, classes, MEAN, STD, facts))
    return path
