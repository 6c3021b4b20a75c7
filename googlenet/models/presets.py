"""The networks that have a name, as tables of layers (no torch needed).

A preset is data: `preset("cifar10").with_layer(InceptionConfig("inception3a", …))` is another network.
"""

from __future__ import annotations

import dataclasses

from googlenet.config import AuxConfig, ConvConfig, GoogLeNetConfig, InceptionConfig, Layer, LRNConfig, PoolConfig
from googlenet.errors import LabError
from googlenet.language import mark, tr
from googlenet.models.profile import profile_network

# Szegedy et al. 2015, Table 1: in → 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection.
INCEPTIONS: dict[str, InceptionConfig] = {
    row[0]: InceptionConfig(f"inception{row[0]}", *row[1:])
    for row in (
        ("3a", 192, 64, 96, 128, 16, 32, 32),
        ("3b", 256, 128, 128, 192, 32, 96, 64),
        ("4a", 480, 192, 96, 208, 16, 48, 64),
        ("4b", 512, 160, 112, 224, 24, 64, 64),
        ("4c", 512, 128, 128, 256, 24, 64, 64),
        ("4d", 512, 112, 144, 288, 32, 64, 64),
        ("4e", 528, 256, 160, 320, 32, 128, 128),
        ("5a", 832, 256, 160, 320, 32, 128, 128),
        ("5b", 832, 384, 192, 384, 48, 128, 128),
    )
}
# Section 5 of the paper: the auxiliary heads and the modules they sit on.
HEADS = {"aux1": "inception4a", "aux2": "inception4d"}
# The class note's example: a naive module on (192, 100, 100).
NOTE_EXAMPLE_SIZE = 100
NOTE_NAIVE = InceptionConfig.make_naive("naive", 192, 64, 128, 32)


def _stages(*names: str, torchvision: bool = False) -> list[Layer]:
    """Inception modules with the max pools that the paper puts between its stages."""
    layers: list[Layer] = []
    for before, name in zip((None, *names), names, strict=False):
        if before and before[0] != name[0]:
            layers.append(_pool(before[0], torchvision))
        layers.append(INCEPTIONS[name])
    return layers


def _pool(stage: str, torchvision: bool) -> PoolConfig:
    """The max pool after a stage; torchvision's round up instead of padding, and its fourth has a window of 2."""
    if not torchvision:
        return PoolConfig(f"maxpool{stage}")
    return PoolConfig(f"maxpool{stage}", 2 if stage == "4" else 3, padding=0, ceil_mode=True)


