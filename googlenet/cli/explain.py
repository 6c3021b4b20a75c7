"""The command that explains an answer: which pixels, which branch, and how far the map can be trusted."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from googlenet.cli import options as shared
from googlenet.cli.options import AddCommand
from googlenet.errors import LabError

NAMES = ("occlusion", "grad-cam", "integrated gradients")


def add_commands(command: AddCommand) -> None:
    """Give the command line `explain`."""
    sub = command("explain", _explain, "Say which pixels and which branches of the network an answer rests on.")
    sub.add_argument("picture", metavar="FILE", type=Path, help="a picture")
    sub.add_argument("--class", dest="target", default=None, help="the class to explain (default: the likeliest)")
    sub.add_argument("--against", default=None, help="explain the class rather than this one")
    sub.add_argument("--method", default=NAMES[0], help=f"{', '.join(NAMES)} (default: {NAMES[0]})")
    sub.add_argument(
        "--checkpoint", default="", help="a weights file, or a name such as my-run/best (default: shipped)"
    )
    sub.add_argument("--out", type=Path, metavar="PNG", help="write the map over the picture to this file")
    shared.checkpoints_option(sub)
    shared.device_option(sub)
    shared.json_option(sub)


def _explain(options: argparse.Namespace) -> int:
    from googlenet.cli.text import account_lines  # imports torch
    from googlenet.inference.classifier import Classifier
    from googlenet.inference.explain import explain
    from googlenet.inference.explain.draw import over_picture
    from googlenet.inference.inside.account import account_for
    from googlenet.runs import find_checkpoint

    named = Path(options.checkpoint)
    weights = named if named.suffix == ".safetensors" else find_checkpoint(options.checkpoints, options.checkpoint).path
    classifier = Classifier(weights, options.device)
    found = explain(classifier, options.picture, options.target, options.against, options.method)
    if options.out:
        try:
            over_picture(found).save(options.out, "PNG")
        except OSError as error:
            raise LabError(f"{options.out} cannot be written: {error.strerror or error}.", "out") from error
    account = account_for(classifier, options.picture, found.target, found.against or "")
    if options.json:
        print(json.dumps({**found.to_dict(), "account": account.to_dict()}))
        return 0
    what = f"{found.target} rather than {found.against}" if found.against else found.target
    print(f"{what}: {found.share:.1%}, by {found.method}")
    if found.trust:
        areas = found.trust.areas
        for done, name in (("taken away", "deletion"), ("let appear", "insertion")):
            print(f"  {done} in the map's order: area {areas[name]:.2f}, at random {areas[f'random_{name}']:.2f}")
    print("\n".join(account_lines(account)))
    return 0
