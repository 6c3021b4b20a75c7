"""Why auxiliary heads: how much gradient each layer gets, with the heads and without them.

The paper's argument (Szegedy et al. 2015, section 5), and the class note's first idea: a deep network's gradient fades
on its way back, and a classifier in the middle feeds it again. Here one network takes its first steps on drawn shapes
twice, from the same weights on the same images; only the heads' part of the loss differs.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from googlenet.config import DATA_SIZE, GoogLeNetConfig
from googlenet.data.augment import normalize
from googlenet.data.shapes import CLASSES, draw_shapes
from googlenet.data.splits import Split
from googlenet.errors import LabError, check_whole
from googlenet.language import tr, trn
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.presets import with_variants
from googlenet.models.profile import FLOAT32_BYTES, profile_network

MAX_STEPS = 200
BATCH, IMAGES = 16, 512
RATE, MOMENTUM = 0.01, 0.9  # SGD, as in the paper: Adam would divide a faded gradient by its own size
MAX_MACS = 10_000_000_000  # of a step's forward pass: some seconds on a CPU
MAX_BYTES = 2 * 2**30


@dataclass(frozen=True)
class Gradients:
    """A batch's gradient before step `step` (0: at initialisation).

    `norms` holds the L2 norm over all weights of each layer that has some (conv1, inception3a, fc), in order, heads
    left out. `loss` is the final classifier's cross entropy alone.
    """

    step: int
    loss: float
    norms: dict[str, float]

    @property
    def fading(self) -> float:
        """How many times smaller the first layer's norm is than the last's."""
        first, *_, last = self.norms.values()
        return last / first if first else float("inf")


@dataclass(frozen=True)
class GradientComparison:
    """The same step of both networks."""

    without: Gradients
    with_heads: Gradients

    @property
    def step(self) -> int:
        """0: at initialisation."""
        return self.without.step

    @property
    def gains(self) -> dict[str, float]:
        """How many times larger each layer's norm is with the heads than without."""
        pairs = zip(self.without.norms.items(), self.with_heads.norms.values(), strict=True)
        return {layer: headed / plain if plain else float("inf") for (layer, plain), headed in pairs}

    @property
    def sentence(self) -> str:
        """What is to be seen, also where the heads do nothing."""
        first, gain = next(iter(self.gains.items()))
        known = {"first": first, "gain": about(gain)}
        if self.without.fading == float("inf"):
            if self.step == 0:
                return tr("At initialisation no gradient at all reaches {first} without the heads.", **known)
            return trn(
                "After {n} step no gradient at all reaches {first} without the heads.",
                "After {n} steps no gradient at all reaches {first} without the heads.",
                self.step,
                **known,
            )
        if self.without.fading < 10:
            if self.step == 0:
                return tr(
                    "At initialisation the gradient has not faded when it reaches {first}; with the heads it gets "
                    "about {gain}× as much as without.",
                    **known,
                )
            return trn(
                "After {n} step the gradient has not faded when it reaches {first}; with the heads it gets about "
                "{gain}× as much as without.",
                "After {n} steps the gradient has not faded when it reaches {first}; with the heads it gets about "
                "{gain}× as much as without.",
                self.step,
                **known,
            )
        known["fading"] = about(self.without.fading)
        if self.step == 0:
            return tr(
                "At initialisation {first} gets about {fading}× less gradient than the last layer; with the heads it "
                "gets about {gain}× as much as without.",
                **known,
            )
        return trn(
            "After {n} step {first} gets about {fading}× less gradient than the last layer; with the heads it gets "
            "about {gain}× as much as without.",
            "After {n} steps {first} gets about {fading}× less gradient than the last layer; with the heads it gets "
            "about {gain}× as much as without.",
            self.step,
            **known,
        )


def about(ratio: float) -> str:
    """A ratio of gradients as sure as one run is: 205,930 → 200,000, 46.3 → 46, 1.27 → 1.3."""
    digits = 2 if ratio < 100 else 1
    rounded = float(f"{ratio:.{digits}g}")
    return f"{rounded:,.0f}" if ratio >= 10 else f"{rounded:,.2g}"


