"""The warning by features and by textures: what is told, what a file may say, and the same score whoever asks."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import CLASSES, tiny_checkpoint
from torch import Tensor

from benchmarks.novelty import store
from googlenet.inference.classifier import Classifier
from googlenet.inference.novelty import FACT, Novelty, fit_features
from googlenet.inference.prototypes import Prototypes, widths
from googlenet.inference.textures import Textures, early_module
from googlenet.models.presets import preset
from googlenet.models.weights import add_facts, read_info

# --- by features ------------------------------------------------------------------------------------


def clusters(count: int, classes: int = 3, wide: int = 16, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Features of `count` images of each class, around a direction of its own; and their labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(classes).repeat(count)
    return 5 * torch.eye(wide)[labels] + 0.5 * torch.rand(len(labels), wide, generator=generator), labels


def test_the_score_of_features_is_that_of_its_definition():
    known = Prototypes(np.eye(4, dtype=np.float32)[:2], 5.0)
    features = torch.tensor([[3.0, 0.0, 0.0, 4.0], [0.0, 10.0, 0.0, 0.0], [0.0, 0.0, 0.0, 5.0]])
    expected = [1 - 0.6, 1 - 2**0.2, 1.0]
    assert known.score(features).tolist() == pytest.approx(expected, abs=1e-6)
    assert [known.score(row).item() for row in features] == pytest.approx(expected, abs=1e-6)


def test_features_tell_what_is_of_no_class_and_keep_to_their_false_alarms():
    fitting, labels = clusters(200)
    novelty = fit_features(torch.zeros(len(labels), 3), fitting, labels, 0.05)
    assert (novelty.name, novelty.false_alarm) == ("features", 0.05)
    new, odd = clusters(200, seed=1)[0], clusters(200, 5, seed=2)[0][clusters(200, 5)[1] > 2]
    assert novelty.warns(new, new).float().mean() == pytest.approx(0.05, abs=0.04)
    assert novelty.warns(odd, odd).all()
    again = Novelty.from_facts(json.loads(json.dumps({FACT: novelty.to_facts()})))
    assert torch.equal(again.score(new, new), novelty.score(new, new))


@pytest.mark.parametrize(
    ("features", "labels"),
    [
        (torch.ones(30, 4), torch.arange(30) % 3),  # all alike
        (torch.rand(30, 4), torch.tensor([0] * 15 + [1] * 12 + [2] * 3)),  # three of the last
        (torch.rand(30, 100_000), torch.arange(30) % 3),  # more than may travel in a file
    ],
)
def test_where_features_say_nothing_the_energy_does(features: Tensor, labels: Tensor):
    assert fit_features(torch.rand(30, 3), features, labels).name == "energy"


def test_features_of_another_network_or_damaged_ones_are_not_used(tmp_path: Path):
    path = tiny_checkpoint(tmp_path / "a.safetensors")
    info = read_info(path)
    fitted, labels = clusters(20, len(CLASSES), widths(info.network)[0])
    facts = fit_features(torch.zeros(len(labels), len(CLASSES)), fitted, labels).to_facts()
    assert Novelty.of(dataclasses.replace(info, facts={FACT: facts})) is not None
    known, text = facts["known"], facts["known"]["means"]
    nan = base64.b64encode(np.full(widths(info.network)[0] * len(CLASSES), np.nan, "<f2").tobytes()).decode()
    unsound = [
        {**known, "means": odd} for odd in (text[:-8], text[:-1], 7, None, "?" * 16, nan, text * 2, "A" * 900_000)
    ]
    unsound += [{**known, "length": odd} for odd in (0, -1, math.nan, "5", None)]
    unsound += [{**known, "classes": odd} for odd in (0, 1, 2, 7, 1.5, "3", None)]
    for odd in [*unsound, None, 7, [], "x", {}]:
        assert Novelty.of(dataclasses.replace(info, facts={FACT: {**facts, "known": odd}})) is None
    add_facts(path, **{FACT: {**facts, "known": unsound[0]}})
    assert Classifier(path, "cpu").answer(np.zeros((32, 32, 3), np.uint8)).novelty is None


def test_a_picture_alone_a_batch_and_many_get_the_same_score_by_features(tmp_path: Path):
    path = tiny_checkpoint(tmp_path / "a.safetensors")
    plain = Classifier(path, "cpu")
    images = torch.randint(0, 256, (60, 3, 32, 32), generator=torch.Generator().manual_seed(3), dtype=torch.uint8)
    labels = torch.arange(60) % len(CLASSES)
    found, features = plain.fast_features(images)
    novelty = fit_features(found, features, labels)
    assert novelty.name == "features"
    store(path, novelty)
    classifier = Classifier(path, "cpu")
    rows, scores = classifier.judged(images)
    assert torch.equal(rows, plain.logits(images))  # what is asked beside them changes no answer
    assert scores[:, 0].tolist() == pytest.approx(novelty.score(found, features).tolist(), abs=1e-2)
    for image, row, score in list(zip(images, rows, scores[:, 0], strict=True))[:5]:
        answer = classifier.answer(image.permute(1, 2, 0).numpy())
        assert answer.logits.tolist() == pytest.approx(row.tolist(), abs=1e-4)
        assert answer.novelty.score == pytest.approx(score.item(), abs=1e-4)
        assert answer.to_dict()["novelty"]["score"] == "features"


# --- by textures too --------------------------------------------------------------------------------


def textured(count: int, classes: int = 3, seed: int = 0, strange: float = 0.0) -> tuple[Tensor, Tensor]:
    """As `clusters`, with eight channels of an early module behind them, moved by `strange` where they never are."""
    features, labels = clusters(count, classes, seed=seed)
    chance = torch.Generator().manual_seed(seed + 100)
    common = torch.randn(len(labels), 2, generator=chance) @ torch.tensor([[1.0] * 4 + [0] * 4, [0] * 4 + [1.0] * 4])
    early = common + 0.1 * torch.randn(len(labels), 8, generator=chance)
    early[:, 0] += strange
    return torch.cat([features, early], 1), labels


def test_the_distance_of_textures_is_that_of_its_definition():
    """Two channels, in units of 2 and 1: four units along the first is twice its deviation of 2, across is 3 of 1."""
    known = Textures(
        *(np.array(numbers, np.float32) for numbers in ([1, 1], [2, 1], [[1, 0]], [4])), rest=1.0, share=0.5
    )
    means = torch.tensor([[1.0, 1.0], [9.0, 1.0], [1.0, 4.0], [9.0, 4.0]])
    assert known.distance(means).tolist() == pytest.approx([0, 2, 3, 13**0.5])
    both = Prototypes(np.eye(4, dtype=np.float32)[:2], 5.0, known)
    features = torch.cat([torch.tensor([3.0, 0.0, 0.0, 4.0]).expand(4, 4), means], 1)
    assert both.score(features).tolist() == pytest.approx([0.4, 1.4, 1.9, 0.4 + 0.5 * 13**0.5])


def test_a_picture_like_a_class_with_textures_of_none_is_told():
    fitting, labels = textured(200)
    novelty = fit_features(torch.zeros(len(labels), 3), fitting, labels, wide=16)
    plain = fit_features(torch.zeros(len(labels), 3), fitting[:, :16], labels)
    assert (novelty.name, plain.name) == ("features and textures", "features")
    new, odd = textured(200, seed=1)[0], textured(200, seed=2, strange=4.0)[0]
    assert novelty.warns(new, new).float().mean() == pytest.approx(0.05, abs=0.04)
    shares = [known.warns(odd, odd).float().mean().item() for known in (novelty, plain)]
    assert shares[0] > 0.9 > 0.15 > shares[1], shares
    again = Novelty.from_facts(json.loads(json.dumps({FACT: novelty.to_facts()})))
    assert torch.equal(again.score(new, new), novelty.score(new, new))


@pytest.mark.parametrize("early", [torch.zeros(600, 8), torch.full((600, 8), torch.nan), torch.zeros(600, 0)])
def test_textures_that_say_nothing_are_left_out(early: Tensor):
    fitting, labels = clusters(200)
    assert fit_features(torch.zeros(600, 3), torch.cat([fitting, early], 1), labels, wide=16).name == "features"


def test_textures_of_another_network_or_damaged_ones_are_not_used(tmp_path: Path):
    info = read_info(tiny_checkpoint(tmp_path / "a.safetensors"))
    assert early_module(info.network) is None  # of so few modules none is early
    network = preset("cifar10", len(CLASSES))
    assert [early_module(preset(name)) for name in ("cifar10", "cifar10-truncated", "imagenet")] == ["inception4a"] * 3
    assert widths(network) == (1024, 512)
    last, labels = clusters(20, len(CLASSES), 1024)
    early = torch.randn(len(labels), 512, generator=torch.Generator().manual_seed(7))
    facts = fit_features(
        torch.zeros(len(labels), len(CLASSES)), torch.cat([last, early], 1), labels, wide=1024
    ).to_facts()
    assert facts["score"] == "features and textures"

    def read(**changes: object) -> Novelty | None:
        known = facts["known"] | {"textures": facts["known"]["textures"] | changes}
        return Novelty.of(dataclasses.replace(info, network=network, facts={FACT: facts | {"known": known}}))

    assert read() is not None
    text = facts["known"]["textures"]["mean"]
    for odd in (text[:-8], text[:-1], 7, None, "?" * 16, "", text * 2, "A" * 900_000):
        for part in ("mean", "deviation", "directions", "variances"):
            assert read(**{part: odd}) is None, part
    zeros = base64.b64encode(np.zeros(512, "<f2").tobytes()).decode()
    assert read(deviation=zeros) is None
    long, thin = (base64.b64encode(np.full(n, value, "<f2").tobytes()).decode() for n, value in ((1536, 2), (3, 1e-7)))
    assert read(directions=long) is read(variances=thin) is None  # whose distances may be infinite
    for odd in (0, -1, math.nan, "5", None):
        assert read(rest=odd) is None
    assert read(share=-1.0) is read(share=None) is None
    for odd in (None, 7, [], {}):
        known = facts["known"] | {"textures": odd}
        assert Novelty.of(dataclasses.replace(info, network=network, facts={FACT: facts | {"known": known}})) is None
    without = {key: part for key, part in facts["known"].items() if key != "textures"}
    assert Novelty.from_facts({FACT: facts | {"known": without}}) is None  # its threshold is of both
    older = Novelty.from_facts({FACT: facts | {"known": without, "score": "features"}})
    assert older is not None
    assert older.known.textures is None
