"""The whole app over HTTP: the programmatic interface, a training from start to stop, and nothing but loopback."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client

from googlenet.ui.app import build_app
from googlenet.ui.common.figures import BRANCH_CLASSES, BRANCH_COLOURS
from googlenet.ui.page import STATIC, launch_options

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("app") / "checkpoints"


@pytest.fixture(scope="module")
def client(checkpoints: Path) -> Iterator[Client]:
    demo = build_app(checkpoints, "shapes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradio.networking.url_ok", lambda url: False)  # as where a training has all cores
        _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_options(checkpoints))
    yield Client(url, verbose=False)
    demo.close()


def test_the_page_s_description_is_plain(checkpoints: Path) -> None:
    """Gradio copies it for every page. An event named like an option of its component, `every` say, gets into it."""
    copy.deepcopy(build_app(checkpoints, "shapes").config["components"])


def test_a_module_and_a_network(client: Client) -> None:
    module = client.predict(api_name="/inspect_module")
    assert module["params"] == 163_696
    assert client.predict("imagenet", api_name="/inspect_network")["params"] == 6_998_552


def test_start_watch_and_stop_a_training(client: Client, checkpoints: Path) -> None:
    started = client.predict(run="by-api", data="shapes", epochs=50, batch_size=128, api_name="/start_training")
    assert started["run"] == "by-api"
    assert started["state"] in ("queued", "running")
    with pytest.raises(Exception, match="A training is already running"):
        client.predict(run="second", data="shapes", api_name="/start_training")
    deadline = time.monotonic() + 120
    while (status := client.predict("by-api", api_name="/run_status"))["state"] != "running":
        assert time.monotonic() < deadline, status
        time.sleep(0.5)
    client.predict("by-api", api_name="/stop_training")
    while (status := client.predict("by-api", api_name="/run_status"))["state"] != "stopped":
        assert time.monotonic() < deadline, status
        time.sleep(0.2)
    assert (checkpoints / "by-api" / "last.safetensors").is_file()


@pytest.mark.parametrize(
    ("endpoint", "arguments", "sentence"),
    [
        ("/run_status", {"run": "../../etc"}, "A run name is 1 to 64"),
        ("/run_status", {"run": "nobody"}, "There is no run called nobody"),
        ("/stop_training", {"run": "nobody"}, "There is no run called nobody"),
        ("/start_training", {"run": "../x", "data": "shapes"}, "A run name is 1 to 64"),
        ("/start_training", {"epochs": 0, "data": "shapes"}, "epochs must be a whole number"),
        ("/start_training", {"data": "/nowhere/at/all"}, "/nowhere/at/all"),
        ("/start_training", {"network": "imagenet", "data": "shapes"}, "imagenet takes 224×224 images"),
        ("/start_training", {"recipe": "secret", "data": "shapes"}, "recipe must be one of"),
        ("/inspect_module", {"height": 0}, "must be a whole number from 1 to 1,024"),
        ("/select_run", {"run": "../x"}, "A run name is 1 to 64"),
        ("/select_run", {"run": "nobody"}, "There is no run called nobody"),
        ("/evaluate_checkpoint", {"checkpoint": "nobody/best"}, "There is no (checkpoint 'nobody|trained network)"),
        ("/inspect_network", {"preset": "vgg"}, "There is no preset 'vgg'"),
    ],
)
def test_bad_input_is_one_sentence(client: Client, endpoint: str, arguments: dict, sentence: str) -> None:
    with pytest.raises(Exception, match=sentence) as caught:
        client.predict(api_name=endpoint, **arguments)
    assert "\n" not in str(caught.value)


def test_a_run_directory_is_not_served_beyond_the_checkpoints(client: Client, checkpoints: Path) -> None:
    outside = checkpoints.parent / "secret.txt"
    outside.write_text("private")
    import httpx

    url = f"{client.src}gradio_api/file={outside}"
    assert httpx.get(url).status_code == 403


def test_a_branch_has_one_colour_in_the_css_and_in_python() -> None:
    css = (STATIC / "common" / "base.css").read_text(encoding="utf-8")
    found = dict(re.findall(r"\.(gl-b\d) \{ --gl-branch: (#\w+)", css))
    assert {BRANCH_CLASSES[branch]: colour for branch, colour in BRANCH_COLOURS.items()} == found


def test_the_command_line_refuses_in_one_sentence() -> None:
    for arguments in (["--data", "/nowhere"], ["--auth", "name"], ["--port", "70000"]):
        done = subprocess.run([sys.executable, "app.py", *arguments], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert len(done.stderr.strip().splitlines()) == 1


def test_loopback_is_the_default() -> None:
    sys.path.insert(0, str(ROOT))
    from app import parse_arguments

    assert parse_arguments([]).host == "127.0.0.1"


def test_garbage_is_collected_while_the_app_serves(tmp_path: Path) -> None:
    """The start goes without, and what it has made is left alone from then on."""
    told = "lambda *_, **__: print(gc.isenabled(), gc.get_freeze_count())"
    run = f"import app, gc, gradio; gradio.Blocks.launch = {told}; app.main(['--checkpoints', {str(tmp_path)!r}])"
    done = subprocess.run([sys.executable, "-c", run], cwd=ROOT, capture_output=True, text=True, check=True)
    collected, left_alone = done.stdout.split()
    assert collected == "True"
    assert int(left_alone) > 100_000
