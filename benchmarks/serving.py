"""What a visitor waits for an answer, alone and among many, and whether the app's memory stays as it is.

    python -m benchmarks.serving [--seconds 10] [--rounds 2] [--clients 1 8 64] [--requests 5000]

Starts the app, the same with a forward pass for each picture, and the least that any Gradio app can be (the same
upload, a function that does nothing), each in a process of its own, and asks them in turns over plain HTTP as the API's
page says: upload a picture, call /classify, read the answer. Each client asks again as soon as it has its answer. What
the empty app answers is the ceiling of any other's throughput. The forward pass alone is timed as well. With
`--requests`, that many pictures of many sizes and kinds follow (one in ten has 12 megapixels), and memory is read on
the way. Clients share the cores with the servers; their processor time is shown. Ends with 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from benchmarks.page import app_arguments, free_port, start

SHIPPED = Path(__file__).resolve().parents[1] / "checkpoints" / "googlenet-cifar10.safetensors"
EMPTY = """
import sys, gradio
with gradio.Blocks() as demo:
    def classify(image: gradio.FileData, checkpoint: str = "") -> dict:
        return {"top": []}
    gradio.api(classify, api_name="classify")
demo.launch(server_port=int(sys.argv[1]), quiet=True, ssr_mode=False)
"""
ONE_BY_ONE = """
import sys
from googlenet.inference import batching
batching.MOST = 1
import app
app.main(sys.argv[1:])
"""
ALONE, MANY, TAIL, FLAT = 1.5, 3.0, 2.0, 100.0  # the goals: ratios, and MB
WARM_UP = 3.0


@dataclass(frozen=True)
class Picture:
    """A file as a visitor sends it."""

    name: str
    content: bytes


@dataclass
class Window:
    """What some clients saw of one server."""

    seconds: list[float] = field(default_factory=list)  # of each answer
    errors: list[str] = field(default_factory=list)
    took: float = 0.0
    app: float = 0.0  # processor time of the server, seconds
    own: float = 0.0  # and of the clients

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        return 1000 * float(np.quantile(self.seconds, share)) if self.seconds else math.nan

    @property
    def throughput(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.took


class Visitor:
    """A client with one kept connection, and as little processor time as a client can do with."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, picture: Picture) -> dict[str, object]:
        """Upload `picture`, ask for its classes, and wait for them."""
        edge = "---------------------------boundary"
        part = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="{picture.name}"\r\n'
        body = part.encode() + b"Content-Type: image/*\r\n\r\n" + picture.content + f"\r\n--{edge}--\r\n".encode()
        (path,) = json.loads(await self._send("upload", body, f"multipart/form-data; boundary={edge}"))
        data = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}, ""]}
        called = json.loads(await self._send("call/classify", json.dumps(data).encode(), "application/json"))
        events = (await self._send(f"call/classify/{called['event_id']}")).decode().split("\n\n")
        kind, _, said = next(event for event in events if "heartbeat" not in event).partition("\n")
        if kind != "event: complete":
            raise ValueError(said)
        return json.loads(said.removeprefix("data: "))[0]

    async def _send(self, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        method = "GET" if body is None else "POST"
        head = f"{method} /gradio_api/{path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
        if body is not None:
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}\r\n".encode() + (body or b""))
        answered = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        if "content-length:" in answered:
            content = await reader.readexactly(int(answered.split("content-length:")[1].split("\r\n")[0]))
        else:  # in chunks
            chunks = []
            while size := int(await reader.readline(), 16):
                chunks.append(await reader.readexactly(size))
                await reader.readline()
            await reader.readline()
            content = b"".join(chunks)
        if not answered.startswith("http/1.1 200"):
            raise ValueError(f"{answered.splitlines()[0]}: {content.decode()[:200]}")
        return content

    def leave(self) -> None:
        """Hang up."""
        if self.streams:
            self.streams[1].close()
            self.streams = None


