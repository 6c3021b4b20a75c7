"""Trainings that wait for a device: on disk, in the folder `.queue` of the runs, whoever asked for them."""

from googlenet.runs.queue.entry import Entry, Queue, group_of
from googlenet.runs.queue.operations import MOST, MOVES, add, cancel, move, pause, take
from googlenet.runs.queue.reading import find, is_waiting, read_queue

__all__ = [
    "MOST",
    "MOVES",
    "Entry",
    "Queue",
    "add",
    "cancel",
    "find",
    "group_of",
    "is_waiting",
    "move",
    "pause",
    "read_queue",
    "take",
]
