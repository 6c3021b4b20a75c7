"""Who may ask: no page of another site, no name but the machine's own on loopback, no file but those offered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from tiny import tiny_checkpoint

from googlenet.ui.app import build_app
from googlenet.ui.guard import Doors, policy
from googlenet.ui.page import launch_options

POST = "gradio_api/run/inspect_module"
ASKED = {"data": [False, 192, 28, 28, 1, 64, 96, 128, 16, 32, 32], "session_hash": "s"}


def serve(checkpoints: Path, doors: Doors, **options: Any) -> Iterator[str]:
    demo = build_app(checkpoints, "shapes", public=not doors.local)
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, **options, **launch_options(checkpoints, doors=doors))
    yield url
    demo.close()


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guard") / "checkpoints"
    tiny_checkpoint(folder / "tiny.safetensors")
    return folder


@pytest.fixture(scope="module")
def local(checkpoints: Path) -> Iterator[str]:
    yield from serve(checkpoints, Doors())


@pytest.fixture(scope="module")
def public(checkpoints: Path) -> Iterator[str]:
    yield from serve(checkpoints, Doors(local=False, framing=("https://example.org",)))


def status(url: str, **headers: str) -> int:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(url + POST, json=ASKED, headers=given, timeout=60).status_code


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "192.168.1.7", "localhost.evil.example", "", "[::"]
)
def test_on_loopback_no_other_name_is_answered_to(local: str, host: str) -> None:
    """Of a name that its owner suddenly points at 127.0.0.1: the browser takes his page and the lab for one site."""
    answer = httpx.get(local, headers={"host": host})
    assert answer.status_code == 403
    assert answer.text.endswith("open it as 127.0.0.1 or localhost, or start it with --host for others.")
    assert "gradio" not in answer.text


def test_the_machines_own_names_are(local: str, public: str) -> None:
    port = local.rstrip("/").rpartition(":")[2]
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", "LOCALHOST", "127.8.8.8", "[::1]:7860"):
        assert httpx.get(local, headers={"host": host}).status_code == 200, host
    assert httpx.get(public, headers={"host": "lab.example.org"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site", "origin": "http://127.0.0.1:1"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "https://evil.example", "x_forwarded_host": "evil.example"},
    ],
    ids=str,
)
def test_what_a_page_of_another_site_sends_changes_nothing(local: str, public: str, headers: dict[str, str]) -> None:
    for url in (local, public):
        assert status(url, **headers) == 403
        upload = httpx.post(
            f"{url}gradio_api/upload",
            files={"files": ("a.png", b"x")},
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        assert upload.status_code == 403
        assert upload.text.startswith("This was sent by a page of another site")


def test_its_own_page_and_programs_may_ask(local: str, public: str) -> None:
    for url in (local, public):
        assert status(url) == 200
        assert status(url, sec_fetch_site="same-origin", origin="https://behind.a.proxy") == 200
        assert status(url, origin=url.rstrip("/")) == 200


def test_where_nothing_can_be_changed_other_pages_may_ask(checkpoints: Path) -> None:
    for url in serve(checkpoints, Doors(local=False, harmless=True)):
        assert status(url, sec_fetch_site="cross-site", origin="https://elsewhere.example") == 200


def test_every_answer_says_what_a_browser_may_do_with_it(local: str, public: str, checkpoints: Path) -> None:
    uploaded = httpx.post(f"{local}gradio_api/upload", files={"files": ("a.svg", b"<svg onload='alert(1)'/>")}).json()[
        0
    ]
    for path in ("", "theme.css", "watch", "config", "nothing", f"gradio_api/file={uploaded}", "monitoring"):
        headers = httpx.get(local + path).headers
        rules = headers["content-security-policy"]
        assert "'unsafe-inline'" not in rules.split("script-src")[-1].split(";")[0], path
        assert rules.endswith("frame-ancestors 'none'")
        assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")
        assert "http" not in rules
        assert "*" not in rules
        assert ("sandbox" in rules) is ("file=" in path), path
    assert httpx.get(public).headers["content-security-policy"].endswith("frame-ancestors 'self' https://example.org")


def test_a_policy_knows_scripts_by_their_hash() -> None:
    # echo -n "alert('Hello, world.');" | openssl dgst -sha256 -binary | base64, from the specification's own example
    assert "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='" in policy([b"alert('Hello, world.');"])
    assert policy([b"a\r\nb"]) == policy([b"a\nb"]) != policy([b"a b"])


def test_a_login_page_is_guarded_and_works(checkpoints: Path) -> None:
    for url in serve(checkpoints, Doors(local=False), auth=("ann", "secret")):
        with httpx.Client(base_url=url) as visitor:
            assert "sha256-" in visitor.get("/").headers["content-security-policy"]
            login = {"username": "ann", "password": "secret"}
            assert visitor.post("/login", data=login, headers={"sec-fetch-site": "cross-site"}).status_code == 403
            assert visitor.post("/login", data=login, headers={"sec-fetch-site": "same-origin"}).status_code == 200
            assert visitor.post(POST, json=ASKED).status_code == 200
            assert visitor.post(POST, json=ASKED, headers={"sec-fetch-site": "cross-site"}).status_code == 403


# --- files and addresses ----------------------------------------------------------------------


class Inner(BaseHTTPRequestHandler):
    """Something inside the network that only this machine can reach."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"secret")

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def inner() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Inner)
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_nothing_is_fetched_for_a_stranger(public: str, inner: HTTPServer, checkpoints: Path) -> None:
    """Neither from inside the network nor from the disk, by the routes or by what is said to be a picture."""
    address = f"http://127.0.0.1:{inner.server_port}/x.png"
    for path in (f"proxy={address}", f"file={address}", f"file=/{address}", f"file%3D{address}", f"PROXY={address}"):
        answer = httpx.get(f"{public}gradio_api/{path}", follow_redirects=False)
        assert answer.status_code in (403, 404), path
    weights = str(checkpoints / "tiny.safetensors")
    for file in (
        {"path": address, "url": address},
        {"path": weights},
        {"path": "/etc/passwd", "url": address},
        {"path": "", "url": f"file://{weights}"},
        {"path": f"{public}gradio_api/file={weights}"},
    ):
        value = {**file, "meta": {"_type": "gradio.FileData"}}
        for endpoint, data in (("classify", [value, ""]), ("inside", [value, "", "", ""])):
            answer = httpx.post(
                f"{public}gradio_api/run/{endpoint}", json={"data": data, "session_hash": "s"}, timeout=60
            )
            assert answer.status_code != 200, (endpoint, file)
            assert "secret" not in answer.text
            assert "root:" not in answer.text
    assert inner.asked == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path",
    [
        "monitoring",
        "monitoring/summary",
        "gradio_api/process_recording",
        "gradio_api/vibe-code/",
        "gradio_api/dev/reload",
        "svelte/../routes.py",
        "gradio_api/file=app.py",
        "gradio_api/file=.git/config",
        "gradio_api/file=googlenet/ui/guard.py",
        "gradio_api/file=/proc/self/environ",
        "gradio_api/file=C:%5Cwindows%5Cwin.ini",
        "gradio_api/file/..%2F..%2Fetc%2Fpasswd",
        "static/..%2F..%2Froutes.py",
        "static/%2Fetc%2Fpasswd",
        "assets/..%2F..%2F..%2Froutes.py",
        "vendor/..%2F..%2Fapp.py",
        "vendor/%2e%2e/%2e%2e/app.py",
        "gradio_api/runs",
        "gradio_api/run-history/buckets",
        "docs",
        "redoc",
    ],
)
def test_there_is_nothing_behind_other_routes(public: str, path: str) -> None:
    assert httpx.get(public + path).status_code in (403, 404, 405)