async def visit(port: int, clients: int, pictures: Iterator[Picture], until: float, window: Window) -> None:
    """Let `clients` ask again and again until the clock says `until`, or no picture is left."""

    async def visitor() -> None:
        me = Visitor(port)
        while time.monotonic() < until and (picture := next(pictures, None)):
            begun = time.perf_counter()
            try:
                await me.ask(picture)
                window.seconds.append(time.perf_counter() - begun)
            except (OSError, ValueError, LookupError, asyncio.IncompleteReadError) as error:
                window.errors.append(f"{type(error).__name__}: {error}")
                me.leave()
        me.leave()

    await asyncio.gather(*(visitor() for _ in range(clients)))


def measure(process: psutil.Process, port: int, clients: int, pictures: Iterable[Picture], seconds: float) -> Window:
    """What `clients` see for `seconds`."""
    window = Window()
    app, own, begun = processor_seconds(process), time.process_time(), time.monotonic()
    asyncio.run(visit(port, clients, iter(pictures), begun + seconds, window))
    window.took = time.monotonic() - begun
    window.app, window.own = processor_seconds(process) - app, time.process_time() - own
    return window


def processor_seconds(process: psutil.Process) -> float:
    """User and system time."""
    times = process.cpu_times()
    return times.user + times.system


def megabytes(process: psutil.Process) -> float:
    """Memory that is in use: the resident set."""
    return process.memory_info().rss / 2**20


