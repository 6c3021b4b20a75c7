"""Train, before Start: what the page says of the training, and how a form is filled from one."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from trainings import make_folder, training

from googlenet.errors import LabError
from googlenet.models.formats.share import parse_network
from googlenet.models.presets import preset
from googlenet.recipes import TrainConfig, make_train_config
from googlenet.runs import Run, Status, process_started
from googlenet.training.planning.costs import costs_of
from googlenet.training.planning.trial import Trial
from googlenet.ui.events.access import Access
from googlenet.ui.train.form import Form
from googlenet.ui.train.launch.panel import LaunchPanel
from googlenet.ui.train.launch.planned import NOT_SETTINGS, fill, planned, read_settings
from googlenet.ui.train.launch.view import costs_html


def make_panel(checkpoints: Path, access: Access = Access("shapes")) -> LaunchPanel:  # noqa: B008  frozen
    with gr.Blocks():
        panel = LaunchPanel(Form(access), checkpoints, access)
        panel.lay_out_in_sight()
        return panel


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> LaunchPanel:
    return make_panel(tmp_path_factory.mktemp("checkpoints"))


def answers(form: Form, **typed: Any) -> list[Any]:
    return [form.filled.value, *(typed.get(name, field.value) for name, field in form.fields.items())]


def filled_in(form: Form, updates: list[Any]) -> list[Any]:
    """What the form would send once `updates` of `form.filling` have reached the page."""
    shown = []
    for field, new in zip(form.fields.values(), updates[3:], strict=True):
        new = new.get("value", field.value) if isinstance(new, dict) else new
        shown.append(new)
    return [updates[0], *shown]


CONFIGS = [
    make_train_config("r", preset("cifar10"), data="shapes"),
    make_train_config("r", preset("cifar10-truncated"), "note", epochs=3, data="shapes"),
    make_train_config("r", preset("cifar10-truncated"), "note", checkpoint_epochs=(), seed=4, data="shapes"),
    make_train_config("r", preset("cifar10-truncated"), "note", epochs=4, checkpoint_epochs=(1, 3), data="shapes"),
    make_train_config(
        "r", preset("cifar10-fine", aux_heads=True), "full", ema=0.0, flip=False, momentum=0.0, data="shapes"
    ),
    make_train_config("r", parse_network("cifar10.two3x3~name.mine"), lr=0.031, optimizer="adam", data="shapes"),
    dataclasses.replace(training("r", "shapes"), recipe="someone-elses", device="cpu", deterministic=True),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_a_form_that_was_filled_in_starts_the_same_training(panel: LaunchPanel, config: TrainConfig) -> None:
    saved = read_settings(config.to_json().encode())
    assert saved == config
    updates = fill(panel.form, saved, panel.access)
    again = panel.config(*filled_in(panel.form, updates))
    assert again.run.startswith(config.network.name[:40])  # named by the network and the time
    recipe = config.recipe if config.recipe != "someone-elses" else "default"
    assert dataclasses.replace(again, run="r") == dataclasses.replace(config, recipe=recipe)


def test_what_differs_from_its_recipe_counts_as_typed(panel: LaunchPanel) -> None:
    form = panel.form
    updates = fill(form, CONFIGS[4], panel.access)
    assert "Averaging (recipe: 0.999), Momentum (recipe: 0.9), Flip (recipe: on)" in updates[2]
    filled, *typed = filled_in(form, updates)
    sent = dict(zip(form.fields, typed, strict=True))
    followed = form.follow("default", "cifar10", filled, *(sent[name] for name in filled if name in sent))
    now = dict(zip([name for name in filled if name in sent], followed[3:], strict=True))
    assert (now["ema"], now["flip"], now["momentum"], now["epochs"]) == (0.0, False, 0.0, 10)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe\x00", NOT_SETTINGS),
        (b"x" * 1_000_001, NOT_SETTINGS),
        (None, NOT_SETTINGS),
        (b"epochs: 3", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "must be an object in braces"),
        (b'{"epochs": 3}', "lacks run, network"),
        (CONFIGS[0].to_json().replace('"epochs": 10', '"epochs": "ten"').encode(), "epochs must be a whole number"),
        (CONFIGS[0].to_json().replace('"lr": 0.2', '"lr": [0.2]').encode(), "learning rate must be a number"),
        (CONFIGS[0].to_json().replace('"flip": true', '"flip": 1').encode(), "flip must be true or false"),
        (CONFIGS[0].to_json().replace('"lr"', '"speed"').encode(), "has a 'speed', which is none of"),
    ],
)
def test_a_bad_file_of_settings_is_refused_in_one_sentence(content: Any, sentence: str) -> None:
    with pytest.raises(LabError) as caught:
        read_settings(content)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_page_says_what_start_would_do(panel: LaunchPanel) -> None:
    schedule, costs, line, command, *_ = panel.look(None, None, *answers(panel.form, epochs=20))
    assert "up to 0.2 at 4 of 20 epochs, then down to" in schedule
    assert "360" in costs
    assert "18 an epoch, 4,500 images" in costs
    assert "not measured yet" in costs
    assert line.startswith("<p>360 steps · 0.0655 PFLOP · 13")
    assert line.endswith(" MiB on disk</p>")
    runs = f" --checkpoints {panel.checkpoints}"
    assert command.replace(runs, "") == (
        "python -m googlenet train --preset cifar10 --data shapes --recipe default --epochs 20"
    )
    schedule, costs, line, command, *_ = panel.look(None, None, *answers(panel.form, epochs=0))
    assert "No plan yet: epochs must be a whole number" in schedule
    assert (costs, line, command) == ("", "", "")
    assert "0.001 throughout" in panel.look(None, None, *answers(panel.form, schedule="constant", lr=0.001))[0]


def test_a_measured_time_goes_with_the_epochs_and_with_no_other_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trial itself is in tests/training/test_planning.py and, from the page, in tests/e2e/test_launch.py."""
    panel, measured = make_panel(tmp_path), Trial(60.0, 20.0, 500.0, 2**30, 9, "CPU, 2 cores", stand_in=False)
    monkeypatch.setattr("googlenet.ui.train.launch.panel.measure_apart", lambda config, report: measured)
    asked = answers(panel.form, network="cifar10-truncated", epochs=2, batch_size=16, device="cpu")
    _, _, costs, line, trial = panel.measured(lambda share, text: None, False, *asked)
    assert "9 steps measured" in costs
    assert "1.0 GiB" in costs
    assert line.endswith(" · about 1 min</p>")
    more = answers(panel.form, network="cifar10-truncated", epochs=2000, batch_size=16, device="cpu", lr=0.5)
    known = panel._known(trial, panel.config(*more))
    assert known is not None
    assert known.seconds == 60 + 1998 * 20
    other = answers(panel.form, network="cifar10", epochs=2, batch_size=16, device="cpu")
    assert "measured for other settings" in panel.look(trial, None, *other)[1]
    assert "random images" in costs_html(costs_of(CONFIGS[0]), dataclasses.replace(measured, stand_in=True))

    # Beside a trainer it says so first, and then in the answer.
    run, me = Run(tmp_path, "busy"), os.getpid()
    run.create(CONFIGS[0])
    run.write_status(Status("running", epochs=10, pid=me, pid_started=process_started(me)))
    words, offered, *rest = panel.measured(lambda share, text: None, False, *asked)
    assert "Now busy is being trained: it would disturb the estimate" in words
    assert offered["visible"]
    assert rest == [gr.skip()] * 3
    assert "Disturbed by busy" in panel.measured(lambda share, text: None, True, *asked)[0]


