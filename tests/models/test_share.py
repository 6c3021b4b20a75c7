"""A network as JSON and as the text of a link: what goes in comes out, and anything else is refused in a sentence."""

import base64
import dataclasses
import json
import re
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_config import networks
from tiny import tiny_config

from googlenet.config import AuxConfig, GoogLeNetConfig, InceptionConfig
from googlenet.errors import LabError
from googlenet.models.formats.share import from_json, from_link_text, parse_network, to_json, to_link_text
from googlenet.models.presets import INCEPTIONS, PRESETS, preset
from googlenet.recipes import make_train_config

# Characters that no browser, chat or mail program changes in an address; % comes of other alphabets in a name.
SAFE = re.compile(r"[A-Za-z0-9._~%-]+")


def there_and_back(network: GoogLeNetConfig) -> str:
    text = to_link_text(network)
    assert SAFE.fullmatch(text)
    assert from_link_text(text) == network
    return text


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("options", [{}, {"aux_heads": True}, {"ch5x5": "3x3"}, {"ch5x5": "two 3x3", "num_classes": 7}])
def test_a_preset_is_its_name(name, options):
    text = there_and_back(preset(name, **options))
    assert text.partition(".")[0] == name
    assert len(text) < 50
    assert from_link_text(name) == preset(name)


def test_only_what_differs_is_written():
    edited = preset("cifar10").with_layer(dataclasses.replace(INCEPTIONS["3a"], ch1x1=80))
    assert there_and_back(edited) == "cifar10~inception3a.ch1x1.80"
    paper = dataclasses.replace(preset("imagenet", paper=True), dropout=0.25, batch_norm=True)
    assert there_and_back(paper) == "imagenet.paper.aux~batch_norm.1~dropout.0.25"
    named = dataclasses.replace(preset("cifar10"), name="Größe ~ 1.5 %")
    assert there_and_back(named).startswith("cifar10~name.Gr%C3%B6%C3%9Fe%20%7E%201%2E5%20%25")


@pytest.mark.parametrize(
    "network",
    [
        preset("cifar10").with_layer(InceptionConfig.make_naive("inception4b", 512, 16, 24, 8)),
        preset("cifar10", ch5x5="3x3").with_layer(INCEPTIONS["3a"].with_ch5x5("two 3x3")),
        dataclasses.replace(preset("imagenet", paper=True), aux=()),
        dataclasses.replace(preset("cifar10", aux_heads=True), aux_weight=1e-05, in_channels=1).rechained(),
        dataclasses.replace(preset("cifar10"), aux=(AuxConfig("side", "inception3a", 256, adaptive=1),)),
        dataclasses.replace(preset("cifar10"), layers=preset("cifar10").layers[:-2]),
        tiny_config(),
    ],
    ids=lambda network: network.name,
)
def test_any_edit_comes_back(network):
    there_and_back(network)
    assert from_json(to_json(network)) == network


@settings(max_examples=100, deadline=None)
@given(networks())
def test_any_network_comes_back(network):
    there_and_back(network)
    assert from_json(to_json(network)) == network


def test_a_network_with_problems_comes_back_with_them():
    """The builder reopens in the same state, also when channels do not meet."""
    whole = preset("cifar10", aux_heads=True)
    layers = tuple(
        dataclasses.replace(layer, in_channels=100) if layer.name == "inception3b" else layer for layer in whole.layers
    )
    broken = dataclasses.replace(whole, layers=layers)
    assert there_and_back(broken) == "cifar10.aux~unchained~inception3b.in_channels.100"
    there_and_back(dataclasses.replace(broken, layers=layers[:-1]))
    with pytest.raises(LabError, match="inception3b expects 100 channels"):
        from_json(to_json(broken))


def test_a_run_knows_its_network():
    assert from_json(make_train_config("r", preset("cifar10")).to_json()) == preset("cifar10")


