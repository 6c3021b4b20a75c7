"""Build a module with the mouse and with the keyboard; see, save and check what the page says of it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from googlenet.config import InceptionConfig
from googlenet.models.profile import profile_module
from googlenet.ui.common.channels import STOPS

# The size in px at which each text of the drawing and of the panel's HTML is seen.
TEXT_SIZES = """() => {
    const seen = [...document.querySelectorAll('#module .gl-html *')].filter((node) => node.getClientRects().length
        && [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.textContent.trim()));
    return seen.map((node) => {
        const svg = node.closest('svg.gl-drawing');
        const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
        return scale * parseFloat(getComputedStyle(node).fontSize);
    });
}"""


def shown_params(ch1x1: int) -> str:
    return f"{profile_module(InceptionConfig('m', 192, ch1x1, 96, 128, 16, 32, 32), 28, 28).params:,}"


def opened(visit: object, query: str = "?tab=build", **size: int) -> Page:
    page = visit.open(query, **size)
    expect(page.get_by_text("163,696").first).to_be_visible()
    return page


def slider(page: Page, field: str) -> object:
    return page.get_by_role("slider", name=f"({field})")


def box(page: Page, field: str) -> object:
    return page.locator(f"#build-{field} input")


def visible_picture(page: Page) -> object:
    return page.locator("svg.gl-drawing:visible")


def test_a_drag_changes_picture_table_and_sums(visit: object) -> None:
    page = opened(visit)
    handle = slider(page, "ch1x1")
    where = handle.bounding_box()
    page.mouse.move(where["x"] + where["width"] * 63 / 255, where["y"] + where["height"] / 2)
    page.mouse.down()
    for step in range(1, 21):
        page.mouse.move(where["x"] + where["width"] * (0.25 + 0.02 * step), where["y"] + where["height"] / 2)
    page.mouse.up()
    value = STOPS[int(handle.input_value())]
    assert value > 300
    # The last position of the drag is the one that counts.
    expect(box(page, "ch1x1")).to_have_value(str(value))
    expect(page.get_by_text(shown_params(value)).first).to_be_visible()
    expect(visible_picture(page)).to_contain_text(f"output {value + 128 + 32 + 32:,} × 28 × 28")


def test_the_keyboard_and_a_typed_number_do_what_the_mouse_does(visit: object) -> None:
    page = opened(visit)
    slider(page, "ch1x1").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_text(shown_params(70)).first).to_be_visible()  # 64 + 3 stops of 2
    expect(slider(page, "ch1x1")).to_have_attribute("aria-valuetext", "70 channels")
    box(page, "ch1x1").fill("4095")
    expect(page.get_by_text(shown_params(4095)).first).to_be_visible()
    expect(slider(page, "ch1x1")).to_have_value("255")  # the nearest stop; the number stays as typed
    expect(box(page, "ch1x1")).to_have_value("4095")


def test_undo_goes_back_an_edit_at_a_time(visit: object) -> None:
    page = opened(visit)
    for value in ("65", "67"):
        box(page, "ch1x1").fill(value)
        expect(page).to_have_url(re.compile(f"module=reduced-192-1-28-28-{value}-"))
    for value in (65, 64):
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text(shown_params(value)).first).to_be_visible()
        expect(page).to_have_url(re.compile(f"module=reduced-192-1-28-28-{value}-"))


def test_undo_outlives_a_form_that_cannot_be_read(visit: object) -> None:
    page = opened(visit)
    undo = page.get_by_role("button", name="Undo")
    stale = page.locator(".gl-stale")
    height = box(page, "height")
    height.fill("")
    expect(page.locator(".gl-refusal .gl-message")).to_contain_text("Height must be a whole number from 1 to 1,024")
    page.wait_for_timeout(1000)  # longer than what keeps a state for Undo waits for
    height.fill("40")
    expect(visible_picture(page)).to_contain_text("256 × 40 × 28")
    expect(page).to_have_url(re.compile("module=reduced-192-1-40-28-"))
    undo.focus()
    page.keyboard.press("Enter")
    expect(height).to_have_value("28")
    expect(visible_picture(page)).to_contain_text("256 × 28 × 28")
    # A refused value is undone too, to what stood there before its first keystroke.
    height.press_sequentially("99999", delay=60)
    expect(stale).to_be_visible()
    page.keyboard.press("Tab")
    undo.click()
    expect(height).to_have_value("28")
    expect(stale).to_be_hidden()
    # And nothing refused is among what further edits go back to.
    box(page, "ch1x1").fill("65")
    expect(page).to_have_url(re.compile("-28-28-65-"))
    for _ in range(2):
        undo.click()
        expect(box(page, "ch1x1")).to_have_value("64")


def test_figures_of_a_keystroke_on_the_way_are_dimmed_and_say_what_they_are_of(visit: object) -> None:
    page = opened(visit)
    figures = page.locator(".gl-answers .gl-cards, .gl-sheet:visible, .gl-twins, .gl-answers .gl-answer")
    dimmed = """(nodes) => nodes.map((node) => {
        let opacity = 1;
        for (; node; node = node.parentElement) opacity *= getComputedStyle(node).opacity;
        return opacity < 0.9;
    })"""
    assert figures.evaluate_all(dimmed) == [False] * 4
    height = box(page, "height")
    height.fill("5")
    expect(visible_picture(page)).to_contain_text("256 × 5 × 28")
    height.fill("5000")
    refusal = page.locator(".gl-refusal .gl-message")
    expect(refusal).to_have_text("Height must be a whole number from 1 to 1,024, not 5000.")
    stale = page.locator("[role=status] > .gl-stale")
    expect(stale).to_have_text(
        "These are still the figures of a module of your own, with 1×1 reductions, on 192 × 5 × 28, batch of 1, "
        "until the form can be read again."
    )
    expect(stale).to_be_visible()
    assert figures.evaluate_all(dimmed) == [True] * 4
    expect(height).to_have_attribute("aria-invalid", "true")
    # From the last field of the form, the refusal is in view too.
    box(page, "pool_proj").fill("0")
    box(page, "pool_proj").scroll_into_view_if_needed()
    expect(refusal).to_be_in_viewport()
    box(page, "pool_proj").fill("32")
    height.fill("28")
    expect(refusal).to_have_count(0)
    expect(stale).to_be_hidden()
    expect(page.locator("#module [aria-invalid]")).to_have_count(0)
    assert figures.evaluate_all(dimmed) == [False] * 4


def test_a_step_is_explained_by_click_and_by_keyboard(visit: object) -> None:
    page = opened(visit)
    sums = page.locator(".gl-sums")
    expect(sums).to_contain_text("3·3·96·128 + 128 = 110,720")
    page.get_by_role("button", name="5×5 convolution, 5×5 branch: 10.04 M multiply-adds").click()
    expect(sums).to_contain_text("⌊(28 + 2·2 − 5) / 1⌋ + 1 = 28")
    expect(sums).to_contain_text("5·5·16·32 + 32 = 12,832")
    expect(sums).to_contain_text("5·5·16·32·28·28 = 10,035,200")
    # By keyboard, in the picture: the focus stays where it was, for the next step.
    page.get_by_role("button", name="3×3 max pool, pool branch").focus()
    page.keyboard.press("Enter")
    expect(sums).to_contain_text("nothing to learn")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(sums).to_contain_text("1·1·192·32 + 32 = 6,176")
    # And in the table; the batch counts, and a drag keeps the step.
    page.locator("td [data-step='branch1']").click()
    box(page, "batch").fill("8")
    expect(sums).to_contain_text("8·9,633,792 = 77,070,336")
    expect(page.locator("td [data-step='branch1']")).to_have_attribute("aria-pressed", "true")


def test_a_forgotten_stride_is_seen_and_torch_says_the_same(visit: object) -> None:
    page = opened(visit)
    page.get_by_label("forget stride=1 on the pool").check()
    expect(visible_picture(page)).to_contain_text("10×10 ≠ 28×28")
    expect(page.locator(".gl-misfit")).to_contain_text("The pool branch gives a 10×10 map, the others 28×28")
    said = "Expected size 28 but got size 10 for tensor number 3 in the list."
    expect(page.locator(".gl-torch-says")).to_contain_text(said, timeout=60_000)
    page.get_by_label("forget stride=1 on the pool").uncheck()
    expect(page.locator(".gl-misfit")).to_have_count(0)
    expect(page.locator(".gl-torch-says")).to_have_count(0)
    expect(visible_picture(page)).to_contain_text("= 256 channels")


def test_a_forgotten_stride_is_in_the_link_and_run_for_real_it_fails(visit: object) -> None:
    page = opened(visit)
    page.get_by_label("forget stride=1 on the pool").check()
    expect(page).to_have_url(re.compile("module=reduced-192-1-28-28-64-96-128-16-32-32-forgotten"))
    again = visit.open(page.url.split("/", 3)[3])
    expect(again.get_by_label("forget stride=1 on the pool")).to_be_checked()
    expect(visible_picture(again)).to_contain_text("10×10 ≠ 28×28")
    again.get_by_role("button", name="Run it for real").click()
    said = again.locator(".gl-more .gl-torch-says")
    expect(said).to_contain_text("Expected size 28 but got size 10", timeout=60_000)
    expect(said).to_be_in_viewport()
    expect(again.locator(".gl-measured")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("forget stride=1 on the pool")).not_to_be_checked()
    expect(page).to_have_url(re.compile("-32-32$"))


def test_an_old_link_opens_the_module_it_was_made_of(visit: object) -> None:
    page = visit.open("?tab=build&module=naive-192-2-100-100-64-96-128-16-32-32")
    expect(visible_picture(page)).to_contain_text("416 × 100 × 100")
    expect(box(page, "batch")).to_have_value("2")
    expect(page.get_by_label("forget stride=1 on the pool")).not_to_be_checked()


def test_which_padding_keeps_the_size(visit: object) -> None:
    page = opened(visit)
    answer = page.locator(".gl-padding")
    expect(answer).to_contain_text("= 26")
    expect(answer).to_contain_text("A 5×5 window keeps the size with padding 2.")
    page.get_by_label("Padding", exact=True).click()
    page.get_by_role("option", name="2").click()
    expect(answer).to_contain_text("= 28")
    expect(answer).to_contain_text("The size stays")
    page.get_by_label("Side", exact=True).fill("0")
    expect(page.get_by_text("Side must be a whole number from 1 to 1,024, not 0")).to_be_visible()


def test_naive_against_reduced_and_both_timed(visit: object) -> None:
    page = opened(visit)
    twins = page.get_by_label("naive against reduced")
    expect(twins).to_contain_text("387,296")
    expect(twins).to_contain_text("163,696 2.4× less")
    expect(page.get_by_text("The 5×5 branch costs 9.7× less.")).to_be_visible()
    page.get_by_role("button", name="Time both on this device").click()
    raced = page.locator(".gl-raced")
    expect(raced).to_contain_text("forward passes each, in turns", timeout=60_000)
    expect(raced).to_contain_text(re.compile("as fast|as long|too noisy to tell"))
    page.get_by_label("naive", exact=True).check()
    expect(page.locator(".gl-raced")).to_have_count(0)  # it was of another module
    expect(visible_picture(page)).to_contain_text("416 × 28 × 28")
    page.get_by_label("with 1×1 reductions").check()
    page.get_by_role("button", name="Run it for real").click()
    expect(page.get_by_text("1 × 256 × 28 × 28").first).to_be_visible(timeout=60_000)


def test_a_value_that_cannot_be_is_one_sentence_and_the_answer_stays(visit: object) -> None:
    page = opened(visit)
    for field, bad, good in (("height", "0", "28"), ("ch1x1", "5000", "64")):
        box(page, field).fill(bad)
        expect(page.locator(".gl-refusal .gl-message")).to_contain_text(f"not {bad}")
        expect(page.get_by_text("163,696").first).to_be_visible()
        box(page, field).fill(good)
        expect(page.locator(".gl-refusal .gl-message")).to_have_count(0)
    # The largest of all is answered at once, but not run.
    for field, value in (("batch", "4096"), ("height", "1024"), ("width", "1024")):
        box(page, field).fill(value)
    expect(visible_picture(page)).to_contain_text("256 × 1,024 × 1,024")
    page.get_by_role("button", name="Run it for real").click()
    refusal = page.locator(".gl-more .gl-message")
    expect(refusal).to_contain_text(
        re.compile(r"takes [0-9,.]+ GiB \([0-9,]+ bytes\) and [0-9,.]+ GiB"), timeout=60_000
    )
    expect(refusal).to_be_in_viewport()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_picture_is_saved_as_it_is_seen(visit: object, width: int) -> None:
    page = opened(visit, width=width)
    with page.expect_download() as svg:
        page.get_by_role("button", name="Download the picture as SVG").click()
    assert svg.value.suggested_filename == "inception-192-64-96-128-16-32-32.svg"
    text = svg.value.path().read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert "var(" not in text
    assert "class=" not in text
    assert "#0072b2" in text.lower() or "rgb(0, 114, 178)" in text
    assert root.find("{http://www.w3.org/2000/svg}title").text == "Inception module with 1×1 reductions"
    with page.expect_download() as png:
        page.get_by_role("button", name="Download the picture as PNG").click()
    with Image.open(png.value.path()) as image:
        assert image.format == "PNG"
        assert image.width == 1600
        assert image.height / image.width == pytest.approx(
            float(root.get("height")) / float(root.get("width")), abs=0.01
        )
        assert len(image.convert("RGB").quantize(64).getcolors()) > 30  # it is no empty sheet


def test_a_phone_keeps_the_picture_in_sight_and_legible(visit: object) -> None:
    page = opened(visit, width=390, height=844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(visible_picture(page)).to_have_count(1)
    expect(visible_picture(page)).to_have_class(re.compile("gl-narrow"))
    slider(page, "pool_proj").scroll_into_view_if_needed()
    slider(page, "pool_proj").focus()
    page.keyboard.press("ArrowRight")
    expect(visible_picture(page)).to_contain_text("out 257 × 28 × 28")
    expect(visible_picture(page)).to_be_in_viewport(ratio=0.99)
    assert min(page.evaluate(TEXT_SIZES)) >= 12.4


@pytest.mark.parametrize("size", [(1280, 720), (1366, 768), (1440, 900), (1024, 768)])
def test_one_module_fits_and_reads_on_any_screen(visit: object, size: tuple[int, int]) -> None:
    page = opened(visit, width=size[0], height=size[1])
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert min(page.evaluate(TEXT_SIZES)) >= 12.4
    clipped = page.evaluate("""() => [...document.querySelectorAll('#module .gl-controls *, #module .gl-answers *')]
        .filter((node) => node.tagName !== 'INPUT' && node.clientWidth && node.scrollWidth > node.clientWidth + 2)
        .filter((node) => getComputedStyle(node).overflowX === 'hidden').map((node) => node.className)""")
    assert clipped == []


def test_the_picture_has_a_text_alternative_and_reads_in_the_dark(visit: object) -> None:
    page = opened(visit, "?tab=build&__theme=dark")
    expect(page.get_by_role("img", name="Inception module with 1×1 reductions")).to_be_visible()
    ink, paper = page.evaluate("""() => ["svg.gl-wide text.gl-strong", "figure.gl-picture"].map((name, index) => {
        const style = getComputedStyle(document.querySelector(name));
        return (index ? style.backgroundColor : style.fill).match(/[0-9.]+/g).slice(0, 3).map(Number);
    })""")
    assert min(ink) > 200
    assert max(paper) < 60
