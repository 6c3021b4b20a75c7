"""Which score of a network's logits tells that a picture is of none of its classes, and how often it errs.

    python -m benchmarks.novelty WEIGHTS [--data cifar10] [--store]

The threshold of each score is fitted on the validation split (--validation and the seed in the file give the images
that the training held out), for 5% false alarms. False alarms are then measured on the test images, misses on images
of other things (benchmarks/foreign.py). AUROC, from 50% by chance to 100%, needs no threshold. The score with the best
mean AUROC on the photographs is the one that --store writes into the file's facts: photographs are what people bring,
the drawn sets show what else it tells. Two scores on the last layer's features are measured for comparison; they would
need class means or images kept beside the weights.

A network that has learned all training images has none held out: --fit-on test then fits on every other test image
and measures on the rest.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from benchmarks.foreign import NEAR_PHOTOGRAPHS, PHOTOGRAPHS, foreign_sets
from googlenet.data.datasets import Split, load_images, split_validation
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import check_classes
from googlenet.inference.novelty import FACT, SCORES, Novelty, fit
from googlenet.models.weights import load_weights, save_weights

BATCH = 250


@dataclasses.dataclass(frozen=True)
class Answers:
    """What the network says of N images: logits (N, classes), and features (N, channels), the last layer's input."""

    logits: Tensor
    features: Tensor


def ask(classifier: Classifier, images: Tensor) -> Answers:
    """The network's answers to uint8 (N, 3, H, W)."""
    seen: list[Tensor] = []
    hook = classifier.model.fc.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].float().cpu()))
    try:
        logits = torch.cat([classifier.logits(batch).float().cpu() for batch in images.split(BATCH)])
    finally:
        hook.remove()
    return Answers(logits, torch.cat(seen))


def auroc(familiar: Tensor, foreign: Tensor) -> float:
    """How often a foreign image scores higher than a familiar one, in [0, 1]; ties count half."""
    ordered = familiar.sort().values
    below = torch.searchsorted(ordered, foreign) + torch.searchsorted(ordered, foreign, right=True)
    return (below.double().mean() / (2 * len(familiar))).item()


def feature_scores(fitted: Answers, labels: Tensor) -> dict[str, Callable[[Answers], Tensor]]:
    """Scores that know the features of the images they are fitted on, higher for less like them."""
    known = normalize(fitted.features)
    means = torch.stack([fitted.features[labels == label].mean(0) for label in labels.unique()])

    def nearest(answers: Answers) -> Tensor:
        return torch.cat([-(part @ known.T).topk(10).values[:, -1] for part in normalize(answers.features).split(500)])

    return {
        "cosine to class means": lambda answers: -(normalize(answers.features) @ normalize(means).T).amax(1),
        "cosine to 10th neighbour": nearest,
    }


def held_out(
    train: Split, test: Split, options: argparse.Namespace, rule: tuple[int, str]
) -> tuple[Split, Split, str, str]:
    """The images to fit on, the images to measure on, and both in words."""
    if options.fit_on == "test":
        halves = [Split(test.images[start::2], test.labels[start::2]) for start in (0, 1)]
        return *halves, f"{len(halves[0].labels):,} test images", f"the other {len(halves[1].labels):,} test images"
    chosen = split_validation(train, options.validation, *rule)[1]
    if len(chosen) == 0:
        raise LabError("A threshold needs held-out images: give --validation as in the training, or --fit-on test.")
    fitting = Split(train.images[chosen], train.labels[chosen])
    return fitting, test, f"{len(chosen):,} validation images", f"{len(test.labels):,} test images"


def check_held_out(fitted: Answers, fitting: Split, measured: Answers, measuring: Split) -> None:
    """Refuse images that the network has learned: it is too sure of them, and the threshold would be too low."""
    accuracies, variance = [], 0.0
    for answers, split in ((fitted, fitting), (measured, measuring)):
        right = (answers.logits.argmax(1) == split.labels).double().mean().item()
        accuracies.append(right)
        variance += right * (1 - right) / len(split.labels)
    if accuracies[0] - accuracies[1] > 4 * variance**0.5:
        shares = "accuracy {:.1%} there, {:.1%} on the test images".format(*accuracies)
        raise LabError(f"The network seems to have learned the validation images ({shares}): use --fit-on test.")


