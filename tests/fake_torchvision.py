"""torchvision's GoogLeNet with random weights, and a server that gives them out as torchvision's would."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import torch
import torchvision
from torch import nn


def network(seed: int = 0) -> nn.Module:
    """With auxiliary heads, as in the published file, and with weights and statistics that are not the initial ones."""
    torch.manual_seed(seed)
    model = torchvision.models.googlenet(weights=None, aux_logits=True, transform_input=True, init_weights=False)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
                module.bias.normal_()
        model.fc.weight.mul_(20)  # answers that differ from class to class
    return model.eval()


def as_file(model: nn.Module) -> bytes:
    """Its state_dict as torch saves it."""
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    return buffer.getvalue()


@dataclass
class Server:
    """Gives `content` out at `url`; after `cut` bytes it hangs up, after `pause` bytes it waits for `go`."""

    content: bytes
    url: str = ""
    cut: int | None = None
    pause: int | None = None
    go: threading.Event = field(default_factory=threading.Event)
    asked: int = 0


@contextmanager
def serving(content: bytes, *, name: str | None = None) -> Iterator[Server]:
    """A server on this machine; the file's name holds its hash, unless another `name` is given."""
    given = Server(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given.asked += 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(given.content)))
            self.end_headers()
            start = 0
            if given.pause is not None:
                self.wfile.write(given.content[: given.pause])
                start = given.pause
                given.go.wait(30)
            with suppress(OSError):  # the other side may have cancelled
                self.wfile.write(given.content[start : given.cut])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    name = name or f"googlenet-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    given.url = f"http://127.0.0.1:{server.server_address[1]}/models/{name}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield given
    finally:
        given.go.set()
        server.shutdown()
        server.server_close()
