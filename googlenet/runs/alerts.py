"""What somebody who looks away from a training would want to be told of it: one function for page and command line."""

from __future__ import annotations

import contextlib
import shutil
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    "silent": "not answering",
    "diverged": "diverged",
    "out_of_memory": "out of memory",
    "failed": "failed",
    "disk": "disk nearly full",
    "diverging": "diverging",
    "overfitting": "overfitting",
    "plateau": "plateau",
    "finished": "finished",
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
        return KINDS[self.kind]


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
        return Alert(status.state, status.message or f"The training ended: {KINDS[status.state]}.")
    if status.state != "finished":
        return None
    best = max(_column(rows, "Validation accuracy"), key=lambda point: point[1], default=None)
    reached = f"; the best validation accuracy is {best[1]:.2%}, after epoch {best[0]:,}" if best else ""
    ended = f"all {status.epochs:,} epochs are done"
    if status.epoch < status.epochs:
        ended = f"early stopping ended it after {status.epoch:,} of {status.epochs:,} epochs"
    return Alert("finished", f"Finished: {ended}{reached}.", best[0] if best else None)


def _silent(status: Status, now: float | None) -> Alert | None:
    if is_suspended(status.pid):
        how = f"its process {status.pid} is suspended; kill -CONT {status.pid} lets it go on, from where it is"
        return Alert("silent", f"The trainer does not answer: {how}.")
    quiet = status.silence(now)
    if quiet > SILENT:
        so_long = f"{quiet / 60:,.0f} min" if quiet >= 120 else f"{quiet:.0f} s"
        return Alert("silent", f"The trainer has not said anything for {so_long}: look at its log and the machine.")
    return None


def _disk(room: Room | None) -> Alert | None:
    if room is None or room.free >= max(ROOM, SAVES * room.save):
        return None
    takes = f", and each save takes {room.save / 1e6:,.0f} MB" if room.save else ""
    return Alert("disk", f"The disk is nearly full: {room.free / 1e6:,.0f} MB are free{takes}. Make room, or it fails.")


def _diverging(rows: Sequence[Row]) -> Alert | None:
    """Where two epochs in a row are far above the lowest before them, and the second is no recovery."""
    losses = _column(rows, "Loss")
    if len(losses) < 3:
        return None
    epoch, lowest = min(losses[:-2], key=lambda point: point[1])
    (_, before), (last, loss) = losses[-2:]
    if min(before, loss) <= max(DIVERGING * lowest, lowest + 0.1) or loss < 0.95 * before:
        return None
    words = f"its training loss was {lowest:.4g} after epoch {epoch:,} and is {loss:.4g} after epoch {last:,}"
    return Alert("diverging", f"It diverges: {words}. A lower learning rate is what helps most often.", epoch)


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
    words = f"the validation loss rose from {means[lowest]:.4g} to {means[-1]:.4g} while the training loss fell"
    return Alert("overfitting", f"Overfitting since epoch {epoch:,}: {words}.", epoch)


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
    what = "validation" if held_out else "training"
    words = f"the {what} loss has not fallen below {lowest:.4g}, nor has accuracy risen"
    return Alert("plateau", f"No progress since epoch {epoch:,}: {words}. A falling learning rate may help.", epoch)


def _column(rows: Sequence[Row], name: str) -> list[tuple[int, float]]:
    return [(int(epoch), y) for row in rows if (epoch := row["Epoch"]) is not None and (y := row[name]) is not None]


def _mean(rows: Sequence[tuple[float, ...]], place: int) -> float:
    return statistics.fmean(row[place] for row in rows)
