"""Texts in the reader's language, and which language that is."""

from __future__ import annotations

import threading

import pytest

from googlenet.language import catalogue, language, speaking, tr, trn
from googlenet.ui.spoken import spoken


def test_english_is_the_text_itself() -> None:
    assert (language(), tr("Build"), tr("nobody's text")) == ("en", "Build", "nobody's text")
    assert catalogue("en") == {}


def test_a_text_in_korean_and_back() -> None:
    with speaking("ko"):
        assert tr("Build") == "만들기"
        assert tr("not in the catalogue {n}", n=3) == "not in the catalogue 3"
        with speaking("en"):
            assert tr("Build") == "Build"
        assert language() == "ko"
    assert language() == "en"


def test_one_or_many() -> None:
    assert [trn("{n} thing", "{n} things of {of}", n, of=9) for n in (0, 1, 2)] == [
        "0 things of 9",
        "1 thing",
        "2 things of 9",
    ]


def test_another_thread_speaks_its_own() -> None:
    heard: list[str] = []
    with speaking("ko"):
        thread = threading.Thread(target=lambda: heard.append(language()))
        thread.start()
        thread.join()
    assert heard == ["en"]


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("", "en"),
        ("ko", "ko"),
        ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"),
        ("en-US,en;q=0.9,ko;q=0.8", "en"),
        ("de,ko;q=0.2", "ko"),
        ("fr,en;q=0.3,ko;q=0.8", "ko"),
        ("en;q=0,ko", "ko"),
        ("*", "en"),
        ("ko;q=zero", "en"),
        ("korean", "en"),
        (",;=" * 9_000, "en"),
    ],
)
def test_the_browser_s_language(accepted: str, chosen: str) -> None:
    assert spoken({"accept-language": accepted}) == chosen


@pytest.mark.parametrize(
    ("cookie", "chosen"),
    [
        ("googlenet-language=en", "en"),
        ("a=b; googlenet-language=ko; c=d", "ko"),
        ("googlenet-language=../../etc", "ko"),  # none of ours: the browser's
        ("googlenet-language=", "ko"),
    ],
)
def test_the_switch_has_the_last_word(cookie: str, chosen: str) -> None:
    assert spoken({"accept-language": "en" if chosen == "ko" and "=ko" in cookie else "ko", "cookie": cookie}) == chosen
