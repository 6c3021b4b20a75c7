"""Networks to repair: what is wrong with one, in a sentence, and those in which one padding is too small."""

from __future__ import annotations

import dataclasses
import functools

from googlenet.config import ConvConfig, GoogLeNetConfig, InceptionConfig, Layer, PoolConfig, Problem
from googlenet.language import mark, tr
from googlenet.models.presets import preset
from googlenet.models.profile import profile_partly

STAGES = ("inception3a", "inception4a", "inception5a")


def gap(problem: Problem) -> str:
    """By how many channels a layer and what reaches it differ."""
    given = problem.given or 0
    wanted = problem.wanted
    numbers = {"layer": problem.layer, "wanted": wanted, "given": given, "n": abs(given - wanted)}
    if given > wanted:
        return tr("{layer} takes {wanted:,} channels and {given:,} reach it: {n:,} too many.", **numbers)
    return tr("{layer} takes {wanted:,} channels and {given:,} reach it: {n:,} too few.", **numbers)


def sides_differ(layer: str, found: int, meant: int) -> str:
    """By how many pixels a layer's map is not as large as it was meant to be."""
    numbers = {"layer": layer, "found": found, "meant": meant, "n": abs(meant - found)}
    if found < meant:
        text = mark("{layer} gives {found} × {found} pixels, {n} too few a side: {meant} × {meant} were meant.")
    else:
        text = mark("{layer} gives {found} × {found} pixels, {n} too many a side: {meant} × {meant} were meant.")
    return tr(text, **numbers)


@functools.cache
def mistaken() -> tuple[GoogLeNetConfig, ...]:
    """The paper's network with one padding too small, for every one that a stage's map shows."""
    whole = preset("imagenet")
    meant = sides(whole)
    padded = [layer for layer in whole.layers if isinstance(layer, ConvConfig | PoolConfig) and layer.padding]
    smaller = [dataclasses.replace(layer, padding=less) for layer in padded for less in range(layer.padding)]
    starts = [dataclasses.replace(whole, layers=_with(whole, layer)) for layer in smaller]
    return tuple(start for start in starts if any(sides(start)[stage] != meant[stage] for stage in STAGES))


def _with(network: GoogLeNetConfig, changed: Layer) -> tuple[Layer, ...]:
    return tuple(changed if layer.name == changed.name else layer for layer in network.layers)


def layer_of(network: GoogLeNetConfig, name: str) -> Layer | None:
    """The layer of that name, if there is one."""
    return next((layer for layer in network.layers if layer.name == name), None)


def module_of(network: GoogLeNetConfig, name: str) -> InceptionConfig:
    """The Inception module of that name."""
    layer = layer_of(network, name)
    assert isinstance(layer, InceptionConfig), name
    return layer


def sides(network: GoogLeNetConfig) -> dict[str, int]:
    """The height of every layer's map, up to the first layer that does not fit."""
    profile, _ = profile_partly(network)
    names = {layer.name for layer in network.layers}
    return {name: sums.out_shape[1] for name, sums in profile.by_layer().items() if name in names}
