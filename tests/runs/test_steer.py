"""Rename, note, delete with a way back, prune: each happened or did not, and never in a run that is being trained."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from trainings import ROOT, environment

from googlenet import runs
from googlenet.cli.main import main
from googlenet.errors import LabError
from googlenet.models.presets import preset
from googlenet.recipes import make_train_config
from googlenet.runs import Run, Status, list_checkpoints, list_runs, process_started, trainer_lock
from googlenet.runs.checkpoints import PRUNED, pruned

FILES = ("best.safetensors", "last.safetensors", "epoch-0001.safetensors", "epoch-0002.safetensors", "resume.pt")


def make_run(folder: Path, name: str = "run", state: str = "finished", **status: Any) -> Run:
    run = Run(folder, name)
    run.create(make_train_config(name, preset("cifar10")))
    run.write_status(Status(state, epoch=2, epochs=2, **status))
    for epoch, accuracy in enumerate((0.5, 0.75)):
        run.append_metrics({"Epoch": epoch, "Validation accuracy": accuracy, "Seconds": 30})
    for file in FILES:
        (run.path / file).write_bytes(b"weights")
    return run


def names(folder: Path) -> list[str]:
    return sorted(run.name for run in list_runs(folder))


def test_a_renamed_run_is_whole(tmp_path: Path) -> None:
    make_run(tmp_path)
    renamed = runs.rename(tmp_path, "run", "better-name")
    assert names(tmp_path) == ["better-name"]
    assert renamed.config().run == "better-name"
    assert len(renamed.metrics()) == 2


@pytest.mark.parametrize("name", ["../x", "Upper", "", "a" * 65, ".trash", "taken", "empty"])
def test_a_bad_or_taken_name_is_refused(tmp_path: Path, name: str) -> None:
    make_run(tmp_path)
    make_run(tmp_path, "taken")
    (tmp_path / "empty").mkdir()  # the system would put a directory in its place
    with pytest.raises(LabError):
        runs.rename(tmp_path, "run", name)
    assert names(tmp_path) == ["run", "taken"]


def test_a_note_is_one_line_of_limited_length(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    runs.write_note(tmp_path, "run", " the rate\nwas too high ")
    assert runs.read_note(run) == "the rate was too high"
    with pytest.raises(LabError, match="500 characters"):
        runs.write_note(tmp_path, "run", "x" * 501)
    assert runs.read_note(run) == "the rate was too high"
    runs.write_note(tmp_path, "run", "")
    assert (runs.read_note(run), (run.path / "note.txt").exists()) == ("", False)
    (run.path / "note.txt").write_bytes(b"\xff" * 5000)
    assert len(runs.read_note(run)) <= 500


def test_a_deleted_run_is_nowhere_until_it_is_brought_back(tmp_path: Path) -> None:
    make_run(tmp_path)
    runs.delete(tmp_path, "run")
    assert (names(tmp_path), [c for c in list_checkpoints(tmp_path) if "run" in c.name]) == ([], [])
    assert runs.trash_size(tmp_path) > 5 * len(b"weights")
    make_run(tmp_path)
    with pytest.raises(LabError, match="already something called run"):
        runs.undelete(tmp_path)
    runs.delete(tmp_path, "run")
    assert [gone.name for gone in runs.list_deleted(tmp_path)] == ["run", "run"]
    assert len(runs.undelete(tmp_path, "run").metrics()) == 2
    assert runs.empty_trash(tmp_path) > 0
    assert (runs.trash_size(tmp_path), runs.list_deleted(tmp_path), names(tmp_path)) == (0, [], ["run"])
    with pytest.raises(LabError, match="nothing can be brought back"):
        runs.undelete(tmp_path)


def test_pruning_keeps_best_and_last_and_asks_for_the_rest(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    assert runs.prune(tmp_path, "run") == 14
    assert {path.name for path in run.weights()} == {"best.safetensors", "last.safetensors"}
    assert (run.path / "resume.pt").exists()
    assert runs.prune(tmp_path, "run", resume=True) == 7
    make_run(tmp_path, "stopped", "stopped")
    with pytest.raises(LabError, match="finished runs only"):
        runs.prune(tmp_path, "stopped", resume=True)
    bare = make_run(tmp_path, "bare")
    for kept in FILES[:2]:
        (bare.path / kept).unlink()
    with pytest.raises(LabError, match="neither best nor last"):
        runs.prune(tmp_path, "bare")
    assert len(bare.weights()) == 2


STEPS = {
    "rename": lambda folder: runs.rename(folder, "run", "other"),
    "note": lambda folder: runs.write_note(folder, "run", "words"),
    "delete": lambda folder: runs.delete(folder, "run"),
    "prune": lambda folder: runs.prune(folder, "run"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_run_in_training_is_refused(tmp_path: Path, step: str) -> None:
    run = make_run(tmp_path, "run", "running", pid=os.getpid(), pid_started=process_started(os.getpid()))
    before = sorted(path.name for path in run.path.iterdir())
    with trainer_lock(tmp_path), pytest.raises(LabError, match="being trained"):
        STEPS[step](tmp_path)
    assert sorted(path.name for path in run.path.iterdir()) == before


@pytest.mark.parametrize("step", STEPS)
def test_nothing_moves_while_a_trainer_starts(tmp_path: Path, step: str) -> None:
    make_run(tmp_path)  # a trainer holds it, and it does not say yet that it is trained
    with trainer_lock(tmp_path, "run"), pytest.raises(LabError, match="just starting"):
        STEPS[step](tmp_path)


def test_another_run_can_be_changed_beside_a_training(tmp_path: Path) -> None:
    make_run(tmp_path)
    make_run(tmp_path, "busy", "running", pid=os.getpid(), pid_started=process_started(os.getpid()))
    with trainer_lock(tmp_path):
        runs.rename(tmp_path, "run", "other")
    assert names(tmp_path) == ["busy", "other"]


LEFT = (".pruned.json",)
KILL = """
import os, signal, sys
from pathlib import Path
from googlenet import runs
left = int(sys.argv[2])
def count(event, arguments):
    global left
    if event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "open") and sys.argv[1] in str(arguments[0]):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
