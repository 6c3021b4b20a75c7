"""The source that is taken away, executed: the same shapes, parameters and answers as the lab's own network."""

import ast
import dataclasses
import subprocess
import sys

import pytest
import torch
from tiny import tiny_checkpoint
from torch import nn

from googlenet.config import CH5X5_VARIANTS, AuxConfig, GoogLeNetConfig, InceptionConfig, PoolConfig
from googlenet.errors import LabError
from googlenet.models.formats.codegen import to_source
from googlenet.models.googlenet import GoogLeNet, GoogLeNetOutput, build_inception
from googlenet.models.presets import INCEPTIONS, preset
from googlenet.models.profile import profile_network
from googlenet.models.weights import load_weights

MIXED = (
    preset("cifar10", 7, aux_heads=True, dropout=0.2)
    .with_layer(InceptionConfig.make_naive("inception3a", 192, 16, 24, 8).with_ch5x5("two 3x3"))
    .with_layer(InceptionConfig.make_naive("inception3b", 240, 16, 24, 8))
    .with_layer(INCEPTIONS["4b"].with_ch5x5("3x3"))
    .with_layer(INCEPTIONS["4e"].with_ch5x5("two 3x3"))
    .with_layer(PoolConfig("maxpool4", 2, 2, 0, ceil_mode=True))
)
NETWORKS = {
    "imagenet": preset("imagenet"),
    "imagenet-torchvision": preset("imagenet-torchvision"),
    "imagenet, everything the paper has": preset("imagenet", paper=True),
    "cifar10": preset("cifar10"),
    "cifar10, heads, no batch norm": preset("cifar10", aux_heads=True, batch_norm=False),
    "cifar10-truncated": preset("cifar10-truncated"),
    "cifar10-truncated, heads": preset("cifar10-truncated", 100, aux_heads=True, batch_norm=True, ch5x5="3x3"),
    "all kinds of modules": MIXED,
}


def execute(source: str) -> dict:
    """The names that `source` defines, when run by itself as a module."""
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert {ast.unparse(node) for node in imports} == {
        "import torch",
        "from torch import nn",
        "from torch.nn import functional as F",
    }
    namespace = {"__name__": "taken_away"}
    exec(compile(source, "network.py", "exec"), namespace)
    return namespace


def randomised(model: nn.Module) -> nn.Module:
    """Weights, biases and batch statistics that are not the initial ones."""
    generator = torch.Generator().manual_seed(0)
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            noise = torch.rand(tensor.shape, generator=generator)
            tensor.copy_(noise + 0.5 if name.endswith("running_var") else tensor + 0.1 * noise)
    return model


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_taken_away_is_the_labs(name):
    config = NETWORKS[name]
    config = dataclasses.replace(
        config, dropout=0.0, aux=tuple(dataclasses.replace(head, dropout=0.0) for head in config.aux)
    )
    ours, theirs = randomised(GoogLeNet(config)), execute(to_source(config))["GoogLeNet"]()
    assert sum(p.numel() for p in theirs.parameters()) == profile_network(config).params
    theirs.load_state_dict(ours.state_dict())  # the same names, nothing left over
    x = torch.randn(2, 3, config.input_size, config.input_size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(theirs.eval()(x), ours.eval()(x))
        answers, expected = theirs.train()(x), ours.train()(x)
    if config.aux:
        assert isinstance(expected, GoogLeNetOutput)
        expected, answers = (expected.logits, *expected.aux), tuple(answers)
    torch.testing.assert_close(answers, expected)


@pytest.mark.parametrize("variant", CH5X5_VARIANTS)
@pytest.mark.parametrize("naive", [False, True])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_module_taken_away_is_the_labs(variant, naive, batch_norm):
    config = InceptionConfig.make_naive("n", 6, 3, 4, 2) if naive else InceptionConfig("m", 6, 3, 4, 5, 2, 3, 2)
    config = config.with_ch5x5(variant)
    ours = randomised(build_inception(config, batch_norm=batch_norm)).eval()
    theirs = execute(to_source(config, batch_norm=batch_norm))["make_module"]().eval()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 6, 9, 7)
    torch.testing.assert_close(theirs(x), ours(x))
    assert theirs(x).shape == (2, config.out_channels, 9, 7)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_shapes_in_the_comments_are_the_real_ones(name):
    config = NETWORKS[name]
    model = execute(to_source(config))["GoogLeNet"]().to("meta").eval()
    size = config.input_size
    seen = {}
    for layer, module in model.named_children():
        module.register_forward_hook(lambda m, inputs, out, layer=layer: seen.update({layer: out.shape[1:]}))
    model(torch.empty(2, 3, size, size, device="meta"))
    lines = [line for line in to_source(config).splitlines() if "  # N × " in line][1:]
    assert len(lines) == len(config.layers) + 1
    for line in lines:
        layer = line.partition("self.")[2].partition("(")[0]
        assert line.rpartition("# N × ")[2] == " × ".join(map(str, seen[layer])), line


def test_it_runs_by_itself_and_loads_a_weights_file(tmp_path):
    tiny_checkpoint(tmp_path / "weights.safetensors")
    model, info = load_weights(tmp_path / "weights.safetensors")
    source = to_source(info.network)
    check = """
from safetensors.torch import load_file
model.load_state_dict(load_file("weights.safetensors"))
torch.save(model(torch.ones(1, 3, 32, 32)), "answer.pt")
"""
    main = source + "".join(f"    {line}\n" for line in check.splitlines())
    (tmp_path / "network.py").write_text(main, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "network.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    params = profile_network(info.network).params
    assert done.stdout == f"{params:,} parameters, logits (1, 3)\n"
    torch.testing.assert_close(torch.load(tmp_path / "answer.pt"), model(torch.ones(1, 3, 32, 32)))


def test_it_looks_as_if_a_person_had_written_it():
    options = ("--isolated", "--line-length=120", "--stdin-filename=network.py", "-")
    for config in (*NETWORKS.values(), INCEPTIONS["3a"]):
        for command in (("format", "--check"), ("check", "--select=E,F,I,UP,B,SIM")):
            ruff = [sys.executable, "-m", "ruff", *command, *options]
            done = subprocess.run(ruff, input=to_source(config), capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr


def test_a_name_from_a_strangers_link_writes_no_source():
    evil = '"""\nimport os\n"""'
    source = to_source(dataclasses.replace(preset("cifar10"), name=evil.replace("\n", " ")))
    assert "import os" not in source
    heads = (AuxConfig("x", "inception4a", 512, adaptive=2), AuxConfig("nn", "inception4d", 528, adaptive=2))
    config = dataclasses.replace(preset("cifar10"), aux=heads)
    assert len(execute(to_source(config))["GoogLeNet"]().train()(torch.randn(2, 3, 32, 32))) == 3


def test_a_network_that_does_not_fit_together_has_no_source():
    layers = (INCEPTIONS["3a"], INCEPTIONS["4a"])
    with pytest.raises(LabError, match="inception4a expects 480 channels but inception3a gives 256"):
        to_source(GoogLeNetConfig("broken", layers, 10, 32, in_channels=192))
