"""Every limit has its sentence, and every configuration survives JSON."""

import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import tiny_config

from googlenet.config import (
    CH5X5_VARIANTS,
    DATA_SIZE,
    MAX_CHANNELS,
    MAX_LAYERS,
    AuxConfig,
    ConvConfig,
    GoogLeNetConfig,
    InceptionConfig,
    LRNConfig,
    PoolConfig,
)
from googlenet.errors import LabError, check_choice, check_number, check_run_name, check_whole, in_words
from googlenet.models.presets import PRESETS, preset
from googlenet.recipes import RECIPES, TrainConfig, make_train_config, parse_epochs

THREE_A = {
    "name": "inception3a",
    "in_channels": 192,
    "ch1x1": 64,
    "ch3x3red": 96,
    "ch3x3": 128,
    "ch5x5red": 16,
    "ch5x5": 32,
    "pool_proj": 32,
}


def sentence(make, *arguments, **keywords) -> LabError:
    """The `LabError` of a call, after a look at its form: one sentence, no more."""
    with pytest.raises(LabError) as caught:
        make(*arguments, **keywords)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert ". " not in text
    return caught.value


# --- numbers, choices, names ------------------------------------------------------------------


@pytest.mark.parametrize("value", [1, 5, 10, 7.0])
def test_whole_numbers_in_range(value):
    whole = check_whole(value, "x", 1, 10)
    assert (whole, type(whole)) == (value, int)


@pytest.mark.parametrize("value", [0, 11, 1.5, float("nan"), float("inf"), True, None, "", "5", [], {}, 10**400])
def test_other_values_are_named(value):
    error = sentence(check_whole, value, "ch1x1", 1, 10)
    assert str(error).startswith("ch1x1 must be a whole number from 1 to 10, not ")
    assert error.field == "ch1x1"


def test_nothing_is_called_nothing():
    assert str(sentence(check_whole, None, "lr", 1, 2)).endswith("not nothing.")
    assert str(sentence(check_number, "", "lr", 1, 2)).endswith("not nothing.")


def test_a_long_value_is_cut_short():
    assert len(str(sentence(check_whole, "x" * 10_000, "lr", 1, 2))) < 120


@pytest.mark.parametrize("value", [0, 0.3, 1])
def test_numbers_in_range(value):
    assert check_number(value, "x", 0, 1) == value


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf"), True, None, "0.5", 10**400])
def test_numbers_out_of_range(value):
    assert sentence(check_number, value, "warmup", 0, 1).field == "warmup"


def test_a_bound_that_is_not_allowed_itself():
    assert "above 0 and up to 1" in str(sentence(check_number, 0, "lr", 0, 1, above=True))


@pytest.mark.parametrize("value", ["SGD", "", None, 3, ["sgd"]])
def test_choices(value):
    assert "optimizer must be one of sgd, adam, not" in str(sentence(check_choice, value, "optimizer", ("sgd", "adam")))


@pytest.mark.parametrize("name", ["a", "0", "cifar10-20261124", "a" * 64, "a-"])
def test_run_names(name):
    assert check_run_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "-a", "A", "a" * 65, ".", "..", "../a", "a/b", "/a", "a\\b", "a\n", "a b", "é", "a.b", "~", "a\0", None, 7],
)
def test_a_run_name_is_never_a_path(name):
    assert sentence(check_run_name, name).field == "run"


@given(st.text(max_size=70))
def test_whatever_passes_as_a_run_name_stays_inside_its_folder(name):
    try:
        check_run_name(name)
    except LabError:
        return
    assert not set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert 1 <= len(name) <= 64


# --- networks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("width", list(THREE_A)[1:])
@pytest.mark.parametrize("value", [0, -1, MAX_CHANNELS + 1, 1.5, None, "64"])
def test_channels_of_a_module(width, value):
    error = sentence(InceptionConfig, **{**THREE_A, width: value})
    assert str(error).startswith(f"inception3a {width} must be a whole number from 1 to 4,096")
    assert error.field == width