def compare_heads(network: GoogLeNetConfig, steps: int = 20, seed: int = 0) -> Iterator[GradientComparison]:
    """Both networks side by side, one `GradientComparison` as soon as each step is computed: `steps` + 1 of them.

    Heads are put on 4a and 4d where `network` has none, and it gets the ten classes of the drawn shapes. Raises
    `LabError`, before the first step, for a network that takes other images, that has no place for heads or that is
    too large for a few seconds on a CPU.
    """
    both = [gradient_norms(network, steps, with_heads=heads, seed=seed) for heads in (False, True)]
    return (GradientComparison(*pair) for pair in zip(*both, strict=True))


def gradient_norms(
    network: GoogLeNetConfig, steps: int = 20, *, with_heads: bool = True, seed: int = 0
) -> Iterator[Gradients]:
    """One of the two networks of `compare_heads`, alone: `steps` + 1 `Gradients`, each as soon as it is computed.

    The same `seed` gives the same figures. The heads are there in any case, so that both networks start from the same
    weights; `with_heads=False` leaves them out of the loss.
    """
    steps, seed = check_whole(steps, "steps", 0, MAX_STEPS), check_whole(seed, "seed", 0, 2**31 - 1)
    return _train(_headed(network), steps, with_heads, seed)


def _headed(network: GoogLeNetConfig) -> GoogLeNetConfig:
    if (network.input_size, network.in_channels) != (DATA_SIZE, 3):
        sentence = tr(
            "{network} takes {side}×{side} images, but the drawn shapes have {pixels}×{pixels} pixels: choose a "
            "network for those.",
            network=network.name,
            side=network.input_size,
            pixels=DATA_SIZE,
        )
        raise LabError(sentence, "network")
    network = with_variants(dataclasses.replace(network, num_classes=len(CLASSES)), aux_heads=True)
    profile = profile_network(network, batch=BATCH)
    macs = BATCH * (profile.macs + profile.aux_macs)
    needed = 2 * profile.activation_bytes + 2 * 3 * FLOAT32_BYTES * profile.params  # weights, gradient, momentum; twice
    if macs > MAX_MACS or needed > MAX_BYTES:
        sentence = tr(
            "A step of {network} takes {macs:,.1f} G multiply-adds and {bytes:,.1f} GiB, more than the {most_macs:.0f} "
            "G and {most_bytes} GiB allowed here: lower its channels.",
            network=network.name,
            macs=macs / 1e9,
            bytes=needed / 2**30,
            most_macs=MAX_MACS / 1e9,
            most_bytes=MAX_BYTES // 2**30,
        )
        raise LabError(sentence, "network")
    return network


def _train(network: GoogLeNetConfig, steps: int, with_heads: bool, seed: int) -> Iterator[Gradients]:
    images, _, _ = draw_shapes(IMAGES, len(CLASSES), seed)
    with _seeded(seed):
        model = GoogLeNet(network).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    chosen = torch.Generator().manual_seed(seed)
    for step in range(steps + 1):
        batch = torch.randint(len(images.labels), (BATCH,), generator=chosen)
        optimizer.zero_grad()
        # The heads' dropout draws the same numbers in both networks, and none from the rest of the program.
        with _seeded(seed + step):
            loss = _backward(model, images, batch, with_heads)
        yield Gradients(step, loss, _norms(model))
        optimizer.step()


def _backward(model: GoogLeNet, images: Split, batch: Tensor, with_heads: bool) -> float:
    half = torch.full((3,), 0.5)
    output, labels = model(normalize(images.images[batch], half, half)), images.labels[batch]
    loss = total = F.cross_entropy(output.logits, labels)
    for logits in output.aux if with_heads else ():
        total = total + model.config.aux_weight * F.cross_entropy(logits, labels)
    if not torch.isfinite(total):
        sentence = tr("The loss is no longer a number: this network cannot be trained without batch norm.")
        raise LabError(sentence, "network")
    total.backward()
    return loss.item()


def _norms(model: GoogLeNet) -> dict[str, float]:
    norms = {}
    for name in (*(layer.name for layer in model.config.layers), "fc"):
        gradients = [parameter.grad for parameter in getattr(model, name).parameters()]
        if gradients:
            norms[name] = torch.nn.utils.get_total_norm(gradients).item()
    return norms


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Torch draws from `seed` inside, and goes on outside as if nothing had been drawn."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
