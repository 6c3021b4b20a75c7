"""CIFAR-10 from a server on this machine that serves a small archive in its format."""

import hashlib
import http.server
import io
import multiprocessing
import pickle
import socket
import tarfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10

from googlenet.data.cifar import CLASSES
from googlenet.data.datasets import ImageSet, load_images
from googlenet.errors import LabError

PER_BATCH = 20
BATCHES = ["data_batch_1", "data_batch_2", "test_batch"]


class Server(http.server.ThreadingHTTPServer):
    """Serves `archive` at any path, in the way that a test sets."""

    archive = b""
    status = 200
    promised = None  # bytes that the header announces, if not those that follow
    requests = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.may_finish = threading.Event()  # the second half of an answer waits for it
        self.may_finish.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/cifar.tar.gz"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests += 1
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(self.server.promised or len(self.server.archive)))
        self.end_headers()
        half = len(self.server.archive) // 2
        self.wfile.write(self.server.archive[:half])
        self.server.may_finish.wait(60)
        self.wfile.write(self.server.archive[half:])

    def log_message(self, *args):
        pass


def _batch(seed: int) -> dict:
    numbers = np.random.default_rng(seed)
    pixels = numbers.integers(0, 256, (PER_BATCH, 3072), dtype=np.uint8)
    return {"data": pixels, "labels": [index % 10 for index in range(PER_BATCH)]}


