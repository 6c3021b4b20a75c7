"""Build a module with the mouse and with the keyboard."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from googlenet.config import InceptionConfig
from googlenet.models.profile import profile_module


def slider(page: Page, field: str) -> object:
    return page.get_by_role("slider", name=field)


def shown_params(ch1x1: int) -> str:
    return f"{profile_module(InceptionConfig('m', 192, ch1x1, 96, 128, 16, 32, 32), 28, 28).params:,}"


def test_a_drag_changes_table_and_concatenation(visit: object) -> None:
    page = visit.open("?tab=build")
    expect(page.get_by_text("163,696").first).to_be_visible()
    handle = slider(page, "ch1x1")
    box = handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 64 / 1024, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(1, 21):
        page.mouse.move(box["x"] + box["width"] * (0.06 + 0.02 * step), box["y"] + box["height"] / 2)
    page.mouse.up()
    value = int(handle.input_value())
    assert value > 300
    # The last position of the drag is the one that counts.
    expect(page.get_by_text(shown_params(value)).first).to_be_visible()
    expect(page.get_by_text(f"{value + 128 + 32 + 32:,} × 28 × 28").first).to_be_visible()


def test_the_keyboard_does_what_the_mouse_does(visit: object) -> None:
    page = visit.open("?tab=build")
    expect(page.get_by_text("163,696").first).to_be_visible()
    slider(page, "ch1x1").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_text(shown_params(67)).first).to_be_visible()


def test_naive_and_back_and_torch_agrees(visit: object) -> None:
    page = visit.open("?tab=build")
    page.get_by_label("naive", exact=True).check()
    expect(page.get_by_text("416 × 28 × 28").first).to_be_visible()
    page.get_by_label("with 1×1 reductions").check()
    expect(page.get_by_text("256 × 28 × 28").first).to_be_visible()
    page.get_by_role("button", name="Run it for real").click()
    expect(page.get_by_text("1 × 256 × 28 × 28").first).to_be_visible(timeout=60_000)


def test_a_bad_value_is_one_sentence_and_the_answer_stays(visit: object) -> None:
    page = visit.open("?tab=build")
    expect(page.get_by_text("163,696").first).to_be_visible()
    page.get_by_label("Height").fill("0")
    expect(page.locator(".gl-message")).to_be_visible()
    expect(page.get_by_text("163,696").first).to_be_visible()
    page.get_by_label("Height").fill("28")
    expect(page.locator(".gl-message")).to_have_count(0)


def test_a_phone_sees_no_sideways_scroll(visit: object) -> None:
    page = visit.open("?tab=build", width=390, height=844)
    expect(page.get_by_text("163,696").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
