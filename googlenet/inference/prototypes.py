"""What features a network has for each of its classes: one mean direction a class, kept in the weights file's facts.

The means of the last layer's maps over their places are a picture's features. Those of pictures of a class lie in about
one direction; a picture of something else points elsewhere, and its features are shorter. Unlike logits, they keep what
label smoothing takes from logits. What they do not say of a picture, its textures do (textures.py): both are asked
together. All of it is fitted on images of the classes alone, never on images of other things.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from googlenet.config import GoogLeNetConfig
from googlenet.errors import LabError, is_number
from googlenet.inference.packed import pack, unpack
from googlenet.inference.textures import Textures, early_module, fit_textures, read_textures
from googlenet.language import tr
from googlenet.models.profile import profile_network

if TYPE_CHECKING:
    from torch import Tensor

    from googlenet.models.googlenet import GoogLeNet

LIMIT = 220_000  # bytes of all directions in a weights file, before base64 makes four thirds of them
LEAST = 4  # images of a class: half of them judge what the other half says
# Of the length, and of the textures' distance, both in deviations of the held-out images' scores: chosen on one half
# of 5,000 images of CIFAR-100, see benchmarks/RECIPES.md.
POWER, TEXTURES = 0.2, 0.2


@dataclass(frozen=True, eq=False)
class Prototypes:
    """The direction of each class's features, `means` float32 (classes, F), of length 1; and the usual `length`.

    `textures` are None in files of an older format, and where a network has too few modules.
    """

    means: np.ndarray  # of numpy, as the page reads what a file says before torch is loaded
    length: float
    textures: Textures | None = None

    def score(self, features: Tensor) -> Tensor:
        """What `pooled` gives (..., F + E), or its first F → (...), higher for pictures less like every class.

        1 − c · (|features| / length)^0.2, where c is the cosine of the features and the nearest class's direction; and
        the distance of the textures, times their share.
        """
        import torch

        last = features[..., : self.means.shape[1]].float()
        lengths = last.norm(dim=-1).clamp_min(1e-6)
        nearest = (last @ torch.from_numpy(self.means).to(last.device).T).amax(-1) / lengths
        score = 1 - nearest * (lengths / self.length) ** POWER
        if self.textures is None:
            return score
        return score + self.textures.share * self.textures.distance(features[..., self.means.shape[1] :])

    def to_facts(self) -> dict[str, Any]:
        """Plain JSON types; the directions as float16 in base64."""
        plain = {"classes": len(self.means), "length": self.length, "means": pack(self.means)}
        return plain if self.textures is None else {**plain, "textures": self.textures.to_facts()}

    def belong_to(self, network: GoogLeNetConfig) -> bool:
        """Whether the network has as many classes, and features of that width."""
        try:
            last, early = widths(network)
        except LabError:  # it does not fit together, whatever its file says
            return False
        fits = self.textures is None or len(self.textures.mean) == early
        return fits and self.means.shape == (network.num_classes, last)


def widths(network: GoogLeNetConfig) -> tuple[int, int]:
    """How many features `pooled` gives of the last layer, F, and of the early module, E."""
    layers, early = profile_network(network).by_layer(), early_module(network)
    return layers[network.layers[-1].name].out_shape[0], layers[early].out_shape[0] if early else 0


def pooled(model: GoogLeNet, x: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (N, classes) of images `x` (N, C, H, W), and their features, float32 (N, F + E).

    The features are the means over places of the last layer's maps, F, and then of the early module's, E.
    """
    import torch

    early, textures = early_module(model.config), []
    for layer in model.config.layers:
        x = getattr(model, layer.name)(x)
        if layer.name == early:
            textures.append(x.mean((2, 3), dtype=torch.float32))
    logits = model.fc(model.dropout(model.avgpool(x).flatten(1)))
    return logits, torch.cat([x.float().mean((2, 3)), *textures], dim=1)


def fit_prototypes(
    features: Tensor, labels: Tensor, classes: int, wide: int | None = None
) -> tuple[Prototypes, Tensor]:
    """Prototypes from what `pooled` gives (N, F + E) and labels (N,); and the scores (N,) of these images.

    `wide` is F; None is all. The scores are those of one half with what the other half says, and the other way round:
    an image is too near to a mean that it is part of. Raises `LabError` where a class has too few images, for too many
    classes, and where all features are alike.
    """
    import torch

    wide = features.shape[1] if wide is None else wide
    last, early = features[:, :wide].float(), features[:, wide:].float()
    if int(torch.bincount(labels, minlength=classes).min()) < LEAST:
        raise LabError(tr("Features of classes need {n} images of each class at least.", n=LEAST))
    if 2 * classes * last.shape[1] > LIMIT:
        raise LabError(tr("{n:,} classes are too many for their features to be kept.", n=classes))
    turn = torch.zeros(len(labels), dtype=torch.bool)
    for label in range(classes):
        turn[(labels == label).nonzero().flatten()[::2]] = True
    room = LIMIT - 2 * classes * last.shape[1]
    scores, distances = torch.empty(len(labels)), torch.full((len(labels),), torch.nan)
    for half in (turn, ~turn):
        scores[half] = _directions(last[~half], labels[~half], classes).score(last[half])
        textures = fit_textures(early[~half], room)
        if textures is not None:
            distances[half] = textures.distance(early[half])
    if not (scores.isfinite().all() and scores.std() > 1e-6):
        raise LabError(tr("The features are alike for all images, or are not numbers."))
    known, textures = _directions(last, labels, classes), fit_textures(early, room)
    if textures is None or not (distances.isfinite().all() and distances.std() > 1e-6):
        return known, scores
    share = (TEXTURES * scores.std() / distances.std()).item()
    return dataclasses.replace(known, textures=dataclasses.replace(textures, share=share)), scores + share * distances


def read_prototypes(said: Any) -> Prototypes | None:
    """What `to_facts` made; None for what is not sound: files come from anywhere. `belong_to` is yet to be asked."""
    try:
        length, means = said["length"], unpack(said["means"], LIMIT)
        classes = said["classes"]
        if not (is_number(length, 1e-6, 1e9) and is_number(classes, 1, 1e6)):
            return None
        textures = read_textures(said["textures"]) if "textures" in said else None
        if "textures" in said and textures is None:
            return None
        return Prototypes(means.reshape(int(classes), -1), float(length), textures)
    except (ValueError, LookupError, TypeError, RuntimeError):
        return None


def _directions(features: Tensor, labels: Tensor, classes: int) -> Prototypes:
    import torch
    from torch.nn.functional import normalize

    means = torch.stack([features[labels == label].mean(0) for label in range(classes)])
    length = features.norm(dim=1).mean().clamp_min(1e-6).item()
    return Prototypes(normalize(means, dim=1).half().float().numpy(), length)
