"""One app, two languages: each visitor's page and answers are in theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from gradio_client import Client

from googlenet.language import speaking
from googlenet.ui.app import LabPage, build_app
from googlenet.ui.page import launch_options

ENGLISH = re.compile(r"[A-Za-z]{3,}[,:]? [a-z]{3,}[,:]? [a-z]{3,}")  # three words one after the other
HANGUL = re.compile(r"[가-힣]")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> LabPage:
    return build_app(tmp_path_factory.mktemp("two") / "lab", "shapes")


@pytest.fixture(scope="module")
def url(demo: LabPage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_options(tmp_path_factory.getbasetemp()))
    yield url
    demo.close()


def described(demo: LabPage, language: str) -> list[dict[str, Any]]:
    with speaking(language):
        return demo.config["components"]


def test_the_page_in_both_is_the_same_page(demo: LabPage) -> None:
    english, korean = described(demo, "en"), described(demo, "ko")
    assert [(one["id"], one["type"]) for one in english] == [(one["id"], one["type"]) for one in korean]
    chosen = [[value for _, value in one["props"].get("choices") or [] if isinstance(value, str)] for one in english]
    assert chosen == [[v for _, v in one["props"].get("choices") or [] if isinstance(v, str)] for one in korean]
    values = {one["id"]: one["props"].get("value") for one in english if one["type"] in ("radio", "dropdown")}
    assert values == {one["id"]: one["props"].get("value") for one in korean if one["id"] in values}
    assert described(demo, "en") == english  # as before


def test_no_component_is_left_in_english(demo: LabPage) -> None:
    english = []
    for one in described(demo, "ko"):
        if one["type"] == "api":
            continue  # for programs
        props = one["props"]
        shown = [props.get(name) for name in ("label", "info", "placeholder")]
        shown += [name for name, _ in props.get("choices") or []]
        shown += (
            re.split(r"<[^>]*>", props["value"])
            if one["type"] in ("html", "button", "markdown") and props.get("value")
            else []
        )
        english += [
            text for text in shown if isinstance(text, str) and ENGLISH.search(text) and not HANGUL.search(text)
        ]
    assert english == []


def test_each_visitor_s_page(url: str) -> None:
    def page(**headers: str) -> str:
        return httpx.get(url, headers=headers, timeout=60).text

    english, korean = page(), page(**{"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8"})
    assert '<html lang="en"' in english
    for switch in ("이 페이지를 한국어로 보기", "한국어"):
        english = english.replace(switch, "")
    assert not HANGUL.search(english)
    assert '<html lang="ko"' in korean
    assert "만들기" in korean
    assert '<html lang="en"' in page(**{"Accept-Language": "ko", "Cookie": "googlenet-language=en"})


def test_a_refusal_in_the_language_of_who_asked(url: str) -> None:
    english, korean = (Client(url, verbose=False, headers={"Accept-Language": language}) for language in ("en", "ko"))
    for client, expected in ((english, "in_channels must be a whole number"), (korean, "정수")):
        with pytest.raises(Exception, match=expected):
            client.predict(in_channels=0, api_name="/inspect_module")
    assert english.predict(api_name="/inspect_module") == korean.predict(api_name="/inspect_module")
