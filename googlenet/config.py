"""Every network a user can describe, as frozen data: what is allowed, and the sentence for what is not.

A network is an ordered table of layers plus a head (`GoogLeNetConfig`); trainings are in recipes.py.
Nothing here imports torch, so a form can be checked without waiting for it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

from googlenet.errors import LabError, check_choice, check_fields, check_flags, check_number, store_whole
from googlenet.language import tr

MAX_CHANNELS = 4096
MAX_SIZE = 1024
MAX_LAYERS = 500
MAX_BATCH = 4096
DATA_SIZE = 32  # pixels a side of the images in a data set


@dataclass(frozen=True)
class ConvConfig:
    """A convolution of the stem, with torchvision's name."""

    name: str
    in_channels: int
    out_channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    relu: bool = True  # the note's stem has no activation

    def __post_init__(self) -> None:
        store_whole(self, 1, MAX_CHANNELS, "in_channels", "out_channels", prefix=self.name)
        store_whole(self, 1, 15, "kernel", prefix=self.name)
        store_whole(self, 1, 8, "stride", prefix=self.name)
        store_whole(self, 0, 7, "padding", prefix=self.name)
        check_flags(self, "relu")


@dataclass(frozen=True)
class PoolConfig:
    """A max pool between stages."""

    name: str
    kernel: int = 3
    stride: int = 2
    padding: int = 1
    ceil_mode: bool = False  # torchvision and Caffe round up, the note rounds down and pads

    def __post_init__(self) -> None:
        store_whole(self, 1, 15, "kernel", prefix=self.name)
        store_whole(self, 1, 8, "stride", prefix=self.name)
        store_whole(self, 0, self.kernel // 2, "padding", prefix=self.name)
        check_flags(self, "ceil_mode")


@dataclass(frozen=True)
class LRNConfig:
    """Local response normalisation over `size` channels (Krizhevsky et al. 2012, section 3.3), in the paper's stem."""

    name: str
    size: int = 5

    def __post_init__(self) -> None:
        store_whole(self, 1, 63, "size", prefix=self.name)


# What the 5×5 branch is made of: (ch5x5_kernel, ch5x5_convs).
CH5X5_VARIANTS = {"5x5": (5, 1), "3x3": (3, 1), "two 3x3": (3, 2)}


@dataclass(frozen=True)
class InceptionConfig:
    """The channels of one Inception module (Szegedy et al. 2015, figure 2), in torchvision's words.

    A naive module has no reductions and no pool projection: leave `ch3x3red`, `ch5x5red` and `pool_proj` at 0.
    The 5×5 branch has three variants (`CH5X5_VARIANTS`): the paper's 5×5, torchvision's single 3×3, and Inception v2's
    two 3×3 in a row, ch5x5red → ch5x5 → ch5x5 channels, which see what one 5×5 sees.
    """

    name: str
    in_channels: int
    ch1x1: int
    ch3x3red: int
    ch3x3: int
    ch5x5red: int
    ch5x5: int
    pool_proj: int
    naive: bool = False
    ch5x5_kernel: int = 5
    ch5x5_convs: int = 1

    def __post_init__(self) -> None:
        check_flags(self, "naive")
        widths = ["in_channels", "ch1x1", "ch3x3", "ch5x5"]
        reductions = ["ch3x3red", "ch5x5red", "pool_proj"]
        checked = widths if self.naive else widths + reductions
        store_whole(self, 1, MAX_CHANNELS, *checked, prefix=self.name)
        if self.naive and any(getattr(self, width) for width in reductions):
            sentence = tr("{name} is naive, so ch3x3red, ch5x5red and pool_proj must be 0.", name=self.name)
            raise LabError(sentence, "ch3x3red")
        store_whole(self, 3, 5, "ch5x5_kernel", prefix=self.name)
        store_whole(self, 1, 2, "ch5x5_convs", prefix=self.name)
        if (self.ch5x5_kernel, self.ch5x5_convs) not in CH5X5_VARIANTS.values():
            raise LabError(
                tr(
                    "{name} can have one 5×5 (the paper), one 3×3 (torchvision) or two 3×3 (Inception v2) in its 5×5 "
                    "branch: ch5x5_kernel, ch5x5_convs must be 5, 1 or 3, 1 or 3, 2.",
                    name=self.name,
                ),
                "ch5x5_kernel",
            )

    @classmethod
    def make_naive(cls, name: str, in_channels: int, ch1x1: int, ch3x3: int, ch5x5: int) -> InceptionConfig:
        """A module without reductions: its pool branch passes all `in_channels` on."""
        return cls(name, in_channels, ch1x1, 0, ch3x3, 0, ch5x5, 0, naive=True)

    @property
    def widths(self) -> tuple[int, ...]:
        """The channels of its convolutions in the order in which the modules of blocks.py take them."""
        reduced = (self.ch1x1, self.ch3x3red, self.ch3x3, self.ch5x5red, self.ch5x5, self.pool_proj)
        return (self.ch1x1, self.ch3x3, self.ch5x5) if self.naive else reduced

    @property
    def branch_channels(self) -> tuple[int, int, int, int]:
        """What each branch (1×1, 3×3, 5×5, pool) adds to the concatenation."""
        return self.ch1x1, self.ch3x3, self.ch5x5, self.in_channels if self.naive else self.pool_proj

    @property
    def out_channels(self) -> int:
        """Channels after the concatenation."""
        return sum(self.branch_channels)

    @property
    def ch5x5_variant(self) -> str:
        """The key of `CH5X5_VARIANTS` that the 5×5 branch is."""
        return next(name for name, sizes in CH5X5_VARIANTS.items() if sizes == (self.ch5x5_kernel, self.ch5x5_convs))

    def with_ch5x5(self, variant: str) -> InceptionConfig:
        """The module with the 5×5 branch of `variant`, a key of `CH5X5_VARIANTS`; its channels stay."""
        kernel, convs = CH5X5_VARIANTS[check_choice(variant, "ch5x5", tuple(CH5X5_VARIANTS))]
        return dataclasses.replace(self, ch5x5_kernel=kernel, ch5x5_convs=convs)


@dataclass(frozen=True)
class AuxConfig:
    """An auxiliary classifier (Szegedy et al. 2015, section 5) on the output of the layer `after`."""

    name: str
    after: str
    in_channels: int
    channels: int = 128
    hidden: int = 1024
    dropout: float = 0.7
    adaptive: int = 0  # 0: the paper's 5×5 average pool at stride 3; n: average to n×n, for maps under 5×5

    def __post_init__(self) -> None:
        store_whole(self, 1, MAX_CHANNELS, "in_channels", "channels", "hidden", prefix=self.name)
        store_whole(self, 0, 16, "adaptive", prefix=self.name)
        check_number(self.dropout, f"{self.name} dropout", 0, 0.95)


Layer = ConvConfig | PoolConfig | LRNConfig | InceptionConfig
_LAYER_KINDS: dict[str, type] = {"conv": ConvConfig, "pool": PoolConfig, "lrn": LRNConfig, "inception": InceptionConfig}
_KIND_NAMES = {cls: kind for kind, cls in _LAYER_KINDS.items()}
TAKEN = ("avgpool", "dropout", "fc")  # parts of every network


@dataclass(frozen=True)
class Problem:
    """Why a network does not fit together: what the setting `field` of `layer` wants, and what it is given.

    Both are channels where `field` is in_channels; in a map too small for a window they are pixels a side.
    """

    layer: str
    field: str
    wanted: int
    given: int | None  # None: the layer that a head sits on is missing
    sentence: str


@dataclass(frozen=True)
class GoogLeNetConfig:
    """A whole network: layers in order, then average pool, dropout and one linear layer.

    Convolutions carry a bias exactly when there is no batch norm. `average_pool=False` flattens the last map
    instead, which ties the network to `input_size`.
    """

    name: str
    layers: tuple[Layer, ...]
    num_classes: int
    input_size: int
    batch_norm: bool = False
    average_pool: bool = True
    dropout: float = 0.0
    aux: tuple[AuxConfig, ...] = ()
    aux_weight: float = 0.3  # of each auxiliary loss, as in the paper
    in_channels: int = 3

    def __post_init__(self) -> None:
        store_whole(self, 1, 100_000, "num_classes")
        store_whole(self, 1, MAX_SIZE, "input_size")
        store_whole(self, 1, MAX_CHANNELS, "in_channels")
        check_number(self.dropout, "dropout", 0, 0.95)
        check_number(self.aux_weight, "aux_weight", 0, 10)
        check_flags(self, "batch_norm", "average_pool")
        if not isinstance(self.name, str) or not 1 <= len(self.name) <= 80 or not self.name.isprintable():
            sentence = tr("A network's name is 1 to 80 printable characters, not {name!r}.", name=str(self.name)[:80])
            raise LabError(sentence, "name")
        names = [layer.name for layer in (*self.layers, *self.aux)]
        if not self.layers or len(set(names)) != len(names):
            raise LabError(tr("A network needs at least one layer, and every layer a different name."), "layers")
        if len(names) > MAX_LAYERS:  # a description may come from a stranger's file
            sentence = tr("A network has at most {most} layers, not {n:,}.", most=MAX_LAYERS, n=len(names))
            raise LabError(sentence, "layers")
        if len({head.after for head in self.aux}) != len(self.aux):
            raise LabError(tr("A layer takes at most one auxiliary head."), "aux")
        clash = next((name for name in names if not name.isidentifier() or name in TAKEN or iskeyword(name)), None)
        if clash is not None:
            sentence = tr("{name!r} cannot name a layer: use letters, digits and underscores.", name=clash[:40])
            raise LabError(sentence, "layers")

    def problems(self) -> list[Problem]:
        """Every place where channels do not meet, in the order of the layers, then of the heads; none when all do."""
        found, given, before, channels = [], {}, tr("the image"), self.in_channels
        for layer in self.layers:
            wanted = getattr(layer, "in_channels", channels)
            if wanted != channels:
                sentence = tr(
                    "{layer} expects {wanted:,} channels but {before} gives {given:,}: "
                    "set its channels in to {given:,}.",
                    layer=layer.name,
                    wanted=wanted,
                    before=before,
                    given=channels,
                )
                found.append(Problem(layer.name, "in_channels", wanted, channels, sentence))
            channels = given[layer.name] = getattr(layer, "out_channels", channels)
            before = layer.name
        for head in self.aux:
            channels = given.get(head.after)
            if channels != head.in_channels:
                said = {"head": head.name, "wanted": head.in_channels, "after": head.after, "given": channels}
                if channels is None:
                    sentence = tr("{head} expects {wanted:,} channels but {after} is not in the network.", **said)
                else:
                    sentence = tr("{head} expects {wanted:,} channels but {after} gives {given:,}.", **said)
                field = "after" if channels is None else "in_channels"
                found.append(Problem(head.name, field, head.in_channels, channels, sentence))
        return found

    def check_channels(self) -> None:
        """Raise `LabError` for the first of the `problems`."""
        for problem in self.problems():
            raise LabError(problem.sentence, problem.layer)

    def rechained(self) -> GoogLeNetConfig:
        """The same network with every `in_channels` set to what arrives there."""
        channels, layers, given = self.in_channels, [], {}
        for layer in self.layers:
            layers.append(dataclasses.replace(layer, in_channels=channels) if hasattr(layer, "in_channels") else layer)
            channels = given[layer.name] = getattr(layers[-1], "out_channels", channels)
        aux = tuple(dataclasses.replace(h, in_channels=given[h.after]) for h in self.aux if h.after in given)
        return dataclasses.replace(self, layers=tuple(layers), aux=aux)

    def with_layer(self, layer: Layer) -> GoogLeNetConfig:
        """The network with the layer of that name swapped and the channels after it adjusted."""
        if layer.name not in {known.name for known in self.layers}:
            raise LabError(tr("{name} has no layer {layer!r}.", name=self.name, layer=layer.name), "layers")
        swapped = tuple(layer if known.name == layer.name else known for known in self.layers)
        return dataclasses.replace(self, layers=swapped).rechained()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; `from_dict` is the inverse."""
        plain = dataclasses.asdict(self)
        plain["layers"] = [{"kind": _KIND_NAMES[type(layer)], **dataclasses.asdict(layer)} for layer in self.layers]
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any], *, chained: bool = True) -> GoogLeNetConfig:
        """Read what `to_dict` wrote; raises `LabError` for anything else, and when `chained` for its `problems`."""
        check_fields(cls, plain, tr("this network description"))
        layers = tuple(
            _layer(row, tr("layer {number} of this network description", number=number))
            for number, row in enumerate(_rows(plain, "layers"), 1)
        )
        aux = tuple(
            AuxConfig(**check_fields(AuxConfig, row, tr("head {number} of this network description", number=number)))
            for number, row in enumerate(_rows(plain, "aux"), 1)
        )
        config = cls(**{**plain, "layers": layers, "aux": aux})
        if chained:
            config.check_channels()
        return config


def _rows(plain: dict[str, Any], name: str) -> Sequence[Any]:
    rows = plain.get(name, ())
    if not isinstance(rows, list | tuple):
        given = str(rows)[:40]
        raise LabError(
            tr("The {name} of this network description must be a list, not {given}.", name=name, given=given), "network"
        )
    return rows


def _layer(row: Any, what: str) -> Layer:
    kind = row.get("kind") if isinstance(row, dict) else "conv"  # check_fields says what it is instead
    if not isinstance(kind, str) or kind not in _LAYER_KINDS:
        kinds = ", ".join(_LAYER_KINDS)
        given = str(kind)[:40]
        raise LabError(
            tr("The kind of {what} must be one of {kinds}, not {given}.", what=what, kinds=kinds, given=given),
            "network",
        )
    fields = {name: value for name, value in row.items() if name != "kind"} if isinstance(row, dict) else row
    return _LAYER_KINDS[kind](**check_fields(_LAYER_KINDS[kind], fields, what))
