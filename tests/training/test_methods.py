"""What a recipe can choose: each against its definition, and a resume bit-equal with all of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny import tiny_config
from torch import nn
from torch.nn import functional as F
from trainings import make_folder, training

from googlenet.data.augment import EpochPlan, normalize
from googlenet.data.datasets import load_images
from googlenet.models.googlenet import GoogLeNet
from googlenet.recipes import TrainConfig
from googlenet.runs import Run
from googlenet.training.batches import Batches
from googlenet.training.engine import Trainer
from googlenet.training.methods.initial import set_first_weights
from googlenet.training.methods.muon import Muon, orthogonal
from googlenet.training.methods.objective import objective
from googlenet.training.optim import learning_rate, make_optimizer
from googlenet.training.reporting.reporter import Reporter
from googlenet.training.signals import StopRequest

CPU = torch.device("cpu")
ALL = {
    "optimizer": "muon", "schedule": "triangle", "norm_decay": True, "logit_norm": 0.5, "whitening": True,
    "dirac": True, "trivial_augment": True, "cutmix": 0.7, "label_smoothing": 0.2, "cutout": 6, "ema": 0.9,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("data") / "colours", 20, 2)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # caches go to data/ of the working directory


def trainer(config: TrainConfig, folder: Path) -> Trainer:
    run = Run(folder, config.run)
    if not run.path.exists():
        run.create(config)
    return Trainer(config, load_images(config.data), run, Reporter(run), StopRequest())


def test_a_resume_is_bit_equal_with_all_of_them(tmp_path: Path, folder: Path) -> None:
    config = training("whole", folder, **ALL)
    trainer(config, tmp_path).run_to_end()
    first = trainer(dataclasses.replace(config, run="parted"), tmp_path)
    for step in range(first.steps + 1):  # into the second epoch
        if step == first.steps:
            first.finish_epoch(first.validate() or {})
        first.model.train()
        first.advance(*first.batches.take(first.position.epoch, first.position.step))
    first.record.save()
    torch.manual_seed(9)
    second = trainer(first.config, tmp_path)
    second.record.restore()
    assert (second.position.epoch, second.position.step) == (1, 1)
    second.run_to_end()
    whole, parted = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "parted"))
    assert all(torch.equal(whole[name], parted[name]) for name in whole)
    assert Run(tmp_path, "whole").steps() == Run(tmp_path, "parted").steps()
    begun = trainer(dataclasses.replace(config, run="begun"), tmp_path).model.get_parameter("conv1.conv.weight")
    assert torch.equal(second.model.get_parameter("conv1.conv.weight"), begun)  # a whitened layer is not learned


# --- Muon -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(8, 40), (40, 8), (16, 16)])
def test_no_direction_of_a_step_is_larger_than_another(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    u, s, v = torch.linalg.svd(matrix, full_matrices=False)
    step = orthogonal(matrix).float()
    values = torch.linalg.svdvals(step)
    assert s[0] / s[-1] > values[0] / values[-1]
    assert values[0] < 1.3
    assert values.mean() > 0.6
    nearest = u @ v  # the matrix with all singular values 1
    assert F.cosine_similarity(step.flatten(), nearest.flatten(), dim=0) > 0.95


def test_muon_steps_filters_as_written_and_the_rest_as_torchs_sgd() -> None:
    torch.manual_seed(0)
    model = GoogLeNet(tiny_config())
    theirs = GoogLeNet(tiny_config())
    theirs.load_state_dict(model.state_dict())
    config = training("r", "shapes", optimizer="muon", momentum=0.8, weight_decay=0.01, lr=0.3)
    ours = make_optimizer(model, config)
    assert isinstance(ours, Muon)
    sgd = make_optimizer(theirs, dataclasses.replace(config, optimizer="sgd"))
    gathered: dict[str, torch.Tensor] = {}
    weights = {name: p.detach().clone() for name, p in model.named_parameters() if p.dim() == 4}
    for seed in range(3):
        for (name, mine), other in zip(model.named_parameters(), theirs.parameters(), strict=True):
            mine.grad = torch.randn(mine.shape, generator=torch.Generator().manual_seed(seed))
            other.grad = mine.grad.clone()
            if mine.dim() == 4:
                gathered[name] = gathered.get(name, torch.zeros_like(mine)) * 0.8 + mine.grad
                step = orthogonal((mine.grad + 0.8 * gathered[name]).reshape(len(mine), -1)).float().view(mine.shape)
                length = weights[name].flatten(1).pow(2).sum().sqrt()
                weights[name] = weights[name] * len(mine) ** 0.5 / length - 0.3 * step
        ours.step()
        sgd.step()
    for (name, mine), other in zip(model.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.data, weights.get(name, other.data), rtol=1e-4, atol=1e-5, msg=name)


# --- decay and schedule -----------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "muon"])
def test_batch_norm_decays_where_it_should(optimizer: str) -> None:
    for decayed in (False, True):
        config = training("r", "shapes", weight_decay=0.01, norm_decay=decayed, optimizer=optimizer)
        groups = make_optimizer(GoogLeNet(tiny_config()), config).param_groups
        found = {g["weight_decay"] for g in groups for p in g["params"] if p.dim() == 1}
        assert found == {0.01 * decayed}


def test_a_triangle_falls_in_a_line() -> None:
    config = training("r", "shapes", lr=1.0, warmup=0.25, schedule="triangle")
    rates = [learning_rate(config, step, 40) for step in range(40)]
    assert rates[:10] == pytest.approx([(i + 1) / 11 for i in range(10)])
    assert rates[10:] == pytest.approx([1 - i / 30 for i in range(30)])


# --- first weights ----------------------------------------------------------------------------


def test_a_whitened_layer_gives_uncorrelated_channels_of_one_size(folder: Path) -> None:
    config = training("r", folder, whitening=True)
    batches = Batches(load_images(str(folder)), config, CPU)
    model = GoogLeNet(tiny_config())
    set_first_weights(model, config, batches)
    conv = model.get_submodule("conv1.conv")
    assert isinstance(conv, nn.Conv2d)
    assert not conv.weight.requires_grad
    pixels = normalize(batches.images, batches.mean, batches.std)
    with torch.no_grad():
        seen = F.conv2d(pixels, conv.weight, stride=3).transpose(0, 1).flatten(1)  # each pixel once
    correlated = torch.cov(seen)
    torch.testing.assert_close(correlated[:4, :4], torch.eye(4), rtol=0, atol=0.01)
    torch.testing.assert_close(seen[4:], -seen[:4])  # the same directions the other way, for ReLU
    learned = make_optimizer(model, config).param_groups
    assert not any(p is conv.weight for group in learned for p in group["params"])


def test_filters_that_begin_like_the_identity(folder: Path) -> None:
    config = training("r", folder, dirac=True)
    torch.manual_seed(1)
    model, plain = GoogLeNet(tiny_config()), None
    torch.manual_seed(1)
    plain = GoogLeNet(tiny_config())
    set_first_weights(model, config, Batches(load_images(str(folder)), config, CPU))
    conv = model.get_submodule("inception3a.branch2.1.conv")
    x = torch.randn(2, 4, 8, 8)
    torch.testing.assert_close(conv(x)[:, :4], x)
    changed = {n for (n, a), b in zip(model.named_parameters(), plain.parameters(), strict=True) if not a.equal(b)}
    assert changed == {f"{name}.conv.weight" for name in ("conv1", "inception3a.branch2.1", "inception3a.branch3.1")}


# --- the loss ---------------------------------------------------------------------------------


def test_the_loss_of_logits_of_one_length() -> None:
    logits, labels = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    config = training("r", "shapes", logit_norm=0.1, label_smoothing=0.0)
    by_hand = [-(row / row.norm() / 0.1).log_softmax(0)[label] for row, label in zip(logits, labels, strict=True)]
    assert objective(logits, labels, config).item() == pytest.approx(torch.stack(by_hand).mean().item(), rel=1e-5)
    assert objective(7 * logits, labels, config).item() == pytest.approx(objective(logits, labels, config).item())


def test_mixed_images_have_the_shares_of_their_pixels_as_labels() -> None:
    flat = torch.arange(50, dtype=torch.uint8)[:, None, None, None].expand(50, 3, 32, 32)
    labels = torch.arange(50) % 5
    plan = EpochPlan.draw(50, 3, 1, flip=True, padding=4, device=CPU, cutmix=0.6, classes=5)
    images, shares = plan.batch(flat, labels, 0, 50)
    mixed = 0
    for place, (image, share) in enumerate(zip(images, shares, strict=True)):
        own, other = plan.order[place], plan.order[(place + 1) % 50]
        theirs = (image[0] == other).float().mean()
        assert set(image.unique().tolist()) <= {int(own), int(other)}
        wanted = F.one_hot(labels[own], 5) * (1 - theirs) + F.one_hot(labels[other], 5) * theirs
        torch.testing.assert_close(share, wanted)
        mixed += bool(theirs)
    assert 15 < mixed < 45
    part, part_shares = plan.batch(flat, labels, 20, 33)  # in whatever parts: the same
    assert torch.equal(part, images[20:33])
    assert torch.equal(part_shares, shares[20:33])
    plain = EpochPlan.draw(50, 3, 1, flip=True, padding=4, device=CPU)
    assert torch.equal(plain.order, plan.order)
    assert torch.equal(plain.batch(flat, labels, 0, 50)[1], labels[plan.order])
