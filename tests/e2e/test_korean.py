"""A Korean student's lab: every view in Korean, nothing wider than a phone, and the switch between the languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from trainings import make_folder, training

from googlenet.training.session import train

RUN = "koreanisch"  # no English word
PATIENCE = 90_000

# Three words of English in a row, in what is seen or read aloud; code and commands are the same in every language.
ENGLISH = r"""() => {
  const prose = /[A-Za-z]{3,}[,:]? [a-z]{2,}[,:]? [a-z]{2,}/, found = [];
  const same = 'code, pre, kbd, script, style, svg style, .cm-editor, textarea, input, [lang=en], [data-speak], footer';
  for (const element of document.querySelectorAll('.gradio-container *')) {
    if (element.closest(same) || !element.checkVisibility()) continue;
    const texts = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data);
    for (const name of ['title', 'aria-label', 'alt', 'placeholder']) texts.push(element.getAttribute(name) ?? '');
    for (const text of texts) {
      if (prose.test(text) && !/[가-힣]/.test(text)) found.push(text.trim().slice(0, 120));
    }
  }
  return [...new Set(found)];
}"""


@pytest.fixture(scope="module")
def run(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    data = make_folder(tmp_path_factory.mktemp("data") / "colours", 40, 20)
    train(training(RUN, data, {"aux": ()}, epochs=2), lab.checkpoints)
    return RUN


def shown(selector: str) -> Callable[[Page], None]:
    return lambda page: expect(page.locator(selector).first).to_be_visible(timeout=PATIENCE)


def judged(page: Page) -> None:
    page.get_by_role("button", name="체크포인트 평가").click()
    shown(".gl-confusion")(page)


def classified(page: Page) -> None:
    page.locator(".gl-examples button").first.click()
    shown(".gl-classified")(page)


def looked_inside(page: Page) -> None:
    page.locator(".gl-examples button").first.click()
    page.locator(".gl-lane .gl-tiles button").first.click(timeout=PATIENCE)
    shown(".gl-sum")(page)


VIEWS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "module": ("?tab=build", shown(".gl-drawing")),
    "network": ("?tab=build&view=network", shown(".gl-remarks, [class*=gl-network]")),
    "lessons": ("?tab=build&view=lessons", shown(".gl-path")),
    "train": (f"?tab=train&run={RUN}", shown(".gl-chart")),
    "evaluate": (f"?tab=evaluate&evaluate={RUN}", judged),
    "classify": ("?tab=classify", classified),
    "inside": ("?tab=classify&classify=inside", looked_inside),
}


@pytest.mark.parametrize("name", VIEWS)
def test_each_view_is_in_korean_and_fits_a_phone(visit: Any, run: str, name: str) -> None:
    query, prepare = VIEWS[name]
    page = visit.open(query, locale="ko-KR")
    prepare(page)
    folded = page.locator("button.label-wrap:not(.open):visible")
    while folded.count():
        folded.first.click()
    page.wait_for_timeout(500)
    assert page.evaluate(ENGLISH) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_switch_keeps_the_view_and_is_remembered(visit: Any, run: str) -> None:
    page = visit.open(f"?tab=train&run={RUN}", width=390, height=844)
    shown(".gl-chart")(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390  # in English too
    page.get_by_role("button", name="한국어").click()
    expect(page.get_by_role("tab", name="학습")).to_have_attribute("aria-selected", "true", timeout=PATIENCE)
    expect(page.locator("#shown-run")).to_contain_text(RUN, timeout=PATIENCE)
    assert page.evaluate("document.documentElement.lang") == "ko"
    visit.reload(page)
    expect(page.get_by_role("tab", name="학습")).to_be_visible(timeout=PATIENCE)
    switch = page.get_by_role("button", name="English")
    switch.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="Train")).to_have_attribute("aria-selected", "true", timeout=PATIENCE)
    visit.forget_the_left()


def test_a_link_says_the_language_and_a_refusal_speaks_it(visit: Any) -> None:
    page = visit.open("?tab=build", locale="ko-KR")
    shown(".gl-drawing")(page)
    page.get_by_role("spinbutton").first.fill("0")
    expect(page.get_by_text(re.compile("정수.*0")).first).to_be_visible(timeout=PATIENCE)
    page.goto(f"{visit.lab.url}/?tab=evaluate&lang=en")
    expect(page.get_by_role("tab", name="Evaluate")).to_have_attribute("aria-selected", "true", timeout=PATIENCE)
    assert "lang=" not in page.url
    visit.forget_the_left()
