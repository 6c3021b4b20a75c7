"""Real checkpoints of a tiny network in a real run directory, judged on a folder of three colours."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file, save_file
from tiny import tiny_checkpoint
from trainings import COLOURS, environment, make_folder, training

from googlenet.data.datasets import load_images, split_validation
from googlenet.data.splits import Split
from googlenet.errors import LabError
from googlenet.inference import selection
from googlenet.inference.calibration import difference_interval, wilson_interval
from googlenet.inference.classifier import Classifier
from googlenet.inference.compare import compare, mcnemar
from googlenet.inference.evaluate import Evaluation, evaluate_split
from googlenet.inference.novelty import FACT, Novelty
from googlenet.inference.selection import (
    Judged,
    judge_run,
    judges_of,
    promote,
    report_on_test,
    stored_judgement,
    weights_digest,
)
from googlenet.inference.selection.overfitting import see_overfitting
from googlenet.language import speaking
from googlenet.models.weights import add_facts, read_info
from googlenet.runs import Run, process_started
from googlenet.runs.lock import while_promoting

CLASSES = tuple(COLOURS)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def data(tmp_path: Path, folder: Path) -> Path:
    """A data set of its own, to be moved away."""
    return Path(shutil.copytree(folder, tmp_path / "pictures"))


def make_run(data: Path, name: str = "mine", **changes: object) -> Path:
    """A run of three checkpoints, the second of which is also its best; returns its directory."""
    path = Path("runs") / name
    config = training(name, data, **{"validation_fraction": 0.3, "seed": 5, **changes})
    for epoch in range(3):
        facts = {"epoch": epoch, "train_accuracy": 0.5 + epoch / 10}
        tiny_checkpoint(path / f"epoch-{epoch:04d}.safetensors", CLASSES, seed=epoch, **facts)
    shutil.copy(path / "epoch-0001.safetensors", path / "best.safetensors")
    (path / "config.json").write_text(config.to_json())
    return path


@pytest.fixture
def run(data: Path) -> Path:
    return make_run(data)


def refusal(call, *arguments: object, **options: object) -> str:
    with pytest.raises(LabError) as caught:
        call(*arguments, **options)
    return str(caught.value)


# --- judging ----------------------------------------------------------------------------------


def test_every_checkpoint_is_judged_once_on_what_the_training_held_out(run: Path, data: Path) -> None:
    heard: list[float] = []
    judged = judge_run("runs", "mine", device="cpu", progress=lambda share, text: heard.append(share))
    names = [("mine/epoch-0000",), ("mine/epoch-0001", "mine/best"), ("mine/epoch-0002",)]
    assert [row.names for row in judged.rows] == names
    assert [(row.epoch, row.train_accuracy) for row in judged.rows] == [(0, 0.5), (1, 0.6), (2, 0.7)]
    assert heard[-1] == 1

    train = load_images(str(data)).train
    rows = split_validation(train, 0.3, 5)[1]
    split = Split(train.images[rows], train.labels[rows])
    for row in judged.rows:
        plain = evaluate_split(Classifier(f"runs/{row.name}.safetensors", "cpu"), split)
        assert (row.validation_accuracy, row.interval) == (plain.accuracy, plain.interval)
        assert row.validation_loss == pytest.approx(plain.loss, abs=1e-6)
        assert row.calibration_error == pytest.approx(plain.calibration_error, abs=1e-6)
        each = -plain.logits.log_softmax(1).gather(1, plain.labels[:, None])
        assert row.loss_error == pytest.approx(float(each.std(correction=0)) / math.sqrt(18), rel=1e-4)
    assert (judged.n, judged.held_out) == (18, True)
    assert judged.judged_on == "the 18 images of folder pictures that the training held out"
    assert judged.reported_on == "the 18 test images of folder pictures"
    assert json.loads(json.dumps(judged.to_dict()))["rows"][1]["names"] == ["mine/epoch-0001", "mine/best"]


def test_the_most_accurate_is_proposed_and_of_equals_the_one_with_the_lower_loss(run: Path) -> None:
    judged = judge_run("runs", "mine", device="cpu")
    order = sorted(judged.rows, key=lambda row: (-row.validation_accuracy, row.validation_loss))
    assert judged.best == order[0]
    assert len({row.validation_loss for row in judged.rows}) == 3


def test_the_second_look_needs_neither_network_nor_images(run: Path, data: Path) -> None:
    assert stored_judgement("runs", "mine") is None
    judged = judge_run("runs", "mine", device="cpu")
    data.rename("elsewhere")
    assert judge_run("runs", "mine", device="cpu") == judged
    assert stored_judgement("runs", "mine") == judged


def test_only_what_is_new_is_judged_and_a_fact_makes_nothing_new(run: Path) -> None:
    judged = judge_run("runs", "mine", device="cpu")
    add_facts(run / "epoch-0001.safetensors", temperature=2.0)
    assert stored_judgement("runs", "mine") == judged
    tiny_checkpoint(run / "last.safetensors", CLASSES, seed=9, epoch=3)
    heard: list[str] = []
    again = judge_run("runs", "mine", device="cpu", progress=lambda share, text: heard.append(text))
    assert [text for text in heard if text.startswith("mine/")] == ["mine/last, 1 of 1: Judged 18 of 18 images"]
    assert again.rows[:3] == judged.rows
    assert again.rows[3].names == ("mine/last",)


def test_other_images_are_judged_anew(run: Path, data: Path) -> None:
    judge_run("runs", "mine", device="cpu")
    shutil.copy(data / "train/red/0.png", data / "train/red/more.png")
    assert stored_judgement("runs", "mine") is None
    make_folder(Path("others"), 30, 4, seed=1)
    assert judge_run("runs", "mine", data="others", device="cpu").n == 27


def test_a_damaged_store_is_judged_over(run: Path) -> None:
    judged = judge_run("runs", "mine", device="cpu")
    store = run / "validation.json"
    whole = json.loads(store.read_text())
    for text in ("", "[]", '{"key": 1', json.dumps({"key": whole["key"]}), "[" * 100_000):
        store.write_text(text)
        assert judge_run("runs", "mine", device="cpu").rows == judged.rows
    digest, figures = next(iter(whole["figures"].items()))
    for wrong in (
        {"figures": {digest: None}},
        {"figures": {**whole["figures"], digest: {**figures, "validation_loss": "low"}}},
        {"figures": {**whole["figures"], digest: {**figures, "interval": [0.1]}}},
        {"figures": {**whole["figures"], digest: {**figures, "validation_accuracy": 10**400}}},
        {"about": {**whole["about"], "n": "18"}},
        {"about": None},
        {"refused": ["all"]},
        {"stamp": [1]},
    ):
        store.write_text(json.dumps({**whole, **wrong}))
        assert judge_run("runs", "mine", device="cpu") == judged, wrong


def test_a_checkpoint_replaced_while_it_is_judged_gets_no_figures_of_the_other(run: Path) -> None:
    """As a trainer does with best and last: here at the first word of progress about it."""

    def replace(share: float, text: str) -> None:
        if text.startswith("mine/last"):
            tiny_checkpoint(run / "last.safetensors", CLASSES, seed=11, epoch=4)

    tiny_checkpoint(run / "last.safetensors", CLASSES, seed=10, epoch=3)
    assert [row.epoch for row in judge_run("runs", "mine", device="cpu", progress=replace).rows] == [0, 1, 2]
    later = judge_run("runs", "mine", device="cpu").rows[3]
    alone = tiny_checkpoint(Path("runs/alone/best.safetensors"), CLASSES, seed=11, epoch=4)
    shutil.copy(run / "config.json", alone.with_name("config.json"))
    assert later.validation_loss == judge_run("runs", "alone", device="cpu").rows[0].validation_loss


def test_a_run_that_held_nothing_out_is_judged_on_half_of_its_test_images(data: Path) -> None:
    make_run(data, validation_fraction=0.0)
    judged = judge_run("runs", "mine", device="cpu")
    assert (judged.n, judged.held_out) == (9, False)
    assert judged.judged_on == "9 of the 18 test images of folder pictures, as the training held none out"
    assert judged.reported_on == "the other 9 test images of folder pictures, not used for any choice"
    assert report_on_test("runs", "mine/best", device="cpu").n == 9

    images = load_images(str(data))
    judges = judges_of(training("mine", data, validation_fraction=0.0, seed=5), images)
    both = torch.cat([judges.choose.images, judges.report.images])
    assert sorted(map(bytes, both.numpy())) == sorted(map(bytes, images.test.images.numpy()))
    assert judges.choose.labels.bincount().tolist() == judges.report.labels.bincount().tolist() == [3, 3, 3]
    other = judges_of(training("mine", data, validation_fraction=0.0, seed=6), images)
    assert not torch.equal(judges.choose.images, other.choose.images)


def test_images_that_were_not_held_out_are_suspected(run: Path) -> None:
    assert judge_run("runs", "mine", device="cpu").warning == ""
    tiny_checkpoint(run / "last.safetensors", CLASSES, seed=3, epoch=9, validation_accuracy=0.99)
    judged = judge_run("runs", "mine", device="cpu")
    assert judged.warning.startswith(f"mine/last has {judged.rows[-1].validation_accuracy:.1%} here but had 99.0%")
    best = (run / "best.safetensors").read_bytes()
    assert "so they are others" in refusal(promote, "runs", "mine", "last", device="cpu")
    assert (run / "best.safetensors").read_bytes() == best


def test_near_ties_that_fall_the_other_way_are_no_other_images(run: Path) -> None:
    """A network that has hardly learned answered two of sixty differently in other precision, and was not promoted."""
    row = next(row for row in judge_run("runs", "mine", device="cpu").rows if row.epoch == 2)
    add_facts(
        run / "epoch-0002.safetensors",
        validation_accuracy=row.validation_accuracy - 3 / 18,
        validation_loss=1.0005 * row.validation_loss,
    )
    assert judge_run("runs", "mine", device="cpu").warning == ""
    promote("runs", "mine", "epoch-0002", device="cpu")


def judged(epoch: int | None, loss: float, train: float | None) -> Judged:
    return Judged((f"r/{epoch}",), f"{epoch}", epoch, train, 0.5, (0.4, 0.6), loss, 0.01, 0.0, None)


@pytest.mark.parametrize(
    ("losses", "trains", "epoch", "said"),
    [
        ([1.0, 0.6, 0.5], [0.5, 0.6, 0.7], None, "No overfitting seen: the last"),
        ([1.0, 0.5, 0.52], [0.5, 0.6, 0.7], None, "No overfitting seen"),  # within the noise of the two means
        ([1.0, 0.5, 0.7, 0.9], [0.5, 0.6, 0.7, 0.8], 1, "It overfits: after epoch 1 the loss on these images rises"),
        ([1.0, 0.5, 0.9, 0.51], [0.5, 0.6, 0.7, 0.8], None, "No overfitting seen"),  # a spike is not for good
        ([1.0, 0.5, 0.9], [0.5, 0.6, 0.4], None, "It became unstable rather than overfitted: after epoch 1"),
        ([1.0, 0.5, 0.9], [None, None, None], 1, "It seems to overfit: after epoch 1"),
        ([1116.0], [0.1], None, "loss on these images, 1116, is above the 1.10 of a guess among 3 classes"),
        ([1116.0, 1116.0], [0.1, 0.1], None, "so it has diverged, or learned nothing yet."),
        ([0.5, 1116.0], [0.6, 0.3], None, "so it has diverged. After epoch 0 it was 0.5."),
        ([0.5, 1116.0], [None, None], None, "so it has diverged. After epoch 0 it was 0.5."),
        (
            [0.5, 2.0],
            [0.6, 0.9],
            0,
            "It overfits: after epoch 0 the loss on these images rises, from 0.5 to 2, although",
        ),
        ([1.0], [0.5], None, "cannot be judged from one checkpoint"),
        ([], [], None, "no checkpoint says after which epoch"),
    ],
)
def test_overfitting_is_told_from_other_ways_to_get_worse(
    losses: list[float], trains: list[float | None], epoch: int | None, said: str
) -> None:
    rows = [judged(number, *pair) for number, pair in enumerate(zip(losses, trains, strict=True))]
    found, sentence = see_overfitting([*rows, judged(None, 9.0, 0.9)], 3)
    assert found == epoch
    assert said in sentence


def test_a_training_that_diverged_is_not_one_without_overfitting() -> None:
    rows = [judged(0, 1.0, 0.5), judged(1, 0.5, 0.6)]
    assert see_overfitting(rows, 3, diverged=True)[1].startswith("No overfitting seen, before the training diverged")


def test_a_lead_within_chance_is_called_that(run: Path) -> None:
    found = judge_run("runs", "mine", device="cpu")
    gain = 100 * (found.best.validation_accuracy - found.rows[-1].validation_accuracy)
    assert found.lead.startswith(f"{gain:.2f} points more than epoch-0002 (95% interval +")
    for path in run.glob("*.safetensors"):
        if f"mine/{path.stem}" != found.proposed:
            path.unlink()
    assert judge_run("runs", "mine", device="cpu").lead == ""  # the last one is the best
    few = difference_interval(270 / 300, wilson_interval(270, 300), 260 / 300, wilson_interval(260, 300))
    many = difference_interval(0.9, wilson_interval(9000, 10_000), 0.8667, wilson_interval(8667, 10_000))
    assert few[0] < 0 < 10 / 300 < few[1]
    assert 0 < many[0] < 0.0333 < many[1]


# --- what is refused --------------------------------------------------------------------------


def test_files_that_cannot_be_judged_are_left_out_with_a_sentence(run: Path) -> None:
    tiny_checkpoint(run / "epoch-0003.safetensors", ("blue", "green", "pink"), epoch=3)
    tiny_checkpoint(run / "epoch-0004.safetensors", ("blue", "green"), epoch=4)
    save_file({"weight": torch.zeros(2)}, run / "epoch-0005.safetensors")
    (run / "epoch-0006.safetensors").write_bytes((run / "best.safetensors").read_bytes()[:300])
    tiny_checkpoint(run / "epoch-0007.safetensors", CLASSES, seed=7, epoch=7)
    tensors = load_file(run / "epoch-0007.safetensors")
    tensors["fc.weight"] *= math.nan
    save_file(tensors, run / "epoch-0007.safetensors", read_info(run / "epoch-0007.safetensors").to_metadata())
    judged = judge_run("runs", "mine", device="cpu")
    assert [row.epoch for row in judged.rows] == [0, 1, 2]
    says = {
        "mine/epoch-0003": "Class 2 is 'pink' in epoch-0003.safetensors but 'red' in folder pictures",
        "mine/epoch-0004": "knows 2 classes but folder pictures has 3",
        "mine/epoch-0005": "epoch-0005.safetensors was not written by this lab",
        "mine/epoch-0006": "epoch-0006.safetensors is not a complete safetensors file",
        "mine/epoch-0007": "diverged",
    }
    assert judged.refused.keys() == says.keys()
    assert all(words in judged.refused[name] for name, words in says.items())
    assert stored_judgement("runs", "mine") == judged


def test_a_run_s_files_are_in_english_whoever_asks(run: Path) -> None:
    tiny_checkpoint(run / "epoch-0003.safetensors", ("blue", "green", "pink"), epoch=3)
    heard: list[str] = []
    with speaking("ko"):
        judged = judge_run("runs", "mine", device="cpu", progress=lambda share, text: heard.append(text))
        report_on_test("runs", "mine/best", device="cpu")
        promote("runs", "mine", "epoch-0002", device="cpu")
    assert (judged.judged_on, judged.reported_on) == (
        "폴더 pictures에서 학습에 쓰지 않고 떼어 둔 이미지 18개",
        "폴더 pictures의 테스트 이미지 18개",
    )
    assert "과적합" in judged.overfitting
    assert any("개 중" in text for text in heard)
    kept = (run / "validation.json").read_text() + (run / "test-reports.json").read_text()
    assert "Class 2 is 'pink' in epoch-0003.safetensors but 'red' in folder pictures" in kept
    assert read_info(run / "best.safetensors").facts["temperature_fitted_on"] in (
        None,
        "the 18 images of folder pictures that the training held out",
    )
    assert not re.search("[가-힣]", kept + json.dumps(read_info(run / "best.safetensors").facts, ensure_ascii=False))


def test_runs_that_cannot_be_judged(run: Path, data: Path) -> None:
    assert "There is no run called none in runs" in refusal(judge_run, "runs", "none")
    assert "A run name is 1 to 64" in refusal(judge_run, "runs", "../mine")
    assert "device must be one of" in refusal(judge_run, "runs", "mine", device="tpu")
    for path in run.glob("*.safetensors"):
        path.unlink()
    assert refusal(judge_run, "runs", "mine") == "mine has no checkpoint yet: let it train for an epoch."
    save_file({"weight": torch.zeros(2)}, run / "best.safetensors")
    assert "best.safetensors was not written by this lab" in refusal(judge_run, "runs", "mine")
    tiny_checkpoint(run / "best.safetensors", ("blue", "green"))
    assert "knows 2 classes" in refusal(judge_run, "runs", "mine")
    (run / "config.json").write_text("{}")
    assert "The config.json of mine is damaged" in refusal(judge_run, "runs", "mine")


def test_data_that_has_gone_or_has_no_test_part(run: Path, data: Path) -> None:
    shutil.rmtree(data / "test")
    assert "has no test/ in it" in refusal(judge_run, "runs", "mine")
    shutil.rmtree(data)
    sentence = refusal(judge_run, "runs", "mine")
    assert sentence == f"The images that mine learned from, '{data}', are missing: say where they are now."
    assert refusal(report_on_test, "runs", "mine/best") == sentence
    assert "There is no folder" in refusal(judge_run, "runs", "mine", data="nowhere")


# --- deciding ---------------------------------------------------------------------------------


def test_of_two_promotions_of_a_run_the_second_is_refused(run: Path) -> None:
    before = (run / "best.safetensors").read_bytes()
    with while_promoting(Run("runs", "mine")), pytest.raises(LabError, match="Another promotion of mine is at work"):
        promote("runs", "mine", "mine/epoch-0002")
    assert (run / "best.safetensors").read_bytes() == before
    promote("runs", "mine", "mine/epoch-0002")


def test_promoting_replaces_best_and_loses_nothing(run: Path) -> None:
    digests = [weights_digest(run / f"epoch-000{epoch}.safetensors") for epoch in range(3)]
    old, best = (run / "epoch-0001.safetensors").read_bytes(), run / "best.safetensors"
    before = sorted(run.iterdir())
    promote("runs", "mine", "mine/epoch-0002")
    assert weights_digest(best) == digests[2]
    assert sorted(run.iterdir()) == before  # the old best is an epoch's file already

    (run / "epoch-0001.safetensors").unlink()
    best.write_bytes(old)
    promote("runs", "mine", "epoch-0002")
    assert weights_digest(best) == digests[2]
    assert (run / "epoch-0001.safetensors").read_bytes() == old
    (run / "epoch-0002.safetensors").unlink()
    promoted = best.read_bytes()
    promote("runs", "mine", "epoch-0000")
    assert (run / "epoch-0002.safetensors").read_bytes() == promoted  # its temperature too
    promote("runs", "mine", "best")
    assert weights_digest(best) == digests[0]


def test_an_old_best_never_replaces_an_epoch_of_other_weights(run: Path) -> None:
    tiny_checkpoint(run / "best.safetensors", CLASSES, seed=8, epoch=2)
    epoch, best = (run / "epoch-0002.safetensors").read_bytes(), (run / "best.safetensors").read_bytes()
    promote("runs", "mine", "epoch-0000")
    assert (run / "epoch-0002.safetensors").read_bytes() == epoch
    (kept,) = run.glob("epoch-0002-*.safetensors")
    assert kept.read_bytes() == best


@pytest.mark.parametrize("name", ["epoch-0009", "other/best", "../mine/best", ""])
def test_only_the_runs_own_checkpoints_are_promoted(run: Path, data: Path, name: str) -> None:
    make_run(data, "other")
    assert "mine has no checkpoint" in refusal(promote, "runs", "mine", name)


def test_nothing_is_written_into_a_run_that_is_being_trained(run: Path, data: Path) -> None:
    make_run(data, "other")
    alive = {"pid": os.getpid(), "pid_started": process_started(os.getpid())}
    (run / "status.json").write_text(json.dumps({"state": "running", **alive}))
    best = (run / "best.safetensors").read_bytes()
    with FileLock("runs/.trainer.lock"):
        assert "mine is being trained: stop it" in refusal(promote, "runs", "mine", "epoch-0002")
        promote("runs", "other", "epoch-0002")  # the trainer is at work on another run
    assert (run / "best.safetensors").read_bytes() == best
    (run / "status.json").write_text(json.dumps({"state": "running", **alive, "pid_started": 1.0}))
    with FileLock("runs/.trainer.lock"):  # a trainer at work on another run, and the status that a killed one left
        promote("runs", "mine", "epoch-0002")


def contents(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.iterdir() if path.name != "validation.json"}


def test_a_promotion_cancelled_refused_or_out_of_space_changes_nothing(
    run: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run / "epoch-0001.safetensors").unlink()  # so that the best until now has to be kept
    before = contents(run)
    promote("runs", "mine", "best", device="cpu")  # reads the images
    heard: list[float] = []
    promote("runs", "mine", "best", device="cpu", progress=lambda share, words: heard.append(share))
    (run / "best.safetensors").write_bytes(before["best.safetensors"])

    class Cancelled(Exception):
        pass

    assert heard
    for number in range(len(heard)):
        calls = iter(range(len(heard)))

        def cancel(share: float, words: str, last: int = number, calls: Iterator[int] = calls) -> None:
            if next(calls) == last:
                raise Cancelled

        with pytest.raises(Cancelled):
            promote("runs", "mine", "epoch-0002", device="cpu", progress=cancel)
        assert contents(run) == before
    with monkeypatch.context() as broken:
        broken.setattr("googlenet.inference.selection.promotion.fit_temperature", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            promote("runs", "mine", "epoch-0002", device="cpu")
    assert contents(run) == before
    tiny_checkpoint(run / "epoch-0003.safetensors", ("blue", "green", "pink"), epoch=3)
    before = contents(run)
    assert "'pink'" in refusal(promote, "runs", "mine", "epoch-0003", device="cpu")
    assert contents(run) == before

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("googlenet.models.weights.write_atomically", full)
    with pytest.raises(OSError, match="No space"):
        promote("runs", "mine", "epoch-0002", device="cpu")
    kept = contents(run)
    assert kept.pop("epoch-0001.safetensors") == kept["best.safetensors"]  # the copy that was to be its last one
    assert kept == before


KILLER = """
import os, shutil, signal
from pathlib import Path
from googlenet.inference.selection import promote

