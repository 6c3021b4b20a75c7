"""A network that has really learned some drawn shapes, in seconds, with a fitted threshold for other pictures."""

from __future__ import annotations

from pathlib import Path

import torch
from tiny import tiny_config
from torch import Tensor
from torch.nn.functional import cross_entropy

from googlenet.config import ConvConfig, InceptionConfig, PoolConfig
from googlenet.data import shapes
from googlenet.data.augment import normalize
from googlenet.data.splits import Split
from googlenet.inference.novelty import FACT, fit
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.weights import WeightsInfo, save_weights

LAYERS = (
    ConvConfig("conv1", 3, 16, 3, stride=2, padding=1),
    InceptionConfig("inception3a", 16, 8, 8, 12, 4, 6, 6),
    PoolConfig("maxpool3"),
    InceptionConfig("inception4a", 32, 16, 16, 24, 8, 12, 12),
    PoolConfig("maxpool4"),
)
CLASSES = ("arrow", "circle", "cross", "star")
MEAN, STD = (0.5, 0.5, 0.5), (0.3, 0.3, 0.3)
EPOCHS, BATCH, LR = 4, 50, 0.2
SCORE = "max softmax"  # on so small a network it tells more than the energy does


def shapes_checkpoint(path: Path) -> tuple[Path, Split, Split]:
    """A weights file at `path`; the shapes that its threshold was fitted on; and others, also new to it."""
    torch.manual_seed(0)
    learned, held_out, _ = shapes.draw_shapes(4000, 2000, seed=3)
    learned, (fitting, measuring) = _four(learned), _halves(_four(held_out))
    model = GoogLeNet(tiny_config(len(CLASSES), layers=LAYERS, dropout=0.0))
    optimizer = torch.optim.SGD(model.parameters(), LR, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, total_steps=EPOCHS * len(learned.labels) // BATCH)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(learned.labels)).split(BATCH):
            optimizer.zero_grad()
            cross_entropy(model(_prepared(learned.images[batch])), learned.labels[batch]).backward()
            optimizer.step()
            schedule.step()
    with torch.inference_mode():
        logits = model.eval()(_prepared(fitting.images))
    facts = {"data": "four shapes", FACT: fit(logits, SCORE, fitted_on="held-out shapes").to_facts()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_weights(path, model, WeightsInfo(model.config, CLASSES, MEAN, STD, facts))
    return path, fitting, measuring


def _prepared(images: Tensor) -> Tensor:
    return normalize(images, torch.tensor(MEAN), torch.tensor(STD))


def _four(split: Split) -> Split:
    """The images of `CLASSES` alone."""
    numbers = torch.tensor([shapes.CLASSES.index(name) for name in CLASSES])
    chosen = torch.isin(split.labels, numbers)
    return Split(split.images[chosen], torch.searchsorted(numbers, split.labels[chosen]))


def _halves(split: Split) -> tuple[Split, Split]:
    middle = len(split.labels) // 2
    return Split(split.images[:middle], split.labels[:middle]), Split(split.images[middle:], split.labels[middle:])
