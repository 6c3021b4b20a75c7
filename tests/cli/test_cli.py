"""The command line as a shell sees it: exit codes, one sentence for bad input, JSON for programs."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from tiny import tiny_checkpoint
from trainings import environment, lab, start_lab, training, wait_for

from googlenet.cli.main import _parser, main
from googlenet.cli.train import train_config
from googlenet.models.presets import PRESETS, preset
from googlenet.recipes import RECIPES, TrainConfig, recipe_values
from googlenet.runs import Run

BUILD, TRAIN = ("profile", "code", "convert"), ("train", "estimate", "resume", "runs", "gradients")
COMMANDS = (*BUILD, *TRAIN, "evaluate", "select", "classify", "explain", "export", "index", "fetch")


@pytest.fixture(autouse=True, scope="module")
def here(tmp_path_factory):
    """An empty working directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("cwd"))
        yield Path.cwd()


@pytest.fixture(scope="module")
def weights(here, folder) -> Path:
    """A checkpoint for the classes of `folder`."""
    return tiny_checkpoint(here / "net.safetensors", ("blue", "green", "red"))


@pytest.fixture(scope="module")
def picture(here) -> Path:
    Image.new("RGB", (50, 40), (200, 30, 30)).save(here / "red.png")
    return here / "red.png"


def refused(*arguments: str | Path, code: int = 2) -> str:
    """The one sentence on standard error with which the command line refuses `arguments`."""
    result = lab(*arguments, cwd=Path())
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert line.endswith(".")
    return line.removeprefix("error: ")


# --- help -------------------------------------------------------------------------------------


