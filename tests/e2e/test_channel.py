"""The cards of training images in a real browser: a missing index is computed at the press of a button."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tiny import tiny_checkpoint, tiny_config

from googlenet.config import ConvConfig, InceptionConfig, PoolConfig
from googlenet.data import shapes

ROOT = Path(__file__).resolve().parents[2]
# The two cards alone, under the lab's own styles and scripts: a channel's, and that of a grey picture.
PAGE = """
import sys
from pathlib import Path
from types import SimpleNamespace
import gradio as gr
import numpy as np
from googlenet.ui.classify.inside.channel import channel_card
from googlenet.ui.classify.inside.computing import computed_at, index_card
from googlenet.ui.classify.inside.neighbours import neighbours_card
from googlenet.ui.events.access import Access
from googlenet.ui.events.long_work import PRIVATE
from googlenet.ui.page import launch_options
folder, access = Path(sys.argv[1]), Access("shapes")
grey = np.full((32, 32, 3), 128, np.uint8)
with gr.Blocks() as demo:
    network = gr.Textbox("net")
    cards = [index_card(), index_card()]
    def draw(name):
        return channel_card(folder, access, name, "inception3a", 5), neighbours_card(folder, access, name, grey)
    demo.load(draw, network, cards, **PRIVATE)
    shared = SimpleNamespace(checkpoints=folder, access=access, network=network)
    computed_at(shared, cards[0]).then(draw, network, cards, **PRIVATE)
demo.queue().launch(prevent_thread_lock=True, quiet=True, **launch_options(folder))
print(demo.local_url, flush=True)
demo.block_thread()
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("cards")
    layers = (
        ConvConfig("conv1", 3, 64, 3, padding=1),
        PoolConfig("maxpool1"),
        InceptionConfig("inception3a", 64, 64, 96, 128, 16, 32, 32),
    )
    config = tiny_config(len(shapes.CLASSES), layers=layers)
    tiny_checkpoint(folder / "net.safetensors", shapes.CLASSES, config=config)
    command = [sys.executable, "-c", PAGE, str(folder)]
    page = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert page.stdout is not None
    with page:
        yield page.stdout.readline().strip()
        page.kill()


def test_an_index_is_computed_cancelled_and_shown(address: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    # The first card's: nothing listens to the second's, which is the first button while this card is drawn anew.
    first = page.locator("section").filter(has_text="What channel 5 of inception3a")
    button = first.get_by_role("button", name="Compute it (about")
    button.wait_for(timeout=90_000)
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Cancel").wait_for(timeout=60_000)
    # Somebody else's waits in line behind it: Cancel holds for that too, once it is its turn.
    waiting = browser.new_page()
    waiting.goto(address)
    waiting.get_by_role("button", name="Compute it (about").first.click(timeout=90_000)
    waiting.get_by_role("button", name="Cancel").click(timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("no index was written")).to_be_visible(timeout=60_000)
    expect(waiting.get_by_text("no index was written")).to_be_visible(timeout=60_000)
    waiting.close()
    expect(button).to_be_visible(timeout=60_000)  # as before

    button.click()
    channel = page.get_by_role("img", name="value")
    near = page.get_by_role("img", name="similarity")
    expect(channel).to_have_count(9, timeout=60_000)
    expect(near).to_have_count(9, timeout=60_000)
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden(timeout=60_000)
    outlined = channel.first.locator(".gl-whole s")
    width = "element => element.getBoundingClientRect().width"
    assert 0 < outlined.evaluate(width) < channel.first.locator(".gl-whole").evaluate(width)
    drawn = "element => getComputedStyle(element).backgroundImage.startsWith('url(\"data:image/png')"
    assert channel.first.locator(".gl-whole").evaluate(drawn)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints == []
    page.close()
