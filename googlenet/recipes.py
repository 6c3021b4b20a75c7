"""A training, complete, as frozen data (`TrainConfig`), and the recipes that fill one in. No torch here."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from googlenet.config import DATA_SIZE, GoogLeNetConfig
from googlenet.errors import (
    LabError,
    check_choice,
    check_fields,
    check_flags,
    check_number,
    check_run_name,
    check_whole,
    store_whole,
)
from googlenet.language import mark, tr

MAX_EPOCHS = 100_000
OPTIMIZERS, SCHEDULES = ("sgd", "adam", "muon"), ("one-cycle", "triangle", "constant")


def check_device(name: Any) -> str:
    """Return `name` when a device may be called so, whether or not there is one here; else raise `LabError`."""
    if isinstance(name, str) and re.fullmatch(r"cuda:\d{1,2}", name):
        return name
    return check_choice(name, "device", ("auto", "cuda", "mps", "cpu"))


@dataclass(frozen=True)
class TrainConfig:
    """One training, complete: the same TrainConfig and seed give the same curve on the same device.

    Epochs are numbered from 0, as in the class note; `checkpoint_epochs` are those after which weights are kept.
    """

    run: str
    network: GoogLeNetConfig
    data: str = "cifar10"  # "cifar10", "shapes", or the path of an image folder
    recipe: str = "default"
    epochs: int = 10
    batch_size: int = 256
    lr: float = 0.2
    optimizer: Literal["sgd", "adam", "muon"] = "sgd"  # muon: of filters, with sgd for the rest
    momentum: float = 0.9
    weight_decay: float = 5e-4
    norm_decay: bool = False  # of biases and batch norm too
    schedule: Literal["one-cycle", "triangle", "constant"] = "one-cycle"
    warmup: float = 0.2  # share of the steps that the rate rises
    label_smoothing: float = 0.1
    logit_norm: float = 0.0  # what the loss divides logits of length 1 by (Wei et al. 2022); 0: logits as they are
    flip: bool = True
    crop_padding: int = 4
    cutout: int = 0  # side in pixels of a square that is blanked in each image (DeVries and Taylor 2017)
    whitening: bool = False  # the first convolution is not learned: principal directions of the images' patches
    dirac: bool = False  # 3×3 and 5×5 filters begin by passing their input on
    trivial_augment: bool = False  # one of fourteen changes to each image (Müller and Hutter 2021)
    cutmix: float = 0.0  # share of the images in which a rectangle is another's (Yun et al. 2019)
    normalize: bool = True  # by the training set's channel statistics; False: ToTensor only
    ema: float = 0.0  # decay per step of the averaged weights that are judged and kept; 0 keeps the weights themselves
    validation_fraction: float = 0.1
    # How images are held out: by what is in them, so that their order does not matter; earlier runs by position.
    split_by: Literal["content", "position"] = "content"
    checkpoint_epochs: tuple[int, ...] = ()
    seed: int = 0
    device: str = "auto"
    compiled: bool = False  # by torch.compile: a minute or two of compiling, which a long training on a GPU wins back
    deterministic: bool = False  # on a GPU too: bit-equal after a resume, and slower

    def __post_init__(self) -> None:
        check_run_name(self.run)
        if self.network.input_size != DATA_SIZE:
            sentence = tr(
                "{network} takes {side}×{side} images, but training images are {theirs}×{theirs}: choose cifar10, "
                "cifar10-fine or cifar10-truncated.",
                network=self.network.name,
                side=self.network.input_size,
                theirs=DATA_SIZE,
            )
            raise LabError(sentence, "network")
        if not isinstance(self.data, str) or not self.data:
            raise LabError(tr("data must be cifar10, shapes or the path of an image folder."), "data")
        store_whole(self, 1, MAX_EPOCHS, "epochs")
        store_whole(self, 1, 65_536, "batch_size")
        if self.batch_size == 1 and self.network.batch_norm:
            sentence = tr("batch size must be at least 2: {network} has batch norm.", network=self.network.name)
            raise LabError(sentence, "batch_size")
        check_number(self.lr, "lr", 0, 100, above=True)
        check_choice(self.optimizer, "optimizer", OPTIMIZERS)
        if self.optimizer == "muon" and not self.network.batch_norm:
            sentence = tr(
                "Muon needs batch norm, which {network} lacks: choose adam or sgd.", network=self.network.name
            )
            raise LabError(sentence, "optimizer")
        check_number(self.momentum, "momentum", 0, 0.9999)
        check_number(self.weight_decay, "weight_decay", 0, 1)
        check_choice(self.schedule, "schedule", SCHEDULES)
        check_number(self.warmup, "warmup", 0, 1)
        check_number(self.label_smoothing, "label_smoothing", 0, 0.9)
        store_whole(self, 0, 16, "crop_padding")
        store_whole(self, 0, DATA_SIZE, "cutout")
        check_number(self.cutmix, "cutmix", 0, 1)
        check_number(self.logit_norm, "logit_norm", 0, 10)
        check_number(self.ema, "ema", 0, 0.99999)
        check_number(self.validation_fraction, "validation_fraction", 0, 0.5)
        check_choice(self.split_by, "split_by", ("content", "position"))
        store_whole(self, 0, 2**31 - 1, "seed")
        check_device(self.device)
        check_flags(self, "flip", "normalize", "norm_decay", "whitening", "dirac", "compiled", "deterministic")
        check_flags(self, "trivial_augment")
        if not isinstance(self.checkpoint_epochs, (tuple, list)):
            raise LabError(tr("Checkpoint epochs are a list of whole numbers such as 299, 499."), "checkpoint_epochs")
        name, last = mark("A checkpoint epoch"), MAX_EPOCHS - 1
        kept = [check_whole(epoch, name, 0, last, field="checkpoint_epochs") for epoch in self.checkpoint_epochs]
        if max(kept, default=0) >= self.epochs:
            sentence = tr(
                "There is no epoch {epoch} to keep weights after: the last one is {last}.",
                epoch=max(kept),
                last=self.epochs - 1,
            )
            raise LabError(sentence, "checkpoint_epochs")
        object.__setattr__(self, "checkpoint_epochs", tuple(kept))

    def to_json(self) -> str:
        """The text of a run's config.json."""
        return json.dumps({**dataclasses.asdict(self), "network": self.network.to_dict()}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> TrainConfig:
        """Read what `to_json` wrote; raises `LabError` for anything else."""
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError) as error:
            sentence = tr("This training description is not JSON: copy it again, or start a new run.")
            raise LabError(sentence, "config") from error
        if isinstance(plain, dict):  # a run that does not say how it was split was split by position
            plain = {"split_by": "position", "checkpoint_epochs": [], **plain}
        plain = check_fields(cls, plain, tr("this training description"))
        if not isinstance(plain["checkpoint_epochs"], list):
            sentence = tr("This training description needs a list of checkpoint epochs, such as [299, 499].")
            raise LabError(sentence, "config")
        network = GoogLeNetConfig.from_dict(plain["network"])
        return cls(**{**plain, "network": network, "checkpoint_epochs": tuple(plain["checkpoint_epochs"])})


