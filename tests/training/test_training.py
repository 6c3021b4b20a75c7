"""The engine: what it computes against loops written by hand, and what it leaves on disk."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from tiny import tiny_config
from torch.nn import functional as F
from trainings import AUX, environment, files, results, training

import googlenet
from googlenet.data.augment import epoch_generator, normalize
from googlenet.data.datasets import load_images, split_validation
from googlenet.inference.selection.judges import judges_of
from googlenet.models.device import autocast
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.weights import load_weights, read_info
from googlenet.recipes import TrainConfig, make_train_config
from googlenet.runs import METRICS, Diverged, Run
from googlenet.runs.figure.curves import note_figure
from googlenet.training.batches import Batches
from googlenet.training.engine import Trainer
from googlenet.training.optim import learning_rate, make_optimizer
from googlenet.training.reporting.reporter import Reporter
from googlenet.training.session import TrainingFailed, train
from googlenet.training.signals import StopRequest

CPU = torch.device("cpu")
PLAIN = {
    "momentum": 0.0,
    "weight_decay": 0.0,
    "schedule": "constant",
    "label_smoothing": 0.0,
    "flip": False,
    "crop_padding": 0,
    "normalize": False,
    "validation_fraction": 0.0,
}


@pytest.fixture(autouse=True, scope="module")
def _elsewhere(tmp_path_factory):
    """Caches go to data/ of the working directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("cwd"))
        yield


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def finished(runs, folder) -> Run:
    """One training from start to end, for all tests that only look at what it left."""
    return train(training("finished", folder, epochs=6, checkpoint_epochs=(1, 3)), runs)


def trainer(config: TrainConfig, tmp_path: Path) -> Trainer:
    run = Run(tmp_path, config.run)
    run.create(config)
    return Trainer(config, load_images(config.data), run, Reporter(run), StopRequest())


# --- what is on disk afterwards ---------------------------------------------------------------


def test_it_learns(finished):
    first, *_, last = finished.metrics()
    assert last["Loss"] < first["Loss"] * 0.7
    assert last["Validation accuracy"] > 0.8
    assert googlenet.evaluate(finished.path / "best.safetensors", finished.config().data).accuracy > 0.8


def test_the_run_directory_holds_what_was_agreed(finished):
    weights = {"best.safetensors", "last.safetensors", "epoch-0001.safetensors", "epoch-0003.safetensors"}
    texts = {"config.json", "status.json", "metrics.csv", "steps.jsonl", "train.log", "curves.png"}
    texts |= {"samples.json", "answers.jsonl"}
    assert files(finished) == weights | texts | {"resume.pt", "resume-previous.pt"}
    assert finished.config() == TrainConfig.from_json((finished.path / "config.json").read_text())


