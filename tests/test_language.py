"""Texts in the reader's language, and which language that is."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from googlenet.language import carried, catalogue, language, retell, speaking, tr, trn
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


def test_a_pool_speaks_for_whom_it_works() -> None:
    with ThreadPoolExecutor(1) as pool, speaking("ko"):
        assert list(pool.map(carried(lambda _: language()), range(2))) == ["ko", "ko"]
        assert pool.submit(language).result() == "en"


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("the 1,000 test images of shapes (synthetic)", "도형(합성)의 테스트 이미지 1,000개"),
        ("the 7 test images of folder cats {and} dogs", "폴더 cats {and} dogs의 테스트 이미지 7개"),
        ("Decoded 1,200 of 50,000 images", "이미지 50,000개 중 1,200개를 디코딩했습니다"),
        ("Decoded many of 7 images", "Decoded many of 7 images"),  # no number
        (
            "the 7 test images of folder x, of 3 of the 10 classes; 2 could not be read",
            "폴더 x의 테스트 이미지 7개(클래스 10개 중 3개, 2개는 읽지 못함)",
        ),
        ("7 images of the moon that no text speaks of", "7 images of the moon that no text speaks of"),
        ("", ""),
    ],
)
def test_what_was_kept_in_english_is_told_again(kept: str, told: str) -> None:
    assert retell(kept) == kept
    with speaking("ko"):
        assert retell(kept) == told


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


def test_a_hostile_sentence_costs_no_time() -> None:
    pieces = ["x", ", predicted as ", " and ", ", ", ": open in Classify", " is ", " of "]
    began = time.process_time()
    with speaking("ko"):
        for count in (3, 30, 3_000):
            retell("".join(pieces) * count)
    assert time.process_time() - began < 5  # the catalogue is read, and its texts are compiled, meanwhile
