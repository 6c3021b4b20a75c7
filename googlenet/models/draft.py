"""A network being edited: what an edit makes of it, and what can be undone. No Gradio here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, Layer, LRNConfig, PoolConfig
from googlenet.errors import LabError, check_choice
from googlenet.language import mark, tr
from googlenet.models.presets import INCEPTIONS, PRESETS, preset, with_variants

REMEMBERED = 100  # steps back
KINDS = ("reduced", "naive")
REDUCTIONS = ("ch3x3red", "ch5x5red", "pool_proj")
SWITCHES = {"batch_norm": mark("batch norm"), "aux": mark("auxiliary heads"), "lrn": mark("local response norm")}
LRN_AFTER = {"lrn1": "maxpool1", "lrn2": "conv3"}  # Table 1 and figure 3 of the paper
# What can be set in a layer, by its kind.
FIELDS: dict[type, tuple[str, ...]] = {
    InceptionConfig: ("in_channels", "ch1x1", "ch3x3red", "ch3x3", "ch5x5red", "ch5x5", "pool_proj"),
    ConvConfig: ("in_channels", "out_channels", "kernel", "stride", "padding"),
    PoolConfig: ("kernel", "stride", "padding"),
    LRNConfig: ("size",),
}


@dataclass(frozen=True)
class Draft:
    """A network being edited. `keep` holds every `in_channels` to what arrives; `past` is what Undo goes back to."""

    config: GoogLeNetConfig
    keep: bool = True
    past: tuple[tuple[GoogLeNetConfig, bool], ...] = ()
    touched: str = ""  # the field last edited: typing 256 is one step back, not three

    def edited(self, config: GoogLeNetConfig, touched: str = "", *, keep: bool | None = None) -> Draft:
        """The draft with `config` in place, and a step to undo unless the same field was edited just before."""
        keep = self.keep if keep is None else keep
        if keep:
            config = config.rechained()
        if (config, keep) == (self.config, self.keep):
            return self
        same = touched and touched == self.touched
        past = self.past if same else (*self.past, (self.config, self.keep))[-REMEMBERED:]
        return Draft(config, keep, past, touched)

    def undone(self) -> Draft:
        """One step back; the same where there is none."""
        if not self.past:
            return self
        config, keep = self.past[-1]
        return Draft(config, keep, self.past[:-1])

    def layer(self, name: str) -> Layer:
        """The layer called `name`; `LabError` where there is none."""
        found = next((layer for layer in self.config.layers if layer.name == name), None)
        if found is None:
            said = tr("This network has no layer {name!r}: choose a row of the table.", name=str(name)[:40])
            raise LabError(said, "layers")
        return found

    def layer_or_first(self, name: str) -> Layer:
        """The layer called `name`, else the first Inception module, else the first layer."""
        known = {layer.name: layer for layer in self.config.layers}
        return known.get(name) or next(modules(self.config), self.config.layers[0])

    def with_layer(self, layer: Layer) -> Draft:
        """The draft with the layer of that name swapped. Setting `in_channels` itself ends `keep`."""
        old = self.layer(layer.name)
        touched = f"{layer.name} {[field for field, value in vars(layer).items() if value != getattr(old, field)]}"
        moved = getattr(layer, "in_channels", 0) != getattr(old, "in_channels", 0)
        layers = tuple(layer if known.name == layer.name else known for known in self.config.layers)
        config = dataclasses.replace(self.config, layers=layers)
        return self.edited(config, touched, keep=self.keep and not moved)


def set_layer(layer: Layer, values: dict[str, Any]) -> Layer:
    """`layer` with the fields of its kind taken from `values`, which may hold more; `LabError` for one out of range.

    A module also takes `kind`, one of `KINDS`, and `variant`, a key of `CH5X5_VARIANTS`; naive drops the reductions.
    """
    chosen = {field: values[field] for field in FIELDS[type(layer)]}
    if not isinstance(layer, InceptionConfig):
        return dataclasses.replace(layer, **chosen)
    naive = check_choice(values["kind"], "kind", KINDS) == "naive"
    if naive:
        chosen.update(dict.fromkeys(REDUCTIONS, 0))
    return dataclasses.replace(layer, naive=naive, **chosen).with_ch5x5(values["variant"])


def set_whole(config: GoogLeNetConfig, input_size: Any, num_classes: Any) -> GoogLeNetConfig:
    """`config` for images of that side and that many classes, its auxiliary heads fitted to the new maps."""
    sized = dataclasses.replace(config, input_size=input_size, num_classes=num_classes)
    if not config.aux or sized.input_size == config.input_size:
        return sized
    return with_variants(dataclasses.replace(sized, aux=()), aux_heads=True)


def set_switches(config: GoogLeNetConfig, variant: str | None, on: list[str]) -> GoogLeNetConfig:
    """`config` with the 5×5 branch `variant` in every module (None: as they are) and just these `SWITCHES` on."""
    for name in on:
        check_choice(name, "switch", tuple(SWITCHES))
    changed = with_variants(config, ch5x5=variant, batch_norm="batch_norm" in on, aux_heads="aux" in on)
    if ("lrn" in on) == ("lrn" in switches(config)):
        return changed
    layers: list[Layer] = [layer for layer in changed.layers if not isinstance(layer, LRNConfig)]
    if "lrn" in on:
        if getattr(layers[0], "kernel", 0) != 7 or not set(LRN_AFTER.values()) <= {layer.name for layer in layers}:
            said = tr("Local response normalisation belongs to the original stem: start from imagenet.")
            raise LabError(said, "layers")
        for name, after in LRN_AFTER.items():
            layers.insert([layer.name for layer in layers].index(after) + 1, LRNConfig(name))
    return dataclasses.replace(changed, layers=tuple(layers))


def switches(config: GoogLeNetConfig) -> list[str]:
    """The keys of `SWITCHES` that are on."""
    on = {
        "batch_norm": config.batch_norm,
        "aux": bool(config.aux),
        "lrn": any(isinstance(layer, LRNConfig) for layer in config.layers),
    }
    return [name for name in SWITCHES if on[name]]


def modules(config: GoogLeNetConfig) -> Iterator[InceptionConfig]:
    """Its Inception modules in order."""
    return (layer for layer in config.layers if isinstance(layer, InceptionConfig))


def edited_layers(config: GoogLeNetConfig) -> list[str]:
    """The layers that are not those of the preset of its name, whatever channels arrive there."""
    if config.name not in PRESETS:
        return []
    known = {layer.name: layer for layer in preset(config.name).layers}
    return [layer.name for layer in config.layers if _alone(layer) != _alone(known.get(layer.name, layer))]


def _alone(layer: Layer) -> dict[str, Any]:
    return {"kind": type(layer), **vars(layer), "in_channels": 0}


def common_variant(config: GoogLeNetConfig) -> str | None:
    """The 5×5 branch that all modules share, None where they differ."""
    used = {layer.ch5x5_variant for layer in modules(config)}
    return used.pop() if len(used) == 1 else None


def spare_values(layer: InceptionConfig) -> dict[str, int]:
    """The reductions that a naive module would get back: the paper's for a module of that name, else 3a's."""
    known = INCEPTIONS.get(layer.name.removeprefix("inception"), INCEPTIONS["3a"])
    return {field: getattr(known, field) for field in REDUCTIONS}
