"""What a page of Gradio's is spared while it comes up, which took longer over events and components than over all else.

It looks for every event in every component, twice, and for the component of every event in all of them: 440 events, 650
components. What is left out here, no page uses. tests/ui/test_spared.py looks whether that still holds, `python -m
benchmarks.page` whether it still helps.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

UNWATCHED = b"<script>" + Path(__file__).parents[1].joinpath("static", "unwatched.js").read_bytes() + b"</script>"


def for_a_page(config: dict[str, Any]) -> dict[str, Any]:
    """`config` without what costs a page time and is of no use to it; programs find all components there as before."""
    page = config["page"][""]
    programs = {one["id"] for one in config["components"] if one["type"] == "api"}  # fields of what a program sends
    page["components"] = [number for number in page["components"] if number not in programs]
    page["layout"]["children"] = [child for child in page["layout"]["children"] if child["id"] not in programs]
    while_it_comes_up: set[int] = set()
    for event in config["dependencies"]:
        before = event["trigger_after"]
        if before in while_it_comes_up or any(name == "load" for _, name in event["targets"]):
            while_it_comes_up.add(event["id"])
            if event["show_progress"] == "hidden":
                event["show_progress_on"] = []  # else all its components are told several times how far it is
        if before is not None:
            event["targets"] = []  # it was "then" of no component, which is looked for all the same
    return config


def unwatched(page: bytes) -> bytes:
    """The HTML of Gradio's page with `UNWATCHED` before its own scripts, which are modules and run when it is read."""
    return page.replace(b"</head>", UNWATCHED + b"</head>", 1) if b"window.gradio_config = " in page else page