def test_help_names_every_command():
    result = lab("--help", cwd=Path())
    assert (result.returncode, result.stderr) == (0, "")
    assert all(f"    {name}" in result.stdout for name in COMMANDS if name != "convert")
    assert "export (convert)" in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_option(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    options = [line for line in text.splitlines() if line.lstrip().startswith("--")]
    for line, after in zip(options, text.split(options[0])[1:] or [""], strict=False):
        assert len(line.split("  ")) > 2 or after, line  # an explanation beside it or on the next line
    wanted = {
        "train": "preset data recipe epochs batch-size lr seed device run checkpoints checkpoint-epochs aux-heads "
        "network optimizer momentum weight-decay schedule warmup label-smoothing flip crop-padding normalize ema "
        "norm-decay logit-norm whitening dirac trivial-augment cutmix",
        "estimate": "preset data epochs json",
        "resume": "checkpoints",
        "evaluate": "data split flip device json",
        "select": "data promote report-on-test checkpoints device json",
        "classify": "json top device csv checkpoint checkpoints",
        "explain": "class against method checkpoint out checkpoints device json",
        "profile": "json size batch paper config ch5x5 batch-norm aux-heads naive",
        "code": "config module json link",
        "convert": "json",
        "gradients": "steps seed json config",
        "runs": "checkpoints json",
        "export": "data device",
        "index": "data device json",
        "fetch": "checkpoints json",
    }[command]
    assert all(f"--{option} " in text or f"--{option}\n" in text for option in wanted.split())


def test_help_says_each_default_once_and_what_each_recipe_sets(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    values = {recipe: recipe_values(recipe, preset("cifar10")) for recipe in RECIPES}
    for field in ("epochs", "batch_size", "cutout", "ema", "validation_fraction"):
        said = ", ".join(f"{recipe}: {values[recipe][field]:g}" for recipe in RECIPES)
        assert f"(default: {said.removeprefix('default: ')})" in text
    rates = "quick: 0.02, hour: 0.02, best: 0.4, full: 0.4, note: 0.0001"
    assert f"(default: 0.2, without batch norm: 0.001, {rates})" in text
    assert "best: none, full: none, note: 299,499,699,899)" in text
    assert "None" not in text
    for option in re.split(r" (?=--[a-z])", text.partition("options:")[2]):
        assert option.count("default:") <= 1, option


# --- profile ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
def test_profile(name):
    result = lab("profile", name, cwd=Path())
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    totals = {"imagenet": "6,998,552", "cifar10-truncated": "3,494,346"}
    totals |= {"imagenet-torchvision": "6,624,904", "cifar10": "5,983,402", "cifar10-fine": "5,871,914"}
    totals |= {"cifar10-medium": "5,983,402", "cifar10-narrow": "1,502,490"}
    assert totals[name] in next(line for line in lines if line.startswith("total"))
    assert any(line.startswith("inception3a.branch3.1") for line in lines)
    assert "Multiply-adds are for one image" in lines[-1]


def test_profile_as_json(capsys):
    assert main(["profile", "imagenet", "--json", "--paper", "--batch", "32"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert (plain["params"] - plain["aux_params"], plain["batch"], plain["out_shape"]) == (6_998_552, 32, [1000, 1, 1])
    assert plain["rows"][0]["name"] == "conv1"


def test_a_reader_that_has_seen_enough(here):
    command = f"{sys.executable} -m googlenet profile imagenet | head -n 1"
    result = subprocess.run(["sh", "-c", command], env=environment(), capture_output=True, text=True, timeout=60)
    assert result.stdout.startswith("layer")
    assert result.stderr == ""


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "required"),
        (["dance"], "invalid choice: 'dance'"),
        (["profile"], "PRESET"),
        (["profile", "resnet"], "There is no preset 'resnet': choose one of imagenet"),
        (["profile", "cifar10", "--size", "0"], "height must be a whole number from 1"),
        (["profile", "cifar10", "--size", "x"], "invalid int value: 'x'"),
        (["profile", "cifar10-truncated", "--size", "64"], "use 32×32 images"),
        (["profile", "cifar10", "--paper"], "Local response normalisation belongs to the original stem"),
        (["train", "--preset", "resnet"], "invalid choice: 'resnet'"),
        (["train", "--preset", "imagenet", "--data", "shapes"], "imagenet takes 224×224 images"),
        (["train", "--recipe", "bestest"], "invalid choice: 'bestest'"),
        (["train", "--data", "no/such/folder"], "no/such/folder"),
        (["train", "--data", "shapes", "--epochs", "0"], "epochs must be a whole number from 1 to 100,000, not 0"),
        (["train", "--data", "shapes", "--batch-size", "0"], "batch size must be"),
        (["train", "--data", "shapes", "--lr", "nan"], "learning rate must be a number above 0"),
        (["train", "--data", "shapes", "--seed", "-1"], "seed must be"),
        (["train", "--data", "shapes", "--device", "tpu"], "device must be one of auto, cuda, mps, cpu"),
        (["train", "--data", "shapes", "--run", "../up"], "A run name is 1 to 64"),
        (["train", "--data", "shapes", "--checkpoint-epochs", "x"], "Checkpoint epochs are whole numbers"),
        (["train", "--data", "shapes", "--checkpoint-epochs", "10"], "There is no epoch 10 to keep"),
        (["train", "--data", "shapes", "--checkpoints", "/dev/null/x"], "cannot be written"),
        (["train", "--preset", "cifar10", "--network", "cifar10"], "--preset and --network both name a network"),
        (["train", "--network", "resnet"], "network must be one of"),
        (["train", "--data", "shapes", "--weight-decay", "2"], "weight decay must be a number from 0 to 1"),
        (["train", "--config", "none.json"], "none.json cannot be read (No such file or directory): name a JSON file"),
        (["profile", "--config", "none.json"], "none.json cannot be read (No such file or directory)"),
        (["resume", "none"], "There is no run called none"),
        (["resume", "../none"], "A run name is 1 to 64"),
        (["evaluate", "none.safetensors", "--data", "shapes"], "There is no weights file none.safetensors"),
        (["select", "none"], "There is no run called none in checkpoints"),
        (["select", "../none"], "A run name is 1 to 64"),
        (["classify", "none.safetensors", "x.png"], "There is no weights file none.safetensors"),
        (["export", "none.safetensors", "out.safetensors"], "There is no weights file none.safetensors"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_sentence_and_exit_code_2(arguments, says, capsys, here):
    before = sorted(here.rglob("*"))
    code = main(list(arguments))
    output, errors = capsys.readouterr()
    assert (code, output) == (2, "")
    (line,) = errors.splitlines()
    assert line.startswith("error: ")
    assert line.endswith(".")
    assert says in line
    assert set(here.rglob("*")) - set(before) <= {
        here / "checkpoints",
        here / "checkpoints/.trainer.lock",
    }


def test_bad_input_through_the_shell():
    assert "There is no preset 'resnet'" in refused("profile", "resnet")
    assert "see python -m googlenet" in refused("train", "--epochs", "many")


def test_a_configuration_that_is_none(here):
    result = lab("train", "--config", "-", cwd=here, stdin="{}")
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert "This training description lacks run, network" in result.stderr


# --- train, resume, runs ----------------------------------------------------------------------


def test_train_stop_resume_and_list(here, folder):
    """By options, as people do; Ctrl+C saves and exits with 0."""
    options = (
        "--preset",
        "cifar10-truncated",
        "--data",
        folder,
        "--batch-size",
        "16",
        "--lr",
        "0.001",
        "--device",
        "cpu",
    )
    options += ("--validation", "0.2", "--seed", "3", "--aux-heads", "--checkpoint-epochs", "0, 1", "--epochs", "9")
    process = start_lab("train", *options, "--run", "mine", "--checkpoints", "runs", cwd=here)
    run = Run(Path("runs"), "mine")
    wait_for(lambda: run.steps() or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "mine: stopped, in runs/mine" in output
    assert "Traceback" not in errors
    config = run.config()
    assert (config.network.name, len(config.network.aux), config.optimizer) == ("cifar10-truncated", 2, "adam")
    assert (config.batch_size, config.seed, config.validation_fraction) == (16, 3, 0.2)
    assert (config.checkpoint_epochs, config.epochs, config.device) == ((0, 1), 9, "cpu")

    result = lab("resume", "mine", "--checkpoints", "runs", cwd=here)
    assert result.returncode == 0, result.stderr
    assert re.search(r"Resumed in epoch [0-8], step [0-3] of 3\.", result.stdout)  # how far it came in the meantime
    assert "epoch 8 of 0–8 · loss" in result.stdout
    assert "mine: finished, in runs/mine" in result.stdout
    assert [row["Epoch"] for row in run.metrics()] == list(range(9))
    assert len(run.weights()) == 4

    assert "mine is finished: there is nothing to resume" in refused("resume", "mine", "--checkpoints", "runs")
    listed = json.loads(lab("runs", "--checkpoints", "runs", "--json", cwd=here).stdout)
    best = max(row["Validation accuracy"] for row in run.metrics())
    assert [alert.pop("kind") for alert in listed[0].pop("alerts")][-1] == "finished"
    said = {"problem": "", "steering": []}
    assert listed == [{"run": "mine", "state": "finished", "epoch": 9, "epochs": 9, "best": best, **said}]
    text = lab("runs", "--checkpoints", "runs", cwd=here).stdout
    line, *told = text.splitlines()
    assert line == f"mine  finished  9 of 9 epochs done  best validation accuracy {best:.2%}"
    assert told[-1].startswith("  Finished: all 9 epochs are done; the best validation accuracy is ")


def test_no_runs_yet(capsys):
    assert main(["runs", "--checkpoints", "none"]) == 0
    assert "No runs in none yet: start one with" in capsys.readouterr().out


def test_a_training_that_fails_exits_with_1(here, folder):
    config = training("fails", folder, {"batch_norm": False}, lr=100.0, epochs=40, schedule="constant")
    result = lab("train", "--config", "-", "--checkpoints", "runs", cwd=here, stdin=config.to_json())
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "the learning rate was 100, so start again with 10" in result.stderr.splitlines()[-1]
    assert Run(Path("runs"), "fails").status().state == "diverged"


def test_the_recipe_decides_what_is_not_given():
    note, short, default = (
        train_config(_parser().parse_args(["train", "--data", "shapes", *arguments]))
        for arguments in (["--recipe", "note"], ["--recipe", "note", "--epochs", "300"], [])
    )
    assert (note.network.name, note.epochs, note.batch_size, note.lr) == ("cifar10-truncated", 1000, 2048, 1e-4)
    assert (note.checkpoint_epochs, short.checkpoint_epochs) == ((299, 499, 699, 899), (299,))
    assert (default.network.name, default.recipe, default.epochs) == ("cifar10", "default", TrainConfig.epochs)
    assert note.run.startswith("cifar10-truncated-")


# --- evaluate, classify, export ---------------------------------------------------------------


def test_evaluate(weights, folder, here, capsys):
    result = lab("evaluate", weights, "--data", folder, "--json", "--device", "cpu", cwd=here)
    assert (result.returncode, result.stderr) == (0, "")
    plain = json.loads(result.stdout)
    assert (plain["n"], 0 <= plain["accuracy"] <= 1, plain["loss"] > 0) == (18, True, True)
    assert main(["evaluate", str(weights), "--data", str(folder), "--device", "cpu"]) == 0
    text = capsys.readouterr().out.splitlines()
    assert text[0].startswith(f"accuracy {plain['accuracy']:.2%} (95% interval ")
    assert text[0].endswith(f") on 18 test images of {plain['data']}")
    loss, error = plain["loss"], plain["calibration_error"]
    assert text[1] == f"negative log likelihood {loss:.4f}, calibration error {error:.2%}"
    assert [line.split()[0] for line in text[2:]] == ["blue", "green", "red"]
    low, high = plain["intervals"]["red"]
    assert text[4].split(maxsplit=1)[1] == f"{plain['per_class']['red']:.1%}  ({low:.1%} to {high:.1%})"


def test_evaluate_tells_what_the_temperature_changes(here, folder, capsys):
    scaled = tiny_checkpoint(here / "scaled.safetensors", ("blue", "green", "red"), temperature=2.0)
    assert main(["evaluate", str(scaled), "--data", str(folder), "--device", "cpu"]) == 0
    assert capsys.readouterr().out.splitlines()[2].startswith("calibrated by its temperature 2.000: negative log")


@pytest.fixture
def run(here, folder) -> Path:
    """A run of two checkpoints, the second one also its best."""
    path = here / "runs" / "chosen"
    shutil.rmtree(path, ignore_errors=True)
    for epoch in range(2):
        tiny_checkpoint(path / f"epoch-{epoch:04d}.safetensors", ("blue", "green", "red"), seed=epoch, epoch=epoch)
    shutil.copy(path / "epoch-0001.safetensors", path / "best.safetensors")
    (path / "config.json").write_text(training("chosen", folder, validation_fraction=0.3).to_json())
    return path


def test_select_prints_a_table_and_a_proposal(run, here, capsys):
    assert main(["select", "chosen", "--checkpoints", "runs", "--device", "cpu", "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert [row["names"] for row in plain["rows"]] == [["chosen/epoch-0000"], ["chosen/epoch-0001", "chosen/best"]]
    assert main(["select", "chosen", "--checkpoints", "runs"]) == 0
    text = capsys.readouterr().out.splitlines()
    assert text[0].split()[:4] == ["checkpoint", "epoch", "train", "validation"]
    names = [row["names"][0] for row in plain["rows"]]
    assert all(line[2:].startswith(name) for line, name in zip(text[1:], names, strict=False))
    assert [line[0] == "→" for line in text[1:3]] == [name == plain["proposed"] for name in names]
    assert text[3] == "Judged on the 18 images of folder colours that the training held out."
    assert text[4] == plain["overfitting"]
    lead = f", {plain['lead']}" if plain["lead"] else ""
    assert f"Proposed: {plain['proposed']}{lead}." in text


def test_select_promotes_and_reports(run, here, capsys):
    from googlenet.inference.selection import weights_digest
    from googlenet.models.weights import read_info

    options = ["select", "chosen", "--checkpoints", "runs", "--device", "cpu"]
    assert main([*options, "--promote", "epoch-0000", "--report-on-test"]) == 0
    output, errors = capsys.readouterr()
    assert "best.safetensors is chosen/epoch-0000 now; temperature" in output
    assert "chosen/epoch-0000 on test, recorded:\naccuracy" in output
    assert "on the 18 test images of folder colours" in output
    assert errors == ""
    assert weights_digest(run / "best.safetensors") == weights_digest(run / "epoch-0000.safetensors")
    assert read_info(run / "best.safetensors").facts["temperature"] > 0
    assert main([*options, "--report-on-test", "chosen/best", "--json"]) == 0
    output, errors = capsys.readouterr()
    assert json.loads(output)["test"]["checkpoint"] == "chosen/best"
    (line,) = errors.splitlines()
    assert line.startswith("Its test images were used before, last on ")
    assert line.endswith("for chosen/epoch-0000: do not choose by them.")


def test_classify(weights, picture, here, capsys):
    (here / "text.png").write_text("not a picture")
    result = lab("classify", weights, picture, "text.png", "--json", "--device", "cpu", cwd=here)
    assert result.returncode == 2
    good, bad = json.loads(result.stdout)
    assert good["file"] == str(picture)
    assert sum(good["probabilities"].values()) == pytest.approx(1)
    assert "text.png" in bad["error"]
    assert main(["classify", str(weights), str(picture), "--top", "1", "--device", "cpu"]) == 0
    name, share = max(good["probabilities"].items(), key=lambda pair: pair[1])
    assert capsys.readouterr().out == f"{picture}: {name} {share:.1%}\n"


def test_classify_says_in_a_word_that_probabilities_are_scaled(picture, here, capsys):
    scaled = tiny_checkpoint(here / "scaled.safetensors", ("blue", "green", "red"), temperature=2.0)
    assert main(["classify", str(scaled), str(picture), "--device", "cpu"]) == 0
    assert capsys.readouterr().out.endswith("% (calibrated)\n")
    assert main(["classify", str(scaled), str(picture), "--device", "cpu", "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["temperature"] == 2


def test_export(weights, folder, here, capsys):
    assert main(["export", str(weights), "out.safetensors", "--data", str(folder), "--device", "cpu"]) == 0
    assert "out.safetensors: test accuracy" in capsys.readouterr().out
    assert (here / "out.safetensors").stat().st_size < weights.stat().st_size
    from googlenet.models.weights import read_info

    facts = read_info(here / "out.safetensors").facts
    assert set(facts) >= {"test_accuracy", "test_loss", "test_calibration_error", "test_accuracy_flip"}
    assert "temperature" not in facts  # which images its training held out is not known


def test_export_of_a_runs_checkpoint_fits_its_temperature(run, folder, here, capsys):
    from googlenet.models.weights import read_info

    weights = run / "best.safetensors"
    assert main(["export", str(weights), "out.safetensors", "--data", str(folder), "--device", "cpu"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    facts = read_info(here / "out.safetensors").facts
    assert second.startswith(f"temperature {facts['temperature']:.3f}, fitted on 18 images: calibration error ")
    assert first.endswith(f"calibration error {facts['test_scaled_calibration_error']:.2%}")
    assert main(["evaluate", "out.safetensors", "--data", str(folder), "--json", "--device", "cpu"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["accuracy"] == facts["test_accuracy"]
    assert plain["scaled_loss"] == pytest.approx(facts["test_scaled_loss"])
    assert "temperature" not in read_info(weights).facts


def test_a_target_that_cannot_be_written(weights, folder, capsys):
    assert main(["export", str(weights), "none/out.safetensors", "--data", str(folder), "--device", "cpu"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: none/")
    assert "No such file or directory" in line