def _halved(module: InceptionConfig) -> InceptionConfig:
    """The module with half of each width; those of Table 1 are all even."""
    widths = ("in_channels", "ch1x1", "ch3x3red", "ch3x3", "ch5x5red", "ch5x5", "pool_proj")
    return dataclasses.replace(module, **{width: getattr(module, width) // 2 for width in widths})


def _original_stem(*, relu: bool, local_response_norm: bool, torchvision: bool = False) -> list[Layer]:
    """7×7 stride 2, pool, 1×1, 3×3, pool: 224×224 → 28×28; the note's has no activations."""
    norms = [LRNConfig("lrn1"), LRNConfig("lrn2")] if local_response_norm else []
    return [
        ConvConfig("conv1", 3, 64, 7, stride=2, padding=3, relu=relu),
        _pool("1", torchvision),
        *norms[:1],
        ConvConfig("conv2", 64, 64, 1, relu=relu),
        ConvConfig("conv3", 64, 192, 3, padding=1, relu=relu),
        *norms[1:],
        _pool("2", torchvision),
    ]


_SMALL_STEMS: dict[str, tuple[Layer, ...]] = {
    # No stride in the first convolution, so that the stages see 8, 4 and 2 pixels a side of 32×32.
    "cifar10": (
        ConvConfig("conv1", 3, 64, 3, padding=1),
        PoolConfig("maxpool1"),
        ConvConfig("conv2", 64, 64, 1),
        ConvConfig("conv3", 64, 192, 3, padding=1),
        PoolConfig("maxpool2"),
    ),
    # One pool less: 16, 8 and 4 pixels a side, at three times the arithmetic.
    "cifar10-medium": (
        ConvConfig("conv1", 3, 64, 3, padding=1),
        PoolConfig("maxpool1"),
        ConvConfig("conv2", 64, 64, 1),
        ConvConfig("conv3", 64, 192, 3, padding=1),
    ),
    # As that with half of all channels: a fourth of its arithmetic.
    "cifar10-narrow": (
        ConvConfig("conv1", 3, 32, 3, padding=1),
        PoolConfig("maxpool1"),
        ConvConfig("conv2", 32, 32, 1),
        ConvConfig("conv3", 32, 96, 3, padding=1),
    ),
    # One convolution and no pool: the stages see 32, 16 and 8 pixels a side, at twelve times the arithmetic.
    "cifar10-fine": (ConvConfig("conv1", 3, 192, 3, padding=1),),
}


TORCHVISION = "imagenet-torchvision"
OWN_CH5X5 = {TORCHVISION: "3x3"}  # what the 5×5 branches of a preset are made of, where it is no 5×5
PRESETS: dict[str, str] = {
    "imagenet": mark("the full network of the paper and the note, 224×224, 1000 classes"),
    TORCHVISION: mark("the full network as torchvision has it, whose published weights fit it"),
    "cifar10-truncated": mark("the note's CIFAR-10 network: the original stem, ends after 4e"),
    "cifar10": mark("batch norm, a stem for 32×32, all nine modules: the one to train on a CPU"),
    "cifar10-narrow": mark("modules of half the channels on maps of 16, 8 and 4 pixels: for an hour on a CPU"),
    "cifar10-medium": mark("the same modules on maps of 16, 8 and 4 pixels"),
    "cifar10-fine": mark("the same modules on maps of 32, 16 and 8 pixels: the one that ships trained"),
}


def preset(
    name: str,
    num_classes: int | None = None,
    *,
    batch_norm: bool | None = None,
    aux_heads: bool = False,
    ch5x5: str | None = None,
    local_response_norm: bool = False,
    dropout: float = 0.0,
    paper: bool = False,
) -> GoogLeNetConfig:
    """The network called `name` (a key of `PRESETS`).

    `paper=True` turns on what the paper has and the note leaves out: activations in the stem, local response
    normalisation, auxiliary heads on 4a and 4d, 40% dropout. `ch5x5` is a key of `CH5X5_VARIANTS`, None is the
    preset's own. Raises `LabError` for a name or an option that is not there.
    """
    if name not in PRESETS:
        given = {"name": str(name)[:40], "presets": ", ".join(PRESETS)}
        raise LabError(tr("There is no preset {name!r}: choose one of {presets}.", **given), "preset")
    torchvision = name == TORCHVISION
    if paper:
        aux_heads, local_response_norm, dropout = True, True, dropout or 0.4
    small = name in _SMALL_STEMS
    if local_response_norm and (small or torchvision):
        said = tr("Local response normalisation belongs to the original stem: {name} has batch norm.", name=name)
        raise LabError(said, "preset")
    if torchvision:
        dropout = dropout or 0.2
    truncated = name == "cifar10-truncated"
    stem = _SMALL_STEMS.get(name) or _original_stem(
        relu=paper or torchvision, local_response_norm=local_response_norm, torchvision=torchvision
    )
    stages = _stages(*INCEPTIONS, torchvision=torchvision)
    if name == "cifar10-narrow":
        stages = [_halved(layer) if isinstance(layer, InceptionConfig) else layer for layer in stages]
    if truncated:
        stages = [*_stages(*tuple(INCEPTIONS)[:7]), PoolConfig("maxpool4")]
    full = name in ("imagenet", TORCHVISION)
    network = GoogLeNetConfig(
        name=name,
        layers=(*stem, *stages),
        num_classes=num_classes if num_classes is not None else 1000 if full else 10,
        input_size=224 if full else 32,
        batch_norm=small or torchvision if batch_norm is None else batch_norm,
        average_pool=not truncated,
        dropout=dropout,
    )
    return with_variants(network, ch5x5=ch5x5 or OWN_CH5X5.get(name, "5x5"), aux_heads=aux_heads)


def with_variants(
    network: GoogLeNetConfig, *, ch5x5: str | None = None, batch_norm: bool | None = None, aux_heads: bool | None = None
) -> GoogLeNetConfig:
    """`network` with these switched for all of it; None leaves a switch as it is.

    `ch5x5` is a key of `CH5X5_VARIANTS`. `aux_heads=True` puts the paper's heads on 4a and 4d where the network has
    none yet; raises `LabError` where it lacks those modules.
    """
    changes = {}
    if ch5x5 is not None:
        modules = (layer.with_ch5x5(ch5x5) if isinstance(layer, InceptionConfig) else layer for layer in network.layers)
        changes["layers"] = tuple(modules)
    if batch_norm is not None:
        changes["batch_norm"] = batch_norm
    if aux_heads is not None:
        changes["aux"] = (network.aux or _heads(network)) if aux_heads else ()
    return dataclasses.replace(network, **changes)


def _heads(network: GoogLeNetConfig) -> tuple[AuxConfig, ...]:
    layers = {layer.name: layer for layer in network.layers if isinstance(layer, InceptionConfig)}
    missing = [after for after in HEADS.values() if after not in layers]
    if missing:
        first, second = HEADS.values()
        given = {"first": first, "second": second, "missing": missing[0]}
        raise LabError(tr("Auxiliary heads sit on {first} and {second}, but there is no {missing}.", **given), "aux")
    maps = profile_network(network.rechained()).by_layer()
    heads = []
    for name, after in HEADS.items():
        side = min(maps[after].out_shape[1:])
        # The paper's 5×5 window at stride 3 makes 4×4 of 14×14; a map under 5×5 is averaged to half its side.
        adaptive = 0 if side >= 5 else max(1, side // 2)
        heads.append(AuxConfig(name, after, layers[after].out_channels, adaptive=adaptive))
    return tuple(heads)