@pytest.mark.parametrize("width", ["ch3x3red", "ch5x5red", "pool_proj"])
def test_a_naive_module_has_no_reductions(width):
    naive = InceptionConfig.make_naive("n", 192, 64, 128, 32)
    assert (naive.branch_channels, naive.out_channels) == ((64, 128, 32, 192), 416)
    assert "is naive, so" in str(sentence(dataclasses.replace, naive, **{width: 8}))


def test_channels_of_the_notes_module():
    module = InceptionConfig(**THREE_A)
    assert (module.branch_channels, module.out_channels) == ((64, 128, 32, 32), 256)


@pytest.mark.parametrize(
    ("make", "changes", "names"),
    [
        (ConvConfig, {"in_channels": 0}, "c in_channels"),
        (ConvConfig, {"out_channels": MAX_CHANNELS + 1}, "c out_channels"),
        (ConvConfig, {"kernel": 16}, "c kernel"),
        (ConvConfig, {"stride": 0}, "c stride"),
        (ConvConfig, {"padding": 8}, "c padding"),
        (ConvConfig, {"relu": None}, "relu must be true or false"),
        (PoolConfig, {"ceil_mode": "__import__('os')"}, "ceil mode must be true or false"),
        (PoolConfig, {"kernel": 0}, "c kernel"),
        (PoolConfig, {"stride": 9}, "c stride"),
        (PoolConfig, {"padding": 2}, "c padding"),
        (LRNConfig, {"size": 0}, "c size"),
        (InceptionConfig, {"ch5x5_kernel": 4}, "ch5x5_kernel, ch5x5_convs must be"),
        (InceptionConfig, {"ch5x5_convs": 2}, "ch5x5_kernel, ch5x5_convs must be"),
        (InceptionConfig, {"ch5x5_kernel": [5]}, "c ch5x5_kernel must be"),
        (InceptionConfig, {"ch5x5_convs": 3}, "c ch5x5_convs must be"),
        (AuxConfig, {"in_channels": 0}, "c in_channels"),
        (AuxConfig, {"channels": 0}, "c channels"),
        (AuxConfig, {"hidden": MAX_CHANNELS + 1}, "c hidden"),
        (AuxConfig, {"adaptive": 17}, "c adaptive"),
        (AuxConfig, {"dropout": 0.96}, "c dropout"),
        (GoogLeNetConfig, {"num_classes": 0}, "number of classes"),
        (GoogLeNetConfig, {"input_size": 1025}, "image side"),
        (GoogLeNetConfig, {"in_channels": 0}, "channels in"),
        (GoogLeNetConfig, {"dropout": 1}, "dropout"),
        (GoogLeNetConfig, {"aux_weight": -1}, "aux weight"),
        (GoogLeNetConfig, {"layers": ()}, "A network needs at least one layer"),
        (GoogLeNetConfig, {"layers": (LRNConfig("a"), LRNConfig("a"))}, "every layer a different name"),
        (GoogLeNetConfig, {"aux": (AuxConfig("h", "a", 3), AuxConfig("i", "a", 3))}, "at most one auxiliary head"),
        (GoogLeNetConfig, {"layers": (LRNConfig("fc"),)}, "'fc' cannot name a layer"),
        (GoogLeNetConfig, {"layers": (LRNConfig("a.b"),)}, "'a.b' cannot name a layer"),
        (GoogLeNetConfig, {"layers": (LRNConfig("class"),)}, "'class' cannot name a layer"),
        (GoogLeNetConfig, {"batch_norm": "yes"}, "batch norm must be true or false, not 'yes'"),
        (GoogLeNetConfig, {"average_pool": 1}, "average pool must be true or false"),
        (GoogLeNetConfig, {"name": "a\nb"}, "name is 1 to 80 printable characters"),
        (GoogLeNetConfig, {"name": 7}, "name is 1 to 80 printable characters"),
        (GoogLeNetConfig, {"name": ""}, "name is 1 to 80 printable characters"),
        (GoogLeNetConfig, {"layers": tuple(LRNConfig(f"l{i}") for i in range(MAX_LAYERS + 1))}, "at most 500 layers"),
    ],
)
def test_limits_of_a_network(make, changes, names):
    good = {
        ConvConfig: {"name": "c", "in_channels": 3, "out_channels": 8, "kernel": 3},
        PoolConfig: {"name": "c"},
        LRNConfig: {"name": "c"},
        InceptionConfig: {**THREE_A, "name": "c"},
        AuxConfig: {"name": "c", "after": "inception4a", "in_channels": 8},
        GoogLeNetConfig: {"name": "c", "layers": (LRNConfig("a"),), "num_classes": 10, "input_size": 32},
    }[make]
    make(**good)
    assert names in str(sentence(make, **{**good, **changes}))