replace, link, steps, killed = Path.replace, Path.hardlink_to, 0, 0

def step(*_):
    global steps
    steps += 1
    if steps == killed:
        os.kill(os.getpid(), signal.SIGKILL)

def dying(self, target):
    step()
    replace(self, target)
    step()

def dying_at_the_link(self, target):
    step()
    link(self, target)
    step()

Path.replace, Path.hardlink_to, status = dying, dying_at_the_link, 1
while status:  # once it was not killed, it has been at every step
    killed += 1
    shutil.copytree("runs", f"killed-{killed}")
    if not (child := os.fork()):
        promote(f"killed-{killed}", "mine", "epoch-0002", device="cpu", progress=step)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
"""


def test_a_promotion_killed_at_any_step_leaves_the_old_best_or_the_new_one(run: Path) -> None:
    old, new = (weights_digest(run / f"epoch-000{epoch}.safetensors") for epoch in (1, 2))
    (run / "epoch-0001.safetensors").unlink()
    subprocess.run([sys.executable, "-c", KILLER], env=environment(), check=True, timeout=300)
    ends = []
    for number in range(1, 1 + len(list(Path().glob("killed-*")))):
        left = Path(f"killed-{number}/mine")
        best = left / "best.safetensors"
        ends.append(weights_digest(best) == new)
        if ends[-1]:
            assert Classifier(best, "cpu").calibrated
            assert FACT in read_info(best).facts
            assert weights_digest(left / "epoch-0001.safetensors") == old
        else:
            assert best.read_bytes() == (run / "best.safetensors").read_bytes()
            second = left / "epoch-0001.safetensors"
            assert not second.exists() or second.samefile(best)  # never a copy
        promote(left.parent, "mine", "epoch-0002", device="cpu")  # and it can be done again
        assert weights_digest(left / "epoch-0001.safetensors") == old
    assert len(ends) >= 6  # while the images are judged, before and after each of two files, and not at all
    assert ends == sorted(ends)
    assert ends[-2:] == [True, True]


def test_no_temperature_is_stored_where_none_is_best(run: Path) -> None:
    """A network whose answers are its classes' numbers and nothing else: what it says has nothing to do with images."""
    blind = run / "epoch-0002.safetensors"
    tensors = load_file(blind)
    tensors["fc.weight"].zero_()
    tensors["fc.bias"] = torch.tensor([0.0, 0.0, 50.0])
    save_file(tensors, blind, read_info(blind).to_metadata())
    add_facts(blind, temperature=3.0, temperature_fitted_on="others")
    fitted = promote("runs", "mine", "epoch-0002", device="cpu")
    facts = read_info(run / "best.safetensors").facts
    assert fitted.temperature is None
    assert fitted.scaled_loss == pytest.approx(fitted.loss)
    assert fitted.sentence.startswith("no temperature was stored: on these 18 images the best one is not between 0.1")
    assert facts.keys() & {"temperature", "temperature_fitted_on"} == set()
    assert FACT in facts
    assert not Classifier(run / "best.safetensors", "cpu").calibrated


