"""Which parts of a picture an answer rests on, by covering them one after another.

Occlusion sensitivity (Zeiler and Fergus 2014, section 4.2): it needs no gradient, and on 32×32 pixels it is cheap and
means what it says. A map from the last module's activations would have 2×2 cells there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from googlenet.inference.classifier import Classifier

BATCH = 27  # covered pictures judged at once


@dataclass(frozen=True)
class Occlusion:
    """What covering does to the `probability` of the likeliest class, `label`.

    `drops`, float32 (H, W): how much the probability falls when a square over that pixel is covered, the mean over
    such squares; below 0 where it rises. `box` (left, top, right, bottom) is the square that costs most, and `covered`
    the probability without it.
    """

    label: str
    probability: float
    drops: np.ndarray
    box: tuple[int, int, int, int]
    covered: float


def occlude(classifier: Classifier, seen: Tensor, probabilities: Tensor) -> Occlusion:
    """Cover each square of a quarter of the side, half a square apart, with the training images' mean colour.

    `seen` is the network's input, uint8 (3, H, W), and `probabilities` (classes,) its answer to it. Squares reach over
    the edge, so that every pixel lies under the same number of them: 2 × 2.
    """
    size = seen.shape[-1]
    patch = max(2, size // 4)
    step = patch // 2
    colour = (torch.tensor(classifier.info.mean) * 255).round().clamp(0, 255).byte()[:, None, None]
    starts = range(-step, size, step)
    boxes = [
        (max(0, left), max(0, top), min(size, left + 2 * step), min(size, top + 2 * step))
        for top in starts
        for left in starts
    ]
    pictures = seen.repeat(len(boxes), 1, 1, 1)
    for picture, (left, top, right, bottom) in zip(pictures, boxes, strict=True):
        picture[:, top:bottom, left:right] = colour
    label = int(probabilities.argmax())
    whole = probabilities[label].item()
    shares = torch.cat([classifier.probabilities(batch)[:, label].cpu() for batch in pictures.split(BATCH)])
    covered = shares.tolist()
    drops = np.zeros((size, size), np.float32)
    for (left, top, right, bottom), share in zip(boxes, covered, strict=True):
        drops[top:bottom, left:right] += (whole - share) / 4
    least = int(np.argmin(covered))
    return Occlusion(classifier.info.classes[label], whole, drops, boxes[least], covered[least])
