"""One picture through the checkpoints of a run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from numpy import zeros
from safetensors.torch import load_file, save
from tiny import tiny_checkpoint
from trainings import training

from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.over_epochs import MOST, over_epochs
from googlenet.models.weights import read_info
from googlenet.runs import SUFFIX
from googlenet.training.session import train


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """A real run that keeps the weights of three epochs of four, and best and last."""
    root = tmp_path_factory.mktemp("over") / "checkpoints"
    train(training("tried", folder, epochs=4, checkpoint_epochs=(0, 1, 2)), root)
    return root


def test_every_checkpoint_answers_as_it_does_alone(checkpoints: Path, folder: Path) -> None:
    picture, told = next((folder / "test" / "red").iterdir()), []
    found = over_epochs(checkpoints, "tried", picture, lambda share, text: told.append((share, text)))
    assert [answer.epoch for answer in found.answers] == [0, 1, 2, 3]
    for answer in found.answers:
        for name in answer.names:
            path = checkpoints / "tried" / f"{name}{SUFFIX}"
            assert Classifier(path).classify(picture) == pytest.approx(answer.probabilities, abs=1e-6)
    names = [name for answer in found.answers for name in answer.names]
    assert sorted(names) == sorted(path.stem for path in (checkpoints / "tried").glob(f"*{SUFFIX}"))
    assert found.classes == ("blue", "green", "red")
    assert found.curve("red") == [(a.epoch, a.probabilities["red"]) for a in found.answers]
    assert found.last is found.answers[-1]
    assert told[0] == (0.0, f"Asking epoch-0000, 1 of {len(names)}")
    json.dumps(found.to_dict(), allow_nan=False)


def test_what_cannot_answer_has_its_sentence(checkpoints: Path, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoints / "tried", tmp_path / "tried")
    diverged = tmp_path / "tried" / f"epoch-0001{SUFFIX}"
    tensors = load_file(diverged)
    info = read_info(diverged)
    diverged.write_bytes(save({k: torch.full_like(t, torch.nan) if t.is_floating_point() else t
                               for k, t in tensors.items()}, metadata=info.to_metadata()))  # fmt: skip
    (tmp_path / "tried" / f"epoch-0002{SUFFIX}").write_bytes(b"torn")
    found = over_epochs(tmp_path, "tried", next((folder / "test" / "red").iterdir()))
    wrong = {answer.names[0]: answer.error for answer in found.answers if answer.error}
    assert sorted(wrong) == ["epoch-0001", "epoch-0002"]
    assert "answers with NaN" in wrong["epoch-0001"]
    assert [epoch for epoch, _ in found.curve("red")] == [0, 3]


def test_of_many_some_are_asked(tmp_path: Path) -> None:
    one = tiny_checkpoint(tmp_path / "long" / f"epoch-0000{SUFFIX}", epoch=0)
    for epoch in range(1, MOST + 31):
        (tmp_path / "long" / f"epoch-{epoch:04}{SUFFIX}").hardlink_to(one)
    found = over_epochs(tmp_path, "long", zeros((32, 32, 3), "uint8"))
    assert found.left_out == 31
    assert len(found.answers[0].names) == MOST  # the same weights, said to be of the same epoch
    assert found.answers[0].names[-1] == f"epoch-{MOST + 30:04}"


def test_refusals_are_sentences(checkpoints: Path, folder: Path, tmp_path: Path) -> None:
    picture = next((folder / "test" / "red").iterdir())
    with pytest.raises(LabError, match="no checkpoint yet"):
        over_epochs(checkpoints, "other", picture)
    with pytest.raises(LabError, match="run"):
        over_epochs(checkpoints, "../tried", picture)
    (tmp_path / "words.png").write_text("words")
    with pytest.raises(LabError):
        over_epochs(checkpoints, "tried", tmp_path / "words.png")
