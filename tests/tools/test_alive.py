"""The weekly checks: what they find is told, and without a network two of them are skipped in a sentence."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tools import alive

REQUIREMENTS = alive.ROOT / "requirements.txt"


class Files(BaseHTTPRequestHandler):
    """/5000 is a file of so many bytes, any other name is none."""

    def do_HEAD(self) -> None:
        name = self.path.strip("/")
        self.send_response(200 if name.isdecimal() else 404)
        self.send_header("Content-Length", name if name.isdecimal() else "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    files = HTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=files.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{files.server_port}"
    files.shutdown()
    files.server_close()


def test_every_licence_is_one_that_the_lab_may_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert alive.main(["licences"]) == 0, capsys.readouterr().out
    names = alive.closure(REQUIREMENTS)
    assert {"gradio", "torch", "numpy", "starlette", "fastapi"} <= names  # the last through Gradio
    assert "pytest" not in names


@pytest.mark.parametrize("licence", ["GPL-3.0-only", "AGPL-3.0", "Proprietary", "none named", "LGPLv2", "Other"])
def test_other_licences_are_for_a_person_to_read(licence: str) -> None:
    assert not alive.ALLOWED.match(licence)


def test_a_published_address_that_moved_or_changed_is_told(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(*addresses: tuple[str, str, tuple[int, int]]) -> alive.Finding:
        monkeypatch.setattr(alive, "published", lambda: iter(addresses))
        return alive.addresses("")

    assert found(("A", f"{server}/5000", (4000, 6000))) == alive.Finding(True, "A has 5,000 bytes.")
    assert found(("A", f"{server}/7000", (4000, 6000))).sentence.endswith(
        "has 7,000 bytes now, and had 4,000 to 6,000."
    )
    moved = found(("A", f"{server}/5000", (4000, 6000)), ("B", f"{server}/gone", (1, 2)))
    assert (moved.good, moved.sentence) == (False, f"B is no longer at {server}/gone: HTTP Error 404: Not Found.")
    nobody = found(("A", "http://127.0.0.1:9/5000", (1, 2)))
    assert nobody.good is None
    assert nobody.sentence.startswith("There is no way to http://127.0.0.1:9/5000 from here")


def test_the_addresses_are_those_that_the_lab_downloads_from() -> None:
    told = {url for _, url, _ in alive.published()}
    assert all(url.startswith("https://") for url in told)
    assert any(url.endswith("/googlenet-1378be20.pth") for url in told)
    assert len(told) == 2


def test_without_an_index_the_newest_is_skipped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "index").as_uri())
    assert alive.main(["newest"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("newest     skipped  No package index answers (ERROR: No matching distribution")


def test_an_unknown_check_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        alive.main(["oldest"])
    assert "there is no check oldest: choose from newest, private, licences, addresses" in capsys.readouterr().err
