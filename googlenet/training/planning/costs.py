"""What a training costs by arithmetic alone: images, steps, PFLOP, bytes on disk. torch is imported late."""

from __future__ import annotations

import dataclasses
import functools
import math
import time
from dataclasses import dataclass

from googlenet.config import GoogLeNetConfig
from googlenet.data.datasets import classes_of, images_a_class
from googlenet.models.profile import profile_network
from googlenet.recipes import TrainConfig

PASSES = 3  # forward, and two of its size backward: with respect to the inputs and to the weights
ROWS, ROW_BYTES, EPOCH_BYTES, OTHER_BYTES = 25, 90, 220, 100_000  # of steps.jsonl; of metrics.csv and log; the rest
RECOUNT = 30.0  # seconds
HEADER_BYTES, STATE_BYTES = 115, 380  # about each tensor in a weights file and in a resume.pt


@dataclass(frozen=True)
class Costs:
    """`images` are trained on, `held_out` judged on; `disk` is in bytes, at the end of the training."""

    images: int
    held_out: int
    steps_per_epoch: int
    steps: int
    pflop: float
    disk: int


@dataclass(frozen=True)
class _Sizes:
    """Of some tensors: their bytes, and how many they are."""

    numbers: int
    tensors: int

    def with_each(self, more: int) -> int:
        """Bytes in a file that says `more` about each."""
        return self.numbers + more * self.tensors


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Of which a last batch of one image, which gives batch norm nothing to average, joins the one before it."""
    return max(1, math.ceil(images / batch_size) - (images % batch_size == 1))


def costs_of(config: TrainConfig) -> Costs:
    """The costs of `config`; raises `LabError` where its data is not there. Opens no image, downloads nothing.

    PFLOP are those of all training steps: 2 a multiply-add, and `PASSES` forward passes' worth a step. Of images that
    are there twice, a few more or less may be held out.
    """
    counts = _counts(config.data, time.monotonic() // RECOUNT)
    share = config.validation_fraction
    held_out = sum(min(max(1, round(count * share)), count - 1) for count in counts) if share else 0
    images = sum(counts) - held_out
    network = dataclasses.replace(config.network, num_classes=len(classes_of(config.data)))
    profile = profile_network(network)
    steps = steps_per_epoch(images, config.batch_size)
    flop = 2 * PASSES * (profile.macs + profile.aux_macs) * images * config.epochs
    disk = _disk(config, network, steps, judged=bool(held_out))
    return Costs(images, held_out, steps, steps * config.epochs, flop / 1e15, disk)


def _disk(config: TrainConfig, network: GoogLeNetConfig, steps: int, *, judged: bool) -> int:
    model, trained = _sizes_of(network)
    # Tensors beside each that is trained.
    gathered = {"adam": 2, "muon": 1, "sgd": int(config.momentum > 0)}[config.optimizer]
    state = (1 + bool(config.ema)) * model.with_each(STATE_BYTES) + gathered * trained.with_each(STATE_BYTES)
    weights = 1 + judged + len(config.checkpoint_epochs)  # last, best, and those asked for
    rows = config.epochs * (EPOCH_BYTES + ROW_BYTES * min(ROWS, steps))
    return weights * model.with_each(HEADER_BYTES) + 2 * state + rows + OTHER_BYTES  # the state before is kept too


@functools.lru_cache(maxsize=32)
def _counts(source: str, moment: float) -> tuple[int, ...]:
    """A folder's files are counted again after a while: a form asks at each key that is pressed."""
    return images_a_class(source)


@functools.lru_cache(maxsize=32)
def _sizes_of(network: GoogLeNetConfig) -> tuple[_Sizes, ...]:
    """Of everything a model keeps, and of what an optimizer changes in it."""
    import torch

    from googlenet.models.googlenet import GoogLeNet

    with torch.device("meta"):
        model = GoogLeNet(network)
    kept, changed = list(model.state_dict().values()), list(model.parameters())
    return tuple(_Sizes(sum(tensor.nbytes for tensor in tensors), len(tensors)) for tensors in (kept, changed))
