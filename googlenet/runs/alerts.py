"""What somebody who looks away from a training would want to be told of it: one function for page and command line."""

from __future__ import annotations

import contextlib
import shutil
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from googlenet.language import mark, retell, tr
from googlenet.runs.run import Run
from googlenet.runs.status import Status, is_suspended

SMOOTHED = 3  # epochs whose mean is compared, since single ones scatter
RISE = 1.05  # of the loss on images held out, over its lowest: more is overfitting
DIVERGING = 1.5  # of the loss on training images, over its lowest
PATIENCE, LONG = 10, 0.2  # epochs without progress that make a plateau: at least so many, and this share of the plan
PROGRESS = 0.005  # less of the loss, or of accuracy, is none
SILENT = 90.0  # seconds: a step, a validation or the start of compiled code may take long
SAVES, ROOM = 4, 500_000_000  # the disk is nearly full where fewer saves than this, or fewer bytes, fit
KINDS = {  # in the order of urgency; the words stand in the tab's title
    "silent": mark("not answering"),
    "diverged": mark("diverged"),
    "out_of_memory": mark("out of memory"),
    "failed": mark("failed"),
    "disk": mark("disk nearly full"),
    "diverging": mark("diverging"),
    "overfitting": mark("overfitting"),
    "plateau": mark("plateau"),
    "finished": mark("finished"),
}

Row = Mapping[str, float | None]


@dataclass(frozen=True)
class Alert:
    """`kind` is one of `KINDS`; `since` the epoch, from 0, that the sentence names, where it names one."""

    kind: str
    sentence: str
    since: int | None = None

    @property
    def word(self) -> str:
        """For where there is no room for the sentence."""
        return tr(KINDS[self.kind])


@dataclass(frozen=True)
class Room:
    """Bytes `free` on the disk of a run, and what its next `save` takes."""

    free: int
    save: int


def alerts(status: Status, rows: Sequence[Row], room: Room | None = None, *, now: float | None = None) -> list[Alert]:
    """What is to be told of a run, the most urgent first; `rows` are its finished epochs.

    `now` is in seconds since 1970. Whether the trainer's process is suspended is asked of the system.
    """
    found = [_end(status, rows)]
    if status.active:
        found += [_silent(status, now), _disk(room), _diverging(rows)]
    overfits = _overfitting(rows)
    found.append(overfits)
    if status.active and not overfits:
        found.append(_plateau(status, rows))
    kinds = list(KINDS)
    return sorted((alert for alert in found if alert), key=lambda alert: kinds.index(alert.kind))


def room_for(run: Run) -> Room | None:
    """What the disk of `run` has left; None where it cannot be asked."""
    try:
        free = shutil.disk_usage(run.path).free
    except OSError:
        return None
    save = 0
    for name in ("resume.pt", "last.safetensors"):
        with contextlib.suppress(OSError):
            save += (run.path / name).stat().st_size
    return Room(free, save)


def alerts_of(run: Run) -> list[Alert]:
    """`alerts` of `run` as it is on the disk now."""
    return alerts(run.status(), run.metrics(), room_for(run))


def _end(status: Status, rows: Sequence[Row]) -> Alert | None:
    if status.state in ("failed", "diverged", "out_of_memory"):
        ended = tr("The training ended: {state}.", state=tr(KINDS[status.state]))
        return Alert(status.state, retell(status.message) or ended)
    if status.state != "finished":
        return None
    best = max(_column(rows, "Validation accuracy"), key=lambda point: point[1], default=None)
    epochs = {"done": status.epoch, "all": status.epochs}
    if best is None:
        sentence = tr("Finished: all {all:,} epochs are done.", **epochs)
        if status.epoch < status.epochs:
            sentence = tr("Finished: early stopping ended it after {done:,} of {all:,} epochs.", **epochs)
        return Alert("finished", sentence)
    known = {**epochs, "epoch": best[0], "best": best[1]}
    sentence = tr(
        "Finished: all {all:,} epochs are done; the best validation accuracy is {best:.2%}, after epoch {epoch:,}.",
        **known,
    )
    if status.epoch < status.epochs:
        sentence = tr(
            "Finished: early stopping ended it after {done:,} of {all:,} epochs; the best validation accuracy is "
            "{best:.2%}, after epoch {epoch:,}.",
            **known,
        )
    return Alert("finished", sentence, best[0])