def drawn(width: int, height: int, kind: str) -> Picture:
    """A soft picture with a little noise, as large in a file as a photograph is."""
    x, y = np.linspace(0, 9, width)[None], np.linspace(0, 7, height)[:, None]
    waves = np.stack([np.sin(x + y), np.sin(2 * x - y), np.cos(x * y / 5)], -1)
    noise = np.random.default_rng(width).normal(0, 4, waves.shape)
    pixels = np.clip(128 + 90 * waves + noise, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels if kind != "PNG" else pixels // 8 * 8).save(file, kind)
    return Picture(f"{width}.{kind.lower()}", file.getvalue())


def mixture() -> list[Picture]:
    """Ten of each kind: from 32 pixels to 12 megapixels."""
    sides = (32, 100, 240, 333, 500, 640, 800, 1024, 1600, 4000)
    return [drawn(side, side * 3 // 4, kind) for side in sides for kind in ("JPEG", "PNG", "WEBP")]


def forward_milliseconds(count: int = 15) -> float:
    """The median of a forward pass of one picture as the app makes it."""
    import torch

    from googlenet.inference.classifier import load_classifier

    torch.set_num_threads(1)  # as googlenet/inference/batching.py does
    classifier, times = load_classifier(SHIPPED), []
    pixels = torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8)
    for _ in range(count):
        begun = time.perf_counter()
        classifier.logits(pixels)
        times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times)


def verdict(name: str, value: float, goal: float, unit: str = "", *, least: bool = False) -> bool:
    """Print whether a goal is met."""
    met = value >= goal if least else value <= goal
    print(f"  {name}: {value:,.2f}{unit}, goal {'≥' if least else '≤'} {goal:g}{unit}: {'met' if met else 'MISSED'}")
    return met


def compare(servers: dict[str, tuple[psutil.Process, int]], options: argparse.Namespace) -> bool:
    """All servers in turns, a table and the verdicts."""
    picture = drawn(500, 375, "JPEG")
    windows: dict[tuple[str, int], list[Window]] = {}
    forward = []
    for process, port in servers.values():
        measure(process, port, max(options.clients), itertools.repeat(picture), WARM_UP)
    memory = megabytes(servers["lab"][0])
    for _, clients in itertools.product(range(options.rounds), options.clients):
        forward.append(forward_milliseconds())
        for name, (process, port) in servers.items():
            window = measure(process, port, clients, itertools.repeat(picture), options.seconds)
            windows.setdefault((name, clients), []).append(window)
    print(
        f"forward pass of one picture: {statistics.median(forward):.1f} ms ({min(forward):.1f} to {max(forward):.1f})"
    )
    print("clients   server       p50, ms   p95, ms   answers/s   errors   server's core   clients' core")
    middle: dict[tuple[str, int], tuple[float, float, float]] = {}
    errors = 0
    for clients, name in itertools.product(options.clients, servers):
        mine = windows[name, clients]
        p50, p95 = (statistics.median(window.percentile(share) for window in mine) for share in (0.5, 0.95))
        speed = statistics.median(window.throughput for window in mine)
        wrong = sum(len(window.errors) for window in mine)
        app, own = (sum(getattr(w, part) for w in mine) / sum(w.took for w in mine) for part in ("app", "own"))
        print(
            f"{clients:7}   {name:10}   {p50:7.0f}   {p95:7.0f}   {speed:9.1f}   {wrong:6}   {app:13.0%}   {own:13.0%}"
        )
        for said in sorted({error for window in mine for error in window.errors})[:3]:
            print(f"          {said[:150]}")
        middle[name, clients], errors = (p50, p95, speed), errors + wrong
    print(f"memory of the app: {memory:,.0f} MB after the first answers, {megabytes(servers['lab'][0]):,.0f} MB now")
    few, many = min(options.clients), max(options.clients)
    floor = middle["empty", few][0] + statistics.median(forward)
    lab, empty, single = (middle[name, many][2] for name in ("lab", "empty", "one by one"))
    print(f"{many} clients: {lab / single:.2f} times the answers of one pass a picture ({single:.1f} a second); the")
    print(
        f"ceiling, an empty endpoint's {empty:.1f} a second, is {empty / middle['lab', few][2]:.2f} times what", end=" "
    )
    print(f"{few} client gets of the lab; the lab reaches {lab / empty:.0%} of it")
    met = [
        verdict(f"{few} client, p50 over empty endpoint + forward pass", middle["lab", few][0] / floor, ALONE),
        verdict(
            f"{many} clients, throughput over {few}'s", middle["lab", many][2] / middle["lab", few][2], MANY, least=True
        ),
        verdict(f"{many} clients, p95 over p50", middle["lab", many][1] / middle["lab", many][0], TAIL),
        verdict("errors", errors, 0),
    ]
    return all(met)


def endure(process: psutil.Process, port: int, requests: int) -> bool:
    """Many pictures of many sizes by 8 clients: memory on the way, and the verdict."""
    pictures = itertools.cycle(mixture())
    readings, errors, begun = [], 0, time.monotonic()
    # The first tenth is warming up: what the largest picture takes is kept and used again.
    for _ in range(10):
        window = measure(process, port, 8, itertools.islice(pictures, requests // 10), math.inf)
        readings.append(megabytes(process))
        errors += len(window.errors)
    took = time.monotonic() - begun
    print(f"{requests:,} pictures of many sizes and kinds in {took:,.0f} s, {errors} errors; MB after each tenth:")
    print("  " + " ".join(f"{reading:,.0f}" for reading in readings))
    return verdict("memory after the first tenth, most − least", max(readings) - min(readings), FLAT, " MB")


def main() -> int:
    """Start the servers, ask, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="a window")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--requests", type=int, default=0, help="of many sizes, to watch the memory")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.2f} at the start{': other work will blur this' if load > 0.5 else ''}")
    with tempfile.TemporaryDirectory() as directory:
        os.environ["GRADIO_TEMP_DIR"] = directory
        ports = {name: free_port() for name in ("empty", "lab", "one by one")}
        single = app_arguments(ports["one by one"], f"{directory}/checkpoints")
        arguments = {
            "empty": ["-c", EMPTY, str(ports["empty"])],
            "lab": app_arguments(ports["lab"], f"{directory}/checkpoints"),
            "one by one": ["-c", ONE_BY_ONE, *single[1:]],
        }
        started = {name: start(arguments[name], port) for name, port in ports.items()}
        try:
            servers = {name: (psutil.Process(process.pid), ports[name]) for name, process in started.items()}
            met = compare(servers, options)
            if options.requests:
                met &= endure(*servers["lab"], options.requests)
        finally:
            for process in started.values():
                process.kill()
                process.wait()
    print(f"load {os.getloadavg()[0]:.2f} at the end")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
