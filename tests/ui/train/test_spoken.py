"""Pages in two languages watch the same run: each is told in its own, and one's reading is not another's."""

from __future__ import annotations

import html
import json
import os
import time
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from trainings import training

from googlenet.language import speaking
from googlenet.runs import Run, Status
from googlenet.runs.comparison import compare, settings_of
from googlenet.runs.status import SETTLED, STATES, state_words
from googlenet.runs.steering.taken import Taken, add_steering
from googlenet.ui.spoken import COOKIE, Spoken
from googlenet.ui.train import watch
from googlenet.ui.train.view import said
from googlenet.ui.train.watch import Watcher


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(tmp_path, "watched")
    run.create(training("watched", "shapes", deterministic=True))
    run.append_metrics({"Epoch": 0, "Accuracy": 0.5, "Loss": 1.0, "Validation accuracy": 0.4, "Validation loss": 1.5})
    run.write_status(Status("finished", epoch=1, epochs=1, message="Stopped and saved; resume continues from here."))
    return run


def test_each_language_has_a_reading_of_its_own_while_somebody_watches_in_it(run: Run) -> None:
    watcher = Watcher(run.path.parent)
    english = watcher.look("watched")
    assert len(watcher._views) == 1  # nobody speaks another language: nothing is read for it
    with speaking("ko"):
        korean = watcher.look("watched")
    assert watcher.look("watched") is english  # it was not read again for the other's sake
    told, other = json.loads(english), json.loads(korean)
    assert "Finished: all 1 epochs are done" in told["alerts"]["html"]
    assert "완료: 전체 1에포크를 마쳤습니다" in other["alerts"]["html"]
    assert (told["alerts"]["word"], other["alerts"]["word"]) == ("finished", "완료")
    assert {line["name"] for line in told["lines"]} == {"train", "validation"}
    assert {line["name"] for line in other["lines"]} == {"학습", "검증"}
    assert told["points"] == other["points"]
    with speaking("ko"):
        assert set(json.loads(watcher.look("watched", (), other["at"]))) == {"at"}


def test_a_page_is_answered_in_the_language_it_was_built_in(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "may_see", lambda request: True)  # it asks Gradio's app, which is not here
    client = TestClient(Spoken(Starlette(routes=[Watcher(run.path.parent).route()])))

    def told(query: str, cookie: str = "") -> str:
        headers = {"cookie": f"{COOKIE}={cookie}"} if cookie else {}
        return client.get(f"/watch?run=watched{query}", headers=headers).json()["alerts"]["word"]

    assert (told(""), told("", "ko")) == ("finished", "완료")
    assert (told("&language=en", "ko"), told("&language=ko", "en")) == ("finished", "완료")
    assert (told("&language=../x", "ko"), told("&language=&now=1", "ko")) == ("완료", "완료")


def test_what_is_kept_of_a_file_in_one_language_is_not_told_in_another(run: Run) -> None:
    path = run.path / "status.json"
    path.write_text(json.dumps({"state": "finished", "epoch": "many"}))
    old = time.time() - 2 * SETTLED
    os.utime(path, (old, old))
    for _ in range(2):  # read, and remembered
        assert run.status().problem == 'Cannot read all of status.json: epoch is "many".'
        with speaking("ko"):
            assert run.status().problem == 'status.json의 일부를 읽을 수 없습니다: epoch 값이 "many".'


def test_settings_are_compared_in_the_readers_words_and_taken_out_in_english(run: Run) -> None:
    other = Run(run.path.parent, "other")
    other.create(training("other", "shapes"))
    assert compare([run, other])[1] == {"deterministic": {"watched": "on", "other": "off"}}
    with speaking("ko"):
        assert compare([run, other])[1] == {"deterministic": {"watched": "켬", "other": "끔"}}
        assert settings_of(run)["deterministic"] == "on"


def test_every_state_has_words() -> None:
    assert {state_words(state) for state in STATES} == {state.replace("_", " ") for state in STATES}
    with speaking("ko"):
        assert len({state_words(state) for state in STATES}) == len(STATES)


def test_what_a_trainer_wrote_in_english_is_told_again(run: Run) -> None:
    rate = "the learning rate was 10; 0.1 is this recipe's, so start again with 0.1"
    words = f"The loss became nan in epoch 3, step 5: {rate}; the best weights so far are untouched."
    run.write_status(Status("diverged", message=words, epochs=5))
    refused = "watched has 8 epochs done, so 5 in all is too few: give more than 8."
    add_steering(run, [Taken("a", None, 3, 0.5, refused)])
    english = html.unescape(json.loads(Watcher(run.path.parent).look("watched"))["status"])
    assert words in english
    assert refused in english
    with speaking("ko"):
        korean = json.loads(Watcher(run.path.parent).look("watched"))["status"]
        assert "에포크 3, 스텝 5에서 손실이 nan이(가) 되었습니다. 학습률이 10이었는데" in korean
        assert "watched은(는) 이미 8에포크를 마쳐서 전체 5에포크로는 부족합니다." in korean
        loading = Status("queued", message="Decoded 1,000 of 5,000 images (20%)")
        assert said(loading).endswith(" (20%)")
        assert said(loading) != loading.message
        assert said(Status("failed", message="CUDA error: {x} %")) == "CUDA error: {x} %"
    assert words in run.status().message
