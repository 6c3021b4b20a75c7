"""Why this class and not another, in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import expect

PATIENCE = 90_000


def test_a_class_and_the_difference_of_two_are_explained(visit: object) -> None:
    page = visit.open("?tab=classify")
    explain = page.get_by_role("button", name="Explain the answer")
    explain.click(timeout=PATIENCE)
    expect(page.get_by_text("There is no picture yet: choose one on the left.")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="ship").click()
    expect(page.locator(".gl-verdict")).to_contain_text("ship", timeout=PATIENCE)
    explain.click()
    expect(page.locator(".gl-why h4")).to_contain_text("Why ship?", timeout=PATIENCE)
    expect(page.locator(".gl-why-words")).to_contain_text(re.compile("(map holds|trust it half|do not trust)"))
    expect(page.locator(".gl-curves svg")).to_have_count(2)

    page.get_by_label("and not").first.click()
    page.get_by_role("option", name="airplane").click()
    page.get_by_role("radio", name="grad-cam").check()
    explain.click()
    expect(page.locator(".gl-why h4")).to_contain_text("Why ship rather than airplane?", timeout=PATIENCE)
    expect(page.locator(".gl-why-words")).to_contain_text("Selvaraju")

    expect(page).to_have_url(re.compile("why=the.likeliest&against=airplane&method=grad-cam"))

    # With another picture it is gone, and what was chosen stays.
    page.get_by_role("button", name="frog").click()
    expect(page.locator(".gl-verdict")).to_contain_text("frog", timeout=PATIENCE)
    expect(page.locator(".gl-why")).to_have_count(0)
    expect(page.get_by_label("and not").first).to_have_value("airplane")
    page.set_viewport_size({"width": 390, "height": 844})
    explain.click()
    expect(page.locator(".gl-why h4")).to_contain_text("Why frog rather than airplane?", timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_link_opens_what_was_asked(visit: object) -> None:
    page = visit.open("?tab=classify&why=cat&against=dog&method=grad-cam")
    expect(page.get_by_label("and not").first).to_have_value("dog", timeout=PATIENCE)
    expect(page.get_by_label("Why", exact=True).first).to_have_value("cat")
    expect(page.get_by_role("radio", name="grad-cam")).to_be_checked()

    # What is chosen by hand counts from then on, also when a new picture is answered.
    page.get_by_label("and not").first.click()
    page.get_by_role("option", name="(no other)").click()
    expect(page).to_have_url(re.compile("why=cat&against=%28no\\+other%29"))
    page.get_by_role("button", name="frog").click()
    expect(page.locator(".gl-verdict")).to_contain_text("frog", timeout=PATIENCE)
    page.get_by_role("button", name="Explain the answer").click()
    expect(page.locator(".gl-why h4")).to_have_text(re.compile(r"Why cat\? [0-9.]+%"), timeout=PATIENCE)
    expect(page.get_by_label("and not").first).to_have_value("(no other)")
