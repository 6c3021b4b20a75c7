"""Which score tells best that a picture is of none of a network's classes, and how often the stored one errs.

    python -m benchmarks.novelty WEIGHTS [--data cifar10] [--near cifar100.zip] [--store]

The protocol is OpenOOD's (v1.5): AUROC, from 50% by chance to 100%, and FPR, the share of foreign images that pass
where 95% of the test images do; near (CIFAR-100) and far, each the mean over sets, and set by set. Beside them, missed:
the share that passes the threshold stored in the file, fitted for 5% false alarms on the validation split (--validation
and the seed in the file give the images that the training held out), and false alarms on the test images.

Nothing is fitted on foreign images. --near takes a zip of 32×32 PNG pictures in folders of classes that the network
does not know: scores are compared on one half (--half choose), figures are those of the other half. The far sets are
drawn, or cut from pictures that packages bring (pip install scikit-image scikit-learn, for this benchmark alone).

A network that has learned all training images has none held out: --fit-on test then fits on every other test image
and measures on the rest.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.foreign import FAR, foreign_sets, unzipped
from googlenet.data.datasets import Split, load_images, split_validation
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import BATCH, check_classes
from googlenet.inference.novelty import FACT, FEATURES, SCORES, TEXTURES, Novelty, fit, fit_features
from googlenet.inference.prototypes import widths
from googlenet.models.weights import add_facts

NEAR = "CIFAR-100"


@dataclasses.dataclass(frozen=True)
class Answers:
    """What the network says of N images: logits (N, classes), and features (N, F + E) as `pooled` gives them."""

    logits: Tensor
    features: Tensor


def ask(classifier: Classifier, images: Tensor) -> Answers:
    """The network's answers to uint8 (N, 3, H, W), as the promotion asks it."""
    parts = [classifier.fast_features(batch) for batch in images.split(BATCH[classifier.device.type])]
    logits, features = (torch.cat([part.float().cpu() for part in column]) for column in zip(*parts, strict=True))
    return Answers(logits, features)


def auroc(familiar: Tensor, foreign: Tensor) -> float:
    """How often a foreign image scores higher than a familiar one, in [0, 1]; ties count half."""
    ordered = familiar.sort().values
    below = torch.searchsorted(ordered, foreign) + torch.searchsorted(ordered, foreign, right=True)
    return (below.double().mean() / (2 * len(familiar))).item()


def false_positives(familiar: Tensor, foreign: Tensor, accepted: float = 0.95) -> float:
    """The share of foreign images that score no higher than the share `accepted` of familiar ones does."""
    limit = familiar.sort().values[max(0, round(len(familiar) * accepted) - 1)]
    return (foreign <= limit).double().mean().item()


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
    test = Split(test.images[:: options.every], test.labels[:: options.every])
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
    """Print the tables; with --store, write the score's threshold and errors into the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights", type=Path, metavar="WEIGHTS")
    parser.add_argument("--data", default="cifar10", help="cifar10, or a folder with train/ and test/")
    parser.add_argument("--near", type=Path, metavar="ZIP", help="5,000 pictures of CIFAR-100, say")
    parser.add_argument("--half", choices=("report", "choose"), default="report", help="of --near")
    parser.add_argument("--every", type=int, default=1, help="measure on every so many test images")
    parser.add_argument("--validation", type=float, default=0.1, help="the share of train that the training held out")
    parser.add_argument("--seed", type=int, help="of the training (default: the one in the file)")
    parser.add_argument("--fit-on", choices=("validation", "test"), default="validation")
    parser.add_argument("--false-alarm", type=float, default=0.05)
    parser.add_argument("--score", choices=(TEXTURES, FEATURES, *SCORES), default=TEXTURES, help="to store")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--store", action="store_true", help="write the score into WEIGHTS")
    options = parser.parse_args(arguments)
    try:
        run(options)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def run(options: argparse.Namespace) -> None:
    """Ask the network about all sets, compare the scores, store one."""
    begun = time.monotonic()
    classifier = Classifier(options.weights, options.device)
    near = [] if options.near is None else unzipped(options.near)
    data = load_images(options.data)
    check_classes(classifier, data.classes, data.name)
    seed = classifier.info.facts.get("seed", 0) if options.seed is None else options.seed
    rule = seed, classifier.info.facts.get("split_by", "position")
    fitting, measuring, fitted_on, measured_on = held_out(data.train, data.test, options, rule)
    fitted, measured = ask(classifier, fitting.images), ask(classifier, measuring.images)
    check_held_out(fitted, fitting, measured, measuring)
    foreign = {name: ask(classifier, images) for name, images in foreign_sets(data.test.images).items()}
    if near:
        foreign = {NEAR: ask(classifier, near[options.half == "report"]), **foreign}

    about = f"{fitted_on} of {data.name}"
    fits = {name: fit(fitted.logits, name, options.false_alarm, about) for name in SCORES}
    wide = widths(classifier.info.network)[0]
    for name, seen in ((FEATURES, fitted.features[:, :wide]), (TEXTURES, fitted.features)):
        fits[name] = fit_features(fitted.logits, seen, fitting.labels, options.false_alarm, about, wide=wide)
    for name, novelty in fits.items():
        familiar = novelty.score(measured.logits, measured.features)
        scores = {of: novelty.score(answers.logits, answers.features) for of, answers in foreign.items()}
        fits[name] = novelty.measured(familiar, scores, f"{measured_on} of {data.name}")
        _print_score(name, fits[name], familiar, scores)

    chosen = fits[options.score]
    print(f"\n{chosen.name}: warning above {chosen.threshold:.4f}, fitted on {chosen.fitted_on};")
    print(f"false alarms {chosen.false_alarm:.1%} on {chosen.measured_on}; {time.monotonic() - begun:.0f} s")
    if options.store:
        store(options.weights, chosen)
        print(f"stored in {options.weights}")


def _print_score(name: str, novelty: Novelty, familiar: Tensor, scores: dict[str, Tensor]) -> None:
    areas = {of: auroc(familiar, foreign) for of, foreign in scores.items()}
    passing = {of: false_positives(familiar, foreign) for of, foreign in scores.items()}
    print(f"\n{name}: false alarms {novelty.false_alarm:.1%}")
    for of, foreign in scores.items():
        figures = f"AUROC {areas[of]:>6.2%}   FPR {passing[of]:>6.1%}   missed {novelty.misses[of]:>6.1%}"
        print(f"  {of:<32}{len(foreign):>6} images   {figures}")
    far = [of for of in scores if of in FAR]
    area, share = (sum(found[of] for of in far) / len(far) for found in (areas, passing))
    print(f"  {f'far, the mean of {len(far)} sets':<32}{'':>16}AUROC {area:>6.2%}   FPR {share:>6.1%}")


def store(path: Path, novelty: Novelty) -> None:
    """Write `novelty` into the facts of the weights file at `path`; its tensors stay as they are, to the bit."""
    add_facts(path, **{FACT: novelty.to_facts()})


if __name__ == "__main__":
    sys.exit(main())