def test_metrics(finished):
    with (finished.path / "metrics.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header[:3] == ["Epoch", "Accuracy", "Loss"]
    assert tuple(header) == METRICS
    assert [int(row[0]) for row in rows] == list(range(6))
    assert all(float(cell) >= 0 for row in rows for cell in row if cell)  # none of a GPU
    assert all(row["Images/s"] > 0 for row in finished.metrics())


def test_steps(finished):
    lines = (finished.path / "steps.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["step"] for row in rows] == list(range(1, 6 * 4 + 1))  # 54 images in batches of 16
    assert [row["epoch"] for row in rows][:5] == [0.25, 0.5, 0.75, 1.0, 1.25]
    assert all(set(row) == {"step", "epoch", "loss", "objective", "lr"} for row in rows)
    rates = [learning_rate(finished.config(), step, 24) for step in range(24)]
    assert [row["lr"] for row in rows] == pytest.approx(rates, rel=1e-5)


def test_status(finished):
    status = finished.status()
    assert (status.state, status.epoch, status.epochs, status.step) == ("finished", 6, 6, 0)
    assert (status.steps_per_epoch, status.progress, status.active) == (4, 1.0, False)
    assert status.data == "folder colours"
    assert status.device.startswith("CPU")


def test_log(finished):
    log = finished.log_tail(20)
    assert "54 training images, 4 steps an epoch, 6 epochs" in log
    assert log.count("validation loss") == 6
    assert "Traceback" not in log


def test_the_figure_is_the_notes():
    figure, loss, accuracy = note_figure()
    assert figure.get_size_inches().tolist() == [15, 7]
    assert (figure.get_suptitle(), accuracy.get_xlabel()) == ("GoogLeNet Metrics by Epoch", "EPOCHS")
    assert [panel.get_ylabel() for panel in figure.axes] == ["Loss", "Accuracy"]
    assert loss.get_position().y0 > accuracy.get_position().y0


def test_the_figure_is_a_picture(finished):
    with Image.open(finished.path / "curves.png") as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.size == (1800, 840)
        assert len(picture.convert("RGB").getcolors(1_000_000)) > 10


def test_weights_know_all_that_classifying_needs(finished, folder):
    images = load_images(str(folder))
    row = finished.metrics()[3]
    info = read_info(finished.path / "epoch-0003.safetensors")
    assert info.classes == ("blue", "green", "red")
    assert (info.mean, info.std) == (images.mean, images.std)
    assert info.network == finished.config().network
    assert info.facts == {
        "run": "finished",
        "recipe": "default",
        "data": "folder colours",
        "synthetic": False,
        "seed": 0,
        "split_by": "content",
        "epoch": 3,
        "epochs": 6,
        "train_accuracy": row["Accuracy"],
        "train_loss": row["Loss"],
        "validation_accuracy": row["Validation accuracy"],
        "validation_loss": row["Validation loss"],
        "versions": {"googlenet": googlenet.__version__, "torch": torch.__version__},
    }
    assert set(googlenet.Classifier(finished.path / "best.safetensors").classify(Image.new("RGB", (9, 5)))) == {
        "blue",
        "green",
        "red",
    }


def test_the_best_epoch_is_the_first_with_the_highest_validation_accuracy(finished):
    rows = finished.metrics()
    best = max(rows, key=lambda row: row["Validation accuracy"])
    facts = read_info(finished.path / "best.safetensors").facts
    assert (facts["epoch"], facts["validation_accuracy"]) == (best["Epoch"], best["Validation accuracy"])
    assert read_info(finished.path / "last.safetensors").facts["epoch"] == 5


def test_what_validation_reports_is_what_the_weights_do(finished, folder):
    """The images that were held out, through the weights file, in evaluation mode."""
    model, info = load_weights(finished.path / "epoch-0003.safetensors")
    images = load_images(str(folder))
    _, held_out = split_validation(images.train, 0.1, 0)
    labels = images.train.labels[held_out]
    batch = normalize(images.train.images[held_out], torch.tensor(info.mean), torch.tensor(info.std))
    with torch.inference_mode(), autocast(CPU):
        logits = model.to(memory_format=torch.channels_last)(batch).float()
    row = finished.metrics()[3]
    assert row["Validation loss"] == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-3)
    assert row["Validation accuracy"] == pytest.approx((logits.argmax(1) == labels).float().mean().item(), abs=1e-6)


def test_no_image_that_trained_a_run_judges_it(finished, folder):
    """By whichever rule the run held images out: runs from before did so by position."""
    images = load_images(str(folder))
    for rule in ("content", "position"):
        config = dataclasses.replace(finished.config(), split_by=rule)
        batches = Batches(images, config, CPU)
        assert torch.equal(judges_of(config, images).choose.images, batches.validation[0])
        trained = set(map(tuple, batches.images.flatten(1).tolist()))
        assert not trained & set(map(tuple, judges_of(config, images).choose.images.flatten(1).tolist()))


# --- seeds ------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_curve_and_weights(finished, runs):
    again = train(dataclasses.replace(finished.config(), run="again"), runs)
    assert results(again) == results(finished)
    (mine, _), (theirs, _) = (load_weights(run.path / "last.safetensors") for run in (again, finished))
    assert all(map(torch.equal, mine.state_dict().values(), theirs.state_dict().values()))


def test_another_seed_gives_another_curve(finished, runs):
    other = train(dataclasses.replace(finished.config(), run="other", seed=1, epochs=1, checkpoint_epochs=()), runs)
    assert results(other)[0][0]["Loss"] != results(finished)[0][0]["Loss"]


# --- the arithmetic of a step -----------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_is_smoothed_cross_entropy_plus_weighted_heads(tmp_path, folder, smoothing):
    heads = (dataclasses.replace(AUX[0], dropout=0.0),)
    config = training("r", folder, {"dropout": 0.0, "aux": heads, "aux_weight": 0.4}, label_smoothing=smoothing)
    subject = trainer(config, tmp_path)
    images, labels = subject.batches.images[:16], subject.batches.labels[:16]
    with torch.no_grad(), autocast(CPU):
        output = subject.model.train()(normalize(images, subject.batches.mean, subject.batches.std))

    def by_hand(logits: torch.Tensor) -> float:
        share = logits.double().softmax(1)
        wanted = torch.full_like(share, smoothing / 3)
        wanted[range(16), labels] += 1 - smoothing
        return float(-(wanted * share.log()).sum(1).mean())

    expected = by_hand(output.logits) + 0.4 * by_hand(output.aux[0])
    subject.train_step(images, labels, 0.01)
    plain, correct, shown, loss, head = subject.record.sums.tolist()
    assert head == pytest.approx(F.cross_entropy(output.aux[0].float(), labels, reduction="sum").item(), rel=1e-4)
    assert loss == pytest.approx(expected, rel=1e-4)
    assert shown == pytest.approx(plain / 16)
    # What is reported for the epoch has neither smoothing nor heads in it.
    assert plain == pytest.approx(F.cross_entropy(output.logits.float(), labels, reduction="sum").item(), rel=1e-4)
    assert correct == (output.logits.argmax(1) == labels).sum()


def test_weight_decay_spares_biases_and_batch_norm():
    groups = make_optimizer(GoogLeNet(tiny_config()), training("r", "shapes", weight_decay=0.01)).param_groups
    assert [group["weight_decay"] for group in groups] == [0.01, 0.0]
    assert {p.dim() for p in groups[0]["params"]} == {2, 4}
    assert {p.dim() for p in groups[1]["params"]} == {1}


def test_one_cycle_rises_in_a_line_and_falls_in_a_cosine():
    config = training("r", "shapes", lr=1.0, warmup=0.25)
    rates = [learning_rate(config, step, 40) for step in range(40)]
    assert rates[:10] == pytest.approx([(i + 1) / 11 for i in range(10)])
    assert rates[10:] == pytest.approx([(1 + math.cos(math.pi * i / 30)) / 2 for i in range(30)])
    for warmup in (0, 1):
        edge = dataclasses.replace(config, warmup=warmup)
        assert all(0 < learning_rate(edge, step, 7) <= 1 for step in range(7))
    assert {learning_rate(dataclasses.replace(config, schedule="constant"), step, 9) for step in range(9)} == {1.0}


def by_hand(config: TrainConfig, optimizer: type[torch.optim.Optimizer]) -> tuple[list[float], GoogLeNet]:
    """The loop of a textbook, float32 and default layout: the loss of every step, and the network."""
    images = load_images(config.data)
    torch.manual_seed(config.seed)
    model = GoogLeNet(config.network).train()
    optimizer = optimizer(model.parameters(), lr=config.lr)
    losses = []
    for epoch in range(config.epochs):
        order = torch.randperm(len(images.train.labels), generator=epoch_generator(config.seed, epoch))
        for chosen in order.split(config.batch_size):
            loss = F.cross_entropy(model(images.train.images[chosen] / 255), images.train.labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses, model


def test_the_curve_is_that_of_a_textbook_loop(runs, folder):
    """Channels last, fused steps, batches by index and bfloat16 where it is native: none of them changes the maths."""
    config = training("textbook", folder, {"dropout": 0.0, "aux": ()}, epochs=5, lr=0.02, **PLAIN)
    losses, _ = by_hand(config, torch.optim.SGD)
    ours = [row["loss"] for row in train(config, runs).steps()]
    assert len(ours) == len(losses) == 20
    assert losses[-1] < losses[0] * 0.9
    assert ours == pytest.approx(losses, rel=0.02)


def test_the_notes_recipe_to_the_letter(runs, folder):
    """Adam 1e-4, a batch of 2,048, all images, nothing held out, no augmentation, ToTensor only."""
    network = tiny_config(batch_norm=False, dropout=0.0)
    config = make_train_config(
        "note", network, "note", data=str(folder), epochs=4, checkpoint_epochs=(1,), device="cpu"
    )
    losses, model = by_hand(config, torch.optim.Adam)
    run = train(config, runs)
    assert [row["loss"] for row in run.steps()] == pytest.approx(losses, rel=2e-3)
    assert len(losses) == 4  # one batch an epoch: the batch is larger than the data
    for row, loss in zip(run.metrics(), losses, strict=True):
        assert row["Loss"] == pytest.approx(loss, rel=2e-3)
        assert (row["Validation accuracy"], row["Validation loss"], row["Learning rate"]) == (None, None, 1e-4)
    ours, info = load_weights(run.path / "last.safetensors")
    for name, tensor in model.state_dict().items():
        # Adam's first steps have the size of the rate whatever the gradient: a flipped sign shows as 8e-4.
        torch.testing.assert_close(ours.state_dict()[name], tensor, rtol=0, atol=3e-4, msg=name)
    assert (info.mean, info.std) == ((0.0,) * 3, (1.0,) * 3)
    assert {"best.safetensors"}.isdisjoint(files(run))
    assert {"epoch-0001.safetensors", "last.safetensors"} <= files(run)
    assert "No validation" in run.log_tail(20)
    assert (run.path / "metrics.csv").read_text().startswith("Epoch,Accuracy,Loss,")


# --- averaged weights -------------------------------------------------------------------------


def test_averaged_weights_follow_their_definition(tmp_path, folder):
    subject = trainer(training("r", folder, ema=0.6, lr=0.5), tmp_path)
    expected = {name: tensor.clone() for name, tensor in subject.model.state_dict().items()}
    for step in range(1, 9):
        subject.advance(*subject.batches.take(0, step % 3))
        decay = min(0.6, (1 + step) / (10 + step))
        for name, tensor in subject.model.state_dict().items():
            if tensor.is_floating_point():
                expected[name] = decay * expected[name] + (1 - decay) * tensor
    for name, tensor in subject.average.model.state_dict().items():
        if tensor.is_floating_point():
            torch.testing.assert_close(tensor, expected[name], rtol=1e-4, atol=1e-6, msg=name)
    assert not torch.equal(subject.average.model.fc.weight, subject.model.fc.weight)


def test_averaged_weights_are_those_that_are_judged_and_kept(runs, folder):
    run = train(training("averaged", folder, ema=0.9, epochs=2, checkpoint_epochs=(1,)), runs)
    kept, _ = load_weights(run.path / "epoch-0001.safetensors")
    state = torch.load(io.BytesIO((run.path / "resume.pt").read_bytes()[:-32]), weights_only=True)
    assert torch.equal(kept.fc.weight, state["average"]["fc.weight"])
    assert not torch.equal(kept.fc.weight, state["model"]["fc.weight"])


# --- odd sizes --------------------------------------------------------------------------------


@pytest.mark.parametrize(("batch_size", "steps"), [(59, 1), (60, 1), (61, 1), (16, 4), (7, 9), (30, 2)])
def test_a_last_image_alone_joins_the_batch_before(tmp_path, folder, batch_size, steps):
    """Batch norm cannot average one value; with 60 images, batches of 59 leave one over."""
    # The head's map is 1×1, where batch norm really refuses a single image.
    heads = (dataclasses.replace(AUX[0], adaptive=1),)
    config = training("r", folder, {"aux": heads}, batch_size=batch_size, validation_fraction=0.0, epochs=1)
    subject = trainer(config, tmp_path)
    assert (subject.count, subject.steps) == (60, steps)
    subject.train_epoch()
    assert subject.position.total == steps


def test_images_of_one_colour_channel_only(tmp_path):
    """A channel that never changes has a deviation of 0, and nothing may be divided by it."""
    for split in ("train", "test"):
        for name, level in (("dark", 40), ("light", 200)):
            (tmp_path / "grey" / split / name).mkdir(parents=True)
            for i in range(4):
                Image.new("RGB", (32, 32), (level + 5 * i, 0, 255)).save(tmp_path / f"grey/{split}/{name}/{i}.png")
    run = train(training("red", tmp_path / "grey", epochs=1, batch_size=4), tmp_path / "runs")
    assert run.status().state == "finished"
    assert all(map(math.isfinite, read_info(run.path / "last.safetensors").std))


# --- divergence -------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "muon"])
@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_loss_that_is_no_number_never_reaches_the_weights(tmp_path, folder, optimizer, poison):
    subject = trainer(training("r", folder, {"batch_norm": optimizer == "muon"}, optimizer=optimizer), tmp_path)
    batch = subject.batches.images[:16], subject.batches.labels[:16]
    subject.advance(*batch)  # so that the optimizer has a state to spoil
    with torch.no_grad():
        subject.model.fc.bias[0] = poison
    before = {name: tensor.clone() for name, tensor in subject.model.state_dict().items()}
    moments = [t.clone() for state in subject.optimizer.state.values() for t in state.values()]
    tried = {"adam": r"was 0\.1; 0\.001 is this recipe's"}.get(optimizer, r"was 0\.1, so start again with 0\.01")
    with pytest.raises(Diverged, match=rf"The loss became (nan|inf) in epoch 0, step 1: the learning rate {tried}"):
        subject.advance(*batch)
    for name, tensor in subject.model.state_dict().items():
        if "running" not in name and "tracked" not in name:  # of batch norm: what was seen, not what was learned
            torch.testing.assert_close(tensor, before[name], rtol=0, atol=0, equal_nan=True, msg=name)
    after = [t for state in subject.optimizer.state.values() for t in state.values()]
    assert all(map(torch.equal, moments, after))


def test_a_rate_too_high_ends_in_diverged_and_spares_the_best_weights(runs, folder):
    config = training(
        "diverged", folder, {"batch_norm": False, "aux": ()}, epochs=40, lr=100.0, warmup=1.0, label_smoothing=0.0
    )
    with pytest.raises(
        TrainingFailed, match=r"in epoch \d+, step \d+: the learning rate was 100, so start again with 10"
    ):
        train(config, runs)
    run = Run(runs, "diverged")
    status = run.status()
    assert (status.state, status.active) == ("diverged", False)
    assert "the best weights so far are untouched" in status.message
    assert status.message in run.log_tail()
    rows = run.metrics()
    assert 0 < len(rows) < 40
    for path in run.weights():
        model, _ = load_weights(path)
        assert all(torch.isfinite(tensor).all() for tensor in model.state_dict().values()), path.name
    facts = read_info(run.path / "best.safetensors").facts
    assert facts["validation_accuracy"] == max(row["Validation accuracy"] for row in rows)
    with pytest.raises(googlenet.LabError, match=r"is diverged.* so start again with 10"):
        googlenet.resume("diverged", runs)


@pytest.mark.parametrize("method", ["save", "finish_epoch"])
def test_weights_that_are_no_numbers_are_never_written(tmp_path, folder, method):
    """A finite loss can have an infinite gradient: the weights are looked at before they are kept."""
    subject = trainer(training("r", folder, checkpoint_epochs=(0,)), tmp_path)
    subject.record.save()
    before = {path.name: path.read_bytes() for path in subject.record.run.path.iterdir()}
    with torch.no_grad():
        subject.model.conv1.conv.weight[0, 0, 0, 0] = math.inf
    with pytest.raises(Diverged, match="became infinite"):
        subject.record.save() if method == "save" else subject.finish_epoch({"Validation accuracy": 1.0})
    assert {path.name: path.read_bytes() for path in subject.record.run.path.iterdir()} == before


# --- being used from Python -------------------------------------------------------------------


def test_a_training_leaves_the_signals_as_they_were(finished):
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def of_torch() -> tuple[object, ...]:
    """What a training sets for the whole process."""
    return (
        torch.backends.cudnn.benchmark,
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.get_rng_state().tolist(),
        torch.get_num_threads(),
        dict(os.environ),
    )


@pytest.mark.parametrize(("state", "epochs", "lr"), [("finished", 1, 0.1), ("diverged", 40, 100.0)])
def test_a_training_leaves_torch_and_the_environment_as_they_were(folder, tmp_path, monkeypatch, state, epochs, lr):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        torch.manual_seed(99)
        before = of_torch()
        network = {"batch_norm": False, "aux": ()}
        config = training("r", folder, network, epochs=epochs, lr=lr, warmup=1.0, label_smoothing=0.0)
        with contextlib.suppress(TrainingFailed):
            train(config, tmp_path)
        assert Run(tmp_path, "r").status().state == state
        assert of_torch() == before
    finally:
        torch.use_deterministic_algorithms(False)


def test_as_a_library_it_leaves_the_allocator_alone(folder, tmp_path):
    """mallopt holds for a whole process, so only the lab's own ask for it."""
    code = """
import ctypes, sys
real, options = ctypes.CDLL, []
class CDLL(real):
    def __getattr__(self, name):
        options.append(name)
        return super().__getattr__(name)
ctypes.CDLL = CDLL
import googlenet
from googlenet.recipes import TrainConfig
run = googlenet.train(TrainConfig.from_json(sys.argv[1]), sys.argv[2])
googlenet.evaluate(run.path / "last.safetensors", run.config().data)
assert "mallopt" not in options, options
sys.argv = ["googlenet", "runs"]
from googlenet import __main__
__main__.run()
assert "mallopt" in options
"""
    command = [sys.executable, "-c", code, training("r", folder, epochs=1).to_json(), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment(), timeout=120)
    assert result.returncode == 0, result.stderr


def test_a_name_that_is_taken(finished, runs):
    with pytest.raises(googlenet.LabError, match="There is already a run called finished: resume it or choose"):
        train(finished.config(), runs)


def test_a_directory_that_is_no_run(folder, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(googlenet.LabError, match="already exists and is not a run: choose another name"):
        train(training("mine", folder), tmp_path)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_too_few_images(tmp_path):
    for split in ("train", "test"):
        (tmp_path / "few" / split / "one").mkdir(parents=True)
        Image.new("RGB", (32, 32)).save(tmp_path / "few" / split / "one" / "a.png")
    with pytest.raises(TrainingFailed, match="Training needs at least 2 images"):
        train(training("few", tmp_path / "few"), tmp_path / "runs")
