"""What the endpoints say that they take and answer, compared with what they answer."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from examples import FROG, SHIPPED
from gradio_client import Client, handle_file
from jsonschema import validate

from googlenet.runs.status import STATES
from googlenet.ui.api.types.runs import State
from googlenet.ui.app import LabPage


@pytest.fixture(scope="module")
def page(lab: Path, folder: Path, serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    own = shutil.copytree(lab, tmp_path_factory.mktemp("types") / "checkpoints")
    with serve(own, str(folder)) as (demo, url):
        yield demo, Client(url, verbose=False)


def closed(schema: Any) -> Any:
    """The schema, with no other fields than those it names."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: closed(each) for key, each in schema.items()}
    return {**strict, "additionalProperties": False} if isinstance(schema.get("properties"), dict) else strict


def test_every_answer_is_of_its_type(page: tuple[LabPage, Client], folder: Path) -> None:
    demo, client = page
    picture, shipped = handle_file(FROG), "googlenet-cifar10"
    new = {"network": "cifar10-truncated", "data": str(folder), "batch_size": 8, "epochs": 4000, "run": "new"}
    asked: list[tuple[str, dict[str, Any]]] = [
        ("inspect_module", {}),
        ("inspect_network", {"preset": "imagenet"}),
        ("classify", {"image": picture, "checkpoint": shipped}),
        ("classify", {"image": picture, "checkpoint": "tried/best"}),
        ("classify_many", {"files": [picture], "checkpoint": shipped}),
        ("explain", {"image": picture, "checkpoint": "tried/best", "method": "grad-cam", "png": True}),
        (
            "explain",
            {"image": picture, "checkpoint": "tried/best", "target": "red", "against": "green", "method": "grad-cam"},
        ),
        ("inside", {"image": picture, "checkpoint": shipped}),
        ("inside", {"image": picture, "checkpoint": "tried/best"}),
        ("list_checkpoints", {}),
        ("select_run", {"run": "tried"}),
        ("evaluate_checkpoint", {"checkpoint": "tried/best"}),
        ("promote_checkpoint", {"run": "tried", "checkpoint": "last"}),
        ("start_training", new),
        ("set_rate", {"run": "new", "rate": 0.01}),
        ("set_patience", {"run": "new", "epochs": 5}),
        ("extend_run", {"run": "new", "epochs": 4001}),
        ("keep_checkpoint", {"run": "new"}),
        ("run_status", {"run": "new"}),
        (
            "queue_training",
            {"network": "cifar10-truncated", "run": "waits", "settings": {"data": str(folder), "epochs": 2}},
        ),
        (
            "queue_sweep",
            {"network": "cifar10-truncated", "seeds": "0-1", "run": "swept", "settings": {"data": str(folder)}},
        ),
        ("queue", {}),
        ("move_queued", {"run": "waits", "where": "down"}),
        ("cancel_queued", {"run": "waits"}),
        ("cancel_queued", {"run": "swept-s0"}),
        ("cancel_queued", {"run": "swept-s1"}),
        ("pause_queue", {}),
        ("pause_queue", {"paused": False}),
        ("stop_training", {"run": "new"}),
        ("bring_run", {"file": handle_file(SHIPPED), "name": "brought"}),
        ("list_runs", {}),
    ]
    for name, arguments in asked:
        if name == "stop_training":  # once it has taken what was asked of it
            deadline = time.monotonic() + 120
            while len((answer := client.predict("new", api_name="/run_status"))["steering"]) < 4:
                assert answer["state"] in ("queued", "running"), answer
                assert time.monotonic() < deadline, answer
                time.sleep(0.3)
            validate(answer, closed(demo.endpoints.known["run_status"].result))
            assert answer["metrics"] is None or "Accuracy" in answer["metrics"]
        answer = client.predict(api_name=f"/{name}", **arguments)
        validate(json.loads(json.dumps(answer, allow_nan=False)), closed(demo.endpoints.known[name].result))
    assert {name for name, _ in asked} == set(demo.endpoints.known)
    while client.predict("new", api_name="/run_status")["state"] != "stopped":
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_every_field_is_described_where_its_name_does_not_say_it(page: tuple[LabPage, Client]) -> None:
    demo, client = page
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(named) == {f"/{name}" for name in demo.endpoints.known}
    for name, endpoint in demo.endpoints.known.items():
        told = named[f"/{name}"]
        assert len(told["description"]) > 40, name
        for parameter in told["parameters"]:
            assert parameter["python_type"]["type"] != "Any", (name, parameter)
            assert parameter["python_type"]["description"] or parameter["parameter_name"] == "seed", (name, parameter)
        fields = told["returns"][0]["type"]["properties"]
        assert fields == endpoint.result["properties"]
        assert sum("description" in json.dumps(each) for each in fields.values()) >= len(fields) / 2, name


def test_the_states_are_all_there_are() -> None:
    assert set(get_args(State)) == set(STATES)
