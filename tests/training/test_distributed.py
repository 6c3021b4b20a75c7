"""Two real processes train as one: same curve, one writer, ended and resumed together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from trainings import environment, results, training, wait_for

from googlenet.models.weights import load_weights
from googlenet.recipes import TrainConfig
from googlenet.runs import Run
from googlenet.training.distributed import Team
from googlenet.training.session import train

# Without batch norm and dropout, which CPUs cannot synchronise and which draws differently on each rank.
NETWORK = {"batch_norm": False, "dropout": 0.0, "aux": ()}

# Seen once in a gate, not understood: "terminate called without an active exception" from C++ as a rank exited, all its
# epochs done. Tried a second time for that alone, and shown as RERUN.
pytestmark = pytest.mark.flaky(reruns=1, only_rerun="SIGABRT")


def torchrun(ranks: int, *arguments: str, cwd: Path, stdin: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks)]
    (cwd / "stdin").write_text(stdin)
    with (cwd / "stdin").open() as file:
        return subprocess.Popen(
            [*command, "-m", "googlenet", *arguments],
            cwd=cwd,
            env=environment(),
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def config_of(run: str, folder: Path, **changes: object) -> TrainConfig:
    return training(run, folder, NETWORK, **{"optimizer": "adam", "lr": 3e-3, "batch_size": 15, **changes})


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [1, 2, 3, 16, 17])
def test_shares_cover_a_batch_once_and_weights_make_its_mean(size: int, count: int) -> None:
    values = torch.arange(100.0)
    teams = [Team(rank, size) for rank in range(size)]
    covered, mean = [], 0.0
    for team in teams:
        first, last = team.share(10, 10 + count)
        assert last > first  # a rank without an image could not take part in the step
        weight = team.weight(10, 10 + count)
        covered += range(first, last) if weight else []
        mean += weight * values[first:last].mean().item() / size
    assert sorted(covered) == list(range(10, 10 + count))
    assert mean == pytest.approx(values[10 : 10 + count].mean().item())


def test_two_ranks_draw_the_curve_of_one(tmp_path: Path, folder: Path) -> None:
    alone = train(config_of("alone", folder), tmp_path / "ck")
    # The configuration comes by command line, since torchrun's workers share no standard input.
    (tmp_path / "config.json").write_text(config_of("together", folder).to_json())
    process = torchrun(
        2, "train", "--config", str(tmp_path / "config.json"), "--checkpoints", str(tmp_path / "ck"), cwd=tmp_path
    )
    output, errors = process.communicate(timeout=180)
    assert process.returncode == 0, errors
    assert output.count("together: finished") == 1  # one of the ranks speaks
    together = Run(tmp_path / "ck", "together")
    for ours, theirs in zip(results(together), results(alone), strict=True):
        assert len(ours) == len(theirs) > 0
        for row, other in zip(ours, theirs, strict=True):
            assert row == pytest.approx(other, rel=2e-3, abs=2e-4)
    one, _ = load_weights(alone.path / "last.safetensors")
    two, _ = load_weights(together.path / "last.safetensors")
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(two.state_dict()[name], tensor, rtol=2e-2, atol=2e-3)


def test_a_signal_ends_all_ranks_saved_and_one_process_goes_on(tmp_path: Path, folder: Path) -> None:
    config = config_of("stopped", folder, epochs=2000)
    (tmp_path / "config.json").write_text(config.to_json())
    process = torchrun(
        2, "train", "--config", str(tmp_path / "config.json"), "--checkpoints", str(tmp_path / "ck"), cwd=tmp_path
    )
    run = Run(tmp_path / "ck", "stopped")
    wait_for(lambda: len(run.metrics()) >= 2, 120)
    assert run.status().active
    os.kill(run.status().pid, signal.SIGUSR1)  # the Stop button, which reaches rank 0 alone
    process.communicate(timeout=60)
    assert run.status().state == "stopped"
    done = len(run.metrics())
    # Another number of ranks takes it up where they left it.
    process = torchrun(1, "resume", "stopped", "--checkpoints", str(tmp_path / "ck"), cwd=tmp_path)
    wait_for(lambda: len(run.metrics()) >= done + 2, 120)
    os.kill(run.status().pid, signal.SIGTERM)
    process.communicate(timeout=60)
    assert run.status().state == "stopped"
    assert [row["Epoch"] for row in run.metrics()] == list(range(len(run.metrics())))


def test_the_death_of_a_rank_ends_all_and_the_run_can_go_on(tmp_path: Path, folder: Path) -> None:
    config = config_of("bereaved", folder, epochs=2000)
    (tmp_path / "config.json").write_text(config.to_json())
    process = torchrun(
        2, "train", "--config", str(tmp_path / "config.json"), "--checkpoints", str(tmp_path / "ck"), cwd=tmp_path
    )
    run = Run(tmp_path / "ck", "bereaved")
    wait_for(lambda: len(run.metrics()) >= 2, 120)
    import psutil

    leader = run.status().pid
    other = next(p for p in psutil.Process(process.pid).children() if p.pid != leader and "googlenet" in p.cmdline())
    other.kill()
    process.communicate(timeout=90)
    assert process.returncode != 0
    status = run.status()
    assert not status.active
    assert status.state in ("failed", "interrupted", "stopped")
    resumed = torchrun(2, "resume", "bereaved", "--checkpoints", str(tmp_path / "ck"), cwd=tmp_path)
    done = len(run.metrics())
    wait_for(lambda: len(run.metrics()) >= done + 1, 120)
    resumed.send_signal(signal.SIGTERM)  # torchrun passes it on
    resumed.communicate(timeout=60)
    assert run.status().state == "stopped"


def test_a_refusal_is_said_once(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "ck" / "taken").mkdir(parents=True)
    (tmp_path / "config.json").write_text(config_of("taken", folder).to_json())
    process = torchrun(
        2, "train", "--config", str(tmp_path / "config.json"), "--checkpoints", str(tmp_path / "ck"), cwd=tmp_path
    )
    _, errors = process.communicate(timeout=120)
    assert process.returncode != 0
    assert errors.count("taken already exists and is not a run") == 1


def test_a_run_gets_its_name_under_torchrun(tmp_path: Path) -> None:
    """torchrun of Python 3.11 takes --run for an abbreviation of its own --run-path: --name reaches the trainer."""
    options = ("--data", "shapes", "--preset", "cifar10-truncated", "--epochs", "0", "--name", "mine")
    process = torchrun(1, "train", *options, cwd=tmp_path)
    _, errors = process.communicate(timeout=120)
    assert "error: epochs must be a whole number from 1 to 100,000, not 0." in errors
    assert "ambiguous option" not in errors
