"""The lab as a Hugging Face Space starts it: one core, no GPU, nothing but the temporary folder to write to."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from googlenet.errors import LabError
from googlenet.ui.events import rights
from googlenet.ui.hosting import Hosting, check_origin, hosting
from tools.powerless import lock_down, powerless, unlock

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "googlenet" / "ui" / "static" / "examples" / "cat.jpg"


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Path, subprocess.Popen[bytes]]]:
    """`python app.py` in a copy that cannot be written, with a home that is empty and cannot be written either."""
    place = tmp_path_factory.mktemp("space")
    home, app, temporary = place / "home", place / "app", place / "tmp"
    for folder in (home, app / "checkpoints", temporary):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / "app.py", app)
    shutil.copytree(ROOT / "googlenet", app / "googlenet", ignore=shutil.ignore_patterns("__pycache__"))
    for file in (ROOT / "checkpoints").glob("googlenet-cifar10.*"):
        shutil.copy(file, app / "checkpoints")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "SPACE_ID": "somebody/googlenet-lab",
        "GRADIO_SERVER_PORT": str(port),  # there 7860
        "CUDA_VISIBLE_DEVICES": "",
    }
    core = min(os.sched_getaffinity(0))
    for folder in (home, app):
        lock_down(folder)
    log = (place / "app.log").open("wb")
    process = subprocess.Popen(
        powerless([sys.executable, "app.py"]),
        cwd=app,
        env=environment,
        stdout=log,
        stderr=log,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            deadline = time.monotonic() + 120
            while True:
                try:
                    client.get("/")
                    break
                except httpx.TransportError:
                    assert process.poll() is None, (place / "app.log").read_text()
                    assert time.monotonic() < deadline
                    time.sleep(0.3)
            yield client, place, process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        log.close()
        for folder in (home, app):
            unlock(folder)


def ask(client: httpx.Client, endpoint: str, *values: object) -> tuple[str, str]:
    """How the call of an endpoint ended, and its data."""
    called = client.post(f"/gradio_api/call/{endpoint}", json={"data": values}).raise_for_status().json()
    said = client.get(f"/gradio_api/call/{endpoint}/{called['event_id']}").text
    end = re.search(r"event: (complete|error)\ndata: (.*)", said)
    assert end, said
    return end[1], end[2]


def test_a_picture_is_classified_and_nothing_is_written(
    space: tuple[httpx.Client, Path, subprocess.Popen[bytes]],
) -> None:
    client, place, process = space
    assert len(os.sched_getaffinity(process.pid)) == 1
    (path,) = (
        client.post("/gradio_api/upload", files={"files": ("cat.jpg", PICTURE.read_bytes())}).raise_for_status().json()
    )
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    end, said = ask(client, "classify", file, "")
    assert end == "complete", said
    assert json.loads(said)[0]["top"][0]["class"] == "cat"
    deadline = time.monotonic() + 120
    while "CPU" not in client.get("/watch").json()["now"]:  # the device is looked for once a page is up
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert "this page starts none" in client.get("/watch").json()["status"]
    assert [*(place / "home").iterdir()] == []
    assert {path.name for path in (place / "app").iterdir()} == {"app.py", "googlenet", "checkpoints"}
    assert {path.stem for path in (place / "app" / "checkpoints").iterdir()} == {"googlenet-cifar10"}
    assert path.startswith(str(place / "tmp"))
    assert "Traceback" not in (place / "app.log").read_text()


def test_it_listens_to_all_is_read_only_and_shown_in_hugging_faces_frame_alone(
    space: tuple[httpx.Client, Path, subprocess.Popen[bytes]],
) -> None:
    client, _, process = space
    page = client.get("/", headers={"host": "somebody-googlenet-lab.hf.space"})
    assert page.status_code == 200
    assert page.headers["content-security-policy"].endswith("; frame-ancestors 'self' https://huggingface.co")
    assert "x-frame-options" not in page.headers
    listening = {connection.laddr.ip for connection in _connections(process.pid)}
    assert listening == {"0.0.0.0"}
    said = client.post("/gradio_api/run/stop_training", json={"data": ["a"], "session_hash": "x"}).text
    assert f"{rights.READ_ONLY}: it {rights.REFUSED['stop']}" in said


def _connections(pid: int) -> list:
    import psutil

    return [one for one in psutil.Process(pid).net_connections("tcp") if one.status == psutil.CONN_LISTEN]


def test_what_the_environment_says() -> None:
    assert hosting({}) == Hosting("127.0.0.1", None, False, (), ())
    space = hosting({"SPACE_ID": "a/b"})
    assert (space.host, space.port, space.read_only, space.framing) == (
        "0.0.0.0",
        7860,
        True,
        ("https://huggingface.co",),
    )
    assert hosting({"GRADIO_SERVER_NAME": "::1", "GRADIO_SERVER_PORT": "80"}) == Hosting("::1", 80)
    for environment in ({"GRADIO_SERVER_PORT": "http"}, {"GOOGLENET_OPTIONS": '--data "x'}):
        with pytest.raises(LabError, match=next(iter(environment))):
            hosting(environment)


def test_a_space_is_opened_explicitly_and_the_command_line_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    from app import parse_arguments

    monkeypatch.setenv("SPACE_ID", "a/b")
    assert parse_arguments([]).read_only
    monkeypatch.setenv("GOOGLENET_OPTIONS", "--no-read-only --max-runs-per-visitor 2 --data shapes")
    opened = parse_arguments(["--data", "cifar10"])
    assert (opened.read_only, opened.max_runs_per_visitor, opened.data) == (False, 2, "cifar10")


@pytest.mark.parametrize(
    "text", ["*", "", "example.org", "https://a b", "https://a; script-src *", "https://a/b", "'self'"]
)
def test_framing_is_asked_for_by_origins_only(text: str) -> None:
    with pytest.raises(LabError, match="--allow-framing takes an origin"):
        check_origin(text)
    assert check_origin("https://*.Example.org:8443") == "https://*.example.org:8443"


def test_readmes_front_matter_is_what_a_space_reads() -> None:
    """Names and limits as the Hub has them; the version that it installs is one that is tried here."""
    import yaml
    from packaging.requirements import Requirement

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.startswith("---\n")
    front = yaml.safe_load(text.split("---\n")[1])
    assert (front["sdk"], str(front["python_version"]), front["license"]) == ("gradio", "3.11", "mit")
    assert len(front["short_description"]) <= 60
    assert (ROOT / front["app_file"]).is_file()
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    (gradio,) = [Requirement(line) for line in lines if line.startswith("gradio")]
    assert gradio.specifier.contains(front["sdk_version"])
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {front["colorFrom"], front["colorTo"]} <= colours
    large = [path.name for path in ROOT.glob("checkpoints/googlenet-*") if path.stat().st_size > 10_000_000]
    assert large == ["googlenet-cifar10.safetensors"]  # what README says about uploading it
