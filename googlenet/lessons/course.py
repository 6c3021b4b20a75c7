"""The lessons: nine things to predict about Inception modules, from one concatenation to the whole network.

`pose(number, seed)` makes an exercise. Seed 0 has the paper's or the note's own numbers, other seeds draw new ones; the
answer, the worked solution and the typical slips are computed from the profile each time. No torch is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from googlenet.errors import check_choice, check_whole
from googlenet.lessons import module as module_lessons
from googlenet.lessons import network as network_lessons
from googlenet.lessons.exercise import Exercise

MAX_SEED = 2**31 - 1
_MAKERS: tuple[Callable[[Random | None], Exercise], ...] = (
    module_lessons.concatenation,
    module_lessons.one_by_one,
    module_lessons.padding,
    module_lessons.forgotten_stride,
    module_lessons.naive_growth,
    module_lessons.reduced_cost,
    network_lessons.wrong_line,
    network_lessons.two_3x3,
    network_lessons.small_images,
)
LESSONS = len(_MAKERS)


def pose(number: int, seed: int = 0) -> Exercise:
    """Exercise `number` (from 0) with the numbers of `seed`; `LabError` for one that is not there."""
    make = _MAKERS[check_whole(number, "lesson", 0, LESSONS - 1)]
    seed = check_whole(seed, "seed", 0, MAX_SEED)
    return make(Random(f"{make.__name__} {seed}") if seed else None)


def pose_drawn(key: str, draw: Random | None) -> Exercise:
    """The exercise of that key with the numbers that `draw` gives, the paper's or the note's own where it is None."""
    return _MAKERS[KEYS.index(check_choice(key, "lesson", KEYS))](draw)


def next_seed(number: int, seed: int) -> int:
    """The seed after `seed` that changes the numbers of exercise `number`, and its answer too unless it is a choice."""
    before = pose(number, seed)
    while True:
        seed = (seed + 1) % MAX_SEED
        after = pose(number, seed)
        if after.answer != before.answer or (after.choices and after != before):
            return seed


KEYS = tuple(pose(number).key for number in range(LESSONS))
TITLES = tuple(pose(number).title for number in range(LESSONS))  # English, to be shown with `tr`
