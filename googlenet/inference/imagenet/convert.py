"""torchvision's weights as a weights file of the lab."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.models.presets import TORCHVISION, preset
from googlenet.models.weights import WeightsInfo, save_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

FILE = f"{TORCHVISION}.safetensors"
HEADS = ("aux1.", "aux2.")  # torchvision's file has them, but untrained
# By class number: what torchvision's list tells apart badly or, in earlier versions, not at all.
NAMES = {134: ("crane", "crane (bird)"), 517: ("crane", "crane (machine)"), 639: ("maillot", "maillot (tank suit)")}


def convert(state: Mapping[str, Tensor], path: Path) -> None:
    """Write the state_dict of torchvision's `googlenet` to `path`, whole or not at all, with all that answers need.

    The heads are dropped. The tensors stay float32: the file has 27 MB, and its answers are torchvision's. Raises
    `LabError` for a state_dict of something else, `OSError` where the file cannot be written.
    """
    import torch
    from torchvision.models import GoogLeNet_Weights

    from googlenet.models.googlenet import GoogLeNet

    published = GoogLeNet_Weights.IMAGENET1K_V1
    with torch.device("meta"):
        model = GoogLeNet(preset(TORCHVISION))
    kept = {name: tensor for name, tensor in state.items() if not name.startswith(HEADS)}
    for name, tensor in model.state_dict().items():
        if name.endswith("num_batches_tracked"):  # files older than this counter lack it; only training reads it
            kept.setdefault(name, torch.zeros((), dtype=tensor.dtype))
    try:
        model.load_state_dict(kept, assign=True)
    except RuntimeError as error:
        sentence = tr("These are not the weights of torchvision's GoogLeNet: its tensors are others.")
        raise LabError(sentence) from error
    accuracy = published.meta["_metrics"]["ImageNet-1K"]
    facts = {
        "data": "ImageNet-1K",
        "resize": 256,
        "temperature": 1.0,
        "quoted_accuracy": accuracy["acc@1"] / 100,
        "quoted_top5": accuracy["acc@5"] / 100,
        "quoted_from": "torchvision",
        "source": f"{published}: {published.url}",
        "licence": "BSD 3-Clause (torchvision)",
        "preparation": "shorter side to 256, bilinear with antialiasing; centre crop 224; mean and std 0.5",
    }
    # ImageNet's normalisation, then torchvision's `transform_input` for these weights: together 0.5 and 0.5.
    half = (0.5, 0.5, 0.5)
    save_weights(path, model, WeightsInfo(model.config, class_names(published.meta["categories"]), half, half, facts))


def class_names(categories: Sequence[str]) -> tuple[str, ...]:
    """torchvision's class names, each different: answers are kept by name."""
    names = list(categories)
    for number, (start, better) in NAMES.items():
        if number < len(names) and names[number].startswith(start):
            names[number] = better
    taken: set[str] = set()
    for number, name in enumerate(names):
        numbered = (f"{name} ({count})" for count in itertools.count(2))
        names[number] = next(free for free in itertools.chain([name], numbered) if free not in taken)
        taken.add(names[number])
    return tuple(names)