def test_a_head_must_fit_the_layer_it_sits_on():
    for after, in_channels, says in (("inception3a", 8, "gives 16"), ("inception9", 8, "is not in the network")):
        network = tiny_config(aux=(AuxConfig("aux1", after, in_channels),))
        assert says in str(sentence(network.check_channels))


def test_whole_numbers_from_a_form_become_ints():
    conv = ConvConfig("c", 3.0, 8.0, 3.0, 1.0, 1.0)
    assert [type(value) for value in dataclasses.astuple(conv)[1:6]] == [int] * 5
    config = make_train_config("r", tiny_config(), epochs=3.0, batch_size=16.0, seed=1.0, checkpoint_epochs=(1.0,))
    assert (repr(config.epochs), repr(config.batch_size), repr(config.seed)) == ("3", "16", "1")
    assert repr(config.checkpoint_epochs) == "(1,)"


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("aux", [False, True])
def test_presets_survive_json(name, aux):
    network = preset(name, aux_heads=aux)
    assert GoogLeNetConfig.from_dict(json.loads(json.dumps(network.to_dict()))) == network


widths = st.integers(1, 100)
layers = st.one_of(
    st.builds(ConvConfig, st.just("x"), widths, widths, st.integers(1, 15), st.integers(1, 8), st.integers(0, 7)),
    st.builds(PoolConfig, st.just("x"), st.integers(2, 15), st.integers(1, 8), ceil_mode=st.booleans()),
    st.builds(LRNConfig, st.just("x"), st.integers(1, 63)),
    st.builds(
        lambda module, variant: module.with_ch5x5(variant),
        st.builds(InceptionConfig, st.just("x"), *[widths] * 7),
        st.sampled_from(list(CH5X5_VARIANTS)),
    ),
    st.builds(InceptionConfig.make_naive, st.just("x"), *[widths] * 4),
)


@st.composite
def networks(draw) -> GoogLeNetConfig:
    drawn = draw(st.lists(layers, min_size=1, max_size=6))
    named = tuple(dataclasses.replace(layer, name=f"layer{i}") for i, layer in enumerate(drawn))
    heads = (AuxConfig("aux1", "layer0", 1, adaptive=draw(st.integers(0, 16))),) if draw(st.booleans()) else ()
    options = {
        "batch_norm": draw(st.booleans()),
        "average_pool": draw(st.booleans()),
        "dropout": draw(st.floats(0, 0.95)),
        "aux": heads,
    }
    return GoogLeNetConfig("drawn", named, draw(st.integers(1, 1000)), DATA_SIZE, **options).rechained()


@settings(max_examples=50)
@given(networks())
def test_networks_survive_json_and_meet(network):
    assert GoogLeNetConfig.from_dict(json.loads(json.dumps(network.to_dict()))) == network
    network.check_channels()


