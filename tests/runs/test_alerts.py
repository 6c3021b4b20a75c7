"""What a training tells somebody who looks away: each alert where it belongs, and none where it does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from trainings import lab, training, wait_for

from googlenet.runs import Run, Status, alerts, alerts_of, process_started
from googlenet.runs.alerts import Room, Row

RUNNING = Status("running", epoch=40, epochs=100, steps_per_epoch=10)


def rows_of(losses: list[float], held_out: list[float] | None = None, accuracy: float = 0.5) -> list[Row]:
    """Finished epochs with these losses on training images and on those held out."""
    return [
        {
            "Epoch": epoch,
            "Accuracy": accuracy,
            "Loss": loss,
            "Validation accuracy": accuracy if held_out else None,
            "Validation loss": held_out[epoch] if held_out else None,
        }
        for epoch, loss in enumerate(losses)
    ]


def kinds(status: Status, rows: list[Row], **options: object) -> list[str]:
    return [alert.kind for alert in alerts(status, rows, **options)]


def test_a_training_that_goes_well_says_nothing() -> None:
    falling = [2 * 0.97**epoch for epoch in range(40)]
    assert kinds(RUNNING, rows_of(falling, [loss + 0.1 for loss in falling])) == []
    assert kinds(RUNNING, []) == []


def test_overfitting_is_told_with_the_epoch_since_which() -> None:
    held_out = [1 - 0.05 * epoch for epoch in range(11)] + [0.5 + 0.02 * epoch for epoch in range(1, 20)]
    (alert,) = alerts(RUNNING, rows_of([1 - 0.03 * epoch for epoch in range(30)], held_out))
    assert (alert.kind, alert.since) == ("overfitting", 10)
    assert alert.sentence.startswith("Overfitting since epoch 10: the validation loss rose from")
    # It also holds for a run that has ended; a loss that rises on both sides is none.
    assert "overfitting" in kinds(Status("stopped"), rows_of([1 - 0.03 * epoch for epoch in range(30)], held_out))
    assert kinds(Status("stopped"), rows_of(held_out, held_out)) == []


def test_a_plateau_takes_as_many_epochs_as_the_plan_allows() -> None:
    flat = [1.0, 0.5, *[0.3] * 19]
    assert kinds(RUNNING, rows_of(flat)) == []
    (alert,) = alerts(RUNNING, rows_of([*flat, 0.3, 0.3]))
    assert (alert.kind, alert.since) == ("plateau", 2)
    better = rows_of([*flat, 0.3, 0.3])
    better[-1] = {**better[-1], "Accuracy": 0.6}
    assert kinds(RUNNING, better) == []
    assert kinds(Status("finished", epochs=23), rows_of([*flat, 0.3, 0.3])) == ["finished"]


def test_a_rising_loss_diverges_and_a_single_spike_does_not() -> None:
    (alert,) = alerts(RUNNING, rows_of([1.0, 0.5, 1.5, 2.5]))
    assert (alert.kind, alert.since) == ("diverging", 1)
    assert "0.5 after epoch 1 and is 2.5 after epoch 3" in alert.sentence
    assert kinds(RUNNING, rows_of([1.0, 0.014, 0.02, 0.91])) == []  # as in the class note, epoch 899
    assert kinds(RUNNING, rows_of([1.0, 0.014, 0.91, 0.4])) == []  # it recovers
    assert kinds(Status("diverged", message="The loss became nan."), []) == ["diverged"]


def test_a_disk_with_room_for_few_saves_is_nearly_full() -> None:
    assert kinds(RUNNING, [], room=Room(free=10**12, save=10**8)) == []
    (alert,) = alerts(RUNNING, [], Room(free=300_000_000, save=100_000_000))
    assert "300 MB are free, and each save takes 100 MB" in alert.sentence
    assert kinds(Status("finished"), [], room=Room(0, 0)) == ["finished"]


def test_a_trainer_that_says_nothing_for_long_does_not_answer() -> None:
    status = Status("running", heartbeat=1000.0)
    assert kinds(status, [], now=1060.0) == []
    (alert,) = alerts(status, [], now=1000.0 + 7 * 60)
    assert "not said anything for 7 min" in alert.sentence


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")
def test_a_suspended_trainer_says_so_on_the_command_line_too(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        run = Run(tmp_path, "mine")
        run.create(training("mine", "shapes"))
        started = wait_for(lambda: process_started(process.pid))
        run.write_status(Status("running", epochs=3, pid=process.pid, pid_started=started, heartbeat=time.time()))
        assert "silent" not in [alert.kind for alert in alerts_of(run)]
        os.kill(process.pid, signal.SIGSTOP)
        told = wait_for(lambda: next((alert for alert in alerts_of(run) if alert.kind == "silent"), None))
        assert f"process {process.pid} is suspended; kill -CONT {process.pid} lets it go on" in told.sentence
        listed = lab("runs", "--checkpoints", tmp_path, cwd=tmp_path).stdout
        assert listed.startswith("mine  running  0 of 3 epochs done")
        assert told.sentence in listed
        os.kill(process.pid, signal.SIGCONT)
        wait_for(lambda: not [alert for alert in alerts_of(run) if alert.kind == "silent"])
    finally:
        process.kill()
        process.wait()


def test_a_status_is_read_again_once_it_changed(tmp_path: Path) -> None:
    run = Run(tmp_path, "mine")
    run.create(training("mine", "shapes"))
    run.write_status(Status("stopped", epoch=1))
    old = time.time() - 60
    os.utime(run.path / "status.json", (old, old))
    assert run.last_status() is run.last_status()
    run.write_status(Status("stopped", epoch=2))
    assert run.last_status().epoch == 2
    (run.path / "status.json").write_text('{"state": "finished"}')
    assert run.last_status().state == "finished"
    (run.path / "status.json").unlink()
    assert run.last_status().state == "interrupted"
