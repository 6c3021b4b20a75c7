"""GoogLeNet as torch runs it, built from a `GoogLeNetConfig`."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor, nn

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, Layer, LRNConfig, PoolConfig
from googlenet.errors import LabError
from googlenet.language import tr
from googlenet.models.blocks import AuxiliaryClassifier, ConvBlock, Inception, InceptionNaive, MaxPool
from googlenet.models.presets import preset
from googlenet.models.profile import profile_network


class GoogLeNetOutput(NamedTuple):
    """What a network with auxiliary heads gives while training: logits (N, classes), and one such tensor a head."""

    logits: Tensor
    aux: tuple[Tensor, ...]


def build_inception(config: InceptionConfig, *, batch_norm: bool = False) -> Inception | InceptionNaive:
    """The torch module that `config` describes."""
    options = {"batch_norm": batch_norm, "ch5x5_kernel": config.ch5x5_kernel, "ch5x5_convs": config.ch5x5_convs}
    kind = InceptionNaive if config.naive else Inception
    return kind(config.in_channels, *config.widths, **options)


def _build_layer(layer: Layer, *, batch_norm: bool) -> nn.Module:
    match layer:
        case InceptionConfig():
            return build_inception(layer, batch_norm=batch_norm)
        case ConvConfig():
            shape = {"kernel_size": layer.kernel, "stride": layer.stride, "padding": layer.padding}
            return ConvBlock(layer.in_channels, layer.out_channels, batch_norm=batch_norm, relu=layer.relu, **shape)
        case PoolConfig():
            return MaxPool(layer.kernel, layer.stride, layer.padding, ceil_mode=layer.ceil_mode)
        case LRNConfig():  # Krizhevsky's window and power; k = 1 as in the authors' Caffe model
            return nn.LocalResponseNorm(layer.size, alpha=1e-4, beta=0.75, k=1.0)


class GoogLeNet(nn.Module):
    """(N, 3, H, W) or (3, H, W) images → (N, classes) or (classes,) logits.

    While training, a network with auxiliary heads gives `GoogLeNetOutput`; otherwise the logits alone. Layers are
    attributes under their configured names (`inception3a`, `aux1`, `fc`), as in torchvision.
    """

    def __init__(self, config: GoogLeNetConfig) -> None:
        super().__init__()
        profile = profile_network(config)  # says where it does not fit together
        sizes = {name: layer.out_shape[1:] for name, layer in profile.by_layer().items()}
        self.config = config
        self._heads = {head.after: head.name for head in config.aux}
        taken = next((layer.name for layer in (*config.layers, *config.aux) if hasattr(self, layer.name)), None)
        if taken is not None:
            said = tr("{name!r} cannot name a layer: torch modules use that name, so choose another.", name=taken)
            raise LabError(said, "layers")
        for layer in config.layers:
            self.add_module(layer.name, _build_layer(layer, batch_norm=config.batch_norm))
        for head in config.aux:
            classifier = AuxiliaryClassifier(
                head.in_channels,
                config.num_classes,
                size=sizes[head.after],
                channels=head.channels,
                hidden=head.hidden,
                dropout=head.dropout,
                adaptive=head.adaptive,
                batch_norm=config.batch_norm,
            )
            self.add_module(head.name, classifier)
        self.avgpool = nn.AdaptiveAvgPool2d(1) if config.average_pool else nn.Identity()
        self.dropout: nn.Module = nn.Dropout(config.dropout)
        self.fc = nn.Linear(profile.rows[-1].in_channels, config.num_classes)

    @classmethod
    def from_preset(cls, name: str, num_classes: int | None = None, **options: Any) -> GoogLeNet:
        """The network that `googlenet.models.presets.preset` describes; same names and options."""
        return cls(preset(name, num_classes, **options))

    def forward(self, x: Tensor) -> Tensor | GoogLeNetOutput:
        if x.dim() not in (3, 4) or x.shape[-3] != self.config.in_channels:
            raise LabError(
                tr(
                    "GoogLeNet takes images of shape (N, {n}, H, W) or ({n}, H, W), not {given}.",
                    n=self.config.in_channels,
                    given=tuple(x.shape),
                )
            )
        batched = x.dim() == 4
        x = x if batched else x[None]
        aux = []
        for layer in self.config.layers:
            x = getattr(self, layer.name)(x)
            if self.training and layer.name in self._heads:
                aux.append(getattr(self, self._heads[layer.name])(x))
        x = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        if not batched:
            x, aux = x[0], [logits[0] for logits in aux]
        return GoogLeNetOutput(x, tuple(aux)) if aux else x
