"""A run goes out as TensorBoard's event file, number by number; tables and runs of others come in whole."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from trainings import make_folder, training

from googlenet.cli.main import main
from googlenet.errors import LabError
from googlenet.language import retell, speaking
from googlenet.runs import Run, Status, active_run, list_overviews, list_runs
from googlenet.runs.comparison import compare
from googlenet.runs.exchange import bring, bring_metrics, event_file, name_for, write_event_file
from googlenet.training.session import resume, train

NOTE = "Epoch,Accuracy,Loss\n0,0.1,2.3027\n1,0.25,2.1\n2,0.7,1.5\n"


def make(folder: Path, name: str = "out") -> Run:
    run = Run(folder, name)
    run.create(training(name, "shapes"))
    for epoch in range(3):
        run.append_metrics({"Epoch": epoch, "Accuracy": 0.5 + epoch / 10, "Loss": 1.5 - epoch / 4, "Seconds": 10.0})
    run.append_steps({"step": n, "epoch": n / 10, "loss": 2.0 / n, "lr": 0.01 * n} for n in range(1, 31))
    return run


def test_an_event_file_reads_back_as_it_was_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = make(tmp_path)
    for _ in range(2):  # the second time replaces the first: no point is there twice
        command = ["runs", "export", "out", "--tensorboard", str(tmp_path / "logs"), "--checkpoints", str(tmp_path)]
        assert main(command) == 0
    assert "tensorboard --logdir" in capsys.readouterr().out
    events = EventAccumulator(str(tmp_path / "logs" / "out"), size_guidance={"scalars": 0})
    events.Reload()
    assert set(events.Tags()["scalars"]) == {"loss/train", "accuracy/train", "steps/loss", "steps/learning rate"}
    losses = events.Scalars("loss/train")
    assert [(event.step, event.value) for event in losses] == [(0, 1.5), (1, 1.25), (2, 1.0)]
    assert losses[1].wall_time - losses[0].wall_time == pytest.approx(10)
    steps = events.Scalars("steps/learning rate")
    assert [event.step for event in steps] == list(range(1, 31))
    assert steps[4].value == pytest.approx(0.05)
    settings = events.Tensors("settings/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "| learning rate | 0.1 |" in settings
    assert write_event_file(run, tmp_path / "logs").parent.name == "out"


def test_what_is_missing_for_an_event_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path, "empty")
    run.create(training("empty", "shapes"))
    with pytest.raises(LabError, match="no finished epoch"):
        event_file(run)
    with pytest.raises(LabError, match="There is no run called nowhere"):
        event_file(Run(tmp_path, "nowhere"))
    make(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(LabError, match="cannot be written"):
        write_event_file(Run(tmp_path, "out"), tmp_path / "file")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(LabError, match="pip install tensorboard"):
        event_file(run)


def test_the_class_notes_table_becomes_a_run_to_compare(tmp_path: Path) -> None:
    table = tmp_path / "My Log (1).csv"
    table.write_text(NOTE)
    folder = tmp_path / "checkpoints"
    assert bring(table, folder) == "The run my-log-1 holds 3 epochs of My Log (1).csv now."
    run = Run(folder, "my-log-1")
    assert [(row["Epoch"], row["Accuracy"], row["Loss"]) for row in run.metrics()] == [
        (0, 0.1, 2.3027),
        (1, 0.25, 2.1),
        (2, 0.7, 1.5),
    ]
    assert [found.name for found in list_runs(folder)] == ["my-log-1"]
    assert run.problem() == ""
    assert active_run(folder) is None
    assert [(row.state, row.epochs, row.network) for row in list_overviews(folder)] == [("brought", 3, "")]
    with pytest.raises(LabError, match="how it was trained is not known"):
        run.config()
    with pytest.raises(LabError, match="how it was trained is not known"):
        resume(run.name, folder)
    own = make(folder)
    assert [group.runs for group in compare([own, run])[0]] == [("out",), ("my-log-1",)]
    with pytest.raises(LabError, match="already something called out: choose another name"):
        bring_metrics(table, folder, "out")
    assert own.config().run == "out"
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("text", "rows", "remark"),
    [
        ("epoch;loss;val_loss;acc;val_acc\n1;2;3;10;20\n2;1;2;30;50\n", {0: (0.1, 0.2), 1: (0.3, 0.5)}, "percentages"),
        ("epoch\ttrain_loss\ttrain_acc\tvalid_acc\n0\t1\t0.5\t0.25\n", {0: (0.5, 0.25)}, ""),
        ("Accuracy,Validation accuracy\n0.5,0.4\n0.6,0.5\n", {0: (0.5, 0.4), 1: (0.6, 0.5)}, ""),
        ("epoch,acc,val_acc\n0,0.5,\n0,,0.4\nnonsense\n1,nan,\n", {0: (0.5, 0.4)}, "2 of its lines could not be read"),
        ('epoch,acc,val_acc\n0,"0.5,0.25\n1,0.6,0.5\n', {1: (0.6, 0.5)}, "1 of its lines"),
    ],
)
def test_tables_in_many_spellings(tmp_path: Path, text: str, rows: dict[int, object], remark: str) -> None:
    (tmp_path / "log.csv").write_text(text)
    with speaking("ko"):  # what the run keeps is English, whoever brought it
        run = bring_metrics(tmp_path / "log.csv", tmp_path / "checkpoints", "log")
        assert re.search("[A-Za-z]{2}", retell(run.status().message).replace("log.csv", "")) is None
    read = {row["Epoch"]: (row["Accuracy"], row["Validation accuracy"]) for row in run.metrics()}
    expected = {epoch - min(rows) if "from 1" in run.status().message else epoch: row for epoch, row in rows.items()}
    assert read == expected
    assert remark in run.status().message


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no column of losses or accuracies"),
        ("a,b\n1,2\n", "has no column of losses or accuracies"),
        ("Epoch,Loss\n", "has no line with an epoch"),
        ("Epoch,Accuracy\n0,101\n", "above 100%"),
        ("\x00\xff\x80\n" * 50, "has no column"),
    ],
)
def test_no_table_is_one_sentence_and_leaves_nothing(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "log.csv").write_text(text, encoding="latin-1")
    with pytest.raises(LabError, match=sentence):
        bring(tmp_path / "log.csv", tmp_path / "checkpoints")
    assert not (tmp_path / "checkpoints").exists() or not list((tmp_path / "checkpoints").iterdir())


def test_names_never_lead_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log.csv").write_text(NOTE)
    assert name_for("../../Évil name.csv") == "vil-name"
    with pytest.raises(LabError, match="no letter or digit"):
        name_for("….csv")
    with pytest.raises(LabError, match="A run name is"):
        bring(tmp_path / "log.csv", tmp_path / "checkpoints", "../x")
    for words in (
        ["bring", str(tmp_path / "nothing.csv")],
        ["compare", "../x", "y"],
        ["export", "../x"],
        ["compare", "x"],
    ):
        assert main(["runs", *words, "--checkpoints", str(tmp_path)]) != 0
        assert capsys.readouterr().err.count("\n") == 1
    assert main(["runs", "bring", str(tmp_path / "log.csv"), "mine", "--checkpoints", str(tmp_path)]) == 0
    make(tmp_path)
    assert main(["runs", "compare", "mine", "out", "--json", "--checkpoints", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["groups"][0]["runs"] == ["mine"]


def test_a_run_copied_from_another_machine_is_whole_and_goes_on(tmp_path: Path) -> None:
    data = make_folder(tmp_path / "data", 10, 4)
    there, here = tmp_path / "there", tmp_path / "here"
    run = train(training("copied", data, epochs=2, checkpoint_epochs=(0,)), there)
    # Copied while it was trained there, by a process whose number is this test's here.
    status = Status("running", epoch=2, epochs=2, pid=os.getpid(), pid_started=12345.0)
    run.write_status(status)
    here.mkdir()
    shutil.copytree(run.path, here / "copied")
    copy = Run(here, "copied")
    assert (copy.status().state, active_run(here)) == ("interrupted", None)
    assert copy.metrics() == run.metrics()
    assert {item.name for item in copy.checkpoints()[0]} == {
        f"copied/{stem}" for stem in ("best", "last", "epoch-0000")
    }
    assert copy.config() == run.config()
    assert resume("copied", here).status().state == "finished"

    shutil.copytree(run.path, here / "far")
    shutil.move(data, tmp_path / "elsewhere")
    with pytest.raises(LabError, match="data") as refused:
        resume("far", here)
    assert str(refused.value).count("\n") == 0
    assert Run(here, "far").metrics() == run.metrics()


def test_half_a_copied_run_never_hides_the_others(tmp_path: Path) -> None:
    whole = make(tmp_path, "whole")
    shutil.copytree(whole.path, tmp_path / "half")
    (tmp_path / "half" / "config.json").write_bytes((whole.path / "config.json").read_bytes()[:100])
    (tmp_path / "half" / "metrics.csv").write_bytes((whole.path / "metrics.csv").read_bytes()[:-25])
    shutil.copytree(whole.path, tmp_path / "no-config")
    (tmp_path / "no-config" / "config.json").unlink()
    assert {run.name for run in list_runs(tmp_path)} == {"whole", "half"}
    assert "is damaged" in Run(tmp_path, "half").problem()
    assert Run(tmp_path, "whole").problem() == "There is no readable status.json."
    assert len(Run(tmp_path, "half").metrics()) == 2
    assert sys.getsizeof(event_file(Run(tmp_path, "half"))) > 100
