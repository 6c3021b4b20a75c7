"""Rights on a page that is read only, and where each visitor has runs of their own: refused in the function."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio_client import Client, handle_file

from googlenet import runs
from googlenet.errors import LabError
from googlenet.models.presets import preset
from googlenet.recipes import make_train_config
from googlenet.runs import Run, Status
from googlenet.runs.owner import OWNER, read_owner, write_owner
from googlenet.ui.app import build_app
from googlenet.ui.events import rights
from googlenet.ui.events.access import Access
from googlenet.ui.page import launch_options

# Events that need no right: they start nothing, and change nothing that outlives them but what was judged. A new event
# belongs here, or takes `needs` (ui/events/rights.py).
HARMLESS_ROOMS = ("ui.build.", "ui.train.launch.")
HARMLESS = {
    "ui.api.build:inspect_module",
    "ui.api.build:inspect_network",
    "ui.api.classify:publish.<locals>.classify",
    "ui.api.classify:publish.<locals>.classify_many",
    "ui.api.classify:publish.<locals>.explain",
    "ui.api.classify:publish.<locals>.inside",
    "ui.api.evaluate:publish.<locals>.evaluate_checkpoint",
    "ui.api.evaluate:publish.<locals>.select_run",
    "ui.api.runs:publish.<locals>.list_checkpoints",
    "ui.api.runs:publish.<locals>.list_runs",
    "ui.api.runs:publish.<locals>.run_status",
    "ui.classify.examples:examples.<locals>.put",
    "ui.classify.imagenet:imagenet_panel.<locals>.appear",
    "ui.classify.imagenet:imagenet_panel.<locals>.end",
    "ui.classify.inside.computing:computed_at.<locals>.<lambda>",
    "ui.classify.inside.panel:inside_panel.<locals>.draw",
    "ui.classify.inside.panel:inside_panel.<locals>.draw_anew",
    "ui.classify.inside.panel:inside_panel.<locals>.explain",
    "ui.classify.inside.panel:inside_panel.<locals>.miss",
    "ui.classify.inside.panel:inside_panel.<locals>.overtaken",
    "ui.classify.inside.panel:inside_panel.<locals>.pick",
    "ui.classify.inside.panel:inside_panel.<locals>.show",
    "ui.classify.inside.panel:inside_panel.<locals>.tell_all",
    "ui.classify.many.panel:_wire_start.<locals>.buttons",
    "ui.classify.many.panel:_wire_start.<locals>.run",
    "ui.classify.many.panel:_wire_start.<locals>.take",
    "ui.classify.many.panel:_wire_table.<locals>.as_file",
    "ui.classify.many.panel:_wire_table.<locals>.open_one",
    "ui.classify.many.panel:_wire_table.<locals>.show",
    "ui.classify.many.panel:_wire_table.<locals>.show_cell",
    "ui.classify.over_epochs.panel:epochs_panel.<locals>.draw",
    "ui.classify.over_epochs.panel:epochs_panel.<locals>.follow",
    "ui.classify.over_epochs.panel:epochs_panel.<locals>.look_anew",
    "ui.classify.tab:classify_tab.<locals>.<lambda>",
    "ui.classify.tab:classify_tab.<locals>.look",
    "ui.classify.tab:classify_tab.<locals>.miss",
    "ui.classify.tab:classify_tab.<locals>.show",
    "ui.classify.tab:classify_tab.<locals>.show_new",
    "ui.classify.why.panel:why_panel.<locals>.<lambda>",
    "ui.classify.why.panel:why_panel.<locals>.explain_picture",
    "ui.classify.why.panel:why_panel.<locals>.renew",
    "ui.evaluate.tab:_busy.<locals>.<lambda>",
    "ui.evaluate.tab:_confirmed.<locals>.<lambda>",
    "ui.evaluate.tab:_wire_checkpoint.<locals>.appear",
    "ui.evaluate.tab:_wire_checkpoint.<locals>.choose",
    "ui.evaluate.tab:_wire_checkpoint.<locals>.compare",
    "ui.evaluate.tab:_wire_checkpoint.<locals>.look",
    "ui.evaluate.tab:_wire_checkpoint.<locals>.mark",
    "ui.evaluate.tab:_wire_checkpoint.<locals>.show_cell",
    "ui.evaluate.tab:_wire_images.<locals>.hand_over",
    "ui.evaluate.tab:_wire_run.<locals>.judge",
    "ui.evaluate.tab:_wire_run.<locals>.look_up",
    "ui.evaluate.tab:_wire_run.<locals>.opened",
    "ui.events.long_work:Cancellation.at_start.<locals>.start",
    "ui.events.long_work:Cancellation.cancel",
    "ui.events.long_work:Question.ask.<locals>.<lambda>",
    "ui.train.all_runs:AllRuns._other_seeds",
    "ui.train.all_runs:AllRuns._as_file",
    "ui.train.all_runs:AllRuns._choose",
    "ui.train.all_runs:AllRuns._open",
    "ui.train.all_runs:AllRuns._table",
    "ui.train.form:Form.follow",
    "ui.train.form:Form.notice",
    "ui.train.form:Form.wire.<locals>.<lambda>",
    "ui.train.form:_promise",
    "ui.train.form:network_for",
    "ui.train.from_build:send_to_training.<locals>.<lambda>",
    "ui.train.from_build:text_for_training",
    "ui.api.queue:publish.<locals>.queue",
    "ui.train.queue.sweep:SweepPanel.look",
}
ENDPOINTS: dict[str, dict[str, Any]] = {
    "/start_training": {"network": "cifar10", "data": "shapes"},
    "/stop_training": {"run": "a"},
    "/queue_training": {"run": "b"},
    "/queue_sweep": {"seeds": "0-3"},
    "/cancel_queued": {"run": "a"},
    "/move_queued": {"run": "a", "where": "up"},
    "/pause_queue": {},
    "/extend_run": {"run": "a", "epochs": 9},
    "/set_rate": {"run": "a", "rate": 0.1},
    "/set_patience": {"run": "a", "epochs": 3},
    "/bring_run": {"file": handle_file(str(Path(__file__)))},
    "/keep_checkpoint": {"run": "a"},
    "/promote_checkpoint": {"run": "a", "checkpoint": "a/best"},
}
ANN, BOB = "a" * 32, "b" * 32  # cookies


def make_run(folder: Path, name: str) -> Run:
    run = Run(folder, name)
    run.create(make_train_config(name, preset("cifar10")))
    run.write_status(Status("finished", epoch=1, epochs=1))
    (run.path / "best.safetensors").write_bytes(b"1")
    return run


def serve(checkpoints: Path, **options: Any) -> Iterator[tuple[gr.Blocks, str]]:
    demo = build_app(checkpoints, "shapes", **options)
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_options(checkpoints))
    yield demo, url
    demo.close()


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[gr.Blocks, str, Path]]:
    folder = tmp_path_factory.mktemp("read-only")
    make_run(folder, "a")
    for demo, url in serve(folder, read_only=True):
        yield demo, url, folder


@pytest.fixture(scope="module")
def class_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[gr.Blocks, str, Path]]:
    folder = tmp_path_factory.mktemp("class")
    for demo, url in serve(folder, most_runs=1):
        yield demo, url, folder


def right_of(event: Any) -> str:
    return getattr(event.fn, "right", "")


def place_of(event: Any) -> str:
    function = getattr(event.fn, "func", event.fn)  # of a functools.partial
    return f"{function.__module__}:{function.__qualname__}".removeprefix("googlenet.")


def post(url: str, number: int, values: list[Any], cookie: str = "") -> str:
    answer = httpx.post(
        f"{url}gradio_api/run/predict",
        json={"data": values, "fn_index": number, "session_hash": "somebody"},
        headers={"cookie": f"googlenet-visitor={cookie}"} if cookie else {},
        timeout=120,
    )
    return answer.text


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_event_has_a_right_or_is_known_to_be_harmless(read_only: tuple[gr.Blocks, str, Path]) -> None:
    events = [event for event in read_only[0].fns.values() if event.fn is not None]
    places = {place_of(event) for event in events if not right_of(event)}
    assert {place for place in places - HARMLESS if not place.startswith(HARMLESS_ROOMS)} == set()
    assert {right_of(event) for event in events} - {""} == set(rights.REFUSED)


def test_every_right_is_refused_by_http_on_a_read_only_page(read_only: tuple[gr.Blocks, str, Path]) -> None:
    demo, url, folder = read_only
    before = files_of(folder)
    hidden = [event for event in demo.fns.values() if right_of(event) and event.api_visibility == "private"]
    assert len(hidden) > 20
    for event in hidden:
        said = post(url, event._id, [None] * len(event.inputs))
        assert rights.READ_ONLY in said, place_of(event)
        assert rights.REFUSED[right_of(event)] in said, place_of(event)
    client = Client(url, verbose=False)
    public = {f"/{event.api_name}" for event in demo.fns.values() if right_of(event)} - {"/None", "/False"}
    assert {name for name in public if name in ENDPOINTS} == set(ENDPOINTS)
    for name, values in ENDPOINTS.items():
        with pytest.raises(Exception, match=rights.READ_ONLY):
            client.predict(**values, api_name=name)
    assert files_of(folder) == before


def test_a_read_only_page_opens_no_folder(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="its data must be one of"):
        Access("shapes", read_only=True).check_data(str(tmp_path))


def changing(demo: gr.Blocks, words: str) -> int:
    """The event of the button that says `words`."""
    button = next(block for block in demo.blocks.values() if getattr(block, "value", None) == words)
    return next(number for number, event in demo.fns.items() if (button._id, "click") in event.targets and event.fn)


def test_each_visitor_changes_only_their_own_runs(class_page: tuple[gr.Blocks, str, Path]) -> None:
    demo, url, folder = class_page
    owner = hashlib.sha256(ANN.encode()).hexdigest()[:32]
    write_owner(make_run(folder, "anns"), owner)
    make_run(folder, "old")  # of nobody
    delete, undo = changing(demo, "Delete"), changing(demo, "Undo delete")
    stop = next(number for number, event in demo.fns.items() if right_of(event) == "stop")
    assert "by a cookie" in post(url, delete, [False, [], "anns"])
    assert "by a cookie" in post(url, delete, [False, [], "anns"], "not-a-cookie")
    assert "not a run of yours" in post(url, delete, [False, [], "anns"], BOB)
    assert "not a run of yours" in post(url, delete, [False, [], "old"], ANN)
    assert "not a run of yours" in post(url, stop, ["anns"], BOB)
    assert {run.name for run in runs.list_runs(folder)} == {"anns", "old"}
    mine = json.loads(post(url, changing(demo, "Download the table (CSV)"), [True, []], ANN))["data"][0]
    assert "anns" in mine
    assert "old" not in mine
    assert "is in the trash" in post(url, delete, [False, [], "anns"], ANN)
    assert "No run of yours" in post(url, undo, [False, []], BOB)
    assert "Anns is back" in post(url, undo, [False, []], ANN)
    assert "the trash is emptied on" in post(url, changing(demo, "Erase for good"), [False, []], ANN)
    assert read_owner(folder / "anns") == owner


def test_nobody_starts_more_than_their_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    access = Access("shapes", most_runs=1)
    monkeypatch.setattr(rights, "visitor_cookie", lambda: ANN)
    run = rights.start_own(access, tmp_path, lambda _: make_run(tmp_path, "first"))
    assert rights.is_own(access, run.path)
    with pytest.raises(LabError, match=r"You have 1 of 1 run .first.: delete or cancel one"):
        rights.start_own(access, tmp_path, lambda _: make_run(tmp_path, "second"))
    monkeypatch.setattr(rights, "visitor_cookie", lambda: BOB)
    rights.start_own(access, tmp_path, lambda _: make_run(tmp_path, "bobs"))
    (run.path / OWNER).write_bytes(b"\xff../x" * 100)  # edited by hand: nobody's
    assert read_owner(run.path) == ""
    assert not rights.is_own(access, run.path)