def parse_epochs(text: str | None) -> tuple[int, ...] | None:
    """Epochs as people write them, "299, 499" → (299, 499), "none" → (); nothing → None, which is up to the recipe."""
    if isinstance(text, str) and text.strip().lower() == "none":
        return ()
    parts = (text or "").replace(",", " ").split()
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        shown = " ".join(parts)[:40]
        sentence = tr("Checkpoint epochs are whole numbers such as 299, 499, not {shown!r}.", shown=shown)
        raise LabError(sentence, "checkpoint_epochs")
    return tuple(sorted({int(part) for part in parts})) or None


_SOONER = {"optimizer": "muon", "lr": 0.02, "whitening": True, "validation_fraction": 0.06}
# What a recipe sets over the defaults of `TrainConfig`. `full` made the network that ships, `best` goes on from it.
# `note` is the class note's training, to the letter: all 50,000 images, so no validation split.
RECIPES: dict[str, dict[str, Any]] = {
    "default": {},
    "quick": {**_SOONER, "epochs": 7},
    "hour": {**_SOONER, "epochs": 35, "batch_size": 512, "cutout": 8},  # 0.97 PFLOP
    "best": {
        "epochs": 360,
        "batch_size": 512,
        "lr": 0.4,
        "trivial_augment": True,
        "cutout": 16,
        "norm_decay": True,
        "ema": 0.999,
        "validation_fraction": 0.02,
    },
    "full": {"epochs": 100, "batch_size": 512, "lr": 0.4, "cutout": 16, "ema": 0.999, "validation_fraction": 0.05},
    "note": {
        "epochs": 1000,
        "batch_size": 2048,
        "lr": 1e-4,
        "optimizer": "adam",
        "weight_decay": 0.0,
        "schedule": "constant",
        "label_smoothing": 0.0,
        "flip": False,
        "crop_padding": 0,
        "normalize": False,
        "validation_fraction": 0.0,
        "checkpoint_epochs": (299, 499, 699, 899),
    },
}
# The network that a recipe is made for; the others are for `cifar10`.
NETWORKS = {
    "quick": "cifar10",
    "hour": "cifar10-narrow",
    "best": "cifar10-fine",
    "note": "cifar10-truncated",
}
# What a page calls a recipe, and what a run of it on CIFAR-10 with its own network takes and reached.
CALLED = {"quick": mark("quick look (10 min)"), "hour": mark("an hour"), "best": mark("best (GPU)")}
PROMISES: dict[str, str] = {
    "default": mark("Measured, with cifar10: 89.3% of the test images, 0.33 PFLOP."),
    "quick": mark("Measured, with cifar10: 89.8% of the test images, 0.24 PFLOP, 9 minutes on two quiet cores."),
    "hour": mark("Measured, with cifar10-narrow: 92.7% of the test images, 0.97 PFLOP, 45 minutes on two quiet cores."),
    "best": mark("About half an hour of an H100, 153 PFLOP. Its accuracy is not measured yet."),
    "full": mark("Measured, with cifar10-fine: 96.3% of the test images, 41 PFLOP, 8 minutes of an H100."),
    "note": mark("Measured: 61.5% of the test images after epoch 299, 57.8% after the last; 9 PFLOP."),
}
# SGD at such rates needs batch norm: without it, the loss stays where it starts.
_WITHOUT_BATCH_NORM = {"optimizer": "adam", "lr": 1e-3, "weight_decay": 0.0}


