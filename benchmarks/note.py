"""The class note's question, answered: its recipe's curve beside the note's own points, and what the test images say.

    python -m benchmarks.note RUN_DIRECTORY FIGURE.png [--data cifar10]

RUN_DIRECTORY is what `python -m googlenet train --recipe note` left. The note measured training images only, then asked
whether the final model is the best: here every checkpoint that was kept is judged on the test images.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from googlenet.data.datasets import load_images
from googlenet.inference.classifier import Classifier
from googlenet.inference.evaluate import evaluate_split
from googlenet.runs import Run
from googlenet.runs.figure.curves import TRAIN, VALIDATION, note_figure
from googlenet.runs.figure.published import NOTE


def judge(run: Run, data: str) -> list[tuple[int, float, float, float]]:
    """(epoch, training accuracy, test accuracy, test loss) of each checkpoint, in order."""
    test = load_images(data).test
    rows = []
    for path in run.weights():
        classifier = Classifier(path)
        facts = classifier.info.facts
        result = evaluate_split(classifier, test)
        rows.append((int(facts["epoch"]), facts["train_accuracy"], result.accuracy, result.loss))
    return sorted(rows)


def draw(run: Run, judged: list[tuple[int, float, float, float]], target: Path) -> None:
    """The note's figure, loss above accuracy, with its points and the test images."""
    rows = run.metrics()
    epochs, quoted, tested = [row["Epoch"] for row in rows], [point[0] for point in NOTE], [row[0] for row in judged]
    figure, loss, accuracy = note_figure()
    for axis, name, in_note, on_test in ((loss, "Loss", 1, 3), (accuracy, "Accuracy", 2, 2)):
        axis.plot(epochs, [row[name] for row in rows], color=TRAIN, linewidth=0.8, label="training images, here")
        theirs = [point[in_note] for point in NOTE]
        axis.plot(quoted, theirs, "D", color="#E69F00", label="training images, the note (quoted)")
        axis.plot(tested, [row[on_test] for row in judged], "s--", color=VALIDATION, label="test images, here")
    loss.legend()
    figure.savefig(target)


def main() -> None:
    """Judge, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, help="the run's directory")
    parser.add_argument("figure", type=Path, help="the PNG to write")
    parser.add_argument("--data", default="cifar10", help="cifar10, or a folder with train/ and test/")
    options = parser.parse_args()
    run = Run(options.run.parent, options.run.name)
    judged = judge(run, options.data)
    for epoch, train, test, loss in judged:
        print(f"epoch {epoch:4}  training accuracy {train:.2%}  test accuracy {test:.2%}, loss {loss:.3f}")
    draw(run, judged, options.figure)


if __name__ == "__main__":
    main()
