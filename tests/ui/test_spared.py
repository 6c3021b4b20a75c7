"""What a page is spared while it comes up is of no use to it, and is there for whoever has a use for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from googlenet.ui.app import LabPage, build_app
from googlenet.ui.events.spared import UNWATCHED
from googlenet.ui.page import launch_options


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> LabPage:
    return build_app(tmp_path_factory.mktemp("spared") / "lab", "shapes")


@pytest.fixture(scope="module")
def url(demo: LabPage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_options(tmp_path_factory.getbasetemp()))
    yield url
    demo.close()


def numbers(layout: dict[str, Any]) -> set[int]:
    return {layout["id"]}.union(*(numbers(child) for child in layout.get("children", [])))


def test_a_page_has_all_components_but_the_programs(url: str) -> None:
    for_programs = httpx.get(f"{url}config").json()
    for_a_page = httpx.get(f"{url}config", params={"page": ""}).json()
    kinds = {one["id"]: one["type"] for one in for_programs["components"]}
    left_out = kinds.keys() - {one["id"] for one in for_a_page["components"]}
    assert {kinds[number] for number in left_out} == {"api"}
    assert "api" not in {one["type"] for one in for_a_page["components"]}
    assert numbers(for_a_page["layout"]) - {for_a_page["layout"]["id"]} == kinds.keys() - left_out
    assert for_a_page["dependencies"] == for_programs["dependencies"]  # "Use via API" lists them


def test_every_event_that_somebody_triggers_has_its_component(demo: LabPage) -> None:
    for event in demo.config["dependencies"]:
        triggered = [[number, name] for number, name in demo.fns[event["id"]].targets if number is not None]
        follows = event["trigger_after"] is not None
        assert [list(target) for target in event["targets"] if target[0] is not None] == ([] if follows else triggered)
        assert not (follows and triggered)


def test_an_event_whose_progress_shows_still_shows_it(demo: LabPage) -> None:
    spared = [event for event in demo.config["dependencies"] if event["show_progress_on"] == []]
    assert {event["show_progress"] for event in spared} == {"hidden"}
    assert len(spared) > 5


def test_the_page_says_what_svelte_need_not_watch(url: str, tmp_path: Path) -> None:
    page = httpx.get(url)
    assert page.content.count(UNWATCHED) == 1
    assert page.content.index(b"window.gradio_config = ") < page.content.index(UNWATCHED)
    assert b'<script type="module"' in page.content  # which runs after it
    assert "window.gradio_config" not in httpx.get(f"{url}nothing").text
