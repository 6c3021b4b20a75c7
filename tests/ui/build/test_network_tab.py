"""The whole network in the Build tab: edits and Undo, rows, refusals, what is sent to Train and taken away."""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from xml.etree import ElementTree

import gradio as gr
import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from hypothesis import given, settings
from hypothesis import strategies as st
from markup import Page

from googlenet.config import GoogLeNetConfig, InceptionConfig
from googlenet.errors import LabError
from googlenet.models import draft as drafts
from googlenet.models.draft import Draft, set_layer, set_switches, set_whole, switches
from googlenet.models.formats.share import file_stem, from_link_text, parse_network, to_json
from googlenet.models.paper import TABLE_1
from googlenet.models.presets import INCEPTIONS, PRESETS, preset
from googlenet.models.profile import profile_network, profile_partly
from googlenet.ui import api
from googlenet.ui.build.network import answers, drawing, export, layer_form, view
from googlenet.ui.build.network.panel import network_panel
from googlenet.ui.common import figures
from googlenet.ui.events.access import Access
from googlenet.ui.train import from_build

FULL = Draft(preset("imagenet"))
CLIENT = httpx.Client(trust_env=False)


def values(layer, **changes) -> dict[str, object]:
    return {**layer_form.form_values(layer), **changes}


def edited(draft: Draft, name: str, **changes) -> Draft:
    layer = draft.layer(name)
    return draft.with_layer(set_layer(layer, values(layer, **changes)))


def rows_of(config: GoogLeNetConfig, selected: str = "") -> dict[str, view.TableRow]:
    return {row.name: row for row in view.table_rows(config, *profile_partly(config), selected)}


def cells_of(config: GoogLeNetConfig) -> dict[str, list[str]]:
    """What stands in the table's cells, by layer."""
    table = ElementTree.fromstring(str(view.table(config, *profile_partly(config), ""))).find(".//table")
    found = {}
    for row in table.iter("tr"):
        head, *cells = row
        found[row.get("data-layer") or (head.text or "").strip()] = [
            " ".join(" ".join(c.itertext()).split()) for c in cells
        ]
    return found


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
    for html in answers.show_answer(draft, name)[1:5]:
        Page(html)


# --- rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
def test_every_layer_has_a_row_with_its_figures_and_the_totals_so_far(name):
    config, profile = preset(name), profile_network(preset(name))
    rows, cells, params, macs = rows_of(config), cells_of(config), 0, 0
    assert list(rows) == list(profile.by_layer())
    for layer, totals in profile.by_layer().items():
        params, macs = params + totals.params, macs + totals.macs
        found = rows[layer].found
        assert (found.totals, found.params_so_far, found.macs_so_far) == (totals, params, macs)
        output, shown_params, shown_macs, *_ = cells[layer]
        assert output == figures.shape(totals.out_shape)
        assert shown_params == f"{figures.count(totals.params) if totals.params else '–'} {params:,}"
        assert shown_macs == f"{figures.si(totals.macs) if totals.macs else '–'} {figures.si(macs)}"
    assert (params, macs) == (profile.params, profile.macs)
    assert cells["total"][1:3] == [figures.count(profile.params), figures.si(profile.macs)]


def test_the_chosen_row_is_marked():
    rows = rows_of(FULL.config, "inception4c")
    assert [name for name, row in rows.items() if row.selected] == ["inception4c"]
    assert Page(view.table(FULL.config, *profile_partly(FULL.config), "inception4c")).classes["gl-on"] == 1


def test_what_is_not_the_presets_is_marked_as_edited():
    config = edited(FULL, "inception4c", ch3x3=300).config
    assert [name for name, row in rows_of(config).items() if row.edited] == ["inception4c"]  # 4d only takes more
    assert Page(view.table(config, *profile_partly(config), "")).classes["gl-edited"] == 1
    assert [drafts.edited_layers(preset(name)) for name in PRESETS] == [[] for _ in PRESETS]


def test_heads_are_rows_that_classifying_does_not_run():
    config = preset("imagenet", aux_heads=True)
    rows = rows_of(config)
    assert [name for name, row in rows.items() if row.found.aux] == ["aux1", "aux2"]
    assert {(row.layer, row.about) for row in rows.values() if row.found.aux} == {(None, "auxiliary head")}
    assert cells_of(config)["aux1"][2].endswith("training only")
    assert rows["fc"].found.macs_so_far == profile_network(config).macs
    assert figures.si(profile_network(config).aux_params) in view.summary(config, *profile_partly(config))


def test_a_break_is_told_where_it_arises_and_figures_end_there():
    broken = edited(edited(FULL, "inception4c", in_channels=500), "inception4c", ch3x3=300).config
    rows = rows_of(broken)
    assert rows["inception4c"].wrong == "expects 500 channels, 512 arrive"
    assert rows["inception4d"].wrong == "expects 512 channels, 556 arrive"
    assert rows["inception4b"].found.totals.params == 449_160
    assert (rows["inception5a"].found, rows["inception5a"].wrong) == (None, "")
    cells = cells_of(broken)
    assert cells["inception4c"] == ["expects 500 channels, 512 arrive"]
    assert cells["inception5a"] == [""]
    assert "total" not in cells
    told = Page(view.summary(broken, *profile_partly(broken))).text
    assert told == (
        "inception4c expects 500 channels but inception4b gives 512: set its channels in to 512 – the first of 2 such "
        "places."
    )


