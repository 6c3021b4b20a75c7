"""The table's quick reading of metrics.csv says what the careful one says, or leaves the file to it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from googlenet.runs import METRICS
from googlenet.runs.metrics import MetricsHistory
from googlenet.runs.overview import _measured, _measured_plainly

HEADER = ",".join(METRICS[:8])  # as earlier versions wrote it: a row has few cells then
FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "runs").glob("*/metrics.csv"))


def row(epoch: object, accuracy: object = 0.5, seconds: object = 1.25) -> str:
    return f"{epoch},0.4,1.5,{accuracy},1.4,0.1,900.5,{seconds}"


def whole(count: int = 6, end: str = "\r\n") -> bytes:
    rows = [row(epoch, round(0.1 + 0.07 * (epoch * 3 % 7), 6), 30.5 + epoch) for epoch in range(count)]
    return "".join(line + end for line in [HEADER, *rows]).encode()


def careful(data: bytes, path: Path) -> tuple[float | None, int, float]:
    path.write_bytes(data)
    rows = MetricsHistory(path).read_on()
    best = max((row["Validation accuracy"] for row in rows if row["Validation accuracy"] is not None), default=None)
    return best, len(rows), sum(row["Seconds"] or 0.0 for row in rows)


def check(data: bytes, path: Path) -> bool:
    """Whether the quick reading dared to answer; where it did, both say the same."""
    quick, slow = _measured_plainly(data), careful(data, path)
    if quick is not None:
        assert quick == (slow[0], slow[1], pytest.approx(slow[2], rel=1e-12)), data
    return quick is not None


def test_a_file_as_trainers_write_it_is_read_quickly(tmp_path: Path) -> None:
    assert all(check(path.read_bytes(), tmp_path / "x.csv") for path in FIXTURES)
    assert check(whole(), tmp_path / "x.csv")
    assert check(whole(end="\n"), tmp_path / "x.csv")
    assert check(f"{HEADER}\n".encode(), tmp_path / "x.csv")
    assert check(f"{HEADER}\n{row(0, '')}\n".encode(), tmp_path / "x.csv")
    more = "," * (len(METRICS) - 8)
    assert check(f"{','.join(METRICS)}\n{row(0)}{more}\n{row(1)}{more}\n".encode(), tmp_path / "x.csv")
    assert not check(f"{','.join(METRICS)}\n{row(0)}{more},\n".encode(), tmp_path / "x.csv")


CELLS = [
    "nan",
    "inf",
    "-inf",
    "-0.0",
    "-1",
    "1.0000001",
    "1e-3",
    "1e400",
    "1_0",
    "0_1.5",
    "+0.5",
    "0x1",
    '"0.5"',
    "0.5f",
]
CELLS += ["1,2", "٣", "1e309", "True", "None", "--"]
CELLS += ["", " ", " 0.5 ", "0.5\x0b", "\x00", "0.1234567890123456789", "9" * 400]


@pytest.mark.parametrize("cell", CELLS)
def test_an_odd_cell_is_read_alike(tmp_path: Path, cell: str) -> None:
    for line in (row(1, cell), row(1, 0.5, cell), row(cell), row(f"{cell}1"), f"1,{cell},1,0.5,1,1,1,1"):
        check(f"{HEADER}\n{row(0)}\n{line}\n{row(2)}\n".encode(), tmp_path / "x.csv")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data[:10],
        lambda data: b"",
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data + data,
        lambda data: data + b"\n\n" + data.splitlines()[-1],
        lambda data: data.replace(b"\r\n", b"\r"),
        lambda data: data.replace(b",", b";"),
        lambda data: data.replace(b"\n1,", b"\n100001,"),
        lambda data: b"\n".join(sorted(data.splitlines())) + b"\n",
        lambda data: data.replace(b"Seconds", b"seconds"),
        lambda data: data.replace(b"0.4,1.5", b'"0.4,1.5'),
        lambda data: data.decode().encode("utf-16"),
    ],
)
def test_a_damaged_file_is_read_alike(tmp_path: Path, damage: object) -> None:
    for path in FIXTURES:
        check(damage(path.read_bytes()), tmp_path / "x.csv")
    check(damage(whole()), tmp_path / "x.csv")


def test_random_damage_is_read_alike(tmp_path: Path) -> None:
    chance, quickly = random.Random(0), 0
    for _ in range(300):
        data = bytearray(whole(chance.randrange(1, 5)))
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(HEADER), len(data) + 1)
            data[at : at + chance.randrange(3)] = bytes([chance.choice(b'0159,.-+eE_ \n\r"\x00\xffnai')])
        quickly += check(bytes(data), tmp_path / "x.csv")
    assert quickly > 15  # so that something was compared


def test_the_table_takes_the_careful_reading_of_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(whole() + b"junk\n" + row(6, 0.9).encode() + b"\n")
    assert _measured(path, 1)[:2] == (0.9, 7)
