"""What stands before the page: who may ask, what a browser may do with the answer, which routes are shut.

Three attacks need no hole in the lab itself, only a browser that is led elsewhere meanwhile. A name of the attacker's
that suddenly means 127.0.0.1 makes his page the lab's own origin: a page on loopback answers to loopback's names alone.
A form on another site is sent with the visitor's cookies: whatever changes something must come from the lab's own page.
HTML that slips in with a class or file name would run as the page: its policy runs no script but those sent with it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from googlenet.language import mark, tr
from googlenet.ui.events.access import is_loopback
from googlenet.ui.events.spared import unwatched
from googlenet.ui.spoken import in_language

SAFE = ("GET", "HEAD", "OPTIONS")
# Routes of Gradio's that the lab has no use for: they fetch from other hosts, cut videos, edit the app, count visitors.
SHUT = re.compile(
    r"/(monitoring|svelte/|gradio_api/(proxy=|process_recording|(undo-)?vibe-|dev/|custom_component/|file=/*https?:))",
    re.I,
)
FILES = re.compile(r"/(gradio_api/(file[=/]|stream/)|download/)")  # what somebody sent, to be taken for no page
NOT_HERE = mark("There is nothing here.")
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
INLINE = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.S)


@dataclass(frozen=True)
class Doors:
    """`local`: only this machine's names are answered to. `framing`: the sites that may show the page inside theirs.

    `harmless`: nothing can be changed or learned that is not for all, so pages of other sites may ask too.
    """

    local: bool = True
    framing: tuple[str, ...] = ()
    harmless: bool = False


class Guard:
    """ASGI middleware: refuses what `Doors` keep out, and adds the headers that keep a browser from being used."""

    def __init__(self, app: ASGIApp, doors: Doors, script: str = "") -> None:
        """`script` is what Gradio adds to the page once that has come up (`launch(head=…)`)."""
        self.app, self.doors, self.known = app, doors, [script.encode()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        path = str(scope["path"]).removeprefix(scope.get("root_path", ""))
        if why := self._refusal(Headers(scope=scope), scope.get("method", "POST"), path):
            refused = PlainTextResponse(tr(why), status_code=404 if why == NOT_HERE else 403)
            await refused(scope, receive, self._with_headers(send, files=False))
            return
        await self.app(scope, receive, self._with_headers(send, files=bool(FILES.match(path))))

    def _refusal(self, headers: Headers, method: str, path: str) -> str:
        host = headers.get("host", "")
        if self.doors.local and not is_loopback(_name(host)):
            return tr(
                "This lab answers on its own machine only, and not as {host}: open it as 127.0.0.1 or localhost, or "
                "start it with --host for others.",
                host=host[:80],
            )
        if SHUT.match(unquote(path)):
            return NOT_HERE
        if not self.doors.harmless and method not in SAFE and _from_elsewhere(headers, host):
            return tr("This was sent by a page of another site: open the lab itself and ask there.")
        return ""

    def _with_headers(self, send: Send, *, files: bool) -> Send:
        held: list[Message] = []  # of a page: its policy names its scripts, so all of it has to be there

        async def pass_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    held.append(message)
                    return
                self._add(headers, SANDBOX if files else policy(), self.doors.framing)
            elif held and message["type"] == "http.response.body":
                held.append(message)
                if message.get("more_body"):
                    return
                body = unwatched(in_language(b"".join(part.get("body", b"") for part in held[1:])))
                headers = MutableHeaders(scope=held[0])
                if body:  # none is sent for HEAD
                    headers["Content-Length"] = str(len(body))
                self._add(
                    headers,
                    SANDBOX if files else policy(INLINE.findall(body) + self.known),
                    self.doors.framing,
                )
                for part in (*held[:1], {"type": "http.response.body", "body": body}):
                    await send(part)
                return
            await send(message)

        return pass_on

    @staticmethod
    def _add(headers: MutableHeaders, rules: str, framing: tuple[str, ...]) -> None:
        sites = " ".join(("'self'", *framing)) if framing else "'none'"
        headers["Content-Security-Policy"] = f"{rules}; frame-ancestors {sites}"
        if not framing:
            headers["X-Frame-Options"] = "DENY"  # for browsers that know no frame-ancestors
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"


def policy(scripts: Sequence[bytes] = ()) -> str:
    """What a page may do: run these inline `scripts` and the lab's own files, and fetch from no other host.

    Gradio makes functions from text (`js=…`), hence 'unsafe-eval'; it styles elements one by one, hence 'unsafe-inline'
    for styles. Scripts in attributes (onerror, onclick) and added ones do not run: only these, known by their hashes.
    """
    hashes = "".join(f" 'sha256-{_digest(script)}'" for script in dict.fromkeys(scripts) if script.strip())
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'unsafe-eval'{hashes}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "frame-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        )
    )


def _digest(script: bytes) -> str:
    r"""As a browser computes it, which reads \r\n as \n."""
    return base64.b64encode(hashlib.sha256(script.replace(b"\r\n", b"\n")).digest()).decode()


def _name(host: str) -> str:
    """The name in a Host header, without the port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _from_elsewhere(headers: Headers, host: str) -> bool:
    """Whether a browser says that a page of another origin has sent this.

    Sec-Fetch-Site cannot be forged by a page, and holds behind a proxy too; older browsers, and addresses without TLS,
    send Origin alone. Programs send neither.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != host.lower()
