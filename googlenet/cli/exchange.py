"""The steps of `runs` that are about several runs, or about the world outside: compare, export, bring."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from googlenet.errors import LabError


def take(options: argparse.Namespace, least: int, most: int) -> None:
    """Do the step and say what was done."""
    step, words = options.step, options.words
    if not least <= len(words) <= most:
        raise LabError(f"runs {step} takes {least if least == most else f'{least} to {most}'} word(s) after it.")
    {"compare": _compare, "export": _export, "bring": _bring}[step](options)


def _compare(options: argparse.Namespace) -> None:
    from googlenet.runs import Run
    from googlenet.runs.comparison import compare, mean_and_spread

    runs = [Run(options.checkpoints, name) for name in dict.fromkeys(options.words)]
    for run in runs:
        if not run.exists():
            run.config()  # says that there is none
    groups, differ = compare(runs)
    best = {}
    for run in runs:
        known = [row["Validation accuracy"] for row in run.metrics() if row["Validation accuracy"] is not None]
        best |= {run.name: max(known)} if known else {}
    found = []
    for group in groups:
        values = [best[name] for name in group.runs if name in best]
        mean, spread = mean_and_spread(values) if values else (None, None)
        found.append({"runs": group.runs, "seeds": group.seeds, "best": mean, "spread": spread, "n": len(values)})
    if options.json:
        print(json.dumps({"groups": found, "differences": differ}))
        return
    for group, one in zip(groups, found, strict=True):
        reached = "no validation accuracy" if one["best"] is None else f"best validation accuracy {one['best']:.2%}"
        spread = f" ± {100 * one['spread']:.2f} points (n = {one['n']})" if one["n"] > 1 else ""
        print(f"{', '.join(group.runs)}: {reached}{spread}")
    print("Settings that differ:" if differ else "Their settings do not differ.")
    for name, values in differ.items():
        print(f"  {name}: {', '.join(f'{run} {value or chr(8211)}' for run, value in values.items())}")


def _export(options: argparse.Namespace) -> None:
    from googlenet.runs import Run
    from googlenet.runs.exchange import write_event_file

    if not options.tensorboard:
        raise LabError("Say where the event file goes: runs export NAME --tensorboard DIR.", "tensorboard")
    run = Run(options.checkpoints, options.words[0])
    path = write_event_file(run, options.tensorboard)
    print(f"{path}: look at it with tensorboard --logdir {options.tensorboard}")


def _bring(options: argparse.Namespace) -> None:
    from googlenet.runs.exchange import bring

    file, *name = options.words
    print(bring(Path(file).expanduser(), options.checkpoints, name[0] if name else ""))