def test_every_report_on_test_is_written_down(run: Path, data: Path) -> None:
    assert selection.test_reports("runs", "mine") == []
    first = report_on_test("runs", "mine/best", device="cpu")
    plain = evaluate_split(Classifier(run / "best.safetensors", "cpu"), load_images(str(data)).test)
    assert (first.n, first.accuracy, first.loss) == (18, plain.accuracy, pytest.approx(plain.loss))
    report_on_test("runs", "mine/epoch-0002", device="cpu")
    one, two = selection.test_reports("runs", "mine")
    assert (one["checkpoint"], one["data"], one["n"]) == ("mine/best", "folder pictures", 18)
    assert (one["accuracy"], one["loss"]) == (first.accuracy, pytest.approx(first.loss))
    assert two["checkpoint"] == "mine/epoch-0002"
    assert one["sha256"] != two["sha256"]
    assert "mine has no checkpoint 'mine/none'" in refusal(report_on_test, "runs", "mine/none")
    (run / "test-reports.json").write_text("[{")
    report_on_test("runs", "mine/best", device="cpu")
    assert len(selection.test_reports("runs", "mine")) == 1
    assert (run / "test-reports-unreadable.json").read_text() == "[{"  # nothing is lost
    (run / "test-reports.json").write_text(json.dumps([one, None, 7, "text", two]))
    assert selection.test_reports("runs", "mine") == [one, two]
    (run / "test-reports.json").write_text("[{")
    assert selection.test_reports("runs", "mine") == []