def recipe_values(recipe: str, network: GoogLeNetConfig) -> dict[str, Any]:
    """What `recipe` sets for `network`, by field of `TrainConfig`; fields it leaves at their default included."""
    check_choice(recipe, "recipe", tuple(RECIPES))
    fields = {f.name: f.default for f in dataclasses.fields(TrainConfig) if f.default is not dataclasses.MISSING}
    adapted = _WITHOUT_BATCH_NORM if recipe != "note" and not network.batch_norm else {}
    return {**fields, **RECIPES[recipe], **adapted, "recipe": recipe}


def make_train_config(run: str, network: GoogLeNetConfig, recipe: str = "default", **changes: Any) -> TrainConfig:
    """A `TrainConfig` from a recipe; `changes` that are None leave the recipe's value.

    A recipe's own checkpoint epochs beyond a shortened training are dropped, also where a form sends them back; epochs
    of the user's own are checked.
    """
    values = recipe_values(recipe, network)
    chosen = {**values, **{key: value for key, value in changes.items() if value is not None}}
    epochs = check_whole(chosen["epochs"], "epochs", 1, MAX_EPOCHS)
    own = values["checkpoint_epochs"]
    if isinstance(chosen["checkpoint_epochs"], (tuple, list)):
        chosen["checkpoint_epochs"] = [e for e in chosen["checkpoint_epochs"] if e not in own or e < epochs]
    return TrainConfig(run=run, network=network, **chosen)
