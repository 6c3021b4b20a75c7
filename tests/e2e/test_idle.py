"""A page that nobody touches asks for the news of the training, and for nothing else.

An event that sets what triggers it runs in circles, which costs every other answer of the page its speed.
"""

from __future__ import annotations

from playwright.sync_api import Request

QUIET = 3000  # milliseconds


def test_nothing_is_asked_while_nobody_does_anything(visit: object) -> None:
    page = visit.open("?tab=evaluate&evaluate=googlenet-cifar10")
    for tab in ("Classify", "Train", "Evaluate", "Build"):
        page.get_by_role("tab", name=tab, exact=True).click()
        page.wait_for_timeout(1000)
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(f"{request.url} {request.post_data}")

    page.on("request", note)
    page.wait_for_timeout(QUIET)
    assert [request for request in asked if "/watch" not in request] == []
