"""The 1,000-class network: fetched from a server of torchvision's manners, converted, asked. No internet is needed."""

from __future__ import annotations

import dataclasses
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from fake_torchvision import Server, as_file, network, serving
from PIL import Image
from torchvision.models import GoogLeNet_Weights
from torchvision.transforms import functional as TF

from googlenet.cli.main import main
from googlenet.data.images import fit_image
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.imagenet import FILE, convert, fetch
from googlenet.inference.imagenet.convert import class_names
from googlenet.inference.imagenet.fetch import OTHER_ADDRESS
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.presets import preset
from googlenet.models.weights import add_facts, load_weights, read_info
from googlenet.runs import find_checkpoint, list_checkpoints
from googlenet.ui.classify import view

CATEGORIES = GoogLeNet_Weights.IMAGENET1K_V1.meta["categories"]


@pytest.fixture(scope="module")
def theirs() -> torch.nn.Module:
    return network()


@pytest.fixture(scope="module")
def published(theirs: torch.nn.Module) -> bytes:
    return as_file(theirs)


@pytest.fixture(scope="module")
def fetched(published: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoints folder into which the command has fetched the network."""
    checkpoints = tmp_path_factory.mktemp("fetched") / "checkpoints"
    with serving(published) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv(OTHER_ADDRESS, server.url)
        assert main(["fetch", "imagenet", "--checkpoints", str(checkpoints)]) == 0
        assert main(["fetch", "imagenet", "--checkpoints", str(checkpoints)]) == 0
        assert server.asked == 1  # the second time it was there
    return checkpoints


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch):
    """Makes `fetch` ask a server."""
    return lambda server: monkeypatch.setenv(OTHER_ADDRESS, server.url)


# --- the network --------------------------------------------------------------------------------


def test_it_is_torchvisions_to_the_bit(theirs):
    ours = GoogLeNet(preset("imagenet-torchvision", aux_heads=True)).eval()
    shapes = {name: tensor.shape for name, tensor in theirs.state_dict().items()}
    assert {name: tensor.shape for name, tensor in ours.state_dict().items()} == shapes  # with the heads'
    ours.load_state_dict(theirs.state_dict())
    images = torch.rand(2, 3, 224, 224)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normalised = (images - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    with torch.inference_mode():
        transformed = theirs._transform_input(normalised)
        torch.testing.assert_close(transformed, (images - 0.5) / 0.5, rtol=0, atol=1e-6)
        assert torch.equal(ours(transformed), theirs(normalised))


def test_fetched_weights_answer_like_torchvision(theirs, fetched):
    model, info = load_weights(fetched / FILE)
    assert not any(name.startswith("aux") for name in model.state_dict())
    assert (info.mean, info.std, info.resize, info.temperature) == ((0.5,) * 3, (0.5,) * 3, 256, 1)
    assert (info.facts["quoted_accuracy"], info.facts["quoted_top5"]) == pytest.approx((0.69778, 0.8953))
    assert "BSD" in info.facts["licence"]
    assert "googlenet-1378be20.pth" in info.facts["source"]
    assert [entry.name for entry in fetched.iterdir()] == [FILE]  # no pickle, nothing half

    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).resize((600, 400))
    answer = Classifier(fetched / FILE, "cpu").answer(picture)
    pixels = GoogLeNet_Weights.IMAGENET1K_V1.transforms()(picture)
    with torch.inference_mode():
        logits = theirs(pixels[None])[0]
    torch.testing.assert_close(answer.logits, logits, rtol=1e-3, atol=1e-3 * float(logits.abs().max()))
    assert next(iter(answer.probabilities)) == info.classes[int(logits.argmax())]
    assert len(answer.probabilities) == 1000


# --- its preparation and its names --------------------------------------------------------------


@pytest.mark.parametrize("size", [(600, 400), (333, 517), (256, 256), (224, 224), (90, 41), (300, 1)])
def test_pictures_are_prepared_as_torchvision_does(size):
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (*size[::-1], 3), np.uint8))
    theirs = TF.center_crop(TF.resize(picture, [256], antialias=True), [224])
    ours = fit_image(picture, 224, 256)
    difference = np.abs(np.asarray(ours).astype(int) - np.asarray(theirs))
    assert (ours.size, difference.max() <= 1) == ((224, 224), True)
    assert (difference > 0).mean() < 0.01


def test_the_page_says_how_it_was_prepared():
    assert view.preparation((1024, 768), 224, 256) == "1,024 × 768 → shorter side to 256, centre crop 224"
    assert view.preparation((224, 224), 224, 256) == "224 × 224 → shorter side to 256, centre crop 224"
    assert view.preparation((1024, 768), 32) == "1,024 × 768 → shorter side to 32, centre crop"


@pytest.mark.parametrize("resize", [223, 4096, 256.5, "256", True, [256]])
def test_a_resize_that_makes_no_sense_is_refused(fetched, tmp_path, resize):
    with pytest.raises(LabError, match="resize must be a whole number from 224 to 2,048"):
        dataclasses.replace(read_info(fetched / FILE), facts={"resize": resize})


def test_every_class_has_a_name_of_its_own(fetched):
    classes = read_info(fetched / FILE).classes
    assert len(set(classes)) == 1000
    assert (classes[134], classes[517]) == ("crane (bird)", "crane (machine)")
    assert (classes[638], classes[639]) == ("maillot", "maillot (tank suit)")
    assert [ours for ours, theirs in zip(classes, CATEGORIES, strict=True) if ours != theirs] == [
        "crane (bird)",
        "crane (machine)",
        "maillot (tank suit)",
    ]
    old = list(CATEGORIES)
    old[134], old[639] = "crane", "maillot"  # torchvision's list as it was
    assert class_names(old) == classes
    assert class_names(["a", "a (2)", "a", "a"]) == ("a", "a (2)", "a (3)", "a (4)")
    with pytest.raises(LabError, match="Two classes are called 'cat'"):
        dataclasses.replace(read_info(fetched / FILE), classes=("cat",) * 1000)


# --- bringing it here ---------------------------------------------------------------------------


def refused(checkpoints: Path) -> str:
    """The sentence; nothing may be left in the folder."""
    with pytest.raises(LabError) as refusal:
        fetch(checkpoints)
    assert not checkpoints.exists() or list(checkpoints.iterdir()) == []
    return str(refusal.value)


def test_another_hash_is_refused(at, tmp_path):
    with serving(b"something else", name="googlenet-1378be20.pth") as server:
        at(server)
        assert "its hash is another" in refused(tmp_path)


def test_a_connection_that_breaks_off(at, tmp_path):
    with serving(bytes(3_000_000)) as server:
        at(server)
        server.cut = 2_000_000
        assert "the connection broke off after 2 of 3 MB): try again." in refused(tmp_path)


def test_offline(at, tmp_path):
    at(Server(b"", "http://127.0.0.1:9/googlenet-1378be20.pth"))
    assert refused(tmp_path) == (
        "The 1,000-class network could not be downloaded (Connection refused): connect to the internet and try again."
    )


class Trap:
    """A pickle that would run code."""

    def __reduce__(self):
        return (Path.touch, (Path("/tmp/googlenet-trap"),))


@pytest.mark.parametrize("content", [b"no pickle", pickle.dumps(Trap()), pickle.dumps({"a": Trap()})])
def test_what_holds_no_weights_is_refused_and_runs_nothing(at, tmp_path, content):
    with serving(content) as server:
        at(server)
        assert "what arrived holds no weights" in refused(tmp_path)
    assert not Path("/tmp/googlenet-trap").exists()


def test_weights_of_another_network(theirs, tmp_path):
    state = {
        name: tensor for name, tensor in theirs.state_dict().items() if name != "inception4b.branch3.1.conv.weight"
    }
    with pytest.raises(LabError, match="not the weights of torchvision's GoogLeNet"):
        convert(state, tmp_path / FILE)
    assert list(tmp_path.iterdir()) == []


def test_weights_older_than_the_counters_of_batch_norm(theirs, tmp_path):
    state = {name: t for name, t in theirs.state_dict().items() if not name.endswith("num_batches_tracked")}
    convert(state, tmp_path / FILE)
    load_weights(tmp_path / FILE)


def test_cancelling_leaves_nothing(at, tmp_path):
    class Cancelled(Exception):
        pass

    said = []

    def report(share: float, text: str) -> None:
        said.append(text)
        if share > 0.3:
            raise Cancelled

    with serving(bytes(3_000_000)) as server:
        at(server)
        with pytest.raises(Cancelled):
            fetch(tmp_path, report)
    assert (list(tmp_path.iterdir()), said[0]) == ([], "Downloading 0 of 3 MB")


def test_a_folder_or_disk_that_takes_nothing(at, tmp_path, published, monkeypatch):
    closed = tmp_path / "closed"
    closed.touch()
    with serving(published) as server:
        at(server)
        with pytest.raises(LabError, match="The checkpoints folder cannot be written to"):
            fetch(closed)
        monkeypatch.setattr("os.access", lambda *_: False)
        assert "cannot be written to: give the lab the permission" in refused(tmp_path / "locked")
        monkeypatch.undo()
        at(server)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
        assert "The disk has 1 MB left" in refused(tmp_path / "full")
        assert server.asked == 0  # all of it before the download
        monkeypatch.undo()
        at(server)

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        assert "could not be written to the checkpoints folder (No space left on device)" in refused(tmp_path / "now")


# --- among the others ---------------------------------------------------------------------------


def test_it_is_listed_after_the_shipped_one_and_says_whose_figures_it_quotes(fetched):
    names = [checkpoint.name for checkpoint in list_checkpoints(fetched)]
    assert names[-1] == "imagenet-torchvision"
    assert set(names[:-1]) <= {"googlenet-cifar10"}  # which comes with the lab, not with its repository
    found = find_checkpoint(fetched, "imagenet-torchvision")
    assert found.label == "imagenet-torchvision, 69.8% quoted"
    cards = view._cards(found)
    assert cards[0][:2] == ("Quoted accuracy", "69.8%")
    assert "torchvision says" in cards[0][2]
    assert ("Data set", "ImageNet-1K", "1,000 classes") in cards
    assert len(str(view.facts(found))) < 4000  # the classes' list is cut short


def test_the_command_answers_with_it(fetched, tmp_path, capsys):
    Image.new("RGB", (40, 30), "red").save(tmp_path / "red.png")
    arguments = ["classify", str(tmp_path / "red.png"), "--checkpoint", "imagenet-torchvision"]
    assert main([*arguments, "--checkpoints", str(fetched), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)[0]["probabilities"]) == 1000


def test_facts_may_be_added_to_it(fetched, tmp_path):
    add_facts(fetched / FILE, tmp_path / FILE, temperature=1.1)
    assert read_info(tmp_path / FILE).resize == 256
