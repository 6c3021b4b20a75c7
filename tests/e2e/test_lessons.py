"""The lessons by keyboard and by mouse, and the experiment on auxiliary heads, in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from googlenet.lessons.course import pose

LESSONS = "?tab=build&view=lessons"
MEASURED = re.compile(r"After [0-9]+ steps? conv1 gets about [0-9,]+× less gradient")
TORCH_MS = 120_000  # its import, on a busy machine


def opened(visit: object, query: str = LESSONS, **size: int) -> Page:
    page = visit.open(query, **size)
    expect(page.get_by_text("How many channels does this module give?")).to_be_visible()
    return page


def field(page: Page) -> Locator:
    return page.locator("#lesson-answer").locator("input, textarea")


def test_by_keyboard_a_wrong_answer_a_right_one_and_on(visit: object) -> None:
    page = opened(visit)
    field(page).focus()
    page.keyboard.type("224")
    page.keyboard.press("Enter")
    reply = page.locator(".gl-reply")
    expect(reply).to_have_text("✗ Not 224 channels. The pool branch is forgotten: it passes on 32 channels too.")
    expect(page.get_by_text("0 of 9 solved")).to_be_visible()
    expect(field(page)).to_be_focused()
    page.wait_for_function("getSelection().toString() === '224'")
    page.keyboard.type("256")  # over what is selected
    expect(field(page)).to_have_value("256")
    page.keyboard.press("Enter")
    expect(reply).to_have_text("✓ Right: 256 channels.")
    expect(page.get_by_text("64 + 128 + 32 + 32")).to_be_visible()
    expect(page.get_by_text("1 of 9 solved")).to_be_visible()
    expect(page.get_by_role("button", name="Next lesson")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="A 1×1 convolution")).to_be_visible()
    expect(field(page)).to_be_focused()
    page.keyboard.type("18432")
    page.keyboard.press("Enter")
    expect(reply).to_contain_text("Those are the weights; each of the 96 channels out has a bias too.")
    # The page comes back as it was left.
    visit.reload(page)
    expect(page.get_by_role("heading", name="A 1×1 convolution")).to_be_visible(timeout=TORCH_MS)
    expect(page.get_by_text("1 of 9 solved")).to_be_visible()


def test_the_notes_slip_is_found_by_a_click_and_opens_in_the_builder(visit: object) -> None:
    page = opened(visit)
    page.get_by_role("button", name="Which line is wrong?").click()
    page.get_by_role("button", name="branch3(x).shape # pool: (32, 100, 100)").click()
    expect(page.locator(".gl-reply")).to_have_text("✓ Right: line 5.")
    expect(page.get_by_text("what it gave is right by chance")).to_be_visible()
    page.get_by_role("link", name="Open this module in the builder").click()
    expect(page.locator("#build-height input")).to_have_value("100", timeout=TORCH_MS)
    expect(page.locator("svg.gl-drawing:visible")).to_contain_text("256 × 100 × 100")


def test_another_one_has_other_numbers_and_a_hint(visit: object) -> None:
    page = opened(visit)
    page.get_by_role("button", name="The stride nobody wrote").click()
    expect(page.locator(".gl-exercise h3")).to_have_text("The stride nobody wrote")  # the former card is gone
    given = page.locator(".gl-given")
    expect(given).to_contain_text("28 × 28")
    page.get_by_text("Hint", exact=True).click()
    expect(page.get_by_text("the stride defaults to the kernel size")).to_be_visible()
    page.get_by_role("button", name="Another one").click()
    other = pose(3, 1)
    expect(given).to_contain_text(dict(other.given)["map"])
    expect(field(page)).to_be_focused()
    page.keyboard.type(str(other.answer))
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".gl-reply")).to_contain_text(f"Right: {other.answer} pixels")
    field(page).fill("many")
    field(page).press("Enter")
    expect(page.get_by_text("The answer is a number: type digits, such as 256, not 'many'.")).to_be_visible()


def test_a_solution_once_shown_stays_known(visit: object) -> None:
    page = opened(visit)
    solution = page.locator(".gl-solution").get_by_text("64 + 128 + 32 + 32")
    page.get_by_role("button", name="Show the solution").click()
    expect(solution).to_be_visible()
    page.wait_for_function("localStorage['googlenet-lessons']")
    visit.reload(page)
    expect(solution).to_be_visible(timeout=TORCH_MS)
    page.get_by_role("button", name="A 1×1 convolution").click()
    expect(solution).to_have_count(0)
    page.get_by_role("button", name="Stacking the branches").click()
    expect(solution).to_be_visible()  # the card has come
    field(page).fill("256 channels")
    field(page).press("Enter")
    expect(page.locator(".gl-reply")).to_contain_text("The solution was shown: take another one")
    expect(page.get_by_text("0 of 9 solved")).to_be_visible()


def experiment(visit: object, norm: str, **size: int) -> Page:
    page = visit.open(f"{LESSONS}&lesson=heads", **size)
    page.get_by_label(norm, exact=True).check()
    return page


def test_gradients_are_drawn_step_by_step_and_stop(visit: object) -> None:
    page = experiment(visit, "without batch norm", width=390, height=844)
    page.locator("#heads-steps input[type=number]").fill("50")
    page.get_by_role("button", name="Measure").click()
    said = page.locator(".gl-conclusion")
    expect(said).to_have_text(MEASURED, timeout=TORCH_MS)
    first = said.text_content()
    expect(said).not_to_have_text(first, timeout=TORCH_MS)
    expect(page.locator(".gl-heads circle")).to_have_count(26)
    sizes = page.evaluate("""() => [...document.querySelectorAll(".gl-heads svg g text")].map((text) =>
        text.getBoundingClientRect().height)""")
    assert min(sizes) >= 12.5
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Measure")).to_be_enabled()
    last = said.text_content()
    page.wait_for_timeout(2000)
    assert said.text_content() == last
    assert not last.startswith("After 50")


def test_a_page_that_is_closed_leaves_no_measuring(visit: object) -> None:
    page = experiment(visit, "without batch norm")
    page.locator("#heads-steps input[type=number]").fill("50")
    page.get_by_role("button", name="Measure").click()
    expect(page.locator(".gl-conclusion")).to_have_text(MEASURED, timeout=TORCH_MS)
    page.close()
    # Only one is measured at a time: were the other still at work, this one would wait for its 50 steps.
    page = experiment(visit, "with batch norm")
    page.get_by_role("button", name="Measure").click()
    expect(page.locator(".gl-conclusion")).to_contain_text("the gradient has not faded", timeout=8000)
