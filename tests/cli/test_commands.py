"""The command line of Build: every network in every way of naming it, as text, source, JSON and link."""

import dataclasses
import json

import pytest
from tiny import tiny_checkpoint, tiny_config
from trainings import ROOT, lab

import app
import googlenet
from googlenet.cli.main import main
from googlenet.config import InceptionConfig
from googlenet.models.formats.codegen import to_source
from googlenet.models.formats.share import to_json
from googlenet.models.paper import TABLE_1
from googlenet.models.presets import preset
from googlenet.models.profile import profile_network


@pytest.fixture
def run(capsys):
    """Runs a command; its output, once it has succeeded."""

    def call(*arguments: object) -> str:
        assert main([str(argument) for argument in arguments]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return call


@pytest.fixture
def refused(capsys):
    """Runs a command that is refused; the sentence."""

    def call(*arguments: object) -> str:
        assert main([str(argument) for argument in arguments]) == 2
        output, errors = capsys.readouterr()
        assert output == ""
        (line,) = errors.splitlines()
        assert line.startswith("error: ")
        assert line.endswith(".")
        return line

    return call


@pytest.mark.parametrize(
    ("arguments", "network"),
    [
        (["imagenet", "--paper"], preset("imagenet", paper=True)),
        (["cifar10", "--ch5x5", "two 3x3"], preset("cifar10", ch5x5="two 3x3")),
        (["cifar10.3x3.aux"], preset("cifar10", ch5x5="3x3", aux_heads=True)),
        (["cifar10", "--no-batch-norm", "--aux-heads"], preset("cifar10", batch_norm=False, aux_heads=True)),
        (["cifar10.aux", "--no-aux-heads"], preset("cifar10")),
        (
            ["cifar10", "--naive", "inception3a", "--naive", "inception3b"],
            preset("cifar10")
            .with_layer(InceptionConfig.make_naive("inception3a", 192, 64, 128, 32))
            .with_layer(InceptionConfig.make_naive("inception3b", 416, 128, 192, 96)),
        ),
    ],
)
def test_a_network_is_named_linked_to_or_switched(run, arguments, network):
    assert run("code", *arguments, "--json") == to_json(network)
    link = run("code", *arguments, "--link").strip()
    assert run("code", link) == to_source(network)
    assert json.loads(run("profile", *arguments, "--json"))["params"] == profile_network(network).params


def test_the_version_is_said(capsys):
    for command in (main, app.main):
        with pytest.raises(SystemExit) as ended:
            command(["--version"])
        assert (ended.value.code, capsys.readouterr().out) == (0, f"GoogLeNet Lab {googlenet.__version__}\n")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {googlenet.__version__}" in changes


def test_a_network_from_a_file(run, tmp_path):
    (tmp_path / "net.json").write_text(to_json(tiny_config()), encoding="utf-8")
    weights = tiny_checkpoint(tmp_path / "net.safetensors")
    for file in (tmp_path / "net.json", weights):
        assert run("code", "--config", file) == to_source(tiny_config())
    piped = lab("code", "--config", "-", "--link", cwd=tmp_path, stdin=to_json(preset("cifar10")))
    assert (piped.stdout, piped.stderr) == ("cifar10\n", "")


def test_one_module_as_source(run):
    module = next(layer for layer in preset("cifar10").layers if layer.name == "inception4b")
    assert run("code", "cifar10", "--module", "inception4b") == to_source(module, batch_norm=True)


def test_the_papers_figures_stand_beside_the_computed_ones(run):
    lines = run("profile", "imagenet").splitlines()
    table = lines[next(i for i, line in enumerate(lines) if line.startswith("Table 1 of the paper")) :]
    assert "(quoted)" in table[0]
    for row, line in zip(TABLE_1, table[1:], strict=False):
        assert line.startswith(" + ".join(row.layers))
        assert row.params in line.split()
        assert line.endswith(row.ops)
    assert "Table 1" not in run("profile", "imagenet", "--size", 128)  # its ops are those of 224×224
    assert "Table 1" not in run("profile", "cifar10")
    plain = json.loads(run("profile", "imagenet", "--json"))["layers"]
    assert plain["inception5a"]["quoted"]["params"] == "1072K"
    assert "fit each other" in plain["inception5a"]["quoted"]["reason"]
    assert plain["maxpool1"]["quoted"] is None


def test_what_sees_padding_is_printed(run):
    lines = run("profile", "cifar10-truncated").splitlines()
    (step,) = [line for line in lines if line.startswith("inception4a.branch3.1")]
    assert "84.0%" in step.split()
    rows = {row["name"]: row for row in json.loads(run("profile", "cifar10-truncated", "--json"))["rows"]}
    assert rows["inception4a.branch3.1"]["padding_share"] == pytest.approx(0.84)


def test_a_conversion_says_how_well_it_answers(run, tmp_path):
    weights = tiny_checkpoint(tmp_path / "net.safetensors")
    target = tmp_path / "net.pt2"
    told = run("convert", weights, target)
    assert told.startswith(f"{target}: torch.export, ")
    assert "differ by at most 0.0e+00 of the largest" in told
    plain = json.loads(run("convert", weights, target, "--json"))
    expected = {"path": str(target), "format": "torch.export", "bytes": target.stat().st_size, "difference": 0}
    assert plain == expected


def test_gradients_with_and_without_heads(run):
    told = run("gradients", "cifar10-truncated", "--steps", 1)
    assert told.startswith("At initialisation conv1 gets ")
    assert "After 1 step conv1 gets " in told
    steps = [json.loads(line) for line in run("gradients", "cifar10-truncated", "--steps", 1, "--json").splitlines()]
    assert [step["without"]["step"] for step in steps] == [0, 1]
    assert steps[0]["gains"]["conv1"] > 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["code"], "Name a PRESET, or give --config FILE"),
        (["code", "cifar10", "--config", "x.json"], "Name a PRESET, or give --config FILE"),
        (["code", "cifar10.warp"], "This link does not describe a network: its option 'warp' is unknown"),
        (["code", "cifar10.aux", "--paper"], "--paper needs a PRESET"),
        (["code", "cifar10", "--naive", "maxpool1"], "has no Inception module 'maxpool1': it has inception3a"),
        (["code", "cifar10", "--module", "inception9"], "has no Inception module 'inception9'"),
        (["code", "cifar10", "--module", "inception3a", "--link"], "leave --module out"),
        (["profile", "cifar10", "--ch5x5", "7x7"], "invalid choice: '7x7'"),
        (["gradients", "imagenet"], "imagenet takes 224×224 images"),
        (["convert", "none.safetensors", "net.onnx"], "There is no weights file none.safetensors"),
        (["convert", "none.safetensors", "net.pkl"], "net.pkl must end in .safetensors, .onnx or .pt2"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(refused, arguments, says):
    assert says in refused(*arguments)


def test_files_that_are_no_description(refused, tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "list.json").write_text("[]")
    broken = dataclasses.replace(preset("cifar10"), layers=preset("cifar10").layers[::-1])
    (tmp_path / "broken.json").write_text(to_json(broken))
    (tmp_path / "bad.safetensors").write_text("nothing")
    for file, says in (
        ("binary", "binary is not text: name a JSON file"),
        ("list.json", "This network description must be an object in braces, not []"),
        ("broken.json", "inception5b expects 832 channels but the image gives 3"),
        ("bad.safetensors", "bad.safetensors is not a complete safetensors file"),
    ):
        assert says in refused("profile", "--config", tmp_path / file)
