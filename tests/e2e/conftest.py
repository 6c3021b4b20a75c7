"""A real lab in a process of its own, driven by a real Chromium.

Without a browser these tests skip and say so; with REQUIRE_BROWSER set, as in CI, that is a failure.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECONDS = 1000
playwright.expect.set_options(timeout=30 * SECONDS)
START_MS = 90 * SECONDS  # a page on a busy machine; a training's first step


class Lab:
    """`python app.py` on a free port, with runs in a directory of its own."""

    def __init__(self, checkpoints: Path, data: str = "shapes") -> None:
        self.checkpoints, self.data = checkpoints, data
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Open the app and wait until it answers."""
        command = [sys.executable, "app.py", "--port", str(self.port), "--data", self.data]
        self.log = (self.checkpoints.parent / "app.log").open("ab")
        self.process = subprocess.Popen(
            [*command, "--checkpoints", str(self.checkpoints)],
            cwd=ROOT,
            stdout=self.log,
            stderr=self.log,
            env={**os.environ, "NO_PROXY": "127.0.0.1,localhost"},
        )
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(self.url, timeout=5).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self.checkpoints.parent / "app.log").read_text()) from None
                time.sleep(0.3)

    def kill(self) -> None:
        """End the app at once, as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def end_trainers(self) -> None:
        """Stop what the tests have started and left running."""
        from googlenet.runs import active_run

        while busy := active_run(self.checkpoints):
            os.kill(busy[1].pid, signal.SIGKILL)
            time.sleep(0.2)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One lab for all tests, with the shipped weights where there are some."""
    checkpoints = tmp_path_factory.mktemp("lab") / "checkpoints"
    checkpoints.mkdir()
    for shipped in (ROOT / "checkpoints").glob("googlenet-*"):  # the weights, and the index beside them
        shutil.copy(shipped, checkpoints)
    lab = Lab(checkpoints)
    yield lab
    lab.kill()
    lab.end_trainers()


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Chromium: the system's, else Playwright's own."""
    system = Path("/usr/bin/chromium")
    with playwright.sync_playwright() as driver:
        try:
            path = {"executable_path": str(system)} if system.exists() else {}
            browser = driver.chromium.launch(args=FLAGS, **path)
        except playwright.Error as error:
            if os.environ.get("REQUIRE_BROWSER"):
                raise
            pytest.skip(f"no browser: install Chromium or run 'playwright install chromium' ({str(error)[:80]})")
        yield browser
        browser.close()


class Visit:
    """Opens pages of a lab and remembers every complaint of theirs."""

    def __init__(self, browser: object, lab: Lab) -> None:
        self.browser, self.lab, self.complaints, self.contexts = browser, lab, [], []

    def open(self, query: str = "", *, width: int = 1280, height: int = 900, locale: str = "en-US") -> object:
        """A new visitor's page, once its tabs are there; `locale` is the language of the browser."""
        context = self.browser.new_context(viewport={"width": width, "height": height}, locale=locale)
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30 * SECONDS)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.on("console", lambda line: line.type == "error" and self.complaints.append(f"console: {line.text}"))
        page.on("request", self._check_host)
        page.goto(f"{self.lab.url}/{query}")
        page.get_by_role("tab", name="Build" if locale.startswith("en") else "만들기").first.wait_for(timeout=START_MS)
        page.wait_for_function("window.googlenetTabs")  # set when the page has come up and listens
        return page

    def reload(self, page: object) -> None:
        """Load `page` again; what it was still asking for it complains of, and that is forgotten."""
        page.reload()
        page.wait_for_function("window.googlenetTabs", timeout=START_MS)
        self.forget_the_left()

    def forget_the_left(self) -> None:
        """A page that is left while it asks for something says so to its console."""
        self.complaints[:] = [said for said in self.complaints if not re.search("AbortError|errored out", said)]

    def _check_host(self, request: object) -> None:
        if not request.url.startswith((self.lab.url, "data:", "blob:")):
            self.complaints.append(f"another host: {request.url}")


@pytest.fixture
def visit(browser: object, lab: Lab) -> Iterator[Visit]:
    """A `Visit` that fails the test when a page complained or asked another host for anything."""
    visit = Visit(browser, lab)
    yield visit
    for context in visit.contexts:
        context.close()
    assert visit.complaints == []
