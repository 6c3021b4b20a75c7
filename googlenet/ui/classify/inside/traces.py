"""The last pictures' ways through a network, kept so that stepping through it computes nothing again."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet.runs import Checkpoint

if TYPE_CHECKING:
    from googlenet.inference.classifier import Classifier
    from googlenet.inference.inside.trace import Trace

KEPT = 4  # some 2 MB each for 32×32 networks, 20 MB for 224×224


def traced(network: Classifier, checkpoint: Checkpoint, picture: Path) -> Trace:
    """The trace of the file `picture` through `network`, which is what `checkpoint` holds now."""
    from googlenet.inference.classifier import to_tensor

    pixels = to_tensor(network.input_image(picture)).contiguous()
    content = hashlib.sha256(pixels.numpy().tobytes()).hexdigest()
    return _traced(_Asked(network, pixels, (checkpoint.path, checkpoint.path.stat().st_mtime_ns, content)))


class _Asked:
    """What a trace is made from; two are the same when their `key` is."""

    def __init__(self, network: Classifier, pixels: object, key: tuple[object, ...]) -> None:
        self.network, self.pixels, self.key = network, pixels, key

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self.key == other.key


@functools.lru_cache(maxsize=KEPT)
def _traced(asked: _Asked) -> Trace:
    from googlenet.inference.inside.trace import trace

    return trace(asked.network, asked.pixels)  # type: ignore[arg-type]