def main(arguments: list[str] | None = None) -> int:
    """Print the table; with --store, write the best score's threshold and errors into the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights", type=Path, metavar="WEIGHTS")
    parser.add_argument("--data", default="cifar10", help="cifar10, or a folder with train/ and test/")
    parser.add_argument("--validation", type=float, default=0.1, help="the share of train that the training held out")
    parser.add_argument("--seed", type=int, help="of the training (default: the one in the file)")
    parser.add_argument("--fit-on", choices=("validation", "test"), default="validation")
    parser.add_argument("--false-alarm", type=float, default=0.05)
    parser.add_argument("--score", choices=tuple(SCORES), help="(default: the best)")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--store", action="store_true", help="write the threshold into WEIGHTS")
    options = parser.parse_args(arguments)
    try:
        run(options)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def run(options: argparse.Namespace) -> None:
    """Ask the network about all sets, compare the scores, store the best."""
    begun = time.monotonic()
    classifier = Classifier(options.weights, options.device)
    data = load_images(options.data)
    check_classes(classifier, data.classes, data.name)
    seed = classifier.info.facts.get("seed", 0) if options.seed is None else options.seed
    rule = seed, classifier.info.facts.get("split_by", "position")
    fitting, measuring, fitted_on, measured_on = held_out(data.train, data.test, options, rule)
    fitted, measured = ask(classifier, fitting.images), ask(classifier, measuring.images)
    check_held_out(fitted, fitting, measured, measuring)
    foreign = {name: ask(classifier, images) for name, images in foreign_sets(data.test.images).items()}

    fits: dict[str, Novelty] = {}
    means: dict[str, float] = {}
    for name in SCORES:
        novelty = fit(fitted.logits, name, options.false_alarm, f"{fitted_on} of {data.name}")
        logits = {of: answers.logits for of, answers in foreign.items()}
        fits[name] = novelty.measured(measured.logits, logits, f"{measured_on} of {data.name}")
        familiar = novelty.score(measured.logits)
        areas = {of: auroc(familiar, novelty.score(answers.logits)) for of, answers in foreign.items()}
        means[name] = (areas[PHOTOGRAPHS] + areas[NEAR_PHOTOGRAPHS]) / 2
        _print_score(name, fits[name].false_alarm, areas, fits[name].misses, foreign)
    for name, score in feature_scores(fitted, fitting.labels).items():
        ranked = score(fitted).sort().values
        threshold = ranked[int(len(ranked) * (1 - options.false_alarm)) - 1]
        areas = {of: auroc(score(measured), score(answers)) for of, answers in foreign.items()}
        misses = {of: (score(answers) <= threshold).double().mean().item() for of, answers in foreign.items()}
        _print_score(f"{name} (features)", (score(measured) > threshold).double().mean(), areas, misses, foreign)

    best = fits[options.score or max(means, key=means.get)]
    print(f"\nchosen: {best.name}, warning above {best.threshold:.4f}, fitted on {best.fitted_on};")
    print(f"false alarms {best.false_alarm:.1%} on {best.measured_on}; {time.monotonic() - begun:.0f} s")
    if options.store:
        store(options.weights, best)
        print(f"stored in {options.weights}")


def _print_score(
    name: str, false_alarm: float, areas: dict[str, float], misses: dict[str, float], sets: dict[str, Answers]
) -> None:
    print(f"\n{name}: false alarms {false_alarm:.1%}, AUROC {sum(areas.values()) / len(areas):.1%} on average")
    for of, area in areas.items():
        print(f"  {of:<32}{len(sets[of].logits):>6} images   AUROC {area:>6.1%}   missed {misses[of]:>6.1%}")


def store(path: Path, novelty: Novelty) -> None:
    """Write `novelty` into the facts of the weights file at `path`; its tensors keep their values and their type."""
    from safetensors import safe_open

    model, info = load_weights(path)
    with safe_open(path, framework="pt") as file:
        half = any(file.get_slice(name).get_dtype() == "F16" for name in file.keys())  # noqa: SIM118
    facts = {**info.facts, FACT: novelty.to_facts()}
    save_weights(path, model, dataclasses.replace(info, facts=facts), half=half)


if __name__ == "__main__":
    sys.exit(main())
