"""The commands of Build: profile and code. Every network is named, linked to or described in the same way."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from googlenet.cli.options import DEFAULT, AddCommand, read_text
from googlenet.config import CH5X5_VARIANTS, GoogLeNetConfig, InceptionConfig
from googlenet.errors import LabError
from googlenet.models.paper import TABLE_1
from googlenet.models.presets import PRESETS, preset, with_variants
from googlenet.models.profile import COUNTING, Profile, profile_network
from googlenet.models.profile.inspect import describe

PAPER_SIZE = 224  # the images of Table 1


def add_commands(command: AddCommand) -> None:
    """Give the command line `profile` and `code`."""
    sub = command("profile", _profile, "Print a network's layers with output shapes, parameters and multiply-adds.")
    add_network_options(sub)
    sub.add_argument("--size", type=int, help="height and width of the image (default: the network's own)")
    sub.add_argument("--batch", type=int, default=1, help=f"images, for the activation memory {DEFAULT}")
    sub.add_argument("--json", action="store_true", help="print JSON, with the paper's reasons")

    sub = command(
        "code", _code, "Print a network as PyTorch source that runs on its own, as JSON, or as a link's text."
    )
    add_network_options(sub)
    sub.add_argument("--module", metavar="NAME", help="only this Inception module, such as inception3a")
    sub.add_argument("--json", action="store_true", help="print the configuration as JSON, which --config reads")
    sub.add_argument("--link", action="store_true", help="print the text of a link, which can stand for PRESET")


def add_network_options(sub: argparse.ArgumentParser) -> None:
    """What `read_network` reads."""
    sub.add_argument("preset", metavar="PRESET", nargs="?", help=f"{', '.join(PRESETS)}, or the text of a link")
    sub.add_argument("--config", metavar="FILE", help="instead of PRESET: JSON, or a weights file; - reads stdin")
    sub.add_argument("--paper", action="store_true", help="with the paper's LRN, dropout and auxiliary heads")
    sub.add_argument("--ch5x5", choices=tuple(CH5X5_VARIANTS), help="what every 5×5 branch is made of")
    sub.add_argument("--batch-norm", action=argparse.BooleanOptionalAction, help="after every convolution")
    sub.add_argument("--aux-heads", action=argparse.BooleanOptionalAction, help="auxiliary classifiers on 4a and 4d")
    sub.add_argument("--naive", metavar="NAME", action="append", default=[], help="make this module naive; repeatable")


def read_network(options: argparse.Namespace) -> GoogLeNetConfig:
    """The network that the options describe; raises `LabError` where they do not."""
    from googlenet.models.formats.share import from_link_text

    if (options.preset is None) == (options.config is None):
        raise LabError("Name a PRESET, or give --config FILE instead.", "preset")
    if options.paper and options.preset not in PRESETS:
        raise LabError("--paper needs a PRESET: name one, or leave --paper out.", "paper")
    if options.config:
        network = _from_file(options.config)
    else:
        network = preset(options.preset, paper=True) if options.paper else from_link_text(options.preset)
    network = with_variants(network, ch5x5=options.ch5x5, batch_norm=options.batch_norm, aux_heads=options.aux_heads)
    for name in options.naive:
        module = _module(network, name)
        naive = InceptionConfig.make_naive(name, module.in_channels, module.ch1x1, module.ch3x3, module.ch5x5)
        network = network.with_layer(naive.with_ch5x5(module.ch5x5_variant))
    return network


def _from_file(file: str) -> GoogLeNetConfig:
    from googlenet.models.formats.share import from_json

    if file.endswith(".safetensors"):
        from googlenet.models.weights import read_info

        return read_info(Path(file)).network
    return from_json(read_text(file))


def _module(network: GoogLeNetConfig, name: str) -> InceptionConfig:
    modules = {layer.name: layer for layer in network.layers if isinstance(layer, InceptionConfig)}
    if name not in modules:
        raise LabError(f"{network.name} has no Inception module {name[:40]!r}: it has {', '.join(modules) or 'none'}.")
    return modules[name]


def _profile(options: argparse.Namespace) -> None:
    profile = profile_network(read_network(options), options.size, options.size, options.batch)
    lines = [json.dumps(describe(profile), ensure_ascii=False)] if options.json else _profile_lines(profile)
    print("\n".join(lines))


def _profile_lines(profile: Profile) -> Iterator[str]:
    line = "{:<24}{:>7}{:>7}{:>8}{:>12}{:>16}{:>13}{:>16}".format
    yield line("layer", "kernel", "stride", "padding", "in padding", "output", "parameters", "multiply-adds")
    for row in profile.rows:
        window = (row.kernel, row.stride, row.padding) if row.kernel else ("", "", "")
        seen = f"{row.padding_share:.1%}" if row.padding_share else ""
        shape = " × ".join(map(str, row.out_shape))
        yield line(row.name, *window, seen, shape, f"{row.params:,}", f"{row.macs:,}")
    yield line("total", "", "", "", "", "", f"{profile.params:,}", f"{profile.macs:,}")
    if profile.in_shape[1:] == (PAPER_SIZE, PAPER_SIZE):
        yield from _table_1_lines(profile)
    yield "In padding: how many of a window's taps, over all its places, see padding instead of the map."
    yield f"{profile.activation_bytes / 1e6:,.1f} MB of float32 outputs for a batch of {profile.batch}. {COUNTING}"


def _table_1_lines(profile: Profile) -> Iterator[str]:
    """The rows of the paper's Table 1 beside what is computed for the same layers."""
    layers = profile.by_layer()
    line = "{:<24}{:>13}{:>12}{:>16}{:>12}".format
    yield ""
    yield line("Table 1 of the paper", "parameters", "(quoted)", "multiply-adds", "(quoted)")
    for row in TABLE_1:
        here = [layers[name] for name in row.layers if name in layers]
        params, macs = sum(sums.params for sums in here), sum(sums.macs for sums in here)
        if here:
            yield line(" + ".join(row.layers), f"{params:,}", row.params, f"{macs:,}", row.ops)
    yield "Quoted figures are the paper's claims, without biases and for its channels; --json says why they differ."
    yield ""


def _code(options: argparse.Namespace) -> None:
    from googlenet.models.formats.codegen import to_source
    from googlenet.models.formats.share import to_json, to_link_text

    network = read_network(options)
    if options.module:
        if options.json or options.link:
            raise LabError("--json and --link describe a whole network: leave --module out.", "module")
        print(to_source(_module(network, options.module), batch_norm=network.batch_norm), end="")
    elif options.json:
        print(to_json(network), end="")
    else:
        print(to_link_text(network) if options.link else to_source(network).rstrip("\n"))
