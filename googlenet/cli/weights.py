"""The commands for a weights file: bring published ones here, and compute what its channels look for."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from googlenet.cli import options as shared
from googlenet.cli.options import AddCommand, progress_line

NETWORKS = ("imagenet",)


def add_commands(command: AddCommand) -> None:
    """Give the command line `index` and `fetch`."""
    text = (
        "Look through the training images once for what excites each channel most, and keep it beside the weights "
        "file, where the page finds it."
    )
    sub = command("index", _index, text)
    sub.add_argument("weights", metavar="FILE", type=Path, help="a .safetensors file of this lab")
    shared.data_option(sub)
    shared.device_option(sub)
    shared.json_option(sub)

    text = "Download the 1,000-class network: 50 MB, torchvision's weights for ImageNet, BSD licence."
    sub = command("fetch", _fetch, text)
    sub.add_argument("network", choices=NETWORKS, help="what to download")
    shared.checkpoints_option(sub)
    shared.json_option(sub)


def _index(options: argparse.Namespace) -> None:
    from googlenet.inference.index import compute_index, index_path
    from googlenet.models.weights import read_info

    read_info(options.weights)  # before minutes of loading
    index = compute_index(options.weights, options.data, device=options.device, progress=progress_line())
    path = index_path(options.weights)
    channels = sum(len(index.means[layer]) for layer in index.layers)
    about, size = index.about, path.stat().st_size
    answer = {"path": str(path), "bytes": size, "data": about.data, "images": about.count, "channels": channels}
    images = f"the {about.count:,} training images of {about.data}"
    line = f"{path}: what excites {channels:,} channels most among {images}, {size / 1e3:,.0f} kB"
    print(json.dumps(answer) if options.json else line)


def _fetch(options: argparse.Namespace) -> None:
    from googlenet.inference.imagenet import fetch
    from googlenet.models.weights import read_info

    path = fetch(options.checkpoints, progress_line())
    facts = read_info(path).facts
    line = f"{path}: {facts['quoted_accuracy']:.1%} quoted, {path.stat().st_size / 1e6:,.1f} MB, {facts['licence']}"
    print(json.dumps({"path": str(path), "facts": facts}) if options.json else line)
