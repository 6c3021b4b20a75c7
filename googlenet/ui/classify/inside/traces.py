"""The last pictures' ways through a network, kept so that stepping through it computes nothing again."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet.runs import Checkpoint

if TYPE_CHECKING:
    from googlenet.inference.classifier import Classifier
    from googlenet.inference.inside.trace import Trace

KEPT = 4  # some 2 MB each for 32×32 networks, 20 MB for 224×224


def traced(network: Classifier, checkpoint: Checkpoint, picture: Path) -> Trace:
    """The trace of the file `picture` through `network`, which is what `checkpoint` holds now."""
    seen = network.input_image(picture)
    return _traced(checkpoint.path, checkpoint.path.stat().st_mtime_ns, seen.tobytes(), seen.size)


@functools.lru_cache(maxsize=KEPT)
def _traced(weights: Path, written: int, pixels: bytes, size: tuple[int, int]) -> Trace:
    """`written` is when the weights were: another trace for a file that was replaced."""
    from PIL import Image

    from googlenet.inference.classifier import load_classifier, to_tensor
    from googlenet.inference.inside.trace import trace

    return trace(load_classifier(weights), to_tensor(Image.frombytes("RGB", size, pixels)).contiguous())
