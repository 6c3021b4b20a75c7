"""What features a network has for each of its classes: one mean direction a class, kept in the weights file's facts.

The means of the last layer's maps over their places are a picture's features. Those of pictures of a class lie in about
one direction; a picture of something else points elsewhere, and its features are shorter. Unlike logits, they keep what
label smoothing takes from logits. All of it is fitted on images of the classes alone, never on images of other things.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from googlenet.config import GoogLeNetConfig
from googlenet.errors import LabError, is_number
from googlenet.language import tr
from googlenet.models.profile import profile_network

if TYPE_CHECKING:
    from torch import Tensor

    from googlenet.models.googlenet import GoogLeNet

LIMIT = 220_000  # bytes of all directions in a weights file, before base64 makes four thirds of them
LEAST = 4  # images of a class: half of them judge what the other half says
POWER = 0.2  # of the length; chosen on one half of 5,000 images of CIFAR-100, see benchmarks/RECIPES.md


@dataclass(frozen=True, eq=False)
class Prototypes:
    """The direction of each class's features, `means` float32 (classes, F), of length 1; and the usual `length`."""

    means: np.ndarray  # of numpy, as the page reads what a file says before torch is loaded
    length: float

    def score(self, features: Tensor) -> Tensor:
        """Features (..., F) → (...), higher for pictures less like every class.

        1 − c · (|features| / length)^0.2, where c is the cosine of the features and the nearest class's direction.
        """
        import torch

        lengths = features.float().norm(dim=-1).clamp_min(1e-6)
        nearest = (features.float() @ torch.from_numpy(self.means).to(features.device).T).amax(-1) / lengths
        return 1 - nearest * (lengths / self.length) ** POWER

    def to_facts(self) -> dict[str, Any]:
        """Plain JSON types; the directions as float16 in base64."""
        packed = base64.b64encode(self.means.astype("<f2").tobytes()).decode()
        return {"classes": len(self.means), "length": self.length, "means": packed}

    def belong_to(self, network: GoogLeNetConfig) -> bool:
        """Whether the network has as many classes, and features of that width."""
        try:
            return self.means.shape == (network.num_classes, width(network))
        except LabError:  # it does not fit together, whatever its file says
            return False


def width(network: GoogLeNetConfig) -> int:
    """How many features `pooled` gives."""
    return profile_network(network).by_layer()[network.layers[-1].name].out_shape[0]


def pooled(model: GoogLeNet, x: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (N, classes) of images `x` (N, C, H, W), and their features, float32 (N, F)."""
    for layer in model.config.layers:
        x = getattr(model, layer.name)(x)
    return model.fc(model.dropout(model.avgpool(x).flatten(1))), x.float().mean((2, 3))


def fit_prototypes(features: Tensor, labels: Tensor, classes: int) -> tuple[Prototypes, Tensor]:
    """Prototypes from features (N, F) and labels (N,); and the scores (N,) of these images.

    The scores are those of one half with directions from the other, and the other way round: an image is too near to a
    mean that it is part of. Raises `LabError` where a class has too few images, for too many classes, and where all
    features are alike.
    """
    import torch

    if int(torch.bincount(labels, minlength=classes).min()) < LEAST:
        raise LabError(tr("Features of classes need {n} images of each class at least.", n=LEAST))
    if 2 * classes * features.shape[1] > LIMIT:
        raise LabError(tr("{n:,} classes are too many for their features to be kept.", n=classes))
    turn = torch.zeros(len(labels), dtype=torch.bool)
    for label in range(classes):
        turn[(labels == label).nonzero().flatten()[::2]] = True
    scores = torch.empty(len(labels))
    for half in (turn, ~turn):
        scores[half] = _directions(features[~half], labels[~half], classes).score(features[half])
    if not (scores.isfinite().all() and scores.std() > 1e-6):
        raise LabError(tr("The features are alike for all images, or are not numbers."))
    return _directions(features, labels, classes), scores


def read_prototypes(said: Any) -> Prototypes | None:
    """What `to_facts` made; None for what is not sound: files come from anywhere. `belong_to` is yet to be asked."""
    try:
        length, means = said["length"], _unpacked(said["means"])
        classes = said["classes"]
        if not (is_number(length, 1e-6, 1e9) and is_number(classes, 1, 1e6)):
            return None
        return Prototypes(means.reshape(int(classes), -1), float(length))
    except (ValueError, LookupError, TypeError, RuntimeError, binascii.Error):
        return None


def _directions(features: Tensor, labels: Tensor, classes: int) -> Prototypes:
    import torch
    from torch.nn.functional import normalize

    means = torch.stack([features[labels == label].mean(0) for label in range(classes)])
    length = features.norm(dim=1).mean().clamp_min(1e-6).item()
    return Prototypes(normalize(means, dim=1).half().float().numpy(), length)


def _unpacked(text: str) -> np.ndarray:
    if len(text) > 2 * LIMIT:
        raise ValueError
    numbers = np.frombuffer(base64.b64decode(text, validate=True), "<f2").astype(np.float32)
    if not np.isfinite(numbers).all():
        raise ValueError
    return numbers
