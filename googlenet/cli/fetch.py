"""The command that brings published weights here."""

from __future__ import annotations

import argparse
import json

from googlenet.cli import options as shared
from googlenet.cli.options import AddCommand, progress_line

NETWORKS = ("imagenet",)


def add_commands(command: AddCommand) -> None:
    """Give the command line `fetch`."""
    text = "Download the 1,000-class network: 50 MB, torchvision's weights for ImageNet, BSD licence."
    sub = command("fetch", _fetch, text)
    sub.add_argument("network", choices=NETWORKS, help="what to download")
    shared.checkpoints_option(sub)
    shared.json_option(sub)


def _fetch(options: argparse.Namespace) -> None:
    from googlenet.inference.imagenet import fetch
    from googlenet.models.weights import read_info

    path = fetch(options.checkpoints, progress_line())
    facts = read_info(path).facts
    line = f"{path}: {facts['quoted_accuracy']:.1%} quoted, {path.stat().st_size / 1e6:,.1f} MB, {facts['licence']}"
    print(json.dumps({"path": str(path), "facts": facts}) if options.json else line)
