"""One walk through the training images: per channel the places that excite it most, and what it gives on average."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from googlenet.data.splits import Progress
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import BATCH
from googlenet.inference.inside.trace import walk
from googlenet.language import tr, trn

KEPT = 9  # images a channel
WARM_UP = 5  # seconds before the time left is guessed


@dataclass(eq=False)
class Strongest:
    """The `KEPT` images that excite each of C channels most, so far, and the sum of its map over all of them.

    `values` (kept, C) sink from row to row; of equal ones the image seen first comes first. `images` are numbers in the
    order seen, `places` y · width + x of the first maximum in the channel's map.
    """

    values: Tensor
    images: Tensor
    places: Tensor
    total: Tensor  # float64 (C,), on the CPU: not every device has the type
    seen: int = 0  # places, of all images together

    @classmethod
    def empty(cls, channels: int, device: torch.device) -> Strongest:
        """Before the first image."""
        none = torch.empty((0, channels), device=device)
        return cls(none, none.long(), none.long(), torch.zeros(channels, dtype=torch.float64))

    def add(self, maps: Tensor, first: int, *, tops: bool = True) -> None:
        """Take in the channel's maps (N, C, H, W) of the images `first`, `first` + 1, …; without `tops` their sum."""
        spread = maps.permute(0, 2, 3, 1).flatten(1, 2)  # (N, H·W, C): in place, as the fast network lays maps out
        self.total += spread.sum((0, 1), dtype=torch.float32).cpu()
        self.seen += spread.shape[0] * spread.shape[1]
        if not tops:
            return
        kept = len(self.values)
        values, chosen = torch.cat([self.values, spread.amax(1).float()]).sort(dim=0, descending=True, stable=True)
        self.values, chosen = values[:KEPT], chosen[:KEPT]
        rows, channels = (chosen >= kept).nonzero(as_tuple=True)
        old = chosen.where(chosen < kept, 0)
        images, places = (now.gather(0, old) if kept else torch.zeros_like(old) for now in (self.images, self.places))
        new = chosen[rows, channels] - kept
        images[rows, channels] = new + first
        places[rows, channels] = spread[new, :, channels].argmax(1)
        self.images, self.places = images, places


@dataclass(eq=False)
class Walked:
    """What a walk over N images has found: by layer the strongest and the means (float32 (C,)); and their features.

    `features` are float16 (N, F) of length 1: the last map's means over its places, which the average pool gives.
    """

    strongest: dict[str, Strongest] = field(default_factory=dict)
    means: dict[str, Tensor] = field(default_factory=dict)
    features: Tensor = field(default_factory=lambda: torch.empty(0))


@torch.inference_mode()
def walk_images(classifier: Classifier, images: Tensor, tops: set[str], progress: Progress | None = None) -> Walked:
    """What `classifier` makes of uint8 (N, 3, H, W): `tops` are the layers whose strongest images are wanted.

    As in evaluation it computes in the classifier's fast way. Raises `LabError` where the network gives no numbers.
    """
    layers = [layer.name for layer in classifier.info.network.layers]
    found: dict[str, Strongest] = {}
    features, count, batch = [], len(images), BATCH[classifier.device.type]
    begun = time.perf_counter()
    for first in range(0, count, batch):
        x = classifier.prepared(images[first : first + batch])
        last = x
        for name, maps in walk(classifier.fast_model, x):
            if name in layers:
                if name not in found:
                    found[name] = Strongest.empty(maps.shape[1], maps.device)
                found[name].add(maps, first, tops=name in tops)
                last = maps
        features.append(unit_features(last).half().cpu())
        done = min(first + batch, count)
        if progress:
            progress(done / count, _told(begun, done, count))
    walked = Walked(
        {name: all_of for name, all_of in found.items() if name in tops},
        {name: (all_of.total / all_of.seen).float() for name, all_of in found.items()},
        torch.cat(features),
    )
    numbers = [*walked.means.values(), *(all_of.values for all_of in walked.strongest.values()), walked.features]
    if not all(tensor.isfinite().all() for tensor in numbers):
        sentence = tr(
            "{name} computes what is no number (NaN), since its training diverged: choose an earlier epoch.",
            name=classifier.path.name,
        )
        raise LabError(sentence)
    return walked


def unit_features(maps: Tensor) -> Tensor:
    """float32 (N, F), each of length 1: the means of maps (N, F, H, W) over their places."""
    return F.normalize(maps.float().mean((2, 3)), dim=1)


def _told(begun: float, done: int, count: int) -> str:
    """How far the walk has come; with "about 3 minutes left", once there is something to tell it by."""
    spent = time.perf_counter() - begun
    if spent < WARM_UP or done == count:
        return tr("Looked at {done:,} of {count:,} images", done=done, count=count)
    seconds = spent * (count - done) / done
    if seconds < 60:
        left = max(5, round(seconds / 5) * 5)
        return tr("Looked at {done:,} of {count:,} images, about {n} seconds left", done=done, count=count, n=left)
    return trn(
        "Looked at {done:,} of {count:,} images, about {n} minute left",
        "Looked at {done:,} of {count:,} images, about {n} minutes left",
        round(seconds / 60),
        done=done,
        count=count,
    )