def test_images_are_drawn_anew_and_told_to_be_old_when_the_settings_changed(panel: LaunchPanel) -> None:
    first, drawn, *_ = panel.previewed(None, *answers(panel.form, cutout=8))
    second, again, *_ = panel.previewed(drawn, *answers(panel.form, cutout=8))
    assert first.count("data:image/png") == second.count("data:image/png") == 16
    assert first != second
    assert "a square of 8 blanked" in second
    assert "epoch 1" in second
    assert panel.look(None, again, *answers(panel.form, cutout=8, lr=0.1))[4:] == [gr.skip(), gr.skip()]
    stale, gone = panel.look(None, again, *answers(panel.form, cutout=4))[4:]
    assert "The settings have changed" in stale
    assert gone is None


def test_a_page_for_others_fills_in_and_shows_no_folder_of_this_machine(tmp_path: Path) -> None:
    data = make_folder(tmp_path / "secret" / "colours", 4, 2)
    access = Access(str(data), public=True)
    panel = make_panel(tmp_path, access)
    mine, theirs = (dataclasses.replace(CONFIGS[0], data=str(folder)) for folder in (data, tmp_path))
    assert dict(zip(panel.form.fields, fill(panel.form, mine, access)[3:], strict=True))["data"] == access.offered
    assert dict(zip(panel.form.fields, fill(panel.form, theirs, access)[3:], strict=True))["data"] == gr.skip()
    with pytest.raises(LabError, match="page for others"):
        panel.saved(*answers(panel.form))
    said = json.dumps([part for part in panel.look(None, None, *answers(panel.form)) if isinstance(part, str)])
    assert "secret" not in said


def test_saved_settings_are_read_again(panel: LaunchPanel) -> None:
    file = json.loads(panel.saved(*answers(panel.form, run="mine", epochs=3))[1])
    assert file["name"] == "mine-settings.json"
    assert read_settings(file["text"].encode()) == planned("cifar10", "mine", data="shapes", epochs=3, recipe="default")
