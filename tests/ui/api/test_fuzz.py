"""Whatever is sent to whichever endpoint, public or private: an answer or one sentence, never a null or a traceback."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from googlenet.models.presets import preset
from googlenet.recipes import make_train_config
from googlenet.runs import Run, Status
from googlenet.runs.lock import trainer_lock
from googlenet.runs.status import process_started

QUESTIONS = 500
NAMES = ["tried", "tried/best", "shapes", "imagenet", "epoch-0000", "3a", "best", "grad-cam", "frog", "run"]
KEYS = ["path", "name", "checkpoint", "layer", "cell", "image", "row", "files", "url", "meta", "size", "value", "step"]
NUMBERS = st.integers() | st.sampled_from([0, -1, 10**30, 2**63]) | st.floats() | st.booleans() | st.none()
TEXTS = st.sampled_from(
    [*NAMES, "", "../x", "/etc/passwd", "<img src=x onerror=1>", "\x00", "٣", "💥", "1e999"]
) | st.text(max_size=20)
VALUES = st.recursive(
    NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | TEXTS, inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def page(lab: Path, serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """With a training that seems to run, so that no question starts another."""
    own = shutil.copytree(lab, tmp_path_factory.mktemp("fuzzed") / "checkpoints")
    trainer = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    busy = Run(own, "busy")
    busy.create(make_train_config("busy", preset("cifar10")))
    alive = {"pid": trainer.pid, "pid_started": process_started(trainer.pid), "heartbeat": time.time()}
    busy.write_status(Status("running", epochs=9, **alive))
    with trainer_lock(own, "busy"), serve(own) as (demo, url):
        yield demo, url
    trainer.kill()
    trainer.wait()


def refusal(answer: httpx.Response) -> str | None:
    """ "" for an answer, the sentence of a refusal, None for anything else."""
    if answer.status_code == 200:
        return ""
    try:
        said = answer.json()
    except ValueError:
        return None
    said = said.get("error") or said.get("detail")  # Gradio answers 500 to every refusal
    return said if isinstance(said, str) and said.strip() and "Traceback" not in said and "\n" not in said else None


def tracebacks(capfd: pytest.CaptureFixture[str]) -> list[str]:
    """The last lines of those in the log."""
    said = capfd.readouterr()
    return re.findall(r"^Traceback .*?\n((?:  .*\n)+.*)", said.err + said.out, re.M)


def test_whatever_is_sent_is_answered_in_a_sentence(page: Any, capfd: pytest.CaptureFixture[str]) -> None:
    demo, url = page
    public = {one.number: list(one.defaults.values()) for one in demo.endpoints.known.values()}
    # Those that take nothing are asked in test_api.py.
    asked = [
        (number, len(function.inputs), "EventData" in str(getattr(function.fn, "__annotations__", "")))
        for number, function in demo.fns.items()
        if function.fn is not None and function.js is not True
    ]
    takes = [one for one in asked if one[1] or one[2]]
    assert len(takes) > 80
    assert {number for number, _, _ in takes} >= {one.number for one in demo.endpoints.known.values() if one.parameters}
    often = [one for one in takes if one[0] in public]
    client, wrong = httpx.Client(timeout=120), []

    @settings(
        max_examples=QUESTIONS, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        number, count, event = data.draw(st.sampled_from(often) | st.sampled_from(takes))
        values = data.draw(st.lists(VALUES, min_size=count, max_size=count))
        defaults = public.get(number, [])
        if defaults and data.draw(st.booleans()):  # all as it should be but for one
            kept = data.draw(st.integers(0, count - 1))
            first = count - len(defaults)
            values = [
                one if place == kept or place < first else defaults[place - first] for place, one in enumerate(values)
            ]
        body = {"data": values, "fn_index": number, "session_hash": "fuzz"}
        body["event_data"] = data.draw(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3)) if event else None
        content = json.dumps(body).encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        answer = client.post(
            f"{url}gradio_api/run/predict", content=content, headers={"content-type": "application/json"}
        )
        if refusal(answer) is None:
            wrong.append((demo.fns[number].name, values, body["event_data"], answer.text[:200]))

    ask()
    client.close()

    assert wrong == []
    assert tracebacks(capfd) == []


BODIES = ["", "x", "[]", "{}", '{"data": 5}', '{"data": {}}', '{"data": [[[[]]]]}', '{"data": null}']
PLACES = ["call/run_status", "call/nothing", "run/nothing", "call/v2/run_status", "call/v2/nothing"]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("place", PLACES)
def test_a_malformed_question_is_no_fault_of_the_server(
    page: Any, place: str, body: str, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = httpx.post(
        f"{page[1]}gradio_api/{place}", content=body, headers={"content-type": "application/json"}, timeout=60
    )
    assert answer.status_code < 500 or refusal(answer), (answer.status_code, answer.text[:300])
    assert tracebacks(capfd) == []
