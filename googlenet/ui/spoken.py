"""The language of whoever asks: what the switch in the page's head has put into a cookie, else the browser's own."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from googlenet.language import LANGUAGES, language, speaking

COOKIE = "googlenet-language"  # `language.js` writes it


def spoken(headers: Mapping[str, str]) -> str:
    """The language of a request with these headers: a key of `LANGUAGES`, English for who asks for none of them."""
    chosen = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
    return chosen if chosen in LANGUAGES else _preferred(headers.get("accept-language", ""))


def _preferred(accepted: str) -> str:
    """The first of our languages in an Accept-Language header: "ko-KR,ko;q=0.9,en;q=0.8" → "ko"."""
    weighed: list[tuple[float, str]] = []
    for part in accepted.split(",")[:20]:
        found = re.fullmatch(r"\s*([A-Za-z]+)(?:-[\w-]+)?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*", part)
        if found and found[1].lower() in LANGUAGES:
            weighed.append((-float(found[2] or 1), found[1].lower()))
    return min(weighed, key=lambda pair: pair[0], default=(0, "en"))[1]


class Spoken:
    """ASGI middleware: whatever answers a request does so in the language of who sent it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        with speaking(spoken(Headers(scope=scope))):
            await self.app(scope, receive, send)


def in_language(page: bytes) -> bytes:
    """The HTML of Gradio's page as one in the reader's language.

    Its own words ("Drop Image Here") follow the browser's language, and it reads that once, early: told before, it
    follows the switch.
    """
    told = f"Object.defineProperty(navigator, 'language', {{get: () => {json.dumps(language())}}})"
    head = f'<html lang="{html.escape(language())}"\\1><head><script>{told}</script>'
    return re.sub(rb'<html\s+lang="en"([^>]*)>\s*<head>', head.encode(), page, count=1)
