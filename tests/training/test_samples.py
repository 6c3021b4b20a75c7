"""What a trainer tells besides loss and accuracy: answers to the same few images, heads' losses, what it takes."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from trainings import make_folder, training

from googlenet.inference.classifier import Classifier
from googlenet.runs import METRICS, Run
from googlenet.runs.samples import Samples, read_samples, write_samples
from googlenet.training.reporting.samples import choose
from googlenet.training.reporting.usage import Usage
from googlenet.training.resume import load_state, save_state
from googlenet.training.session import train
from googlenet.ui.train.curves import heads_of
from googlenet.ui.train.feed import MOST_ANSWERS, Feed


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Three epochs of three steps of the same size, with an auxiliary head, and nothing smoothed."""
    folder = make_folder(tmp_path_factory.mktemp("data"), 20, 2)
    options = {"label_smoothing": 0.0, "validation_fraction": 0.2, "flip": False, "ema": 0.0}
    return train(training("told", folder, {"dropout": 0.0}, **options), tmp_path_factory.mktemp("runs"))


def test_the_last_answers_are_those_of_the_last_weights(finished: Run) -> None:
    samples, rows = read_samples(finished.path), finished.answers_history().read_on()
    assert samples is not None
    assert [row["epoch"] for row in rows] == [0, 1, 2]
    assert len(samples.images) == len(rows[-1]["answers"]) == 8
    assert {samples.classes[label] for label in samples.labels} == {"blue", "green", "red"}
    network = Classifier(finished.path / "last.safetensors")
    for image, (label, share) in zip(samples.images, rows[-1]["answers"], strict=True):
        (finished.path.parent / "image.png").write_bytes(image)
        found = network.classify(finished.path.parent / "image.png")
        assert found[samples.classes[label]] == pytest.approx(share, abs=0.03)


def test_the_heads_loss_is_the_rest_of_the_objective(finished: Run) -> None:
    rows, steps = finished.metrics(), finished.steps()
    for row in rows:
        objectives = [step["objective"] for step in steps if row["Epoch"] < step["epoch"] <= row["Epoch"] + 1]
        assert len(objectives) == 3
        mine = row["Loss"] + 0.3 * row["Auxiliary loss 1"]
        assert sum(objectives) / 3 == pytest.approx(mine, rel=2e-3)
    assert rows[0]["Auxiliary loss 2"] is None  # there is one head
    assert heads_of(finished) == ["aux1 (on inception3a)"]


def test_what_the_training_takes_is_in_rows_and_status(finished: Run) -> None:
    last, status = finished.metrics()[-1], finished.status()
    known = [row["CPU"] for row in finished.metrics() if row["CPU"] is not None]  # an epoch may be too short to tell
    assert all(0 <= share <= 1 for share in [*known, status.cpu or 0])
    assert 5e7 < last["Memory"] < 1e11
    assert (last["GPU"], last["GPU memory"]) == (None, None)
    assert status.memory == pytest.approx(last["Memory"], rel=0.5)
    usage = Usage()
    assert usage.now()["cpu"] is None  # too near to its start to tell
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        pass
    assert 0 < usage.now()["cpu"] <= 1


def test_a_save_of_an_earlier_version_leaves_the_heads_loss_open_for_the_epoch_under_way(finished: Run) -> None:
    state, _ = load_state(finished.path)
    position = {**state["position"], "epoch": 1, "step": 1, "total": 4}
    save_state(finished.path, {**state, "sums": state["sums"][:4], "position": position, "steering": ()})
    finished.write_status(finished.status().__class__("stopped", epoch=1, epochs=3))
    from googlenet.training.session import resume

    resume("told", finished.path.parent)
    assert [row["Auxiliary loss 1"] is None for row in finished.metrics()] == [False, True, False]
    assert [row["epoch"] for row in finished.answers_history().read_on()] == [0, 1, 2]  # rewound, and written again


def test_each_class_comes_before_any_comes_twice() -> None:
    assert choose([0, 0, 0, 1, 2, 1], 4) == [0, 1, 3, 4]
    assert choose([5] * 20) == list(range(8))
    assert choose([]) == []


PLAIN = {"classes": ["a"], "labels": [0], "images": ["iVBORw0KGgo="]}


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", json.dumps({**PLAIN, "labels": [1]}).encode(), json.dumps({**PLAIN, "images": ["%"]}).encode(),
     json.dumps({**PLAIN, "images": ["PHN2Zz4="]}).encode(), json.dumps({**PLAIN, "labels": [0] * 9}).encode()],
)  # fmt: skip
def test_samples_that_no_trainer_wrote_are_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "samples.json").write_bytes(content)
    assert read_samples(tmp_path) is None
    samples = Samples(("a", "b"), (1,), (b"\x89PNG\r\n\x1a\n",))
    write_samples(tmp_path, samples)
    assert read_samples(tmp_path) == samples


def test_answers_of_a_thousand_epochs_are_thinned_evenly_and_the_last_stays(tmp_path: Path) -> None:
    run = Run(tmp_path, "long")
    run.create(training("long", "shapes"))
    history = run.answers_history()
    for epoch in range(1000):
        history.append(epoch, [(0, 0.5)])
    with (run.path / "answers.jsonl").open("a") as file:
        file.write('{"epoch": -1, "answers": []}\n{"epoch": 1000, "ans')
    read = Feed().read(run)
    epochs = [row["epoch"] for row in read.answers()]
    assert epochs[:3] == [0, 16, 32]
    assert epochs[-1] == 999
    assert len(epochs) <= MOST_ANSWERS
    assert read.problem == "Cannot read all of answers.jsonl: see line 1,001."
    assert METRICS[:3] == ("Epoch", "Accuracy", "Loss")