@settings(max_examples=50)
@given(networks(), st.data())
def test_any_layer_can_be_swapped_for_any_other(network, data):
    old = data.draw(st.sampled_from(network.layers))
    swapped = network.with_layer(dataclasses.replace(data.draw(layers), name=old.name))
    swapped.check_channels()
    assert [layer.name for layer in swapped.layers] == [layer.name for layer in network.layers]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_any_other_json_is_refused_in_a_sentence(plain):
    with pytest.raises(LabError):
        TrainConfig.from_json(json.dumps(plain))
    if isinstance(plain, dict):
        with pytest.raises(LabError):
            GoogLeNetConfig.from_dict(plain)


@given(st.sampled_from(sorted(tiny_config().to_dict())), JSON)
def test_a_network_with_one_part_exchanged_is_read_or_refused(key, value):
    try:
        network = GoogLeNetConfig.from_dict({**tiny_config().to_dict(), key: value})
    except LabError:
        return
    network.rechained()


# --- trainings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("run", "../up"),
        ("data", ""),
        ("data", None),
        ("epochs", 0),
        ("epochs", 100_001),
        ("batch_size", 0),
        ("batch_size", 1),
        ("batch_size", 65_537),
        ("batch_size", 2.5),
        ("lr", 0),
        ("lr", -1),
        ("lr", 101),
        ("lr", float("nan")),
        ("optimizer", "lion"),
        ("momentum", 1),
        ("weight_decay", -0.1),
        ("schedule", "cosine"),
        ("warmup", 1.1),
        ("label_smoothing", 1),
        ("crop_padding", 17),
        ("validation_fraction", 0.6),
        ("seed", -1),
        ("seed", 2**31),
        ("device", "tpu"),
        ("checkpoint_epochs", (10,)),
        ("checkpoint_epochs", (-1,)),
        ("checkpoint_epochs", (0.5,)),
        ("checkpoint_epochs", 5),
        ("checkpoint_epochs", "5"),
        ("split_by", "name"),
        ("cutmix", 1.5),
        ("logit_norm", -1),
        ("whitening", "yes"),
        ("dirac", 1),
        ("norm_decay", None),
        ("trivial_augment", "wide"),
    ],
)
def test_limits_of_a_training(name, value):
    error = sentence(TrainConfig, **{"run": "r", "network": tiny_config(), name: value})
    assert error.field == name
    assert in_words(name) in str(error) or name in ("run", "checkpoint_epochs")


def test_without_batch_norm_a_batch_may_be_one_image():
    assert TrainConfig("r", tiny_config(batch_norm=False), batch_size=1).batch_size == 1


def test_a_network_for_other_images_cannot_be_trained():
    error = sentence(make_train_config, "r", preset("imagenet"))
    assert (error.field, "imagenet takes 224×224 images" in str(error)) == ("network", True)


trainings = st.builds(
    TrainConfig,
    run=st.from_regex(r"[a-z0-9][a-z0-9-]{0,63}", fullmatch=True),
    network=st.sampled_from([preset("cifar10"), preset("cifar10-truncated", aux_heads=True), tiny_config()]),
    data=st.text(min_size=1),
    epochs=st.integers(5, 100_000),
    batch_size=st.integers(2, 65_536),
    lr=st.floats(0, 100, exclude_min=True),
    optimizer=st.sampled_from(("sgd", "adam")),
    momentum=st.floats(0, 0.9999),
    schedule=st.sampled_from(("one-cycle", "constant")),
    flip=st.booleans(),
    validation_fraction=st.floats(0, 0.5),
    checkpoint_epochs=st.lists(st.integers(0, 4)).map(tuple),
    seed=st.integers(0, 2**31 - 1),
)


