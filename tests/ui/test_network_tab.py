"""The whole network in the Build tab: edits and Undo, rows, refusals, what is sent to Train and taken away."""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from html.parser import HTMLParser

import gradio as gr
import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet.config import GoogLeNetConfig, InceptionConfig
from googlenet.errors import LabError
from googlenet.models import draft as drafts
from googlenet.models.draft import Draft, set_layer, set_switches, set_whole, switches
from googlenet.models.paper import TABLE_1
from googlenet.models.presets import INCEPTIONS, PRESETS, preset
from googlenet.models.profile import profile_network, profile_partly
from googlenet.models.share import file_stem, from_link_text, parse_network, to_json
from googlenet.ui import api
from googlenet.ui.build.network import drawing as network_drawing
from googlenet.ui.build.network import layer_form, takeaway
from googlenet.ui.build.network import panel as network
from googlenet.ui.build.network import view as network_view
from googlenet.ui.common import figures
from googlenet.ui.common.access import Access
from googlenet.ui.train import from_build

FULL = Draft(preset("imagenet"))
CLIENT = httpx.Client(trust_env=False)


class Page(HTMLParser):
    """The words of some HTML, by the layer whose row they are in; fails where tags do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows, self.classes, self.open, self.row, self.titles = {}, {}, [], "", []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        known = dict(attrs)
        if tag == "tr":
            self.row = known.get("data-layer", "")
            self.classes[self.row] = known.get("class", "")
        self.titles.append(known.get("title", ""))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.rows[self.row] = f"{self.rows.get(self.row, '')} {data}".strip()

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.rows.values()).split())


def values(layer, **changes) -> dict[str, object]:
    return {**layer_form.form_values(layer), **changes}


def edited(draft: Draft, name: str, **changes) -> Draft:
    layer = draft.layer(name)
    return draft.with_layer(set_layer(layer, values(layer, **changes)))


def table_of(config: GoogLeNetConfig, selected: str = "") -> Page:
    return Page(network_view.table(config, *profile_partly(config), selected))


# --- edits ------------------------------------------------------------------------------------


def test_an_edit_moves_the_channels_behind_it_and_undo_takes_it_back():
    after = edited(FULL, "inception4c", ch3x3=300)
    assert after.layer("inception4d").in_channels == 512 + 300 - 256
    assert after.config.problems() == []
    assert profile_network(after.config).params != profile_network(FULL.config).params
    assert after.undone() == FULL
    assert FULL.undone() == FULL


def test_typing_a_number_is_one_step_back_and_each_field_its_own():
    draft = FULL
    for typed in (2, 25, 256):
        draft = edited(draft, "inception3a", ch1x1=typed)
    draft = edited(draft, "inception3a", ch3x3=200)
    assert len(draft.past) == 2
    assert draft.undone().layer("inception3a").ch1x1 == 256
    assert draft.undone().undone().config == FULL.config


def test_undo_does_not_grow_without_end():
    draft = FULL
    for number in range(2 * drafts.REMEMBERED):
        draft = edited(draft, ("inception3a", "inception3b")[number % 2], ch1x1=1 + number)
    assert len(draft.past) == drafts.REMEMBERED


def test_setting_channels_in_breaks_the_chain_until_it_is_fixed():
    broken = edited(FULL, "inception4c", in_channels=500)
    assert not broken.keep
    assert [problem.layer for problem in broken.config.problems()] == ["inception4c"]
    worse = edited(broken, "inception4c", ch3x3=300)  # nothing follows while channels are not kept
    assert [problem.layer for problem in worse.config.problems()] == ["inception4c", "inception4d"]
    fixed = worse.edited(worse.config, keep=True)
    assert fixed.config == edited(FULL, "inception4c", ch3x3=300).config
    assert fixed.undone() == dataclasses.replace(worse, touched="")


def test_naive_and_back_gives_the_papers_reductions():
    naive = edited(FULL, "inception4c", kind="naive")
    layer = naive.layer("inception4c")
    assert (layer.naive, layer.pool_proj, layer.out_channels) == (True, 0, 128 + 256 + 64 + 512)
    assert edited(naive, "inception4c", kind="reduced").config == FULL.config


def test_one_module_may_have_another_window():
    after = edited(FULL, "inception3a", variant="two 3x3")
    assert after.layer("inception3a").ch5x5_variant == "two 3x3"
    assert drafts.common_variant(after.config) is None
    assert drafts.common_variant(set_switches(after.config, "3x3", [])) == "3x3"


@pytest.mark.parametrize("name", PRESETS)
def test_switches_go_on_and_off_again(name):
    config = preset(name)
    on = [switch for switch in drafts.SWITCHES if switch != "lrn" or config.layers[0].kernel == 7]
    everything = set_switches(config, None, on)
    assert switches(everything) == on
    assert profile_network(everything).aux_params > 0
    assert set_switches(everything, None, switches(config)) == config


def test_local_response_norm_stands_where_the_paper_has_it():
    ours = set_switches(preset("imagenet"), None, ["lrn"])
    papers = preset("imagenet", local_response_norm=True)
    assert ours == papers
    with pytest.raises(LabError, match="original stem"):
        set_switches(preset("cifar10"), None, ["batch_norm", "lrn"])


def test_heads_follow_the_side_of_the_images():
    small = set_whole(preset("imagenet", aux_heads=True), 32, 10)
    assert profile_network(small).rows  # the paper's 5×5 window would not fit
    assert [head.after for head in small.aux] == ["inception4a", "inception4d"]
    assert set_whole(small, 224, 1000) == preset("imagenet", aux_heads=True)


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        ("inception3a", {"ch1x1": 0}, "inception3a ch1x1 must be a whole number from 1 to 4,096, not 0"),
        ("inception3a", {"ch3x3": None}, "inception3a ch3x3 must be a whole number from 1 to 4,096, not nothing"),
        ("conv1", {"kernel": 99}, "conv1 kernel must be a whole number from 1 to 15, not 99"),
        ("maxpool1", {"padding": 3}, "maxpool1 padding must be a whole number from 0 to 1, not 3"),
        ("inception3a", {"kind": "magic"}, "kind of module must be one of reduced, naive, not 'magic'"),
        ("inception3a", {"variant": "7x7"}, "7x7"),
        ("nowhere", {}, "no layer 'nowhere'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(name, changes, sentence):
    with pytest.raises(LabError, match=sentence):
        edited(FULL, name, **changes)


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=2)
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([layer.name for layer in FULL.config.layers]), st.lists(anything, min_size=16, max_size=16))
def test_whatever_arrives_by_http_is_drawn_or_refused(name, numbers):
    fields = [*layer_form.LABELS, "kind", "variant"]
    try:
        draft = FULL.with_layer(set_layer(FULL.layer(name), dict(zip(fields, numbers, strict=False))))
    except LabError:
        return
    for html in network.show_answer(draft, name)[2:6]:
        Page(html)


# --- rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
def test_every_layer_has_a_row_with_its_figures_and_the_sums_so_far(name):
    config, profile = preset(name), profile_network(preset(name))
    page, params, macs = table_of(config), 0, 0
    for layer, sums in profile.by_layer().items():
        row = page.rows.get(layer, page.text)
        params, macs = params + sums.params, macs + sums.macs
        assert figures.shape(sums.out_shape) in row
        for number in (sums.params, params):
            assert not number or figures.count(number) in row
        assert not sums.macs or (figures.si(sums.macs) in row and figures.si(macs) in row)
    assert (params, macs) == (profile.params, profile.macs)
    assert page.text.count(f"total {figures.count(profile.params)} {figures.si(profile.macs)}") == 1


def test_the_chosen_row_is_marked():
    page = table_of(FULL.config, "inception4c")
    assert [layer for layer, classes in page.classes.items() if "gl-on" in classes] == ["inception4c"]


def test_what_is_not_the_presets_is_marked_as_edited():
    config = edited(FULL, "inception4c", ch3x3=300).config
    assert drafts.edited_layers(config) == ["inception4c"]  # 4d only takes more channels
    assert network_view.table(config, *profile_partly(config), "").count("gl-edited") == 1
    assert [drafts.edited_layers(preset(name)) for name in PRESETS] == [[] for _ in PRESETS]


def test_heads_are_rows_that_classifying_does_not_run():
    config = preset("imagenet", aux_heads=True)
    text = table_of(config).text
    assert text.count("training only") == 2
    assert figures.si(profile_network(config).macs) in text
    assert figures.si(profile_network(config).aux_params) in network_view.summary(config, *profile_partly(config))


def test_a_break_is_told_where_it_arises_and_figures_end_there():
    broken = edited(edited(FULL, "inception4c", in_channels=500), "inception4c", ch3x3=300).config
    page = table_of(broken)
    assert "expects 500 channels, 512 arrive" in page.rows["inception4c"]
    assert "expects 512 channels, 556 arrive" in page.rows["inception4d"]
    assert "449,160" in page.rows["inception4b"]
    assert page.rows["inception5a"] == "inception 5a module"
    assert "total" not in page.text
    told = Page(network_view.summary(broken, *profile_partly(broken))).text
    assert "Inception4c expects 500 channels but inception4b gives 512" in told
    assert "the first of 2" in told


def test_a_small_image_shows_which_windows_see_padding_only():
    page = table_of(set_whole(preset("imagenet"), 32, 10))
    assert "84% of its 5×5" in page.rows["inception4c"]  # 100 taps at 2×2 positions, 16 of them on the map
    assert "96% of its 5×5" in page.rows["inception5a"]
    assert network_view.table(FULL.config, *profile_partly(FULL.config), "").count("gl-mostly") == 0
    layer = FULL.layer("inception4c")
    told = Page(network_view.remarks(layer, profile_network(set_whole(preset("imagenet"), 32, 10)))).text
    assert "3×3 56%, 5×5 84%, pool 56%, on a map of 2 × 2" in told


def test_what_the_paper_quotes_stands_beside_our_figure_with_the_reason():
    page = table_of(FULL.config)
    for quote in TABLE_1:
        assert f"{quote.params} {quote.ops} ops" in page.rows.get(quote.layers[-1], page.text)
        assert quote.reason in page.titles
    told = Page(network_view.remarks(FULL.layer("conv1"), profile_network(FULL.config))).text
    assert "Quoted from the paper" in told
    assert TABLE_1[0].reason in told
    small = table_of(preset("cifar10"))  # whose stem is not the paper's
    assert "2.7K" not in small.rows["conv1"]
    assert "1000K" not in small.text  # its linear layer has 10 classes
    assert "159K" in small.rows["inception3a"]


def test_the_drawing_has_a_block_for_every_layer_and_fits_its_room():
    for name in PRESETS:
        config = set_switches(preset(name), None, ["aux"])
        profile = profile_network(config)
        html = network_drawing.drawing(config, profile, "inception3a")
        Page(html)
        assert html.count("data-layer=") == len(config.layers)
        assert html.count("gl-aux") == 2
        shown = [line for line in network_view.lines(profile) if line.name not in ("avgpool", "fc")]
        widths = network_drawing._widths(shown, {layer.name: layer for layer in config.layers}, 5)
        assert sum(widths.values()) <= network_drawing.ROOM


def test_an_edit_is_answered_within_50_ms():
    config = preset("imagenet", paper=True)
    times, sizes = [], []
    for width in range(200, 220):
        start = time.process_time()
        answer = network.show_answer(edited(Draft(config), "inception4c", ch3x3=width), "inception4c")
        times.append(time.process_time() - start)
        sizes.append(sum(len(html) for html in answer if isinstance(html, str)))
    assert statistics.median(times) < 0.02
    assert max(sizes) < 40_000


# --- sent to Train ----------------------------------------------------------------------------


def test_only_what_the_training_images_fit_is_sent_to_train():
    refusal, cure, text = from_build.text_for_training(FULL)
    assert "Training images are 32×32 and this network takes 224×224: set the image side to 32." in refusal
    assert (cure["visible"], text) == (True, "")
    refusal, *_ = from_build.text_for_training(Draft(set_whole(FULL.config, 32, 1000)))
    assert "set classes to 10" in refusal.lower()
    refusal, cure, text = from_build.text_for_training(edited(FULL, "inception4c", in_channels=500))
    assert "inception4b gives 512" in refusal
    assert (cure["visible"], text) == (False, "")


def test_the_network_sent_is_the_one_that_was_built():
    built = edited(Draft(preset("cifar10")), "inception4c", ch3x3=40).config
    refusal, _, text = from_build.text_for_training(Draft(built))
    assert refusal == ""
    assert parse_network(text) == dataclasses.replace(built, name="cifar10-edited")
    assert parse_network(from_build.text_for_training(Draft(preset("cifar10")))[2]) == preset("cifar10")
    offered = from_build.add_choice(text, [("cifar10", "cifar10")])
    assert offered["value"] == text
    assert f"{profile_network(built).params:,} parameters" in offered["choices"][-1][0]


def test_a_network_may_be_given_in_four_ways():
    config = edited(Draft(preset("cifar10")), "inception3a", ch1x1=8).config
    assert parse_network("cifar10") == preset("cifar10")
    for text in (config.to_dict(), json.dumps(config.to_dict()), takeaway.link_of(config)):
        assert parse_network(text) == config


@pytest.mark.parametrize(
    "said", [None, 7, "", "resnet", "{", "[]", {}, {"layers": 3}, "packed.!!", "cifar10~x.y.z", b"{}"]
)
def test_what_is_no_network_is_refused(said):
    with pytest.raises(LabError):
        parse_network(said)


# --- taken away -------------------------------------------------------------------------------


def test_source_is_of_the_network_or_of_the_chosen_module():
    name, text = takeaway._source(FULL, "inception4c", takeaway.WHOLE)
    assert name == "imagenet.py"
    assert "class GoogLeNet" in text
    name, text = takeaway._source(FULL, "inception4c", takeaway.MODULE)
    assert name == "inception4c.py"
    assert "Inception(512, 128, 128, 256, 24, 64, 64)" in text
    assert takeaway._source(edited(FULL, "inception4c", in_channels=5), "", takeaway.WHOLE)[1].startswith(
        "# inception4c"
    )


def test_json_is_opened_again_and_other_files_are_refused():
    config = edited(FULL, "inception4c", ch3x3=300).config
    assert takeaway.read_file(to_json(config).encode()) == config
    for file in (b"", b"\xff\xfe", b"{}", b"[1]", b"{" * 50_000, None, b" " * 2_000_000):
        with pytest.raises(LabError):
            takeaway.read_file(file)


def test_a_link_is_empty_for_what_a_visitor_sees_anyway():
    assert takeaway.link_of(FULL.config) == ""
    assert takeaway.link_of(preset("cifar10")) == "cifar10"
    broken = edited(FULL, "inception4c", in_channels=500).config
    assert from_link_text(takeaway.link_of(broken)) == broken


def test_a_file_is_named_by_the_network_where_that_can_be_a_name():
    assert file_stem(preset("cifar10-truncated")) == "cifar10-truncated"
    assert file_stem(dataclasses.replace(FULL.config, name="../../etc/passwd")) == "network"


def test_naive_fields_hold_what_switching_back_would_give():
    naive = InceptionConfig.make_naive("inception4c", 512, 128, 256, 64)
    shown = layer_form.form_values(naive)
    assert (shown["ch3x3red"], shown["pool_proj"]) == (INCEPTIONS["4c"].ch3x3red, INCEPTIONS["4c"].pool_proj)


# --- the server -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with gr.Blocks() as demo:
        panel = network.network_panel(demo)
        from_build.send_to_training(panel, gr.Dropdown(["cifar10"], label="Network"))
        api.publish(tmp_path_factory.mktemp("checkpoints"), Access("shapes"))
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield demo, url, panel
    demo.close()


def post(app, values) -> list[object]:
    """What the browser posts when a field of the chosen layer changes, and what comes back for the answer."""
    demo, url, panel = app
    inputs = [panel.draft, *panel.form.inputs]
    index = next(index for index, event in demo.fns.items() if list(event.inputs) == inputs)
    body = {"fn_index": index, "data": [None, *values], "session_hash": "a-session"}
    return CLIENT.post(f"{url}gradio_api/run/predict", json=body).json()["data"]


def test_an_edit_over_http_is_answered_in_time_or_refused(app):
    panel, layer = app[2], FULL.layer("inception4c")
    times = []
    for width in range(200, 221):
        shown = layer_form.form_values(dataclasses.replace(layer, ch3x3=width))
        start = time.process_time()  # of server and client together, whatever else runs here
        answer = post(app, ["inception4c", *[shown.get(field) for field in panel.form.fields]])
        times.append(time.process_time() - start)
        assert f"{profile_network(edited(FULL, 'inception4c', ch3x3=width).config).params:,}" in answer[2]
    assert statistics.median(times) < 0.05
    for wrong in (["nowhere"], ["inception4c", "naive"], ["inception4c", "reduced", -7]):
        padded = [*wrong, *[None] * (1 + len(panel.form.fields) - len(wrong))]
        assert "gl-refused" in post(app, padded)[1]


def test_events_of_the_panel_are_live_and_private(app):
    ours = [event for event in app[0].fns.values() if event.fn and "googlenet.ui" in event.fn.__module__]
    private = [event for event in ours if event.api_name is False or event.api_visibility == "private"]
    assert len(private) >= 15
    assert {(event.queue, event.trigger_mode, event.show_progress) for event in private} == {
        (False, "always_last", "hidden")
    }


def test_the_api_takes_a_description_and_refuses_what_does_not_fit(app):
    client = Client(app[1], verbose=False)
    for said in (FULL.config.to_dict(), json.dumps(FULL.config.to_dict()), "imagenet~inception4c.ch3x3.300"):
        with pytest.raises(AppError, match="takes 224×224 images, but training images are 32×32"):
            client.predict(network=said, data="shapes", api_name="/start_training")
    with pytest.raises(AppError, match="network must be one of"):
        client.predict(network="resnet", data="shapes", api_name="/start_training")
