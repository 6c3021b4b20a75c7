"""Every view by WCAG AA: axe-core's rules in light and dark, wide and narrow; names and rings of focus everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Visit
from playwright.sync_api import Page, expect
from trainings import make_folder, training

from googlenet.training.session import train

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

RUN = "seen-by-everyone"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
PATIENCE = 90_000
EXAMPLES = Path(__file__).resolve().parents[2] / "googlenet" / "ui" / "static" / "examples"
# base.css darkens the colours of Gradio's code by a filter, which axe does not see.
EXCEPTIONS = [[".cm-editor"]]
NAMELESS = re.compile(
    r'^ *- (textbox|combobox|slider|spinbutton|group|radiogroup|radio|checkbox|button|tab|link)( "(Textbox|Radio|'
    r'Dropdown|Number|Slider|Checkbox|Button)")?( \[[^]]*\])*:?$',
    re.MULTILINE,
)


@pytest.fixture(scope="module")
def run(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    data = make_folder(tmp_path_factory.mktemp("data") / "colours", 40, 20)
    train(training(RUN, data, {"aux": ()}, epochs=2), lab.checkpoints)
    return RUN


def judged(page: Page) -> None:
    page.get_by_role("button", name="Evaluate checkpoints").click()
    expect(page.locator(".gl-confusion")).to_be_visible(timeout=PATIENCE)


def classified(page: Page) -> None:
    page.get_by_role("button", name="ship").click()
    expect(page.locator(".gl-classified")).to_be_visible(timeout=PATIENCE)


def looked_inside(page: Page) -> None:
    page.get_by_role("button", name="ship").click()
    page.locator(".gl-lane .gl-tiles button").first.click(timeout=PATIENCE)
    expect(page.locator(".gl-sum")).to_be_visible(timeout=PATIENCE)


def answered_all(page: Page) -> None:
    page.get_by_role("radio", name="Many pictures").check()
    page.locator("[data-way=files]").set_input_files([EXAMPLES / "cat.jpg", EXAMPLES / "SOURCES.md"])
    page.get_by_role("button", name="Answer all").click()
    expect(page.locator(".gl-many-table")).to_be_visible(timeout=PATIENCE)


def drawn(selector: str) -> Callable[[Page], None]:
    return lambda page: expect(page.locator(selector).first).to_be_visible(timeout=PATIENCE)


def listed_all_runs(page: Page) -> None:
    drawn(".gl-chart")(page)
    page.get_by_role("button", name="All runs").click()
    expect(page.locator("#all-runs [data-testid^=cell-]").get_by_text(RUN, exact=True)).to_be_visible(timeout=PATIENCE)


VIEWS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "module": ("?tab=build", drawn(".gl-drawing")),
    "network": ("?tab=build&view=network", drawn("[aria-label='Layers of the network']")),
    "lessons": ("?tab=build&view=lessons", drawn(".gl-path")),
    "train": (f"?tab=train&run={RUN}", listed_all_runs),
    "evaluate": (f"?tab=evaluate&evaluate={RUN}", judged),
    "classify": ("?tab=classify", classified),
    "inside": ("?tab=classify&classify=inside", looked_inside),
    "many": ("?tab=classify", answered_all),
}


@pytest.fixture(scope="module", params=VIEWS)
def view(request: pytest.FixtureRequest, browser: Any, lab: Any, run: str) -> Iterator[Page]:
    """Each view with all that folds unfolded, and nothing on the move; opened once for all that is asked of it."""
    visit = Visit(browser, lab)
    query, prepare = VIEWS[request.param]
    page = visit.open(query)
    page.add_style_tag(content="*, ::before, ::after { transition: none !important; animation: none !important; }")
    prepare(page)
    folded = page.locator("button.label-wrap:not(.open):visible")
    while folded.count():
        folded.first.click()
    page.wait_for_timeout(500)
    yield page
    page.context.close()
    assert visit.complaints == []


@pytest.fixture
def page(view: Page) -> Page:
    """The view as a visitor of a laptop has it, whatever was done with it before."""
    view.set_viewport_size({"width": 1280, "height": 900})
    view.evaluate("document.body.classList.remove('dark')")
    return view


def test_axe_finds_nothing(page: Page) -> None:
    found = []
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in ("light", "dark"):
            page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", theme == "dark")
            page.wait_for_timeout(400)
            for violation in axe.Axe().run(page, {"exclude": EXCEPTIONS}, RULES).response["violations"]:
                found += [(width, theme, violation["id"], node["html"][:200]) for node in violation["nodes"]]
    assert found == []


def test_everything_has_a_name_of_its_own(page: Page) -> None:
    snapshot = page.locator(".gradio-container").aria_snapshot()
    assert [match[0] for match in NAMELESS.finditer(snapshot)] == []


GROUND = "(element) => getComputedStyle(element).backgroundColor"
FOCUSED = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const ring = [element, element.closest('.wrap')].filter(Boolean).map((one) => getComputedStyle(one))
    .find((style) => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2);
  const number = (element.dataset.walked ??= String(document.querySelectorAll('[data-walked]').length));
  return {number, what: element.outerHTML.slice(0, 160), ring: ring?.outlineColor ?? null, jumps: element.tabIndex > 0};
}"""
LUMINANCE = """(colour) => {
  const [red, green, blue] = colour.match(/[\\d.]+/g).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_focus_is_seen_wherever_the_tab_key_leads(page: Page, theme: str) -> None:
    page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", theme == "dark")
    ground = page.evaluate(LUMINANCE, page.locator(".gradio-container").evaluate(GROUND))
    page.get_by_role("tab").first.focus()
    walked: dict[str, dict[str, Any]] = {}
    for _ in range(400):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None or focused["number"] in walked:
            break
        walked[focused["number"]] = focused
    assert len(walked) >= 6
    assert [one["what"] for one in walked.values() if one["ring"] is None or one["jumps"]] == []
    for colour in {one["ring"] for one in walked.values()}:
        bright, dim = sorted([page.evaluate(LUMINANCE, colour), ground], reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= 3, colour


GROUPED = "[...document.querySelectorAll('#build-views input')].every((radio) => radio.name.startsWith('gl-'))"


def test_arrow_keys_choose_within_a_group(visit: Any) -> None:
    page = visit.open("?tab=build")
    page.get_by_role("radio", name="One module").focus()
    page.wait_for_function(GROUPED)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Network", exact=True)).to_be_checked()
    VIEWS["network"][1](page)
    page.wait_for_function(GROUPED)
    page.keyboard.press("Tab")  # out of the group, not to its next choice
    assert page.evaluate("document.activeElement.type") != "radio"
    expect(page.get_by_role("group", name="View")).to_be_visible()
