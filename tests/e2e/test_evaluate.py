"""Judge a trained run in the browser: the proposal, its mistakes as images, Classify, a comparison, the test report."""

from __future__ import annotations

import os
import re
import shutil

import pytest
from playwright.sync_api import Page, expect
from trainings import training

from googlenet.inference.selection import test_reports as reports_of
from googlenet.inference.selection import weights_digest
from googlenet.runs import Run
from googlenet.training.session import train

RUN = "judged-in-the-browser"
PATIENCE = 90_000


@pytest.fixture(scope="module")
def run(lab: object) -> Run:
    """Two epochs of a tiny network on the drawn shapes; its best is the first, as if somebody had chosen badly."""
    config = training(
        RUN, "shapes", {"num_classes": 10, "aux": ()}, epochs=2, batch_size=64, lr=0.05, checkpoint_epochs=(0, 1)
    )
    run = train(config, lab.checkpoints)
    shutil.copy(run.path / "epoch-0000.safetensors", run.path / "best.safetensors")
    return run


def open_judged(visit: object, width: int = 1280) -> Page:
    page = visit.open(f"?tab=evaluate&evaluate={RUN}", width=width)
    expect(page.get_by_label("Evaluate", exact=True)).to_have_value(RUN, timeout=PATIENCE)
    page.get_by_role("button", name="Evaluate checkpoints").click()
    expect(page.get_by_text("Proposed:")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".gl-confusion")).to_be_visible(timeout=PATIENCE)
    return page


def test_from_the_judgement_to_the_test_report(visit: object, lab: object, run: Run) -> None:
    page = open_judged(visit)

    # The later epoch is the better one, and says so; another row can be chosen.
    expect(page.locator(".gl-proposal")).to_contain_text("Proposed: epoch-0001, last, epoch 1")
    expect(page.locator(".gl-judged tbody tr")).to_have_count(2)
    expect(page.get_by_role("img", name="Loss: train")).to_be_visible()
    page.get_by_role("button", name="epoch-0000, best").click()
    expect(page.locator(".gl-of")).to_have_text(f"{RUN}/best", timeout=PATIENCE)
    page.get_by_role("button", name="epoch-0001, last").click()
    expect(page.locator(".gl-of")).to_have_text(f"{RUN}/epoch-0001", timeout=PATIENCE)

    # Promoted only when confirmed.
    before = weights_digest(run.path / "best.safetensors")
    page.get_by_role("button", name="Promote to best").click()
    expect(page.get_by_text(f"Make epoch-0001, last the best of {RUN}")).to_be_visible()
    page.get_by_role("button", name="No", exact=True).first.click()
    expect(page.get_by_text(f"Make epoch-0001, last the best of {RUN}")).to_be_hidden()
    assert weights_digest(run.path / "best.safetensors") == before
    page.get_by_role("button", name="Promote to best").click()
    page.get_by_role("button", name="Promote", exact=True).click()
    expect(page.locator(".gl-message.gl-done")).to_contain_text(f"is the best of {RUN}", timeout=PATIENCE)
    expect(page.locator(".gl-proposal")).to_contain_text("best", timeout=PATIENCE)
    assert (
        weights_digest(run.path / "best.safetensors") == weights_digest(run.path / "epoch-0001.safetensors") != before
    )
    expect(page.locator(".gl-of")).to_have_text(f"{RUN}/best", timeout=PATIENCE)
    expect(page.locator(".gl-reliability + .gl-note")).to_contain_text("stored in the file", timeout=PATIENCE)

    # Reported once, and remembered.
    expect(page.get_by_text("Not reported yet.")).to_be_visible()
    page.get_by_role("button", name="Report on test").click()
    expect(page.get_by_text("Do it once, when every choice is made")).to_be_visible()
    page.get_by_role("button", name="Report, and record it").click()
    expect(page.locator(".gl-reports li")).to_have_count(1, timeout=PATIENCE)
    report = reports_of(lab.checkpoints, RUN)[0]
    expect(page.locator(".gl-reports li")).to_contain_text(f"{report['accuracy']:.2%}")
    page.get_by_role("button", name="Report on test").click()
    expect(page.get_by_text(f"were used already, the last time on {report['when']}")).to_be_visible()