def test_a_temperature_is_fitted_stored_and_used_for_probabilities_alone(run: Path, data: Path) -> None:
    images = load_images(str(data)).test.images
    before = Classifier(run / "best.safetensors", "cpu")
    tensors = load_file(run / "best.safetensors")
    fitted = promote("runs", "mine", "best", device="cpu")
    after = Classifier(run / "best.safetensors", "cpu")
    assert (before.temperature, before.calibrated) == (1, False)
    assert (after.temperature, after.calibrated) == (fitted.temperature, True)
    assert fitted.scaled_loss < fitted.loss
    assert torch.equal(before.logits(images), after.logits(images))
    expected = (before.logits(images) / fitted.temperature).softmax(1)
    assert torch.allclose(after.probabilities(images), expected)
    now = load_file(run / "best.safetensors")
    assert all(torch.equal(tensors[name], now[name]) for name in tensors | now)
    held_out = "the 18 images of folder pictures that the training held out"
    told = {"temperature": fitted.temperature, "temperature_fitted_on": held_out}
    assert after.info.facts == before.info.facts | told | {FACT: after.info.facts[FACT]}
    novelty = Novelty.from_facts(after.info.facts)
    assert (novelty.name, novelty.fitted_on, novelty.misses) == ("features", held_out, {})
    assert novelty.known.belong_to(after.info.network)
    assert novelty.false_alarm <= 0.05