@given(trainings)
def test_trainings_survive_json(config):
    assert TrainConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", "null", "[" * 100_000])
def test_a_damaged_description_is_refused(text):
    sentence(TrainConfig.from_json, text)


def test_the_notes_recipe():
    config = make_train_config("r", preset("cifar10-truncated"), "note")
    assert (config.epochs, config.batch_size, config.lr, config.optimizer) == (1000, 2048, 1e-4, "adam")
    assert (config.schedule, config.weight_decay, config.label_smoothing) == ("constant", 0, 0)
    assert (config.flip, config.crop_padding, config.normalize, config.validation_fraction) == (False, 0, False, 0)
    assert config.checkpoint_epochs == (299, 499, 699, 899)


def test_a_recipe_shortened():
    assert make_train_config("r", tiny_config(), "note", epochs=500).checkpoint_epochs == (299, 499)
    assert make_train_config("r", tiny_config(), "note", epochs=None).epochs == RECIPES["note"]["epochs"]
    error = sentence(make_train_config, "r", tiny_config(), "note", epochs=10, checkpoint_epochs=(10,))
    assert error.field == "checkpoint_epochs"
    assert str(error) == "There is no epoch 10 to keep weights after: the last one is 9."


def test_a_form_sends_back_what_the_recipe_filled_in():
    """Epochs of the recipe beyond a shortened training are dropped, those that the user typed beside them are not."""
    filled = parse_epochs("299, 499, 699, 899")
    for epochs in (400, 400.0):
        assert make_train_config(
            "r", tiny_config(), "note", epochs=epochs, checkpoint_epochs=filled
        ).checkpoint_epochs == (299,)
    assert make_train_config("r", tiny_config(), "note", epochs=5, checkpoint_epochs=filled).checkpoint_epochs == ()
    typed = (3, *filled, 450)
    assert "no epoch 450" in str(
        sentence(make_train_config, "r", tiny_config(), "note", epochs=400, checkpoint_epochs=typed)
    )
    assert "no epoch 299" in str(sentence(make_train_config, "r", tiny_config(), epochs=9, checkpoint_epochs=(299,)))


@pytest.mark.parametrize("epochs", [1.5, "1.5", "2", float("nan"), float("inf"), True, [2], ""])
def test_half_an_epoch_never_trains_two(epochs):
    for recipe in RECIPES:
        error = sentence(make_train_config, "r", tiny_config(), recipe, epochs=epochs)
        assert error.field == "epochs"
        assert "must be a whole number from 1 to 100,000, not" in str(error)


def test_a_run_from_before_keeps_the_split_that_it_trained_with():
    config = make_train_config("r", tiny_config())
    plain = json.loads(config.to_json())
    assert plain.pop("split_by") == config.split_by == "content"
    assert TrainConfig.from_json(json.dumps(plain)).split_by == "position"


def test_a_run_from_before_reads_as_it_trained():
    """What a recipe can choose by now was off in runs that know nothing of it."""
    plain = json.loads(make_train_config("r", tiny_config()).to_json())
    new = {"whitening", "dirac", "norm_decay", "logit_norm", "trivial_augment", "cutmix"}
    before = TrainConfig.from_json(json.dumps({name: value for name, value in plain.items() if name not in new}))
    assert [getattr(before, name) for name in sorted(new)] == [0.0, False, 0.0, False, False, False]
    assert before == TrainConfig.from_json(json.dumps(plain))


def test_muon_needs_batch_norm():
    error = sentence(make_train_config, "r", tiny_config(batch_norm=False), optimizer="muon")
    assert (error.field, "choose adam or sgd" in str(error)) == ("optimizer", True)


def test_a_recipe_that_is_not_there():
    error = sentence(make_train_config, "r", tiny_config(), "bestest")
    assert f"recipe must be one of {', '.join(RECIPES)}, not" in str(error)


@pytest.mark.parametrize(
    ("text", "epochs"),
    [("299, 499", (299, 499)), ("5 3,3", (3, 5)), ("7", (7,)), ("", None), ("  ", None), (None, None)],
)
def test_epochs_as_people_write_them(text, epochs):
    assert parse_epochs(text) == epochs


@pytest.mark.parametrize("text", ["3.5", "-1", "a", "3;4", "²", "٣"])
def test_epochs_that_are_none(text):
    assert sentence(parse_epochs, text).field == "checkpoint_epochs"
