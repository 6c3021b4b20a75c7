"""What a step makes smaller: cross entropy, of smoothed or mixed labels, or of logits of one length."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from googlenet.recipes import TrainConfig


def objective(logits: Tensor, labels: Tensor, config: TrainConfig) -> Tensor:
    """The mean over a batch of logits (n, classes); `labels` are (n,) or, of mixed images, shares (n, classes).

    With `logit_norm` the logits are first divided by their length and by it (Wei et al. 2022): then the length, which
    cross entropy would grow for whatever it has learned, stays free to tell the known from the unknown.
    """
    if config.logit_norm:
        logits = F.normalize(logits, dim=1) / config.logit_norm
    return F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)


def likeliest(labels: Tensor) -> Tensor:
    """The class (n,) of each image; of a mixed one that with the largest share."""
    return labels if labels.dim() == 1 else labels.argmax(1)
