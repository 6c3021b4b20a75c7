"""What strangers on a public page can name, take home and learn of the machine: no more than they are offered."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio_client import Client
from trainings import make_folder, training

from googlenet.errors import LabError
from googlenet.runs import Run
from googlenet.training.session import train
from googlenet.ui.app import build_app
from googlenet.ui.events.access import Access, hide_path, hide_paths, is_public
from googlenet.ui.page import launch_options

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """One trained run, with what no visitor is to have beside what is offered."""
    checkpoints = tmp_path_factory.mktemp("public") / "checkpoints"
    train(training("tried", folder, checkpoint_epochs=(0, 1, 2), validation_fraction=0.25), checkpoints)
    run = checkpoints / "tried"
    (run / "train.log").write_text(f'  File "{ROOT}/googlenet/x.py", line 1\n{checkpoints}/tried is full\n')
    status = Run(checkpoints, "tried").last_status()
    Run(checkpoints, "tried").write_status(dataclasses.replace(status, message=f"{checkpoints}/tried is full"))
    (run / ".hidden.safetensors").write_bytes((run / "best.safetensors").read_bytes())
    (run / "epoch-0007.safetensors").symlink_to(run / "resume.pt")
    (checkpoints / "secret.safetensors").write_bytes(b"of no run")
    return checkpoints


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images on the server that is none of the visitors' business."""
    return make_folder(tmp_path_factory.mktemp("private") / "family", 4, 2)


def serve(checkpoints: Path, data: str, *, public: bool = True, **options: Any) -> tuple[gr.Blocks, str]:
    demo = build_app(checkpoints, data, public=public)
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, **options, **launch_options(checkpoints))
    return demo, url


@pytest.fixture(scope="module")
def public(checkpoints: Path, folder: Path) -> Iterator[tuple[gr.Blocks, str]]:
    demo, url = serve(checkpoints, str(folder))
    yield demo, url
    demo.close()


@pytest.fixture(scope="module")
def client(public: tuple[gr.Blocks, str]) -> Client:
    return Client(public[1], verbose=False)


def post(page: tuple[gr.Blocks, str], function: str, *data: Any) -> httpx.Response:
    """What the hidden event that calls `function` answers to anybody who posts `data`."""
    demo, url = page
    answers = [
        httpx.post(
            f"{url}gradio_api/run/predict",
            json={"data": data, "fn_index": number, "session_hash": "stranger"},
            timeout=120,
        )
        for number, known in demo.fns.items()
        if known.name == function
    ]
    return answers[-1]


# --- data -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "login", "share", "public"),
    [
        ("127.0.0.1", False, False, False),
        ("127.8.9.1", False, False, False),
        ("::1", False, False, False),
        ("localhost", False, False, False),
        ("0.0.0.0", False, False, True),
        ("::", False, False, True),
        ("192.168.1.7", False, False, True),
        ("lab.example.org", False, False, True),
        ("127.0.0.1", True, False, True),
        ("127.0.0.1", False, True, True),
    ],
)
def test_what_a_public_page_is(host: str, login: bool, share: bool, public: bool) -> None:
    assert is_public(host, login=login, share=share) is public


def test_a_public_page_takes_what_it_offers_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    data = str(tmp_path / "photos")
    access = Access(data, public=True)
    assert access.offered == "folder photos"
    taken = {None: None, "cifar10": "cifar10", "shapes": "shapes", data: data, "folder photos": data}
    assert {source: access.check_data(source) for source in taken} == taken
    sentences = set()
    for source in (
        str(tmp_path),
        "~",
        "~root",
        "photos",
        f"{data}/",
        f"{data}/../photos",
        "/nowhere",
        "",
        5,
        ["shapes"],
    ):
        with pytest.raises(LabError) as caught:
            access.check_data(source)
        sentences.add(str(caught.value))
    assert len(sentences) == 1  # it tells nothing of what is there
    assert data not in sentences.pop()
    assert Access(data).check_data("/nowhere") == "/nowhere"


@pytest.mark.parametrize("there", [True, False])
def test_no_entry_takes_another_folder(
    public: tuple[gr.Blocks, str], client: Client, checkpoints: Path, other: Path, there: bool
) -> None:
    source = str(other if there else other / "nothing")
    said = set()
    for endpoint, arguments in (
        ("/start_training", {"run": "theirs"}),
        ("/select_run", {"run": "tried"}),
        ("/evaluate_checkpoint", {"checkpoint": "tried/best"}),
        ("/promote_checkpoint", {"run": "tried", "checkpoint": "tried/best"}),
    ):
        with pytest.raises(Exception, match="Others can reach this page") as caught:
            client.predict(**arguments, data=source, api_name=endpoint)
        said.add(str(caught.value))
    start = next(
        event
        for event in public[0].fns.values()
        if getattr(event.fn, "right", "") == "start" and event.api_visibility == "private" and event.inputs
    )
    form = [getattr(field, "value", None) for field in start.inputs[1:]]
    form[1] = source  # beside the network
    begun = post(public, "begin", None, *form).json()["data"]
    assert "Others can reach this page" in json.dumps(begun)
    takers = [n for n, event in public[0].fns.items() if event.fn and start.inputs[2] in event.inputs]
    assert len(takers) >= 5  # plan, trial, images, settings file and Start
    for number in takers:
        fields = public[0].fns[number].inputs
        values = [source if field is start.inputs[2] else getattr(field, "value", None) for field in fields]
        body = {"data": values, "fn_index": number, "session_hash": "stranger"}
        answer = httpx.post(f"{public[1]}gradio_api/run/predict", json=body, timeout=120)
        assert "Others can reach this page" in answer.text, public[0].fns[number].name
    post(public, "opened", None)  # now the lists of runs and checkpoints are there
    post(public, "judge", "tried", "the run's own")
    for function, values in (
        ("look_up", ["tried", source, None]),
        ("judge", ["tried", source]),
        ("look", [None, "tried/best", source]),
    ):
        answer = post(public, function, *values)
        assert "Others can reach this page" in answer.text, function
    assert not (checkpoints / "theirs").exists()
    assert len(said) == 1


