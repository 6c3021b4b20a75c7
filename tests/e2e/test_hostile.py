"""Names and files made by somebody who means harm, where a browser draws them; and the page's own policy, which holds.

`visit` fails a test whose page complains: a script that tries to run is refused by the policy, which is a complaint.
"""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from trainings import make_folder, training

from googlenet.runs import Run
from googlenet.training.session import train

PATIENCE = 90_000
EVIL = (
    "<img src=x onerror=window.hacked=1>",
    '"><svg onload=window.hacked=2>',
    "' autofocus onfocus=window.hacked=3 x='{{7*7}}",
)
RUN = "hostile"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images whose classes are called like an attack."""
    folder = make_folder(tmp_path_factory.mktemp("hostile") / "colours", 20, 6)
    for split in ("train", "test"):
        for place, name in zip(sorted((folder / split).iterdir()), EVIL, strict=True):
            place.rename(folder / split / name)
    return folder


@pytest.fixture(scope="module")
def run(lab: object, data: Path) -> Run:
    """A real run on them, whose other files have been tampered with."""
    config = training(RUN, data, epochs=2, checkpoint_epochs=(0, 1), validation_fraction=0.3)
    run = train(config, lab.checkpoints)
    run.write_status(dataclasses.replace(run.last_status(), state="failed", message=EVIL[0], device=EVIL[1]))
    (run.path / "note.txt").write_text(EVIL[1])
    with (run.path / "train.log").open("a") as log:
        log.write(f"</pre>{EVIL[0]}\n")
    with (run.path / "metrics.csv").open("a") as table:
        table.write(f"{EVIL[0]},{EVIL[1]},<script>window.hacked=4</script>\n")
    return run


def harmless(page: Page) -> None:
    """Nothing that was slipped in has run, or has become a part of the page."""
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x], svg[onload], [onfocus], [onerror]").count() == 0


def test_class_names_and_files_of_a_run_are_words_and_nothing_else(visit: object, run: Run) -> None:
    page = visit.open(f"?tab=evaluate&evaluate={RUN}")
    expect(page.get_by_label("Evaluate", exact=True)).to_have_value(RUN, timeout=PATIENCE)
    page.get_by_role("button", name="Evaluate checkpoints").click()
    expect(page.locator(".gl-judged tbody tr")).to_have_count(2, timeout=PATIENCE)
    table = page.locator(".gl-confusion")
    expect(table).to_be_visible(timeout=PATIENCE)
    for name in EVIL:
        expect(table.locator("tbody th", has_text=name)).to_have_count(1)
    page.locator(".gl-confusion button").first.click()
    thumbs = page.locator(".gl-first .gl-thumbs button")
    thumbs.first.wait_for(timeout=PATIENCE)
    page.get_by_label("Compare with").click()
    page.get_by_role("option", name=f"{RUN}/").first.click()
    expect(page.get_by_text("McNemar's exact test")).to_be_visible(timeout=PATIENCE)
    harmless(page)

    # Classify opens one of its images with the hostile network, and the page goes on.
    thumbs.first.click()
    expect(page.get_by_role("tab", name="Classify")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".gl-verdict")).to_contain_text("window.hacked", timeout=PATIENCE)
    harmless(page)
    page.get_by_role("tab", name="Train").click()
    expect(page.locator("#shown-run")).to_contain_text(RUN, timeout=PATIENCE)
    page = visit.open(f"?tab=train&run={RUN}")
    expect(page.locator("#shown-run .gl-pill").first).to_have_text("failed", timeout=PATIENCE)
    expect(page.locator("#shown-run")).to_contain_text("onerror=window.hacked=1")
    page.get_by_role("button", name="All runs").click()
    expect(page.get_by_role("gridcell", name="onload=window.hacked=2").first).to_be_visible(timeout=PATIENCE)
    harmless(page)


def test_addresses_and_file_names_are_words_and_nothing_else(visit: object, tmp_path: Path) -> None:
    evil = quote(EVIL[0])
    for query, words in (
        (f"?network={evil}", "This link does not describe a network"),
        (f"?module={evil}&tab={evil}&run={evil}&evaluate={evil}&view={evil}", "3×3"),
    ):
        page = visit.open(query)
        expect(page.get_by_text(words).first).to_be_visible(timeout=PATIENCE)
        harmless(page)
        page.context.close()
    page = visit.open(f"?tab=classify&why={evil}&against={evil}&method={evil}&see={evil}")
    page.get_by_role("radio", name="Many pictures").check()
    folder = tmp_path / EVIL[1]
    folder.mkdir()
    example = Path(__file__).resolve().parents[2] / "googlenet" / "ui" / "static" / "examples" / "frog.jpg"
    shutil.copy(example, folder / f"{EVIL[0]}.jpg")
    (folder / f"{EVIL[2]}.png").write_bytes(b"no picture")
    page.locator("[data-way=folder]").set_input_files(folder)
    page.get_by_role("button", name="Answer all").click()
    rows = page.locator(".gl-many-table tbody tr")
    expect(rows).to_have_count(2, timeout=PATIENCE)
    expect(rows.filter(has_text=EVIL[0])).to_have_count(1)
    harmless(page)


def test_what_the_page_may_do_is_little(browser: object, lab: object) -> None:
    """Not through `visit`: here the policy is meant to complain."""
    context = browser.new_context()
    try:
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda line: said.append(line.text))
        page.goto(lab.url)
        page.wait_for_function("window.googlenetTabs", timeout=PATIENCE)
        page.evaluate("document.body.insertAdjacentHTML('beforeend', `<img src=x onerror='window.hacked = 1'>`)")
        page.evaluate(
            "const s = document.createElement('script'); s.text = 'window.hacked = 2'; document.body.append(s)"
        )
        out = "fetch('https://example.org/').then(() => 'sent', (error) => error.name)"
        assert page.evaluate(out) == "TypeError"
        page.evaluate(
            "new Promise((go) => { const i = new Image(); i.onerror = go; i.src = 'http://127.0.0.2:9/x.png'; })"
        )
        assert page.evaluate("window.hacked") is None
        refused = [words for words in said if "Content Security Policy" in words]
        assert len(refused) >= 4, said
        # Another page cannot show it inside itself.
        frame = f"<iframe src='{lab.url}' onload='document.title = 1'></iframe>"
        outer = context.new_page()
        outer.set_content(frame)
        outer.wait_for_function("document.title === '1'", timeout=PATIENCE)
        assert outer.frames[1].url.startswith("chrome-error://")
    finally:
        context.close()