folder = Path(sys.argv[1])
sys.addaudithook(count)
{
    "rename": lambda: runs.rename(folder, "run", "other"),
    "delete": lambda: runs.delete(folder, "run"),
    "prune": lambda: runs.prune(folder, "run"),
    "empty": lambda: runs.empty_trash(folder),
}[sys.argv[3]]()
"""


@pytest.mark.parametrize("step", ["rename", "delete", "prune", "empty"])
def test_a_kill_between_two_steps_loses_nothing(tmp_path: Path, step: str) -> None:
    for kill_at in range(60):
        folder = tmp_path / str(kill_at)
        run = make_run(folder)
        whole = {path.name: path.read_bytes() for path in run.path.iterdir()}
        if step == "empty":
            runs.delete(folder, "run")
        command = [sys.executable, "-c", KILL, str(folder), str(kill_at), step]
        code = subprocess.run(command, cwd=ROOT, env=environment(), timeout=60).returncode
        assert code in (0, -signal.SIGKILL)
        found = list_runs(folder)
        trashed = [gone.path for gone in runs.list_deleted(folder)]
        for place in [run.path for run in found] + trashed:
            kept = {path.name: path.read_bytes() for path in place.iterdir() if path.name not in LEFT}
            missing = set() if step != "prune" else {"epoch-0001.safetensors", "epoch-0002.safetensors"}
            assert {name for name in kept if not name.endswith(".tmp")} <= whole.keys()
            assert whole.keys() - kept.keys() <= missing
            if step == "prune":  # whoever looks sees all of them or none, and the next prune erases what is left
                seen = {path.name for path in Run(folder, "run").weights()} & missing
                listed = {f"{item.name}.safetensors" for item in list_checkpoints(folder) if "epoch" in item.name}
                assert seen in (set(), missing)
                assert {name.removeprefix("run/") for name in listed} in (set(), seen)
                runs.prune(folder, "run")
                assert {
                    path.name for path in run.path.iterdir() if not path.name.endswith(".tmp")
                } == whole.keys() - missing
        if step == "empty":
            runs.empty_trash(folder)  # the rest, after a kill
            assert runs.trash_size(folder) == 0
        else:
            assert len(found) + len(trashed) == 1
        if code == 0:
            assert kill_at > 0
            return
    pytest.fail("it never came to its end")


def test_a_list_of_pruned_files_erases_nothing_that_a_prune_would_not(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    everything = [path.name for path in run.path.iterdir()]
    outside = tmp_path / "other.safetensors"
    outside.write_bytes(b"weights")
    (run.path / PRUNED).write_text(json.dumps([*everything, "../other.safetensors", 5, None]))
    assert not pruned(run.path) & {"best.safetensors", "last.safetensors"}  # nor are these hidden by it
    runs.prune(tmp_path, "run")
    gone = {"epoch-0001.safetensors", "epoch-0002.safetensors", "resume.pt"}
    assert {path.name for path in run.path.iterdir()} == set(everything) - gone
    assert outside.exists()
    (run.path / PRUNED).write_bytes(b"\xff[[{")
    assert len(run.weights()) == 2
    runs.prune(tmp_path, "run")
    assert not (run.path / PRUNED).exists()


def test_a_finished_run_whose_pruned_files_are_not_erased_yet_cannot_go_on(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    runs.ask(tmp_path, "run", "epochs", 5)
    assert runs.can_resume(run, run.status())
    (run.path / PRUNED).write_text('["resume.pt"]')
    assert not runs.can_resume(run, run.status())


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path)

    def lab(*words: str) -> str:
        assert main(["runs", *words, "--checkpoints", str(tmp_path)]) == 0
        return capsys.readouterr().out

    lab("note", "run", "a good one")
    lab("rename", "run", "other")
    header, row = lab("--csv").splitlines()
    assert dict(zip(header.split(","), row.split(","), strict=True)) | {"size": ""} == {
        "run": "other",
        "state": "finished",
        "network": preset("cifar10").name,
        "recipe": "default",
        "best": "0.75",
        "epochs": "2",
        "planned": "2",
        "seconds": "60.0",
        "size": "",
        "note": "a good one",
    }
    lab("prune", "other", "--resume-files")
    assert "undelete" in lab("delete", "other")
    lab("undelete")
    lab("delete", "other")
    assert main(["runs", "empty-trash", "--checkpoints", str(tmp_path)]) == 2
    lab("empty-trash", "--yes")
    assert main(["runs", "rename", "other", "--checkpoints", str(tmp_path)]) == 2
    assert runs.trash_size(tmp_path) == 0