def test_the_offered_folder_and_the_runs_own_data_still_judge(client: Client, folder: Path) -> None:
    offered = client.predict("tried/best", f"folder {folder.name}", api_name="/evaluate_checkpoint")
    own = client.predict("tried/best", api_name="/evaluate_checkpoint")
    assert offered["n"] == own["n"] == 15
    assert client.predict("tried", api_name="/select_run")["run"] == "tried"


# --- downloads --------------------------------------------------------------------------------


def offered(url: str) -> list[str]:
    files = httpx.get(f"{url}watch?run=tried&now=1").json()["files"]
    return re.findall(r'href="([^"]*)"', files)


def test_what_is_listed_is_served_whole(public: tuple[gr.Blocks, str], checkpoints: Path) -> None:
    listed = [
        address for address in offered(public[1]) if not address.endswith("/tensorboard")
    ]  # e2e/test_compare.py's
    found = {address.rpartition("/")[2]: httpx.get(public[1] + address) for address in listed}
    weights = {f"{name}.safetensors" for name in ("best", "last", "epoch-0000", "epoch-0001", "epoch-0002")}
    assert set(found) == {"metrics.csv", "curves.png", "train.log", *weights}
    for name, answer in found.items():
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        if name != "train.log":
            assert answer.content == (checkpoints / "tried" / name).read_bytes()
    assert "checkpoints/tried is full" in found["train.log"].text


@pytest.mark.parametrize(
    "path",
    [
        "download/tried/resume.pt",
        "download/tried/config.json",
        "download/tried/status.json",
        "download/tried/steps.jsonl",
        "download/tried/.hidden.safetensors",
        "download/tried/epoch-0007.safetensors",  # a link to resume.pt
        "download/tried/",
        "download/tried",
        "download/secret.safetensors",
        "download/../secret.safetensors",
        "download/tried/..%2Fsecret.safetensors",
        "download/tried/%2e%2e/secret.safetensors",
        "download/tried%2F..%2F/secret.safetensors",
        "download/..%2Fcheckpoints%2Ftried/metrics.csv",
        "download/%2Fetc/passwd",
        "download/tried/%2Fetc%2Fpasswd",
        "download/tried/metrics.csv%00.png",
        "download/tried/..%5Csecret.safetensors",
        "download/TRIED/metrics.csv",
        "download/nobody/metrics.csv",
        "gradio_api/file={checkpoints}/tried/metrics.csv",
        "gradio_api/file={checkpoints}/tried/resume.pt",
        "gradio_api/file={checkpoints}/.trainer.lock",
        "gradio_api/file={other}",
    ],
)
def test_nothing_else_is_served(public: tuple[gr.Blocks, str], checkpoints: Path, other: Path, path: str) -> None:
    answer = httpx.get(public[1] + path.format(checkpoints=checkpoints, other=other))
    assert answer.status_code in (403, 404)


def test_downloads_are_for_those_who_may_see_the_page(checkpoints: Path) -> None:
    demo, url = serve(checkpoints, "shapes", auth=("ann", "secret"))
    try:
        with httpx.Client(base_url=url) as visitor:
            assert visitor.get("/download/tried/metrics.csv").status_code == 401
            assert visitor.post("/login", data={"username": "ann", "password": "secret"}).status_code == 200
            assert visitor.get("/download/tried/metrics.csv").text.startswith("Epoch,Accuracy,Loss")
    finally:
        demo.close()


# --- paths ------------------------------------------------------------------------------------


def test_no_answer_says_where_things_lie(
    public: tuple[gr.Blocks, str], client: Client, checkpoints: Path, folder: Path
) -> None:
    url = public[1]
    pages = ["", "config", "gradio_api/info", "gradio_api/openapi.json", "watch?run=tried&now=1", "theme.css"]
    answers = [httpx.get(url + page).raise_for_status().text for page in [*pages, *offered(url)] if "safe" not in page]
    answers += [json.dumps(client.predict("tried", api_name=name)) for name in ("/run_status", "/select_run")]
    answers.append(json.dumps(client.predict("tried/best", api_name="/evaluate_checkpoint")))
    answers += [post(public, "look_up", "tried", "the run's own", None).text]
    answers += [post(public, "look", None, "tried/best", "the run's own").text]
    for endpoint, value in (("/run_status", "no-run"), ("/select_run", "no-run"), ("/evaluate_checkpoint", "no/best")):
        with pytest.raises(Exception, match="There is no") as caught:
            client.predict(value, api_name=endpoint)
        answers.append(str(caught.value))
    private = [checkpoints, folder, ROOT, Path(sys.prefix), Path.home()]
    found = {str(path): [answer[:80] for answer in answers if f"{path}/" in answer] for path in private}
    assert found == {str(path): [] for path in private}


def test_paths_are_hidden_whole_and_where_they_end(tmp_path: Path) -> None:
    hide_path(tmp_path / "it's", "runs")
    text = f"no {tmp_path}/it's/a, {tmp_path}/it&#x27;s. But {tmp_path}/it's-mine is another"
    assert hide_paths(text) == f"no runs/a, runs. But {tmp_path}/it's-mine is another"
    hide_path(Path("/"), "root")
    assert hide_paths("a/b </p>") == "a/b </p>"