def test_a_threshold_whose_errors_were_measured_is_kept(run: Path) -> None:
    measured = Novelty("entropy", 0.7, 0.04, {"noise": 0.1}, "some", "others").to_facts()
    add_facts(run / "best.safetensors", **{FACT: measured})
    promote("runs", "mine", "best", device="cpu")
    assert read_info(run / "best.safetensors").facts[FACT] == measured


# --- comparing --------------------------------------------------------------------------------


def test_two_checkpoints_side_by_side(run: Path, data: Path) -> None:
    split = load_images(str(data)).train
    one, two = (evaluate_split(Classifier(run / f"epoch-000{n}.safetensors", "cpu"), split) for n in (0, 1))
    result = compare(one, two, ("A", "B"))
    first, second, truth = (t.tolist() for t in (one.logits.argmax(1), two.logits.argmax(1), one.labels))
    told = list(enumerate(zip(first, second, truth, strict=True)))
    assert result.first_only == [i for i, (a, b, t) in told if a == t != b]
    assert result.second_only == [i for i, (a, b, t) in told if b == t != a]
    assert result.both_wrong == [i for i, (a, b, t) in told if len({a, b, t}) == 3]
    assert sorted(result.differ) == [i for i, (a, b, _) in told if a != b]
    assert result.accuracies == (one.accuracy, two.accuracy)
    assert result.sentence.startswith(f"Only A is right on {len(result.first_only)} images, only B on")
    assert result.p_value == mcnemar(len(result.first_only), len(result.second_only))
    assert compare(one, one).p_value == 1
    other: Evaluation = evaluate_split(Classifier(run / "best.safetensors", "cpu"), load_images(str(data)).test)
    assert "on different images" in refusal(compare, one, other)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 5), (5, 0), (3, 9), (7, 7), (40, 61)])
def test_mcnemar_is_the_two_sided_binomial_test(first: int, second: int) -> None:
    n, few = first + second, min(first, second)
    tail = sum(math.comb(n, k) for k in range(few + 1)) / 2**n
    assert mcnemar(first, second) == pytest.approx(min(1, 2 * tail))


def test_mcnemar_of_ten_thousand_images_is_a_number() -> None:
    assert 0 <= mcnemar(4000, 6000) < 1e-80
    assert mcnemar(5000, 5001) == pytest.approx(1, abs=0.02)