def test_the_address_and_a_reload_keep_the_run_and_promote_stands_over_it(visit: object, lab: object, run: Run) -> None:
    """Also when another run is newer, which the list puts first; and a question asked about one is gone with it."""
    newer = lab.checkpoints / "a-newer-run"
    shutil.copytree(run.path, newer)
    os.utime(newer / "config.json")
    try:
        page = visit.open(f"?tab=evaluate&evaluate={RUN}")
        field = page.get_by_label("Evaluate", exact=True)
        for _ in range(2):
            expect(field).to_have_value(RUN, timeout=PATIENCE)
            page.wait_for_timeout(1500)  # what would choose another run has come by then
            expect(field).to_have_value(RUN)
            assert f"evaluate={RUN}" in page.url
            visit.reload(page)
        page.get_by_role("button", name="Evaluate checkpoints").click()
        page.get_by_role("button", name="Promote to best").click(timeout=PATIENCE)
        question = page.get_by_text(re.compile(f"the best of {RUN}"))
        expect(question).to_be_visible()
        expect(page.locator(".gl-confusion")).to_be_visible(timeout=PATIENCE)
        field.click()
        page.get_by_role("option", name="a-newer-run").click()
        expect(question).to_be_hidden()
        assert "evaluate=a-newer-run" in page.url
    finally:
        shutil.rmtree(newer)


def test_a_cell_its_images_and_classify(visit: object, run: Run) -> None:
    page = open_judged(visit)
    chosen = page.locator(".gl-confusion button[aria-pressed=true]")
    heading = page.locator(".gl-first h4")
    expect(heading).to_contain_text(f"{chosen.inner_text()} image")

    # With the keyboard: one step to another cell of the row or column, then Enter.
    chosen.focus()
    was = chosen.get_attribute("data-cell")
    for key in ("ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
        if page.evaluate("document.activeElement.dataset.cell") != was:
            break
    cell = page.evaluate("document.activeElement.dataset.cell")
    assert cell != was
    count = page.locator(f'[data-cell="{cell}"]').inner_text()
    page.keyboard.press("Enter")
    expect(heading).to_contain_text(re.compile(rf"(?<!\d){count} image"))  # 24 images are not 4
    expect(page.locator(f'[data-cell="{cell}"]')).to_be_focused()
    shown = page.locator(".gl-first .gl-thumbs button")
    expect(shown).to_have_count(min(int(count), 24))
    surest = shown.first.locator("span").inner_text()  # "✗ circle 43.1%"; the mark is CSS

    # The same network says the same of the same pixels.
    shown.first.click()
    expect(page.get_by_role("tab", name="Classify")).to_have_attribute("aria-selected", "true")
    kind, share = surest.split()
    verdict = page.locator(".gl-verdict")
    expect(verdict).to_contain_text(re.compile(rf"{kind}, "), timeout=PATIENCE)
    # Many images are judged in bfloat16 where it is native, one alone in float32.
    assert float(verdict.inner_text().split()[-1].rstrip("%")) == pytest.approx(float(share.rstrip("%")), abs=1)
    expect(page.get_by_text("32 × 32, unchanged")).to_be_visible()
    assert "tab=classify" in page.url


def test_two_side_by_side(visit: object, run: Run) -> None:
    page = open_judged(visit, width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("Compare with").click()
    page.get_by_role("option", name=f"{RUN}/epoch-0000").click()
    expect(page.get_by_text("McNemar's exact test")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("is right:").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_unknown_data_set_is_one_sentence(visit: object, run: Run) -> None:
    page = visit.open(f"?tab=evaluate&evaluate={RUN}")
    expect(page.get_by_label("Evaluate", exact=True)).to_have_value(RUN, timeout=PATIENCE)
    page.get_by_label("Data", exact=True).fill("/nowhere/at/all")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Evaluate checkpoints").click()
    expect(page.locator(".gl-controls .gl-message")).to_contain_text("There is no folder '/nowhere/at/all'")
    expect(page.locator(".gl-message")).to_have_count(1)
    expect(page.get_by_role("button", name="Evaluate checkpoints")).to_be_enabled()
