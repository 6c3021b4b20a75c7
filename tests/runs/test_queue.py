"""The queue on disk: one order for everybody, nothing lost or doubled by a kill between two steps, no byte trusted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from trainings import environment, training

from googlenet.errors import LabError
from googlenet.language import speaking
from googlenet.runs import Run, queue
from googlenet.runs.owner import read_owner
from googlenet.runs.queue import entry as parts
from googlenet.runs.queue import operations

OWNER = "c" * 32


def names(folder: Path) -> list[str]:
    return [one.name for one in queue.read_queue(folder).entries]


def fill(folder: Path, *runs: str, owner: str = "") -> list[queue.Entry]:
    return [queue.add(folder, [training(run, "shapes")], by="page", owner=owner)[0] for run in runs]


def test_an_entry_waits_moves_and_becomes_a_run(tmp_path: Path) -> None:
    assert queue.read_queue(tmp_path) == queue.Queue()
    assert not (tmp_path / ".queue").exists()  # a look writes nothing
    first, second, third = fill(tmp_path, "first", "second", "third")
    assert names(tmp_path) == ["first", "second", "third"]
    assert first.facts.by == "page"
    for name, where, order in (
        ("third", "up", "first third second"),
        ("third", "first", "third first second"),
        (third.id, "down", "first third second"),
        ("first", "up", "first third second"),
        ("second", "down", "first third second"),
    ):
        queue.move(tmp_path, name, where)
        assert names(tmp_path) == order.split()
    queue.pause(tmp_path, True)
    with pytest.raises(LabError, match="The queue is paused"):
        queue.take(tmp_path, first.id)
    queue.pause(tmp_path, False)
    run = queue.take(tmp_path, third.id)
    assert names(tmp_path) == ["first", "second"]
    assert run.config() == third.config
    assert run.status().state == "interrupted"  # until its trainer has said a word
    assert "resume starts it" in run.status().message
    assert queue.cancel(tmp_path, "first").name == "first"
    assert names(tmp_path) == ["second"]
    for step in (queue.take, queue.cancel):
        with pytest.raises(LabError, match="No 'first' waits in the queue, where now is: second"):
            step(tmp_path, "first")
    fill(tmp_path, "fourth")
    assert names(tmp_path) == ["second", "fourth"]  # at the end, also after order.json was written
    assert second.id < queue.read_queue(tmp_path).entries[1].id


def test_a_sweep_is_added_whole_or_not_at_all_and_keeps_its_group_and_owner(tmp_path: Path) -> None:
    sweep = [training(f"sweep-s{seed}", "shapes", seed=seed) for seed in range(3)]
    added = queue.add(tmp_path, sweep, group="sweep", owner=OWNER, seconds=[60.0, None, None])
    assert [one.facts.seconds for one in queue.read_queue(tmp_path).entries] == [60.0, None, None]
    assert {one.owner for one in queue.read_queue(tmp_path).entries} == {OWNER}
    for taken in ("sweep-s1", "new-run"):
        Run(tmp_path, "new-run").path.mkdir(exist_ok=True)
        with pytest.raises(LabError, match=f"called {taken}") as caught:
            queue.add(tmp_path, [training("other", "shapes"), training(taken, "shapes")])
        assert caught.value.field == "run"
    assert names(tmp_path) == ["sweep-s0", "sweep-s1", "sweep-s2"]
    run = queue.take(tmp_path, added[0].id)
    assert queue.group_of(run.path) == "sweep"
    assert read_owner(run.path) == OWNER
    with pytest.raises(LabError, match="500 are the most"):
        queue.add(tmp_path, [training(f"x{number}", "shapes") for number in range(499)])


def test_among_their_own_alone(tmp_path: Path) -> None:
    ids = {one.name: one.id for one in fill(tmp_path, "a1", "b1", "a2", "b2", "a3")}
    mine = {known for name, known in ids.items() if name.startswith("a")}
    queue.move(tmp_path, "a3", "first", among=mine)
    assert names(tmp_path) == ["a3", "b1", "a1", "b2", "a2"]
    queue.move(tmp_path, "a1", "down", among=mine)
    assert names(tmp_path) == ["a3", "b1", "a2", "b2", "a1"]


def damage(folder: Path, what: str) -> None:
    inside = folder / ".queue"
    entry = next(path for path in sorted(inside.iterdir()) if path.is_dir())
    if what == "config":
        (entry / "config.json").write_bytes(b"\xff{")
    elif what == "name":
        config = json.loads((entry / "config.json").read_text())
        (entry / "config.json").write_text(json.dumps({**config, "run": "../x"}))
    elif what == "facts":
        (entry / "queued.json").write_text('{"asked": "x", "by": 3, "group": "../x", "seconds": -1}')
    elif what == "order":
        (inside / "order.json").write_text('{"a": [[[')
    elif what == "order-of-anything":
        (inside / "order.json").write_text(json.dumps([3, None, "../x", entry.name, entry.name]))
    elif what == "foreign":
        (inside / "notes.txt").write_text("x")
    elif what == "link":
        entry.rename(folder / "elsewhere")
        entry.symlink_to(folder / "elsewhere")
    elif what == "taken":
        Run(folder, "first").create(training("first", "shapes"))
    elif what == "empty":
        for path in entry.iterdir():
            path.unlink()
    elif what == "file":
        (inside / "1795991657663-187871cc-000").write_text("x")


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("config", "This entry cannot be read, and can only be cancelled: its config.json is no text"),
        ("name", "This entry cannot be read, and can only be cancelled: A run name is"),
        ("facts", ""),
        ("order", "order.json of the queue cannot be read, so entries stand as they came"),
        ("order-of-anything", ""),
        ("foreign", "'notes.txt' in .queue is no entry of the queue: remove it."),
        ("link", "This entry cannot be read, and can only be cancelled: it is a link."),
        ("taken", "There is already a run called first: cancel this entry, or rename that run."),
        ("empty", "This entry cannot be read"),
        ("file", "This entry cannot be read"),
    ],
)
def test_what_cannot_be_read_costs_a_sentence_and_the_rest_works(tmp_path: Path, what: str, says: str) -> None:
    fill(tmp_path, "first", "second")
    damage(tmp_path, what)
    found = queue.read_queue(tmp_path)
    told = [found.problem, *(one.problem for one in found.entries)]
    assert any(sentence.startswith(says) for sentence in told), told
    assert sum(bool(sentence) for sentence in told) == bool(says)
    bad = [one for one in found.entries if one.problem]
    for one in bad:
        with pytest.raises(LabError, match=r"cannot be read|already a run"):
            queue.take(tmp_path, one.id)
    queue.move(tmp_path, "second", "first")
    assert queue.read_queue(tmp_path).entries[0].name == "second"
    for one in bad:
        queue.cancel(tmp_path, one.id)
    assert queue.take(tmp_path, queue.find(queue.read_queue(tmp_path), "second").id).config().run == "second"
    assert [one for one in queue.read_queue(tmp_path).entries if one.problem] == []
    if what == "link":
        assert (tmp_path / "elsewhere" / "config.json").exists()  # the link went, not what it led to


def test_a_damaged_entry_is_explained_to_each_in_their_language(tmp_path: Path) -> None:
    fill(tmp_path, "first")
    damage(tmp_path, "config")
    said = []
    for language in ("ko", "en", "ko"):
        with speaking(language):
            said.append(queue.read_queue(tmp_path).entries[0].problem)
    assert said[0] == said[2] == "읽을 수 없는 항목이라 취소만 할 수 있습니다: config.json이 텍스트가 아닙니다."
    assert said[1].startswith("This entry cannot be read")


def test_a_damaged_entry_stays_its_owners(tmp_path: Path) -> None:
    fill(tmp_path, "first", owner=OWNER)
    damage(tmp_path, "config")
    (entry,) = queue.read_queue(tmp_path).entries
    assert entry.problem
    assert entry.owner == OWNER


def killed_at(number: int, step: Callable[[], Any]) -> bool:
    """Whether a process of its own, killed before its step number `number` on the disk, got so far in `step`."""
    child = os.fork()
    if child == 0:
        count = 0

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal count
            writes = event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.utime", "shutil.rmtree")
            if writes or (event == "open" and arguments[1] not in ("r", "rb") and arguments[2] & os.O_ACCMODE):
                count += 1
                if count == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            step()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


STEPS: dict[str, tuple[Callable[[Path, dict[str, str]], Any], Callable[[Path], bool], Callable[[Path], bool]]] = {
    "add": (
        lambda folder, _: queue.add(folder, [training("c", "shapes"), training("d", "shapes")], owner=OWNER),
        lambda folder: names(folder) == ["a", "b"],
        lambda folder: names(folder) == ["a", "b", "c", "d"],
    ),
    "cancel": (
        lambda folder, _: queue.cancel(folder, "a"),
        lambda folder: names(folder) == ["a", "b"],
        lambda folder: names(folder) == ["b"],
    ),
    "move": (
        lambda folder, _: queue.move(folder, "b", "first"),
        lambda folder: names(folder) == ["a", "b"],
        lambda folder: names(folder) == ["b", "a"],
    ),
    "pause": (
        lambda folder, _: queue.pause(folder, True),
        lambda folder: not queue.read_queue(folder).paused,
        lambda folder: queue.read_queue(folder).paused,
    ),
    "take": (
        lambda folder, ids: queue.take(folder, ids["a"]),
        lambda folder: names(folder) == ["a", "b"] and not Run(folder, "a").exists(),
        lambda folder: names(folder) == ["b"] and Run(folder, "a").config().run == "a",
    ),
}


@pytest.mark.parametrize("what", STEPS)
def test_killed_between_any_two_steps_it_happened_or_did_not(tmp_path: Path, what: str) -> None:
    step, before, after = STEPS[what]
    seen = {False: 0, True: 0}
    for number in range(1, 60):
        folder = tmp_path / f"{number}"
        ids = {one.name: one.id for one in fill(folder, "a", "b")}
        killed = killed_at(number, lambda folder=folder, ids=ids: step(folder, ids))
        done = after(folder)
        assert done != before(folder), f"{what}, killed at step {number}: {names(folder)}"
        seen[done] += 1
        # The next one works, and finds nothing half done.
        fill(folder, "later")
        assert names(folder)[-1] == "later"
        assert len(set(names(folder))) == len(names(folder))
        left = [path.name for path in (folder / ".queue").iterdir() if path.name.startswith((".adding", ".gone"))]
        assert left == []
        if not killed:
            break
    assert not killed
    assert seen[True] >= 1
    assert seen[False] >= 1


def test_two_apps_on_one_folder(tmp_path: Path) -> None:
    """Each adds, moves and cancels what it likes; no operation undoes another's."""
    code = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from trainings import training
