"""What only a GPU can show. Without one these tests skip and say so."""

from __future__ import annotations

import copy
import dataclasses
import signal
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from trainings import AUX, lab, results, start_lab, training, wait_for

from googlenet.config import PoolConfig
from googlenet.models.blocks import MaxPool
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.presets import preset
from googlenet.recipes import TrainConfig, make_train_config
from googlenet.runs import Run
from googlenet.training.session import TrainingFailed, train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
GPU = torch.device("cuda")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    torch.use_deterministic_algorithms(False)


def losses(config: TrainConfig, checkpoints: Path) -> list[float]:
    return [row["loss"] for row in train(config, checkpoints).steps()]


def plain(folder: Path, **changes) -> TrainConfig:
    """Without dropout, whose random numbers differ from device to device."""
    return training(
        "gpu", folder, {"dropout": 0.0, "aux": ()}, **{"device": "cuda", "epochs": 6, "lr": 0.05, **changes}
    )


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "muon"])
def test_replayed_steps_give_the_curve_of_the_cpu(folder, tmp_path, optimizer):
    """The first two steps of each batch size run as they are written, all later ones are replayed."""
    config = plain(folder, optimizer=optimizer, lr=0.003 if optimizer == "adam" else 0.05, cutout=8)
    on_cpu = losses(dataclasses.replace(config, device="cpu"), tmp_path / "cpu")
    on_gpu = losses(config, tmp_path / "gpu")
    assert len(on_gpu) == 24
    assert on_gpu == pytest.approx(on_cpu, rel=0.06, abs=0.02)  # bfloat16 has 8 bits


def test_a_compiled_step_gives_the_same_curve(folder, tmp_path):
    config = plain(folder)
    assert losses(dataclasses.replace(config, compiled=True), tmp_path / "compiled") == pytest.approx(
        losses(config, tmp_path / "plain"), rel=0.06, abs=0.02
    )


def test_one_merged_convolution_gives_what_three_give(monkeypatch):
    network = dataclasses.replace(preset("cifar10"), dropout=0.0)
    torch.manual_seed(0)
    merged = GoogLeNet(network).to(GPU, memory_format=torch.channels_last).train()
    apart = copy.deepcopy(merged)
    images = torch.randn(64, 3, 32, 32, device=GPU).to(memory_format=torch.channels_last)
    torch.backends.cudnn.allow_tf32 = False
    first = merged(images)
    first.square().mean().backward()
    monkeypatch.setattr("googlenet.models.blocks.merged_pointwise", lambda x, blocks: [block(x) for block in blocks])
    second = apart(images)
    second.square().mean().backward()
    torch.backends.cudnn.allow_tf32 = True
    torch.testing.assert_close(first, second, rtol=1e-3, atol=1e-3)
    for (name, mine), theirs in zip(merged.named_parameters(), apart.parameters(), strict=True):
        scale = theirs.grad.norm().item() + 1e-8
        assert (mine.grad - theirs.grad).norm().item() < 0.02 * scale, name
    for (name, mine), theirs in zip(merged.named_buffers(), apart.buffers(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-4, msg=name)


@pytest.mark.parametrize("pool", [PoolConfig("p"), PoolConfig("p", 3, 1, 1), PoolConfig("p", 3, 2, 0, ceil_mode=True)])
@pytest.mark.parametrize("size", [7, 8, 16])
def test_the_ordered_max_pool_gives_torchs_gradient(pool, size):
    images = torch.randn(4, 6, size, size, device=GPU).to(memory_format=torch.channels_last)
    module = MaxPool(pool.kernel, pool.stride, pool.padding, ceil_mode=pool.ceil_mode)
    gradients = []
    for deterministic in (False, True):
        torch.use_deterministic_algorithms(deterministic)
        x = images.clone().requires_grad_()
        y = module(x)
        (y * torch.arange(y.numel(), device=GPU).view(y.shape)).sum().backward()
        gradients.append(x.grad)
    torch.testing.assert_close(*gradients)


def test_a_killed_training_goes_on_bit_by_bit(folder, tmp_path):
    """SIGKILL at some instant, then resume, with deterministic algorithms: every bit as without the kill."""
    config = training("run", folder, {"aux": AUX}, epochs=40, batch_size=8, device="cuda", deterministic=True, ema=0.9)
    for where in ("whole", "killed"):
        arguments = ("train", "--config", "-", "--checkpoints", tmp_path / where)
        process = start_lab(*arguments, cwd=tmp_path, stdin=config.to_json(), GOOGLENET_SAVE_SECONDS="0.3")
        if where == "killed":
            run = Run(tmp_path / where, "run")
            wait_for(lambda run=run: len(run.metrics()) >= 3)
            time.sleep(0.2)
            process.send_signal(signal.SIGKILL)
        process.communicate(timeout=180)
    assert len(run.metrics()) < 40, "it was too fast to be killed"
    resumed = lab("resume", "run", "--checkpoints", tmp_path / "killed", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    whole = Run(tmp_path / "whole", "run")
    assert results(run) == results(whole)
    for name in ("best.safetensors", "last.safetensors"):
        mine, theirs = load_file(run.path / name), load_file(whole.path / name)
        assert all(torch.equal(mine[key], theirs[key]) for key in mine), name


def test_a_loss_that_is_no_number_ends_the_run(folder, tmp_path):
    config = dataclasses.replace(plain(folder, epochs=200, lr=100.0, warmup=1.0, label_smoothing=0.0))
    network = dataclasses.replace(config.network, batch_norm=False)
    with pytest.raises(TrainingFailed, match="the learning rate was 100"):
        train(dataclasses.replace(config, network=network), tmp_path)
    assert Run(tmp_path, "gpu").status().state == "diverged"


def test_a_batch_that_does_not_fit_says_so(tmp_path):
    """A real shortage: all but a sliver of the card's memory is taken."""
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info()
    hoard = torch.empty(free - 600 * 2**20, dtype=torch.uint8, device=GPU)
    config = make_train_config("big", preset("cifar10"), data="shapes", batch_size=4096, device="cuda", epochs=1)
    try:
        with pytest.raises(TrainingFailed, match=r"A batch of 4,096 does not fit into memory: try 2,048"):
            train(config, tmp_path)
    finally:
        del hoard
        torch.cuda.empty_cache()
    assert Run(tmp_path, "big").status().state == "out_of_memory"


def test_auxiliary_heads_compile_too(folder, tmp_path):
    config = training("heads", folder, {"aux": AUX}, device="cuda", compiled=True)
    assert train(config, tmp_path).status().state == "finished"
