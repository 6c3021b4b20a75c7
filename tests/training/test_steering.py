"""Steered trainings: taken at a step, written down before it has an effect, and replayed after whatever kills them."""

from __future__ import annotations

import math
import multiprocessing
import random
import shutil
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from trainings import environment, results, training, wait_for

from googlenet.errors import LabError
from googlenet.models.weights import read_info
from googlenet.recipes import TrainConfig
from googlenet.runs import Run, alerts_of, ask, can_resume, read_steering
from googlenet.runs.steering.commands import COMMANDS
from googlenet.runs.steering.taken import STEERING
from googlenet.training.resume import load_state
from googlenet.training.session import resume, train
from googlenet.training.steering import rate_to_try


@pytest.fixture(autouse=True, scope="module")
def _elsewhere(tmp_path_factory):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("cwd"))
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def process(_elsewhere):
    """A function in a process of its own, forked from one that has torch already: seconds less a start."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(GOOGLENET_SAVE_SECONDS="0.1").items():
            patch.setenv(name, value)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["googlenet.training.engine", "torch._dynamo", "pandas", "matplotlib.figure"])

        def start(function: Callable[..., Any], *arguments: Any) -> BaseProcess:
            process = context.Process(target=function, args=arguments)
            process.start()
            return process

        yield start


@pytest.fixture
def config(folder) -> TrainConfig:
    """14 steps in each of 12 epochs; everything that has state."""
    return training("run", folder, epochs=12, batch_size=4, lr=0.05, cutout=8, ema=0.9)


def prepared(checkpoints: Path, config: TrainConfig, commands: bytes = b"") -> Run:
    """A run that was asked for `commands` before its first step."""
    run = Run(checkpoints, config.run)
    run.create(config)
    (run.path / COMMANDS).write_bytes(commands)
    return run


def steps_of(run: Run) -> int:
    rows = run.steps()
    return int(rows[-1]["step"]) if rows else 0


def test_a_steered_run_that_is_killed_is_the_run_that_takes_the_same_commands_at_the_same_steps(
    tmp_path, config, process
):
    chance = random.Random(4)
    run = Run(tmp_path, "run")
    asked = [("rate", 0.02), ("keep", None), ("epochs", 9), ("patience", 8)]
    at_work = process(train, config, tmp_path)
    for number, (kind, value) in enumerate(asked):
        wait_for(lambda: run.status().state == "running" and steps_of(run) > 15 * (number + 1))  # noqa: B023
        ask(tmp_path, "run", kind, value)
        if number % 2:  # else the kill may come before it was taken, or while it is
            wait_for(lambda: len(read_steering(run)) == number + 1)  # noqa: B023
        time.sleep(chance.uniform(0, 0.1))
        at_work.kill()
        at_work.join()
        assert run.status().state == "interrupted"
        at_work = process(resume, "run", tmp_path)
    at_work.join()
    assert (at_work.exitcode, run.status().state, len(run.metrics())) == (0, "finished", 9)
    assert not can_resume(run, run.status())
    ask(tmp_path, "run", "epochs", 11)
    assert can_resume(run, run.status())
    ask(tmp_path, "run", "rate", 0.01)
    at_work = process(resume, "run", tmp_path)
    wait_for(lambda: steps_of(run) > 9 * 14)
    at_work.kill()
    at_work.join()
    at_work = process(resume, "run", tmp_path)
    at_work.join()
    taken = read_steering(run)
    assert [one.command.kind for one in taken] == [kind for kind, _ in asked] + ["epochs", "rate"]
    assert [one.refused for one in taken] == [""] * 6
    assert taken[-1].step == 9 * 14

    other = prepared(tmp_path / "other", config, (run.path / COMMANDS).read_bytes())
    shutil.copy(run.path / STEERING, other.path)
    process(resume, "run", tmp_path / "other").join()
    assert (run.status().state, other.status().state) == ("finished", "finished")
    assert results(run) == results(other)
    assert [path.name for path in run.weights()] == [path.name for path in other.weights()]
    assert f"step-{taken[1].step:06d}.safetensors" in {path.name for path in run.weights()}
    for path in run.weights():
        theirs = load_file(other.path / path.name)
        assert read_info(path) == read_info(other.path / path.name)
        assert all(torch.equal(tensor, theirs[key]) for key, tensor in load_file(path).items()), path.name


def test_rates_are_the_commanded_ones_and_the_schedule_is_stretched(tmp_path, folder):
    """One cycle over 3 epochs of 4 steps, made 4 epochs long at its end, then at another rate."""
    config = training("run", folder, epochs=3, batch_size=16, lr=0.1, warmup=0.25)
    run = train(config, tmp_path)
    steps = run.status().steps_per_epoch
    ask(tmp_path, "run", "epochs", 4)
    resume("run", tmp_path)
    ask(tmp_path, "run", "epochs", 6)
    ask(tmp_path, "run", "rate", 0.03)
    resume("run", tmp_path)
    rates = [row["lr"] for row in run.steps()]

    def cycle(step: int, of: int) -> float:
        peak = 0.25 * of
        if step < peak:
            return 0.1 * (step + 1) / (math.ceil(peak) + 1)
        return 0.05 * (1 + math.cos(math.pi * (step - peak) / (of - peak)))

    expected = [cycle(step, 3 * steps) for step in range(3 * steps)]
    expected += [cycle(step, 4 * steps) for step in range(3 * steps, 4 * steps)]
    expected += [0.015 * (1 + math.cos(math.pi * step / (2 * steps))) for step in range(2 * steps)]
    assert rates == pytest.approx(expected, rel=1e-4)
    assert run.status().epochs == read_info(run.path / "last.safetensors").facts["epochs"] == 6
    assert run.config().epochs == 3
    assert "6 epochs in all" in run.log_tail(40)


def test_a_constant_rate_stays_at_the_commanded_one(tmp_path, folder):
    config = training("run", folder, epochs=2, schedule="constant")
    run = prepared(tmp_path, config, b'{"command": "rate", "value": 0.025}\n')
    resume("run", tmp_path)
    assert {row["lr"] for row in run.steps()} == {0.025}


def test_early_stopping_ends_it_and_more_epochs_go_on(tmp_path, folder):
    config = training("run", folder, epochs=20, lr=1e-9, validation_fraction=0.2)
    run = prepared(tmp_path, config, b'{"command": "patience", "value": 2}\n')
    resume("run", tmp_path)
    status, done = run.status(), len(run.metrics())
    rows = [row["Validation accuracy"] for row in run.metrics()]
    assert done == max(2, rows.index(max(rows)) + 1 + 2) < 20
    best = f"the best is epoch {rows.index(max(rows))}"
    ends = f"Stopped early after epoch {done - 1}: 2 epochs without a better validation accuracy; {best}."
    assert (status.state, status.message, status.epoch, status.epochs) == ("finished", ends, done, 20)
    assert f"early stopping ended it after {done} of 20 epochs" in alerts_of(run)[0].sentence
    with pytest.raises(LabError, match="is finished: extend it first"):
        ask(tmp_path, "run", "patience", 0)
    ask(tmp_path, "run", "epochs", done + 1)
    ask(tmp_path, "run", "patience", 0)  # now it is to go on
    resume("run", tmp_path)
    assert (run.status().state, run.status().message, len(run.metrics())) == ("finished", "", done + 1)


BAD = (
    b'{"command": "rate", "value": 0}',
    b'{"command": "rate", "value": -0.1}',
    b'{"command": "rate", "value": NaN}',
    b'{"command": "rate", "value": 1000000000}',
    b'{"command": "rate", "value": "0.1"}',
    b'{"command": "rate"}',
    b'{"command": "epochs", "value": 0}',
    b'{"command": "epochs", "value": 1.5}',
    b'{"command": "epochs", "value": 1e99}',
    b'{"command": "patience", "value": -1}',
    b'{"command": "keep", "value": 3}',
    b'{"command": "fly", "value": 1}',
    b'{"command": ["rate"], "value": {"a": []}}',
    b"[" * 900,
    b'{"command": "rate", "value": ' + b"9" * 2000 + b"}",
    b"\xff\xfe\x00PK\x03\x04",
    b"null",
)


def test_bad_commands_are_refused_in_a_sentence_each_and_the_training_goes_on(tmp_path, folder):
    config = training("run", folder, epochs=1)
    run = prepared(tmp_path, config, b"\r\n".join([*BAD, *(b"junk %d" % number for number in range(500))]) + b"\n{")
    resume("run", tmp_path)
    plain = train(config, tmp_path / "plain")
    assert results(run) == results(plain)
    assert run.status().state == "finished"
    refused = [one.refused for one in read_steering(run)]
    assert len(refused) == 20
    assert all(sentence.startswith(f"Line {n} of commands.jsonl") for n, sentence in enumerate(refused, 1))
    assert "learning rate must be a number above 0 and up to 100, not nan" in refused[2]
    assert "command must be one of epochs, rate, patience, keep, not 'fly'" in refused[11]
    log = (run.path / "train.log").read_text()
    assert all(sentence in log for sentence in refused)
    assert f"{len(BAD) + 500 - 20} more lines of commands.jsonl cannot be read." in log


@pytest.mark.parametrize("what", ["a folder", "a link to nowhere", "a folder for the answers"])
def test_what_is_no_file_steers_nothing(tmp_path, folder, what):
    run = prepared(tmp_path, training("run", folder, epochs=1))
    path = run.path / (STEERING if "answers" in what else COMMANDS)
    path.unlink(missing_ok=True)
    path.symlink_to("nowhere") if "link" in what else path.mkdir()
    resume("run", tmp_path)
    assert run.status().state == "finished"


def test_commands_that_do_not_fit_the_training_are_refused(tmp_path, folder):
    config = training("run", folder, epochs=2, validation_fraction=0.0)
    run = prepared(tmp_path, config, b'{"command": "patience", "value": 1}\n')
    resume("run", tmp_path)
    assert "no validation images" in read_steering(run)[0].refused
    with (run.path / COMMANDS).open("ab") as file:
        file.write(b'{"command": "epochs", "value": 3, "asked": 5}\n{"command": "epochs", "value": 1, "asked": 6}\n')
    ask(tmp_path, "run", "epochs", 4)
    resume("run", tmp_path)
    assert "has 2 epochs done, so 1 in all is too few: give more than 2" in read_steering(run)[2].refused
    assert len(run.metrics()) == 4


def test_what_was_taken_outlives_the_loss_of_its_file(tmp_path, folder):
    run = prepared(tmp_path, training("run", folder, epochs=2), b'{"command": "rate", "value": 0.01}\n')
    resume("run", tmp_path)
    before = read_steering(run)
    (run.path / STEERING).write_bytes(b'{"id": "x", "step": -1}\n\xff{')
    ask(tmp_path, "run", "epochs", 3)
    resume("run", tmp_path)
    assert [one.command.kind for one in read_steering(run)] == ["rate", "epochs"]
    assert read_steering(run)[0] == before[0]
    assert load_state(run.path)[0]["steering"] == [one.to_dict() for one in read_steering(run)]


@pytest.mark.parametrize(
    ("rate", "usual", "words"),
    [
        (100, 0.2, "was 100; 0.2 is this recipe's, so start again with 0.2"),
        (0.2, 0.2, "was 0.2, this recipe's, so start again with 0.02"),
        (0.05, 0.2, "was 0.05, below this recipe's 0.2 already, so start again with 0.005"),
        (3, None, "was 3, so start again with 0.3"),
    ],
)
def test_a_rate_to_try_is_a_number(rate, usual, words):
    assert rate_to_try(rate, usual) == f"the learning rate {words}"