def _silent(status: Status, now: float | None) -> Alert | None:
    if is_suspended(status.pid):
        sentence = tr(
            "The trainer does not answer: its process {pid} is suspended; kill -CONT {pid} lets it go on, from where "
            "it is.",
            pid=status.pid,
        )
        return Alert("silent", sentence)
    quiet = status.silence(now)
    if quiet > SILENT:
        so_long = tr("{n:,.0f} min", n=quiet / 60) if quiet >= 120 else tr("{n:.0f} s", n=quiet)
        sentence = tr("The trainer has not said anything for {time}: look at its log and the machine.", time=so_long)
        return Alert("silent", sentence)
    return None


def _disk(room: Room | None) -> Alert | None:
    if room is None or room.free >= max(ROOM, SAVES * room.save):
        return None
    free, save = room.free / 1e6, room.save / 1e6
    sentence = tr("The disk is nearly full: {free:,.0f} MB are free. Make room, or it fails.", free=free)
    if room.save:
        sentence = tr(
            "The disk is nearly full: {free:,.0f} MB are free, and each save takes {save:,.0f} MB. Make room, or it "
            "fails.",
            free=free,
            save=save,
        )
    return Alert("disk", sentence)


def _diverging(rows: Sequence[Row]) -> Alert | None:
    """Where two epochs in a row are far above the lowest before them, and the second is no recovery."""
    losses = _column(rows, "Loss")
    if len(losses) < 3:
        return None
    epoch, lowest = min(losses[:-2], key=lambda point: point[1])
    (_, before), (last, loss) = losses[-2:]
    if min(before, loss) <= max(DIVERGING * lowest, lowest + 0.1) or loss < 0.95 * before:
        return None
    sentence = tr(
        "It diverges: its training loss was {lowest:.4g} after epoch {epoch:,} and is {loss:.4g} after epoch {last:,}. "
        "A lower learning rate is what helps most often.",
        lowest=lowest,
        epoch=epoch,
        loss=loss,
        last=last,
    )
    return Alert("diverging", sentence, epoch)


def _overfitting(rows: Sequence[Row]) -> Alert | None:
    """Where the loss on images held out has risen while that on training images fell."""
    both = [
        (int(epoch), held_out, train)
        for row in rows
        if (epoch := row["Epoch"]) is not None
        and (held_out := row["Validation loss"]) is not None
        and (train := row["Loss"]) is not None
    ]
    if len(both) < 2 * SMOOTHED:
        return None
    means = [_mean(both[max(0, end - SMOOTHED) : end], 1) for end in range(SMOOTHED, len(both) + 1)]
    lowest = min(range(len(means)), key=means.__getitem__)
    epoch, _, train = min(both[lowest : lowest + SMOOTHED], key=lambda point: point[1])
    if means[-1] <= RISE * means[lowest] or _mean(both[-SMOOTHED:], 2) >= train:
        return None
    sentence = tr(
        "Overfitting since epoch {epoch:,}: the validation loss rose from {lowest:.4g} to {now:.4g} while the training "
        "loss fell.",
        epoch=epoch,
        lowest=means[lowest],
        now=means[-1],
    )
    return Alert("overfitting", sentence, epoch)


def _plateau(status: Status, rows: Sequence[Row]) -> Alert | None:
    """Where neither loss nor accuracy got better for long."""
    long = max(PATIENCE, round(LONG * status.epochs))
    held_out = bool(_column(rows, "Validation loss"))
    losses = _column(rows, "Validation loss" if held_out else "Loss")
    accuracies = _column(rows, "Validation accuracy" if held_out else "Accuracy")
    if len(losses) <= long or len(accuracies) != len(losses):
        return None
    epoch, lowest = min(losses[:-long], key=lambda point: point[1])
    highest = max(y for _, y in accuracies[:-long])
    better = min(y for _, y in losses[-long:]) < (1 - PROGRESS) * lowest
    if better or max(y for _, y in accuracies[-long:]) > highest + PROGRESS:
        return None
    known = {"epoch": epoch, "lowest": lowest}
    sentence = tr(
        "No progress since epoch {epoch:,}: the training loss has not fallen below {lowest:.4g}, nor has accuracy "
        "risen. A falling learning rate may help.",
        **known,
    )
    if held_out:
        sentence = tr(
            "No progress since epoch {epoch:,}: the validation loss has not fallen below {lowest:.4g}, nor has "
            "accuracy risen. A falling learning rate may help.",
            **known,
        )
    return Alert("plateau", sentence, epoch)


def _column(rows: Sequence[Row], name: str) -> list[tuple[int, float]]:
    return [(int(epoch), y) for row in rows if (epoch := row["Epoch"]) is not None and (y := row[name]) is not None]


def _mean(rows: Sequence[tuple[float, ...]], place: int) -> float:
    return statistics.fmean(row[place] for row in rows)
