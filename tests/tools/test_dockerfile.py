"""The Dockerfile's steps, carried out without Docker, and that a step which does not work is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import dockerfile
from tools.dockerfile import Refused, build, ignored, instructions

TEXT = (dockerfile.ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_every_step_works_and_the_app_becomes_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    assert dockerfile.main() == 0, capsys.readouterr().err
    assert "every step of the Dockerfile works" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("COPY googlenet ./googlenet", "COPY googlenets ./googlenet", "there is no googlenets"),
        ("-r requirements.txt", "-r requirements.txt not-a-package-of-anybody", "not all of it is installed here"),
        ("USER lab", "USER root", "would run as root"),
        ("EXPOSE 7860", "EXPOSE 80", "listens on another"),
        ("RUN useradd", "RUN curl", "knows no such step"),
        ("python:3.11-slim", "python:9.1-slim", "FROM python:9.1-slim"),
    ],
)
def test_a_step_that_does_not_work_is_refused(tmp_path: Path, before: str, after: str, sentence: str) -> None:
    assert before in TEXT
    with pytest.raises(Refused, match=sentence):
        build(TEXT.replace(before, after), dockerfile.ROOT, tmp_path)


def test_an_app_that_ends_is_no_healthy_one(tmp_path: Path) -> None:
    root, home = tmp_path / "root", tmp_path / "home"
    home.mkdir()
    without = TEXT.replace("COPY app.py ./\n", "").replace("RUN pip", "# RUN pip")
    with pytest.raises(Refused, match="CMD never became healthy"):
        dockerfile.start(build(without, dockerfile.ROOT, root), home)


def test_continued_lines_and_comments() -> None:
    assert instructions("# a\nRUN a \\\n  b\n\ncmd [1]\n") == [("RUN", "a    b"), ("CMD", "[1]")]


def test_what_is_ignored_is_not_copied() -> None:
    rules = (dockerfile.ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    left_out = [".git/config", "googlenet/ui/__pycache__/a.pyc", "checkpoints/my-run/best.safetensors", "data/x"]
    taken = ["app.py", "googlenet/data/cifar.py", "checkpoints/googlenet-cifar10.safetensors"]
    assert [path for path in left_out + taken if ignored(path, rules)] == left_out
