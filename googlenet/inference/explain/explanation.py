"""One call that explains an answer: a class, or the difference of two, by a method of choice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image
from torch import Tensor

from googlenet.data.images import Source, read_image
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier, to_tensor
from googlenet.inference.explain import methods
from googlenet.inference.explain.score import Progress, Target, judged
from googlenet.inference.explain.trust import Trust, check_trust
from googlenet.language import tr

METHODS: dict[str, Callable[[Classifier, Tensor, Target, Progress | None], Tensor]] = {
    "occlusion": methods.occlusion,
    "grad-cam": methods.grad_cam,
    "integrated gradients": methods.integrated_gradients,
}
DEFAULT = "occlusion"  # the best of benchmarks/explanations.py


@dataclass(frozen=True, eq=False)
class Explanation:
    """What an answer rests on: `values`, float32 (H, W) of the pixels that the network saw, above 0 what speaks for
    `target` (or for it and not for `against`), below 0 what speaks against.

    `share` is the class's probability from 0 to 1, among the two where there is another. `picture` is the one given,
    `seen` the network's input. `trust` is None unless asked for; `seconds` is the time that the map took.
    """

    target: str
    against: str | None
    method: str
    share: float
    values: Tensor
    picture: Image.Image
    seen: Image.Image
    trust: Trust | None
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: all but the pictures."""
        return {
            "class": self.target,
            "against": self.against,
            "method": self.method,
            "share": self.share,
            "seconds": self.seconds,
            "map": [[round(value, 6) for value in row] for row in self.values.tolist()],
            "trust": self.trust and self.trust.to_dict(),
        }


def explain(
    classifier: Classifier,
    image: Source,
    target: str | int | None = None,
    against: str | int | None = None,
    method: str = DEFAULT,
    *,
    trust: bool = True,
    progress: Progress | None = None,
) -> Explanation:
    """Why `classifier` takes `image` for `target` (the likeliest class where none is named), and not for `against`.

    `progress` hears the share done and what is being done. Raises `LabError` for a picture that cannot be read, a class
    that the network does not know, and a method that is none of `METHODS`.
    """
    if method not in METHODS:
        sentence = tr(
            "There is no method {name!r}: choose one of {names}.", name=str(method)[:40], names=", ".join(METHODS)
        )
        raise LabError(sentence, "method")
    picture = read_image(image)
    seen = classifier.fit(picture)
    pixels = to_tensor(seen).contiguous()
    logits = judged(classifier, pixels[None])
    chosen = Target.of(classifier, int(logits.argmax()) if target is None else target, against)
    begun = time.perf_counter()
    values = METHODS[method](classifier, pixels, chosen, progress)
    seconds = time.perf_counter() - begun
    curves = check_trust(classifier, pixels, values, chosen, progress) if trust else None
    return Explanation(
        chosen.name, chosen.against_name, method, float(chosen.share(logits)[0]), values, picture, seen, curves, seconds
    )
