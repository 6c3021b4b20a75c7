"""The account of an answer, for those who ask without the page: the exact ledger, and the effect of every branch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from googlenet.config import DATA_SIZE
from googlenet.data.datasets import Progress
from googlenet.data.images import Source
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier, to_tensor
from googlenet.inference.index import load_index
from googlenet.inference.inside.effects import Effects, branch_effects
from googlenet.inference.inside.ledger import Ledger, ledger
from googlenet.inference.inside.trace import trace
from googlenet.language import tr


@dataclass(frozen=True, eq=False)
class Account:
    """`effects` is None where the network has no index, whose means they need; `problem` says so, and what to do."""

    ledger: Ledger
    effects: Effects | None
    problem: str

    @property
    def sentence(self) -> str:
        """Which branch carried the answer, or why that cannot be said."""
        return self.effects.sentence if self.effects else self.problem

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        effects = self.effects and self.effects.to_dict()["effects"]
        return {"ledger": self.ledger.to_dict(), "effects": effects, "sentence": self.sentence}


def account_for(
    classifier: Classifier,
    image: Source,
    target: str = "",
    against: str = "",
    progress: Progress | None = None,
    *,
    file: str = "",
) -> Account:
    """Where the logit of the class `target` comes from, the likeliest if left out, or its lead over `against`.

    `image` is what `read_image` takes. `progress` hears the share done, and may raise to end it. `file` is what a
    command takes for the weights, their path if left out. Raises `LabError` for a picture that cannot be read and an
    unknown class.
    """
    pixels = to_tensor(classifier.input_image(image))
    traced = trace(classifier, pixels)
    label = target or next(iter(traced.probabilities))
    exact = ledger(classifier, traced, label, against or None)
    try:
        index = load_index(classifier.path)
        if index is None:
            return Account(exact, None, _how_to_make_one(classifier, file or str(classifier.path)))
        return Account(exact, branch_effects(classifier, pixels, label, index.means, against or None, progress), "")
    except LabError as error:  # a damaged index: the ledger needs none
        return Account(exact, None, str(error))


def _how_to_make_one(classifier: Classifier, file: str) -> str:
    name, side = classifier.path.name, classifier.info.network.input_size
    if side != DATA_SIZE:
        return tr(
            "{name} has no index, whose means tell what a branch says of this picture, and the lab has no images of "
            "{side} × {side} pixels to make one from.",
            name=name,
            side=side,
        )
    return tr(
        "{name} has no index, whose means tell what a branch says of this picture: make one with "
        "python -m googlenet index {file}.",
        name=name,
        file=file,
    )
