"""The picture over the epochs: a strip of a run's checkpoints, computed when it is opened and not before."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect
from trainings import make_folder, training

from googlenet.training.session import train

EXAMPLES = Path(__file__).resolve().parents[2] / "googlenet" / "ui" / "static" / "examples"
PATIENCE = 90_000


@pytest.fixture(scope="module")
def run(lab: object, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A real run that keeps every epoch's weights."""
    data = make_folder(tmp_path_factory.mktemp("colours") / "colours", 20, 6)
    train(training("over-epochs", data, epochs=5, checkpoint_epochs=(0, 1, 2, 3)), lab.checkpoints)
    return "over-epochs"


def test_a_picture_through_the_checkpoints_of_a_run(visit: object, run: str) -> None:
    page = visit.open("?tab=classify")
    title = page.get_by_role("button", name="The picture over the epochs")
    title.wait_for(timeout=PATIENCE)
    page.locator("input[type=file]").first.set_input_files(EXAMPLES / "frog.jpg")
    expect(page.locator(".gl-verdict")).to_contain_text("frog", timeout=PATIENCE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect(page.locator(".gl-epochs")).to_have_count(0)

    title.click()
    said = page.locator(".gl-epochs-said")
    expect(said).to_contain_text("googlenet-cifar10 came without the checkpoints of its training", timeout=PATIENCE)
    page.get_by_label("Run", exact=True).click()
    page.get_by_role("option", name=run).click()
    cards = page.locator(".gl-epochs li")
    expect(cards).to_have_count(5, timeout=PATIENCE)
    assert [card.inner_text().splitlines()[0] for card in cards.all()] == [f"epoch {epoch}" for epoch in range(5)]
    expect(cards.last).to_contain_text("last")
    expect(page.locator(".gl-over-epochs figcaption")).to_contain_text("Probability of")

    page.get_by_label("Class", exact=True).click()
    page.get_by_role("option", name="blue").click()
    expect(page.locator(".gl-over-epochs figcaption")).to_contain_text("Probability of blue")
    before = [card.inner_text() for card in cards.all()]

    page.locator("input[type=file]").first.set_input_files(EXAMPLES / "ship.jpg")  # a new picture, while it is open
    expect(page.locator(".gl-verdict")).to_contain_text("ship", timeout=PATIENCE)
    expect(cards).to_have_count(5, timeout=PATIENCE)
    page.wait_for_function(
        "before => JSON.stringify([...document.querySelectorAll('.gl-epochs li')].map(c => c.innerText)) !== before",
        arg=str(before),
    )


def test_a_run_s_own_network_needs_no_choice_on_a_phone(visit: object, run: str) -> None:
    page = visit.open("?tab=classify", width=390, height=844)
    page.get_by_role("button", name="The picture over the epochs").wait_for(timeout=PATIENCE)
    page.get_by_role("combobox", name="Network").click()
    page.get_by_role("option", name=f"{run}/last").click()
    page.locator("input[type=file]").first.set_input_files(EXAMPLES / "frog.jpg")
    page.locator(".gl-verdict").wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="The picture over the epochs").click()
    expect(page.locator(".gl-epochs li")).to_have_count(5, timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # Gradio fades an answer in: half way its text has no contrast yet.
    page.add_style_tag(content="*, ::before, ::after { transition: none !important; animation: none !important; }")
    page.wait_for_timeout(500)
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
    found = axe.run(page, context={"include": [[".gl-epochs-strip"]]}, options=rules).response["violations"]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []
