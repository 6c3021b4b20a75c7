"""The 1,000-class network at the press of a button: progress, a way out, an answer, and judged on a folder.

The app downloads from a server of the test's own, whose weights are random.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Lab
from fake_torchvision import Server, as_file, network, serving
from playwright.sync_api import expect

from googlenet.inference.imagenet import FILE
from googlenet.inference.imagenet.fetch import OTHER_ADDRESS

EXAMPLES = Path(__file__).resolve().parents[2] / "googlenet" / "ui" / "static" / "examples"
PATIENCE = 60_000


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(as_file(network())) as server:
        yield server


@pytest.fixture(scope="module")
def lab(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab whose environment names the server."""
    checkpoints = tmp_path_factory.mktemp("imagenet") / "checkpoints"
    checkpoints.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(OTHER_ADDRESS, server.url)
        lab = Lab(checkpoints)
    yield lab
    lab.kill()


def test_a_lab_without_runs_offers_nothing_that_needs_one(visit: object) -> None:
    page = visit.open("?tab=train")
    expect(page.get_by_text("No run yet.")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#start-again")).to_be_hidden()
    expect(page.locator("#steer")).to_be_hidden()


def test_got_cancelled_got_again_asked_and_judged(visit: object, lab: Lab, server: Server, tmp_path: Path) -> None:
    page = visit.open("?tab=classify")
    get = page.get_by_role("button", name="Get the 1,000-class network")
    offer = page.locator("#imagenet-offer")
    expect(offer.get_by_text("a download of 50 MB, BSD licence")).to_be_visible(timeout=PATIENCE)
    server.pause = 20_000_000
    get.click()
    expect(offer.get_by_text("Downloading 20 of 52 MB")).to_be_visible(timeout=PATIENCE)
    expect(get).to_be_disabled()
    offer.get_by_role("button", name="Cancel").click()
    page.wait_for_timeout(500)  # until the app has heard it
    server.go.set()
    expect(page.get_by_text("Cancelled: nothing of it was kept.")).to_be_visible(timeout=PATIENCE)
    assert not (lab.checkpoints / FILE).exists()

    expect(get).to_be_enabled()
    get.click()
    expect(offer).to_be_hidden(timeout=PATIENCE)
    assert (lab.checkpoints / FILE).stat().st_size == pytest.approx(26.6e6, rel=0.01)
    page.locator("input[type=file]").first.set_input_files(EXAMPLES / "ship.jpg")
    expect(page.get_by_text("shorter side to 256, centre crop 224").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".gl-tops li")).to_have_count(5)

    for name, picture in (("fire_engine", "truck.jpg"), ("Tabby", "cat.jpg")):  # as ImageNet's classes are called
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes((EXAMPLES / picture).read_bytes())
    page = visit.open("?tab=evaluate&evaluate=imagenet-torchvision")
    expect(page.get_by_label("Evaluate", exact=True).locator("visible=true")).to_have_value(
        "imagenet-torchvision, weights", timeout=PATIENCE
    )
    where = page.get_by_label("Data", exact=True).locator("visible=true")
    where.fill(str(tmp_path))
    where.press("Enter")
    page.get_by_role("button", name="Evaluate checkpoints").click()
    expect(page.get_by_text("of 2 of the 1,000 classes").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Without images here: 998 classes")).to_be_visible()
    expect(page.locator(".gl-thumbs img").first).to_be_visible()