def test_a_small_image_shows_which_windows_see_padding_only():
    small = set_whole(preset("imagenet"), 32, 10)
    cells = cells_of(small)
    assert cells["inception4c"][4] == "84% of its 5×5"  # 100 taps at 2×2 positions, 16 of them on the map
    assert cells["inception5a"][4] == "96% of its 5×5"
    shares = [row.found.most_padded.padding_share for row in rows_of(FULL.config).values()]
    assert max(shares) <= view.MOSTLY < rows_of(small)["inception4c"].found.most_padded.padding_share
    assert Page(view.table(FULL.config, *profile_partly(FULL.config), "")).classes["gl-mostly"] == 0
    told = Page(view.remarks(FULL.layer("inception4c"), profile_network(small))).text
    assert "3×3 56%, 5×5 84%, pool 56%, on a map of 2 × 2" in told


def test_what_the_paper_quotes_stands_beside_our_figure_with_the_reason():
    rows, cells = rows_of(FULL.config), cells_of(FULL.config)
    for quote in TABLE_1:
        *before, last = quote.layers
        assert rows[last].quote == quote
        assert cells[last][5] == f"{quote.params} {quote.ops} ops"
        for layer in before:
            assert cells[layer][5] == f"with {last}"
    told = Page(view.remarks(FULL.layer("conv1"), profile_network(FULL.config))).text
    assert "Quoted from the paper" in told
    assert TABLE_1[0].reason in told
    small = rows_of(preset("cifar10"))
    assert small["conv1"].quote is None  # its stem is not the paper's
    assert small["fc"].quote is None  # its linear layer has 10 classes
    assert small["inception3a"].quote.params == "159K"


def test_the_drawing_has_a_block_for_every_layer_and_fits_its_room():
    for name in PRESETS:
        config = set_switches(preset(name), None, ["aux"])
        profile = profile_network(config)
        assert Page(drawing.drawing(config, profile, "inception3a")).classes["gl-on"] == 1
        blocks = drawing.draw_blocks(config, profile)
        stages = drawing.stages_of(blocks)
        assert [block.layer.name for block in blocks if not block.layer.aux] == [layer.name for layer in config.layers]
        assert [block.layer.name for block in blocks if block.layer.aux] == ["aux1", "aux2"]
        assert [block for stage in stages for block in stage] == blocks
        assert [len({b.layer.totals.out_shape[1:] for b in stage if not b.layer.aux}) for stage in stages] == [1] * len(
            stages
        )
        assert max(block.cost for block in blocks) == drawing.DEEPEST
        room = sum(block.width for block in blocks) + drawing.BLOCK_GAP * len(blocks) + drawing.STAGE_GAP * len(stages)
        assert room <= drawing.ROOM + 1
        modules = {block.layer.name: [wide for _, wide in block.bands] for block in blocks if len(block.bands) == 4}
        assert modules == {it.name: list(it.branch_channels) for it in drafts.modules(config)}


def test_what_a_stranger_names_is_escaped():
    config = dataclasses.replace(FULL.config, name="<img src=x>")
    layer = dataclasses.replace(config.layers[0], name="conv1x")
    config = dataclasses.replace(config, layers=(layer, *config.layers[1:]))
    for html in answers.show_answer(Draft(config), "conv1x")[1:5]:
        assert "<img" not in html


def test_an_edit_is_answered_within_50_ms():
    config = preset("imagenet", paper=True)
    times, sizes = [], []
    for width in range(200, 220):
        start = time.process_time()
        answer = answers.show_answer(edited(Draft(config), "inception4c", ch3x3=width), "inception4c")
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
    for text in (config.to_dict(), json.dumps(config.to_dict()), export.link_of(config)):
        assert parse_network(text) == config


@pytest.mark.parametrize(
    "said", [None, 7, "", "resnet", "{", "[]", {}, {"layers": 3}, "packed.!!", "cifar10~x.y.z", b"{}"]
)
def test_what_is_no_network_is_refused(said):
    with pytest.raises(LabError):
        parse_network(said)


# --- taken away -------------------------------------------------------------------------------


def test_source_is_of_the_network_or_of_the_chosen_module():
    name, text = export.source_of(FULL, "inception4c", export.WHOLE)
    assert name == "imagenet.py"
    assert "class GoogLeNet" in text
    name, text = export.source_of(FULL, "inception4c", export.MODULE)
    assert name == "inception4c.py"
    assert "Inception(512, 128, 128, 256, 24, 64, 64)" in text
    assert export.source_of(edited(FULL, "inception4c", in_channels=5), "", export.WHOLE)[1].startswith("# inception4c")


def test_json_is_opened_again_and_other_files_are_refused():
    config = edited(FULL, "inception4c", ch3x3=300).config
    assert export.read_file(to_json(config).encode()) == config
    for file in (b"", b"\xff\xfe", b"{}", b"[1]", b"{" * 50_000, None, b" " * 2_000_000):
        with pytest.raises(LabError):
            export.read_file(file)


def test_a_link_is_empty_for_what_a_visitor_sees_anyway():
    assert export.link_of(FULL.config) == ""
    assert export.link_of(preset("cifar10")) == "cifar10"
    broken = edited(FULL, "inception4c", in_channels=500).config
    assert from_link_text(export.link_of(broken)) == broken


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
        panel = network_panel(demo)
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
        assert "gl-refused" in post(app, padded)[0]


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