def packed(data: bytes) -> str:
    return "packed." + base64.urlsafe_b64encode(zlib.compress(data)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "", "resnet", "cifar10.warp", "cifar10~", "cifar10~~", "cifar10~inception3a", "cifar10~inception3a.ch1x1",
        "cifar10~inception3a.ch1x1.", "cifar10~inception3a.ch1x1.0", "cifar10~inception3a.ch1x1.4097",
        "cifar10~inception3a.ch1x1.1e3", "cifar10~inception3a.name.b", "cifar10~inception3a.rechained.1",
        "cifar10~inception9.ch1x1.8", "cifar10~layers.1", "cifar10~aux.1", "cifar10~batch_norm.yes",
        "cifar10~dropout.nan", "cifar10~__class__.1", "cifar10~to_dict.1", "cifar10.paper",
        "cifar10~num_classes." + "9" * 5000,
        "cifar10~name.", "cifar10~name.a%0Ab", "cifar10~inception3a.ch5x5_convs.2", "packed.", "packed.AAAA",
        "packed.ä", packed(b"[]"), packed(b"3"), packed(b"{"), packed(b'{"layers": []}'), packed(b"\xff"),
        packed(b"[" * 100_000), packed(b" " * 2_000_000), to_link_text(tiny_config())[:-20], "x" * 20_001, None, 7,
    ],
    ids=lambda text: str(text)[:40],
)  # fmt: skip
def test_anything_else_is_refused_in_a_sentence(text):
    with pytest.raises(LabError) as refusal:
        from_link_text(text)
    assert not PYTHONS.search(str(refusal.value))
    assert str(refusal.value).endswith(".")
    assert len(str(refusal.value)) < 300
    assert "\n" not in str(refusal.value)


# Words of Python's, json's and zlib's own messages, which say nothing to who has opened a file.
PYTHONS = re.compile(
    r"__init__|argument|attribute|NoneType|object is|unhashable|Expecting|char \d|Error -?\d|'str'|'int'|padding:"
)
TINY = tiny_config().to_dict()


def without(plain: dict, *names: str) -> dict:
    return {name: value for name, value in plain.items() if name not in names}


@pytest.mark.parametrize(
    ("plain", "says"),
    [
        ({"layers": []}, "This network description lacks name, num_classes, input_size."),
        ({**TINY, "layers": []}, "A network needs at least one layer"),
        ({**TINY, "layers": None}, "The layers of this network description must be a list, not None."),
        ({**TINY, "layers": [3]}, "Layer 1 of this network description must be an object in braces, not 3."),
        ({**TINY, "layers": [{}]}, "layer 1 of this network description must be one of conv, pool, lrn, incept"),
        ({**TINY, "layers": [{"kind": []}]}, "The kind of layer 1 of this network description must be one of"),
        ({**TINY, "layers": [{"kind": "conv"}]}, "Layer 1 of this network description lacks name, in_channels, out"),
        ({**TINY, "layers": [{**TINY["layers"][0], "groups": 2}]}, "has a 'groups', which is none of name, in"),
        ({**TINY, "layers": [{**TINY["layers"][0], "name": 7}]}, "Layer 1 of this network description has the name 7"),
        ({**TINY, "layers": [{**TINY["layers"][0], "kernel": "3"}]}, "conv1 kernel must be a whole number from 1"),
        ({**TINY, "aux": {"a": 1}}, "The aux of this network description must be a list"),
        ({**TINY, "aux": [{"name": "a", "after": [], "in_channels": 3}]}, "Head 1 of this network description"),
        ({**TINY, "input_size": "32"}, "must be a whole number from 1 to 1,024, not 32."),
        (without(TINY, "layers"), "This network description lacks layers."),
        ({**TINY, "colour": "red"}, "This network description has a 'colour', which is none of name, layers"),
        ([TINY], "This network description must be an object in braces"),
        ("{", "This is not JSON: it goes wrong in line 1, column 2."),
        ("", "This is not JSON: it goes wrong in line 1, column 1."),
        ("[" * 100_000, "This is not JSON: it is nested too deeply"),
        ("9" * 5000, "This is not JSON"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_description_is_said_in_the_labs_words(plain, says):
    text = plain if isinstance(plain, str) else json.dumps(plain)
    for read in (from_json, lambda text: from_link_text(packed(text.encode())), parse_network):
        if read is parse_network and not text.startswith("{"):
            continue
        with pytest.raises(LabError) as refusal:
            read(text)
        assert says in str(refusal.value)
        assert not PYTHONS.search(str(refusal.value))


LINKS = json.loads(Path(__file__).with_name("old_links.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", LINKS)
def test_links_made_before_still_open(text):
    """Made by commit 49ae7b8, each with the description of what it stands for."""
    assert from_link_text(text).to_dict() == GoogLeNetConfig.from_dict(LINKS[text], chained=False).to_dict()


@given(st.text(max_size=40), st.sampled_from(["", "cifar10~", "cifar10~inception3a.", "packed."]))
def test_any_text_is_read_or_refused(text, start):
    try:
        network = from_link_text(start + text)
    except LabError:
        return
    there_and_back(network)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", "null", "[" * 100_000, '{"network": {}}', "[1, 2]"])
def test_damaged_json_is_refused(text):
    with pytest.raises(LabError) as refusal:
        from_json(text)
    assert str(refusal.value).endswith(".")


def test_json_is_plain_and_whole():
    assert json.loads(to_json(preset("imagenet"))) == json.loads(json.dumps(preset("imagenet").to_dict()))
