"""The whole network: edit it, break and mend its channels, train it, take it away, and come back by its link."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from googlenet.config import GoogLeNetConfig, InceptionConfig, Layer
from googlenet.inference.classifier import Classifier
from googlenet.models.formats.share import from_json, to_link_text
from googlenet.models.presets import preset
from googlenet.models.profile import profile_network
from googlenet.models.weights import load_weights
from googlenet.runs import Run

RUN = "built-in-the-browser"
PATIENCE = 180_000
WIDER = preset("imagenet").with_layer(InceptionConfig("inception4c", 512, 128, 128, 300, 24, 64, 64))


def small() -> GoogLeNetConfig:
    """cifar10 with every layer a fraction as wide: an epoch takes seconds."""
    network = preset("cifar10")
    fields = ("out_channels", "ch1x1", "ch3x3red", "ch3x3", "ch5x5red", "ch5x5", "pool_proj")

    def narrow(layer: Layer) -> Layer:
        known = [field.name for field in dataclasses.fields(layer) if field.name in fields]
        return dataclasses.replace(layer, **{field: getattr(layer, field) // 16 for field in known})

    return dataclasses.replace(network, layers=tuple(map(narrow, network.layers))).rechained()


def whole(visit: object, query: str = "?view=network", **size: int) -> Page:
    page = visit.open(query, **size)
    expect(page.locator("#network")).to_be_visible()
    return page


def choose(page: Page, layer: str) -> None:
    page.get_by_role("button", name=layer, exact=True).click()
    expect(page.locator(".gl-chosen")).to_contain_text(layer)


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#network-{name} input")


def row(page: Page, layer: str) -> Locator:
    return page.locator(f"#network tr[data-layer={layer}]")


def parameters(page: Page) -> Locator:
    return page.locator("#network .gl-card dd").first


def test_an_edit_moves_the_totals_and_a_break_is_mended_by_one_click(visit: object) -> None:
    page = whole(visit)
    expect(parameters(page)).to_have_text("6,998,552")
    choose(page, "inception 4c")
    field(page, "ch3x3").fill("300")
    expect(parameters(page)).to_have_text(f"{profile_network(WIDER).params:,}")
    expect(row(page, "inception4c")).to_contain_text("556 × 14 × 14")

    field(page, "in_channels").fill("500")
    expect(row(page, "inception4c")).to_contain_text("expects 500 channels, 512 arrive")
    expect(page.get_by_label("Keep channels consistent")).not_to_be_checked()
    page.get_by_role("button", name="Fix channels").click()
    expect(parameters(page)).to_have_text(f"{profile_network(WIDER).params:,}")
    expect(field(page, "in_channels")).to_have_value("512")
    expect(page.get_by_role("button", name="Fix channels")).to_have_count(0)

    for _ in range(3):  # the mending, the break, the 300
        page.get_by_role("button", name="Undo").click()
        page.wait_for_timeout(200)
    expect(parameters(page)).to_have_text("6,998,552")
    expect(field(page, "ch3x3")).to_have_value("256")


def test_small_images_windows_and_switches(visit: object) -> None:
    page = whole(visit)
    expect(row(page, "inception4c")).to_contain_text("463K")  # what the paper quotes
    field(page, "side").fill("32")
    expect(row(page, "inception4c")).to_contain_text("84%")
    expect(row(page, "inception4c").locator(".gl-mostly")).to_be_visible()
    page.get_by_label("two 3×3, Inception v2").check()
    expect(row(page, "inception4c")).to_contain_text("two 3×3")
    page.get_by_label("auxiliary heads").check()
    expect(page.locator("#network .gl-network")).to_contain_text("training only")
    choose(page, "inception 4c")
    page.locator("#network-form").get_by_label("naive").check()
    expect(row(page, "inception4c")).to_contain_text("naive module")
    expect(field(page, "pool_proj")).to_have_count(0)
    field(page, "side").fill("0")
    refusal = page.locator("#network .gl-message")
    expect(refusal).to_contain_text("must be a whole number from 1 to 1,024, not 0")
    field_box, box = field(page, "side").bounding_box(), refusal.bounding_box()
    assert 0 < box["y"] - field_box["y"] < 250
    page.get_by_role("button", name="Reset").click()
    expect(parameters(page)).to_have_text("6,998,552")
    expect(field(page, "side")).to_have_value("224")


def test_a_file_that_is_none_is_refused_beside_the_button(visit: object) -> None:
    page = whole(visit)
    page.get_by_role("button", name="Source, JSON and link").click()
    page.get_by_role("button", name="Open JSON").scroll_into_view_if_needed()
    page.locator("#network input[type=file]").set_input_files(
        {"name": "n.json", "mimeType": "application/json", "buffer": b'{"layers":[]}'}
    )
    refusal = page.locator("#network .gl-message")
    expect(refusal).to_have_text("This network description lacks name, num_classes, input_size.")
    expect(refusal).to_be_in_viewport()
    expect(parameters(page)).to_have_text("6,998,552")


@pytest.mark.parametrize("height", [720, 900])
def test_a_refusal_names_the_field_as_the_page_does_and_is_in_view(visit: object, height: int) -> None:
    page = whole(visit, height=height)
    choose(page, "conv1")
    page.mouse.wheel(0, 900)
    page.wait_for_timeout(300)
    field(page, "kernel").fill("99")
    refusal = page.locator("#network-form .gl-message")
    expect(refusal).to_have_text("Kernel must be a whole number from 1 to 15, not 99.")
    box = refusal.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= height
    field(page, "side").fill("96")  # another field is no answer to it
    expect(row(page, "conv1")).to_contain_text("64 × 48 × 48")
    expect(refusal).to_be_visible()
    field(page, "kernel").fill("5")
    expect(refusal).to_have_count(0)


def test_what_is_built_is_what_is_trained_and_classifies(visit: object, lab: object) -> None:
    network = small()
    count = f"{profile_network(network).params:,}"
    page = whole(visit, f"?network={quote(to_link_text(network))}")
    expect(parameters(page)).to_have_text(count)
    page.get_by_role("button", name="Train this network").click()
    expect(page.get_by_role("combobox", name="Network")).to_have_value(f"your network (Build), {count} parameters")
    page.get_by_label("Epochs", exact=True).fill("1")
    page.get_by_role("button", name="More settings").click()
    page.get_by_label("Run name").fill(RUN)
    page.get_by_role("button", name="Start", exact=True).click()
    # The queue's line names it too, for as long as it waits there.
    expect(page.locator(".gl-line", has_text=RUN).filter(has_text="finished")).to_be_visible(timeout=PATIENCE)

    trained = Run(lab.checkpoints, RUN).path / "best.safetensors"
    model, info = load_weights(trained)
    assert sum(parameter.numel() for parameter in model.parameters()) == profile_network(network).params
    assert info.network.layers == network.layers
    assert info.network.name == "cifar10-edited"
    picture = Image.new("RGB", (32, 32), "red")
    assert len(Classifier(trained).classify(picture)) == 10
    page.get_by_role("tab", name="Classify").click()
    page.get_by_role("combobox", name="Network").click()
    expect(page.get_by_role("option", name=RUN).first).to_be_visible()


def test_a_network_that_cannot_be_trained_says_what_to_do(visit: object) -> None:
    page = whole(visit)
    page.get_by_role("button", name="Train this network").click()
    expect(page.locator("#network .gl-message")).to_contain_text("set the image side to 32")
    page.get_by_role("button", name="Set 32×32 and 10 classes").click()
    expect(field(page, "classes")).to_have_value("10")
    page.get_by_role("button", name="Train this network").click()
    expect(page.get_by_role("combobox", name="Network")).to_have_value(re.compile("^your network"))
    rate = page.get_by_role("spinbutton", name="Learning rate", exact=True)
    expect(rate).to_have_value("0.001")  # Adam's: it has no batch norm


def test_source_runs_json_opens_and_the_link_comes_back(visit: object, tmp_path: Path) -> None:
    page = whole(visit)
    choose(page, "inception 4c")
    field(page, "ch3x3").fill("300")
    expect(parameters(page)).to_have_text(f"{profile_network(WIDER).params:,}")
    page.get_by_role("button", name="Source, JSON and link").click()
    expect(page.locator(".cm-content")).to_contain_text("import torch")
    files = {}
    for button in ("Download source", "Download JSON"):
        with page.expect_download() as download:
            page.get_by_role("button", name=button).click()
        files[button] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[button])
    ran = subprocess.run([sys.executable, "-I", files["Download source"]], capture_output=True, text=True, check=True)
    assert "1000" in ran.stdout
    assert from_json(files["Download JSON"].read_text()) == WIDER

    link = page.locator("#network-link textarea").input_value()
    page.wait_for_url("**network=*")
    visit.reload(page)
    expect(parameters(page)).to_have_text(f"{profile_network(WIDER).params:,}")
    second = whole(visit, link.removeprefix(f"{visit.lab.url}/"))
    expect(parameters(second)).to_have_text(f"{profile_network(WIDER).params:,}")
    second.get_by_role("button", name="Reset").click()
    expect(parameters(second)).to_have_text("6,998,552")
    second.get_by_role("button", name="Source, JSON and link").click()
    second.locator("#network input[type=file]").set_input_files(files["Download JSON"])
    expect(parameters(second)).to_have_text(f"{profile_network(WIDER).params:,}")


def test_a_link_opens_at_what_was_edited(visit: object) -> None:
    page = whole(visit, f"?network={quote(to_link_text(WIDER))}")
    expect(page.locator(".gl-chosen")).to_contain_text("inception 4c")
    expect(field(page, "ch3x3")).to_have_value("300")
    expect(row(page, "inception4c")).to_contain_text("edited")


def test_a_broken_link_is_explained_and_the_page_works(visit: object) -> None:
    page = whole(visit, "?network=imagenet~inception9z.ch3x3.300")
    expect(page.locator("#network .gl-message")).to_contain_text("The network in the link cannot be opened")
    expect(parameters(page)).to_have_text("6,998,552")


def test_by_keyboard_alone(visit: object) -> None:
    page = whole(visit)
    page.get_by_role("button", name="inception 4c", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".gl-chosen")).to_contain_text("inception 4c")
    field(page, "ch3x3").focus()
    page.keyboard.press("ArrowUp")
    expect(row(page, "inception4c")).to_contain_text("513 × 14 × 14")


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1366, 768), (1440, 900), (1024, 768), (390, 844)])
def test_all_of_the_form_is_seen_or_reached_by_scrolling_down(visit: object, width: int, height: int) -> None:
    page = whole(visit, width=width, height=height)
    for layer in ("inception 3a", "conv1"):
        choose(page, layer)
        page.wait_for_timeout(900 if width < 768 else 0)  # a phone's page glides to the fields
        wider = page.locator("#network-form").evaluate(
            "(form) => [form, ...form.querySelectorAll('*')].filter((part) => part.scrollWidth > part.clientWidth + 1"
            " && getComputedStyle(part).display !== 'inline').map((part) => part.outerHTML.slice(0, 90))"
        )
        assert wider == []
        remarks = page.locator("#network-form .gl-remarks")
        remarks.evaluate("(part) => part.scrollIntoView({block: 'end'})")
        form, box = page.locator("#network-form").bounding_box(), remarks.bounding_box()
        assert form["x"] <= box["x"]
        assert box["x"] + box["width"] <= form["x"] + form["width"] + 1
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= height + 1
        assert seen(remarks)
    page.evaluate("scrollTo(0, 0)")
    train = page.get_by_role("button", name="Train this network")
    box = train.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= height  # without any scrolling
    assert seen(train)


def seen(part: Locator) -> bool:
    """Whether nothing lies over its middle."""
    return part.evaluate(
        "(part) => { const {left, top, width, height} = part.getBoundingClientRect();"
        "const found = document.elementFromPoint(left + width / 2, top + height / 2);"
        "return part.contains(found) || found.contains(part); }"
    )


def test_a_phone_shows_every_figure_of_a_layer(visit: object) -> None:
    page = whole(visit, width=390, height=844)
    cells = row(page, "inception4c").locator("th, td")
    for cell in cells.all():
        box = cell.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    expect(row(page, "inception4c")).to_contain_text("463K")
    small = page.locator("#network").evaluate(
        "(part) => [...part.querySelectorAll('.gl-html *')].filter((one) => one.checkVisibility()"
        " && [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())"
        " && parseFloat(getComputedStyle(one).fontSize) < 12.5).map((one) => one.outerHTML.slice(0, 90))"
    )
    assert small == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_sees_no_sideways_scroll(visit: object, theme: str) -> None:
    page = whole(visit, f"?view=network&__theme={theme}", width=390, height=844)
    expect(parameters(page)).to_have_text("6,998,552")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    choose(page, "inception 4c")
    time.sleep(0.8)  # the page glides to the fields
    assert page.locator(".gl-chosen").bounding_box()["y"] < 400
