"""What a piece of the page's HTML says, for tests that would rather not compare tags."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

VOID = ("br", "hr", "img", "input", "meta", "link")


class Page(HTMLParser):
    """Its words and how often it uses each class; fails where tags do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.classes: Counter[str] = Counter()
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        known = dict(attrs)
        self.classes.update((known.get("class") or "").split())
        self.links += [href] if (href := known.get("href")) else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """All words, one space between them."""
        return " ".join("".join(self.words).split())
