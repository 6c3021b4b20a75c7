"""What a weights file recorded in English, told in the reader's language."""

from __future__ import annotations

import pytest

from googlenet.language import speaking
from googlenet.ui.common.recorded import recorded


@pytest.mark.parametrize(
    ("text", "korean"),
    [
        ("drawn shapes", "그려 만든 도형"),
        ("folder CIFAR-10", "CIFAR-10 폴더"),
        ("2,500 validation images of folder CIFAR-10", "CIFAR-10 폴더의 검증 이미지 2,500장"),
        (
            "the 2,500 images of CIFAR-10 that the training held out",
            "CIFAR-10에서 학습에 쓰지 않고 남겨 둔 이미지 2,500장",
        ),
        ("what {somebody} wrote", "what {somebody} wrote"),
        ("", ""),
    ],
)
def test_the_labs_own_wordings_are_known_again(text: str, korean: str) -> None:
    assert recorded(text) == text
    with speaking("ko"):
        assert recorded(text) == korean
