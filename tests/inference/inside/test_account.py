"""The account of an answer as code, as lines for a terminal, and by the API."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import gradio as gr
import pytest
from gradio_client import Client, handle_file
from tiny import tiny_checkpoint, tiny_config

from googlenet.cli.text import account_lines
from googlenet.data.images import read_image
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.index import index_path
from googlenet.inference.inside.account import account_for
from googlenet.ui.api import publish
from googlenet.ui.events.access import Access

PICTURE = Path(__file__).resolve().parents[3] / "googlenet" / "ui" / "static" / "examples" / "frog.jpg"


def test_the_shipped_network_has_means_and_so_a_sentence(shipped_network: Path) -> None:
    classifier = Classifier(shipped_network, "cpu")
    account = account_for(classifier, PICTURE)
    assert (account.ledger.target, account.problem) == ("frog", "")
    assert account.effects is not None
    best = account.effects.strongest
    assert best is not None
    assert f"The {best.branch} branch of {best.module}" in account.sentence
    assert "carried frog most: without it the logit falls by" in account.sentence
    lines = list(account_lines(account))
    assert lines[0].startswith(f"The logit of frog is {account.ledger.logit:.3f}: bias")
    assert sum("branch  " in line for line in lines) >= 3
    assert account.sentence in lines
    versus = account_for(classifier, read_image(PICTURE), "frog", "cat").to_dict()
    ledger = versus["ledger"]
    assert ledger["bias"] + sum(ledger["branches"].values()) == pytest.approx(ledger["logit"], abs=1e-4)
    assert len(versus["effects"]) == 36
    json.dumps(versus, allow_nan=False)


def test_without_an_index_the_ledger_stands_alone(tmp_path: Path) -> None:
    path = tiny_checkpoint(tmp_path / "a.safetensors")
    account = account_for(Classifier(path, "cpu"), PICTURE, "cat")
    assert account.effects is None
    assert account.sentence.startswith("a.safetensors has no index, whose means tell what a branch says")
    assert account.sentence.endswith(f": make one with python -m googlenet index {path}.")
    assert account.sentence in list(account_lines(account))
    index_path(path).write_bytes(b"no index")
    damaged = account_for(Classifier(path, "cpu"), PICTURE, "cat")
    assert damaged.effects is None
    assert damaged.sentence.endswith(": compute it with python -m googlenet index a.safetensors.")
    with pytest.raises(LabError, match="knows no class 'lion'"):
        account_for(Classifier(path, "cpu"), PICTURE, "lion")


def test_no_index_is_advised_where_no_image_fits(tmp_path: Path) -> None:
    path = tiny_checkpoint(tmp_path / "a.safetensors", config=tiny_config(input_size=64))
    sentence = account_for(Classifier(path, "cpu"), PICTURE).sentence
    assert "no images of 64 × 64 pixels" in sentence
    assert "python -m" not in sentence


def test_the_endpoint_says_the_same(shipped_network: Path, tmp_path: Path) -> None:
    for file in (shipped_network, index_path(shipped_network)):
        shutil.copy(file, tmp_path)
    tiny_checkpoint(tmp_path / "alone.safetensors")
    with gr.Blocks(analytics_enabled=False) as demo:
        publish(tmp_path, Access("shapes"))
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    try:
        client = Client(url, verbose=False)
        answer = client.predict(handle_file(PICTURE), "googlenet-cifar10", "frog", "cat", api_name="/inside")
        without = client.predict(handle_file(PICTURE), "alone", api_name="/inside")
    finally:
        demo.close()
    alone = account_for(Classifier(shipped_network), PICTURE, "frog", "cat").to_dict()
    assert (answer.pop("checkpoint"), answer["sentence"]) == ("googlenet-cifar10", alone["sentence"])
    assert answer["ledger"]["branches"] == pytest.approx(alone["ledger"]["branches"], abs=1e-4)
    assert without["effects"] is None
    assert without["sentence"].endswith(f"make one with python -m googlenet index {tmp_path.name}/alone.safetensors.")