from googlenet.runs import queue
folder, who = Path(sys.argv[1]), sys.argv[2]
for number in range(12):
    queue.add(folder, [training(f"{who}{number}", "shapes")])
    queue.move(folder, f"{who}{number}", "first")
    if number % 3 == 0:
        queue.cancel(folder, f"{who}{number}")
"""
    tests = str(Path(__file__).parents[1])
    apps = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path, who, tests], env=environment(), stderr=subprocess.PIPE)
        for who in "xy"
    ]
    for app in apps:
        assert app.communicate(timeout=120)[1] == b""
    kept = [11, 10, 8, 7, 5, 4, 2, 1]
    for who in "xy":
        assert [name for name in names(tmp_path) if name[0] == who] == [f"{who}{number}" for number in kept]
    assert queue.read_queue(tmp_path).problem == ""


def test_a_full_disk_adds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "first")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(operations, "write_atomically", full)
    with pytest.raises(LabError, match=r"The queue cannot be changed .No space left on device.: it is as it was"):
        queue.add(tmp_path, [training("second", "shapes")])
    assert names(tmp_path) == ["first"]
    assert sorted(path.name for path in (tmp_path / parts.QUEUE).iterdir() if path.is_dir()) == [
        queue.read_queue(tmp_path).entries[0].id
    ]
