"""See inside, below the page: the maps that are shown, what the browser is told, and values that no page sends."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from tiny import tiny_checkpoint, tiny_config

from googlenet.config import ConvConfig, InceptionConfig, LRNConfig, PoolConfig
from googlenet.data import shapes
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.index import compute_index
from googlenet.inference.inside.fields import field
from googlenet.inference.inside.ledger import ledger
from googlenet.inference.inside.trace import Trace, trace
from googlenet.language import speaking
from googlenet.models.presets import preset
from googlenet.models.profile import profile_network
from googlenet.runs import find_checkpoint
from googlenet.ui.classify.inside import answer, detail, maps, panel, shown, stage
from googlenet.ui.classify.inside.traces import traced
from googlenet.ui.classify.shared import LIKELIEST, NOBODY

LAYERS = (
    ConvConfig("conv1", 3, 8, 3, stride=2, padding=1),
    InceptionConfig("inception3a", 8, 4, 4, 6, 2, 3, 3),
    PoolConfig("maxpool3"),
    InceptionConfig("inception4a", 16, 4, 4, 6, 2, 3, 3),
)


@pytest.fixture
def network(tmp_path: Path) -> Classifier:
    return Classifier(tiny_checkpoint(tmp_path / "a.safetensors", config=tiny_config(layers=LAYERS)), "cpu")


@pytest.fixture
def seen(network: Classifier) -> Trace:
    side = network.info.network.input_size
    return trace(network, torch.randint(256, (3, side, side), generator=torch.manual_seed(0)).byte())


def test_the_strongest_maps_come_first() -> None:
    values = torch.tensor([1.0, 3.0, 2.0])[:, None, None].expand(3, 4, 4).clone()
    values[2, 0, 0] = 9
    found = maps.strongest(values, 2)
    assert [(tile.channel, tile.mean, tile.largest) for tile in found.tiles] == [(1, 3.0, 3.0), (2, 2.4375, 9.0)]


def test_a_grid_has_every_map_once() -> None:
    found = maps.grid(torch.rand(50, 16, 16), "3×3")
    assert found.channels == 50
    assert (found.rows - 1) * found.columns < 50 <= found.rows * found.columns


def test_a_silent_step_is_drawn() -> None:
    assert maps.strongest(torch.zeros(3, 5, 5), 3).tiles[0].largest == 0


def test_the_stops_are_the_networks_layers(seen: Trace) -> None:
    assert stage.stops(seen.profile) == ["picture", "conv1", "inception3a", "maxpool3", "inception4a", "answer"]
    assert stage.fitting_stop(seen.profile, "inception4a") == "inception4a"
    assert stage.fitting_stop(seen.profile, "inception9z") == "inception3a"  # of another network's address
    assert stage.fitting_stop(seen.profile, None) == "inception3a"
    with pytest.raises(LabError, match="choose one of its path"):
        stage.stage(seen, "../x")


def sent_to_browser(seen: Trace, stop: str) -> dict[str, Any]:
    return json.loads(json.dumps(stage._for_browser(seen, stop, stage._lanes(seen, stop))))


def test_the_browser_is_told_what_each_branch_sees(seen: Trace) -> None:
    data = sent_to_browser(seen, "inception4a")
    height, width = data["map"]
    assert [lane["branch"] for lane in data["lanes"]] == ["1×1", "3×3", "5×5", "pool"]
    ends = ("branch1", "branch2.1", "branch3.1", "branch4.1")
    for lane, end in zip(data["lanes"], ends, strict=True):
        rows, columns = lane["spans"]
        for y, x in ((0, 0), (height - 1, width // 2)):
            box = field(seen.profile, f"inception4a.{end}", y, x).box
            assert box is not None
            assert (rows[y], columns[x]) == ([box.top, box.bottom], [box.left, box.right])
    assert [lane["window"]["kernel"] for lane in data["lanes"]] == [1, 3, 5, 3]


def test_strengths_are_in_one_scale(seen: Trace) -> None:
    lanes = sent_to_browser(seen, "inception3a")["lanes"]
    assert max(max(map(max, lane["mean"])) for lane in lanes) == 1000
    means = seen.maps["inception3a.branch1"].mean(0), seen.maps["inception3a.branch2.1"].mean(0)
    ratio = float(means[0].sum() / means[1].sum())
    told = [sum(map(sum, lane["mean"])) for lane in lanes[:2]]
    assert told[0] / told[1] == pytest.approx(ratio, rel=0.02)


NETWORKS = {
    "the note's": preset("cifar10-truncated", 3),
    "naive, after a norm": tiny_config(layers=(LAYERS[0], LRNConfig("n"), InceptionConfig.make_naive("i", 8, 4, 6, 3))),
    "no module, no average pool": tiny_config(layers=LAYERS[:1], average_pool=False),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_stop_of_every_network_can_be_drawn(name: str, tmp_path: Path) -> None:
    network = Classifier(tiny_checkpoint(tmp_path / "a.safetensors", config=NETWORKS[name]), "cpu")
    seen = trace(network, torch.randint(256, (3, 32, 32)).byte())
    checkpoint = find_checkpoint(tmp_path, "a")
    for stop in stage.stops(seen.profile):
        assert len(stage.stage(seen, stop)) < 300_000
    assert stage.path(seen.profile, stage.fitting_stop(seen.profile, ""))
    assert answer.ledger_html(checkpoint, network, seen, "cat", "frog")


def test_a_page_sends_a_step_a_channel_and_a_place(seen: Trace) -> None:
    assert detail.parse(seen, "inception3a.branch2.1", 5, [0, 1]) == ("inception3a.branch2.1", 5, (0, 1))
    step, channel, (y, x) = detail.parse(seen, "conv1", 3, None)
    assert seen.maps[step][channel, y, x] == seen.maps[step][channel].max()


@pytest.mark.parametrize(
    "sent",
    [("input", 0, None), (None, 0, None), (["conv1"], 0, None), ("conv1", 8, None), ("conv1", "0", None),
     ("conv1", None, None), ("conv1", 0, [0]), ("conv1", 0, [99, 0]), ("conv1", 0, ["<b>", 0]), ("conv1", 0, "00")],
)  # fmt: skip
def test_what_no_page_sends_is_refused(seen: Trace, sent: tuple[Any, Any, Any]) -> None:
    with pytest.raises(LabError):
        detail.parse(seen, *sent)


@pytest.mark.parametrize(
    ("stop", "asked", "found"),
    [("inception3a", "inception3a.branch2.1-5", ("inception3a.branch2.1", 5)), ("conv1", "conv1-7", ("conv1", 7)),
     ("maxpool3", "inception3a-15", ("inception3a", 15)),  # the map that arrives
     ("inception3a", "inception4a.branch2.1-5", None), ("inception3a", "inception3a.branch2.1-6", None),
     ("conv1", "conv1-8", None), ("conv1", "conv1-٣", None), ("conv1", "conv1-" + "9" * 5_000, None),
     ("conv1", "conv1", None), ("conv1", "conv1--1", None), ("conv1", "", None), ("conv1", "input-0", None),
     ("answer", "fc-0", None), ("picture", "input-0", None), ("inception3a", "inception3a.concat-0", None)],
)  # fmt: skip
def test_an_address_asks_for_a_channel_that_is_shown(seen: Trace, stop: str, asked: str, found: Any) -> None:
    assert detail.asked_channel(seen, stop, asked) == found
    if found:
        assert f'data-step="{found[0]}" data-channel="{found[1]}"' in stage.stage(seen, stop, found)


@pytest.mark.parametrize("step", ["conv1", "inception3a.branch2.1", "inception3a.branch4.0", "inception4a", "avgpool"])
def test_a_detail_ends_in_the_value_of_the_map(network: Classifier, seen: Trace, step: str) -> None:
    html = detail.detail_html(network, seen, step, 1, (0, 0))
    assert f"{seen.maps[step][1, 0, 0].item():.3f}".replace("-", "−") in html


def test_what_a_place_sees_is_told_as_the_table_tells_it(seen: Trace) -> None:
    assert stage.seen_words(seen, "conv1", 0, 7) == (
        "2 × 3 pixels of the picture; 3 of the window's 9 taps lie in padding (33.3%)"
    )


def test_a_channel_of_a_branch_is_named_by_its_number_in_the_concatenation(seen: Trace) -> None:
    for step in ("inception3a.branch1", "inception3a.branch2.1", "inception3a.branch3.1", "inception3a.branch4.1"):
        joined = detail.joined_channel(seen, step, 1)
        assert joined is not None
        assert torch.equal(seen.maps["inception3a"][joined], seen.maps[step][1])
    assert detail.joined_channel(seen, "inception3a.branch2.0", 1) is None  # a reduction is not concatenated
    assert detail.joined_channel(seen, "conv1", 1) is None


def _numbers(html: str, rows: str) -> list[float]:
    """The last number of every line that `rows` matches, as it is shown."""
    found = [line for line in re.findall(r"<tr.*?</tr>", html, re.DOTALL) if re.search(rows, line)]
    return [float(re.findall(r">([−\d.]+)<", line)[-1].replace("−", "-")) for line in found]


@pytest.mark.parametrize("every", [False, True])
def test_the_lines_of_a_sum_add_up_as_they_are_shown(network: Classifier, seen: Trace, every: bool) -> None:
    html = detail.detail_html(network, seen, "inception4a.branch2.1", 2, (3, 3), every=every)
    parts, total = _numbers(html, "channel|the other|bias"), _numbers(html, ">sum<")[0]
    assert sum(parts) == pytest.approx(total, abs=1e-9)
    told = len(_numbers(html, "channel"))
    assert ("Show each" in html) is not every
    assert told == 8 if not every else told > 8


def test_an_untrained_networks_tiny_numbers_are_told() -> None:
    assert shown.decimals([0.00012, -0.000345]) == 6
    assert shown.decimals([12.0]) == shown.decimals([]) == shown.decimals([0.0]) == 3
    assert shown.adding_up([0.0049, 0.0049, 0.0049], 0.0147, 2) == [0.01, 0.0, 0.0]
    assert shown.adding_up([-0.0051, 0.3333, 0.3333], 0.6615, 3) == [-0.005, 0.334, 0.333]


def test_the_ledger_adds_up_as_it_is_shown_and_leads_to_its_channels(
    network: Classifier, seen: Trace, tmp_path: Path
) -> None:
    html = answer.ledger_html(find_checkpoint(tmp_path, "a"), network, seen, "cat", "dog")
    equation = re.search(r"gl-equation.*?</p>", html, re.DOTALL)
    assert equation
    terms = re.sub(r"<small>.*?</small>|<[^>]+>", " ", equation[0].partition(">")[2]).replace("−", "-")
    left, right = terms.split("=")
    assert sum(float(term.replace(" ", "")) for term in re.findall(r"[+-]?\s*[\d.]+", left)) == pytest.approx(
        float(right), abs=1e-9
    )
    exact = ledger(network, seen, "cat", "dog")
    ways = re.findall(r'data-see="inception4a" data-channel="([^"]+)"', html)
    for way, entry in zip(ways, exact.strongest(8), strict=True):
        asked = detail.asked_channel(seen, "inception4a", way)
        assert asked is not None
        assert detail.joined_channel(seen, *asked) == entry.channel
    # By place: all, and each branch, whose parts are those of the sum.
    assert re.findall(r"<figcaption><b>(.*?)</b>", html) == ["all", "1×1", "3×3", "5×5", "pool"]


def test_bars_share_a_scale_and_a_zero() -> None:
    found = answer.bars([("bias", "", -1.0), ("1×1", "gl-b1", 3.0), ("3×3", "gl-b2", 0.0)])
    assert [(bar.left, bar.width) for bar in found] == [(0.0, 25.0), (25.0, 75.0), (25.0, 0.0)]


def test_an_answer_without_an_index_says_what_to_do(network: Classifier, seen: Trace, tmp_path: Path) -> None:
    checkpoint = find_checkpoint(tmp_path, "a")
    html = answer.ledger_html(checkpoint, network, seen, next(iter(seen.probabilities)), None)
    assert f"python -m googlenet index {tmp_path.name}/a.safetensors" in html
    with pytest.raises(LabError, match="knows no class"):
        answer.ledger_html(checkpoint, network, seen, "<b>", None)


def test_a_network_without_modules_has_a_ledger_with_an_index_too(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(shapes.draw_shapes, "__defaults__", (20, 10, 0))
    config = tiny_config(len(shapes.CLASSES), layers=LAYERS[:1])
    network = Classifier(tiny_checkpoint(tmp_path / "plain.safetensors", shapes.CLASSES, config=config), "cpu")
    compute_index(network.path, "shapes", device="cpu")
    seen = trace(network, torch.zeros(3, 32, 32, dtype=torch.uint8))
    html = answer.ledger_html(find_checkpoint(tmp_path, "plain"), network, seen, shapes.CLASSES[0], None)
    assert "This network has no Inception module, so no branch carried anything." in html
    assert "What every branch carried" not in html


def test_one_trace_is_told_in_each_readers_language(network: Classifier, seen: Trace, tmp_path: Path) -> None:
    checkpoint = find_checkpoint(tmp_path, "a")

    def told() -> tuple[str, str, str]:
        return (
            stage.stage(seen, "inception3a"),
            answer.ledger_html(checkpoint, network, seen, "cat", None),
            detail.detail_html(network, seen, "inception3a.branch4.1", 1, (0, 0)),
        )

    english = told()
    with speaking("ko"):
        korean = told()
        target, against = panel._likeliest(), panel._nobody()
    assert told() == english
    for one, other, word in zip(english, korean, ("1×1 합성곱", "cat 로짓의 정확한 내역", "풀링 분기"), strict=True):
        assert word in other
        assert word not in one
    # What the page's code reads stays as it is: the colours of the branches, and the values of the choices.
    assert [re.findall(r"gl-b\d", html) for html in korean] == [re.findall(r"gl-b\d", html) for html in english]
    assert (target[1], against[1]) == (LIKELIEST, NOBODY)
    assert target[0] != LIKELIEST
    assert against[0] != NOBODY


def test_every_step_has_a_korean_name() -> None:
    networks = (preset("imagenet", paper=True), preset("cifar10"))
    rows = {row.label: row for network in networks for row in profile_network(network).rows if not row.aux}
    assert len(rows) > 5
    assert {label: row.words for label, row in rows.items()} == {label: label for label in rows}
    with speaking("ko"):
        assert [row.label for row in rows.values() if re.search("[a-z]", row.words)] == []


def test_a_picture_is_traced_once(network: Classifier, tmp_path: Path) -> None:
    Image.effect_noise((40, 40), 80).convert("RGB").save(tmp_path / "a.png")
    checkpoint = find_checkpoint(tmp_path, "a")
    first = traced(network, checkpoint, tmp_path / "a.png")
    assert traced(network, checkpoint, tmp_path / "a.png") is first
    Image.effect_noise((40, 40), 80).convert("RGB").save(tmp_path / "a.png")
    assert traced(network, checkpoint, tmp_path / "a.png") is not first