def _make_archive() -> tuple[bytes, dict]:
    """A small archive in CIFAR-10's format, and the class attributes of `CIFAR10` that describe it."""
    members = {name: pickle.dumps(_batch(seed)) for seed, name in enumerate(BATCHES)}
    members["batches.meta"] = pickle.dumps({"label_names": list(CLASSES)})
    sums = {name: hashlib.md5(content).hexdigest() for name, content in members.items()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    content = packed.getvalue()
    return content, {
        "tgz_md5": hashlib.md5(content).hexdigest(),
        "train_list": [[name, sums[name]] for name in BATCHES[:2]],
        "test_list": [[BATCHES[2], sums[BATCHES[2]]]],
        "meta": {"filename": "batches.meta", "key": "label_names", "md5": sums["batches.meta"]},
    }


@pytest.fixture
def described(monkeypatch):
    """What is patched is data only: the address, the MD5 sums and the names of the batches."""
    archive, description = _make_archive()
    for key, value in description.items():
        monkeypatch.setattr(CIFAR10, key, value)
    return archive, description


@pytest.fixture
def server(described, monkeypatch):
    with Server() as server:
        server.archive = described[0]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        monkeypatch.setattr(CIFAR10, "url", server.url)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def offline(described, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: a connection is refused
        monkeypatch.setattr(CIFAR10, "url", f"http://127.0.0.1:{unused.getsockname()[1]}/")
        yield


def _check(images: ImageSet) -> None:
    assert (images.name, images.source, images.synthetic) == ("CIFAR-10", "cifar10", False)
    assert images.classes == CLASSES
    assert images.train.labels.tolist() == [*range(10)] * 4
    assert images.test.labels.tolist() == [*range(10)] * 2
    expected = np.concatenate([_batch(0)["data"], _batch(1)["data"]]).reshape(-1, 3, 32, 32)
    assert torch.equal(images.train.images, torch.from_numpy(expected))
    assert images.train.images.is_contiguous()
    assert images.train.labels.dtype == torch.int64


def _refusal(data_dir: Path) -> str:
    start = time.perf_counter()
    with pytest.raises(LabError) as caught:
        load_images("cifar10", data_dir)
    assert time.perf_counter() - start < 5
    message = str(caught.value)
    assert caught.value.field == "data"
    assert message.startswith("CIFAR-10 could not be downloaded (")
    assert f"put cifar-10-python.tar.gz into {str(data_dir)!r}, or choose the synthetic shapes." in message
    assert "\n" not in message
    return message


def test_the_published_sums_are_torchvisions():
    assert CIFAR10.tgz_md5 == "c58f30108f718f92721af3b95e74349a"
    assert len(CIFAR10.train_list) == 5


def test_a_download_reports_progress_and_leaves_no_scraps(server, tmp_path):
    heard = []
    _check(load_images("cifar10", tmp_path / "data", lambda share, sentence: heard.append((share, sentence))))
    shares = [share for share, _ in heard]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert any(sentence.startswith("Downloading CIFAR-10: ") and share > 0 for share, sentence in heard)
    assert not list(tmp_path.rglob("*.part"))


def test_a_second_start_reads_the_cache(server, tmp_path):
    load_images("cifar10", tmp_path)
    for path in (tmp_path / "cifar-10-batches-py").iterdir():
        path.unlink()
    (tmp_path / CIFAR10.filename).unlink()
    _check(load_images("cifar10", tmp_path))
    assert server.requests == 1


def test_an_archive_put_by_hand_needs_no_network(offline, described, tmp_path):
    (tmp_path / CIFAR10.filename).write_bytes(described[0])
    _check(load_images("cifar10", tmp_path))


def test_without_a_network_one_sentence_says_what_to_do(offline, tmp_path):
    assert "Connection refused" in _refusal(tmp_path)


def test_a_refusing_server_is_told(server, tmp_path):
    server.status = 403
    assert "Forbidden" in _refusal(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "altered", "empty", "a page instead"])
def test_a_bad_download_is_told_and_does_not_poison_the_next(server, tmp_path, damage):
    whole = server.archive
    if damage == "cut":
        server.promised = len(whole)
    server.archive = {
        "cut": whole[: len(whole) // 2],
        "altered": whole[:-9] + b"x" + whole[-8:],
        "empty": b"",
        "a page instead": b"<html>Please log in</html>",
    }[damage]
    assert "incomplete or altered" in _refusal(tmp_path)
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob("*.gz"))
    server.archive, server.promised = whole, None
    _check(load_images("cifar10", tmp_path))


def test_scraps_of_a_killed_process_are_replaced(server, described, tmp_path):
    (tmp_path / CIFAR10.filename).write_bytes(described[0][:1000])
    (tmp_path / f"{CIFAR10.filename}.part").write_bytes(b"half")
    (tmp_path / f"{CIFAR10.filename}.lock").touch()
    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-batches-py" / BATCHES[0]).write_bytes(b"half")
    _check(load_images("cifar10", tmp_path))


def test_a_corrupted_batch_is_unpacked_again(server, tmp_path):
    load_images("cifar10", tmp_path)
    next((tmp_path / "cache").iterdir()).write_bytes(b"broken too")
    (tmp_path / "cifar-10-batches-py" / BATCHES[1]).write_bytes(b"cos\nsystem\n(S'exit'\ntR.")
    _check(load_images("cifar10", tmp_path))
    assert server.requests == 1


def test_a_data_folder_that_cannot_be_made_is_told(server, tmp_path):
    (tmp_path / "file").touch()
    _refusal(tmp_path / "file" / "data")


def _load_in_a_process(url: str, description: dict, data_dir: Path, name: str, told) -> None:
    for key, value in {**description, "url": url}.items():
        setattr(CIFAR10, key, value)
    images = load_images("cifar10", data_dir, lambda share, sentence: told.put((name, sentence)))
    told.put((name, int(images.train.images.sum())))


def test_of_two_processes_the_second_waits(server, described, tmp_path):
    server.may_finish.clear()
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    first, second = (
        context.Process(target=_load_in_a_process, args=(server.url, described[1], tmp_path, name, told))
        for name in ("first", "second")
    )
    first.start()
    _listen(told, "first", "Downloading CIFAR-10")
    second.start()
    _listen(told, "second", "Waiting for another process")
    server.may_finish.set()
    sums = dict(_listen(told, name, "") for name in ("", ""))
    for process in (first, second):
        process.join(30)
        assert process.exitcode == 0
    expected = sum(int(_batch(seed)["data"].sum()) for seed in (0, 1))
    assert sums == {"first": expected, "second": expected}
    assert server.requests == 1


def _listen(told, name: str, start: str) -> tuple[str, str | int]:
    """The next message of `name` that begins with `start`; the next result when both are empty."""
    while True:
        who, message = told.get(timeout=60)
        wanted = isinstance(message, int) if not start else who == name and str(message).startswith(start)
        if wanted:
            return who, message
